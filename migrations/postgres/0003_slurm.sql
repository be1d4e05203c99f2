-- Workers in jobs of Slurm.

ALTER TABLE workers ADD COLUMN job TEXT COLLATE "C";  -- the job: `ARRAY_TASK`, or its number
ALTER TABLE workers ADD COLUMN broken BIGINT NOT NULL DEFAULT 0 CHECK (broken IN (0, 1));  -- whether it stopped because of its machine

-- Whether its worker was asked to stop. If the worker is killed before it stops, the attempt counts as interrupted, not as failed.
ALTER TABLE attempts ADD COLUMN stopping BIGINT NOT NULL DEFAULT 0 CHECK (stopping IN (0, 1));

-- Arrays of jobs that were submitted.
CREATE TABLE slurm_arrays (
    sweep_id     BIGINT NOT NULL REFERENCES sweeps(id),
    job          TEXT COLLATE "C" NOT NULL,  -- number of the array
    name         TEXT COLLATE "C" NOT NULL,  -- name of its jobs: Slurm may use a number again
    tasks        TEXT COLLATE "C" NOT NULL,  -- its tasks, as sbatch takes them: `0-3`
    submitted_at TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (sweep_id, job, submitted_at)
);
