-- Names are a promise: other programs read these tables. Times are UTC, from the database's clock, as
-- strftime('%Y-%m-%dT%H:%M:%fZ'). Keys and digests are lower-case hex.

PRAGMA application_id = 1684628577;          -- "dida": tells a store from other programs' files

CREATE TABLE store (
    id          TEXT PRIMARY KEY,            -- which store this is; the artifacts folder carries it, too
    created_at  TEXT NOT NULL
);
INSERT INTO store (id, created_at) VALUES (lower(hex(randomblob(16))), strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));

CREATE TABLE sweep (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    question    TEXT,
    file        TEXT,                        -- the sweep file's path as it was typed; NULL = the embedded demo
    origin      TEXT NOT NULL,               -- its file, absolute, links resolved; or 'the embedded demo'
    folder      TEXT,                        -- where the command was started: relative paths begin there
    overrides   TEXT NOT NULL,               -- JSON: each KEY=VALUE of --set, and what the environment set, in order
    source      TEXT NOT NULL,               -- the sweep file's text
    resolved    TEXT NOT NULL,               -- JSON: search, report and baseline settings
    plan        TEXT NOT NULL,               -- digest of what was planned; a running process that has another was superseded
    generation  INTEGER NOT NULL DEFAULT 0,  -- raised whenever runs may have become claimable anew
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL
);

CREATE TABLE trial (
    id          TEXT PRIMARY KEY,            -- key of the canonical settings
    settings    TEXT NOT NULL                -- JSON
);

-- Trial T07 of a sweep has the number 7. A trial that leaves the sweep keeps its number: none is ever given twice.
CREATE TABLE trial_number (
    sweep_id    TEXT NOT NULL REFERENCES sweep(id) ON DELETE CASCADE,
    trial_id    TEXT NOT NULL REFERENCES trial(id),
    number      INTEGER NOT NULL,
    PRIMARY KEY (sweep_id, trial_id),
    UNIQUE (sweep_id, number)
);

CREATE TABLE sweep_trial (
    sweep_id    TEXT NOT NULL REFERENCES sweep(id) ON DELETE CASCADE,
    trial_id    TEXT NOT NULL REFERENCES trial(id),
    position    INTEGER NOT NULL,
    axes        TEXT NOT NULL,               -- JSON: dotted name -> value
    point       TEXT,                        -- JSON: where it was drawn; of a baseline, the point whose protocol it shares
    variant     TEXT NOT NULL,
    baseline    INTEGER NOT NULL CHECK (baseline IN (0, 1)),
    number      INTEGER NOT NULL,            -- that of trial_number
    title       TEXT NOT NULL,               -- 'T07 autoencoder=unet, depth=2': id and settings
    PRIMARY KEY (sweep_id, trial_id)
);

CREATE TABLE protocol (
    id          TEXT PRIMARY KEY,            -- key of the content
    content     TEXT NOT NULL                -- JSON
);

CREATE TABLE run (
    id          TEXT PRIMARY KEY,            -- key of trial, category, seed and protocol
    trial_id    TEXT NOT NULL REFERENCES trial(id),
    category    TEXT NOT NULL,
    seed        INTEGER NOT NULL,
    protocol_id TEXT NOT NULL REFERENCES protocol(id),
    state       TEXT NOT NULL DEFAULT 'pending'
                CHECK (state IN ('pending', 'running', 'done', 'failed', 'pruned', 'cancelled')),
    reason      TEXT,
    UNIQUE (trial_id, category, seed, protocol_id)
);
CREATE INDEX run_by_trial ON run(trial_id);

CREATE TABLE sweep_run (
    sweep_id    TEXT NOT NULL REFERENCES sweep(id) ON DELETE CASCADE,
    run_id      TEXT NOT NULL REFERENCES run(id),
    position    INTEGER NOT NULL,            -- the order in which runs should finish
    -- 1 = the run is done, cancelled or pruned: kept here, too, so that a claim passes over finished runs without looking at each.
    over        INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (sweep_id, run_id)
);
CREATE INDEX sweep_run_by_position ON sweep_run(sweep_id, position);
CREATE INDEX sweep_run_to_come ON sweep_run(sweep_id, position, run_id) WHERE over = 0;
CREATE INDEX sweep_run_by_run ON sweep_run(run_id);
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

