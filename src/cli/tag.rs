//! `didact tag`: shows, adds and removes the tags of a sweep.

use super::failure::Failure;
use super::global::Global;
use super::output::print;
use crate::exit::Exit;
use crate::store::{Access, Store, Tag, Tags};

/// Arguments of `didact tag`.
#[derive(Debug, clap::Args)]
pub(super) struct TagArgs {
    /// Sweep name.
    sweep: String,
    /// Tags to add.
    #[arg(value_name = "TAG")]
    tags: Vec<Tag>,
    /// Tag to remove. Repeat it for more.
    #[arg(long, value_name = "TAG")]
    remove: Vec<Tag>,
}

/// Runs the verb.
pub(super) async fn run(args: &TagArgs, global: &Global) -> Result<Exit, Failure> {
    let TagArgs { sweep, tags, remove } = args;
    let only_shows = tags.is_empty() && remove.is_empty();
    let access = if only_shows { Access::Read } else { Access::Serve };
    let store = Store::open(&global.store, access).await?;
    let (id, name) = store.find_sweep(Some(sweep)).await?;
    let tags = match only_shows {
        true => store.remarks(&id).await?.tags,
        false => store.change_tags(&id, tags, remove).await?,
    };
    print(&described(&name, &tags))?;
    Ok(Exit::Done)
}

fn described(sweep: &str, tags: &Tags) -> String {
    match tags.0.is_empty() {
        true => format!("sweep {sweep} has no tags"),
        false => format!("tags of {sweep}: {tags}"),
    }
}
