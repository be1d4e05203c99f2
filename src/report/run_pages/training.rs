//! The training curves of a run.

use super::plots::{Line, lines};
use crate::analysis::Rows;
use crate::report::error::ReportError;
use crate::report::figure::{Figure, FigureTexts};
use crate::stages::StageKind;
use crate::store::{Curve, RunRow};

/// A figure of a run's curves.
struct Subject {
    name: &'static str,
    title: &'static str,
    /// Names of the curves in the store, and in the legend.
    curves: &'static [(&'static str, &'static str)],
}

const SUBJECTS: [Subject; 3] = [
    Subject {
        name: "losses",
        title: "similarity loss by epoch",
        curves: &[("loss_similarity", "training"), ("held_out_loss", "held-out normals")],
    },
    Subject {
        name: "reconstruction",
        title: "reconstruction loss by epoch",
        curves: &[("loss_reconstruction", "training")],
    },
    Subject {
        name: "gradients",
        title: "gradient norm by epoch, before clipping",
        curves: &[
            ("gradient_norm", "all"),
            ("gradient_norm_student", "student"),
            ("gradient_norm_autoencoder", "auto-encoders"),
        ],
    },
];

/// Draws the curves of a run's joint stage. `selected` is its selected epoch.
pub(super) fn training(
    rows: &Rows,
    curves: &[Curve],
    run: &RunRow,
    selected: Option<f64>,
    population: &str,
) -> Result<Vec<Figure>, ReportError> {
    let Some(joint) = rows.stages_of(&run.id).find(|stage| stage.kind == StageKind::Joint) else {
        return Ok(Vec::new());
    };
    // Curves are sorted by stage, name and epoch.
    let start = curves.partition_point(|point| point.stage_id.as_str() < joint.id.as_str());
    let of_run: Vec<&Curve> = curves[start..].iter().take_while(|point| point.stage_id == joint.id.as_str()).collect();
    let points = |name: &str| -> Vec<(f64, f64)> {
        let points = of_run.iter().filter(|point| point.name == name);
        points.filter_map(|point| Some((point.step as f64, point.value?))).collect()
    };
    let draw = |subject: &Subject| {
        let drawn: Vec<Line> =
            subject.curves.iter().map(|(curve, name)| Line { name, points: points(curve) }).collect();
        let drawn: Vec<Line> = drawn.into_iter().filter(|line| !line.points.is_empty()).collect();
        let mark = if selected.is_some() { "; dashed: selected epoch" } else { "" };
        let about = FigureTexts {
            name: subject.name.to_owned(),
            description: format!("{}{mark}", subject.title),
            caption: String::new(),
            population: population.to_owned(),
        };
        lines(about, &format!("{}{mark}", subject.title), &drawn, selected)
    };
    SUBJECTS.iter().filter_map(|subject| draw(subject).transpose()).collect()
}
