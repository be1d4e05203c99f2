-- Names are a promise: other programs read these tables. Times are UTC, from the database's clock, as
-- strftime('%Y-%m-%dT%H:%M:%fZ'). Keys and digests are lower-case hex.

CREATE TABLE sweep (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    question    TEXT,
    source      TEXT NOT NULL,               -- the sweep file's text
    resolved    TEXT NOT NULL,               -- JSON: search, report and baseline settings
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL
);

CREATE TABLE trial (
    id          TEXT PRIMARY KEY,            -- key of the canonical settings
    settings    TEXT NOT NULL                -- JSON
);

CREATE TABLE sweep_trial (
    sweep_id    TEXT NOT NULL REFERENCES sweep(id) ON DELETE CASCADE,
    trial_id    TEXT NOT NULL REFERENCES trial(id),
    position    INTEGER NOT NULL,
    axes        TEXT NOT NULL,               -- JSON: dotted name -> value
    variant     TEXT NOT NULL,
    baseline    INTEGER NOT NULL CHECK (baseline IN (0, 1)),
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

CREATE TABLE sweep_run (
    sweep_id    TEXT NOT NULL REFERENCES sweep(id) ON DELETE CASCADE,
    run_id      TEXT NOT NULL REFERENCES run(id),
    position    INTEGER NOT NULL,            -- the order in which runs should finish
    PRIMARY KEY (sweep_id, run_id)
);

CREATE TABLE stage (
    id            TEXT PRIMARY KEY,          -- its key
    kind          TEXT NOT NULL CHECK (kind IN ('features', 'pretrain', 'joint', 'score', 'evaluate')),
    job           TEXT NOT NULL,             -- JSON: what a worker is asked to do
    state         TEXT NOT NULL DEFAULT 'pending'
                  CHECK (state IN ('pending', 'running', 'done', 'failed', 'skipped')),
    failure_class TEXT CHECK (failure_class IN ('oom', 'timeout', 'signal', 'nan', 'data', 'store', 'bug')),
    reason        TEXT,
    attempts      INTEGER NOT NULL DEFAULT 0,
    token         TEXT,                      -- the attempt that holds the lease
    lease_until   TEXT,
    finished_at   TEXT
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
    created_at  TEXT NOT NULL
);

CREATE TABLE event (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    at          TEXT NOT NULL,
    kind        TEXT NOT NULL,
    sweep_id    TEXT,
    stage_id    TEXT,
    attempt_id  TEXT,
    message     TEXT NOT NULL
);
