-- +goose Up
CREATE TABLE deployment (
	id        TEXT PRIMARY KEY,
	flow      TEXT NOT NULL,
	name      TEXT NOT NULL,
	spec      TEXT NOT NULL, -- JSON
	slots     INTEGER NOT NULL, -- runs at once; 0: any number
	collision TEXT NOT NULL,
	created   INTEGER NOT NULL,
	updated   INTEGER NOT NULL,
	planned   INTEGER NOT NULL, -- when its runs were last planned
	replan    INTEGER NOT NULL, -- when they are to be planned again
	UNIQUE (flow, name)
) STRICT;
CREATE INDEX deployment_replan ON deployment (replan);

CREATE TABLE work_pool (
	name        TEXT PRIMARY KEY,
	type        TEXT NOT NULL,
	description TEXT NOT NULL,
	slots       INTEGER NOT NULL, -- runs at once; 0: any number
	paused      INTEGER NOT NULL,
	created     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE work_queue (
	pool     TEXT NOT NULL REFERENCES work_pool (name) ON DELETE CASCADE,
	name     TEXT NOT NULL,
	priority INTEGER NOT NULL,
	slots    INTEGER NOT NULL, -- runs at once; 0: any number
	paused   INTEGER NOT NULL,
	created  INTEGER NOT NULL,
	polled   INTEGER,
	PRIMARY KEY (pool, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE worker (
	id    TEXT PRIMARY KEY,
	pool  TEXT NOT NULL,
	info  TEXT NOT NULL, -- JSON
	seen  INTEGER NOT NULL,
	owner TEXT NOT NULL -- process that has it, by its lock; '' for one that calls over the API
) STRICT, WITHOUT ROWID;

-- Where a run of a deployment is carried out, and the worker that has claimed it.
ALTER TABLE flow_run ADD COLUMN pool     TEXT NOT NULL DEFAULT 'default';
ALTER TABLE flow_run ADD COLUMN queue    TEXT NOT NULL DEFAULT 'default';
ALTER TABLE flow_run ADD COLUMN schedule TEXT NOT NULL DEFAULT ''; -- slug of the schedule that made it
ALTER TABLE flow_run ADD COLUMN worker   TEXT NOT NULL DEFAULT '';
CREATE INDEX flow_run_due ON flow_run (pool, coalesce(next_start, 0))
	WHERE state_type = 'SCHEDULED' AND parent_id IS NULL AND owner = '' AND worker = '';
CREATE INDEX flow_run_claimed ON flow_run (worker) WHERE worker <> '';
CREATE INDEX flow_run_deployment ON flow_run (flow, deployment, schedule, expected_start) WHERE deployment <> '';
