//! Finds the images that the arguments name: files, folders, patterns.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::UnusableImage;
use crate::data::is_image;

/// An image file that was found; it may be unreadable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundImage {
    /// Path as it was given, or below the folder that was given.
    pub path: PathBuf,
    /// Folder of the file, absolute and without links.
    pub(super) folder: PathBuf,
}

/// Images that the arguments name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundImages {
    /// Each image once, in the order of the arguments; images of a folder by name.
    pub images: Vec<FoundImage>,
    /// Arguments, or folders below them, that yield no image.
    pub unusable: Vec<UnusableImage>,
}

/// Finds images without opening them. A file that is named may have any extension. Folders are searched at any depth for files with
/// the extension of an image, but not below `out`. Patterns have the syntax of `glob` and expand as in a shell.
pub fn find(arguments: &[PathBuf], out: &Path) -> FoundImages {
    let mut search = Search { found: FoundImages::default(), seen: HashSet::new(), out: out.canonicalize().ok() };
    for argument in arguments {
        search.add_argument(argument);
    }
    search.found
}

struct Search {
    found: FoundImages,
    /// Folder and name of each image found so far.
    seen: HashSet<PathBuf>,
    out: Option<PathBuf>,
}

impl Search {
    fn add_argument(&mut self, argument: &Path) {
        let text = argument.to_string_lossy();
        if argument.exists() {
            self.add_path(argument);
        } else if text.contains(['*', '?', '[']) {
            match glob::glob(&text) {
                Err(error) => self.add_unusable(argument, &format!("invalid pattern: {error}")),
                Ok(paths) => {
                    let paths: Vec<PathBuf> = paths.filter_map(Result::ok).collect();
                    if paths.is_empty() {
                        self.add_unusable(argument, "no file or folder matches this pattern");
                    }
                    paths.iter().for_each(|path| self.add_path(path));
                }
            }
        } else {
            self.add_unusable(argument, "no such file or folder");
        }
    }

    fn add_path(&mut self, path: &Path) {
        if path.is_dir() { self.add_folder(path) } else { self.add_file(path) }
    }

    fn add_file(&mut self, path: &Path) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (Ok(folder), Some(name)) = (folder.canonicalize(), path.file_name()) else {
            return self.add_unusable(path, "no such file");
        };
        if self.seen.insert(folder.join(name)) {
            self.found.images.push(FoundImage { path: path.to_owned(), folder });
        }
    }

    fn add_folder(&mut self, folder: &Path) {
        let (mut has_image, unusable_before) = (false, self.found.unusable.len());
        let hidden =
            |entry: &walkdir::DirEntry| entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.');
        let out = self.out.clone();
        let is_output = |path: &Path| out.is_some() && path.canonicalize().ok() == out;
        let entries = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
        for entry in
            entries.filter_entry(|entry| !(hidden(entry) || entry.file_type().is_dir() && is_output(entry.path())))
        {
            match entry {
                Ok(entry) if entry.file_type().is_file() && is_image(entry.path()) => {
                    has_image = true;
                    self.add_file(entry.path());
                }
                Ok(_) => {}
                Err(error) => self.add_unusable(error.path().unwrap_or(folder), &error.to_string()),
            }
        }
        if !has_image && unusable_before == self.found.unusable.len() {
            self.add_unusable(folder, "no PNG, JPEG, BMP, TIFF or WebP file in this folder");
        }
    }

    fn add_unusable(&mut self, path: &Path, reason: &str) {
        self.found.unusable.push(UnusableImage { image: path.display().to_string(), reason: reason.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().expect("has a folder")).expect("created");
            std::fs::write(path, "").expect("written");
        }
        folder
    }

    fn found(folder: &Path, arguments: &[&str]) -> (Vec<String>, Vec<UnusableImage>) {
        let arguments: Vec<PathBuf> = arguments.iter().map(|argument| folder.join(argument)).collect();
        let found = find(&arguments, &folder.join("out"));
        let below = |image: &FoundImage| {
            image.path.strip_prefix(folder).expect("below the folder").to_string_lossy().into_owned()
        };
        (found.images.iter().map(below).collect(), found.unusable)
    }

    #[test]
    fn files_folders_and_patterns_are_found_once_and_in_order() {
        let files = ["b/2.png", "b/1.JPG", "b/c/3.bmp", "b/notes.txt", "b/.hidden/4.png", "a.dat", "out/a-map.png"];
        let folder = folder_with(&files);
        let all = ["a.dat", "b/1.JPG", "b/2.png", "b/c/3.bmp"];
        assert_eq!(found(folder.path(), &["a.dat", "b"]), (all.map(str::to_owned).to_vec(), vec![]));
        assert_eq!(found(folder.path(), &["b/*.png", "b/c", "b/2.png"]).0, ["b/2.png", "b/c/3.bmp"]);
        // A pattern expands as in a shell and may match folders, but never finds earlier output.
        assert_eq!(found(folder.path(), &["?"]).0, ["b/1.JPG", "b/2.png", "b/c/3.bmp"]);
        assert_eq!(found(folder.path(), &["."]).0, ["b/1.JPG", "b/2.png", "b/c/3.bmp"]);
    }

    #[test]
    fn arguments_without_images_are_reported() {
        let folder = folder_with(&["empty/readme.txt", "a.png"]);
        let (images, unusable) = found(folder.path(), &["absent.png", "empty", "*.bmp", "a.png", "x[*"]);
        assert_eq!(images, ["a.png"]);
        let reasons: Vec<&str> = unusable.iter().map(|image| image.reason.as_str()).collect();
        assert_eq!(reasons[0], "no such file or folder");
        assert_eq!(reasons[1], "no PNG, JPEG, BMP, TIFF or WebP file in this folder");
        assert_eq!(reasons[2], "no file or folder matches this pattern");
        assert!(reasons[3].starts_with("invalid pattern"), "{reasons:?}");
    }
}
