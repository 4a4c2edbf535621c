-- +goose Up
ALTER TABLE flow_run ADD COLUMN tags            TEXT NOT NULL DEFAULT '[]'; -- JSON list
ALTER TABLE flow_run ADD COLUMN deployment      TEXT NOT NULL DEFAULT '';
ALTER TABLE flow_run ADD COLUMN idempotency_key TEXT;
ALTER TABLE flow_run ADD COLUMN recoveries      INTEGER NOT NULL DEFAULT 0;
ALTER TABLE flow_run ADD COLUMN next_start      INTEGER;
ALTER TABLE flow_run ADD COLUMN ran             INTEGER NOT NULL DEFAULT 0; -- microseconds
ALTER TABLE flow_run ADD COLUMN waiting         TEXT; -- JSON, of a run that is paused
CREATE UNIQUE INDEX flow_run_idempotency ON flow_run (idempotency_key) WHERE idempotency_key IS NOT NULL;

-- What is listed, newest first: all, those of a flow, those in a state.
DROP INDEX flow_run_created;
CREATE INDEX flow_run_top ON flow_run (created DESC, id) WHERE parent_id IS NULL;
CREATE INDEX flow_run_flow ON flow_run (flow, created DESC, id) WHERE parent_id IS NULL;
CREATE INDEX flow_run_state ON flow_run (state_type, created DESC, id) WHERE parent_id IS NULL;
CREATE INDEX flow_run_unfinished ON flow_run (root_id) WHERE state_type NOT IN ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED');

ALTER TABLE task_run ADD COLUMN run_name TEXT NOT NULL DEFAULT '';
ALTER TABLE task_run ADD COLUMN kind     TEXT NOT NULL DEFAULT 'task';
ALTER TABLE task_run ADD COLUMN tags     TEXT NOT NULL DEFAULT '[]'; -- JSON list
ALTER TABLE task_run ADD COLUMN after    TEXT NOT NULL DEFAULT '[]'; -- JSON list of keys
ALTER TABLE task_run ADD COLUMN ran      INTEGER NOT NULL DEFAULT 0; -- microseconds
UPDATE task_run SET kind = 'subflow' WHERE subflow_id <> '';
UPDATE task_run SET ran = end_time - start_time WHERE end_time > start_time;
UPDATE flow_run SET ran = end_time - start_time WHERE end_time > start_time;

-- What somebody asks of a run that may be another process's.
CREATE TABLE signal (
	seq         INTEGER PRIMARY KEY AUTOINCREMENT,
	flow_run_id TEXT NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
	root_id     TEXT NOT NULL,
	kind        TEXT NOT NULL,
	key         TEXT NOT NULL,
	input       TEXT, -- JSON
	message     TEXT NOT NULL,
	time        INTEGER NOT NULL
) STRICT;
CREATE INDEX signal_root ON signal (root_id, seq);

CREATE TABLE concurrency_limit (
	name  TEXT PRIMARY KEY,
	slots INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who has a slot. Nothing counts slots but the rows of living owners.
CREATE TABLE limit_holder (
	name        TEXT NOT NULL,
	flow_run_id TEXT NOT NULL,
	task_key    TEXT NOT NULL,
	owner       TEXT NOT NULL,
	PRIMARY KEY (name, flow_run_id, task_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX limit_holder_holder ON limit_holder (flow_run_id, task_key);
