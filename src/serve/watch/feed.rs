//! Reads the progress of a sweep again and again.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;

use crate::cause::one_line;
use crate::serve::reopening::Reopening;
use crate::serve::{Progress, progress};
use crate::store::StoreError;

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
    store: Reopening,
    artifacts: PathBuf,
    /// Key of the sweep: its name may change.
    key: String,
    readings: watch::Sender<Reading>,
}

impl Feed {
    /// Reads a sweep for the first time; without a name, the one that was planned last.
    ///
    /// # Errors
    /// There is no such sweep, or the store cannot be read.
    pub(super) async fn open(source: Source, sweep: Option<&str>) -> Result<Self, StoreError> {
        let Source { store, artifacts } = source;
        let mut store = Reopening::open(&store).await?;
        let progress = store.read(async |store| progress(store, sweep, &artifacts).await).await?;
        Ok(Self {
            store,
            artifacts,
            key: progress.key.clone(),
            readings: watch::Sender::new(Reading { progress, trouble: None }),
        })
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
        self.store.read(async |store| progress(store, Some(&self.key), &self.artifacts).await).await
    }
}
