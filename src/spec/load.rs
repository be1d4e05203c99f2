//! A sweep file with its flags to a checked sweep with its trials drawn.

use std::collections::BTreeMap;
use std::path::Path;

use super::problem::{Place, Problem, SpecErrors};
use super::reader::{Problems, Reader, near};
use super::resolve;
use super::tree::{self, Node, Table, Value};
use crate::model::AutoEncoder;
use crate::plan::{
    Baseline, Objective, ReportSettings, SearchSettings, Strategy, Sweep, SweepTrial, Trial, short_name,
};
use crate::report::published_names;
use crate::search::{Axis, Domain, points};

/// The sweep that runs where no file is named.
const DEMO: &str = include_str!("../../experiments/demo.toml");

/// The name under which the re-run baseline stands in every table.
pub(crate) const BASELINE: &str = "ST-FPM";

/// The text that a sweep was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// File name, or "experiments/demo.toml (embedded)".
    pub name: String,
    /// The text.
    pub text: String,
}

/// Reads a sweep file (none = the embedded demo) with `--set KEY=VALUE` overrides; reports every problem at once.
pub fn load(path: Option<&Path>, overrides: &[(String, String)]) -> Result<(Sweep, Source), SpecErrors> {
    let source = match path {
        None => Source { name: "experiments/demo.toml (embedded)".to_owned(), text: DEMO.to_owned() },
        Some(path) => {
            let name = path.display().to_string();
            match std::fs::read_to_string(path) {
                Ok(text) => Source { name, text },
                Err(error) => {
                    let message = format!("cannot read the sweep file: {error}");
                    let help = "name a TOML file such as experiments/demo.toml".to_owned();
                    return Err(errors(
                        Source { name, text: String::new() },
                        vec![Problem { place: Place::Whole, message, help }],
                    ));
                }
            }
        }
    };
    let mut table = match tree::parse(&source.text) {
        Ok(table) => table,
        Err(problem) => return Err(errors(source, vec![problem])),
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
    let sweep = read(&table, &mut problems);
    for (key, value) in overrides.iter().filter(|(key, _)| space_entry(&table, key).is_some()) {
        let help = "an axis of [search.space] sets it for each trial: change the axis in the file";
        problems.add(&Place::Flag(format!("{key}={value}")), format!("`{key}` is searched"), help);
    }
    if !problems.is_empty() {
        return Err(errors(source, problems.into_sorted()));
    }
    // What was really run: the file and what the command line changed.
    let flags: String = overrides.iter().map(|(key, value)| format!("# --set {key}={value}\n")).collect();
    Ok((sweep, Source { text: format!("{flags}{}", source.text), ..source }))
}

fn errors(source: Source, problems: Vec<Problem>) -> SpecErrors {
    SpecErrors::new(source.name, source.text, problems)
}

fn read(table: &Table, problems: &mut Problems) -> Sweep {
    let mut top = Reader::top(table);
    if !top.has("schema") {
        problems.add(&Place::Whole, "`schema` is missing", "the first line must be schema = 1");
    }
    top.integer("schema", 1, 1..=1, problems);
    let name = name(&mut top, problems);
    let question = top.text("question", problems);
    let base = resolve::trial(&mut top, problems);
    let (search, axes) = search(top.table("search", problems), problems);
    let mut reader = top.table("report", problems);
    let report = ReportSettings { variants: reader.texts("variants", problems).unwrap_or_default() };
    let known: Vec<&str> = axes.iter().map(|axis| axis.name.as_str()).collect();
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
    let tables = published_names().map(|name| (name, Some(name)));
    let baseline = Baseline {
        published: reader.choice("published", None, &tables, problems).map(str::to_owned),
        rerun: reader.flag("rerun", true, problems),
    };
    reader.finish(problems);
    top.finish(problems);

    let trials = trials(table, &base, &search.strategy, &axes, &report, baseline.rerun, problems);
    Sweep { name, question, search, report, baseline, trials }
}

fn name(top: &mut Reader<'_>, problems: &mut Problems) -> String {
    let name = top.text("name", problems);
    let good = |name: &str| {
        !name.is_empty()
            && name.len() <= 64
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && !name.starts_with('.')
    };
    match name {
        Some(name) if good(&name) => name,
        Some(name) => {
            let help = "expected letters, digits, - _ and . (at most 64): it names the report's folder";
            problems.add(&top.place_of("name"), format!("`name` is \"{name}\""), help);
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

fn search(mut reader: Reader<'_>, problems: &mut Problems) -> (SearchSettings, Vec<Axis>) {
    let random = reader.choice("strategy", false, &[("grid", false), ("random", true)], problems);
    let strategy = match random {
        false => {
            for key in ["trials", "seed"] {
                if reader.has(key) {
                    let help = "a grid has as many trials as points; strategy = \"random\" takes trials and seed";
                    problems.add(&reader.place_of(key), format!("`search.{key}` does not go with a grid"), help);
                }
            }
            reader.integer("trials", 1, 0..=u64::MAX, problems);
            reader.integer("seed", 0, 0..=u64::MAX, problems);
            Strategy::Grid
        }
        true => {
            if !reader.has("trials") {
                problems.add(reader.place(), "`search.trials` is missing", "expected the number of random trials");
            }
            Strategy::Random {
                trials: reader.integer("trials", 1, 1..=1_000_000, problems) as usize,
                seed: reader.integer("seed", 0, 0..=u64::MAX, problems),
            }
        }
    };
    let objective = reader
        .has("objective")
        .then(|| reader.choice("objective", 0, &[("pseudo_pixel_auroc", 0)], problems))
        .map(|_| Objective::PseudoPixelAuroc);
    let seeds = seeds(&mut reader, problems);
    let axes = reader
        .free_table("space", problems)
        .into_iter()
        .flatten()
        .filter_map(|(name, (place, node))| axis(name, place, node, random, problems))
        .collect();
    reader.finish(problems);
    (SearchSettings { strategy, seeds, objective, pruner: None }, axes)
}

fn seeds(reader: &mut Reader<'_>, problems: &mut Problems) -> Vec<u64> {
    let Some(items) = reader.list("seeds", "a list of whole numbers", problems) else { return vec![0] };
    let mut seeds = Vec::new();
    for item in items {
        match item.value {
            Value::Integer(seed) if seed >= 0 && !seeds.contains(&(seed as u64)) => seeds.push(seed as u64),
            Value::Integer(seed) if seed >= 0 => {
                problems.add(&item.place, format!("seed {seed} is listed twice"), "list each seed once");
            }
            _ => problems.add(
                &item.place,
                format!("a seed is {}", item.value.describe()),
                "expected whole numbers of at least 0",
            ),
        }
    }
    if items.is_empty() {
        problems.add(&reader.place_of("seeds"), "`search.seeds` is empty", "expected at least one seed");
    }
    seeds
}

/// One axis: a list of choices, or a range for random search.
fn axis(name: &str, place: &Place, node: &Node, random: bool, problems: &mut Problems) -> Option<Axis> {
    let expected = "expected a list of values or, with strategy = \"random\", one of { uniform = [a, b] }, { log_uniform = [a, b] } \
                    (0 < a < b) and { int = [a, b] } with a < b";
    let domain = match &node.value {
        Value::List(items) if !items.is_empty() => Some(Domain::Choices(items.len())),
        Value::Table(range) if random => range_domain(range),
        _ => None,
    };
    let Some(domain) = domain else {
        problems.add(&node.place, format!("the axis `{name}` is {}", node.value.describe()), expected);
        return None;
    };
    const TABLES: [&str; 6] = ["data", "teacher", "model", "pretrain", "joint", "evaluate"];
    let (table, setting) = name.split_once('.').unwrap_or((name, ""));
    if !TABLES.contains(&table) || setting.is_empty() || ["data.root", "data.categories"].contains(&name) {
        let hint = near(table, &TABLES).filter(|near| *near != table && !setting.is_empty());
        let hint = hint.map(|near| format!("did you mean \"{near}.{setting}\"? ")).unwrap_or_default();
        let help = format!(
            "{hint}an axis is a dotted setting of the data, the model or the training, such as \"model.skip\"; categories are \
             listed in data.categories, and each data.root is a sweep of its own"
        );
        problems.add(place, format!("`{name}` cannot be searched"), help);
        return None;
    }
    Some(Axis { name: name.to_owned(), domain })
}

/// The one range that a table names; none if it is not a proper one.
fn range_domain(range: &Table) -> Option<Domain> {
    if range.len() != 1 {
        return None;
    }
    let number = |node: &Node| match node.value {
        Value::Integer(number) => Some(number as f64),
        Value::Float(number) if number.is_finite() => Some(number),
        _ => None,
    };
    let (kind, (_, bounds)) = range.iter().next()?;
    let Value::List(bounds) = &bounds.value else { return None };
    let [low, high] = bounds.as_slice() else { return None };
    let (low, high) = (number(low)?, number(high)?);
    match kind.as_str() {
        "uniform" if low < high => Some(Domain::Uniform(low, high)),
        "log_uniform" if 0.0 < low && low < high => Some(Domain::LogUniform(low, high)),
        "int" if low < high && low.fract() == 0.0 && high.fract() == 0.0 => {
            Some(Domain::Integer(low as i64, high as i64))
        }
        _ => None,
    }
}

/// Every point as a checked trial, without duplicates, the re-run baseline first.
fn trials(
    table: &Table,
    base: &Trial,
    strategy: &Strategy,
    axes: &[Axis],
    report: &ReportSettings,
    rerun: bool,
    problems: &mut Problems,
) -> Vec<SweepTrial> {
    let mut trials: Vec<SweepTrial> = Vec::new();
    for point in points(axes, strategy) {
        let mut tree = table.clone();
        let mut values = BTreeMap::new();
        for (axis, coordinate) in axes.iter().zip(&point) {
            let Some((key_place, node)) = space_entry(table, &axis.name) else { continue };
            let node = match (&node.value, coordinate) {
                (Value::List(items), crate::search::Coordinate::Choice(index)) => items[*index].clone(),
                (_, crate::search::Coordinate::Number(number)) => {
                    Node { value: Value::Float(*number), place: node.place.clone() }
                }
                (_, crate::search::Coordinate::Whole(number)) => {
                    Node { value: Value::Integer(*number), place: node.place.clone() }
                }
                _ => continue,
            };
            values.insert(axis.name.clone(), node.value.to_json());
            if !tree::set(&mut tree, &axis.name, key_place, node) {
                problems.add(
                    key_place,
                    format!("`{}` reaches into a value that is not a table", axis.name),
                    "use the dotted name of a setting",
                );
            }
        }
        let trial = resolve::trial(&mut Reader::top(&tree), problems);
        if trials.iter().any(|known| known.trial == trial) {
            continue;
        }
        let variant = label(&tree, &trial, report);
        trials.push(SweepTrial { trial, axes: values, variant, baseline: false });
    }
    if rerun { with_baseline(trials, base) } else { trials }
}

/// ST-FPM once under every protocol that the trials use; a trial that is the same training becomes it.
fn with_baseline(mut trials: Vec<SweepTrial>, base: &Trial) -> Vec<SweepTrial> {
    let mut baselines: Vec<SweepTrial> = Vec::new();
    for trial in &trials {
        let mut same_protocol = trial.trial.clone();
        same_protocol.joint = base.joint.clone();
        let stfpm = resolve::baseline_of(&same_protocol);
        if !baselines.iter().any(|known| known.trial == stfpm) {
            let axes = BTreeMap::new();
            baselines.push(SweepTrial { trial: stfpm, axes, variant: BASELINE.to_owned(), baseline: true });
        }
    }
    trials.retain(|trial| !baselines.iter().any(|baseline| baseline.trial == trial.trial));
    baselines.extend(trials);
    baselines
}

fn space_entry<'t>(table: &'t Table, name: &str) -> Option<&'t (Place, Node)> {
    let Value::Table(search) = &table.get("search")?.1.value else { return None };
    let Value::Table(space) = &search.get("space")?.1.value else { return None };
    space.get(name)
}

/// `skip=concat, depth=2` for the axes that the report compares; the network's kind where it compares none.
fn label(tree: &Table, trial: &Trial, report: &ReportSettings) -> String {
    let parts: Vec<String> = report
        .variants
        .iter()
        .filter(|name| {
            trial.model != AutoEncoder::None || !name.starts_with("model.") || name.as_str() == "model.autoencoder"
        })
        .filter_map(|name| {
            let value = match tree::get(tree, name)? {
                Value::Text(text) => text.clone(),
                other => other.to_json().to_string(),
            };
            Some(format!("{}={value}", short_name(name, &report.variants)))
        })
        .collect();
    match (&trial.model, parts.is_empty()) {
        (_, false) => parts.join(", "),
        (AutoEncoder::None, true) => "no auto-encoder".to_owned(),
        (AutoEncoder::Unet(unet), true) => {
            let skip = serde_json::to_value(unet.skip).ok().and_then(|v| v.as_str().map(str::to_owned));
            format!("U-Net, skip={}", skip.unwrap_or_default())
        }
    }
}
