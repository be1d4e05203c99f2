-- The store on PostgreSQL, 14 or later: the tables, triggers and views of the SQLite schema (migrations/0003_scale.sql). Keys of rows are given
-- by didact under a lock. Text sorts by its bytes, as in SQLite, so that reports are the same.

-- The clock of the server. now() would stand still in a transaction.
CREATE FUNCTION now_utc() RETURNS TEXT LANGUAGE SQL VOLATILE AS
$$ SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;

CREATE FUNCTION seconds_from_now(seconds NUMERIC) RETURNS TEXT LANGUAGE SQL VOLATILE AS
$$ SELECT to_char((clock_timestamp() + seconds * INTERVAL '1 second') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;

CREATE FUNCTION seconds_since(at TEXT) RETURNS DOUBLE PRECISION LANGUAGE SQL VOLATILE STRICT AS
$$ SELECT GREATEST(0.0, EXTRACT(EPOCH FROM clock_timestamp() - at::timestamptz))::double precision $$;

CREATE FUNCTION seconds_until(at TEXT) RETURNS DOUBLE PRECISION LANGUAGE SQL VOLATILE STRICT AS
$$ SELECT GREATEST(0.0, EXTRACT(EPOCH FROM at::timestamptz - clock_timestamp()))::double precision $$;

CREATE TABLE store (
    id          TEXT COLLATE "C" PRIMARY KEY,  -- which store this is; the artifacts folder carries it, too
    created_at  TEXT COLLATE "C" NOT NULL
);
INSERT INTO store (id, created_at) VALUES (replace(gen_random_uuid()::text, '-', ''), now_utc());

CREATE TABLE sweeps (
    id          BIGINT PRIMARY KEY,
    key         TEXT COLLATE "C" NOT NULL UNIQUE,
    name        TEXT COLLATE "C" NOT NULL UNIQUE,
    question    TEXT COLLATE "C",
    file        TEXT COLLATE "C",  -- the sweep file's path as it was typed; NULL = the embedded demo
    origin      TEXT COLLATE "C" NOT NULL,  -- its file, absolute, links resolved; or 'the embedded demo'
    folder      TEXT COLLATE "C",  -- where the command was started: relative paths begin there
    overrides   TEXT COLLATE "C" NOT NULL,  -- JSON: each KEY=VALUE of --set, and what the environment set, in order
    source      TEXT COLLATE "C" NOT NULL,  -- the sweep file's text
    resolved    TEXT COLLATE "C" NOT NULL,  -- JSON: search, report and baseline settings
    plan        TEXT COLLATE "C" NOT NULL,  -- digest of what was planned; a running process that has another was superseded
    written     TEXT COLLATE "C",  -- digest of the planned rows; NULL = unknown, or another sweep may have changed them
    generation  BIGINT NOT NULL DEFAULT 0,  -- raised whenever runs may have become claimable anew
    created_at  TEXT COLLATE "C" NOT NULL,
    updated_at  TEXT COLLATE "C" NOT NULL
);

CREATE TABLE trials (
    id          BIGINT PRIMARY KEY,
    key         TEXT COLLATE "C" NOT NULL UNIQUE,  -- key of the canonical settings
    settings    TEXT COLLATE "C" NOT NULL  -- JSON
);

-- Trial T07 of a sweep has the number 7. A trial that leaves the sweep keeps its number: none is ever given twice.
CREATE TABLE trial_numbers (
    sweep_id    BIGINT NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
    trial_id    BIGINT NOT NULL REFERENCES trials(id),
    number      BIGINT NOT NULL,
    PRIMARY KEY (sweep_id, trial_id),
    UNIQUE (sweep_id, number)
);

CREATE TABLE sweep_trials (
    sweep_id    BIGINT NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
    trial_id    BIGINT NOT NULL REFERENCES trials(id),
    position    BIGINT NOT NULL,
    axes        TEXT COLLATE "C" NOT NULL,  -- JSON: dotted name -> value
    point       TEXT COLLATE "C",  -- JSON: where it was drawn; of a baseline, the point whose protocol it shares
    variant     TEXT COLLATE "C" NOT NULL,
    baseline    BIGINT NOT NULL CHECK (baseline IN (0, 1)),
    number      BIGINT NOT NULL,  -- that of trial_numbers
    title       TEXT COLLATE "C" NOT NULL,  -- 'T07 autoencoder=unet, depth=2': id and settings
    PRIMARY KEY (sweep_id, trial_id)
);
CREATE INDEX sweep_trials_by_trial ON sweep_trials(trial_id);

CREATE TABLE protocols (
    id          BIGINT PRIMARY KEY,
    key         TEXT COLLATE "C" NOT NULL UNIQUE,  -- key of the content
    content     TEXT COLLATE "C" NOT NULL  -- JSON
);

CREATE TABLE runs (
    id          BIGINT PRIMARY KEY,
    key         TEXT COLLATE "C" NOT NULL UNIQUE,  -- key of trial, category, seed and protocol
    trial_id    BIGINT NOT NULL REFERENCES trials(id),
    category    TEXT COLLATE "C" NOT NULL,
    seed        BIGINT NOT NULL,
    protocol_id BIGINT NOT NULL REFERENCES protocols(id),
    -- A pending run is shown as running while one of its stages is running.
    state       TEXT COLLATE "C" NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'failed', 'pruned', 'cancelled')),
    reason      TEXT COLLATE "C"
);
CREATE INDEX runs_by_trial ON runs(trial_id);

