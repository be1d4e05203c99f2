-- What people say of a sweep. It is in no key, no plan and no report.

CREATE TABLE sweep_tags (
    sweep_id    BIGINT NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
    tag         TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (sweep_id, tag)
);

CREATE TABLE sweep_notes (
    sweep_id    BIGINT PRIMARY KEY REFERENCES sweeps(id) ON DELETE CASCADE,
    note        TEXT COLLATE "C" NOT NULL
);
