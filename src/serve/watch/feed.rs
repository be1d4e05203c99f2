//! Reads the progress of a sweep again and again.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;

use crate::cause::one_line;
use crate::serve::{Progress, progress};
use crate::store::{Access, Store, StoreError};

/// Time between two readings.
const INTERVAL: Duration = Duration::from_secs(1);

/// Where a sweep is read from.
#[derive(Debug, Clone)]
pub struct Source {
    /// Store, as `--store` takes it.
    pub store: String,
    /// Place of the artifacts: logs are below it.
    pub artifacts: PathBuf,
}

/// What the store said last.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    /// The last progress that could be read.
    pub progress: Progress,
    /// Why the store cannot be read now, in a line.
    pub trouble: Option<String>,
}

/// Reads a sweep once a second.
pub(super) struct Feed {
    source: Source,
    /// Key of the sweep: its name may change.
    key: String,
    /// The open store; `None` after an error.
    store: Option<Store>,
    readings: watch::Sender<Reading>,
}

impl Feed {
    /// Reads a sweep for the first time; without a name, the one that was planned last.
    ///
    /// # Errors
    /// There is no such sweep, or the store cannot be read.
    pub(super) async fn open(source: Source, sweep: Option<&str>) -> Result<Self, StoreError> {
        let store = Store::open(&source.store, Access::Read).await?;
        let progress = progress(&store, sweep, &source.artifacts).await?;
        let (key, store) = (progress.key.clone(), Some(store));
        Ok(Self { source, key, store, readings: watch::Sender::new(Reading { progress, trouble: None }) })
    }

    /// Returns where the readings arrive.
    pub(super) fn readings(&self) -> watch::Receiver<Reading> {
        self.readings.subscribe()
    }

    /// Reads the sweep until the future is dropped.
    pub(super) async fn run(mut self) -> Infallible {
        loop {
            tokio::time::sleep(INTERVAL).await;
            match self.read().await {
                Ok(progress) => {
                    self.readings.send_replace(Reading { progress, trouble: None });
                }
                Err(error) => {
                    let trouble = one_line(&error.to_string());
                    self.readings.send_modify(|reading| reading.trouble = Some(trouble));
                }
            }
        }
    }

    async fn read(&mut self) -> Result<Progress, StoreError> {
        let store = match self.store.take() {
            Some(store) => store,
            None => Store::open(&self.source.store, Access::Read).await?,
        };
        let read = match store.check_identity() {
            Ok(()) => progress(&store, Some(&self.key), &self.source.artifacts).await,
            Err(error) => Err(error),
        };
        match &read {
            Ok(_) => self.store = Some(store),
            Err(_) => store.close().await,
        }
        read
    }
}
