//! Decides whether a sweep file may replace the stored sweep of the same name.

use std::path::Path;

use super::ask::confirmed;
use super::failure::Failure;
use super::steering::{Steering, write_plan};
use crate::config::Sweep;
use crate::plan::Plan;
use crate::store::{PlanOutcome, PlanSource, Store};

/// Returns the source of a sweep: its file, overrides and working folder.
pub(super) fn plan_source(
    file: Option<&Path>,
    overrides: &[(String, String)],
    replace: bool,
    sweep: &Sweep,
    text: String,
) -> PlanSource {
    let mut overrides: Vec<String> = overrides.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let root = sweep.trials.first().and_then(|trial| trial.trial.data.root.as_deref());
    overrides.extend(root.filter(|root| from_environment(root)).map(|root| {
        // In quotes, because a folder may be called 2024.
        format!("data.root={}", toml::Value::String(root.display().to_string()))
    }));
    PlanSource {
        file: file.map(|path| path.display().to_string()),
        origin: PlanSource::origin_of(file),
        folder: std::env::current_dir().ok().map(|folder| folder.display().to_string()),
        overrides,
        text,
        plan: String::new(),
        replace,
    }
}

fn from_environment(root: &Path) -> bool {
    std::env::var_os("DIDACT_DATA").is_some_and(|given| Path::new(&given) == root)
}

/// Plans and writes the sweep. If the stored sweep came from another file, asks on a terminal; without a terminal, `--replace` is
/// required.
pub(super) async fn take_over(
    steering: &mut Steering,
    store: &Store,
    source: &mut PlanSource,
) -> Result<(Plan, PlanOutcome), Failure> {
    match write_plan(steering, store, source).await? {
        Ok(planned) => return Ok(planned),
        Err(error) if confirmed(&format!("{error}\nReplace it?")) != Some(true) => {
            record_refusal(store, &steering.sweep.name, source).await?;
            return Err(error.into());
        }
        Err(_) => source.replace = true,
    }
    Ok(write_plan(steering, store, source).await??)
}

/// Records the refusal as an event, which the process that runs the sweep shows.
async fn record_refusal(store: &Store, name: &str, source: &PlanSource) -> Result<(), Failure> {
    let (id, name) = store.find_sweep(Some(name)).await?;
    let message = format!("another file, {}, was started as {name} and refused; this sweep continues", source.origin);
    Ok(store.record_event(&id, "refused", &message).await?)
}
