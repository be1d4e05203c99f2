//! Finds the masks of one kind of defect by the image's name, whatever their extensions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::listing::{children, composed, ending, file_name, file_stem, folders, images, is_folder, is_image, place};
use super::patterns;
use crate::data::DataError;

/// Preferred extensions of masks, the most preferred first.
const PREFERRED: [&str; 2] = ["png", "bmp"];

/// Words that data sets append to a mask's name, after `_` or `-`, in any case.
const WORDS: [&str; 3] = ["mask", "gt", "label"];

/// Returns the name of the image that a mask of this name would belong to, or the name itself.
pub(super) fn without_word(stem: &str) -> &str {
    let Some(at) = stem.rfind(['_', '-']) else { return stem };
    match WORDS.contains(&stem[at + 1..].to_lowercase().as_str()) {
        true => &stem[..at],
        false => stem,
    }
}

/// Masks that may belong to images of one kind.
#[derive(Debug, Default)]
struct Source {
    /// Files by their stems, the preferred extension first.
    files: BTreeMap<String, Vec<PathBuf>>,
    /// Folders by their names; each holds several masks of one image.
    folders: BTreeMap<String, PathBuf>,
}

impl Source {
    /// Lists a folder. In the folder of a kind, each inner folder holds the masks of one image.
    fn folder(folder: &Path, of_kind: bool) -> Result<Self, DataError> {
        let mut source = Self::default();
        for path in children(folder)? {
            if !is_folder(&path)? {
                source.add(path);
            } else if of_kind {
                source.folders.insert(composed(&file_name(&path)), path);
            }
        }
        Ok(source.sorted())
    }

    fn of_files<'p>(files: impl Iterator<Item = &'p PathBuf>) -> Self {
        let mut source = Self::default();
        files.for_each(|path| source.add(path.clone()));
        source.sorted()
    }

    fn add(&mut self, path: PathBuf) {
        if is_image(&path) {
            self.files.entry(composed(&file_stem(&path))).or_default().push(path);
        }
    }

    fn sorted(mut self) -> Self {
        let rank =
            |path: &PathBuf| PREFERRED.iter().position(|known| *known == ending(path)).unwrap_or(PREFERRED.len());
        self.files.values_mut().for_each(|files| files.sort_by_key(rank));
        self
    }

    /// Returns the masks of an image: `<stem>_mask.*`, else `<stem>.*`, else a name with another word instead of `mask`, else all files in
    /// the folder `<stem>`. A name that also has the image's extension (`a.jpg.png`) wins over one that does not.
    fn of(&self, image: &Path) -> Result<Vec<PathBuf>, DataError> {
        for base in [composed(&file_name(image)), composed(&file_stem(image))] {
            let named = [format!("{base}_mask"), base.clone()];
            let found = named.iter().find_map(|name| self.files.get(name)?.first());
            let worded = || {
                let others = self.files.range(base.clone()..).take_while(|(stem, _)| stem.starts_with(&base));
                others.filter(|(stem, _)| without_word(stem) == base).find_map(|(_, files)| files.first())
            };
            if let Some(path) = found.or_else(worded) {
                return Ok(vec![path.clone()]);
            }
        }
        match self.folders.get(&composed(&file_stem(image))) {
            Some(folder) => images(folder),
            None => Ok(Vec::new()),
        }
    }
}

/// Possible sources of the masks of a kind of defect, in the order of the search.
#[derive(Debug, Default)]
pub(super) struct Masks {
    folders: Vec<Source>,
    /// Files that a pattern matches, by their folder, for masks next to their images.
    beside: BTreeMap<PathBuf, Source>,
    /// Pattern matches in a folder with the kind's name, then all pattern matches.
    matched: [Source; 2],
}

impl Masks {
    /// Finds the mask sources of a kind whose images are in `below`, under a folder of anomalies. Each named place is searched for that
    /// sub-folder, then for one with the kind's name; if neither exists, the place itself is used.
    pub(super) fn open(category: &Path, named: &[String], kind: &str, below: &str) -> Result<Self, DataError> {
        let mut masks = Self::default();
        let mut matched: Vec<PathBuf> = Vec::new();
        for name in named {
            if patterns::is_pattern(category, name)? {
                matched.extend(patterns::images(category, name)?);
                continue;
            }
            let folder = place(category, name);
            let mut own = None;
            for path in [folder.join(below), folder.join(kind)] {
                if own.is_none() && path != folder && is_folder(&path)? {
                    own = Some(path);
                }
            }
            match own {
                Some(path) => masks.folders.push(Source::folder(&path, true)?),
                // If a place has folders of other kinds, files next to them are not masks of this kind.
                None if is_folder(&folder)? && (below.is_empty() || folders(&folder)?.is_empty()) => {
                    masks.folders.push(Source::folder(&folder, below.is_empty())?);
                }
                None => {}
            }
        }
        for path in &matched {
            masks.beside.entry(path.parent().unwrap_or(category).to_owned()).or_default().add(path.clone());
        }
        masks.beside = masks.beside.into_iter().map(|(folder, source)| (folder, source.sorted())).collect();
        let of_kind = |path: &&PathBuf| path.parent().is_some_and(|folder| folder.iter().any(|part| part == kind));
        masks.matched = [Source::of_files(matched.iter().filter(of_kind)), Source::of_files(matched.iter())];
        Ok(masks)
    }

