//! `didact store backup`.

use std::path::Path;

use super::copy::copy;
use super::error::StoreError;
use super::open::Store;

impl Store {
    /// Copies the store to a file that must not exist. The copy contains every transaction committed so far.
    pub async fn back_up(&self, target: &Path) -> Result<(), StoreError> {
        if self.pool.sqlite().is_none() {
            let remedy = "make a copy with `pg_dump`";
            return Err(StoreError::OnServer { url: self.path().to_owned(), remedy });
        }
        copy(self.path(), target).await
    }
}
