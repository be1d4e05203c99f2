//! What a SQLite file is to us, and the schema of today.

use std::borrow::Cow;
use std::sync::LazyLock;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{SqlStr, SqliteConnection};

/// The schema, step by step. (sqlx's own macro would have SQLite compiled a second time, for the compiler's use.)
pub(super) static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let steps = [
        (1, "initial", include_str!("../../migrations/0001_initial.sql")),
        (2, "engine", include_str!("../../migrations/0002_engine.sql")),
        (3, "identity", include_str!("../../migrations/0003_identity.sql")),
        (4, "sweeps", include_str!("../../migrations/0004_sweeps.sql")),
    ];
    let migration = |(version, name, sql)| {
        Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, SqlStr::from_static(sql), false)
    };
    Migrator::with_migrations(steps.map(migration).into())
});

/// The schema that knows whether a store was left in good order.
pub(super) const KNOWS_ITS_END: i64 = 3;

/// What the header of a store of ours says; see `migrations/0003_identity.sql`.
const APPLICATION: i64 = 1_684_628_577;

/// What a SQLite file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing yet.
    Nothing,
    /// A store of this schema.
    Store(i64),
    /// Something of another program: what.
    Foreign(String),
}

/// The newest schema that this version knows.
pub(super) fn newest() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// What a file holds; nothing is written.
pub(super) async fn content(connection: &mut SqliteConnection) -> Result<Content, sqlx::Error> {
    let (application,): (i64,) = sqlx::query_as("PRAGMA application_id").fetch_one(&mut *connection).await?;
    let names: Vec<(String,)> = sqlx::query_as(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
    )
    .fetch_all(&mut *connection)
    .await?;
    let others: Vec<&str> =
        names.iter().map(|(name,)| name.as_str()).filter(|name| *name != "_sqlx_migrations").collect();
    let foreign = || match others.len() {
        0 => Content::Foreign(format!("its application id is {application:#x}")),
        count => {
            let shown = others.iter().take(3).copied().collect::<Vec<_>>().join(", ");
            Content::Foreign(format!("it has the tables {shown}{}", if count > 3 { ", …" } else { "" }))
        }
    };
    if application != 0 && application != APPLICATION {
        return Ok(foreign());
    }
    if names.len() == others.len() {
        return Ok(if others.is_empty() { Content::Nothing } else { foreign() });
    }
    let steps: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations ORDER BY version").fetch_all(connection).await?;
    let first = MIGRATIONS.iter().next().map(|migration| (migration.version, migration.checksum.to_vec()));
    Ok(match steps.last() {
        None if others.is_empty() => Content::Nothing,
        // Other programs keep such a table, too: the header tells, and in stores from before it said so, the first step.
        Some((version, _)) if application == APPLICATION || steps.first() == first.as_ref() => Content::Store(*version),
        _ => foreign(),
    })
}
