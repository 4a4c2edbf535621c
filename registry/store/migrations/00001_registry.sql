-- +goose Up

-- Runs and experiments have short numbers inside the file; the ids that
-- clients see are the experiment's number and the run's 32 hex digits.
CREATE TABLE experiments (
	id                INTEGER PRIMARY KEY AUTOINCREMENT,
	name              TEXT    NOT NULL UNIQUE,
	artifact_location TEXT    NOT NULL,
	stage             TEXT    NOT NULL DEFAULT 'active',
	creation_time     INTEGER NOT NULL,
	last_update_time  INTEGER NOT NULL
);

CREATE TABLE experiment_tags (
	experiment INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
	key        TEXT    NOT NULL,
	value      TEXT    NOT NULL,
	PRIMARY KEY (experiment, key)
) WITHOUT ROWID;

INSERT INTO experiments (id, name, artifact_location, creation_time, last_update_time)
VALUES (0, 'Default', 'mlflow-artifacts:/0', unixepoch() * 1000, unixepoch() * 1000);

CREATE TABLE runs (
	n            INTEGER PRIMARY KEY,
	id           TEXT    NOT NULL UNIQUE,
	experiment   INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
	name         TEXT    NOT NULL,
	user_id      TEXT    NOT NULL,
	status       TEXT    NOT NULL,
	start_time   INTEGER NOT NULL,
	end_time     INTEGER,
	artifact_uri TEXT    NOT NULL,
	stage        TEXT    NOT NULL DEFAULT 'active',
	deleted_time INTEGER
);
CREATE INDEX runs_by_start ON runs (experiment, stage, start_time DESC, id);

-- Every point. An equal point is the same row.
CREATE TABLE metrics (
	run       INTEGER NOT NULL REFERENCES runs (n) ON DELETE CASCADE,
	key       TEXT    NOT NULL,
	step      INTEGER NOT NULL,
	timestamp INTEGER NOT NULL,
	value     REAL    NOT NULL, -- 0 for NaN
	is_nan    INTEGER NOT NULL,
	PRIMARY KEY (run, key, step, timestamp, value, is_nan)
) WITHOUT ROWID;

-- Of each metric the point with the greatest (step, timestamp, value).
CREATE TABLE latest_metrics (
	run       INTEGER NOT NULL REFERENCES runs (n) ON DELETE CASCADE,
	key       TEXT    NOT NULL,
	step      INTEGER NOT NULL,
	timestamp INTEGER NOT NULL,
	value     REAL    NOT NULL,
	is_nan    INTEGER NOT NULL,
	PRIMARY KEY (run, key)
) WITHOUT ROWID;

CREATE TABLE params (
	run   INTEGER NOT NULL REFERENCES runs (n) ON DELETE CASCADE,
	key   TEXT    NOT NULL,
	value TEXT    NOT NULL,
	PRIMARY KEY (run, key)
) WITHOUT ROWID;

CREATE TABLE tags (
	run   INTEGER NOT NULL REFERENCES runs (n) ON DELETE CASCADE,
	key   TEXT    NOT NULL,
	value TEXT    NOT NULL,
	PRIMARY KEY (run, key)
) WITHOUT ROWID;
CREATE INDEX tags_by_value ON tags (key, value);

CREATE TABLE datasets (
	n           INTEGER PRIMARY KEY,
	experiment  INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
	name        TEXT    NOT NULL,
	digest      TEXT    NOT NULL,
	source_type TEXT    NOT NULL,
	source      TEXT    NOT NULL,
	schema      TEXT    NOT NULL,
	profile     TEXT    NOT NULL,
	UNIQUE (experiment, name, digest)
);

CREATE TABLE dataset_inputs (
	run     INTEGER NOT NULL REFERENCES runs (n) ON DELETE CASCADE,
	dataset INTEGER NOT NULL REFERENCES datasets (n) ON DELETE CASCADE,
	PRIMARY KEY (run, dataset)
) WITHOUT ROWID;

