-- Which store this is, and what its artifacts hold.

PRAGMA application_id = 1684628577;                             -- "dida": tells a store from other programs' files

CREATE TABLE store (
    id          TEXT PRIMARY KEY,                               -- the artifacts folder carries it, too
    created_at  TEXT NOT NULL
);
INSERT INTO store (id, created_at) VALUES (lower(hex(randomblob(16))), strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));

-- BLAKE3 of the artifact's files.json, which lists size and digest of every file; NULL = published by an older didact.
ALTER TABLE artifact ADD COLUMN digest TEXT;
