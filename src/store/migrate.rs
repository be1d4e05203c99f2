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
