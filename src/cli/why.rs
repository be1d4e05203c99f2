//! `didact why`: why a run or stage is as it is.

use super::exit::{Exit, Failure};
use super::global::Global;
use super::output::{print, table};
use crate::store::{Access, Store};

/// Arguments of `didact why`.
#[derive(Debug, clap::Args)]
pub(super) struct WhyArgs {
    /// First digits of a run's or stage's key, as `status` prints them.
    id: String,
}

/// Runs the verb.
pub(super) async fn run(args: &WhyArgs, global: &Global) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, Access::Read).await?;
    let Some(explanation) = store.explain(&args.id).await? else {
        return Err(Failure::new(Exit::Usage, format!("no run or stage has a key that starts with `{}`", args.id)));
    };
    print(&explanation.headline)?;
    let rows: Vec<Vec<String>> = explanation
        .stages
        .iter()
        .map(|stage| {
            vec![
                stage.id[..12].to_owned(),
                stage.kind.clone(),
                stage.state.clone(),
                stage.attempts.to_string(),
                stage.shared_by.to_string(),
                stage.reason.clone().unwrap_or_default(),
            ]
        })
        .collect();
    print(&table(&["stage", "kind", "state", "attempts", "runs that share it", "reason"], &rows))?;
    Ok(Exit::Done)
}
