-- A schema for 100,000 runs. Tables have integer ids, links are integers, and each key is stored once. The views at the end have the
-- names and columns that the tables had before: they are the promise to other programs, which read views and never write.

CREATE TABLE sweeps (
    id          INTEGER PRIMARY KEY,
    key         TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL UNIQUE,
    question    TEXT,
    file        TEXT,                        -- the sweep file's path as it was typed; NULL = the embedded demo
    origin      TEXT NOT NULL,               -- its file, absolute, links resolved; or 'the embedded demo'
    folder      TEXT,                        -- where the command was started: relative paths begin there
    overrides   TEXT NOT NULL,               -- JSON: each KEY=VALUE of --set, and what the environment set, in order
    source      TEXT NOT NULL,               -- the sweep file's text
    resolved    TEXT NOT NULL,               -- JSON: search, report and baseline settings
    plan        TEXT NOT NULL,               -- digest of what was planned; a running process that has another was superseded
    written     TEXT,                        -- digest of the planned rows; NULL = unknown, or another sweep may have changed them
    generation  INTEGER NOT NULL DEFAULT 0,  -- raised whenever runs may have become claimable anew
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL
);
INSERT INTO sweeps (id, key, name, question, file, origin, folder, overrides, source, resolved, plan, generation, created_at, updated_at)
SELECT rowid, id, name, question, file, origin, folder, overrides, source, resolved, plan, generation, created_at, updated_at FROM sweep;

CREATE TABLE trials (
    id          INTEGER PRIMARY KEY,
    key         TEXT NOT NULL UNIQUE,        -- key of the canonical settings
    settings    TEXT NOT NULL                -- JSON
);
INSERT INTO trials (id, key, settings) SELECT rowid, id, settings FROM trial;

-- Trial T07 of a sweep has the number 7. A trial that leaves the sweep keeps its number: none is ever given twice.
CREATE TABLE trial_numbers (
    sweep_id    INTEGER NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
    trial_id    INTEGER NOT NULL REFERENCES trials(id),
    number      INTEGER NOT NULL,
    PRIMARY KEY (sweep_id, trial_id),
    UNIQUE (sweep_id, number)
) WITHOUT ROWID;
INSERT INTO trial_numbers (sweep_id, trial_id, number)
SELECT w.id, t.id, n.number FROM trial_number n JOIN sweeps w ON w.key = n.sweep_id JOIN trials t ON t.key = n.trial_id;

CREATE TABLE sweep_trials (
    sweep_id    INTEGER NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
    trial_id    INTEGER NOT NULL REFERENCES trials(id),
    position    INTEGER NOT NULL,
    axes        TEXT NOT NULL,               -- JSON: dotted name -> value
    point       TEXT,                        -- JSON: where it was drawn; of a baseline, the point whose protocol it shares
    variant     TEXT NOT NULL,
    baseline    INTEGER NOT NULL CHECK (baseline IN (0, 1)),
    number      INTEGER NOT NULL,            -- that of trial_numbers
    title       TEXT NOT NULL,               -- 'T07 autoencoder=unet, depth=2': id and settings
    PRIMARY KEY (sweep_id, trial_id)
);
CREATE INDEX sweep_trials_by_trial ON sweep_trials(trial_id);
INSERT INTO sweep_trials (sweep_id, trial_id, position, axes, point, variant, baseline, number, title)
SELECT w.id, t.id, o.position, o.axes, o.point, o.variant, o.baseline, o.number, o.title
FROM sweep_trial o JOIN sweeps w ON w.key = o.sweep_id JOIN trials t ON t.key = o.trial_id;

CREATE TABLE protocols (
    id          INTEGER PRIMARY KEY,
    key         TEXT NOT NULL UNIQUE,        -- key of the content
    content     TEXT NOT NULL                -- JSON
);
INSERT INTO protocols (id, key, content) SELECT rowid, id, content FROM protocol;