CREATE TABLE sweep_runs (
    sweep_id    BIGINT NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
    position    BIGINT NOT NULL,  -- the order in which runs should finish
    run_id      BIGINT NOT NULL REFERENCES runs(id),
    PRIMARY KEY (sweep_id, position)
);
CREATE UNIQUE INDEX sweep_runs_by_run ON sweep_runs(run_id, sweep_id);

CREATE TABLE stages (
    id            BIGINT PRIMARY KEY,
    key           TEXT COLLATE "C" NOT NULL UNIQUE,
    kind          TEXT COLLATE "C" NOT NULL,  -- features, paint, pretrain, joint, pseudo, score, evaluate
    state         TEXT COLLATE "C" NOT NULL DEFAULT 'pending'
                  CHECK (state IN ('pending', 'running', 'done', 'failed', 'skipped')),
    failure_class TEXT COLLATE "C" CHECK (failure_class IN ('oom', 'timeout', 'signal', 'nan', 'data', 'store', 'bug')),
    reason        TEXT COLLATE "C",
    attempts      BIGINT NOT NULL DEFAULT 0,
    token         TEXT COLLATE "C",  -- the attempt that holds the lease
    lease_until   TEXT COLLATE "C",
    finished_at   TEXT COLLATE "C",
    not_before    TEXT COLLATE "C",  -- back-off: claimed no earlier than this
    beside        BIGINT,  -- stages that may run beside it on its host; NULL = any number
    family        TEXT COLLATE "C" NOT NULL,  -- stages whose seconds per unit of work are alike
    work          DOUBLE PRECISION NOT NULL,  -- passes of images, in units of one image of 256 × 256
    open_needs    BIGINT NOT NULL DEFAULT 0 -- number of stages that it needs and that are not done
);
CREATE INDEX stages_running ON stages(id) WHERE state = 'running';
CREATE INDEX stages_failed ON stages(id) WHERE state = 'failed';

CREATE TABLE stage_jobs (
    stage_id    BIGINT PRIMARY KEY REFERENCES stages(id),
    job         TEXT COLLATE "C" NOT NULL  -- JSON: what a worker is asked to do
);

CREATE TABLE stage_dependencies (
    stage_id    BIGINT NOT NULL REFERENCES stages(id),
    needs_id    BIGINT NOT NULL REFERENCES stages(id),
    PRIMARY KEY (stage_id, needs_id)
);
CREATE INDEX stage_dependencies_by_needs ON stage_dependencies(needs_id, stage_id);

CREATE TABLE run_stages (
    run_id      BIGINT NOT NULL REFERENCES runs(id),
    stage_id    BIGINT NOT NULL REFERENCES stages(id),
    position    BIGINT NOT NULL,
    PRIMARY KEY (run_id, stage_id)
);
CREATE INDEX run_stages_by_stage ON run_stages(stage_id, run_id);

-- Each stage of a sweep once. Workers claim the first row that is ready.
CREATE TABLE sweep_stages (
    stage_id    BIGINT NOT NULL REFERENCES stages(id),
    sweep_id    BIGINT NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
    position    BIGINT NOT NULL,  -- 64 × position of the first run that needs it, plus its position in that run
    wanted      BIGINT NOT NULL CHECK (wanted IN (0, 1)),  -- 0 = all its runs in the sweep were cancelled or pruned
    ready       BIGINT NOT NULL CHECK (ready IN (0, 1)),  -- 1 = wanted and pending, and all stages that it needs are done
    PRIMARY KEY (stage_id, sweep_id)
);
CREATE INDEX sweep_stages_in_order ON sweep_stages(sweep_id, ready, position, stage_id);

