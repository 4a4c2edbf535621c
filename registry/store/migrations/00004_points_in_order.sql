-- +goose Up

-- How many points a metric has, from which step on, if each had a greater step
-- than all before it, as most do; NULL if that is not known. Then a sample needs
-- no look at the points between.
ALTER TABLE latest_metrics ADD COLUMN first_step INTEGER;
ALTER TABLE latest_metrics ADD COLUMN points INTEGER;
