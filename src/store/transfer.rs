//! Copies a store to another database, row for row (`didact store copy`): from a SQLite file to a PostgreSQL server, and back.
//!
//! All rows are read in one snapshot and written in one transaction. Before it is committed, the written rows are read again and compared.

use std::path::{Path, PathBuf};

use super::copy::{copy, write_copy};
use super::database::Tx;
use super::open::is_server;
use super::sql::{Kind, Value, insert, list, sql};
use super::{Access, Store, StoreError, path_of};

/// Tables and the columns of their primary keys. Rows refer only to rows of tables before their own.
const TABLES: [(&str, &[&str]); 25] = [
    ("store", &["id"]),
    ("sweeps", &["id"]),
    ("sweep_tags", &["sweep_id", "tag"]),
    ("sweep_notes", &["sweep_id"]),
    ("trials", &["id"]),
    ("trial_numbers", &["sweep_id", "trial_id"]),
    ("sweep_trials", &["sweep_id", "trial_id"]),
    ("protocols", &["id"]),
    ("runs", &["id"]),
    ("sweep_runs", &["sweep_id", "position"]),
    ("stages", &["id"]),
    ("stage_jobs", &["stage_id"]),
    ("stage_dependencies", &["stage_id", "needs_id"]),
    ("run_stages", &["run_id", "stage_id"]),
    ("sweep_stages", &["stage_id", "sweep_id"]),
    ("stage_counts", &["sweep_id", "kind", "family", "state", "wanted"]),
    ("attempts", &["id"]),
    ("rates", &["kind", "family"]),
    ("metrics", &["stage_id", "name", "step"]),
    ("results", &["run_id", "selection", "name"]),
    ("image_scores", &["run_id", "selection", "image"]),
    ("artifacts", &["stage_id"]),
    ("workers", &["id"]),
    ("slurm_arrays", &["sweep_id", "job", "submitted_at"]),
    ("event", &["id"]),
];

/// Rows that are in memory at the same time.
const PAGE: usize = 2000;

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Number of rows.
    pub rows: u64,
    /// The copy: a file, or the URL of a database without its password.
    pub to: PathBuf,
}

/// A table while it is copied.
struct Table {
    name: &'static str,
    key: &'static [&'static str],
    columns: Vec<String>,
    kinds: Vec<Kind>,
}

impl Store {
    /// Copies all rows to a store that must not exist or be empty: a new file, or a database of a server.
    ///
    /// # Errors
    /// [`StoreError::Exists`] or [`StoreError::NotEmpty`] if there is something already. Fails if a store cannot be read or written.
    pub async fn copy_to(&self, target: &str) -> Result<Copied, StoreError> {
        if is_server(target) {
            let target = Self::open(target, Access::Write).await?;
            return Ok(Copied { rows: self.copy_rows(&target).await?, to: target.path().to_owned() });
        }
        let target = path_of(target);
        let to = target.to_owned();
        if self.pool.sqlite().is_some() {
            copy(self.path(), target).await?;
            return Ok(Copied { rows: count(&mut self.snapshot().await?).await?, to });
        }
        let mut rows = 0;
        let write = async |temporary: &Path| {
            let written = async {
                let target = Self::open(&temporary.display().to_string(), Access::Write).await?;
                rows = self.copy_rows(&target).await?;
                target.close().await;
                Ok::<(), StoreError>(())
            };
            written.await.map_err(std::io::Error::other)
        };
        write_copy(self.path(), target, write).await?;
        Ok(Copied { rows, to })
    }

    async fn copy_rows(&self, target: &Self) -> Result<u64, StoreError> {
        let mut from = self.snapshot().await?;
        let mut to = target.write().await?;
        for (table, _) in TABLES.into_iter().filter(|(table, _)| *table != "store") {
            if sql(format!("SELECT EXISTS (SELECT 1 FROM {table})")).value(&mut to).await? {
                return Err(StoreError::NotEmpty { path: target.path().to_owned() });
            }
        }
        sql("DELETE FROM store").execute(&mut to).await?;
        let mut rows = 0;
        for (name, key) in TABLES {
            let (columns, kinds) = to.columns(name).await?.into_iter().unzip();
            let table = Table { name, key, columns, kinds };
            let (mut read, mut written) = (blake3::Hasher::new(), blake3::Hasher::new());
            let mut last = None;
            while let Some(page) = table.page(&mut from, last.as_deref()).await? {
                last = page.last().map(|row| table.key_of(row));
                page.iter().flatten().for_each(|value| add(&mut read, value));
                rows += page.len() as u64;
                insert(&mut to, &format!("{name} ({})", table.columns.join(", ")), page, "").await?;
            }
            let mut last = None;
            while let Some(page) = table.page(&mut to, last.as_deref()).await? {
                last = page.last().map(|row| table.key_of(row));
                page.iter().flatten().for_each(|value| add(&mut written, value));
            }
            if read.finalize() != written.finalize() {
                let source = format!("the table {name} has other rows than the original; nothing was copied").into();
                return Err(StoreError::Row(source));
            }
        }
        to.continue_ids().await?;
        crate::fault::point("transfer:before-commit");
        to.commit().await?;
        crate::fault::point("transfer:after-commit");
        Ok(rows)
    }
}

impl Table {
    /// Returns the rows after a key, in the order of the keys. `None` if there are none.
    async fn page(&self, tx: &mut Tx, after: Option<&[Value]>) -> Result<Option<Vec<Vec<Value>>>, StoreError> {
        let (columns, key) = (self.columns.join(", "), self.key.join(", "));
        let condition = match after {
            Some(after) => format!("WHERE ({key}) > ({})", list(1, after.len())),
            None => String::new(),
        };
        let query = format!("SELECT {columns} FROM {} {condition} ORDER BY {key} LIMIT {PAGE}", self.name);
        let rows = sql(query).bind_all(after.unwrap_or_default().iter().cloned()).values(tx, &self.kinds).await?;
        let rows: Vec<Vec<Value>> =
            rows.into_iter().map(|row| row.into_iter().map(Value::portable).collect()).collect();
        Ok((!rows.is_empty()).then_some(rows))
    }

    fn key_of(&self, row: &[Value]) -> Vec<Value> {
        let value = |column: &&str| self.columns.iter().zip(row).find(|(name, _)| name == column);
        self.key.iter().filter_map(value).map(|(_, value)| value.clone()).collect()
    }
}

/// Adds a value to a digest, numbers with all their bits.
fn add(digest: &mut blake3::Hasher, value: &Value) {
    match value {
        Value::Integer(None) | Value::Real(None) | Value::Text(None) => digest.update(&[0]),
        Value::Integer(Some(value)) => digest.update(&[1]).update(&value.to_le_bytes()),
        Value::Real(Some(value)) => digest.update(&[2]).update(&value.to_bits().to_le_bytes()),
        Value::Text(Some(text)) => {
            digest.update(&[3]).update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes())
        }
    };
}

async fn count(tx: &mut Tx) -> Result<u64, StoreError> {
    let mut rows = 0;
    for (table, _) in TABLES {
        let found: i64 = sql(format!("SELECT COUNT(*) FROM {table}")).value(&mut *tx).await?;
        rows += found.unsigned_abs();
    }
    Ok(rows)
}
