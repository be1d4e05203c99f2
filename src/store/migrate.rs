//! Migrates a SQLite file to the current schema.

use std::path::Path;

use sqlx::migrate::MigrateError;
use sqlx::{Connection, SqliteConnection};

use super::copy::keep_copy;
use super::error::StoreError;
use super::notice::show;
use super::schema::{Content, Schema};

/// Brings a SQLite file to the current schema in one transaction. Copies a store of an older version first.
///
/// If two processes do so at the same moment, the second waits and then finds nothing to do. Returns the content found before the
/// migration.
pub(super) async fn bring_up_to_date(
    schema: &Schema,
    connection: &mut SqliteConnection,
    path: &Path,
) -> Result<Content, StoreError> {
    let wrong = |error: sqlx::Error| StoreError::opening(path, error);
    let found = schema.content(connection).await.map_err(wrong)?;
    if !schema.is_newer_than(&found) {
        return Ok(found);
    }
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.map_err(wrong)?;
    let found = schema.content(&mut tx).await.map_err(wrong)?;
    if !schema.is_newer_than(&found) {
        return Ok(found);
    }
    if let Content::Store(version) = found {
        let copy = keep_copy(path, schema.newest()).await?;
        show(&format!(
            "the store {} was written by an older version of didact (schema {version}); it is migrated to schema {}. A copy of the old \
             store is kept in {}",
            path.display(),
            schema.newest(),
            copy.display()
        ));
    }
    crate::fault::point("migrate:before");
    schema.migrations().run(&mut *tx).await.map_err(|error| match error {
        MigrateError::Execute(error) => StoreError::opening(path, error),
        other => StoreError::Open { path: path.to_owned(), source: other.into() },
    })?;
    crate::fault::point("migrate:before-commit");
    tx.commit().await.map_err(wrong)?;
    crate::fault::point("migrate:after-commit");
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema::SCHEMA;
    use crate::store::{Access, RunState, Store, derived};
    use sqlx::sqlite::SqliteConnectOptions;

    const FIRST: (i64, &str, &str) = (1, "initial", include_str!("../../migrations/0001_initial.sql"));

    async fn connect(path: &Path) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
        SqliteConnection::connect_with(&options).await.expect("opens")
    }

    /// Creates a store of the first schema with one trial.
    async fn first_store(path: &Path) -> SqliteConnection {
        let mut store = connect(path).await;
        let found = bring_up_to_date(&Schema::of(&[FIRST]), &mut store, path).await.expect("made");
        assert_eq!(found, Content::Nothing);
        sqlx::query("INSERT INTO trial (id, settings) VALUES ('t', '{}')").execute(&mut store).await.expect("written");
        store
    }

    async fn rows(store: &mut SqliteConnection, sql: &'static str) -> Vec<(String,)> {
        sqlx::query_as(sql).fetch_all(store).await.expect("valid SQL")
    }

    #[tokio::test]
    async fn a_store_of_an_older_schema_is_copied_and_brought_up_to_date_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.db");
        let mut store = first_store(&path).await;
        // A file of another origin, for example a copy from an earlier migration.
        std::fs::write(folder.path().join("a.db.before-2"), "theirs").expect("written");
        let schema = Schema::of(&[FIRST, (2, "test", "ALTER TABLE trial ADD COLUMN test TEXT NOT NULL DEFAULT 'new'")]);
        let found = bring_up_to_date(&schema, &mut store, &path).await.expect("migrated");
        assert_eq!(found, Content::Store(1));
        assert_eq!(rows(&mut store, "SELECT id || test FROM trial").await, [("tnew".to_owned(),)]);
        let mut copy = connect(&folder.path().join("a.db.before-2-2")).await;
        assert_eq!(SCHEMA.content(&mut copy).await.expect("readable"), Content::Store(1));
        assert_eq!(rows(&mut copy, "SELECT id FROM trial").await, [("t".to_owned(),)]);
        assert_eq!(std::fs::read(folder.path().join("a.db.before-2")).expect("is there"), b"theirs");
        // A second migration does nothing, and the first schema recognises the newer store.
        let found = bring_up_to_date(&schema, &mut store, &path).await.expect("up to date");
        assert_eq!(found, Content::Store(2));
        assert!(!folder.path().join("a.db.before-2-3").exists());
        assert_eq!(SCHEMA.content(&mut store).await.expect("readable"), Content::Store(2));
    }

    /// The relations and columns that other programs may read.
    const PROMISED: [(&str, &str); 18] = [
        ("store", "id, created_at"),
        (
            "sweep",
            "id, name, question, file, origin, folder, overrides, source, resolved, plan, generation, created_at, updated_at",
        ),
        ("trial", "id, settings"),
        ("trial_number", "sweep_id, trial_id, number"),
        ("sweep_trial", "sweep_id, trial_id, position, axes, point, variant, baseline, number, title"),
        ("protocol", "id, content"),
        ("run", "id, trial_id, category, seed, protocol_id, state, reason"),
        ("sweep_run", "sweep_id, run_id, position, over"),
        (
            "stage",
            "id, kind, job, state, failure_class, reason, attempts, token, lease_until, finished_at, not_before, beside, family, work",
        ),
        ("stage_dependency", "stage_id, needs_id"),
        ("run_stage", "run_id, stage_id, position"),
        (
            "attempt",
            "id, stage_id, number, worker, host, pid, process_started, device, threads, version, log, state, failure_class, reason,
             started_at, finished_at, seconds, images_per_second, peak_rss_bytes, costs",
        ),
        ("metric", "stage_id, name, step, value"),
        ("result", "run_id, selection, name, value, reason, protocol_id"),
        ("image_score", "run_id, selection, image, defect, label, score"),
        ("artifact", "stage_id, path, bytes, digest, created_at"),
        (
            "worker",
            "id, sweep_id, host, pid, process_started, device, threads, started_at, seen_at, stopped_at, reason",
        ),
        ("event", "id, at, kind, sweep_id, stage_id, attempt_id, message"),
    ];

    /// Returns every row of the promised relations, as text, sorted.
    async fn promised_rows(store: &mut SqliteConnection) -> Vec<(&'static str, Vec<String>)> {
        let mut all = Vec::new();
        for (relation, columns) in PROMISED {
            let quoted: Vec<String> = columns.split(',').map(|column| format!("quote({})", column.trim())).collect();
            let sql = format!("SELECT {} AS text FROM {relation} ORDER BY text", quoted.join(" || ' ' || "));
            let rows: Vec<(String,)> =
                sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(&mut *store).await.expect("readable");
            all.push((relation, rows.into_iter().map(|(row,)| row).collect()));
        }
        all
    }

    #[tokio::test]
    async fn every_row_of_a_store_of_the_first_schema_is_kept() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.db");
        let mut store = connect(&path).await;
        bring_up_to_date(&Schema::of(&[FIRST]), &mut store, &path).await.expect("made");
        sqlx::raw_sql(include_str!("../../tests/stores/first_schema.sql")).execute(&mut store).await.expect("filled");
        let before = promised_rows(&mut store).await;
        for (relation, rows) in &before {
            assert!(!rows.is_empty(), "{relation}");
        }
        bring_up_to_date(&SCHEMA, &mut store, &path).await.expect("migrated");
        assert_eq!(promised_rows(&mut store).await, before);
        store.close().await.expect("closes");
        let store = Store::open(&path.display().to_string(), Access::Write).await.expect("opens");
        assert_eq!(derived::wrong(&store).await.expect("checked"), [""; 0]);
        let (sweep, name) = store.find_sweep(Some("other")).await.expect("is there");
        let status = store.status(&sweep, &name).await.expect("a status");
        let states = [RunState::Running, RunState::Failed, RunState::Cancelled, RunState::Pending, RunState::Done];
        assert_eq!(states.map(|state| status.runs_in(state)), [1, 1, 2, 0, 0]);
    }

    #[tokio::test]
    async fn a_step_that_fails_changes_nothing() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.db");
        let mut store = first_store(&path).await;
        let steps = [FIRST, (2, "good", "CREATE TABLE test (id TEXT)"), (3, "bad", "CREATE TABLE trial (id TEXT)")];
        assert!(bring_up_to_date(&Schema::of(&steps), &mut store, &path).await.is_err());
        store.close().await.expect("closes");
        let mut store = connect(&path).await;
        assert_eq!(SCHEMA.content(&mut store).await.expect("readable"), Content::Store(1));
        assert_eq!(rows(&mut store, "SELECT name FROM sqlite_master WHERE name = 'test'").await, []);
    }
}