CREATE TABLE stage (
    id            TEXT PRIMARY KEY,          -- its key
    kind          TEXT NOT NULL,             -- features, paint, pretrain, joint, pseudo, score, evaluate
    job           TEXT NOT NULL,             -- JSON: what a worker is asked to do
    state         TEXT NOT NULL DEFAULT 'pending'
                  CHECK (state IN ('pending', 'running', 'done', 'failed', 'skipped')),
    failure_class TEXT CHECK (failure_class IN ('oom', 'timeout', 'signal', 'nan', 'data', 'store', 'bug')),
    reason        TEXT,
    attempts      INTEGER NOT NULL DEFAULT 0,
    token         TEXT,                      -- the attempt that holds the lease
    lease_until   TEXT,
    finished_at   TEXT,
    not_before    TEXT,                      -- back-off: claimed no earlier than this
    beside        INTEGER,                   -- stages that may run beside it on its host; NULL = any number
    family        TEXT NOT NULL,             -- stages whose seconds per unit of work are alike
    work          REAL NOT NULL              -- passes of images, in units of one image of 256 × 256
);
CREATE INDEX stage_by_state ON stage(state, kind);

CREATE TABLE stage_dependency (
    stage_id    TEXT NOT NULL REFERENCES stage(id),
    needs_id    TEXT NOT NULL REFERENCES stage(id),
    PRIMARY KEY (stage_id, needs_id)
);
CREATE INDEX stage_dependency_by_needs ON stage_dependency(needs_id);

CREATE TABLE run_stage (
    run_id      TEXT NOT NULL REFERENCES run(id),
    stage_id    TEXT NOT NULL REFERENCES stage(id),
    position    INTEGER NOT NULL,
    PRIMARY KEY (run_id, stage_id)
);
CREATE INDEX run_stage_by_stage ON run_stage(stage_id);

CREATE TABLE attempt (
    id                TEXT PRIMARY KEY,      -- the lease token
    stage_id          TEXT NOT NULL REFERENCES stage(id),
    number            INTEGER NOT NULL,
    worker            TEXT NOT NULL,
    host              TEXT NOT NULL,
    pid               INTEGER NOT NULL,
    process_started   TEXT,                  -- tells a reused pid from the same process
    device            TEXT NOT NULL,
    threads           INTEGER NOT NULL,
    version           TEXT NOT NULL,         -- didact's version
    log               TEXT,                  -- below the artifacts folder
    state             TEXT NOT NULL
                      CHECK (state IN ('running', 'done', 'failed', 'interrupted', 'lost', 'superseded')),
    failure_class     TEXT,
    reason            TEXT,
    started_at        TEXT NOT NULL,
    finished_at       TEXT,
    seconds           REAL,
    images_per_second REAL,
    peak_rss_bytes    INTEGER,
    costs             TEXT NOT NULL DEFAULT '{}'  -- JSON: further measured costs by name
);
CREATE INDEX attempt_by_stage ON attempt(stage_id);
CREATE INDEX attempt_by_state ON attempt(state);

CREATE TABLE metric (
    stage_id    TEXT NOT NULL REFERENCES stage(id),
    name        TEXT NOT NULL,
    step        INTEGER NOT NULL,            -- epoch, from 1
    value       REAL,
    PRIMARY KEY (stage_id, name, step)
) WITHOUT ROWID;

CREATE TABLE result (
    run_id      TEXT NOT NULL REFERENCES run(id),
    selection   TEXT NOT NULL CHECK (selection IN ('selected', 'last', 'oracle')),
    name        TEXT NOT NULL,
    value       REAL,
    reason      TEXT,                        -- why the value is undefined
    protocol_id TEXT NOT NULL REFERENCES protocol(id),
    PRIMARY KEY (run_id, selection, name),
    CHECK (value IS NOT NULL OR reason IS NOT NULL)
) WITHOUT ROWID;

CREATE TABLE image_score (
    run_id      TEXT NOT NULL REFERENCES run(id),
    selection   TEXT NOT NULL CHECK (selection IN ('selected', 'last', 'oracle')),
    image       TEXT NOT NULL,               -- path below the category
    defect      TEXT NOT NULL,               -- 'good' or the kind of defect
    label       INTEGER NOT NULL CHECK (label IN (0, 1)),
    score       REAL NOT NULL,
    PRIMARY KEY (run_id, selection, image)
) WITHOUT ROWID;

CREATE TABLE artifact (
    stage_id    TEXT PRIMARY KEY REFERENCES stage(id),
    path        TEXT NOT NULL,               -- below the artifacts folder
    bytes       INTEGER NOT NULL,
    digest      TEXT NOT NULL,               -- BLAKE3 of its files.json, which lists size and digest of every file
    created_at  TEXT NOT NULL
);

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
    reason          TEXT                     -- why it stopped
);
CREATE INDEX worker_by_sweep ON worker(sweep_id, stopped_at);

CREATE TABLE event (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    at          TEXT NOT NULL,
    kind        TEXT NOT NULL,
    sweep_id    TEXT,
    stage_id    TEXT,
    attempt_id  TEXT,
    message     TEXT NOT NULL
);
CREATE INDEX event_by_sweep ON event(sweep_id);
