//! One tree to one trial: defaults, recipes, checks.

use super::data::data;
use super::joint::{MIN_RATE, joint};
use super::networks;
use super::problem::Problems;
use super::reader::Reader;
use super::sweep::Trial;
use crate::evaluate::{Aggregate, Border, EvaluateSettings, ImageScoreRule, Normalise};
use crate::model::{AutoEncoder, Placement};
use crate::tensor::Numerics;
use crate::training::{JointSettings, PretrainSettings, Recipe, ReconstructionGradient, ReconstructionTarget};

/// Reads the tables that make a trial; the caller reads the rest of the top level.
pub(super) fn trial(top: &mut Reader<'_>, problems: &mut Problems) -> Trial {
    let data = data(top.table("data", problems), problems);
    let teacher = networks::teacher(top.table("teacher", problems), problems);
    let model = networks::model(top.table("model", problems), teacher.levels, problems);
    let pretrain = pretrain(top.table("pretrain", problems), problems);
    let joint = joint(top.table("joint", problems), &model, problems);
    let evaluate = evaluate(top.table("evaluate", problems), data.image_size, joint.recipe, problems);
    let choices = [("f32", Numerics::F32), ("tf32", Numerics::Tf32)];
    let numerics = top.choice("numerics", Numerics::F32, &choices, problems);
    let trial = Trial { data, teacher, model, pretrain, joint, evaluate, numerics };
    networks::check_sides(&trial, top, problems);
    canonical(trial)
}

/// Settings that do not apply are dropped, so that equal trainings are equal trials.
fn canonical(mut trial: Trial) -> Trial {
    if trial.model == AutoEncoder::None {
        trial.pretrain = None;
        trial.joint.autoencoder = None;
        trial.joint.loss = None;
    }
    if let (Some(Placement::TeacherHead), Some(loss)) = (trial.model.placement(), &mut trial.joint.loss) {
        // The teacher's features are rebuilt: no gradient could go to the student.
        loss.reconstruction_gradient = ReconstructionGradient::Both;
        loss.target = ReconstructionTarget::default();
    }
    trial.pretrain = trial.pretrain.filter(|pretrain| pretrain.epochs > 0);
    trial
}

/// ST-FPM under the protocol of another trial: its own recipe, the same epochs and batch.
pub(super) fn baseline_of(trial: &Trial) -> Trial {
    let joint = JointSettings {
        epochs: trial.joint.epochs,
        batch_size: trial.joint.batch_size,
        ..JointSettings::of(Recipe::StfpmOfficial)
    };
    canonical(Trial { model: AutoEncoder::None, joint, ..trial.clone() })
}

fn pretrain(mut reader: Reader<'_>, problems: &mut Problems) -> Option<PretrainSettings> {
    let settings = PretrainSettings {
        epochs: reader.integer("epochs", 50, 0..=100_000, problems) as usize,
        batch_size: reader.integer("batch_size", 32, 2..=4096, problems) as usize,
        learning_rate: reader.number("learning_rate", 1e-3, MIN_RATE..=10.0, problems),
    };
    reader.finish(problems);
    Some(settings)
}

fn evaluate(mut reader: Reader<'_>, image_size: usize, recipe: Recipe, problems: &mut Problems) -> EvaluateSettings {
    let rules = [
        ("product", Aggregate::Product),
        ("sum", Aggregate::Sum),
        ("mean", Aggregate::Mean),
        ("weighted", Aggregate::Weighted),
    ];
    // anomalib picks its epoch on the test set: the oracle's row shows what that yields.
    let oracle_epochs = if recipe == Recipe::Anomalib26 { 20 } else { 0 };
    let normalise = [("none", Normalise::None), ("held-out", Normalise::HeldOut)];
    let settings = EvaluateSettings {
        aggregate: reader.choice("aggregate", Aggregate::Product, &rules, problems),
        normalise: reader.choice("normalise", Normalise::None, &normalise, problems),
        border: border(&mut reader, image_size, problems),
        image_score: image_score(&mut reader, problems),
        threshold_quantile: reader.number("threshold_quantile", 1.0, 0.0..=1.0, problems),
        // The official code's 64 at 256 px: level 1's side.
        fuse_size: reader.integer("fuse_size", (image_size / 4) as u64, 1..=4096, problems) as usize,
        smoothing_sigma: reader.number("smoothing_sigma", 0.0, 0.0..=64.0, problems),
        oracle_epochs: reader.integer("oracle_epochs", oracle_epochs, 0..=10_000, problems) as usize,
    };
    if settings.normalise == Normalise::HeldOut {
        // Normalised values lie on both sides of 0.
        if settings.aggregate == Aggregate::Product {
            let help = "expected \"sum\", \"mean\" or \"weighted\": normalised levels have negative values, whose product means nothing";
            problems.add(
                &reader.place_of("aggregate"),
                "`evaluate.aggregate` is \"product\" of normalised levels",
                help,
            );
        }
        if matches!(settings.border, Border::Crop(_)) {
            let help = "expected \"none\" or \"reweight\": a cropped border counts as 0, which is no low score among normalised ones";
            problems.add(&reader.place_of("border"), "`evaluate.border` is \"crop\" of normalised levels", help);
        }
    }
    reader.finish(problems);
    settings
}

fn border(reader: &mut Reader<'_>, image_size: usize, problems: &mut Problems) -> Border {
    let kinds = [("none", Border::None), ("crop", Border::Crop(0)), ("reweight", Border::Reweight)];
    let border = reader.choice("border", Border::None, &kinds, problems);
    // Half of the image would be cropped at a quarter of the side: nothing to look at is left beyond.
    let pixels =
        reader.integer("border_crop", (image_size / 32) as u64, 1..=(image_size / 4) as u64, problems) as usize;
    match border {
        Border::Crop(_) => Border::Crop(pixels),
        other => other,
    }
}

fn image_score(reader: &mut Reader<'_>, problems: &mut Problems) -> ImageScoreRule {
    let rules = [("max", ImageScoreRule::Max), ("top-k", ImageScoreRule::TopK(0.0))];
    let rule = reader.choice("image_score", ImageScoreRule::Max, &rules, problems);
    let share = reader.number("top_k", 0.03, 1e-6..=1.0, problems);
    match rule {
        ImageScoreRule::TopK(_) => ImageScoreRule::TopK(share),
        ImageScoreRule::Max => ImageScoreRule::Max,
    }
}
