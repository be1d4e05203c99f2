-- Retries with back-off, neighbours after running out of memory, time left, logs, workers, searches that go on.

ALTER TABLE sweep ADD COLUMN file TEXT;                         -- the sweep file's path; NULL = the embedded demo
ALTER TABLE sweep ADD COLUMN generation INTEGER NOT NULL DEFAULT 0; -- raised whenever runs may have become claimable anew

ALTER TABLE stage ADD COLUMN not_before TEXT;                   -- back-off: claimed no earlier than this
ALTER TABLE stage ADD COLUMN beside INTEGER;                    -- stages that may run beside it on its host; NULL = any number
ALTER TABLE stage ADD COLUMN family TEXT NOT NULL DEFAULT '';   -- stages whose seconds per unit of work are alike
ALTER TABLE stage ADD COLUMN work REAL NOT NULL DEFAULT 0;      -- passes of images, in units of one image of 256 × 256

ALTER TABLE attempt ADD COLUMN log TEXT;                        -- below the artifacts folder

CREATE TABLE worker (
    id              TEXT PRIMARY KEY,
    sweep_id        TEXT NOT NULL REFERENCES sweep(id),
    host            TEXT NOT NULL,
    pid             INTEGER NOT NULL,
    process_started TEXT,
    device          TEXT NOT NULL,
    threads         INTEGER NOT NULL,
    started_at      TEXT NOT NULL,
    seen_at         TEXT NOT NULL,
    stopped_at      TEXT,
    reason          TEXT                                        -- why it stopped
);
CREATE INDEX worker_by_sweep ON worker(sweep_id, stopped_at);

-- 1 = the run is done, cancelled or pruned: kept here, too, so that a claim passes over finished runs without looking at each.
ALTER TABLE sweep_run ADD COLUMN over INTEGER NOT NULL DEFAULT 0;
UPDATE sweep_run SET over = 1 WHERE run_id IN (SELECT id FROM run WHERE state IN ('done', 'cancelled', 'pruned'));
CREATE TRIGGER run_changes_state AFTER UPDATE OF state ON run
WHEN (NEW.state IN ('done', 'cancelled', 'pruned')) <> (OLD.state IN ('done', 'cancelled', 'pruned'))
BEGIN
    UPDATE sweep_run SET over = NEW.state IN ('done', 'cancelled', 'pruned') WHERE run_id = NEW.id;
END;
CREATE TRIGGER sweep_takes_run AFTER INSERT ON sweep_run
WHEN EXISTS (SELECT 1 FROM run WHERE id = NEW.run_id AND state IN ('done', 'cancelled', 'pruned'))
BEGIN
    UPDATE sweep_run SET over = 1 WHERE sweep_id = NEW.sweep_id AND run_id = NEW.run_id;
END;

CREATE INDEX sweep_run_by_position ON sweep_run(sweep_id, position);
CREATE INDEX sweep_run_to_come ON sweep_run(sweep_id, position, run_id) WHERE over = 0;
CREATE INDEX sweep_run_by_run ON sweep_run(run_id);
CREATE INDEX run_by_trial ON run(trial_id);
CREATE INDEX attempt_by_state ON attempt(state);
CREATE INDEX event_by_sweep ON event(sweep_id);
