//! Layout `table`: a CSV gives the category, part, kind and mask of each image, so files may be anywhere below one folder.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::listing::is_file;
use super::rows::{Row, Rows};
use super::{Parts, folders};
use crate::data::sample::ImageSource;
use crate::data::{DataError, Sample};

/// Columns that a table must have.
const NEEDED: [&str; 3] = ["category", "split", "image"];
/// Columns that a table may have; `label` or `kind` must exist, to say what is normal.
const OPTIONAL: [&str; 3] = ["label", "kind", "mask"];

/// Positions of the columns in the needed columns followed by the optional ones.
const CATEGORY: usize = 0;
const SPLIT: usize = 1;
const IMAGE: usize = 2;
const LABEL: usize = 3;
const KIND: usize = 4;
const MASK: usize = 5;

/// Content of a table.
pub(super) struct Table {
    /// Folder where its paths start.
    pub root: PathBuf,
    /// Categories, sorted by name.
    pub categories: Vec<Parts>,
    /// Columns that have no meaning here.
    pub unknown: Vec<String>,
}

/// The part that a row belongs to.
enum Split {
    Train,
    Validation,
    Test,
    /// Drawn for the training or the test part.
    Open,
}

/// Reads a table, whose path starts from the root, or else from the working folder. Paths in the table start from the root if there is one,
/// or else from the table's own folder. Rows without a split go to [`Parts::pool`] if `may_be_open` is true.
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
        let source = "there is no such column".into();
        return Err(DataError::Table { path, line: 1, column: "label", source, help });
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
    /// Each category with the line number of each image.
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

    /// Returns the kind of defect; `None` for a normal image.
    fn defect(&self, row: &Row) -> Result<Option<String>, DataError> {
        let wrong =
            |column, help: &str| Err(self.rows.wrong(row, column, format!("it is \"{}\"", row.text(column)), help));
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

    /// Returns the shortest spelling of a path below the root, if the file exists.
    fn path(&self, row: &Row, column: usize) -> Result<String, DataError> {
        let text = row.text(column);
        let wrong = |message: String, help: String| Err(self.rows.wrong(row, column, message, &help));
        let below = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if text.is_empty() || !Path::new(text).components().all(below) {
            let help = format!("a path below {}, without \"..\"", self.root.display());
            return wrong(format!("it is \"{text}\""), help);
        }
        let path = super::patterns::shortest(text);
        match is_file(&self.root.join(&path))? {
            true => Ok(path),
            false => {
                let message = format!("there is no file {}", self.root.join(&path).display());
                wrong(message, format!("a file below {}", self.root.display()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::data::layout::miniature::{Miniature, test_images};
    use crate::data::{DataError, DataSettings, Dataset, HeldOut, Layout, Reading};

    fn root() -> Miniature {
        let root = Miniature::with(&["p/0.png", "p/1.png", "p/2.png", "q/a/3.png", "q/4.jpg"]);
        root.mask("q/4.png", (1, 1), 255);
        root
    }

    fn open(root: &Miniature, table: &str, share: Option<f64>) -> Result<Dataset, DataError> {
        root.text("lists/t.csv", table);
        let table = Some("lists/t.csv".into());
        Dataset::open(&DataSettings { table, test_normals_share: share, ..root.settings(Some(Layout::Table)) })
    }

    const ROWS: &str = "a,train,normal,p/1.png,\na,train,normal,./p//0.png,\na,validation,normal,p/2.png,\na,test,normal,q/a/3.png,\n\
                        a,test,anomaly,q/4.jpg,q/4.png\nb,train,normal,p/0.png,\nb,train,normal,p/1.png,\nb,test,normal,p/2.png,\n";

    #[test]
    fn a_table_says_where_everything_is() {
        let root = root();
        let dataset = open(&root, &format!("category,split,label,image,mask\n{ROWS}"), None).expect("opens");
        assert_eq!(dataset.layout(), Layout::Table);
        let names: Vec<&str> = dataset.categories().iter().map(|category| category.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        let a = &dataset.categories()[0];
        let train: Vec<&str> = a.train.iter().map(|sample| sample.image.as_str()).collect();
        assert_eq!(train, ["p/0.png", "p/1.png", "p/2.png"]);
        assert_eq!((a.validation, &a.held_out), (1, &HeldOut::Given(vec![2])));
        assert_eq!(test_images(a), [("q/4.jpg", Some("anomaly"), 1), ("q/a/3.png", None, 0)]);
        assert_eq!(dataset.categories()[1].held_out, HeldOut::Fifth);
        assert!(
            a.test[0].load_mask(8, Reading::default()).expect("fits").is_some_and(|mask| mask.pixels.contains(&true))
        );
    }

    #[test]
    fn kinds_may_stand_in_place_of_labels_in_any_order_of_columns() {
        let table =
            "image,kind,note,split,category\np/0.png,good,x,train,a\np/1.png,Normal,,train,a\nq/4.jpg,dent,,test,a\n";
        let root = root();
        let dataset = open(&root, table, None).expect("opens");
        assert_eq!(test_images(&dataset.categories()[0]), [("q/4.jpg", Some("dent"), 0)]);
        let settings = DataSettings { table: Some("lists/t.csv".into()), ..root.settings(Some(Layout::Table)) };
        let notes = crate::data::check(&settings).expect("finds").notes;
        assert!(notes.iter().any(|note| note == "columns of the table that are not used: note"), "{notes:?}");
    }

    #[test]
    fn what_is_wrong_is_told_with_line_and_column() {
        let head = "category,split,label,kind,image,mask\n";
        let wrong: [(&str, &[&str]); 13] = [
            ("category,split,image\n", &["line 1", "`label`"]),
            ("category,split,label\n", &["line 1", "`image`"]),
            ("category,split,label,image,split\n", &["line 1", "`split`", "twice"]),
            ("a,trian,normal,,p/0.png,\n", &["line 2", "`split`", "trian"]),
            ("a,,normal,,p/0.png,\n", &["line 2", "`split`", "data.test_normals_share"]),
            ("a,test,bad,,p/0.png,\n", &["line 2", "`label`", "\"anomaly\""]),
            ("a,test,normal,dent,p/0.png,\n", &["line 2", "`kind`"]),
            ("a,train,anomaly,dent,p/0.png,\n", &["line 2", "`kind`", "only test images"]),
            ("a,train,normal,,p/9.png,\n", &["line 2", "`image`", "9.png"]),
            ("a,train,normal,,../p/0.png,\n", &["line 2", "`image`", "\"..\""]),
            ("a,test,anomaly,,p/0.png,p/9.png\n", &["line 2", "`mask`", "9.png"]),
            ("a,train,normal,,p/0.png,\na,test,normal,,./p/0.png,\n", &["line 3", "`image`", "line 2 already"]),
            ("a/b,train,normal,,p/0.png,\n", &["line 2", "`category`", "a/b"]),
        ];
        for (rows, parts) in wrong {
            let table = if rows.starts_with("category") { rows.to_owned() } else { format!("{head}{rows}") };
            let message = open(&root(), &table, None).expect_err("wrong").to_string();
            assert!(parts.iter().all(|part| message.contains(part)) && message.contains("t.csv"), "{message}");
            assert!(!message.contains('\n'), "{message}");
        }
        let settings = DataSettings { table: Some("gone.csv".into()), ..root().settings(Some(Layout::Table)) };
        assert!(Dataset::open(&settings).expect_err("missing").to_string().contains("gone.csv does not exist"));
    }

    #[test]
    fn rows_without_a_split_are_drawn_from() {
        let rows = "a,,normal,p/0.png\na,,normal,p/1.png\na,,normal,p/2.png\na,train,normal,q/a/3.png\na,test,anomaly,q/4.jpg\n";
        let dataset = open(&root(), &format!("category,split,label,image\n{rows}"), Some(0.3)).expect("opens");
        let a = &dataset.categories()[0];
        assert_eq!((a.train.len(), a.test.len()), (3, 2), "⌈3 · 0.3⌉ = 1 of those without a split");
        assert!(a.train.iter().any(|sample| sample.image == "q/a/3.png"));
    }
}
