//! `didact note`: shows, sets and removes the note of a sweep.

use super::failure::Failure;
use super::global::Global;
use super::output::print;
use crate::exit::Exit;
use crate::store::{Access, Note, Store};

/// Arguments of `didact note`.
#[derive(Debug, clap::Args)]
pub(super) struct NoteArgs {
    /// Sweep name.
    sweep: String,
    /// New note; it replaces the old one.
    text: Option<String>,
    /// Remove the note.
    #[arg(long, conflicts_with = "text")]
    remove: bool,
}

/// Runs the verb.
pub(super) async fn run(args: &NoteArgs, global: &Global) -> Result<Exit, Failure> {
    let note: Option<Note> = args.text.as_deref().map(str::parse).transpose().map_err(Failure::usage)?;
    let only_shows = note.is_none() && !args.remove;
    let access = if only_shows { Access::Read } else { Access::Serve };
    let store = Store::open(&global.store, access).await?;
    let (id, name) = store.find_sweep(Some(&args.sweep)).await?;
    if !only_shows {
        store.set_note(&id, note.as_ref()).await?;
    }
    let none = || format!("sweep {name} has no note");
    print(&store.remarks(&id).await?.note.unwrap_or_else(none))?;
    Ok(Exit::Done)
}
