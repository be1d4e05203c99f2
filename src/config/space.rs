//! The search space of a sweep file: points to trials, and stored values back to points.

use std::collections::{BTreeMap, HashMap};

use super::axis::{Axis, Coordinate, Point};
use super::entry::{coordinate, listed};
use super::load::Source;
use super::sweep::{SweepTrial, short_name};
use super::{ReportSettings, Rerun, Strategy, Trial};
use crate::model::AutoEncoder;
use crate::settings::{ConfigErrors, Named, Node, Place, Problems, Reader, Session, Settings, Table, Value, set};

/// The name under which the re-run baseline stands in every table.
const BASELINE: &str = "ST-FPM";

/// The search space of a sweep file.
#[derive(Debug, Clone)]
pub struct Space {
    /// The file with its flags.
    pub(super) table: Table,
    /// Each behind those that its conditions name.
    pub(super) axes: Vec<Axis>,
    pub(super) strategy: Strategy,
    pub(super) report: ReportSettings,
    /// The file's trial without any axis.
    pub(super) base: Trial,
    /// Whether ST-FPM is re-run.
    pub(super) rerun: Rerun,
    /// For messages.
    pub(super) source: Source,
}

impl Space {
    /// The axes that points have coordinates on.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// The file's trial without any axis.
    pub(crate) fn base(&self) -> &Trial {
        &self.base
    }

    /// How points are drawn.
    pub fn strategy(&self) -> &Strategy {
        &self.strategy
    }

    /// The trial of a point. An error if its settings do not go together, told in the place of the axis.
    pub fn trial(&self, point: &[Option<Coordinate>]) -> Result<SweepTrial, ConfigErrors> {
        let problems = Problems::default();
        let trial = self.checked(point, &problems);
        match problems.is_empty() {
            true => Ok(trial),
            false => Err(ConfigErrors::new(self.source.name.clone(), self.source.text.clone(), problems)),
        }
    }

    /// The point of a trial by the values that were stored of its axes; none if the space has no such point (any more).
    pub fn point_of(&self, values: &BTreeMap<String, serde_json::Value>) -> Option<Point> {
        let mut point: Point = Vec::new();
        for axis in &self.axes {
            let coordinate = match (axis.active(&point), values.get(&axis.name)) {
                (true, Some(value)) => Some(coordinate(&axis.domain, &entry_of(&self.table, &axis.name)?.1, value)?),
                (false, None) => None,
                _ => return None,
            };
            point.push(coordinate);
        }
        values.keys().all(|name| self.axes.iter().any(|axis| axis.name == *name)).then_some(point)
    }

    /// The re-run baseline under the protocol of a trial: ST-FPM by its own recipe on the same images and by the same map rule.
    /// None if the sweep has no such baseline. Equal protocols have equal baselines: the caller asks whether it is there.
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

    /// ST-FPM once under every protocol that the trials use. A trial that is the same training becomes it, and it then stands for that
    /// point of the space.
    pub fn with_baselines(&self, trials: Vec<SweepTrial>) -> Vec<SweepTrial> {
        let mut known = HashMap::new();
        let mut all: Vec<SweepTrial> = Vec::new();
        for baseline in trials.iter().filter_map(|trial| self.baseline_of(trial)) {
            known.entry(digest(&baseline)).or_insert_with(|| {
                all.push(baseline);
                all.len() - 1
            });
        }
        for trial in trials {
            match known.get(&digest(&trial)) {
                Some(place) => {
                    all[*place].axes = trial.axes;
                    all[*place].point = trial.point;
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
                let (key_place, node) = entry_of(&self.table, &axis.name)?;
                Some((axis.name.as_str(), key_place, setting(node, (*coordinate)?)?))
            })
            .collect();
        // A table before the settings within it.
        settings.sort_by_key(|(name, ..)| *name);
        let mut axes = BTreeMap::new();
        for (name, key_place, node) in settings {
            axes.insert(name.to_owned(), node.value.to_json());
            if !set(&mut tree, name, key_place, node) {
                let message = format!("`{name}` reaches into a value that is not a table");
                problems.add(key_place, message, "use the dotted name of a setting");
            }
        }
        let session = Session::new(problems);
        let top = Reader::top(&session, &tree);
        let trial = Trial::read(&top, ());
        // The other settings of the top level are not asked for.
        top.accept_any();
        session.report_unknown(&tree);
        let variant = label(&axes, &trial, &self.report);
        SweepTrial { trial, point: axes.clone(), axes, variant, baseline: false }
    }
}

/// Equal exactly for trials of equal settings, quickly found among a hundred thousand, and small.
pub(crate) fn digest(trial: &SweepTrial) -> blake3::Hash {
    let text = serde_json::to_string(&trial.trial).unwrap_or_else(|_| format!("{:?}", trial.trial));
    blake3::hash(text.as_bytes())
}

/// What stands in the file for a coordinate.
fn setting(node: &Node, coordinate: Coordinate) -> Option<Node> {
    let value = match coordinate {
        Coordinate::Choice(index) => return listed(node)?.get(index).cloned(),
        Coordinate::Number(number) => Value::Float(number),
        Coordinate::Whole(number) => Value::Integer(number),
    };
    Some(Node { value, place: node.place.clone() })
}

/// What `[search.space]` says of an axis.
pub(super) fn entry_of<'t>(table: &'t Table, name: &str) -> Option<&'t (Place, Node)> {
    let Value::Table(search) = &table.get("search")?.1.value else { return None };
    let Value::Table(space) = &search.get("space")?.1.value else { return None };
    space.get(name)
}

/// `skip=concat, depth=2` for the axes that the report compares; the network's kind where it compares none.
fn label(axes: &BTreeMap<String, serde_json::Value>, trial: &Trial, report: &ReportSettings) -> String {
    let parts: Vec<String> = report
        .variants
        .iter()
        .filter(|name| {
            trial.model != AutoEncoder::None || !name.starts_with("model.") || name.as_str() == "model.autoencoder"
        })
        .filter_map(|name| {
            let value = axes.get(name)?;
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Some(format!("{}={value}", short_name(name, &report.variants)))
        })
        .collect();
    match (&trial.model, parts.is_empty()) {
        (_, false) => parts.join(", "),
        (AutoEncoder::None, true) => "no auto-encoder".to_owned(),
        (AutoEncoder::Linear(_), true) => "linear auto-encoder".to_owned(),
        (AutoEncoder::Unet(unet), true) => format!("U-Net, skip={}", unet.skip.name()),
    }
}