-- Number and work of a sweep's stages.
CREATE TABLE stage_counts (
    sweep_id    BIGINT NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
    kind        TEXT COLLATE "C" NOT NULL,
    family      TEXT COLLATE "C" NOT NULL,
    state       TEXT COLLATE "C" NOT NULL,
    wanted      BIGINT NOT NULL,
    stages      BIGINT NOT NULL,
    work        DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (sweep_id, kind, family, state, wanted)
);

CREATE TABLE attempts (
    id                BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    token             TEXT COLLATE "C" NOT NULL UNIQUE,  -- the lease token
    stage_id          BIGINT NOT NULL REFERENCES stages(id),
    number            BIGINT NOT NULL,
    worker            TEXT COLLATE "C" NOT NULL,
    host              TEXT COLLATE "C" NOT NULL,
    pid               BIGINT NOT NULL,
    process_started   TEXT COLLATE "C",  -- tells a reused pid from the same process
    device            TEXT COLLATE "C" NOT NULL,
    convolutions      TEXT COLLATE "C" NOT NULL DEFAULT 'own',  -- who computed them: 'own', or cuDNN with its version and the name of the GPU
    threads           BIGINT NOT NULL,
    version           TEXT COLLATE "C" NOT NULL,  -- didact's version
    log               TEXT COLLATE "C",  -- below the artifacts folder
    state             TEXT COLLATE "C" NOT NULL
                      CHECK (state IN ('running', 'done', 'failed', 'interrupted', 'lost', 'superseded')),
    failure_class     TEXT COLLATE "C",
    reason            TEXT COLLATE "C",
    started_at        TEXT COLLATE "C" NOT NULL,
    finished_at       TEXT COLLATE "C",
    seconds           DOUBLE PRECISION,
    images_per_second DOUBLE PRECISION,
    peak_rss_bytes    BIGINT,
    costs             TEXT COLLATE "C" NOT NULL DEFAULT '{}'  -- JSON: further measured costs by name
);
CREATE INDEX attempts_by_stage ON attempts(stage_id);
CREATE INDEX attempts_running ON attempts(state) WHERE state = 'running';

-- Measured by stages that were done at the first attempt: how long a unit of work takes.
CREATE TABLE rates (
    kind           TEXT COLLATE "C" NOT NULL,
    family         TEXT COLLATE "C" NOT NULL,
    thread_seconds DOUBLE PRECISION NOT NULL,
    work           DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (kind, family)
);

CREATE TABLE metrics (
    stage_id    BIGINT NOT NULL REFERENCES stages(id),
    name        TEXT COLLATE "C" NOT NULL,
    step        BIGINT NOT NULL,  -- epoch, from 1
    value       DOUBLE PRECISION,
    PRIMARY KEY (stage_id, name, step)
);

CREATE TABLE results (
    run_id      BIGINT NOT NULL REFERENCES runs(id),
    selection   TEXT COLLATE "C" NOT NULL CHECK (selection IN ('selected', 'last', 'oracle')),
    name        TEXT COLLATE "C" NOT NULL,
    value       DOUBLE PRECISION,
    reason      TEXT COLLATE "C",  -- why the value is undefined
    protocol_id BIGINT NOT NULL REFERENCES protocols(id),
    PRIMARY KEY (run_id, selection, name),
    CHECK (value IS NOT NULL OR reason IS NOT NULL)
);

CREATE TABLE image_scores (
    run_id      BIGINT NOT NULL REFERENCES runs(id),
    selection   TEXT COLLATE "C" NOT NULL CHECK (selection IN ('selected', 'last', 'oracle')),
    image       TEXT COLLATE "C" NOT NULL,  -- path below the category
    defect      TEXT COLLATE "C" NOT NULL,  -- 'good' or the kind of defect
    label       BIGINT NOT NULL CHECK (label IN (0, 1)),
    score       DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (run_id, selection, image)
);

CREATE TABLE artifacts (
    stage_id    BIGINT PRIMARY KEY REFERENCES stages(id),
    path        TEXT COLLATE "C" NOT NULL,  -- below the artifacts folder
    bytes       BIGINT NOT NULL,
    digest      TEXT COLLATE "C" NOT NULL,  -- BLAKE3 of its files.json, which lists size and digest of every file
    created_at  TEXT COLLATE "C" NOT NULL
);