    /// Returns the masks of an image; the list is empty if there are none.
    pub(super) fn of(&self, image: &Path) -> Result<Vec<PathBuf>, DataError> {
        let beside = image.parent().and_then(|folder| self.beside.get(folder));
        for source in self.folders.iter().chain(beside).chain(&self.matched) {
            let found = source.of(image)?;
            if !found.is_empty() && found != [image] {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use crate::data::layout::miniature::{self, Miniature, test_images};
    use crate::data::{DataSettings, Dataset, FolderSettings, Layout};

    #[test]
    fn masks_are_found_by_the_words_that_data_sets_use() {
        for name in ["002_mask.png", "002_GT.png", "002_label.bmp", "002_MASK.PNG", "002-gt.png", "002.png.png"] {
            let root = miniature::mvtec();
            root.mask(&format!("nut/ground_truth/cut/{name}"), (1, 1), 255);
            let nut = root.open(None).expect("opens");
            assert_eq!(test_images(&nut.categories()[0])[2], ("test/cut/002.png", Some("cut"), 1), "{name}");
        }
        let root = miniature::mvtec();
        root.mask("nut/ground_truth/cut/002_other.png", (1, 1), 255);
        root.mask("nut/ground_truth/cut/0021_mask.png", (1, 1), 255);
        assert_eq!(test_images(&root.open(None).expect("opens").categories()[0])[2].2, 0);
    }

    #[test]
    fn names_match_in_every_form_of_unicode() {
        // The character é as one code point and as two.
        for (image, mask) in [("caf\u{e9}", "cafe\u{301}"), ("cafe\u{301}", "caf\u{e9}")] {
            let root = miniature::mvtec();
            root.image(&format!("nut/test/cut/{image}.png"));
            root.mask(&format!("nut/ground_truth/cut/{mask}_mask.png"), (1, 1), 255);
            let nut = root.open(None).expect("opens");
            let name = format!("test/cut/{image}.png");
            assert!(test_images(&nut.categories()[0]).contains(&(name.as_str(), Some("cut"), 1)));
        }
    }

    #[test]
    fn masks_lie_in_folders_of_kinds_however_these_are_named() {
        let root = Miniature::with(&[
            "c/ok/0.png",
            "c/ok/1.png",
            "c/colour/0.jpg",
            "c/crack/0.jpg",
            "c/bad/rgb/dent/0.png",
            "c/bad/rgb/scratch/0.png",
        ]);
        for mask in ["mask/colour/0.png", "mask/crack/0.png", "more/dent/0.png", "more/scratch/0_mask.png"] {
            root.mask(&format!("c/{mask}"), (1, 1), 255);
        }
        let masks = |anomalies: &[&str], masks: &[&str]| {
            let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
            let folder = FolderSettings {
                normals: "ok/*".to_owned(),
                validation: None,
                test_normals: None,
                anomalies: texts(anomalies),
                masks: texts(masks),
            };
            let settings = DataSettings { folder: Some(folder), ..root.settings(Some(Layout::Folder)) };
            let dataset = Dataset::open(&settings).expect("opens");
            let test = &dataset.categories()[0].test;
            let of = |sample: &crate::data::Sample| {
                let mask = sample
                    .masks
                    .first()
                    .map(|path| path.strip_prefix(root.path("c")).expect("below").display().to_string());
                (sample.defect.clone().unwrap_or_default(), mask.unwrap_or_default())
            };
            test.iter().map(of).collect::<Vec<_>>()
        };
        let pair = |kind: &str, mask: &str| (kind.to_owned(), mask.to_owned());
        let four = [
            pair("dent", "more/dent/0.png"),
            pair("scratch", "more/scratch/0_mask.png"),
            pair("colour", "mask/colour/0.png"),
            pair("crack", "mask/crack/0.png"),
        ];
        assert_eq!(masks(&["colour", "crack", "bad/rgb"], &["mask", "more"]), four);
        assert_eq!(masks(&["c*/*.jpg", "bad/rgb/*/*.png"], &["mask/*/*.png", "more/**/*.png"]), four);
    }
}
