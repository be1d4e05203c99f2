//! A sweep file with its flags to a checked sweep, without its trials.

use std::path::Path;

use super::axis::Coordinate;
use super::entry::Entry;
use super::problem::{ConfigErrors, Place, Problem, Problems};
use super::reader::{Reader, near};
use super::space::Space;
use super::sweep::{Baseline, MAX_AXES, ReportSettings, Rerun, Strategy, Sweep, SweepTrial};
use super::tree::Table;
use super::{entry, resolve, search, space, tree, when};
use crate::data::regular;
use crate::evaluate::metrics::Metric;
use crate::published::published_names;

/// The sweep that runs where no file is named.
const DEMO: &str = include_str!("../../experiments/demo.toml");

/// The text that a sweep was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// File name, or "experiments/demo.toml (embedded)".
    pub name: String,
    /// The text.
    pub text: String,
}

/// A sweep file that was read; its trials are not drawn yet.
#[derive(Debug)]
pub struct Draft {
    /// The sweep, without trials.
    pub sweep: Sweep,
    /// Its search space.
    pub space: Space,
    /// The file and what the command line changed.
    source: Source,
    place_of_space: Place,
    problems: Problems,
}

impl Draft {
    /// The trial of a point. What is wrong with it is kept for [`Draft::finish`].
    pub fn trial(&mut self, point: &[Option<Coordinate>]) -> SweepTrial {
        self.space.checked(point, &mut self.problems)
    }

    /// Refuses the search space.
    pub fn refuse_space(&mut self, message: String, help: String) {
        self.problems.add(&self.place_of_space, message, help);
    }

    /// The sweep, unless something is wrong with the file or with a trial.
    ///
    /// # Errors
    /// Every problem that was found.
    pub fn finish(self) -> Result<(Sweep, Space, Source), ConfigErrors> {
        match self.problems.is_empty() {
            true => Ok((self.sweep, self.space, self.source)),
            false => Err(errors(self.space.source, self.problems)),
        }
    }
}

/// Reads a sweep file (none = the embedded demo) with `--set KEY=VALUE` overrides.
///
/// # Errors
/// A file that cannot be read or is not TOML. What is wrong with its settings is told by [`Draft::finish`].
pub fn read(path: Option<&Path>, overrides: &[(String, String)]) -> Result<Draft, ConfigErrors> {
    let source = match path {
        None => Source { name: "experiments/demo.toml (embedded)".to_owned(), text: DEMO.to_owned() },
        Some(path) => {
            let name = path.display().to_string();
            match regular::read_to_string(path) {
                Ok(text) => Source { name, text },
                Err(error) => {
                    let message = format!("cannot read the sweep file: {error}");
                    let help = "name a TOML file such as experiments/demo.toml".to_owned();
                    return Err(errors(
                        Source { name, text: String::new() },
                        Problem { place: Place::Whole, message, help },
                    ));
                }
            }
        }
    };
    let mut table = match tree::parse(&source.text) {
        Ok(table) => table,
        Err(problem) => return Err(errors(source, problem)),
    };
    let mut problems = Problems::default();
    for (key, value) in overrides {
        let argument = format!("{key}={value}");
        let place = Place::Flag(argument.clone());
        if !tree::set(&mut table, key, &place, tree::parse_flag(&argument, value)) {
            problems.add(
                &place,
                format!("`{key}` reaches into a value that is not a table"),
                "use the dotted name of a setting",
            );
        }
    }
    let (sweep, space, place_of_space) = read_table(&table, source.clone(), &mut problems);
    for (key, value) in overrides.iter().filter(|(key, _)| space::entry_of(&table, key).is_some()) {
        let help = "an axis of [search.space] sets it for each trial: change the axis in the file";
        problems.add(&Place::Flag(format!("{key}={value}")), format!("`{key}` is searched"), help);
    }
    // What was really run: the file and what the command line changed.
    let flags: String = overrides.iter().map(|(key, value)| format!("# --set {key}={value}\n")).collect();
    let source = Source { text: format!("{flags}{}", source.text), ..source };
    Ok(Draft { sweep, space, source, place_of_space, problems })
}

fn errors(source: Source, problems: impl Into<Problems>) -> ConfigErrors {
    ConfigErrors::new(source.name, source.text, problems.into())
}