CREATE TABLE workers (
    id              TEXT COLLATE "C" PRIMARY KEY,
    sweep_id        BIGINT NOT NULL REFERENCES sweeps(id),
    host            TEXT COLLATE "C" NOT NULL,
    pid             BIGINT NOT NULL,
    process_started TEXT COLLATE "C",
    device          TEXT COLLATE "C" NOT NULL,
    threads         BIGINT NOT NULL,
    started_at      TEXT COLLATE "C" NOT NULL,
    seen_at         TEXT COLLATE "C" NOT NULL,
    stopped_at      TEXT COLLATE "C",
    reason          TEXT COLLATE "C"  -- why it stopped
);
CREATE INDEX workers_by_sweep ON workers(sweep_id, stopped_at);

CREATE TABLE event (
    id          BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    at          TEXT COLLATE "C" NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    sweep_id    TEXT COLLATE "C",
    stage_id    TEXT COLLATE "C",
    attempt_id  TEXT COLLATE "C",
    message     TEXT COLLATE "C" NOT NULL
);
CREATE INDEX event_by_sweep ON event(sweep_id);

-- What follows from the state of a stage: open_needs of the stages that need it, ready, and the counts.

CREATE FUNCTION stage_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.state = 'done') <> (OLD.state = 'done') THEN
        UPDATE stages SET open_needs = open_needs + CASE WHEN NEW.state = 'done' THEN -1 ELSE 1 END
        WHERE id IN (SELECT stage_id FROM stage_dependencies WHERE needs_id = NEW.id);
    END IF;
    IF (NEW.state = 'pending' AND NEW.open_needs = 0) <> (OLD.state = 'pending' AND OLD.open_needs = 0) THEN
        UPDATE sweep_stages SET ready = CASE WHEN wanted = 1 AND NEW.state = 'pending' AND NEW.open_needs = 0 THEN 1 ELSE 0 END
        WHERE stage_id = NEW.id;
    END IF;
    IF NEW.state <> OLD.state OR NEW.family <> OLD.family OR NEW.work <> OLD.work THEN
        UPDATE stage_counts SET stages = stages - 1, work = work - OLD.work
        WHERE kind = OLD.kind AND family = OLD.family AND state = OLD.state
          AND (sweep_id, wanted) IN (SELECT sweep_id, wanted FROM sweep_stages WHERE stage_id = OLD.id);
        INSERT INTO stage_counts AS c (sweep_id, kind, family, state, wanted, stages, work)
        SELECT sweep_id, NEW.kind, NEW.family, NEW.state, wanted, 1, NEW.work FROM sweep_stages WHERE stage_id = NEW.id
        ON CONFLICT (sweep_id, kind, family, state, wanted) DO UPDATE SET stages = c.stages + 1, work = c.work + excluded.work;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER stage_changes AFTER UPDATE OF state, open_needs, family, work ON stages
FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION stage_changes();

CREATE FUNCTION sweep_wants_stage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE sweep_stages SET ready = CASE WHEN NEW.wanted = 1
        AND EXISTS (SELECT 1 FROM stages s WHERE s.id = NEW.stage_id AND s.state = 'pending' AND s.open_needs = 0) THEN 1 ELSE 0 END
    WHERE stage_id = NEW.stage_id AND sweep_id = NEW.sweep_id;
    UPDATE stage_counts c SET stages = c.stages - 1, work = c.work - s.work
    FROM stages s WHERE s.id = NEW.stage_id AND c.sweep_id = NEW.sweep_id AND c.wanted = OLD.wanted
      AND c.kind = s.kind AND c.family = s.family AND c.state = s.state;
    INSERT INTO stage_counts AS c (sweep_id, kind, family, state, wanted, stages, work)
    SELECT NEW.sweep_id, kind, family, state, NEW.wanted, 1, work FROM stages WHERE id = NEW.stage_id
    ON CONFLICT (sweep_id, kind, family, state, wanted) DO UPDATE SET stages = c.stages + 1, work = c.work + excluded.work;
    RETURN NULL;
END $$;
CREATE TRIGGER sweep_wants_stage AFTER UPDATE OF wanted ON sweep_stages
FOR EACH ROW WHEN (OLD.wanted <> NEW.wanted) EXECUTE FUNCTION sweep_wants_stage();

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
