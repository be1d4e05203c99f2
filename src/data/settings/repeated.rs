//! Names that occur twice in a list.

use std::collections::HashSet;

/// Returns the names that already occur earlier in the list, with their indices.
pub(super) fn repeated(names: &[String]) -> impl Iterator<Item = (usize, &String)> {
    let mut listed = HashSet::new();
    names.iter().enumerate().filter(move |(_, name)| !listed.insert(*name))
}
