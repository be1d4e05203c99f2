//! Names of the written files. Images with equal names in different folders must not overwrite each other.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::FoundImage;

/// Length of the longest suffix of a name: that of an overlay plus that of its temporary file.
const LONGEST_SUFFIX: usize = "-overlay.png.4294967295.tmp".len();

/// Returns for each image how the paths of its files below the output folder begin: the folders that distinguish the images, then
/// the image's name. The name keeps its extension only if two images of a folder differ in nothing else. A component that exceeds
/// `max_bytes` or is not valid Unicode is cut and made unique by a digest.
pub(super) fn names(images: &[FoundImage], max_bytes: usize) -> Vec<PathBuf> {
    let common = images
        .iter()
        .map(|image| image.folder.clone())
        .reduce(|one, other| common_folder(&one, &other))
        .unwrap_or_default();
    let named = |name: fn(&Path) -> Option<&OsStr>| -> Vec<PathBuf> {
        let below = |image: &FoundImage| image.folder.strip_prefix(&common).unwrap_or(Path::new("")).to_owned();
        let relative = |image: &FoundImage| below(image).join(name(&image.path).unwrap_or_default());
        images.iter().map(|image| relative(image).iter().map(|part| shorten(part, max_bytes)).collect()).collect()
    };
    let stems = named(Path::file_stem);
    let mut sorted: Vec<&PathBuf> = stems.iter().collect();
    sorted.sort_unstable();
    match sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        true => named(Path::file_name),
        false => stems,
    }
}

/// Makes a path component writable, with room for the longest suffix.
fn shorten(part: &OsStr, max_bytes: usize) -> String {
    let room = max_bytes.saturating_sub(LONGEST_SUFFIX);
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

/// Returns how many bytes a name may have in the file system of a folder.
#[cfg(unix)]
pub(super) fn max_name_bytes(folder: &Path) -> usize {
    use std::os::unix::ffi::OsStrExt;
    let Ok(path) = std::ffi::CString::new(folder.as_os_str().as_bytes()) else { return USUAL_LIMIT };
    // SAFETY: the path ends with a zero byte and outlives the call.
    let max_bytes = unsafe { libc::pathconf(path.as_ptr(), libc::_PC_NAME_MAX) };
    usize::try_from(max_bytes).unwrap_or(USUAL_LIMIT).clamp(LONGEST_SUFFIX + 32, USUAL_LIMIT)
}

/// Returns how many bytes a name may have in the file system of a folder.
#[cfg(not(unix))]
pub(super) fn max_name_bytes(_folder: &Path) -> usize {
    USUAL_LIMIT
}

/// Longest name in common file systems, bytes.
const USUAL_LIMIT: usize = 255;

/// Returns the folders that both paths begin with.
fn common_folder(one: &Path, other: &Path) -> PathBuf {
    one.components().zip(other.components()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_of(paths: &[&str]) -> Vec<String> {
        let image = |path: &&str| {
            let path = PathBuf::from(path);
            FoundImage { folder: path.parent().expect("has a folder").to_owned(), path }
        };
        let images: Vec<FoundImage> = paths.iter().map(image).collect();
        names(&images, 255).iter().map(|name| name.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn names_are_short_and_unique() {
        assert_eq!(names_of(&["/data/test/good/000.png"]), ["000"]);
        assert_eq!(names_of(&["/data/test/good/000.png", "/data/test/good/001.png"]), ["000", "001"]);
        assert_eq!(names_of(&["/data/test/good/000.png", "/data/test/cut/000.png"]), ["good/000", "cut/000"]);
        assert_eq!(names_of(&["/data/000.png", "/data/cut/000.png"]), ["000", "cut/000"]);
        // Without extensions two names would be equal, so all names keep theirs.
        assert_eq!(names_of(&["/d/a.png", "/d/a.jpg", "/d/a.png.bmp"]), ["a.png", "a.jpg", "a.png.bmp"]);
    }

    #[test]
    fn long_names_are_cut_and_stay_unique() {
        let (one, other) = (format!("/d/{}1.png", "n".repeat(245)), format!("/d/{}2.png", "n".repeat(245)));
        let umlauts = format!("/d/{}.png", "ä".repeat(120));
        let long = names_of(&[&one, &other, &umlauts, "/d/short.png"]);
        let unique: std::collections::BTreeSet<&String> = long.iter().collect();
        assert_eq!(unique.len(), 4);
        assert_eq!(long[3], "short");
        assert!(long.iter().all(|name| name.len() + LONGEST_SUFFIX <= 255), "{long:?}");
        assert!(long[0].starts_with("nnnn") && long[2].starts_with("ää"));
        let folder = format!("/d/{}/a.png", "f".repeat(250));
        assert!(names_of(&[&folder, "/d/a.png"])[0].len() <= 255);
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_not_unicode_stay_unique() {
        use std::os::unix::ffi::OsStrExt;
        let image = |name: &[u8]| {
            let path = Path::new("/d").join(OsStr::from_bytes(name));
            FoundImage { folder: PathBuf::from("/d"), path }
        };
        let names = names(&[image(b"a\xff.png"), image(b"a\xfe.png")], 255);
        assert_ne!(names[0], names[1]);
        assert!(names.iter().all(|name| name.to_str().is_some()), "{names:?}");
        assert!(max_name_bytes(Path::new("/tmp")) > 100);
    }
}
