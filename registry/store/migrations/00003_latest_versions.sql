-- +goose Up

-- Finds the latest version of each stage among thousands.
CREATE INDEX model_versions_by_stage ON model_versions (model, stage, version) WHERE NOT deleted;
