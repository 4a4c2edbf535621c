-- +goose Up
-- What a schedule has made ahead has an index of its own, beside that of all others,
-- and what is below another run, too. All bear when a run was made, so that a list of
-- an old day is read from the index.
DROP INDEX flow_run_listed;
DROP INDEX flow_run_top;
DROP INDEX flow_run_flow;
DROP INDEX flow_run_state;
CREATE INDEX flow_run_top ON flow_run (listed DESC, id, created)
	WHERE parent_id IS NULL AND NOT (state_type = 'SCHEDULED' AND state_name = 'Scheduled' AND attempts = 0 AND schedule <> '');
CREATE INDEX flow_run_flow ON flow_run (flow, listed DESC, id, created)
	WHERE parent_id IS NULL AND NOT (state_type = 'SCHEDULED' AND state_name = 'Scheduled' AND attempts = 0 AND schedule <> '');
CREATE INDEX flow_run_state ON flow_run (state_type, listed DESC, id, created)
	WHERE parent_id IS NULL AND NOT (state_type = 'SCHEDULED' AND state_name = 'Scheduled' AND attempts = 0 AND schedule <> '');
CREATE INDEX flow_run_ahead ON flow_run (listed DESC, id, created, flow)
	WHERE parent_id IS NULL AND (state_type = 'SCHEDULED' AND state_name = 'Scheduled' AND attempts = 0 AND schedule <> '');
CREATE INDEX flow_run_below ON flow_run (listed DESC, id, created, flow) WHERE parent_id IS NOT NULL;
