-- +goose Up
-- A small result is its own ref, such as "=42", and has no row in result.
CREATE TABLE entry (
	key         TEXT PRIMARY KEY,
	flow_run_id TEXT NOT NULL,
	codec       TEXT NOT NULL,
	digest      TEXT NOT NULL,
	size        INTEGER NOT NULL,
	ref         TEXT NOT NULL,
	expires     INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO entry (key, flow_run_id, codec, digest, size, ref, expires)
	SELECT key, flow_run_id, codec, digest, size, ref, expires FROM cache;
DROP TABLE cache;
ALTER TABLE entry RENAME TO cache;
