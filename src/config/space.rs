//! The search space of a sweep file. Converts points to trials, and stored values to points.

use std::collections::{BTreeMap, HashMap};

use super::axis::{Axis, Coordinate, Point};
use super::entry::{coordinate, listed};
use super::load::SweepSource;
use super::sweep::{SweepTrial, short_name};
use super::{ReportSettings, Rerun, Strategy, Trial};
use crate::model::{AutoEncoder, Model};
use crate::settings::{ConfigErrors, Node, Place, Problems, Reader, Session, Settings, Table, Value, set};

/// Name of the re-run baseline in every table.
pub const BASELINE: &str = "ST-FPM";

/// The search space of a sweep file.
#[derive(Debug, Clone)]
pub struct Space {
    /// The sweep file with its flags.
    pub(super) table: Table,
    /// Axes, each after the axes that its conditions name.
    pub(super) axes: Vec<Axis>,
    pub(super) strategy: Strategy,
    pub(super) report: ReportSettings,
    /// The trial of the file without any axis.
    pub(super) base: Trial,
    /// Whether ST-FPM is re-run.
    pub(super) rerun: Rerun,
    /// Whether chosen trials are compared, so that ST-FPM is tuned as well.
    pub(super) tunes_baseline: bool,
    /// Name and text of the file, for messages.
    pub(super) source: SweepSource,
}

impl Space {
    /// Returns the axes, one per coordinate of a point.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// Returns the trial of the file without any axis.
    pub(crate) fn base(&self) -> &Trial {
        &self.base
    }

    /// Returns how points are drawn.
    pub fn strategy(&self) -> &Strategy {
        &self.strategy
    }

    /// Returns the trial of a point.
    ///
    /// # Errors
    /// Fails if the settings cannot be combined. The error has the place of the axis.
    pub fn trial(&self, point: &[Option<Coordinate>]) -> Result<SweepTrial, ConfigErrors> {
        let problems = Problems::default();
        let trial = self.checked(point, &problems);
        match problems.is_empty() {
            true => Ok(trial),
            false => Err(ConfigErrors::new(self.source.name.clone(), self.source.text.clone(), problems)),
        }
    }

    /// Returns the point of a trial from the stored values of its axes. Returns `None` if the space does not contain this point (any more).
    pub fn point_of(&self, values: &BTreeMap<String, serde_json::Value>) -> Option<Point> {
        let mut point: Point = Vec::new();
        for axis in &self.axes {
            let coordinate = match (axis.active(&point), values.get(&axis.name)) {
                (true, Some(value)) => Some(coordinate(&axis.domain, &axis_entry(&self.table, &axis.name)?.1, value)?),
                (false, None) => None,
                _ => return None,
            };
            point.push(coordinate);
        }
        values.keys().all(|name| self.axes.iter().any(|axis| axis.name == *name)).then_some(point)
    }

    /// Returns the re-run baseline under the protocol of a trial: ST-FPM by its own recipe, with the same images and map rule.
    ///
    /// Returns `None` if the sweep does not train the baseline. Equal protocols have equal baselines, so the caller must check whether it
    /// already exists.
    pub fn baseline_of(&self, trial: &SweepTrial) -> Option<SweepTrial> {
        let same_protocol = Trial { joint: self.base.joint.clone(), ..trial.trial.clone() };
        (self.rerun != Rerun::No).then(|| SweepTrial {
            trial: same_protocol.baseline(),
            axes: BTreeMap::new(),
            point: trial.point.clone(),
            variant: BASELINE.to_owned(),
            baseline: true,
        })
    }

    /// Returns the trials of ST-FPM that belong to a trial. The re-run baseline is the first. If chosen trials are compared, ST-FPM with the
    /// trial's values follows, for the axes that ST-FPM has. So it gets the same tuning budget.
    pub fn baselines_of(&self, trial: &SweepTrial) -> Vec<SweepTrial> {
        let Some(baseline) = self.baseline_of(trial) else { return Vec::new() };
        let tuned = if self.tunes_baseline { tuned(&baseline, trial) } else { None };
        std::iter::once(baseline).chain(tuned).collect()
    }

    /// Adds one baseline per protocol of the trials, and the points at which ST-FPM is tuned. If a trial is the same training as a baseline, the baseline takes over its axes and
    /// its point.
    pub fn with_baselines(&self, trials: Vec<SweepTrial>) -> Vec<SweepTrial> {
        let mut baselines = HashMap::new();
        let mut all: Vec<SweepTrial> = Vec::new();
        for baseline in trials.iter().flat_map(|trial| self.baselines_of(trial)) {
            baselines.entry(digest(&baseline)).or_insert_with(|| {
                all.push(baseline);
                all.len() - 1
            });
        }
        for trial in trials {
            match baselines.get(&digest(&trial)) {
                Some(index) => {
                    all[*index].axes = trial.axes;
                    all[*index].point = trial.point;
                }
                None if self.rerun == Rerun::Only => {}
                None => all.push(trial),
            }
        }
        all
    }

