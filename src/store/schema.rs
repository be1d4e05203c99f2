//! Classifies SQLite files, and defines the current schema of a store.

use std::borrow::Cow;
use std::sync::LazyLock;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{SqlStr, SqliteConnection};

/// The schema of a store, as a list of migrations.
pub(super) struct Schema(Migrator);

/// The schema of this version.
pub(super) static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    Schema::of(&[
        (1, "initial", include_str!("../../migrations/0001_initial.sql")),
        (2, "convolutions", include_str!("../../migrations/0002_convolutions.sql")),
        (3, "scale", include_str!("../../migrations/0003_scale.sql")),
        (4, "slurm", include_str!("../../migrations/0004_slurm.sql")),
        (5, "remarks", include_str!("../../migrations/0005_remarks.sql")),
    ])
});

/// Application id in the header of every store; see `migrations/0001_initial.sql`.
const APPLICATION: i64 = 1_684_628_577;

/// Content of a SQLite file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// The file has no content yet.
    Nothing,
    /// A store with this schema version.
    Store(i64),
    /// A store whose first migration differs: an earlier didact created it.
    Earlier,
    /// A file of another program, with the evidence.
    Foreign(String),
}

impl Schema {
    /// Creates a schema from the version, name and SQL of each step. (sqlx's macro would compile SQLite a second time, for the compiler.)
    pub(super) fn of(steps: &[(i64, &'static str, &'static str)]) -> Self {
        let migration = |&(version, name, sql): &(i64, &'static str, &'static str)| {
            Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, SqlStr::from_static(sql), false)
        };
        Self(Migrator::with_migrations(steps.iter().map(migration).collect()))
    }

    /// Returns the newest schema version.
    pub(super) fn newest(&self) -> i64 {
        self.0.iter().map(|migration| migration.version).max().unwrap_or(0)
    }

    /// Classifies the content of a file without writing to it.
    pub(super) async fn content(&self, connection: &mut SqliteConnection) -> Result<Content, sqlx::Error> {
        let (application,): (i64,) = sqlx::query_as("PRAGMA application_id").fetch_one(&mut *connection).await?;
        let names: Vec<(String,)> = sqlx::query_as(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
        )
        .fetch_all(&mut *connection)
        .await?;
        let others: Vec<&str> =
            names.iter().map(|(name,)| name.as_str()).filter(|name| *name != "_sqlx_migrations").collect();
        if application != 0 && application != APPLICATION {
            return Ok(foreign(application, &others));
        }
        if names.len() == others.len() {
            return Ok(if others.is_empty() { Content::Nothing } else { foreign(application, &others) });
        }
        let steps: Vec<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations ORDER BY version")
                .fetch_all(connection)
                .await?;
        let first = self.0.iter().next().map(|migration| (migration.version, migration.checksum.to_vec()));
        // Other programs also use a table of this name. The header identifies our stores; the very first stores had only their tables.
        let is_ours = application == APPLICATION || EARLIEST.iter().all(|name| others.contains(name));
        Ok(match steps.last() {
            None if others.is_empty() => Content::Nothing,
            Some((version, _)) if is_ours && steps.first() == first.as_ref() => Content::Store(*version),
            Some(_) if is_ours => Content::Earlier,
            _ => foreign(application, &others),
        })
    }

    /// Returns the migrations of this schema.
    pub(super) fn migrations(&self) -> &Migrator {
        &self.0
    }

    /// Returns whether a file must be migrated before it is a store of this schema.
    pub(super) fn is_newer_than(&self, found: &Content) -> bool {
        match found {
            Content::Nothing => true,
            Content::Store(version) => *version < self.newest(),
            Content::Earlier | Content::Foreign(_) => false,
        }
    }
}

/// A set of tables that no other program has together.
const EARLIEST: [&str; 4] = ["sweep", "trial", "run_stage", "stage_dependency"];

fn foreign(application: i64, tables: &[&str]) -> Content {
    match tables.len() {
        0 => Content::Foreign(format!("its application id is {application:#x}")),
        count => {
            let shown = tables.iter().take(3).copied().collect::<Vec<_>>().join(", ");
            Content::Foreign(format!("it has the tables {shown}{}", if count > 3 { ", …" } else { "" }))
        }
    }
}
