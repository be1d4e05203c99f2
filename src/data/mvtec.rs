//! The layout of MVTec AD (Bergmann et al. 2019): a folder per category with `train/good`, `test/{good,<defect>}` and
//! `ground_truth/<defect>`, masks named `<stem>_mask.png` or `<stem>.png`.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::sample::ImageSource;
use super::{Category, DataError, Sample};

/// Endings of image files, lower case.
const ENDINGS: [&str; 4] = ["png", "jpg", "jpeg", "bmp"];

/// All categories below `root`, in the order of their names: every folder that has `train/good`.
pub(super) fn find(root: &Path) -> Result<Vec<Category>, DataError> {
    if !root.is_dir() {
        return Err(DataError::Missing {
            what: "data folder",
            path: root.to_owned(),
            help: "set data.root in the sweep file, or DIDACT_DATA, to the folder that holds the categories".to_owned(),
        });
    }
    let mut categories = Vec::new();
    for folder in children(root)?.into_iter().filter(|path| path.join("train").join("good").is_dir()) {
        categories.push(category(&folder)?);
    }
    if categories.is_empty() {
        return Err(DataError::Missing {
            what: "a category folder with train/good below",
            path: root.to_owned(),
            help: "the mvtec layout is ROOT/<category>/train/good/*.png; ROOT is the folder above the categories"
                .to_owned(),
        });
    }
    Ok(categories)
}

fn category(folder: &Path) -> Result<Category, DataError> {
    let name = file_name(folder);
    let train = images(folder, &folder.join("train").join("good"), None)?;
    let mut test = Vec::new();
    let test_folder = folder.join("test");
    if test_folder.is_dir() {
        for kind in children(&test_folder)?.into_iter().filter(|path| path.is_dir()) {
            let defect = file_name(&kind);
            test.extend(images(folder, &kind, (defect != "good").then_some(&defect))?);
        }
    }
    Ok(Category { name, train, test })
}

/// The images of one folder, sorted by path, with their masks.
fn images(category: &Path, folder: &Path, defect: Option<&str>) -> Result<Vec<Sample>, DataError> {
    let files = children(folder)?.into_iter().filter(|path| path.is_file() && is_image(path));
    Ok(files
        .map(|path| Sample {
            image: path.strip_prefix(category).unwrap_or(&path).to_string_lossy().replace('\\', "/"),
            mask: defect.and_then(|defect| mask(category, defect, &path)),
            defect: defect.map(str::to_owned),
            source: ImageSource::File(path),
        })
        .collect())
}

/// The mask of an image, if there is one.
fn mask(category: &Path, defect: &str, image: &Path) -> Option<PathBuf> {
    let folder = category.join("ground_truth").join(defect);
    let stem = image.file_stem()?.to_string_lossy();
    ["_mask.png", ".png", "_mask.bmp", ".bmp"]
        .iter()
        .map(|ending| folder.join(format!("{stem}{ending}")))
        .find(|path| path.is_file())
}

fn is_image(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.contains(&ending.to_string_lossy().to_lowercase().as_str()))
}

