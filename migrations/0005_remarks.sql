-- What people say of a sweep. It is in no key, no plan and no report.

CREATE TABLE sweep_tags (
    sweep_id    INTEGER NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
    tag         TEXT NOT NULL,
    PRIMARY KEY (sweep_id, tag)
) WITHOUT ROWID;

CREATE TABLE sweep_notes (
    sweep_id    INTEGER PRIMARY KEY REFERENCES sweeps(id) ON DELETE CASCADE,
    note        TEXT NOT NULL
);
