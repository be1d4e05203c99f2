//! Accounts for every file and folder below a category: each is used, or reported with the reason why it is not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Parts;
use super::listing::{below, entries, file_name, is_image, is_of_the_system, metadata};
use crate::data::sample::ImageSource;
use crate::data::{DataError, Layout};
use crate::text::{agreeing, counted};

/// Depth to which folders are searched; deeper folders are reported.
const DEEPEST: usize = 24;

/// Number of files and folders that a group names.
const NAMED: usize = 3;

/// UnusedReason a file or folder is not used. Reports list the reasons in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnusedReason {
    /// An image in the folder of masks that fits no image.
    Mask,
    /// An image in a folder that the layout does not read.
    Image,
    /// A validation image, in a layout that has none.
    Validation,
    /// An image that the table does not list.
    Unlisted,
    /// A test image of MVTec AD 2 without labels.
    Private,
    /// A file whose name does not end as an image's does.
    Other,
    /// An empty folder.
    Empty,
    /// A link that leads nowhere or in a circle.
    Link,
    /// A link to a folder from which no file is used.
    LinkedFolder,
    /// A folder too deep to be searched.
    Deep,
    /// A hidden entry, or one made by an operating system.
    System,
}

impl UnusedReason {
    fn description(self) -> &'static str {
        match self {
            Self::Mask => "masks that fit no image: a mask has its image's stem, alone or with _mask, _gt or _label",
            Self::Image => {
                "images in a folder that this layout does not read: move them, or give their location as a pattern in data.folder"
            }
            Self::Validation => {
                "validation images, which this layout does not read: layout = \"folder\" holds out those of data.folder.validation"
            }
            Self::Unlisted => "images that no row of the table lists",
            Self::Private => "private test images, which have no labels",
            Self::Other => "files without the extension of an image",
            Self::Empty => "empty folders",
            Self::Link => "links that are broken or circular",
            Self::LinkedFolder => "links to folders from which no file is read",
            Self::Deep => "folders too deep to be searched",
            Self::System => "hidden, or created by an operating system",
        }
    }
}

/// Files and folders that are not used for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unused {
    /// UnusedReason they are not used.
    pub why: UnusedReason,
    /// Number of files and folders.
    pub count: usize,
    /// The first of them, as paths below the category.
    pub named: Vec<String>,
}

impl std::fmt::Display for Unused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (entries, are) = (counted(self.count, "entry"), agreeing(self.count, "is", "are"));
        write!(f, "{entries} {are} not used: {}", self.named.join(", "))?;
        if self.count > self.named.len() {
            write!(f, " and {} more", self.count - self.named.len())?;
        }
        write!(f, " ({})", self.why.description())
    }
}

/// Returns the files and folders of a category that are not used, grouped by reason.
///
/// # Errors
/// Fails if a folder cannot be read.
pub(in crate::data) fn unused(parts: &Parts, layout: Layout) -> Result<Vec<Unused>, DataError> {
    let Some(folder) = &parts.folder else { return Ok(Vec::new()) };
    account(folder, &[parts], layout)
}

/// Returns the files and folders below `folder` that none of these categories uses, grouped by reason.
pub(in crate::data) fn account(folder: &Path, all: &[&Parts], layout: Layout) -> Result<Vec<Unused>, DataError> {
    let samples = all.iter().flat_map(|parts| [&parts.train, &parts.pool, &parts.validation, &parts.test]).flatten();
    let mut used: BTreeSet<PathBuf> = BTreeSet::new();
    for sample in samples {
        if let ImageSource::File(path) = &sample.source {
            used.insert(path.components().collect());
        }
        used.extend(sample.masks.iter().map(|mask| mask.components().collect::<PathBuf>()));
    }
    used.extend(all.iter().flat_map(|parts| parts.known.iter().map(|path| path.components().collect::<PathBuf>())));
    let masks = all.iter().flat_map(|parts| parts.mask_folders.iter().cloned()).collect();
    let folder: PathBuf = folder.components().collect();
    let mut account = Account { folder: folder.clone(), used, masks, layout, found: BTreeMap::new() };
    account.visit(&folder, 0)?;
    Ok(account.found.into_iter().map(|(why, (count, named))| Unused { why, count, named }).collect())
}

struct Account {
    folder: PathBuf,
    used: BTreeSet<PathBuf>,
    masks: Vec<PathBuf>,
    layout: Layout,
    found: BTreeMap<UnusedReason, (usize, Vec<String>)>,
}

