//! Names of what is written: images of one name in different folders must not overwrite each other.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::Located;

/// The longest of what is added to a name: the ending of a picture, and that of the file which becomes it.
const LONGEST_ENDING: usize = "-overlay.png.4294967295.tmp".len();

/// For each image the beginning of its files' paths below the output folder: the folders in which images differ, then its name without
/// ending; with it where two images of a folder differ in nothing else. A part that is longer than the file system takes, `longest`
/// bytes, or that is no text, is cut and made unique by a digest.
pub(super) fn names(images: &[Located], longest: usize) -> Vec<PathBuf> {
    let common =
        images.iter().map(|image| image.home.clone()).reduce(|one, other| shared(&one, &other)).unwrap_or_default();
    let named = |name: fn(&Path) -> Option<&OsStr>| -> Vec<PathBuf> {
        let below = |image: &Located| image.home.strip_prefix(&common).unwrap_or(Path::new("")).to_owned();
        let whole = |image: &Located| below(image).join(name(&image.path).unwrap_or_default());
        images.iter().map(|image| whole(image).iter().map(|part| fitting(part, longest)).collect()).collect()
    };
    let stems = named(Path::file_stem);
    let mut sorted: Vec<&PathBuf> = stems.iter().collect();
    sorted.sort_unstable();
    match sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        true => named(Path::file_name),
        false => stems,
    }
}

/// A part of a path as it can be written, with what is added to it.
fn fitting(part: &OsStr, longest: usize) -> String {
    let room = longest.saturating_sub(LONGEST_ENDING);
    match part.to_str() {
        Some(text) if text.len() <= room => text.to_owned(),
        _ => {
            let digest = &blake3::hash(part.as_encoded_bytes()).to_hex()[..16];
            let text = part.to_string_lossy();
            let kept = text.floor_char_boundary(room.saturating_sub(digest.len() + 1));
            format!("{}-{digest}", &text[..kept])
        }
    }
}

/// How many bytes the file system of a folder takes as a name.
#[cfg(unix)]
pub(super) fn longest_name(folder: &Path) -> usize {
    use std::os::unix::ffi::OsStrExt;
    let Ok(path) = std::ffi::CString::new(folder.as_os_str().as_bytes()) else { return COMMON };
    // SAFETY: the path ends with a zero byte and outlives the call.
    let longest = unsafe { libc::pathconf(path.as_ptr(), libc::_PC_NAME_MAX) };
    usize::try_from(longest).unwrap_or(COMMON).clamp(LONGEST_ENDING + 32, COMMON)
}

/// How many bytes the file system of a folder takes as a name.
#[cfg(not(unix))]
pub(super) fn longest_name(_folder: &Path) -> usize {
    COMMON
}

/// What common file systems take.
const COMMON: usize = 255;

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
        names(&images, 255).iter().map(|name| name.to_string_lossy().into_owned()).collect()
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

    #[test]
    fn long_names_are_cut_and_stay_unique() {
        let (one, other) = (format!("/d/{}1.png", "n".repeat(245)), format!("/d/{}2.png", "n".repeat(245)));
        let umlauts = format!("/d/{}.png", "ä".repeat(120));
        let long = of(&[&one, &other, &umlauts, "/d/short.png"]);
        let unique: std::collections::BTreeSet<&String> = long.iter().collect();
        assert_eq!(unique.len(), 4);
        assert_eq!(long[3], "short");
        assert!(long.iter().all(|name| name.len() + LONGEST_ENDING <= 255), "{long:?}");
        assert!(long[0].starts_with("nnnn") && long[2].starts_with("ää"));
        let folder = format!("/d/{}/a.png", "f".repeat(250));
        assert!(of(&[&folder, "/d/a.png"])[0].len() <= 255);
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_text_stay_apart() {
        use std::os::unix::ffi::OsStrExt;
        let located = |name: &[u8]| {
            let path = Path::new("/d").join(OsStr::from_bytes(name));
            Located { home: PathBuf::from("/d"), path }
        };
        let names = names(&[located(b"a\xff.png"), located(b"a\xfe.png")], 255);
        assert_ne!(names[0], names[1]);
        assert!(names.iter().all(|name| name.to_str().is_some()), "{names:?}");
        assert!(longest_name(Path::new("/tmp")) > 100);
    }
}