    pub(super) fn checked(&self, point: &[Option<Coordinate>], problems: &Problems) -> SweepTrial {
        let mut tree = self.table.clone();
        let mut settings: Vec<(&str, &Place, Node)> = self
            .axes
            .iter()
            .zip(point)
            .filter_map(|(axis, coordinate)| {
                let (key_place, node) = axis_entry(&self.table, &axis.name)?;
                Some((axis.name.as_str(), key_place, value_of(node, (*coordinate)?)?))
            })
            .collect();
        // Set a table before the settings in it.
        settings.sort_by_key(|(name, ..)| *name);
        let mut axes = BTreeMap::new();
        for (name, key_place, node) in settings {
            axes.insert(name.to_owned(), node.value.to_json());
            if !set(&mut tree, name, key_place, node) {
                let message = format!("`{name}` is inside a value that is not a table");
                problems.add(key_place, message, "use the dotted name of a setting");
            }
        }
        let session = Session::new(problems);
        let top = Reader::top(&session, &tree);
        let trial = Trial::read(&top, ());
        // The other settings of the top level are not read here.
        top.accept_any();
        session.report_unknown(&tree);
        let variant = label(&axes, &trial, &self.report);
        SweepTrial { trial, point: axes.clone(), axes, variant, baseline: false }
    }
}

/// Returns ST-FPM with a trial's values of the settings of `[joint]` that ST-FPM has; `None` if there are none.
fn tuned(baseline: &SweepTrial, trial: &SweepTrial) -> Option<SweepTrial> {
    let mut settings = serde_json::to_value(&baseline.trial).ok()?;
    let mut axes = BTreeMap::new();
    for (name, value) in trial.axes.iter().filter(|(name, _)| name.starts_with("joint.")) {
        if let Some(setting) =
            settings.pointer_mut(&format!("/{}", name.replace('.', "/"))).filter(|old| !old.is_null())
        {
            *setting = value.clone();
            axes.insert(name.clone(), value.clone());
        }
    }
    let tuned: Trial = serde_json::from_value(settings).ok()?;
    let is_new = !axes.is_empty() && tuned != baseline.trial;
    is_new.then(|| SweepTrial {
        trial: tuned,
        point: axes.clone(),
        axes,
        variant: BASELINE.to_owned(),
        baseline: false,
    })
}

/// Returns a digest that is equal exactly for equal settings. It finds a trial quickly among a hundred thousand, and is small.
pub(crate) fn digest(trial: &SweepTrial) -> blake3::Hash {
    let text = serde_json::to_string(&trial.trial).unwrap_or_else(|_| format!("{:?}", trial.trial));
    blake3::hash(text.as_bytes())
}

/// Returns the value of the setting for a coordinate.
fn value_of(node: &Node, coordinate: Coordinate) -> Option<Node> {
    let value = match coordinate {
        Coordinate::Choice(index) => return listed(node)?.get(index).cloned(),
        Coordinate::Number(number) => Value::Float(number),
        Coordinate::Integer(number) => Value::Integer(number),
    };
    Some(Node { value, place: node.place.clone() })
}

/// Returns the entry of an axis in `[search.space]`.
pub(super) fn axis_entry<'t>(table: &'t Table, name: &str) -> Option<&'t (Place, Node)> {
    let Value::Table(search) = &table.get("search")?.1.value else { return None };
    let Value::Table(space) = &search.get("space")?.1.value else { return None };
    space.get(name)
}

/// Returns the label of a variant: `skip=concat, depth=2` for the axes that the report compares, or the kind of model if there are none.
fn label(axes: &BTreeMap<String, serde_json::Value>, trial: &Trial, report: &ReportSettings) -> String {
    let applies = |name: &str| match &trial.model {
        Model::Encoder(AutoEncoder::None) => ["model.student", "model.autoencoder"].contains(&name),
        Model::Encoder(_) => true,
        Model::Decoder => name == "model.student",
    };
    let parts: Vec<String> = report
        .variants
        .iter()
        .filter(|name| !name.starts_with("model.") || applies(name))
        .filter_map(|name| {
            let value = axes.get(name)?;
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Some(format!("{}={value}", short_name(name, &report.variants)))
        })
        .collect();
    if parts.is_empty() { trial.model.label() } else { parts.join(", ") }
}
