//! Checks that a submission has everything that the server wants. The server accepts some incomplete archives and scores them as 0.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use image::{ColorType, ImageDecoder, ImageReader};
use rayon::prelude::*;

use super::float16;
use super::places::{MAPS, PUBLISHED_IMAGES, Split, THRESHOLDED, map_place, private_images, stem, thresholded_place};
use crate::data::{AD2_OBJECTS, DataError, image_size};

/// What was found in the folder of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completeness {
    /// Number of images with a sound map and cut map.
    pub sound: usize,
    /// Number of images that need both.
    pub expected: usize,
    /// What is missing or wrong, one sentence each, in the order of the objects.
    pub problems: Vec<String>,
}

/// A map and a cut map that must exist.
struct Wanted {
    object: &'static str,
    split: Split,
    stem: String,
    /// Size of the image, pixels; `None` if the images are not at hand.
    size: Option<(u32, u32)>,
}

/// Checks the folder of a submission. All objects and both private sets must be there, with two files for each image. Sizes and values of
/// the files are checked, too.
///
/// `root` returns the folder that holds an object, or `None` if its images are not at hand. Without images, each file is compared with its
/// counterpart in the other tree, and their number with that of the published data set.
///
/// # Errors
/// Images are missing or cannot be read. What is wrong with the submission itself is in the result.
pub fn check(folder: &Path, root: impl Fn(&str) -> Option<PathBuf>) -> Result<Completeness, DataError> {
    let (mut sound, mut expected, mut compared, mut problems) = (0, 0, true, Vec::new());
    for (object, split) in AD2_OBJECTS.into_iter().flat_map(|object| Split::ALL.map(|split| (object, split))) {
        let found = found(folder, object, split);
        let wanted = match root(object) {
            Some(root) => of_images(&root, object, split)?,
            None => {
                compared = false;
                let stems = found.maps.keys().chain(found.cut.keys()).collect::<BTreeSet<_>>().into_iter();
                stems.map(|stem| Wanted { object, split, stem: stem.clone(), size: None }).collect()
            }
        };
        expected += wanted.len();
        if found.maps.is_empty() && found.cut.is_empty() {
            let count = if wanted.is_empty() { String::new() } else { format!(" for its {} images", wanted.len()) };
            problems.push(format!("{object}/{}: there is no file{count}", split.name()));
            continue;
        }
        problems.extend(strangers(&found, &wanted, object, split));
        let checked: Vec<Vec<String>> = wanted.par_iter().map(|wanted| problems_of(folder, wanted)).collect();
        sound += checked.iter().filter(|problems| problems.is_empty()).count();
        problems.extend(checked.into_iter().flatten());
    }
    if !compared && expected != PUBLISHED_IMAGES {
        problems.push(format!(
            "there are maps of {expected} images; the published data set has {PUBLISHED_IMAGES} private images"
        ));
    }
    Ok(Completeness { sound, expected, problems })
}

/// Files of an object's private set, by their stems.
struct Found {
    maps: BTreeMap<String, PathBuf>,
    cut: BTreeMap<String, PathBuf>,
}

fn found(folder: &Path, object: &str, split: Split) -> Found {
    let files = |tree: &str| -> BTreeMap<String, PathBuf> {
        let entries = std::fs::read_dir(folder.join(tree).join(object).join(split.name())).into_iter().flatten();
        let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
        let seen = |path: &PathBuf| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        paths.filter(seen).map(|path| (stem(&path), path)).collect()
    };
    Found { maps: files(MAPS), cut: files(THRESHOLDED) }
}

/// Returns what an object's images need.
fn of_images(root: &Path, object: &'static str, split: Split) -> Result<Vec<Wanted>, DataError> {
    let images = private_images(root, object, split)?;
    let wanted = |path: &PathBuf| Ok(Wanted { object, split, stem: stem(path), size: Some(image_size(path)?) });
    images.par_iter().map(wanted).collect()
}

