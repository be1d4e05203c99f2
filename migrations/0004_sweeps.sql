-- Short ids of trials; what a sweep was made from, and which plan it has.

ALTER TABLE sweep ADD COLUMN origin TEXT;      -- its file, absolute, links resolved; 'embedded demo'; NULL = planned by an older didact
ALTER TABLE sweep ADD COLUMN folder TEXT;      -- where the command was started: relative paths begin there
ALTER TABLE sweep ADD COLUMN overrides TEXT;   -- JSON: each KEY=VALUE of --set, and what the environment set, in order
ALTER TABLE sweep ADD COLUMN plan TEXT;        -- digest of what was planned; a running process that has another was superseded

-- Trial T07 of a sweep has the number 7. A trial that leaves the sweep keeps its number: none is ever given twice.
CREATE TABLE trial_number (
    sweep_id    TEXT NOT NULL REFERENCES sweep(id) ON DELETE CASCADE,
    trial_id    TEXT NOT NULL REFERENCES trial(id),
    number      INTEGER NOT NULL,
    PRIMARY KEY (sweep_id, trial_id),
    UNIQUE (sweep_id, number)
);
INSERT INTO trial_number (sweep_id, trial_id, number)
    SELECT sweep_id, trial_id, ROW_NUMBER() OVER (PARTITION BY sweep_id ORDER BY position, trial_id) FROM sweep_trial;

ALTER TABLE sweep_trial ADD COLUMN number INTEGER NOT NULL DEFAULT 0;  -- that of trial_number
ALTER TABLE sweep_trial ADD COLUMN point TEXT;  -- JSON: where it was drawn; of a baseline, the point whose protocol it shares
ALTER TABLE sweep_trial ADD COLUMN title TEXT NOT NULL DEFAULT '';     -- 'T07 autoencoder=unet, depth=2': id and settings
UPDATE sweep_trial SET number = (
    SELECT n.number FROM trial_number n WHERE n.sweep_id = sweep_trial.sweep_id AND n.trial_id = sweep_trial.trial_id);
UPDATE sweep_trial SET title = printf('T%02d ', number) || variant;
