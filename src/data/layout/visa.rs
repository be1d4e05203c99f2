//! VisA as it comes: images by label, and a table that says which of them belong to the training and the test part.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Parts;
use super::listing::file_name;
use crate::data::sample::ImageSource;
use crate::data::{DataError, Sample};

/// The table of the one-class split, below the root.
const TABLE: &str = "split_csv/1cls.csv";

/// The table's columns, in no fixed order.
const COLUMNS: [&str; 5] = ["object", "split", "label", "image", "mask"];

/// One row: the texts of [`COLUMNS`], and the line that it stands on.
#[derive(Debug)]
struct Row {
    line: u64,
    texts: [String; 5],
}

/// One category, by the table below the root.
pub(super) fn read(root: &Path, category: &Path) -> Result<Parts, DataError> {
    Table::open(root)?.parts(category)
}

/// The table, read as text; a category's rows are checked when it is asked for.
#[derive(Debug)]
struct Table {
    root: PathBuf,
    path: PathBuf,
    rows: Vec<Row>,
}

impl Table {
    fn open(root: &Path) -> Result<Self, DataError> {
        let path = root.join(TABLE);
        if !path.is_file() {
            let help = "VisA's archive has it beside the categories: it says which images are for training".to_owned();
            return Err(DataError::Missing { what: "table of the split", path, help });
        }
        let wrong = |line: u64, column: &'static str, message: String, help: String| DataError::Table {
            path: path.clone(),
            line,
            column,
            message,
            help,
        };
        let torn = |error: csv::Error| {
            let line = error.position().map_or(1, csv::Position::line);
            wrong(line, "all", error.to_string(), "a table separated by commas".to_owned())
        };
        let mut reader = csv::Reader::from_path(&path).map_err(torn)?;
        let header = reader.headers().map_err(torn)?.clone();
        let mut places = [0; 5];
        for (place, column) in places.iter_mut().zip(COLUMNS) {
            let found = header.iter().position(|name| name.trim_start_matches('\u{feff}').trim() == column);
            *place = found.ok_or_else(|| {
                wrong(1, column, "there is no such column".to_owned(), format!("the columns {}", COLUMNS.join(", ")))
            })?;
        }
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(torn)?;
            let line = record.position().map_or(1, csv::Position::line);
            let text = |place: usize| record.get(place).unwrap_or_default().trim().to_owned();
            rows.push(Row { line, texts: places.map(text) });
        }
        Ok(Self { root: root.to_owned(), path, rows })
    }

    /// The images of one category.
    fn parts(&self, category: &Path) -> Result<Parts, DataError> {
        let name = file_name(category);
        let mut parts = Parts {
            train_place: format!("the training part by {TABLE}"),
            train: Vec::new(),
            validation_place: None,
            validation: Vec::new(),
            test: Vec::new(),
            name: name.clone(),
        };
        let mut seen: BTreeMap<String, u64> = BTreeMap::new();
        for row in self.rows.iter().filter(|row| row.texts[0] == name) {
            let (is_train, sample) = self.sample(&name, row)?;
            if let Some(line) = seen.insert(sample.image.clone(), row.line) {
                return Err(self.wrong(row, 3, format!("it is in line {line} already"), "each image once"));
            }
            if is_train { &mut parts.train } else { &mut parts.test }.push(sample);
        }
        for samples in [&mut parts.train, &mut parts.test] {
            samples.sort_by(|a, b| Path::new(&a.image).cmp(Path::new(&b.image)));
        }
        Ok(parts)
    }

    /// The image of a row, and whether it is for training.
    fn sample(&self, category: &str, row: &Row) -> Result<(bool, Sample), DataError> {
        let [_, split, label, image, mask] = &row.texts;
        let is_train = match split.as_str() {
            "train" => true,
            "test" => false,
            _ => return Err(self.wrong(row, 1, format!("it is \"{split}\""), "\"train\" or \"test\"")),
        };
        let defect = match label.as_str() {
            "normal" => None,
            "anomaly" => Some("anomaly".to_owned()),
            _ => return Err(self.wrong(row, 2, format!("it is \"{label}\""), "\"normal\" or \"anomaly\"")),
        };
        if is_train && defect.is_some() {
            return Err(self.wrong(row, 2, "it is \"anomaly\"".to_owned(), "\"normal\": this image is for training"));
        }
        let Some(below) = image.strip_prefix(category).and_then(|rest| rest.strip_prefix('/')) else {
            let help = format!("a path below {category}/");
            return Err(self.wrong(row, 3, format!("it is \"{image}\""), &help));
        };
        let masks = match (mask.as_str(), &defect) {
            ("", _) | (_, None) => Vec::new(),
            (mask, Some(_)) => vec![self.file(row, 4, mask)?],
        };
        let source = ImageSource::File(self.file(row, 3, image)?);
        Ok((is_train, Sample { image: below.to_owned(), defect, source, masks }))
    }

    /// A file that a row names.
    fn file(&self, row: &Row, column: usize, name: &str) -> Result<PathBuf, DataError> {
        let path = self.root.join(name);
        match path.is_file() {
            true => Ok(path),
            false => {
                Err(self.wrong(row, column, format!("there is no file {}", path.display()), "a file below the root"))
            }
        }
    }

    fn wrong(&self, row: &Row, column: usize, message: String, help: &str) -> DataError {
        let (path, column) = (self.path.clone(), COLUMNS[column]);
        DataError::Table { path, line: row.line, column, message, help: help.to_owned() }
    }
}