CREATE TABLE dataset_input_tags (
	run     INTEGER NOT NULL,
	dataset INTEGER NOT NULL,
	key     TEXT    NOT NULL,
	value   TEXT    NOT NULL,
	PRIMARY KEY (run, dataset, key),
	FOREIGN KEY (run, dataset) REFERENCES dataset_inputs (run, dataset) ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE logged_models (
	id                TEXT    PRIMARY KEY,
	experiment        INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
	name              TEXT    NOT NULL,
	model_type        TEXT    NOT NULL,
	source_run_id     TEXT    NOT NULL,
	artifact_uri      TEXT    NOT NULL,
	status            TEXT    NOT NULL,
	stage             TEXT    NOT NULL DEFAULT 'active',
	creation_time     INTEGER NOT NULL,
	last_updated_time INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX logged_models_by_time ON logged_models (experiment, creation_time);

CREATE TABLE logged_model_params (
	model TEXT NOT NULL REFERENCES logged_models (id) ON DELETE CASCADE,
	key   TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (model, key)
) WITHOUT ROWID;

CREATE TABLE logged_model_tags (
	model TEXT NOT NULL REFERENCES logged_models (id) ON DELETE CASCADE,
	key   TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (model, key)
) WITHOUT ROWID;

CREATE TABLE logged_model_metrics (
	model          TEXT    NOT NULL REFERENCES logged_models (id) ON DELETE CASCADE,
	key            TEXT    NOT NULL,
	step           INTEGER NOT NULL,
	timestamp      INTEGER NOT NULL,
	value          REAL    NOT NULL,
	is_nan         INTEGER NOT NULL,
	run_id         TEXT    NOT NULL,
	dataset_name   TEXT    NOT NULL,
	dataset_digest TEXT    NOT NULL,
	PRIMARY KEY (model, key, step, timestamp, run_id)
) WITHOUT ROWID;

CREATE TABLE model_inputs (
	run   INTEGER NOT NULL REFERENCES runs (n) ON DELETE CASCADE,
	model TEXT    NOT NULL,
	PRIMARY KEY (run, model)
) WITHOUT ROWID;

CREATE TABLE model_outputs (
	run   INTEGER NOT NULL REFERENCES runs (n) ON DELETE CASCADE,
	model TEXT    NOT NULL,
	step  INTEGER NOT NULL,
	PRIMARY KEY (run, model)
) WITHOUT ROWID;

CREATE TABLE registered_models (
	name              TEXT    PRIMARY KEY,
	description       TEXT    NOT NULL,
	creation_time     INTEGER NOT NULL,
	last_updated_time INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE registered_model_tags (
	model TEXT NOT NULL REFERENCES registered_models (name) ON UPDATE CASCADE ON DELETE CASCADE,
	key   TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (model, key)
) WITHOUT ROWID;

-- A deleted version keeps its row, so that its number is not given again.
CREATE TABLE model_versions (
	model             TEXT    NOT NULL REFERENCES registered_models (name) ON UPDATE CASCADE ON DELETE CASCADE,
	version           INTEGER NOT NULL,
	stage             TEXT    NOT NULL,
	description       TEXT    NOT NULL,
	source            TEXT    NOT NULL,
	storage_location  TEXT    NOT NULL, -- the artifact URI that source stands for
	run_id            TEXT    NOT NULL,
	model_id          TEXT    NOT NULL,
	run_link          TEXT    NOT NULL,
	deleted           INTEGER NOT NULL DEFAULT 0,
	creation_time     INTEGER NOT NULL,
	last_updated_time INTEGER NOT NULL,
	PRIMARY KEY (model, version)
) WITHOUT ROWID;
CREATE INDEX model_versions_by_run ON model_versions (run_id);
CREATE INDEX model_versions_by_update ON model_versions (last_updated_time);

CREATE TABLE model_version_tags (
	model   TEXT    NOT NULL,
	version INTEGER NOT NULL,
	key     TEXT    NOT NULL,
	value   TEXT    NOT NULL,
	PRIMARY KEY (model, version, key),
	FOREIGN KEY (model, version) REFERENCES model_versions (model, version) ON UPDATE CASCADE ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE aliases (
	model   TEXT    NOT NULL,
	alias   TEXT    NOT NULL,
	version INTEGER NOT NULL,
	PRIMARY KEY (model, alias),
	FOREIGN KEY (model, version) REFERENCES model_versions (model, version) ON UPDATE CASCADE ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX aliases_by_version ON aliases (model, version);