impl Account {
    fn visit(&mut self, folder: &Path, depth: usize) -> Result<(), DataError> {
        let entries = entries(folder)?;
        if entries.is_empty() {
            self.add(UnusedReason::Empty, folder);
        }
        for path in entries {
            if self.used.contains(&path) {
                continue;
            }
            if is_of_the_system(&path) {
                self.add(UnusedReason::System, &path);
                continue;
            }
            match metadata(&path)? {
                None => self.add(UnusedReason::Link, &path),
                // Follow a link only if images were found behind it: any other link may lead anywhere.
                Some(found) if found.is_dir() && path.is_symlink() && !self.holds_used(&path) => {
                    self.add(UnusedReason::LinkedFolder, &path);
                }
                Some(found) if found.is_dir() && depth >= DEEPEST => self.add(UnusedReason::Deep, &path),
                Some(found) if found.is_dir() => self.visit(&path, depth + 1)?,
                Some(_) => self.add(self.why(&path), &path),
            }
        }
        Ok(())
    }

    fn holds_used(&self, folder: &Path) -> bool {
        self.used.range(folder.to_owned()..).next().is_some_and(|path| path.starts_with(folder))
    }

    fn why(&self, path: &Path) -> UnusedReason {
        let first = below(&self.folder, path);
        if !is_image(path) {
            UnusedReason::Other
        } else if self.layout == Layout::Table {
            UnusedReason::Unlisted
        } else if self.masks.iter().any(|masks| path.starts_with(masks)) {
            UnusedReason::Mask
        } else if let Some((_, reason)) =
            self.layout.description().unused.iter().find(|(start, _)| first.starts_with(start))
        {
            *reason
        } else if first.starts_with("validation/") && self.layout != Layout::Folder {
            UnusedReason::Validation
        } else {
            UnusedReason::Image
        }
    }