CREATE TABLE runs (
    id          INTEGER PRIMARY KEY,
    key         TEXT NOT NULL UNIQUE,        -- key of trial, category, seed and protocol
    trial_id    INTEGER NOT NULL REFERENCES trials(id),
    category    TEXT NOT NULL,
    seed        INTEGER NOT NULL,
    protocol_id INTEGER NOT NULL REFERENCES protocols(id),
    -- A pending run is shown as running while one of its stages is running.
    state       TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'failed', 'pruned', 'cancelled')),
    reason      TEXT
);
CREATE INDEX runs_by_trial ON runs(trial_id);
INSERT INTO runs (id, key, trial_id, category, seed, protocol_id, state, reason)
SELECT r.rowid, r.id, t.id, r.category, r.seed, p.id, CASE r.state WHEN 'running' THEN 'pending' ELSE r.state END, r.reason
FROM run r JOIN trials t ON t.key = r.trial_id JOIN protocols p ON p.key = r.protocol_id;

CREATE TABLE sweep_runs (
    sweep_id    INTEGER NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
    position    INTEGER NOT NULL,            -- the order in which runs should finish
    run_id      INTEGER NOT NULL REFERENCES runs(id),
    PRIMARY KEY (sweep_id, position)
) WITHOUT ROWID;
CREATE UNIQUE INDEX sweep_runs_by_run ON sweep_runs(run_id, sweep_id);
-- Positions that two runs of an older store share become distinct; their order stays.
INSERT INTO sweep_runs (sweep_id, position, run_id)
SELECT w.id, ROW_NUMBER() OVER (PARTITION BY w.id ORDER BY o.position, r.id) - 1, r.id
FROM sweep_run o JOIN sweeps w ON w.key = o.sweep_id JOIN runs r ON r.key = o.run_id;

CREATE TABLE stages (
    id            INTEGER PRIMARY KEY,
    key           TEXT NOT NULL UNIQUE,
    kind          TEXT NOT NULL,             -- features, paint, pretrain, joint, pseudo, score, evaluate
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
    work          REAL NOT NULL,             -- passes of images, in units of one image of 256 × 256
    open_needs    INTEGER NOT NULL DEFAULT 0 -- number of stages that it needs and that are not done
);
CREATE INDEX stages_running ON stages(id) WHERE state = 'running';
CREATE INDEX stages_failed ON stages(id) WHERE state = 'failed';
INSERT INTO stages (id, key, kind, state, failure_class, reason, attempts, token, lease_until, finished_at, not_before, beside, family, work)
SELECT rowid, id, kind, state, failure_class, reason, attempts, token, lease_until, finished_at, not_before, beside, family, work FROM stage;

CREATE TABLE stage_jobs (
    stage_id    INTEGER PRIMARY KEY REFERENCES stages(id),
    job         TEXT NOT NULL                -- JSON: what a worker is asked to do
);
INSERT INTO stage_jobs (stage_id, job) SELECT rowid, job FROM stage;

CREATE TABLE stage_dependencies (
    stage_id    INTEGER NOT NULL REFERENCES stages(id),
    needs_id    INTEGER NOT NULL REFERENCES stages(id),
    PRIMARY KEY (stage_id, needs_id)
) WITHOUT ROWID;
CREATE INDEX stage_dependencies_by_needs ON stage_dependencies(needs_id, stage_id);
INSERT INTO stage_dependencies (stage_id, needs_id)
SELECT s.id, n.id FROM stage_dependency d JOIN stages s ON s.key = d.stage_id JOIN stages n ON n.key = d.needs_id;
UPDATE stages SET open_needs = (SELECT COUNT(*) FROM stage_dependencies d JOIN stages n ON n.id = d.needs_id
                                WHERE d.stage_id = stages.id AND n.state <> 'done');

