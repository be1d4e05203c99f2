//! Resolves a name in a sweep file below a category: a folder, which stands for its images, or a pattern of files.

use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::listing::{below, children, file_name, is_file, is_folder, is_image, place};
use crate::data::DataError;

/// Depth to which a pattern with `**` searches: deeper than any arrangement of images.
const DEEPEST: usize = 16;

/// Matches as a shell does: `*` stays within a folder and does not match hidden names.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// Returns whether a name contains wildcards.
pub(crate) fn has_signs(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// Returns whether a name is a pattern. If a folder has exactly this name, it is a folder.
pub(super) fn is_pattern(category: &Path, name: &str) -> Result<bool, DataError> {
    Ok(has_signs(name) && !is_folder(&place(category, name))?)
}

/// Returns the image files that a name stands for, sorted by path; the list is empty if the folder is missing.
pub(super) fn images(category: &Path, name: &str) -> Result<Vec<PathBuf>, DataError> {
    if is_pattern(category, name)? {
        return matched(category, name);
    }
    let folder = place(category, name);
    if is_folder(&folder)? { super::listing::images(&folder) } else { Ok(Vec::new()) }
}

/// Returns whether a category has the folder of that name, or a file that matches the pattern.
pub(super) fn is_there(category: &Path, name: &str) -> Result<bool, DataError> {
    match is_pattern(category, name)? {
        true => Ok(!matched(category, name)?.is_empty()),
        false => is_folder(&place(category, name)),
    }
}

fn matched(category: &Path, name: &str) -> Result<Vec<PathBuf>, DataError> {
    let pattern = Pattern::new(name).map_err(|source| DataError::Pattern { pattern: name.to_owned(), source })?;
    let parts: Vec<&str> = name.split('/').collect();
    let literal = parts.iter().take_while(|part| !has_signs(part)).count().min(parts.len() - 1);
    let start = place(category, &parts[..literal].join("/"));
    let mut found = Vec::new();
    if is_folder(&start)? {
        let recursive = name.contains("**");
        let depth = if recursive { DEEPEST } else { parts.len() - literal };
        // Follow links only if the pattern has a fixed depth. With "any depth", they may lead in a circle.
        walk(&start, depth, !recursive, &mut |path| {
            if is_image(path) && pattern.matches_with(&below(category, path), OPTIONS) {
                found.push(path.to_owned());
            }
        })?;
    }
    found.sort();
    Ok(found)
}

/// Calls `tell` with each file below a folder, down to `depth` levels.
fn walk(folder: &Path, depth: usize, through_links: bool, tell: &mut impl FnMut(&Path)) -> Result<(), DataError> {
    for path in children(folder)? {
        if is_file(&path)? {
            tell(&path);
        } else if depth > 1 && is_folder(&path)? && (through_links || !path.is_symlink()) {
            walk(&path, depth - 1, through_links, tell)?;
        }
    }
    Ok(())
}

/// Returns the kind of defect of a file that a pattern matches: the folder at the position of the pattern's first wildcard, or else the
/// folder that holds the file.
pub(super) fn kind(category: &Path, name: &str, file: &Path) -> String {
    let first = name.split('/').position(has_signs).unwrap_or(0);
    let relative = below(category, file);
    let folders: Vec<&str> = relative.split('/').collect();
    let folders = &folders[..folders.len() - 1];
    let signed = folders.get(first).or(folders.last());
    signed.map_or_else(|| "anomaly".to_owned(), |folder| (*folder).to_owned())
}

/// Returns whether a pattern stands for several folders.
pub(super) fn is_of_folders(name: &str) -> bool {
    name.rsplit_once('/').is_some_and(|(folders, _)| has_signs(folders))
}

/// Returns a path below a category in its shortest spelling: no `.`, no empty part, no slash at its end.
pub(crate) fn shortest(name: &str) -> String {
    let parts = Path::new(name).components().filter_map(|part| match part {
        Component::CurDir => None,
        part => Some(part.as_os_str().to_string_lossy().into_owned()),
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Returns the last part of a name, used as the name of a kind.
pub(super) fn last(category: &Path, name: &str) -> String {
    file_name(&place(category, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::layout::miniature::Miniature;

    fn found(root: &Miniature, name: &str) -> Vec<String> {
        let paths = images(root.root(), name).expect("finds");
        paths.iter().map(|path| below(root.root(), path)).collect()
    }

    #[test]
    fn patterns_are_those_of_a_shell() {
        let root =
            Miniature::with(&["a/0.png", "a/1.jpg", "a/b/2.png", "a/b/c/3.png", "x[1]/4.png", "a/.hidden/5.png"]);
        root.text("a/notes.txt", "");
        root.image("@eaDir/6.png");
        for (name, expected) in [
            ("a", vec!["a/0.png", "a/1.jpg"]),
            ("a/*", vec!["a/0.png", "a/1.jpg"]),
            ("a/*.jpg", vec!["a/1.jpg"]),
            ("*/*.png", vec!["a/0.png", "x[1]/4.png"]),
            ("a/**/*.png", vec!["a/0.png", "a/b/2.png", "a/b/c/3.png"]),
            ("a/?/[0-9].png", vec!["a/b/2.png"]),
            ("x[1]", vec!["x[1]/4.png"]),
            ("gone/*.png", vec![]),
        ] {
            assert_eq!(found(&root, name), expected, "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_circle_end() {
        let root = Miniature::with(&["a/0.png"]);
        for name in ["x", "y", "z"] {
            std::os::unix::fs::symlink(root.path("a"), root.path("a").join(name)).expect("linked");
        }
        assert_eq!(found(&root, "a/**/*.png"), ["a/0.png"]);
        assert_eq!(found(&root, "a/*/*.png").len(), 3, "a pattern of so many folders follows links");
    }

    #[test]
    fn a_kind_is_where_the_first_sign_stands() {
        let kind = |name: &str, file: &str| kind(Path::new("c"), name, &Path::new("c").join(file));
        assert_eq!(kind("test/*/rgb/*.png", "test/cut/rgb/0.png"), "cut");
        assert_eq!(kind("bad/rgb/*.png", "bad/rgb/0.png"), "rgb");
        assert_eq!(kind("*.png", "0.png"), "anomaly");
    }

    #[test]
    fn spellings_of_one_path_are_one() {
        for name in ["a/b", "./a/b", "a//b/", "a/./b/."] {
            assert_eq!(shortest(name), "a/b");
        }
    }
}
