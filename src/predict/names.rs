//! Names of what is written: images of one name in different folders must not overwrite each other.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::Located;

/// For each image the beginning of its files' paths below the output folder: the folders in which images differ, then its name without
/// ending; with it where two images of a folder differ in nothing else.
pub(super) fn names(images: &[Located]) -> Vec<PathBuf> {
    let common =
        images.iter().map(|image| image.home.clone()).reduce(|one, other| shared(&one, &other)).unwrap_or_default();
    let named = |name: fn(&Path) -> Option<&OsStr>| -> Vec<PathBuf> {
        let below = |image: &Located| image.home.strip_prefix(&common).unwrap_or(Path::new("")).to_owned();
        images.iter().map(|image| below(image).join(name(&image.path).unwrap_or_default())).collect()
    };
    let stems = named(Path::file_stem);
    let mut sorted: Vec<&PathBuf> = stems.iter().collect();
    sorted.sort_unstable();
    match sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        true => named(Path::file_name),
        false => stems,
    }
}

/// The folders that both paths begin with.
fn shared(one: &Path, other: &Path) -> PathBuf {
    one.components().zip(other.components()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(paths: &[&str]) -> Vec<String> {
        let located = |path: &&str| {
            let path = PathBuf::from(path);
            Located { home: path.parent().expect("has a folder").to_owned(), path }
        };
        let images: Vec<Located> = paths.iter().map(located).collect();
        names(&images).iter().map(|name| name.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn names_are_as_short_as_they_can_be_and_never_the_same() {
        assert_eq!(of(&["/data/test/good/000.png"]), ["000"]);
        assert_eq!(of(&["/data/test/good/000.png", "/data/test/good/001.png"]), ["000", "001"]);
        assert_eq!(of(&["/data/test/good/000.png", "/data/test/cut/000.png"]), ["good/000", "cut/000"]);
        assert_eq!(of(&["/data/000.png", "/data/cut/000.png"]), ["000", "cut/000"]);
        // An ending of one may be a part of another's name: then all keep theirs.
        assert_eq!(of(&["/d/a.png", "/d/a.jpg", "/d/a.png.bmp"]), ["a.png", "a.jpg", "a.png.bmp"]);
    }
}
