-- Triggers that see all changed rows of a statement at once. A trigger per row writes the same row of stage_counts once per stage. Until the
-- transaction ends, the server searches through all versions of that row: 100,000 stages took more than ten minutes.
--
-- The tables of changed rows have no statistics, and a plan is kept for the whole session. So the functions always use indexes.

DROP TRIGGER stage_changes ON stages;
DROP FUNCTION stage_changes();
DROP TRIGGER sweep_wants_stage ON sweep_stages;
DROP FUNCTION sweep_wants_stage();

-- What follows from the states of stages: the counts, ready, and open_needs of the stages that need them.
CREATE FUNCTION stages_change() RETURNS trigger LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET jit = off AS $$
BEGIN
    INSERT INTO stage_counts AS c (sweep_id, kind, family, state, wanted, stages, work)
    SELECT q.sweep_id, x.kind, x.family, x.state, q.wanted, SUM(x.change), SUM(x.change * x.work)
    FROM (SELECT id, kind, family, state, work, SUM(change) AS change
          FROM (SELECT id, kind, family, state, work, 1 AS change FROM new_rows
                UNION ALL SELECT id, kind, family, state, work, -1 FROM old_rows) b
          GROUP BY id, kind, family, state, work HAVING SUM(change) <> 0) x
    JOIN sweep_stages q ON q.stage_id = x.id
    GROUP BY q.sweep_id, x.kind, x.family, x.state, q.wanted
    ON CONFLICT (sweep_id, kind, family, state, wanted) DO UPDATE SET stages = c.stages + excluded.stages, work = c.work + excluded.work;

    UPDATE sweep_stages q SET ready = CASE WHEN x.change > 0 THEN q.wanted ELSE 0 END
    FROM (SELECT id, SUM(change) AS change
          FROM (SELECT id, 1 AS change FROM new_rows WHERE state = 'pending' AND open_needs = 0
                UNION ALL SELECT id, -1 FROM old_rows WHERE state = 'pending' AND open_needs = 0) b
          GROUP BY id HAVING SUM(change) <> 0) x
    WHERE q.stage_id = x.id;

    -- Last: it calls this trigger again, for rows that are newer than the ones seen here. An update of no rows would call it without end.
    IF EXISTS (SELECT FROM new_rows WHERE state = 'done') OR EXISTS (SELECT FROM old_rows WHERE state = 'done') THEN
        UPDATE stages s SET open_needs = s.open_needs - x.done
        FROM (SELECT d.stage_id, SUM(b.done) AS done
              FROM (SELECT id, SUM(done) AS done
                    FROM (SELECT id, 1 AS done FROM new_rows WHERE state = 'done'
                          UNION ALL SELECT id, -1 FROM old_rows WHERE state = 'done') a
                    GROUP BY id HAVING SUM(done) <> 0) b
              JOIN stage_dependencies d ON d.needs_id = b.id
              GROUP BY d.stage_id) x
        WHERE s.id = x.stage_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER stages_change AFTER UPDATE ON stages REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION stages_change();

CREATE FUNCTION wanted_stage_is_ready() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.ready := CASE WHEN NEW.wanted = 1
        AND EXISTS (SELECT 1 FROM stages s WHERE s.id = NEW.stage_id AND s.state = 'pending' AND s.open_needs = 0) THEN 1 ELSE 0 END;
    RETURN NEW;
END $$;
CREATE TRIGGER wanted_stage_is_ready BEFORE UPDATE OF wanted ON sweep_stages
FOR EACH ROW WHEN (OLD.wanted <> NEW.wanted) EXECUTE FUNCTION wanted_stage_is_ready();

CREATE FUNCTION wanted_stages_change() RETURNS trigger LANGUAGE plpgsql
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off SET jit = off AS $$
BEGIN
    INSERT INTO stage_counts AS c (sweep_id, kind, family, state, wanted, stages, work)
    SELECT x.sweep_id, s.kind, s.family, s.state, x.wanted, SUM(x.change), SUM(x.change * s.work)
    FROM (SELECT stage_id, sweep_id, wanted, SUM(change) AS change
          FROM (SELECT stage_id, sweep_id, wanted, 1 AS change FROM new_rows
                UNION ALL SELECT stage_id, sweep_id, wanted, -1 FROM old_rows) b
          GROUP BY stage_id, sweep_id, wanted HAVING SUM(change) <> 0) x
    JOIN stages s ON s.id = x.stage_id
    GROUP BY x.sweep_id, s.kind, s.family, s.state, x.wanted
    ON CONFLICT (sweep_id, kind, family, state, wanted) DO UPDATE SET stages = c.stages + excluded.stages, work = c.work + excluded.work;
    RETURN NULL;
END $$;
CREATE TRIGGER wanted_stages_change AFTER UPDATE ON sweep_stages REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION wanted_stages_change();
