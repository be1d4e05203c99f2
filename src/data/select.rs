//! Selects categories by name.

use super::{CategorySelection, DataError};

/// Returns the item with a name. The error for an unknown name lists the existing ones.
pub(super) fn pick<'a, T>(
    items: &'a [T],
    name_of: impl Fn(&'a T) -> String,
    name: &str,
    root: &str,
) -> Result<&'a T, DataError> {
    let names: Vec<String> = items.iter().map(name_of).collect();
    if let Some(index) = names.iter().position(|known| known == name) {
        return Ok(&items[index]);
    }
    let similar = names.iter().max_by(|a, b| strsim::jaro(a, name).total_cmp(&strsim::jaro(b, name)));
    let similar = similar.filter(|similar| strsim::jaro(similar, name) > 0.7);
    Err(DataError::UnknownCategory {
        name: name.to_owned(),
        root: root.to_owned(),
        found: if names.is_empty() { "none".to_owned() } else { names.join(", ") },
        hint: similar.map(|similar| format!("; did you mean `{similar}`?")).unwrap_or_default(),
    })
}

/// Returns the selected items, in the order of the selection.
pub(super) fn select<'a, T>(
    items: &'a [T],
    name_of: impl Fn(&'a T) -> String + Copy,
    selection: &CategorySelection,
    root: &str,
) -> Result<Vec<&'a T>, DataError> {
    match selection {
        CategorySelection::All => Ok(items.iter().collect()),
        CategorySelection::Named(names) => names.iter().map(|name| pick(items, name_of, name, root)).collect(),
    }
}
