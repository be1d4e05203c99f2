//! Refuses forbidden cases: one file with two roles, a mask as an image, one mask for two images.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::listing::{composed, file_stem, place};
use super::masks::without_word;
use super::{Parts, patterns};
use crate::data::sample::ImageSource;
use crate::data::{DataError, FolderSettings, Sample};

/// Refuses two names for one folder, whatever their spelling and links.
pub(super) fn folders(category: &Path, settings: &FolderSettings) -> Result<(), DataError> {
    let mut known: Vec<(PathBuf, &str)> = Vec::new();
    for name in settings.all() {
        if patterns::is_pattern(category, name)? {
            continue;
        }
        // Another check reports a missing folder.
        let Ok(real) = place(category, name).canonicalize() else { continue };
        if let Some((_, other)) = known.iter().find(|(folder, _)| *folder == real) {
            let (one, other) = ((*other).to_owned(), name.to_owned());
            return Err(DataError::SameFolder { category: category.to_owned(), one, other });
        }
        known.push((real, name));
    }
    Ok(())
}

/// Refuses files with two roles. If a table gives the role of each file, names are not compared.
pub(super) fn files(parts: &Parts, by_names: bool) -> Result<(), DataError> {
    let mut real = Real::default();
    let mut images: HashMap<PathBuf, (&str, &Sample)> = HashMap::new();
    let groups = [
        ("a training image", &parts.train),
        ("a training image", &parts.pool),
        ("a validation image", &parts.validation),
        ("a test image", &parts.test),
    ];
    let same = |one: (&str, &str), other: (&str, &str)| DataError::SameFile {
        category: parts.name.clone(),
        one: one.0.to_owned(),
        one_is: one.1.to_owned(),
        other: other.0.to_owned(),
        other_is: other.1.to_owned(),
    };
    for (role, sample) in groups.into_iter().flat_map(|(role, samples)| samples.iter().map(move |s| (role, s))) {
        let ImageSource::File(path) = &sample.source else { continue };
        if let Some((known, other)) = images.insert(real.path(path), (role, sample))
            && (known != role || role == "a test image")
        {
            return Err(same((&other.image, known), (&sample.image, role)));
        }
    }
    if by_names {
        stems(parts)?;
    }
    let mut masks: HashMap<PathBuf, &Sample> = HashMap::new();
    for sample in &parts.test {
        for mask in &sample.masks {
            let path = real.path(mask);
            if let Some((role, image)) = images.get(&path) {
                return Err(same((&image.image, role), (&mask.display().to_string(), "a mask")));
            }
            if let Some(other) = masks.insert(path, sample).filter(|_| by_names) {
                let (one, other) = (other.image.clone(), sample.image.clone());
                return Err(DataError::SharedMask { mask: mask.clone(), category: parts.name.clone(), one, other });
            }
        }
    }
    Ok(())
}

/// Refuses two images in one folder if one may be the mask of the other.
fn stems(parts: &Parts) -> Result<(), DataError> {
    let mut known: HashMap<(PathBuf, String), &Sample> = HashMap::new();
    let samples: Vec<(&Sample, PathBuf, String)> = [&parts.train, &parts.pool, &parts.validation, &parts.test]
        .into_iter()
        .flatten()
        .map(|sample| {
            let path = Path::new(&sample.image);
            (sample, path.parent().unwrap_or(path).to_owned(), composed(&file_stem(path)))
        })
        .collect();
    let pair = |one: &Sample, other: &Sample| DataError::Pair {
        category: parts.name.clone(),
        one: one.image.clone(),
        other: other.image.clone(),
    };
    for (sample, folder, stem) in &samples {
        if let Some(other) = known.insert((folder.clone(), stem.clone()), sample) {
            return Err(pair(other, sample));
        }
    }
    for (sample, folder, stem) in &samples {
        let image = without_word(stem);
        if image != stem
            && let Some(other) = known.get(&(folder.clone(), image.to_owned()))
        {
            return Err(pair(other, sample));
        }
    }
    Ok(())
}

/// Resolves links in paths, each folder once.
#[derive(Debug, Default)]
struct Real(HashMap<PathBuf, PathBuf>);

