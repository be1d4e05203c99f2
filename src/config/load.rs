//! Reads a sweep file with its `--set` flags into a checked sweep. The trials are drawn later.

use std::path::Path;

use super::axis::Coordinate;
use super::entry::AxisEntry;
use super::space::Space;
use super::{
    Baseline, DecideSettings, MAX_AXES, Objective, ReportSettings, Rerun, SearchSettings, Strategy, Sweep, SweepTrial,
    Trial, entry, space, when,
};
use crate::data::regular;
use crate::settings::{
    ConfigErrors, DefaultValue, Field, Place, Problem, Problems, Reader, Session, Settings, Table, Value, ValueKind,
    parse, parse_flag, set, similar_name,
};

/// The sweep that runs if no file is named.
const DEMO: &str = include_str!("../../experiments/demo.toml");

/// The text that a sweep was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepSource {
    /// Name of the file, or "experiments/demo.toml (embedded)".
    pub name: String,
    /// Content of the file.
    pub text: String,
}

/// A sweep file that was read, before its trials are drawn.
#[derive(Debug)]
pub struct Draft {
    /// The sweep, without trials.
    pub sweep: Sweep,
    /// Its search space.
    pub space: Space,
    /// The file with the changes of the command line.
    source: SweepSource,
    place_of_space: Place,
    problems: Problems,
}

impl Draft {
    /// Returns the trial of a point. [`Draft::finish`] returns its errors.
    pub fn trial(&mut self, point: &[Option<Coordinate>]) -> SweepTrial {
        self.space.checked(point, &self.problems)
    }

    /// Reports an error in the search space.
    pub fn refuse_space(&mut self, message: String, help: String) {
        self.problems.add(&self.place_of_space, message, help);
    }

    /// Returns the sweep.
    ///
    /// # Errors
    /// Returns all problems that were found in the file and in its trials.
    pub fn finish(self) -> Result<(Sweep, Space, SweepSource), ConfigErrors> {
        match self.problems.is_empty() {
            true => Ok((self.sweep, self.space, self.source)),
            false => Err(errors(self.space.source, self.problems)),
        }
    }
}

