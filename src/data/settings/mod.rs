//! The table `[data]`: where the images come from and how they are prepared.

mod categories;
mod folder;
mod held_out;
mod layout;
mod reading;
mod synthetic;
mod table;
mod unmasked;

pub use categories::CategorySelection;
pub use folder::FolderSettings;
pub use held_out::HeldOutChoice;
pub use layout::Layout;
pub use reading::{Exif, Reading};
pub use synthetic::SyntheticSettings;
pub use table::DataSettings;
pub use unmasked::Unmasked;

use std::collections::HashSet;

/// Returns the names that already occur earlier in the list, with their indices.
fn repeated(names: &[String]) -> impl Iterator<Item = (usize, &String)> {
    let mut listed = HashSet::new();
    names.iter().enumerate().filter(move |(_, name)| !listed.insert(*name))
}