/// Returns the files that belong to no image.
fn strangers(found: &Found, wanted: &[Wanted], object: &str, split: Split) -> Vec<String> {
    let known: BTreeSet<PathBuf> = wanted
        .iter()
        .flat_map(|w| [map_place(object, split, &w.stem), thresholded_place(object, split, &w.stem)])
        .collect();
    let files = found.maps.values().map(|path| (MAPS, path)).chain(found.cut.values().map(|path| (THRESHOLDED, path)));
    files
        .filter_map(|(tree, path)| {
            let place = Path::new(tree).join(object).join(split.name()).join(path.file_name()?);
            (!known.contains(&place)).then(|| format!("{} belongs to no image", shown(&place)))
        })
        .collect()
}

/// Returns what is wrong with the two files of an image.
fn problems_of(folder: &Path, wanted: &Wanted) -> Vec<String> {
    let Wanted { object, split, stem, size } = wanted;
    let (map, cut) = (map_place(object, *split, stem), thresholded_place(object, *split, stem));
    let (map_size, map_problem) = checked(folder, &map, check_map);
    let (cut_size, cut_problem) = checked(folder, &cut, check_cut);
    let mut problems: Vec<String> = map_problem.into_iter().chain(cut_problem).collect();
    let format = |(width, height): (u32, u32)| format!("{width}×{height}");
    match size {
        Some(size) => {
            for (place, found) in [(&map, map_size), (&cut, cut_size)] {
                if let Some(found) = found.filter(|found| found != size) {
                    let (found, size) = (format(found), format(*size));
                    problems.push(format!("{} is {found}, but its image is {size}", shown(place)));
                }
            }
        }
        None => {
            if let (Some(map_size), Some(cut_size)) = (map_size, cut_size)
                && map_size != cut_size
            {
                let (map_size, cut_size) = (format(map_size), format(cut_size));
                problems.push(format!("{} is {map_size}, but {} is {cut_size}", shown(&map), shown(&cut)));
            }
        }
    }
    problems
}

/// Result of a check: the size of the file, if it has one, and what is wrong with the file.
type Checked = (Option<(u32, u32)>, Option<String>);

/// Checks one file; the problem names it.
fn checked(folder: &Path, place: &Path, check: fn(&Path) -> Checked) -> Checked {
    let path = folder.join(place);
    if !path.is_file() {
        return (None, Some(format!("{} is missing", shown(place))));
    }
    let (size, problem) = check(&path);
    (size, problem.map(|problem| format!("{} {problem}", shown(place))))
}

fn check_map(path: &Path) -> Checked {
    let opened = std::fs::File::open(path).map_err(|error| error.to_string());
    let decoded =
        opened.and_then(|file| float16::decode(std::io::BufReader::new(file)).map_err(|error| error.to_string()));
    match decoded {
        Err(error) => (None, Some(format!("cannot be read: {error}"))),
        Ok(content) => {
            let problem = match &content.values {
                None => Some("has not one channel of 16-bit floats"),
                Some(values) if !values.iter().all(|value| value.is_finite()) => Some("has a value that is not finite"),
                Some(_) => None,
            };
            (Some(content.size), problem.map(str::to_owned))
        }
    }
}

fn check_cut(path: &Path) -> Checked {
    let decoder = ImageReader::open(path)
        .map_err(|error| error.to_string())
        .and_then(|reader| reader.into_decoder().map_err(|error| error.to_string()));
    let decoder = match decoder {
        Err(error) => return (None, Some(format!("cannot be read: {error}"))),
        Ok(decoder) => decoder,
    };
    let size = decoder.dimensions();
    if decoder.color_type() != ColorType::L8 {
        return (Some(size), Some("has not one channel of 8 bits".to_owned()));
    }
    match image::DynamicImage::from_decoder(decoder) {
        Err(error) => (Some(size), Some(format!("cannot be read: {error}"))),
        Ok(image) => {
            let other = image.into_luma8().into_raw().into_iter().find(|value| !matches!(value, 0 | 255));
            (Some(size), other.map(|value| format!("has the value {value}; only 0 and 255 are allowed")))
        }
    }
}

