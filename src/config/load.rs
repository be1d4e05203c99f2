//! A sweep file with its flags to a checked sweep, without its trials.

use std::path::Path;

use super::axis::Coordinate;
use super::entry::Entry;
use super::space::Space;
use super::{
    Baseline, MAX_AXES, ReportSettings, SearchSettings, Strategy, Sweep, SweepTrial, Trial, entry, space, when,
};
use crate::data::regular;
use crate::settings::{
    ConfigErrors, Field, Kind, Place, Problem, Problems, Reader, Session, Settings, Table, Usual, Value, near, parse,
    parse_flag, set,
};

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
        self.space.checked(point, &self.problems)
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
    let mut table = match parse(&source.text) {
        Ok(table) => table,
        Err(problem) => return Err(errors(source, problem)),
    };
    let problems = Problems::default();
    for (key, value) in overrides {
        let argument = format!("{key}={value}");
        let place = Place::Flag(argument.clone());
        if !set(&mut table, key, &place, parse_flag(&argument, value)) {
            problems.add(
                &place,
                format!("`{key}` reaches into a value that is not a table"),
                "use the dotted name of a setting",
            );
        }
    }
    let session = Session::new(&problems);
    let (sweep, space, place_of_space) = read_table(&session, &table, source.clone());
    session.report_unknown(&table);
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

/// Reads a whole file.
pub(super) fn read_table(session: &Session<'_>, table: &Table, source: Source) -> (Sweep, Space, Place) {
    let top = Reader::top(session, table);
    let problems = top.problems();
    let schema = top.at("schema", "Version of the format: 1.");
    schema.required("the first line must be schema = 1").integer(1_u64, 1..=1);
    let name = top.at("name", "Name of the sweep and of its report's folder.").with(name);
    let question = top.at("question", "Question that the sweep asks, shown on the report.").text();
    let base = Trial::read(&top, ());
    let reader = top.at("search", "Search: how trials are drawn, compared and stopped.").inner();
    let search = SearchSettings::read(&reader, ());
    let space = reader.at(
        "space",
        "Searched settings by dotted name: a list of values, or a table such as `{ uniform = [a, b], when = { … } }`.",
    );
    let ranges = search.strategy != Strategy::Grid;
    let axes = match space.node(|| Kind::Axes, Usual::Absent).map(|node| &node.value) {
        Some(Value::Table(axes)) => Some(axes),
        Some(other) => {
            space.refuse(format!("`search.space` is {}", other.describe()), "expected a table");
            None
        }
        None => None,
    };
    let entries: Vec<Entry<'_>> = axes
        .into_iter()
        .flatten()
        .filter_map(|(name, (place, node))| entry::entry(name, place, node, ranges, problems))
        .collect();
    let axes = when::ordered(&entries, table, problems);
    if axes.len() > MAX_AXES && matches!(search.strategy, Strategy::Sobol(_) | Strategy::Tpe(_)) {
        let help = format!("expected at most {MAX_AXES}, the dimensions of the Sobol sequence; \"random\" takes more");
        space.refuse(format!("`search.space` has {} axes", axes.len()), help);
    }
    let place_of_space = space.place();
    let report = top.at("report", "Report: what it compares.").with(|field| report(field, &entries));
    let baseline: Baseline = top.at("baseline", "ST-FPM, published and re-run.").table(());

    let strategy = search.strategy.clone();
    let space =
        Space { table: table.clone(), axes, strategy, report: report.clone(), base, rerun: baseline.rerun, source };
    (Sweep { name, question, search, report, baseline, trials: Vec::new() }, space, place_of_space)
}

/// Variants are made of the axes.
fn report(field: Field<'_>, axes: &[Entry<'_>]) -> ReportSettings {
    let reader = field.inner();
    let report = ReportSettings::read(&reader, ());
    let known: Vec<&str> = axes.iter().map(|entry| entry.name).collect();
    for variant in report.variants.iter().filter(|variant| !known.contains(&variant.as_str())) {
        let hint = near(variant, &known).map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
        let help = match known.is_empty() {
            true => "expected an axis of [search.space], which is empty".to_owned(),
            false => format!("expected an axis of [search.space]: {}{hint}", known.join(", ")),
        };
        reader.refuse("variants", format!("`report.variants` names \"{variant}\""), help);
    }
    report
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

fn name(field: Field<'_>) -> String {
    let name = field.required("expected name = \"…\": it names the report's folder").text();
    let usable = name.as_deref().is_none_or(is_sweep_name);
    if let Some(name) = name.as_deref().filter(|_| !usable) {
        // What a terminal would obey is shown as it is written.
        field.refuse(format!("`name` is \"{}\"", name.escape_debug()), SWEEP_NAME);
    }
    name.filter(|_| usable).unwrap_or_else(|| "sweep".to_owned())
}
