//! A store that is opened again when it was away: the server was restarted, or the file was moved.

use crate::store::{Access, Store, StoreError};

/// A store that is read, never written.
pub(super) struct Reopening {
    /// Store, as `--store` takes it.
    address: String,
    /// The open store; `None` after an error.
    store: Option<Store>,
}

impl Reopening {
    /// Opens a store for the first time.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) async fn open(address: &str) -> Result<Self, StoreError> {
        let store = open(address).await?;
        Ok(Self { address: address.to_owned(), store: Some(store) })
    }

    /// Reads something. After an error of the store itself, the next call opens the store again.
    ///
    /// # Errors
    /// The store cannot be opened, is another one than before, or a query fails.
    pub(super) async fn read<T>(
        &mut self,
        query: impl AsyncFnOnce(&Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let store = match self.store.take() {
            Some(store) => store,
            None => open(&self.address).await?,
        };
        let read = match store.check_identity() {
            Ok(()) => query(&store).await,
            Err(error) => Err(error),
        };
        match &read {
            Err(error) if !error.is_unknown_name() => store.close().await,
            _ => self.store = Some(store),
        }
        read
    }
}

/// Opens a store for reading. One of an older version is brought up to date first, as for all commands.
async fn open(address: &str) -> Result<Store, StoreError> {
    let store = Store::open(address, Access::Read).await?;
    if !store.can_write() {
        return Ok(store);
    }
    store.close().await;
    Store::open(address, Access::Read).await
}
