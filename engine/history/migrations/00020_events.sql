-- +goose Up
-- What has happened, in the order in which it was committed, for those who follow.
-- Nothing here is changed; the oldest are dropped.
CREATE TABLE event (
	seq      INTEGER PRIMARY KEY,
	topic    TEXT, -- flow-run, deployment, work-pool, work-queue, worker, concurrency-limit; NULL: a state of a run
	what     TEXT, -- created, changed, deleted
	subject  TEXT NOT NULL, -- an ID, or a name; of a queue pool/queue
	task_key TEXT NOT NULL DEFAULT '',
	time     INTEGER NOT NULL -- of a state: its own
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER event_state AFTER INSERT ON state BEGIN
	INSERT INTO event (subject, task_key, time) VALUES (NEW.flow_run_id, NEW.task_key, NEW.time);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_run_deleted AFTER DELETE ON flow_run WHEN OLD.parent_id IS NULL BEGIN
	INSERT INTO event (topic, what, subject, time) VALUES ('flow-run', 'deleted', OLD.id, unixepoch('subsec') * 1000000);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_deployment_created AFTER INSERT ON deployment BEGIN
	INSERT INTO event (topic, what, subject, time) VALUES ('deployment', 'created', NEW.id, NEW.updated);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_deployment_changed AFTER UPDATE OF spec ON deployment BEGIN
	INSERT INTO event (topic, what, subject, time) VALUES ('deployment', 'changed', NEW.id, NEW.updated);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_deployment_deleted AFTER DELETE ON deployment BEGIN
	INSERT INTO event (topic, what, subject, time) VALUES ('deployment', 'deleted', OLD.id, unixepoch('subsec') * 1000000);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_pool_created AFTER INSERT ON work_pool BEGIN
	INSERT INTO event (topic, what, subject, time) VALUES ('work-pool', 'created', NEW.name, NEW.created);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_pool_changed AFTER UPDATE ON work_pool BEGIN
	INSERT INTO event (topic, what, subject, time) VALUES ('work-pool', 'changed', NEW.name, unixepoch('subsec') * 1000000);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_pool_deleted AFTER DELETE ON work_pool BEGIN
	INSERT INTO event (topic, what, subject, time) VALUES ('work-pool', 'deleted', OLD.name, unixepoch('subsec') * 1000000);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_queue_created AFTER INSERT ON work_queue BEGIN
	INSERT INTO event (topic, what, subject, time) VALUES ('work-queue', 'created', NEW.pool || '/' || NEW.name, NEW.created);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_queue_changed AFTER UPDATE OF priority, slots, paused ON work_queue BEGIN
	INSERT INTO event (topic, what, subject, time) VALUES ('work-queue', 'changed', NEW.pool || '/' || NEW.name, unixepoch('subsec') * 1000000);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_worker_created AFTER INSERT ON worker BEGIN
	INSERT INTO event (topic, what, subject, time) VALUES ('worker', 'created', NEW.id, NEW.seen);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_worker_deleted AFTER DELETE ON worker BEGIN
	INSERT INTO event (topic, what, subject, time) VALUES ('worker', 'deleted', OLD.id, unixepoch('subsec') * 1000000);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_limit_created AFTER INSERT ON concurrency_limit BEGIN
	INSERT INTO event (topic, what, subject, time) VALUES ('concurrency-limit', 'changed', NEW.name, unixepoch('subsec') * 1000000);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_limit_changed AFTER UPDATE ON concurrency_limit BEGIN
	INSERT INTO event (topic, what, subject, time) VALUES ('concurrency-limit', 'changed', NEW.name, unixepoch('subsec') * 1000000);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_limit_deleted AFTER DELETE ON concurrency_limit BEGIN
	INSERT INTO event (topic, what, subject, time) VALUES ('concurrency-limit', 'deleted', OLD.name, unixepoch('subsec') * 1000000);
END;
-- +goose StatementEnd
