//! `didact store backup`.

use std::path::Path;

use super::copy::copy;
use super::error::StoreError;
use super::open::Store;

impl Store {
    /// Copies the store to a file that must not exist. The copy contains every transaction committed so far.
    pub async fn back_up(&self, target: &Path) -> Result<(), StoreError> {
        copy(self.path(), target).await
    }
}