fn read_table(table: &Table, source: Source, problems: &mut Problems) -> (Sweep, Space, Place) {
    let mut top = Reader::top(table);
    if !top.has("schema") {
        problems.add(&Place::Whole, "`schema` is missing", "the first line must be schema = 1");
    }
    top.integer("schema", 1, 1..=1, problems);
    let name = name(&mut top, problems);
    let question = top.text("question", problems);
    let base = resolve::trial(&mut top, problems);
    let mut reader = top.table("search", problems);
    let search = search::settings(&mut reader, problems);
    let ranges = search.strategy != Strategy::Grid;
    let entries: Vec<Entry<'_>> = reader
        .free_table("space", problems)
        .into_iter()
        .flatten()
        .filter_map(|(name, (place, node))| entry::entry(name, place, node, ranges, problems))
        .collect();
    let axes = when::ordered(&entries, table, problems);
    if axes.len() > MAX_AXES && matches!(search.strategy, Strategy::Sobol { .. } | Strategy::Tpe { .. }) {
        let help = format!("expected at most {MAX_AXES}, the dimensions of the Sobol sequence; \"random\" takes more");
        problems.add(&reader.place_of("space"), format!("`search.space` has {} axes", axes.len()), help);
    }
    let place_of_space = reader.place_of("space");
    reader.finish(problems);
    let mut reader = top.table("report", problems);
    let report = report(&mut reader, problems);
    let known: Vec<&str> = entries.iter().map(|entry| entry.name).collect();
    for variant in report.variants.iter().filter(|variant| !known.contains(&variant.as_str())) {
        let hint = near(variant, &known).map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
        let help = match known.is_empty() {
            true => "expected an axis of [search.space], which is empty".to_owned(),
            false => format!("expected an axis of [search.space]: {}{hint}", known.join(", ")),
        };
        problems.add(&reader.place_of("variants"), format!("`report.variants` names \"{variant}\""), help);
    }
    reader.finish(problems);
    let mut reader = top.table("baseline", problems);
    let tables: Vec<_> = published_names().into_iter().map(|name| (name, Some(name))).collect();
    let baseline = Baseline {
        published: reader.choice("published", None, &tables, problems).map(str::to_owned),
        rerun: rerun(&mut reader, problems),
    };
    reader.finish(problems);
    top.finish(problems);

    let strategy = search.strategy.clone();
    let space =
        Space { table: table.clone(), axes, strategy, report: report.clone(), base, rerun: baseline.rerun, source };
    (Sweep { name, question, search, report, baseline, trials: Vec::new() }, space, place_of_space)
}

fn report(reader: &mut Reader<'_>, problems: &mut Problems) -> ReportSettings {
    let variants = reader.texts("variants", problems).unwrap_or_default();
    let choices: Vec<(&str, Metric)> = Metric::all().map(|metric| (metric.name, metric)).collect();
    let metrics = reader.choices("metrics", &choices, problems).unwrap_or_else(|| ReportSettings::METRICS.to_vec());
    ReportSettings { variants, metrics }
}

/// `true`, `false`, or `"only"`.
fn rerun(reader: &mut Reader<'_>, problems: &mut Problems) -> Rerun {
    if reader.is_text("rerun") {
        return reader.choice("rerun", Rerun::Yes, &[("only", Rerun::Only)], problems);
    }
    if reader.flag("rerun", true, problems) { Rerun::Yes } else { Rerun::No }
}

/// What the name of a sweep must be.
pub const SWEEP_NAME: &str = "expected at most 64 letters, digits, - _ and ., the first a letter, a digit or _: it names the report's \
                              folder, and commands take it as an argument";

/// Whether a sweep can have this name.
pub fn is_sweep_name(name: &str) -> bool {
    name.len() <= 64
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}

fn name(top: &mut Reader<'_>, problems: &mut Problems) -> String {
    let name = top.text("name", problems);
    match name {
        Some(name) if is_sweep_name(&name) => name,
        Some(name) => {
            // What a terminal would obey is shown as it is written.
            problems.add(&top.place_of("name"), format!("`name` is \"{}\"", name.escape_debug()), SWEEP_NAME);
            "sweep".to_owned()
        }
        None => {
            if !top.has("name") {
                problems.add(&Place::Whole, "`name` is missing", "expected name = \"…\": it names the report's folder");
            }
            "sweep".to_owned()
        }
    }
}