/// Returns a place with the separators of an archive.
fn shown(place: &Path) -> String {
    place.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes images of 4×3 pixels, and their maps.
    fn complete() -> (tempfile::TempDir, tempfile::TempDir) {
        let (root, out) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        for (object, split) in AD2_OBJECTS.into_iter().flat_map(|object| Split::ALL.map(|split| (object, split))) {
            for stem in ["000", "001_mixed"] {
                let save = |path: PathBuf, image: &image::GrayImage| {
                    std::fs::create_dir_all(path.parent().expect("has a folder")).expect("created");
                    image.save(path).expect("written");
                };
                let image = image::GrayImage::from_pixel(4, 3, image::Luma([255]));
                save(root.path().join(object).join(split.name()).join(format!("{stem}.png")), &image);
                save(out.path().join(thresholded_place(object, split, stem)), &image);
                let map = out.path().join(map_place(object, split, stem));
                std::fs::create_dir_all(map.parent().expect("has a folder")).expect("created");
                std::fs::write(map, float16::encode(4, 3, [0.5; 12].into_iter()).expect("encodes")).expect("written");
            }
        }
        (root, out)
    }

    #[test]
    fn a_complete_submission_has_no_problem() {
        let (root, out) = complete();
        let found = check(out.path(), |_| Some(root.path().to_owned())).expect("images are readable");
        assert_eq!(found, Completeness { sound: 32, expected: 32, problems: Vec::new() });
        let without = check(out.path(), |_| None).expect("no image is needed");
        let expected = ["there are maps of 32 images; the published data set has 4090 private images"];
        assert_eq!(
            (without.sound, without.problems.iter().map(String::as_str).collect::<Vec<_>>()),
            (32, expected.to_vec())
        );
    }

    #[test]
    fn everything_that_is_missing_or_wrong_is_named() {
        let (root, out) = complete();
        let path = |place: &str| out.path().join(place);
        std::fs::remove_dir_all(path("anomaly_images/rice/test_private")).expect("removed");
        std::fs::remove_dir_all(path("anomaly_images_thresholded/rice/test_private")).expect("removed");
        std::fs::remove_file(path("anomaly_images_thresholded/can/test_private/000.png")).expect("removed");
        let png = |place: &str, image: image::DynamicImage| image.save(path(place)).expect("written");
        let grey = |width, value| image::GrayImage::from_pixel(width, 3, image::Luma([value])).into();
        png("anomaly_images_thresholded/can/test_private/001_mixed.png", grey(4, 1));
        png("anomaly_images_thresholded/can/test_private_mixed/000.png", grey(5, 0));
        png("anomaly_images_thresholded/fabric/test_private/000.png", image::RgbImage::new(4, 3).into());
        png("anomaly_images_thresholded/vial/test_private/999.png", grey(4, 0));
        let tiff = |place: &str, bytes: Vec<u8>| std::fs::write(path(place), bytes).expect("written");
        tiff("anomaly_images/walnuts/test_private/000.tiff", b"no image".to_vec());
        let nan = float16::encode(4, 3, [f32::NAN; 12].into_iter()).expect("encodes");
        tiff("anomaly_images/walnuts/test_private/001_mixed.tiff", nan);
        grey(4, 0).save(path("anomaly_images/vial/test_private_mixed/000.tiff")).expect("written");
        let found = check(out.path(), |_| Some(root.path().to_owned())).expect("images are readable");
        assert_eq!((found.sound, found.expected), (23, 32));
        insta::assert_snapshot!(found.problems.join("\n"));
        // Without the images, the two trees are compared with each other.
        let found = check(out.path(), |_| None).expect("no image is needed");
        let size = "anomaly_images/can/test_private_mixed/000.tiff is 4×3, but \
                    anomaly_images_thresholded/can/test_private_mixed/000.png is 5×3";
        assert!(found.problems.iter().any(|problem| problem == size), "{:?}", found.problems);
    }
}