/// What a folder holds, sorted by name, hidden entries left out.
fn children(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    WalkDir::new(folder)
        .min_depth(1)
        .max_depth(1)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter()
        .filter(|entry| entry.as_ref().map_or(true, |entry| !entry.file_name().to_string_lossy().starts_with('.')))
        .map(|entry| {
            entry.map(walkdir::DirEntry::into_path).map_err(|error| DataError::Io {
                path: error.path().unwrap_or(folder).to_owned(),
                source: error.into_io_error().unwrap_or_else(|| std::io::Error::other("a loop of links")),
            })
        })
        .collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{CategorySelection, DataSettings, Dataset, Layout};

    fn write_image(path: &Path, width: u32, height: u32) {
        std::fs::create_dir_all(path.parent().expect("has a folder")).expect("created");
        image::GrayImage::from_pixel(width, height, image::Luma([9])).save(path).expect("written");
    }

    fn settings(root: &Path, categories: CategorySelection) -> DataSettings {
        DataSettings {
            layout: Layout::Mvtec,
            root: Some(root.to_owned()),
            categories,
            image_size: 8,
            split_seed: 0,
            synthetic: None,
        }
    }

    fn miniature() -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a temporary folder");
        let nut = root.path().join("nut");
        for i in 0..3 {
            write_image(&nut.join(format!("train/good/{i:03}.png")), 8, 6);
        }
        write_image(&nut.join("test/good/000.PNG"), 8, 6);
        write_image(&nut.join("test/cut/000.bmp"), 8, 6);
        write_image(&nut.join("test/cut/001.png"), 8, 6);
        write_image(&nut.join("test/cut/002.png"), 8, 6);
        write_image(&nut.join("ground_truth/cut/000_mask.png"), 8, 6);
        write_image(&nut.join("ground_truth/cut/001.png"), 6, 6);
        std::fs::write(nut.join("test/cut/.hidden.png"), "").expect("written");
        std::fs::write(nut.join("test/cut/readme.txt"), "").expect("written");
        std::fs::create_dir_all(root.path().join("notes")).expect("created");
        root
    }

    #[test]
    fn a_miniature_is_found_with_both_mask_names() {
        let root = miniature();
        let dataset = Dataset::open(&settings(root.path(), CategorySelection::All)).expect("opens");
        let nut = dataset.category("nut").expect("is there");
        assert_eq!(nut.train.len(), 3);
        let test: Vec<_> = nut.test.iter().map(|s| (s.image.as_str(), s.defect.as_deref(), s.mask.is_some())).collect();
        assert_eq!(
            test,
            [
                ("test/cut/000.bmp", Some("cut"), true),
                ("test/cut/001.png", Some("cut"), true),
                ("test/cut/002.png", Some("cut"), false),
                ("test/good/000.PNG", None, false),
            ]
        );
        assert!(nut.test[0].load_mask(4).expect("fits").is_some_and(|mask| mask.pixels.iter().all(|p| *p)));
        let message = nut.test[1].load_mask(4).expect_err("another size").to_string();
        assert!(message.contains("6×6") && message.contains("8×6"), "{message}");
        assert_eq!(nut.test[2].load_mask(4).expect("no mask"), None);
    }

    #[test]
    fn a_wrong_category_suggests_the_near_one() {
        let root = miniature();
        let wanted = CategorySelection::Named(vec!["nutt".to_owned()]);
        let message = Dataset::open(&settings(root.path(), wanted)).expect_err("unknown").to_string();
        assert!(message.contains("did you mean `nut`"), "{message}");
    }

    #[test]
    fn an_empty_split_and_a_missing_root_are_refused() {
        let root = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir_all(root.path().join("nut/train/good")).expect("created");
        let message = Dataset::open(&settings(root.path(), CategorySelection::All)).expect_err("empty").to_string();
        assert!(message.contains("train/good of nut has 0 image(s)"), "{message}");
        let gone = root.path().join("gone");
        let message = Dataset::open(&settings(&gone, CategorySelection::All)).expect_err("missing").to_string();
        assert!(message.contains("DIDACT_DATA"), "{message}");
    }

    #[test]
    fn digests_follow_content_not_names() {
        let root = miniature();
        let open = || Dataset::open(&settings(root.path(), CategorySelection::All)).expect("opens");
        let before = open().categories()[0].clone();
        std::fs::rename(root.path().join("nut"), root.path().join("seed")).expect("renamed");
        let after = open().categories()[0].clone();
        assert_eq!(before.train_digest().ok(), None, "the old paths are gone");
        let train = after.train_digest().expect("readable");
        write_image(&root.path().join("seed/train/good/001.png"), 9, 6);
        assert_ne!(open().categories()[0].train_digest().expect("readable"), train);
    }
}
