//! Options of every verb.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use clap::builder::{PathBufValueParser, PossibleValuesParser, TypedValueParser};
use tracing_subscriber::filter::LevelFilter;

use crate::paths::expand_home;
use crate::store::{Artifacts, Store, StoreError, path_of};

/// Options of every verb.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Global {
    /// The store: a SQLite file.
    #[arg(long, global = true, env = "DIDACT_STORE", default_value = "didact.db", value_name = "URL", value_parser = store)]
    pub(super) store: String,
    /// Folder of artifacts [default: beside the store, of its name: a.db has a.artifacts].
    #[arg(long, global = true, env = "DIDACT_ARTIFACTS", value_name = "DIR", value_parser = PathBufValueParser::new().map(|path| expand_home(&path)))]
    artifacts: Option<PathBuf>,
    /// The least severe level that is logged to standard error.
    #[arg(long, global = true, default_value = "warn", value_name = "LEVEL", value_parser = log_level())]
    pub(super) log: LevelFilter,
}

fn log_level() -> impl TypedValueParser<Value = LevelFilter> {
    PossibleValuesParser::new(["error", "warn", "info", "debug", "trace"]).try_map(|level| level.parse::<LevelFilter>())
}

/// A store's name with its `~` expanded, behind the scheme, too: it may come from the environment, which no shell has looked at.
fn store(text: &str) -> Result<String, Infallible> {
    let (scheme, path) = match text.strip_prefix("sqlite:") {
        Some(path) => text.split_at(text.len() - path.trim_start_matches("//").len()),
        None => ("", text),
    };
    Ok(format!("{scheme}{}", expand_home(Path::new(path)).display()))
}

impl Global {
    /// The artifacts folder, beside the store unless named.
    pub(super) fn artifacts(&self) -> Artifacts {
        self.artifacts.clone().map_or_else(|| Artifacts::beside(path_of(&self.store)), Artifacts::new)
    }

    /// The artifacts folder for writing and removing: the store's own.
    pub(super) async fn own_artifacts(&self, store: &Store) -> Result<Artifacts, StoreError> {
        let artifacts = self.artifacts();
        store.own(&artifacts).await?;
        Ok(artifacts)
    }
}
