//! The layout `table`: a CSV says of each image its category, part, kind and mask, so that files may lie anywhere below one folder.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::listing::is_file;
use super::rows::{Row, Rows};
use super::{Parts, folders};
use crate::data::sample::ImageSource;
use crate::data::{DataError, Sample};

/// Columns that a table must have.
const NEEDED: [&str; 3] = ["category", "split", "image"];
/// Columns that it may have; one of the first two says what is normal.
const OPTIONAL: [&str; 3] = ["label", "kind", "mask"];

/// Places of the columns among both.
const CATEGORY: usize = 0;
const SPLIT: usize = 1;
const IMAGE: usize = 2;
const LABEL: usize = 3;
const KIND: usize = 4;
const MASK: usize = 5;

/// What a table says.
pub(super) struct Table {
    /// The folder that its paths start from.
    pub root: PathBuf,
    /// Its categories, in the order of their names.
    pub categories: Vec<Parts>,
    /// Columns that mean nothing here.
    pub unknown: Vec<String>,
}

/// The part that a row belongs to.
enum Split {
    Train,
    Validation,
    Test,
    /// To be drawn.
    Open,
}

/// Reads a table: a path below the root, or else from the working folder. Paths in it start from the root, or else from its own
/// folder. Rows without a split are for [`Parts::pool`] where they `may_be_open`.
pub(super) fn read(table: &Path, root: Option<&Path>, may_be_open: bool) -> Result<Table, DataError> {
    let candidates = root.map(|root| root.join(table)).into_iter().chain([table.to_owned()]);
    let mut path = None;
    for candidate in candidates {
        if path.is_none() && is_file(&candidate)? {
            path = Some(candidate);
        }
    }
    let Some(path) = path else {
        let help = "data.table is looked for below data.root, then from the working folder".to_owned();
        return Err(DataError::Missing { what: "table", path: table.to_owned(), help });
    };
    let own = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let root = root.unwrap_or(own).to_owned();
    let rows = Rows::read(&path, &NEEDED, &OPTIONAL)?;
    if !rows.has[LABEL] && !rows.has[KIND] {
        let help = "a column `label` (normal, anomaly) or `kind` (normal, or the name of the defect)".to_owned();
        let message = "there is no such column".to_owned();
        return Err(DataError::Table { path, line: 1, column: "label", message, help });
    }
    let mut reader = Reader { root: &root, rows: &rows, may_be_open, categories: BTreeMap::new() };
    rows.rows.iter().try_for_each(|row| reader.take(row))?;
    let mut categories: Vec<Parts> = reader.categories.into_values().map(|(parts, _)| parts).collect();
    for parts in &mut categories {
        for samples in [&mut parts.train, &mut parts.pool, &mut parts.validation, &mut parts.test] {
            samples.sort_by(|a, b| Path::new(&a.image).cmp(Path::new(&b.image)));
        }
        parts.known = vec![path.clone()];
        parts.validation_place = (!parts.validation.is_empty()).then(|| "split validation".to_owned());
    }
    Ok(Table { root, categories, unknown: rows.unknown })
}

struct Reader<'r> {
    root: &'r Path,
    rows: &'r Rows,
    may_be_open: bool,
    /// With the line of each image.
    categories: BTreeMap<String, (Parts, BTreeMap<String, u64>)>,
}

impl Reader<'_> {
    fn take(&mut self, row: &Row) -> Result<(), DataError> {
        let wrong = |column, message: String, help: &str| Err(self.rows.wrong(row, column, message, help));
        let category = row.text(CATEGORY);
        if category.is_empty() || category.contains(['/', '\\']) {
            return wrong(CATEGORY, format!("it is \"{category}\""), "a name without slashes");
        }
        let split = match row.text(SPLIT) {
            "train" => Split::Train,
            "validation" => Split::Validation,
            "test" => Split::Test,
            "" if self.may_be_open => Split::Open,
            text => {
                let help = "\"train\", \"validation\" or \"test\"; an empty text where data.test_normals_share is set";
                return wrong(SPLIT, format!("it is \"{text}\""), help);
            }
        };
        let defect = self.defect(row)?;
        if defect.is_some() && !matches!(split, Split::Test) {
            let column = if self.rows.has[KIND] { KIND } else { LABEL };
            let message = format!("it is \"{}\"", row.text(column));
            return wrong(column, message, "a normal image: only test images may be defective");
        }
        let image = self.path(row, IMAGE)?;
        let masks = match (row.text(MASK), &defect) {
            ("", _) | (_, None) => Vec::new(),
            _ => vec![self.root.join(self.path(row, MASK)?)],
        };
        let name = category.to_owned();
        let new = || (Parts { train_place: "split train".to_owned(), name, ..Parts::default() }, BTreeMap::new());
        let (parts, lines) = self.categories.entry(category.to_owned()).or_insert_with(new);
        if let Some(line) = lines.insert(image.clone(), row.line()) {
            return wrong(IMAGE, format!("\"{image}\" is in line {line} already"), "each image of a category once");
        }
        let source = ImageSource::File(self.root.join(&image));
        let samples = match split {
            Split::Train => &mut parts.train,
            Split::Validation => &mut parts.validation,
            Split::Test => &mut parts.test,
            Split::Open => &mut parts.pool,
        };
        samples.push(Sample { image, defect, source, masks, mask_above: 0 });
        Ok(())
    }

    /// The kind of defect; none of a normal image.
    fn defect(&self, row: &Row) -> Result<Option<String>, DataError> {
        let wrong = |column, help: &str| Err(self.rows.wrong(row, column, format!("it is \"{}\"", row.text(column)), help));
        let kind = match row.text(KIND) {
            "" => None,
            text if folders::sounds_normal(text) => None,
            text => Some(text.to_owned()),
        };
        match (self.rows.has[LABEL], row.text(LABEL)) {
            (false, _) if row.text(KIND).is_empty() => wrong(KIND, "\"normal\", or the name of the defect"),
            (false, _) => Ok(kind),
            (true, "anomaly") if kind.is_none() && !row.text(KIND).is_empty() => {
                wrong(KIND, "the name of the defect: the label is \"anomaly\"")
            }
            (true, "anomaly") => Ok(Some(kind.unwrap_or_else(|| "anomaly".to_owned()))),
            (true, "normal") if kind.is_some() => wrong(KIND, "\"normal\" or nothing: the label is \"normal\""),
            (true, "normal") => Ok(None),
            (true, _) => wrong(LABEL, "\"normal\" or \"anomaly\""),
        }
    }

    /// A path below the root, as short as can be, of a file that is there.
    fn path(&self, row: &Row, column: usize) -> Result<String, DataError> {
        let text = row.text(column);
        let wrong = |message: String, help: String| Err(self.rows.wrong(row, column, message, &help));
        let below = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if text.is_empty() || !Path::new(text).components().all(below) {
            let help = format!("a path below {}, without \"..\"", self.root.display());
            return wrong(format!("it is \"{text}\""), help);
        }
        let path = super::places::shortest(text);
        match is_file(&self.root.join(&path))? {
            true => Ok(path),
            false => {
                let message = format!("there is no file {}", self.root.join(&path).display());
                wrong(message, format!("a file below {}", self.root.display()))
            }
        }
    }
}