CREATE TABLE run_stages (
    run_id      INTEGER NOT NULL REFERENCES runs(id),
    stage_id    INTEGER NOT NULL REFERENCES stages(id),
    position    INTEGER NOT NULL,
    PRIMARY KEY (run_id, stage_id)
) WITHOUT ROWID;
CREATE INDEX run_stages_by_stage ON run_stages(stage_id, run_id);
INSERT INTO run_stages (run_id, stage_id, position)
SELECT r.id, s.id, o.position FROM run_stage o JOIN runs r ON r.key = o.run_id JOIN stages s ON s.key = o.stage_id;

-- Each stage of a sweep once. Workers claim the first row that is ready.
CREATE TABLE sweep_stages (
    stage_id    INTEGER NOT NULL REFERENCES stages(id),
    sweep_id    INTEGER NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
    position    INTEGER NOT NULL,            -- 64 × position of the first run that needs it, plus its position in that run
    wanted      INTEGER NOT NULL CHECK (wanted IN (0, 1)),  -- 0 = all its runs in the sweep were cancelled or pruned
    ready       INTEGER NOT NULL CHECK (ready IN (0, 1)),   -- 1 = wanted and pending, and all stages that it needs are done
    PRIMARY KEY (stage_id, sweep_id)
) WITHOUT ROWID;
CREATE INDEX sweep_stages_in_order ON sweep_stages(sweep_id, ready, position, stage_id);
INSERT INTO sweep_stages (stage_id, sweep_id, position, wanted, ready)
SELECT g.stage_id, g.sweep_id, g.position, g.wanted, g.wanted = 1 AND s.state = 'pending' AND s.open_needs = 0
FROM (SELECT rs.stage_id, sr.sweep_id, MIN(64 * sr.position + rs.position) AS position,
             MAX(r.state NOT IN ('cancelled', 'pruned')) AS wanted
      FROM sweep_runs sr JOIN runs r ON r.id = sr.run_id JOIN run_stages rs ON rs.run_id = r.id GROUP BY rs.stage_id, sr.sweep_id) g
JOIN stages s ON s.id = g.stage_id;

-- Number and work of a sweep's stages.
CREATE TABLE stage_counts (
    sweep_id    INTEGER NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
    kind        TEXT NOT NULL,
    family      TEXT NOT NULL,
    state       TEXT NOT NULL,
    wanted      INTEGER NOT NULL,
    stages      INTEGER NOT NULL,
    work        REAL NOT NULL,
    PRIMARY KEY (sweep_id, kind, family, state, wanted)
) WITHOUT ROWID;
INSERT INTO stage_counts (sweep_id, kind, family, state, wanted, stages, work)
SELECT ss.sweep_id, s.kind, s.family, s.state, ss.wanted, COUNT(*), SUM(s.work)
FROM sweep_stages ss JOIN stages s ON s.id = ss.stage_id GROUP BY ss.sweep_id, s.kind, s.family, s.state, ss.wanted;