impl Real {
    fn path(&mut self, path: &Path) -> PathBuf {
        let resolved = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        match (path.parent(), path.file_name()) {
            (Some(folder), Some(name)) if !path.is_symlink() => {
                self.0.entry(folder.to_owned()).or_insert_with(|| resolved(folder)).join(name)
            }
            _ => resolved(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::data::layout::miniature::{self, Miniature};
    use crate::data::{DataSettings, Dataset, FolderSettings, Layout};

    fn named(names: [&str; 5]) -> FolderSettings {
        let [normals, validation, test_normals, anomalies, masks] = names;
        let some = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        FolderSettings {
            normals: normals.to_owned(),
            validation: some(validation),
            test_normals: some(test_normals),
            anomalies: some(anomalies).into_iter().collect(),
            masks: some(masks).into_iter().collect(),
        }
    }

    fn open(root: &Miniature, names: [&str; 5]) -> Result<Dataset, crate::data::DataError> {
        Dataset::open(&DataSettings { folder: Some(named(names)), ..root.settings(Some(Layout::Folder)) })
    }

    #[track_caller]
    fn refused(root: &Miniature, names: [&str; 5]) -> String {
        open(root, names).expect_err("one file as two things").to_string()
    }

    #[test]
    fn one_folder_under_two_names_is_refused_in_every_pair() {
        let root = Miniature::with(&["c/ok/0.png", "c/ok/1.png", "c/nok/0.png", "c/fine/0.png"]);
        for names in [
            ["ok", "", "ok", "nok", ""],
            ["ok", "./ok", "", "nok", ""],
            ["ok", "", "ok/", "nok", ""],
            ["ok", "", "", "ok", ""],
            ["ok", "", "fine", "fine", ""],
            ["ok", "", "", "nok", "nok/."],
            ["ok", "fine", ".//fine", "nok", ""],
        ] {
            let message = refused(&root, names);
            assert!(message.contains("same folder"), "{names:?}: {message}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_get_round_nothing() {
        use std::os::unix::fs::symlink;
        let root = Miniature::with(&["c/ok/0.png", "c/ok/1.png", "c/nok/0.png", "c/fine/7.png"]);
        symlink(root.path("c/ok"), root.path("c/alias")).expect("linked");
        assert!(refused(&root, ["ok", "", "alias", "nok", ""]).contains("same folder"));
        symlink(root.path("c/ok/0.png"), root.path("c/fine/0.png")).expect("linked");
        let message = refused(&root, ["ok", "", "fine", "nok", ""]);
        assert!(message.contains("ok/0.png (a training image) and fine/0.png (a test image)"), "{message}");
        let mvtec = miniature::mvtec();
        symlink(mvtec.path("nut/train/good/000.png"), mvtec.path("nut/test/cut/009.png")).expect("linked");
        assert!(mvtec.refused(None).contains("are the same file"));
    }

    #[test]
    fn patterns_that_meet_are_refused() {
        let root = Miniature::with(&["c/ok/0.png", "c/ok/1.png", "c/nok/0.png"]);
        assert!(refused(&root, ["ok", "", "*/0.png", "nok", ""]).contains("are the same file"));
    }

    #[test]
    fn an_image_beside_one_of_its_stem_may_be_its_mask() {
        for (image, mask) in
            [("a.jpg", "a.png"), ("Part0.jpg", "Part0_label.bmp"), ("b.png", "b_GT.png"), ("b.png", "b-mask.png")]
        {
            let root = Miniature::with(&["c/nok/0.png", "c/ok/other.png"]);
            root.image(&format!("c/ok/{image}"));
            root.image(&format!("c/ok/{mask}"));
            let message = refused(&root, ["ok", "", "", "nok", ""]);
            assert!(message.contains(image) && message.contains(mask) && message.contains("pattern"), "{message}");
        }
    }

    #[test]
    fn images_and_masks_of_one_folder_are_told_apart_by_patterns() {
        let root = Miniature::with(&["c/all/n0.jpg", "c/all/n1.jpg", "c/all/d0.jpg"]);
        root.mask("c/all/d0.png", (1, 1), 255);
        root.mask("c/all/n0_mask.png", (0, 0), 255);
        let dataset = open(&root, ["all/n*", "", "", "all/d*.jpg", "all/*.png"]).expect("opens");
        let category = &dataset.categories()[0];
        let train: Vec<&str> = category.train.iter().map(|sample| sample.image.as_str()).collect();
        assert_eq!(train, ["all/n0.jpg", "all/n1.jpg"], "a mask is never trained on");
        assert_eq!(miniature::test_images(category), [("all/d0.jpg", Some("all"), 1)]);
    }

    #[test]
    fn one_mask_for_two_images_is_refused() {
        let root = miniature::mvtec();
        root.image("nut/test/cut/000.png");
        assert!(root.refused(None).contains("have the same stem"));
        let flat = Miniature::with(&["c/ok/0.png", "c/ok/1.png", "c/nok/cut/0.png", "c/nok/dent/0.png"]);
        flat.mask("c/marks/0.png", (1, 1), 255);
        let message = refused(&flat, ["ok", "", "", "nok", "marks"]);
        assert!(message.contains("nok/cut/0.png and nok/dent/0.png") && message.contains("marks/0.png"), "{message}");
    }

    #[test]
    fn a_kind_that_sounds_normal_is_refused() {
        for kind in ["Good", "ok", "NORMAL"] {
            let root = miniature::mvtec();
            root.image(&format!("nut/test/{kind}/0.png"));
            let message = root.refused(None);
            assert!(message.contains(&format!("test/{kind}")) && message.contains("test/good"), "{message}");
        }
    }
}
