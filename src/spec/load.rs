//! A sweep file with its flags to a checked sweep with its trials drawn.

use std::path::Path;

use super::axis::{self, Entry};
use super::problem::{Place, Problem, Problems, SpecErrors};
use super::reader::{Reader, near};
use super::space::{self, Space};
use super::tree::{self, Table};
use super::{resolve, search, when};
use crate::data::{CategorySelection, regular};
use crate::plan::{Baseline, MAX_RUNS, ReportSettings, Rerun, Strategy, Sweep};
use crate::report::published_names;
use crate::search::{MAX_AXES, count};

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

/// Reads a sweep file (none = the embedded demo) with `--set KEY=VALUE` overrides; reports every problem at once.
///
/// The sweep has all its trials, or, where the strategy learns, those of its start-up: the space makes the others.
pub fn load(path: Option<&Path>, overrides: &[(String, String)]) -> Result<(Sweep, Space, Source), SpecErrors> {
    load_at_most(path, overrides, None)
}

/// The same with the first `limit` trials only.
pub fn load_at_most(
    path: Option<&Path>,
    overrides: &[(String, String)],
    limit: Option<usize>,
) -> Result<(Sweep, Space, Source), SpecErrors> {
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
    let (sweep, space) = read(&table, source.clone(), limit, &mut problems);
    for (key, value) in overrides.iter().filter(|(key, _)| space::entry_of(&table, key).is_some()) {
        let help = "an axis of [search.space] sets it for each trial: change the axis in the file";
        problems.add(&Place::Flag(format!("{key}={value}")), format!("`{key}` is searched"), help);
    }
    if !problems.is_empty() {
        return Err(errors(source, problems));
    }
    // What was really run: the file and what the command line changed.
    let flags: String = overrides.iter().map(|(key, value)| format!("# --set {key}={value}\n")).collect();
    Ok((sweep, space, Source { text: format!("{flags}{}", source.text), ..source }))
}

fn errors(source: Source, problems: impl Into<Problems>) -> SpecErrors {
    SpecErrors::new(source.name, source.text, problems.into())
}

fn read(table: &Table, source: Source, limit: Option<usize>, problems: &mut Problems) -> (Sweep, Space) {
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
        .filter_map(|(name, (place, node))| axis::entry(name, place, node, ranges, problems))
        .collect();
    let axes = when::ordered(&entries, table, problems);
    if axes.len() > MAX_AXES && matches!(search.strategy, Strategy::Sobol { .. } | Strategy::Tpe { .. }) {
        let help = format!("expected at most {MAX_AXES}, the dimensions of the Sobol sequence; \"random\" takes more");
        problems.add(&reader.place_of("space"), format!("`search.space` has {} axes", axes.len()), help);
    }
    let place_of_space = reader.place_of("space");
    reader.finish(problems);
    let mut reader = top.table("report", problems);
    let report = ReportSettings { variants: reader.texts("variants", problems).unwrap_or_default() };
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
    let trials = match too_many(&space, search.seeds.len(), limit) {
        Some(message) => {
            let help = format!(
                "expected at most {MAX_RUNS} runs: fewer values or seeds, search.strategy = \"random\" with trials, or --max-trials"
            );
            problems.add(&place_of_space, message, help);
            Vec::new()
        }
        // Where there would be too many without a limit, only as many are drawn as it allows.
        None => space.drawn(limit.filter(|_| too_many(&space, search.seeds.len(), None).is_some()), problems),
    };
    (Sweep { name, question, search, report, baseline, trials }, space)
}

/// Says so if there are more runs than a sweep can have: counted, not drawn.
fn too_many(space: &Space, seeds: usize, limit: Option<usize>) -> Option<String> {
    let categories = match &space.base.data.categories {
        CategorySelection::Named(names) => names.len().max(1),
        // Not known before the data is opened: the planner counts again.
        CategorySelection::All => 1,
    };
    let (trials, what) = match space.strategy.trials() {
        Some(trials) => (trials as u128, "trials"),
        None => (count(&space.axes), "points"),
    };
    let trials = trials.min(limit.map_or(u128::MAX, |limit| limit as u128));
    let runs = trials.saturating_mul(seeds as u128).saturating_mul(categories as u128);
    let counted =
        |count: u128| if count == u128::MAX { "more than can be counted".to_owned() } else { count.to_string() };
    (runs > MAX_RUNS as u128).then(|| {
        format!(
            "the sweep has {} runs: {} {what} × {categories} category(ies) × {seeds} seed(s)",
            counted(runs),
            counted(trials)
        )
    })
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
