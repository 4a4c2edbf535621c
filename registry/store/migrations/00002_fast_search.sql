-- +goose Up

-- Searches over all life-cycle stages need the order too, and find the stage here.
DROP INDEX runs_by_start;
CREATE INDEX runs_by_start ON runs (experiment, start_time DESC, id, stage);

-- Finds the few runs that a condition on a metric leaves, and gives the order of one.
CREATE INDEX latest_metrics_by_value ON latest_metrics (key, value) WHERE NOT is_nan;
