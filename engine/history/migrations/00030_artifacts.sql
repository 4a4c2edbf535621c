-- +goose Up
-- What runs show to people. Those with a key are versions of one.
CREATE TABLE artifact (
	id          TEXT PRIMARY KEY,
	key         TEXT NOT NULL,
	version     INTEGER NOT NULL,
	type        TEXT NOT NULL,
	description TEXT NOT NULL,
	data        TEXT NOT NULL, -- JSON
	flow_run_id TEXT NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
	task_key    TEXT NOT NULL, -- '' for the flow run's own
	created     INTEGER NOT NULL,
	updated     INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX artifact_version ON artifact (key, version) WHERE key <> '';
CREATE INDEX artifact_run ON artifact (flow_run_id, task_key);
CREATE INDEX artifact_created ON artifact (created DESC, version DESC, id);

-- +goose StatementBegin
CREATE TRIGGER event_artifact_created AFTER INSERT ON artifact BEGIN
	INSERT INTO event (topic, what, subject, task_key, time) VALUES ('artifact', 'created', NEW.id, NEW.task_key, NEW.updated);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_artifact_changed AFTER UPDATE ON artifact BEGIN
	INSERT INTO event (topic, what, subject, task_key, time) VALUES ('artifact', 'changed', NEW.id, NEW.task_key, NEW.updated);
END;
-- +goose StatementEnd