CREATE TABLE attempts (
    id                INTEGER PRIMARY KEY,
    token             TEXT NOT NULL UNIQUE,  -- the lease token
    stage_id          INTEGER NOT NULL REFERENCES stages(id),
    number            INTEGER NOT NULL,
    worker            TEXT NOT NULL,
    host              TEXT NOT NULL,
    pid               INTEGER NOT NULL,
    process_started   TEXT,                  -- tells a reused pid from the same process
    device            TEXT NOT NULL,
    convolutions      TEXT NOT NULL DEFAULT 'own',  -- who computed them: 'own', or cuDNN with its version and the name of the GPU
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
CREATE INDEX attempts_by_stage ON attempts(stage_id);
CREATE INDEX attempts_running ON attempts(state) WHERE state = 'running';
INSERT INTO attempts (id, token, stage_id, number, worker, host, pid, process_started, device, convolutions, threads, version, log, state,
    failure_class, reason, started_at, finished_at, seconds, images_per_second, peak_rss_bytes, costs)
SELECT a.rowid, a.id, s.id, a.number, a.worker, a.host, a.pid, a.process_started, a.device, a.convolutions, a.threads, a.version, a.log, a.state,
    a.failure_class, a.reason, a.started_at, a.finished_at, a.seconds, a.images_per_second, a.peak_rss_bytes, a.costs
FROM attempt a JOIN stages s ON s.key = a.stage_id;

-- Measured by stages that were done at the first attempt: how long a unit of work takes.
CREATE TABLE rates (
    kind           TEXT NOT NULL,
    family         TEXT NOT NULL,
    thread_seconds REAL NOT NULL,
    work           REAL NOT NULL,
    PRIMARY KEY (kind, family)
) WITHOUT ROWID;
INSERT INTO rates (kind, family, thread_seconds, work)
SELECT s.kind, s.family, SUM(a.seconds * a.threads), SUM(s.work) FROM attempts a JOIN stages s ON s.id = a.stage_id
WHERE a.state = 'done' AND a.number = 1 AND a.seconds IS NOT NULL AND s.work > 0 GROUP BY s.kind, s.family;

CREATE TABLE metrics (
    stage_id    INTEGER NOT NULL REFERENCES stages(id),
    name        TEXT NOT NULL,
    step        INTEGER NOT NULL,            -- epoch, from 1
    value       REAL,
    PRIMARY KEY (stage_id, name, step)
) WITHOUT ROWID;
INSERT INTO metrics (stage_id, name, step, value)
SELECT s.id, m.name, m.step, m.value FROM metric m JOIN stages s ON s.key = m.stage_id;

CREATE TABLE results (
    run_id      INTEGER NOT NULL REFERENCES runs(id),
    selection   TEXT NOT NULL CHECK (selection IN ('selected', 'last', 'oracle')),
    name        TEXT NOT NULL,
    value       REAL,
    reason      TEXT,                        -- why the value is undefined
    protocol_id INTEGER NOT NULL REFERENCES protocols(id),
    PRIMARY KEY (run_id, selection, name),
    CHECK (value IS NOT NULL OR reason IS NOT NULL)
) WITHOUT ROWID;
INSERT INTO results (run_id, selection, name, value, reason, protocol_id)
SELECT r.id, x.selection, x.name, x.value, x.reason, p.id
FROM result x JOIN runs r ON r.key = x.run_id JOIN protocols p ON p.key = x.protocol_id;

CREATE TABLE image_scores (
    run_id      INTEGER NOT NULL REFERENCES runs(id),
    selection   TEXT NOT NULL CHECK (selection IN ('selected', 'last', 'oracle')),
    image       TEXT NOT NULL,               -- path below the category
    defect      TEXT NOT NULL,               -- 'good' or the kind of defect
    label       INTEGER NOT NULL CHECK (label IN (0, 1)),
    score       REAL NOT NULL,
    PRIMARY KEY (run_id, selection, image)
) WITHOUT ROWID;
INSERT INTO image_scores (run_id, selection, image, defect, label, score)
SELECT r.id, x.selection, x.image, x.defect, x.label, x.score FROM image_score x JOIN runs r ON r.key = x.run_id;

CREATE TABLE artifacts (
    stage_id    INTEGER PRIMARY KEY REFERENCES stages(id),
    path        TEXT NOT NULL,               -- below the artifacts folder
    bytes       INTEGER NOT NULL,
    digest      TEXT NOT NULL,               -- BLAKE3 of its files.json, which lists size and digest of every file
    created_at  TEXT NOT NULL
);
INSERT INTO artifacts (stage_id, path, bytes, digest, created_at)
SELECT s.id, a.path, a.bytes, a.digest, a.created_at FROM artifact a JOIN stages s ON s.key = a.stage_id;

CREATE TABLE workers (
    id              TEXT PRIMARY KEY,
    sweep_id        INTEGER NOT NULL REFERENCES sweeps(id),
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
CREATE INDEX workers_by_sweep ON workers(sweep_id, stopped_at);
INSERT INTO workers (id, sweep_id, host, pid, process_started, device, threads, started_at, seen_at, stopped_at, reason)
SELECT o.id, w.id, o.host, o.pid, o.process_started, o.device, o.threads, o.started_at, o.seen_at, o.stopped_at, o.reason
FROM worker o JOIN sweeps w ON w.key = o.sweep_id;

-- Tables that refer to others go first.
DROP TABLE worker;
DROP TABLE artifact;
DROP TABLE image_score;
DROP TABLE result;
DROP TABLE metric;
DROP TABLE attempt;
DROP TABLE run_stage;
DROP TABLE stage_dependency;
DROP TABLE stage;
DROP TABLE sweep_run;
DROP TABLE run;
DROP TABLE protocol;
DROP TABLE sweep_trial;
DROP TABLE trial_number;
DROP TABLE trial;
DROP TABLE sweep;

-- What follows from the state of a stage: open_needs of the stages that need it, ready, and the counts.

CREATE TRIGGER stage_opens_dependents AFTER UPDATE OF state ON stages
WHEN (NEW.state = 'done') <> (OLD.state = 'done')
BEGIN
    UPDATE stages SET open_needs = open_needs + CASE WHEN NEW.state = 'done' THEN -1 ELSE 1 END
    WHERE id IN (SELECT stage_id FROM stage_dependencies WHERE needs_id = NEW.id);
END;

CREATE TRIGGER stage_is_ready AFTER UPDATE OF state, open_needs ON stages
WHEN (NEW.state = 'pending' AND NEW.open_needs = 0) <> (OLD.state = 'pending' AND OLD.open_needs = 0)
BEGIN
    UPDATE sweep_stages SET ready = (wanted = 1 AND NEW.state = 'pending' AND NEW.open_needs = 0) WHERE stage_id = NEW.id;
END;

CREATE TRIGGER stage_is_counted AFTER UPDATE OF state, family, work ON stages
WHEN NEW.state <> OLD.state OR NEW.family <> OLD.family OR NEW.work <> OLD.work
BEGIN
    UPDATE stage_counts SET stages = stages - 1, work = work - OLD.work
    WHERE kind = OLD.kind AND family = OLD.family AND state = OLD.state
      AND (sweep_id, wanted) IN (SELECT sweep_id, wanted FROM sweep_stages WHERE stage_id = OLD.id);
    INSERT INTO stage_counts (sweep_id, kind, family, state, wanted, stages, work)
    SELECT sweep_id, NEW.kind, NEW.family, NEW.state, wanted, 1, NEW.work FROM sweep_stages WHERE stage_id = NEW.id
    ON CONFLICT DO UPDATE SET stages = stages + 1, work = work + excluded.work;
END;

CREATE TRIGGER sweep_wants_stage AFTER UPDATE OF wanted ON sweep_stages
WHEN NEW.wanted <> OLD.wanted
BEGIN
    UPDATE sweep_stages SET ready = NEW.wanted = 1
        AND EXISTS (SELECT 1 FROM stages s WHERE s.id = NEW.stage_id AND s.state = 'pending' AND s.open_needs = 0)
    WHERE stage_id = NEW.stage_id AND sweep_id = NEW.sweep_id;
    UPDATE stage_counts SET stages = stages - 1, work = work - (SELECT work FROM stages WHERE id = NEW.stage_id)
    WHERE sweep_id = NEW.sweep_id AND wanted = OLD.wanted
      AND (kind, family, state) = (SELECT kind, family, state FROM stages WHERE id = NEW.stage_id);
    INSERT INTO stage_counts (sweep_id, kind, family, state, wanted, stages, work)
    SELECT NEW.sweep_id, kind, family, state, NEW.wanted, 1, work FROM stages WHERE id = NEW.stage_id
    ON CONFLICT DO UPDATE SET stages = stages + 1, work = work + excluded.work;
END;

-- The views that other programs read.

CREATE VIEW sweep AS
SELECT key AS id, name, question, file, origin, folder, overrides, source, resolved, plan, generation, created_at, updated_at FROM sweeps;

CREATE VIEW trial AS SELECT key AS id, settings FROM trials;

CREATE VIEW trial_number AS
SELECT w.key AS sweep_id, t.key AS trial_id, n.number
FROM trial_numbers n JOIN sweeps w ON w.id = n.sweep_id JOIN trials t ON t.id = n.trial_id;

CREATE VIEW sweep_trial AS
SELECT w.key AS sweep_id, t.key AS trial_id, st.position, st.axes, st.point, st.variant, st.baseline, st.number, st.title
FROM sweep_trials st JOIN sweeps w ON w.id = st.sweep_id JOIN trials t ON t.id = st.trial_id;

CREATE VIEW protocol AS SELECT key AS id, content FROM protocols;

CREATE VIEW run AS
SELECT r.key AS id, t.key AS trial_id, r.category, r.seed, p.key AS protocol_id,
       CASE WHEN r.state = 'pending' AND r.id IN (SELECT rs.run_id FROM stages s JOIN run_stages rs ON rs.stage_id = s.id
                                                  WHERE s.state = 'running') THEN 'running'
            ELSE r.state END AS state, r.reason
FROM runs r JOIN trials t ON t.id = r.trial_id JOIN protocols p ON p.id = r.protocol_id;

CREATE VIEW sweep_run AS
SELECT w.key AS sweep_id, r.key AS run_id, sr.position,
       CASE WHEN r.state IN ('done', 'cancelled', 'pruned') THEN 1 ELSE 0 END AS over
FROM sweep_runs sr JOIN sweeps w ON w.id = sr.sweep_id JOIN runs r ON r.id = sr.run_id;

CREATE VIEW stage AS
SELECT s.key AS id, s.kind, j.job, s.state, s.failure_class, s.reason, s.attempts, s.token, s.lease_until, s.finished_at, s.not_before,
       s.beside, s.family, s.work
FROM stages s JOIN stage_jobs j ON j.stage_id = s.id;

CREATE VIEW stage_dependency AS
SELECT s.key AS stage_id, n.key AS needs_id
FROM stage_dependencies d JOIN stages s ON s.id = d.stage_id JOIN stages n ON n.id = d.needs_id;

CREATE VIEW run_stage AS
SELECT r.key AS run_id, s.key AS stage_id, rs.position
FROM run_stages rs JOIN runs r ON r.id = rs.run_id JOIN stages s ON s.id = rs.stage_id;

CREATE VIEW attempt AS
SELECT a.token AS id, s.key AS stage_id, a.number, a.worker, a.host, a.pid, a.process_started, a.device, a.threads, a.version, a.log, a.state,
       a.failure_class, a.reason, a.started_at, a.finished_at, a.seconds, a.images_per_second, a.peak_rss_bytes, a.costs, a.convolutions
FROM attempts a JOIN stages s ON s.id = a.stage_id;

CREATE VIEW metric AS
SELECT s.key AS stage_id, m.name, m.step, m.value FROM metrics m JOIN stages s ON s.id = m.stage_id;

CREATE VIEW result AS
SELECT r.key AS run_id, x.selection, x.name, x.value, x.reason, p.key AS protocol_id
FROM results x JOIN runs r ON r.id = x.run_id JOIN protocols p ON p.id = x.protocol_id;

CREATE VIEW image_score AS
SELECT r.key AS run_id, x.selection, x.image, x.defect, x.label, x.score FROM image_scores x JOIN runs r ON r.id = x.run_id;

CREATE VIEW artifact AS
SELECT s.key AS stage_id, a.path, a.bytes, a.digest, a.created_at FROM artifacts a JOIN stages s ON s.id = a.stage_id;

CREATE VIEW worker AS
SELECT o.id, w.key AS sweep_id, o.host, o.pid, o.process_started, o.device, o.threads, o.started_at, o.seen_at, o.stopped_at, o.reason
FROM workers o JOIN sweeps w ON w.id = o.sweep_id;
