//! How a SQLite file becomes a store of today.

use std::path::Path;

use sqlx::migrate::MigrateError;
use sqlx::{Connection, SqliteConnection};

use super::copy::keep_copy;
use super::error::StoreError;
use super::notice::tell;
use super::schema::{Content, MIGRATIONS, content, newest};

/// Brings a file up to date in one transaction, and keeps a copy of what an older didact left. Two processes may do so at the same
/// moment: the second waits, and finds nothing to do. What was found before is returned.
pub(super) async fn bring_up_to_date(connection: &mut SqliteConnection, path: &Path) -> Result<Content, StoreError> {
    let wrong = |error: sqlx::Error| StoreError::opening(path, error);
    let found = content(connection).await.map_err(wrong)?;
    if !is_old(&found) {
        return Ok(found);
    }
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.map_err(wrong)?;
    let found = content(&mut tx).await.map_err(wrong)?;
    if !is_old(&found) {
        return Ok(found);
    }
    if let Content::Store(version) = found {
        let copy = keep_copy(path, newest()).await?;
        tell(&format!(
            "the store {} was written by an older didact (schema {version}): it is brought to schema {}; a copy of it as it was is \
             kept in {}",
            path.display(),
            newest(),
            copy.display()
        ));
    }
    crate::fault::point("migrate:before");
    MIGRATIONS.run(&mut *tx).await.map_err(|error| match error {
        MigrateError::Execute(error) => StoreError::opening(path, error),
        other => StoreError::Open { path: path.to_owned(), source: other.into() },
    })?;
    crate::fault::point("migrate:before-commit");
    tx.commit().await.map_err(wrong)?;
    crate::fault::point("migrate:after-commit");
    Ok(found)
}

fn is_old(found: &Content) -> bool {
    match found {
        Content::Nothing => true,
        Content::Store(version) => *version < newest(),
        Content::Foreign(_) => false,
    }
}
