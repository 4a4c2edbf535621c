-- +goose Up
CREATE TABLE flow_run (
	id             TEXT PRIMARY KEY,
	flow           TEXT NOT NULL,
	name           TEXT NOT NULL,
	parent_id      TEXT REFERENCES flow_run (id) ON DELETE CASCADE,
	parent_key     TEXT,
	root_id        TEXT NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
	parameters     TEXT NOT NULL, -- JSON
	version        TEXT NOT NULL,
	refresh        INTEGER NOT NULL,
	state_type     TEXT NOT NULL,
	state_name     TEXT NOT NULL,
	state_message  TEXT NOT NULL,
	state_time     INTEGER NOT NULL, -- microseconds since 1970, as every time here
	attempts       INTEGER NOT NULL,
	created        INTEGER NOT NULL,
	expected_start INTEGER NOT NULL,
	start_time     INTEGER,
	end_time       INTEGER,
	result         TEXT, -- JSON
	owner          TEXT NOT NULL, -- of a root: the process that may write the run
	owner_pid      INTEGER NOT NULL,
	UNIQUE (parent_id, parent_key)
) STRICT;
CREATE INDEX flow_run_created ON flow_run (created);
CREATE INDEX flow_run_root ON flow_run (root_id);

CREATE TABLE task_run (
	seq           INTEGER PRIMARY KEY,
	flow_run_id   TEXT NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
	key           TEXT NOT NULL,
	name          TEXT NOT NULL,
	call_order    INTEGER NOT NULL,
	state_type    TEXT NOT NULL,
	state_name    TEXT NOT NULL,
	state_message TEXT NOT NULL,
	state_time    INTEGER NOT NULL,
	attempts      INTEGER NOT NULL,
	input_digest  TEXT NOT NULL,
	codec         TEXT, -- this and the next three: the result, once there is one
	digest        TEXT,
	size          INTEGER,
	ref           TEXT,
	cached_from   TEXT NOT NULL,
	subflow_id    TEXT NOT NULL,
	depends_on    TEXT NOT NULL, -- JSON list of keys
	start_time    INTEGER,
	end_time      INTEGER,
	UNIQUE (flow_run_id, key)
) STRICT;

-- Every state a flow run or a task run was ever in; nothing here is changed.
CREATE TABLE state (
	flow_run_id TEXT NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
	task_key    TEXT NOT NULL, -- '' for the flow run's own
	time        INTEGER NOT NULL,
	type        TEXT NOT NULL,
	name        TEXT NOT NULL,
	message     TEXT NOT NULL,
	PRIMARY KEY (flow_run_id, task_key, time)
) STRICT, WITHOUT ROWID;

-- Results by the SHA-256 of their bytes. Large ones are files of that name.
CREATE TABLE result (
	ref  TEXT PRIMARY KEY,
	data BLOB -- NULL: in a file
) STRICT;

CREATE TABLE cache (
	key         TEXT PRIMARY KEY,
	flow_run_id TEXT NOT NULL,
	codec       TEXT NOT NULL,
	digest      TEXT NOT NULL,
	size        INTEGER NOT NULL,
	ref         TEXT NOT NULL REFERENCES result (ref),
	expires     INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE log (
	seq         INTEGER PRIMARY KEY,
	flow_run_id TEXT NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
	task_key    TEXT NOT NULL,
	time        INTEGER NOT NULL,
	level       TEXT NOT NULL,
	message     TEXT NOT NULL
) STRICT;
CREATE INDEX log_run ON log (flow_run_id, seq);
