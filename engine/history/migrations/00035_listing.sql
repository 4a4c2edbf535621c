-- +goose Up
-- Runs are listed by when they were made or, where they were made ahead, by when they
-- were due. That never changes, so that pages of a list fit together. What a schedule
-- has made ahead, which may be a hundred thousand runs, is in none of these indexes
-- but the first.
ALTER TABLE flow_run ADD COLUMN listed INTEGER NOT NULL GENERATED ALWAYS AS (max(created, expected_start)) VIRTUAL;
DROP INDEX flow_run_top;
DROP INDEX flow_run_flow;
DROP INDEX flow_run_state;
CREATE INDEX flow_run_listed ON flow_run (listed DESC, id) WHERE parent_id IS NULL;
CREATE INDEX flow_run_top ON flow_run (listed DESC, id)
	WHERE parent_id IS NULL AND NOT (state_type = 'SCHEDULED' AND state_name = 'Scheduled' AND attempts = 0 AND schedule <> '');
CREATE INDEX flow_run_flow ON flow_run (flow, listed DESC, id)
	WHERE parent_id IS NULL AND NOT (state_type = 'SCHEDULED' AND state_name = 'Scheduled' AND attempts = 0 AND schedule <> '');
CREATE INDEX flow_run_state ON flow_run (state_type, listed DESC, id)
	WHERE parent_id IS NULL AND NOT (state_type = 'SCHEDULED' AND state_name = 'Scheduled' AND attempts = 0 AND schedule <> '');
CREATE INDEX flow_run_name ON flow_run (name);
