-- +goose Up
-- The states that a call entered in its first write stand in its row: those of later
-- writes are rows of state. Nothing of either is changed.
ALTER TABLE task_run ADD COLUMN states TEXT NOT NULL DEFAULT '[]'; -- JSON list of [type, name, message, time]

-- An event of a state says which.
ALTER TABLE event ADD COLUMN type    TEXT;
ALTER TABLE event ADD COLUMN name    TEXT;
ALTER TABLE event ADD COLUMN message TEXT;
UPDATE event SET type = state.type, name = state.name, message = state.message
	FROM state WHERE topic IS NULL AND state.flow_run_id = subject AND state.task_key = event.task_key AND state.time = event.time;
DROP TRIGGER event_state;
-- +goose StatementBegin
CREATE TRIGGER event_state AFTER INSERT ON state BEGIN
	INSERT INTO event (subject, task_key, time, type, name, message)
		VALUES (NEW.flow_run_id, NEW.task_key, NEW.time, NEW.type, NEW.name, NEW.message);
END;
-- +goose StatementEnd
