//! Reads VisA as published: images are sorted by label, and a table splits them into training and test part.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::mvtec;
use crate::data::layout::Parts;
use crate::data::layout::description::{Arrangement, Description, ImageFiles};
use crate::data::layout::listing::file_name;
use crate::data::layout::rows::{Row, Rows};
use crate::data::sample::ImageSource;
use crate::data::{DataError, Sample};

const ARRANGEMENT: Arrangement = Arrangement {
    recognised_by: &[&["Data/Images"]],
    images: ImageFiles::Listed(read),
    next_to_categories: &["split_csv"],
};

pub(super) const DESCRIPTION: Description = Description::of(
    &[&ARRANGEMENT, &mvtec::ARRANGEMENT],
    "ROOT/<category>/Data/Images/{Normal,Anomaly} next to ROOT/split_csv/1cls.csv, or, prepared, \
     ROOT/<category>/train/good, test/{good,bad}, ground_truth/bad",
);

/// Path of the table of the one-class split, below the root.
const TABLE: &str = "split_csv/1cls.csv";

/// The table's columns, in no fixed order.
const COLUMNS: [&str; 5] = ["object", "split", "label", "image", "mask"];

/// Reads one category from the table below the root. The table has ten thousand lines: reading it once per category is quicker than
/// keeping it.
fn read(root: &Path, category: &Path) -> Result<Parts, DataError> {
    let path = root.join(TABLE);
    if !path.is_file() {
        let help = "VisA's archive has it next to the categories: it lists the images for training".to_owned();
        return Err(DataError::Missing { what: "table of the split", path, help });
    }
    Table { root: root.to_owned(), rows: Rows::read(&path, &COLUMNS, &[])? }.parts(category)
}

/// The table as text. The rows of a category are checked when it is requested.
#[derive(Debug)]
struct Table {
    root: PathBuf,
    rows: Rows,
}

impl Table {
    /// Returns the images of one category.
    fn parts(&self, category: &Path) -> Result<Parts, DataError> {
        let name = file_name(category);
        let mut parts = Parts {
            train_place: format!("the training part by {TABLE}"),
            name: name.clone(),
            folder: Some(category.to_owned()),
            mask_folders: vec![category.join("Data/Masks")],
            ..Parts::default()
        };
        let mut seen: BTreeMap<String, u64> = BTreeMap::new();
        for row in self.rows.rows.iter().filter(|row| row.text(0) == name) {
            let (is_train, sample) = self.sample(&name, row)?;
            if let Some(line) = seen.insert(sample.image.clone(), row.line()) {
                return Err(self.rows.wrong(row, 3, format!("it is in line {line} already"), "each image once"));
            }
            if is_train { &mut parts.train } else { &mut parts.test }.push(sample);
        }
        for samples in [&mut parts.train, &mut parts.test] {
            samples.sort_by(|a, b| Path::new(&a.image).cmp(Path::new(&b.image)));
        }
        Ok(parts)
    }

    /// Returns the image of a row, and whether it is for training.
    fn sample(&self, category: &str, row: &Row) -> Result<(bool, Sample), DataError> {
        let wrong = |column, message, help: &str| self.rows.wrong(row, column, message, help);
        let (split, label, image, mask) = (row.text(1), row.text(2), row.text(3), row.text(4));
        let is_train = match split {
            "train" => true,
            "test" => false,
            _ => return Err(wrong(1, format!("it is \"{split}\""), "\"train\" or \"test\"")),
        };
        let defect = match label {
            "normal" => None,
            "anomaly" => Some("anomaly".to_owned()),
            _ => return Err(wrong(2, format!("it is \"{label}\""), "\"normal\" or \"anomaly\"")),
        };
        if is_train && defect.is_some() {
            return Err(wrong(2, "it is \"anomaly\"".to_owned(), "\"normal\": this image is for training"));
        }
        let Some(below) = image.strip_prefix(category).and_then(|rest| rest.strip_prefix('/')) else {
            return Err(wrong(3, format!("it is \"{image}\""), &format!("a path below {category}/")));
        };
        let masks = match (mask, &defect) {
            ("", _) | (_, None) => Vec::new(),
            (mask, Some(_)) => vec![self.file(row, 4, mask)?],
        };
        let source = ImageSource::File(self.file(row, 3, image)?);
        Ok((is_train, Sample { image: below.to_owned(), defect, source, masks, mask_above: 0 }))
    }

    /// Returns the path of a file that a row names.
    fn file(&self, row: &Row, column: usize, name: &str) -> Result<PathBuf, DataError> {
        let path = self.root.join(name);
        match path.is_file() {
            true => Ok(path),
            false => {
                let message = format!("there is no file {}", path.display());
                Err(self.rows.wrong(row, column, message, "a file below the root"))
            }
        }
    }
}
