//! Recognises how a category's folder is arranged.

use std::path::{Path, PathBuf};

use super::listing::{file_name, folders, is_folder};
use super::visa;
use crate::data::{DataError, FolderSettings, Layout};
use crate::published::layout_of_categories;
use crate::settings::Named;

/// How one category is arranged. Several data sets may share an arrangement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrangement {
    /// `train/good`, `test`, `ground_truth`.
    Mvtec,
    /// `test_public`.
    MvtecAd2,
    /// `validation` and `test/logical_anomalies` or `test/structural_anomalies`.
    Loco,
    /// `train/ok`.
    Btad,
    /// `Data/Images`, with a table of the split next to the categories.
    VisaRaw,
}

impl Arrangement {
    /// Recognises the arrangement by the folders that exist; returns `None` if the folder is not a category.
    ///
    /// # Errors
    /// Fails if a folder above one of them cannot be read.
    pub(super) fn of(category: &Path) -> Result<Option<Self>, DataError> {
        let has = |place: &str| is_folder(&category.join(place));
        Ok(if has("test_public")? && has("train/good")? {
            Some(Self::MvtecAd2)
        } else if has("validation")? && (has("test/logical_anomalies")? || has("test/structural_anomalies")?) {
            Some(Self::Loco)
        } else if has("train/ok")? {
            Some(Self::Btad)
        } else if has("Data/Images")? {
            Some(Self::VisaRaw)
        } else if has("train/good")? {
            Some(Self::Mvtec)
        } else {
            None
        })
    }

    /// Returns whether a data set of this layout can have this arrangement.
    pub(super) fn fits(self, layout: Layout) -> bool {
        match self {
            Self::Mvtec => matches!(layout, Layout::Mvtec | Layout::Mpdd | Layout::Visa),
            Self::MvtecAd2 => layout == Layout::MvtecAd2,
            Self::Loco => layout == Layout::Loco,
            Self::Btad => layout == Layout::Btad,
            Self::VisaRaw => layout == Layout::Visa,
        }
    }

    /// Returns the layout of a data set whose categories have this arrangement. MVTec AD, MPDD and prepared VisA share an arrangement; the
    /// names of their categories tell them apart.
    pub(super) fn layout<'n>(self, categories: impl Iterator<Item = &'n str>) -> Layout {
        match self {
            Self::Mvtec => {
                let publisher = layout_of_categories(categories);
                let alike = [Layout::Mpdd, Layout::Visa];
                alike.into_iter().find(|layout| publisher == Some(layout.name())).unwrap_or(Layout::Mvtec)
            }
            Self::MvtecAd2 => Layout::MvtecAd2,
            Self::Loco => Layout::Loco,
            Self::Btad => Layout::Btad,
            Self::VisaRaw => Layout::Visa,
        }
    }

    /// Returns the folders of the images; `None` if a table lists the images instead.
    pub(super) fn places(self) -> Option<FolderSettings> {
        let places = |normal: &str, validation: Option<&str>, test: &str, masks: &str| FolderSettings {
            normals: format!("train/{normal}"),
            validation: validation.map(str::to_owned),
            test_normals: Some(format!("{test}/{normal}")),
            anomalies: vec![test.to_owned()],
            masks: vec![masks.to_owned()],
        };
        let validation = Some("validation/good");
        match self {
            Self::Mvtec => Some(places("good", None, "test", "ground_truth")),
            Self::MvtecAd2 => Some(places("good", validation, "test_public", "test_public/ground_truth")),
            Self::Loco => Some(places("good", validation, "test", "ground_truth")),
            Self::Btad => Some(places("ok", None, "test", "ground_truth")),
            Self::VisaRaw => None,
        }
    }
}

/// A category's folder with its arrangement.
pub(super) type Seen = (PathBuf, Arrangement);

/// Returns the categories below a root with their arrangements, and the other folders, both sorted by name.
pub(super) fn survey(root: &Path) -> Result<(Vec<Seen>, Vec<PathBuf>), DataError> {
    let (mut categories, mut others) = (Vec::new(), Vec::new());
    for path in folders(root)? {
        match Arrangement::of(&path)? {
            Some(arrangement) => categories.push((path, arrangement)),
            None => others.push(path),
        }
    }
    if categories.iter().any(|(_, arrangement)| *arrangement == Arrangement::VisaRaw) {
        others.retain(|path| file_name(path) != visa::FOLDER);
    }
    Ok((categories, others))
}

/// Returns the layouts of surveyed categories, each with the names of its categories, in the order in which they are first seen.
pub(super) fn layouts(categories: &[(PathBuf, Arrangement)]) -> Vec<(Layout, Vec<String>)> {
    let mut kinds: Vec<(Arrangement, Vec<String>)> = Vec::new();
    for (path, arrangement) in categories {
        match kinds.iter_mut().find(|(known, _)| known == arrangement) {
            Some((_, names)) => names.push(file_name(path)),
            None => kinds.push((*arrangement, vec![file_name(path)])),
        }
    }
    let layout = |(arrangement, names): (Arrangement, Vec<String>)| {
        (arrangement.layout(names.iter().map(String::as_str)), names)
    };
    kinds.into_iter().map(layout).collect()
}

/// Returns the folders that each layout expects below its root.
pub(super) fn expected(layout: Layout) -> &'static str {
    match layout {
        Layout::Mvtec | Layout::Mpdd => "ROOT/<category>/train/good, test/{good,<defect>}, ground_truth/<defect>",
        Layout::MvtecAd2 => "ROOT/<category>/train/good, validation/good, test_public/{good,bad,ground_truth/bad}",
        Layout::Loco => {
            "ROOT/<category>/train/good, validation/good, test/{good,logical_anomalies,structural_anomalies}, \
             ground_truth/<kind>/<image>/*.png"
        }
        Layout::Visa => {
            "ROOT/<category>/Data/Images/{Normal,Anomaly} beside ROOT/split_csv/1cls.csv, or, prepared, \
             ROOT/<category>/train/good, test/{good,bad}, ground_truth/bad"
        }
        Layout::Btad => "ROOT/<category>/train/ok, test/{ok,ko}, ground_truth/ko",
        Layout::Folder => "ROOT/<category>/ with the folders that data.folder names",
        Layout::Table => "the files that data.table names",
        Layout::Synthetic => "nothing: didact draws it",
    }
}
