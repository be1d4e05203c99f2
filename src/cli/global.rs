//! Options of all commands.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use clap::builder::{PathBufValueParser, PossibleValuesParser, TypedValueParser};
use tracing_subscriber::filter::LevelFilter;

use crate::paths::expand_home;
use crate::store::{Artifacts, Store, StoreError, is_server, path_of};

/// Options of all commands.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Global {
    /// SQLite file of the store, or postgres://USER@HOST/DATABASE.
    #[arg(long, global = true, env = "DIDACT_STORE", default_value = "didact.db", value_name = "URL", value_parser = store)]
    pub(super) store: String,
    /// Folder of artifacts, or s3://BUCKET/PREFIX [default: next to the store, named after it: a.artifacts for a.db].
    #[arg(long, global = true, env = "DIDACT_ARTIFACTS", value_name = "PLACE", value_parser = PathBufValueParser::new().map(|path| expand_home(&path)))]
    artifacts: Option<PathBuf>,
    /// Lowest level that is logged to standard error.
    #[arg(long, global = true, default_value = "warn", value_name = "LEVEL", value_parser = log_level())]
    pub(super) log: LevelFilter,
}

fn log_level() -> impl TypedValueParser<Value = LevelFilter> {
    PossibleValuesParser::new(["error", "warn", "info", "debug", "trace"]).try_map(|level| level.parse::<LevelFilter>())
}

/// Expands `~` in a store's name, also after its scheme. No shell expands names that come from the environment.
fn store(text: &str) -> Result<String, Infallible> {
    if is_server(text) {
        return Ok(text.to_owned());
    }
    let (scheme, path) = match text.strip_prefix("sqlite:") {
        Some(path) => text.split_at(text.len() - path.trim_start_matches("//").len()),
        None => ("", text),
    };
    Ok(format!("{scheme}{}", expand_home(Path::new(path)).display()))
}

impl Global {
    /// Returns the artifacts folder: the one given, or the one next to the store.
    ///
    /// # Errors
    /// If none is given and the store is on a server, or if the object store cannot be used.
    pub(super) fn artifacts(&self) -> Result<Artifacts, StoreError> {
        match &self.artifacts {
            Some(place) => Artifacts::at(place),
            None if is_server(&self.store) => Err(StoreError::NoArtifacts),
            None => Ok(Artifacts::next_to(path_of(&self.store))),
        }
    }

    /// Returns the options that give another `didact` the same store and artifacts.
    ///
    /// # Errors
    /// If no artifacts are given and the store is on a server.
    #[cfg(feature = "live")]
    pub(super) fn arguments(&self) -> Result<Vec<std::ffi::OsString>, StoreError> {
        let place = self.artifacts()?.place().as_os_str().to_owned();
        Ok(vec!["--store".into(), self.store.clone().into(), "--artifacts".into(), place])
    }

    /// Returns the artifacts folder for writing and removing.
    ///
    /// # Errors
    /// If the folder belongs to another store.
    pub(super) async fn own_artifacts(&self, store: &Store) -> Result<Artifacts, StoreError> {
        let artifacts = self.artifacts()?;
        store.take_ownership(&artifacts).await?;
        Ok(artifacts)
    }
}
