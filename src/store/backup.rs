//! `didact store backup`.

use std::path::Path;

use super::copy::copy;
use super::error::StoreError;
use super::open::Store;

impl Store {
    /// Copies the store to a file that does not exist yet; what is committed by now is in it.
    pub async fn back_up(&self, target: &Path) -> Result<(), StoreError> {
        copy(self.path(), target).await
    }
}