    fn add(&mut self, why: UnusedReason, path: &Path) {
        let (count, named) = self.found.entry(why).or_default();
        *count += 1;
        if named.len() < NAMED {
            let name = below(&self.folder, path);
            named.push(if name.is_empty() { file_name(path) } else { name });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::layout::miniature::{self, Miniature};
    use crate::data::{DataSettings, FolderSettings, check};

    /// Returns what the check reports as unused in the only category.
    fn reported(settings: &DataSettings) -> Vec<(UnusedReason, usize, Vec<String>)> {
        let report = check(settings).expect("finds");
        report.categories[0].unused.iter().map(|unused| (unused.why, unused.count, unused.named.clone())).collect()
    }

    fn group(why: UnusedReason, named: &[&str]) -> (UnusedReason, usize, Vec<String>) {
        (why, named.len(), named.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn what_a_layout_does_not_read_is_named_with_the_reason() {
        let root = miniature::mvtec();
        for image in ["test/@eaDir/0.png", "test/cut/rgb/0.png", "validation/good/0.png", "ground_truth/cut/9_mask.png"]
        {
            root.image(&format!("nut/{image}"));
        }
        root.text("nut/test/Thumbs.db", "");
        std::fs::create_dir_all(root.path("nut/test/void")).expect("created");
        let expected = [
            group(UnusedReason::Mask, &["ground_truth/cut/9_mask.png"]),
            group(UnusedReason::Image, &["test/cut/rgb/0.png"]),
            group(UnusedReason::Validation, &["validation/good/0.png"]),
            group(UnusedReason::Other, &["test/cut/readme.txt"]),
            group(UnusedReason::Empty, &["test/void"]),
            group(UnusedReason::System, &["test/@eaDir", "test/Thumbs.db", "test/cut/.hidden.png"]),
        ];
        assert_eq!(reported(&root.settings(None)), expected);
        let report = check(&root.settings(None)).expect("finds");
        assert_eq!(report.categories[0].test, [("cut".to_owned(), 3), ("good".to_owned(), 1)]);
        let line = report.categories[0].unused[1].to_string();
        assert!(line.starts_with("1 entry is not used: test/cut/rgb/0.png ("), "{line}");
    }

    #[test]
    fn many_of_one_reason_are_counted_and_three_named() {
        let root = miniature::mvtec();
        (0..5).for_each(|index| root.image(&format!("nut/photos/{index}.png")));
        let report = check(&root.settings(None)).expect("finds");
        let line = report.categories[0].unused[0].to_string();
        assert!(
            line.starts_with("5 entries are not used: photos/0.png, photos/1.png, photos/2.png and 2 more"),
            "{line}"
        );
    }

    #[test]
    fn each_layout_uses_all_of_its_own() {
        for (root, left) in [
            (miniature::loco(), vec![]),
            (
                miniature::ad2(),
                vec![group(UnusedReason::Private, &["test_private/000.png", "test_private_mixed/000.png"])],
            ),
            (miniature::btad(), vec![]),
            (miniature::visa(), vec![group(UnusedReason::Image, &["Data/Images/Normal/0003.JPG"])]),
            (miniature::visa_prepared(), vec![]),
            (miniature::mpdd(), vec![]),
        ] {
            assert_eq!(reported(&root.settings(None)), left);
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_where_images_are_read_and_named_elsewhere() {
        use std::os::unix::fs::symlink;
        let root = miniature::mvtec();
        let (nut, away) = (root.path("nut"), Miniature::with(&["good/5.png"]));
        std::fs::rename(nut.join("train"), away.path("train")).expect("moved");
        symlink(away.path("train"), nut.join("train")).expect("linked");
        symlink(away.path("nowhere"), nut.join("train/good/7.png")).expect("linked");
        symlink(nut.join("test"), nut.join("test/cut/again")).expect("linked");
        symlink("self", nut.join("self")).expect("linked");
        symlink(away.path("nowhere"), root.path("gone")).expect("linked");
        let told = reported(&root.settings(None));
        assert!(told.contains(&group(UnusedReason::Link, &["self", "train/good/7.png"])), "{told:?}");
        assert!(told.contains(&group(UnusedReason::LinkedFolder, &["test/cut/again"])), "{told:?}");
        assert_eq!(root.open(None).expect("opens").categories()[0].train.len(), 3);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_may_not_be_read_is_not_a_folder_without_masks() {
        use std::os::unix::fs::PermissionsExt;
        let root = miniature::mvtec();
        for place in ["nut/ground_truth", "nut/ground_truth/cut", "nut/test"] {
            let folder = root.path(place);
            std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o0)).expect("closed");
            // Root can read every folder.
            let closed = std::fs::read_dir(&folder).is_err();
            let opened = root.open(None);
            std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).expect("opened");
            if closed {
                let message = opened.expect_err("cannot be read").to_string();
                assert!(message.contains(place) && message.contains("ermission denied"), "{message}");
            }
        }
    }

    #[test]
    fn folders_beside_categories_are_told() {
        let root = miniature::mvtec();
        root.image("cable/test/good/0.png");
        root.image("bolt/train/Good/0.png");
        root.image("@eaDir/train/good/0.png");
        let notes = check(&root.settings(None)).expect("finds").notes;
        for told in [
            "cable is not used: it looks like a category with test, but has no train/good",
            "bolt is not used: it has train/Good where this layout has train/good: rename that folder",
            "notes is not used: it is not a category, because it has no train/good",
        ] {
            assert!(notes.iter().any(|note| note == told), "{notes:?}");
        }
        let alone = Miniature::with(&["bolt/train/GOOD/0.png"]);
        assert!(alone.refused(None).contains("it has train/GOOD"), "{}", alone.refused(None));
    }

    #[test]
    fn masks_of_no_image_and_images_of_no_row_are_named() {
        let root = Miniature::with(&["c/ok/0.png", "c/ok/1.png", "c/nok/0.jpg", "c/other/3.png"]);
        root.mask("c/nok/0_mask.png", (1, 1), 255);
        let folder = FolderSettings {
            normals: "ok".to_owned(),
            validation: None,
            test_normals: None,
            anomalies: vec!["nok/*.jpg".to_owned()],
            masks: vec!["nok/*_mask.png".to_owned()],
        };
        let settings = DataSettings { folder: Some(folder), ..root.settings(Some(Layout::Folder)) };
        assert_eq!(reported(&settings), [group(UnusedReason::Image, &["other/3.png"])]);
        root.text(
            "t.csv",
            "category,split,kind,image\nc,train,normal,c/ok/0.png\nc,train,good,c/ok/1.png\nc,test,cut,c/nok/0.jpg\n",
        );
        let table = DataSettings { table: Some("t.csv".into()), ..root.settings(Some(Layout::Table)) };
        let notes = check(&table).expect("finds").notes;
        assert!(
            notes.iter().any(|note| note.contains("2 entries are not used: c/nok/0_mask.png, c/other/3.png")),
            "{notes:?}"
        );
    }
}