/// Reads a sweep file with `--set KEY=VALUE` overrides. Without a path, it reads the embedded demo.
///
/// # Errors
/// Fails if the file cannot be read or is not TOML. [`Draft::finish`] returns the errors in its settings.
pub fn read(path: Option<&Path>, overrides: &[(String, String)]) -> Result<Draft, ConfigErrors> {
    let source = match path {
        None => SweepSource { name: "experiments/demo.toml (embedded)".to_owned(), text: DEMO.to_owned() },
        Some(path) => {
            let name = path.display().to_string();
            match regular::read_to_string(path) {
                Ok(text) => SweepSource { name, text },
                Err(error) => {
                    let message = format!("cannot read the sweep file: {error}");
                    let help = "name a TOML file such as experiments/demo.toml".to_owned();
                    return Err(errors(
                        SweepSource { name, text: String::new() },
                        Problem { place: Place::WholeFile, message, help },
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
                format!("`{key}` is inside a value that is not a table"),
                "use the dotted name of a setting",
            );
        }
    }
    let session = Session::new(&problems);
    let (sweep, space, place_of_space) = read_table(&session, &table, source.clone());
    session.report_unknown(&table);
    for (key, value) in overrides.iter().filter(|(key, _)| space::axis_entry(&table, key).is_some()) {
        let help = "[search.space] sets it for each trial: change the axis in the file";
        problems.add(&Place::Flag(format!("{key}={value}")), format!("`{key}` is an axis of the search space"), help);
    }
    // Store what was really run: the file with the changes of the command line.
    let flags: String = overrides.iter().map(|(key, value)| format!("# --set {key}={value}\n")).collect();
    let source = SweepSource { text: format!("{flags}{}", source.text), ..source };
    Ok(Draft { sweep, space, source, place_of_space, problems })
}

fn errors(source: SweepSource, problems: impl Into<Problems>) -> ConfigErrors {
    ConfigErrors::new(source.name, source.text, problems.into())
}

/// Reads all tables of a file.
pub(super) fn read_table(session: &Session<'_>, table: &Table, source: SweepSource) -> (Sweep, Space, Place) {
    let top = Reader::top(session, table);
    let problems = top.problems();
    let schema = top.at("schema", "Version of the file format: 1.");
    schema.required("write schema = 1 as the first line").integer(1_u64, 1..=1);
    let name = top.at("name", "Name of the sweep and of the folder of its report.").with(name);
    let question = top.at("question", "Question that the sweep asks, shown in the report.").text();
    let base = Trial::read(&top, ());
    let reader = top.at("search", "Search: how trials are drawn, compared and stopped.").inner();
    let search = SearchSettings::read(&reader, ());
    let space = reader.at(
        "space",
        "Searched settings by dotted name: a list of values, or a table such as `{ uniform = [a, b], when = { … } }`.",
    );
    let ranges = search.strategy != Strategy::Grid;
    let axes = match space.node(|| ValueKind::Axes, DefaultValue::Absent).map(|node| &node.value) {
        Some(Value::Table(axes)) => Some(axes),
        Some(other) => {
            space.refuse(format!("`search.space` is {}", other.describe()), "expected a table");
            None
        }
        None => None,
    };
    let entries: Vec<AxisEntry<'_>> = axes
        .into_iter()
        .flatten()
        .filter_map(|(name, (place, node))| entry::read_axis(name, place, node, ranges, problems))
        .collect();
    let axes = when::ordered_axes(&entries, table, problems);
    if axes.len() > MAX_AXES && matches!(search.strategy, Strategy::Sobol(_) | Strategy::Tpe(_)) {
        let help =
            format!("expected at most {MAX_AXES} axes, the dimensions of the Sobol sequence; \"random\" accepts more");
        space.refuse(format!("`search.space` has {} axes", axes.len()), help);
    }
    let place_of_space = space.place();
    let report = top.at("report", "Report: what it compares and shows.").with(|field| report(field, &entries));
    let about = "Baseline: published results of ST-FPM, and ST-FPM trained again.";
    let baseline: Baseline = top.at("baseline", about).table(());

    let about = "Decision: seeds are added until each variant is better, worse or equivalent. Left out, the number of seeds is fixed.";
    let decide = top.at("decide", about).with(DecideSettings::read_if_given);
    let sweep = Sweep { name, question, search, report, decide, baseline, trials: Vec::new() };
    refuse_unfair_choices(&reader, &sweep, &entries);
    let strategy = sweep.search.strategy.clone();
    let space = Space {
        table: table.clone(),
        axes,
        strategy,
        report: sweep.report.clone(),
        base,
        rerun: sweep.baseline.rerun,
        tunes_baseline: sweep.confirmation().is_some(),
        source,
    };
    (sweep, space, place_of_space)
}

/// Checks that trials can be chosen without the test images, and that the chosen ones are measured alike.
fn refuse_unfair_choices(search: &Reader<'_>, sweep: &Sweep, axes: &[AxisEntry<'_>]) {
    if sweep.confirmation().is_none() {
        return;
    }
    let cause = if sweep.decide.is_some() { "[decide]" } else { "search.confirm_seeds" };
    if let Some(objective) = sweep.search.objective.filter(|objective| objective.is_on_test()) {
        let help = format!("{cause} compares chosen trials on the test images: choose them by {}", Objective::PSEUDO);
        search.refuse(
            "objective",
            format!("`search.objective` is \"{objective}\", which is measured on these images"),
            help,
        );
    }
    if sweep.baseline.rerun == Rerun::No {
        let message = format!("{cause} compares with ST-FPM, which `baseline.rerun = false` does not train");
        search.refuse("seeds", message, "leave out baseline.rerun, or this comparison");
    }
    let is_trained = |name: &str| ["model.", "pretrain.", "joint."].iter().any(|table| name.starts_with(table));
    for axis in axes.iter().filter(|axis| !is_trained(axis.name)) {
        let message = format!("{cause} compares trials of one protocol, but the axis `{}` changes it", axis.name);
        search.refuse("space", message, "search settings of [model], [pretrain] and [joint] only");
    }
}

/// Reads the table `[report]` and checks that its variants are axes.
fn report(field: Field<'_>, axes: &[AxisEntry<'_>]) -> ReportSettings {
    let reader = field.inner();
    let report = ReportSettings::read(&reader, ());
    let known: Vec<&str> = axes.iter().map(|entry| entry.name).collect();
    for variant in report.variants.iter().filter(|variant| !known.contains(&variant.as_str())) {
        let hint = similar_name(variant, &known).map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
        let help = match known.is_empty() {
            true => "expected an axis of [search.space], which is empty".to_owned(),
            false => format!("expected an axis of [search.space]: {}{hint}", known.join(", ")),
        };
        reader.refuse("variants", format!("`report.variants` names \"{variant}\""), help);
    }
    report
}

/// Describes valid names of a sweep.
pub const SWEEP_NAME: &str = "expected at most 64 letters, digits, `-`, `_` and `.`, starting with a letter, a digit or `_`: the name is \
                              also the folder of the report and an argument of commands";

/// Returns whether a sweep can have this name.
pub fn is_sweep_name(name: &str) -> bool {
    name.len() <= 64
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}

fn name(field: Field<'_>) -> String {
    let name = field.required("set name = \"…\", which is also the name of the report's folder").text();
    let usable = name.as_deref().is_none_or(is_sweep_name);
    if let Some(name) = name.as_deref().filter(|_| !usable) {
        // Escape control characters, which a terminal would execute.
        field.refuse(format!("`name` is \"{}\"", name.escape_debug()), SWEEP_NAME);
    }
    name.filter(|_| usable).unwrap_or_else(|| "sweep".to_owned())
}
