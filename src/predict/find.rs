//! From what a person names to images: files, folders, patterns.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::BadImage;
use crate::data::is_image;

/// An image that was found; whether it can be read is another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// As it was named, or below what was named.
    pub path: PathBuf,
    /// Its folder, absolute and without links.
    pub(super) home: PathBuf,
}

/// What the arguments stand for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Each image once, in the order of the arguments, those of a folder by name.
    pub images: Vec<Located>,
    /// Arguments, or folders below them, that yield none.
    pub bad: Vec<BadImage>,
}

/// Finds images; opens none. A file is taken whatever its ending, in folders those with the ending of an image are, at any depth, and
/// nothing below `out`. A pattern is one of `glob`, and stands for what a shell would put in its place.
pub fn find(arguments: &[PathBuf], out: &Path) -> Found {
    let mut search = Search { found: Found::default(), known: HashSet::new(), out: out.canonicalize().ok() };
    for argument in arguments {
        search.argument(argument);
    }
    search.found
}

struct Search {
    found: Found,
    /// Folder and name of each image so far.
    known: HashSet<PathBuf>,
    out: Option<PathBuf>,
}

impl Search {
    fn argument(&mut self, argument: &Path) {
        let text = argument.to_string_lossy();
        if argument.exists() {
            self.path(argument);
        } else if text.contains(['*', '?', '[']) {
            match glob::glob(&text) {
                Err(error) => self.bad(argument, &format!("is no pattern: {error}")),
                Ok(paths) => {
                    let paths: Vec<PathBuf> = paths.filter_map(Result::ok).collect();
                    if paths.is_empty() {
                        self.bad(argument, "no file or folder is of this pattern");
                    }
                    paths.iter().for_each(|path| self.path(path));
                }
            }
        } else {
            self.bad(argument, "there is no such file or folder");
        }
    }

    fn path(&mut self, path: &Path) {
        if path.is_dir() { self.folder(path) } else { self.file(path) }
    }

    fn file(&mut self, path: &Path) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (Ok(home), Some(name)) = (folder.canonicalize(), path.file_name()) else {
            return self.bad(path, "there is no such file");
        };
        if self.known.insert(home.join(name)) {
            self.found.images.push(Located { path: path.to_owned(), home });
        }
    }

    fn folder(&mut self, folder: &Path) {
        let (mut held, known_bad) = (false, self.found.bad.len());
        let hidden =
            |entry: &walkdir::DirEntry| entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.');
        let out = self.out.clone();
        let ours = |path: &Path| out.is_some() && path.canonicalize().ok() == out;
        let entries = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
        for entry in entries.filter_entry(|entry| !(hidden(entry) || entry.file_type().is_dir() && ours(entry.path())))
        {
            match entry {
                Ok(entry) if entry.file_type().is_file() && is_image(entry.path()) => {
                    held = true;
                    self.file(entry.path());
                }
                Ok(_) => {}
                Err(error) => self.bad(error.path().unwrap_or(folder), &error.to_string()),
            }
        }
        if !held && known_bad == self.found.bad.len() {
            self.bad(folder, "there is no PNG, JPEG, BMP, TIFF or WebP file in this folder");
        }
    }

    fn bad(&mut self, path: &Path, reason: &str) {
        self.found.bad.push(BadImage { image: path.display().to_string(), reason: reason.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().expect("has a folder")).expect("created");
            std::fs::write(path, "").expect("written");
        }
        folder
    }

    fn found(folder: &Path, arguments: &[&str]) -> (Vec<String>, Vec<BadImage>) {
        let arguments: Vec<PathBuf> = arguments.iter().map(|argument| folder.join(argument)).collect();
        let found = find(&arguments, &folder.join("out"));
        let below = |located: &Located| {
            located.path.strip_prefix(folder).expect("below the folder").to_string_lossy().into_owned()
        };
        (found.images.iter().map(below).collect(), found.bad)
    }

    #[test]
    fn files_folders_and_patterns_are_found_once_and_in_order() {
        let folder =
            place(&["b/2.png", "b/1.JPG", "b/c/3.bmp", "b/notes.txt", "b/.hidden/4.png", "a.dat", "out/a-map.png"]);
        let all = ["a.dat", "b/1.JPG", "b/2.png", "b/c/3.bmp"];
        assert_eq!(found(folder.path(), &["a.dat", "b"]), (all.map(str::to_owned).to_vec(), vec![]));
        assert_eq!(found(folder.path(), &["b/*.png", "b/c", "b/2.png"]).0, ["b/2.png", "b/c/3.bmp"]);
        // What a shell makes of it, folders among it; but never what was written before.
        assert_eq!(found(folder.path(), &["?"]).0, ["b/1.JPG", "b/2.png", "b/c/3.bmp"]);
        assert_eq!(found(folder.path(), &["."]).0, ["b/1.JPG", "b/2.png", "b/c/3.bmp"]);
    }

    #[test]
    fn what_yields_nothing_is_told() {
        let folder = place(&["empty/readme.txt", "a.png"]);
        let (images, bad) = found(folder.path(), &["absent.png", "empty", "*.bmp", "a.png", "x[*"]);
        assert_eq!(images, ["a.png"]);
        let reasons: Vec<&str> = bad.iter().map(|bad| bad.reason.as_str()).collect();
        assert_eq!(reasons[0], "there is no such file or folder");
        assert_eq!(reasons[1], "there is no PNG, JPEG, BMP, TIFF or WebP file in this folder");
        assert_eq!(reasons[2], "no file or folder is of this pattern");
        assert!(reasons[3].starts_with("is no pattern"), "{reasons:?}");
    }
}
