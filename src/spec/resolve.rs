//! One tree to one trial: defaults, recipes, checks.

use std::path::PathBuf;

use super::data::data;
use super::reader::{Problems, Reader};
use crate::evaluate::{Aggregate, Border, EvaluateSettings, ImageScoreRule, Normalise};
use crate::model::{Architecture, AutoEncoder, Corruption, Skip, TeacherSettings, UnetSettings, WeightSource};
use crate::nn::OptimizerSettings;
use crate::plan::Trial;
use crate::tensor::Numerics;
use crate::train::{
    JointSettings, LossSettings, PretrainSettings, RateSchedule, Recipe, ReconstructionGradient, SelectionRule,
};

/// Reads the tables that make a trial; the caller reads the rest of the top level.
pub(super) fn trial(top: &mut Reader<'_>, problems: &mut Problems) -> Trial {
    let data = data(top.table("data", problems), problems);
    let teacher = teacher(top.table("teacher", problems), problems);
    let model = model(top.table("model", problems), problems);
    let pretrain = pretrain(top.table("pretrain", problems), problems);
    let joint = joint(top.table("joint", problems), &model, problems);
    let evaluate = evaluate(top.table("evaluate", problems), data.image_size, problems);
    let choices = [("f32", Numerics::F32), ("tf32", Numerics::Tf32)];
    let numerics = top.choice("numerics", Numerics::F32, &choices, problems);
    let trial = Trial { data, teacher, model, pretrain, joint, evaluate, numerics };
    check_sides(&trial, top, problems);
    canonical(trial)
}

/// Settings that do not apply are dropped, so that equal trainings are equal trials.
fn canonical(mut trial: Trial) -> Trial {
    if trial.model == AutoEncoder::None {
        trial.pretrain = None;
        trial.joint.autoencoder = None;
        trial.joint.loss = None;
    }
    trial.pretrain = trial.pretrain.filter(|pretrain| pretrain.epochs > 0);
    trial
}

/// ST-FPM under the protocol of another trial: its own recipe, the same epochs and batch.
pub(super) fn baseline_of(trial: &Trial) -> Trial {
    let mut joint = recipe(Recipe::StfpmOfficial);
    joint.epochs = trial.joint.epochs;
    joint.batch_size = trial.joint.batch_size;
    canonical(Trial { model: AutoEncoder::None, joint, ..trial.clone() })
}

fn teacher(mut reader: Reader<'_>, problems: &mut Problems) -> TeacherSettings {
    let architecture =
        reader.choice("architecture", Architecture::Resnet18, &[("resnet18", Architecture::Resnet18)], problems);
    if !reader.has("weights") {
        let help = "name a .safetensors or .pth file with torchvision's ResNet-18 weights, or \"demo\"";
        problems.add(reader.place(), "`teacher.weights` is missing", help);
    }
    let weights = match reader.text("weights", problems) {
        Some(name) if name != "demo" => WeightSource::File(PathBuf::from(name)),
        _ => WeightSource::Demo,
    };
    reader.finish(problems);
    TeacherSettings { architecture, weights }
}

fn model(mut reader: Reader<'_>, problems: &mut Problems) -> AutoEncoder {
    let unet = reader.choice("autoencoder", true, &[("none", false), ("unet", true)], problems);
    let skips = [("none", Skip::None), ("add", Skip::Add), ("concat", Skip::Concat), ("concat-conv", Skip::ConcatConv)];
    let settings = UnetSettings {
        skip: reader.choice("skip", Skip::Concat, &skips, problems),
        depth: reader.integer("depth", 2, 1..=4, problems) as usize,
        width: reader.number("width", 1.0, 0.05..=8.0, problems),
        input: corruption(&mut reader, problems),
    };
    reader.finish(problems);
    if unet { AutoEncoder::Unet(settings) } else { AutoEncoder::None }
}

fn corruption(reader: &mut Reader<'_>, problems: &mut Problems) -> Corruption {
    let kinds = [
        ("plain", Corruption::Plain),
        ("noise", Corruption::Noise(0.0)),
        ("masked", Corruption::Masked(0.0)),
        ("dropout", Corruption::Dropout(0.0)),
    ];
    let kind = reader.choice("input", Corruption::Plain, &kinds, problems);
    let deviation = reader.number("input_noise", 0.3, 1e-6..=1e3, problems);
    let share = reader.number("input_share", 0.25, 1e-6..=0.95, problems);
    match kind {
        Corruption::Plain => Corruption::Plain,
        Corruption::Noise(_) => Corruption::Noise(deviation),
        Corruption::Masked(_) => Corruption::Masked(share),
        Corruption::Dropout(_) => Corruption::Dropout(share),
    }
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

/// The smallest positive learning rate: 0 would train nothing.
const MIN_RATE: f64 = 1e-12;

/// The settings of a recipe, before the file overrides them.
fn recipe(recipe: Recipe) -> JointSettings {
    let stfpm = OptimizerSettings::Sgd { learning_rate: 0.4, momentum: 0.9, weight_decay: 1e-4 };
    JointSettings {
        recipe,
        epochs: 100,
        batch_size: 32,
        clip_norm: match recipe {
            Recipe::StfpmOfficial => 0.0,
            Recipe::Seed => 1.0,
        },
        student: stfpm,
        autoencoder: Some(OptimizerSettings::Adam { learning_rate: 1e-4, weight_decay: 0.0 }),
        loss: Some(LossSettings {
            reconstruction: 1.0,
            similarity: 1.0,
            reconstruction_gradient: ReconstructionGradient::Both,
        }),
        selection: match recipe {
            Recipe::StfpmOfficial => SelectionRule::HeldOutScore,
            Recipe::Seed => SelectionRule::HeldOutLoss,
        },
        schedule: RateSchedule::Constant,
        warm_up: 0,
        patience: 0,
    }
}

fn joint(mut reader: Reader<'_>, model: &AutoEncoder, problems: &mut Problems) -> JointSettings {
    let default = match model {
        AutoEncoder::None => Recipe::StfpmOfficial,
        AutoEncoder::Unet(_) => Recipe::Seed,
    };
    let recipes = [("stfpm-official", Recipe::StfpmOfficial), ("seed", Recipe::Seed)];
    let base = recipe(reader.choice("recipe", default, &recipes, problems));
    let selections = [("held-out-loss", SelectionRule::HeldOutLoss), ("held-out-score", SelectionRule::HeldOutScore)];
    let settings = JointSettings {
        epochs: reader.integer("epochs", base.epochs as u64, 1..=100_000, problems) as usize,
        batch_size: reader.integer("batch_size", base.batch_size as u64, 2..=4096, problems) as usize,
        clip_norm: reader.number("clip_norm", base.clip_norm, 0.0..=f64::INFINITY, problems),
        selection: reader.choice("selection", base.selection, &selections, problems),
        student: optimizer(reader.table("student", problems), &base.student, problems),
        autoencoder: base.autoencoder.map(|base| optimizer(reader.table("autoencoder", problems), &base, problems)),
        loss: base.loss.map(|base| loss(reader.table("loss", problems), &base, problems)),
        schedule: schedule(&mut reader, problems),
        warm_up: reader.integer("warm_up", 0, 0..=100_000, problems) as usize,
        patience: reader.integer("patience", 0, 0..=100_000, problems) as usize,
        recipe: base.recipe,
    };
    reader.finish(problems);
    settings
}

fn schedule(reader: &mut Reader<'_>, problems: &mut Problems) -> RateSchedule {
    let step = RateSchedule::Step { every: 0, factor: 0.0 };
    let kinds = [("constant", RateSchedule::Constant), ("cosine", RateSchedule::Cosine), ("step", step)];
    let kind = reader.choice("schedule", RateSchedule::Constant, &kinds, problems);
    let every = reader.integer("step_epochs", 30, 1..=100_000, problems) as usize;
    let factor = reader.number("step_factor", 0.1, 1e-6..=1.0, problems);
    match kind {
        RateSchedule::Step { .. } => RateSchedule::Step { every, factor },
        other => other,
    }
}

fn optimizer(mut reader: Reader<'_>, base: &OptimizerSettings, problems: &mut Problems) -> OptimizerSettings {
    #[derive(Clone, Copy, PartialEq)]
    enum Kind {
        Sgd,
        Adam,
        Adamw,
    }
    let (base_kind, base_rate, base_decay, base_momentum) = match *base {
        OptimizerSettings::Sgd { learning_rate, momentum, weight_decay } => {
            (Kind::Sgd, learning_rate, weight_decay, momentum)
        }
        OptimizerSettings::Adam { learning_rate, weight_decay } => (Kind::Adam, learning_rate, weight_decay, 0.9),
        OptimizerSettings::Adamw { learning_rate, weight_decay } => (Kind::Adamw, learning_rate, weight_decay, 0.9),
    };
    let kinds = [("sgd", Kind::Sgd), ("adam", Kind::Adam), ("adamw", Kind::Adamw)];
    let kind = reader.choice("optimizer", base_kind, &kinds, problems);
    // Another optimiser than the recipe's has another scale: it takes its own customary rate.
    let default_rate = match kind {
        kind if kind == base_kind => base_rate,
        Kind::Sgd => 0.1,
        Kind::Adam | Kind::Adamw => 1e-3,
    };
    let learning_rate = reader.number("learning_rate", default_rate, MIN_RATE..=1e4, problems);
    let weight_decay = reader.number("weight_decay", base_decay, 0.0..=1.0, problems);
    let settings = match kind {
        Kind::Sgd => {
            let momentum = reader.number("momentum", base_momentum, 0.0..=0.999_999, problems);
            OptimizerSettings::Sgd { learning_rate, momentum, weight_decay }
        }
        Kind::Adam => OptimizerSettings::Adam { learning_rate, weight_decay },
        Kind::Adamw => OptimizerSettings::Adamw { learning_rate, weight_decay },
    };
    reader.finish(problems);
    settings
}

fn loss(mut reader: Reader<'_>, base: &LossSettings, problems: &mut Problems) -> LossSettings {
    let gradients = [("both", ReconstructionGradient::Both), ("autoencoder", ReconstructionGradient::Autoencoder)];
    reader.choice("weighting", (), &[("fixed", ())], problems);
    let settings = LossSettings {
        reconstruction: reader.number("reconstruction", base.reconstruction, 0.0..=1e6, problems),
        similarity: reader.number("similarity", base.similarity, 0.0..=1e6, problems),
        reconstruction_gradient: reader.choice(
            "reconstruction_gradient",
            base.reconstruction_gradient,
            &gradients,
            problems,
        ),
    };
    if settings.similarity <= 0.0 {
        let help = "expected a positive weight: without it nothing ties the student to the teacher";
        problems.add(&reader.place_of("similarity"), "`joint.loss.similarity` is 0", help);
    }
    reader.finish(problems);
    settings
}

fn evaluate(mut reader: Reader<'_>, image_size: usize, problems: &mut Problems) -> EvaluateSettings {
    let rules = [
        ("product", Aggregate::Product),
        ("sum", Aggregate::Sum),
        ("mean", Aggregate::Mean),
        ("weighted", Aggregate::Weighted),
    ];
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
        oracle_epochs: reader.integer("oracle_epochs", 0, 0..=10_000, problems) as usize,
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

/// A U-Net halves the side `depth` times: level 3's must allow it.
fn check_sides(trial: &Trial, top: &mut Reader<'_>, problems: &mut Problems) {
    if let AutoEncoder::Unet(unet) = &trial.model {
        let side = trial.data.image_size / 16;
        if !side.is_multiple_of(1 << unet.depth) {
            let place = top.table("model", problems).place_of("depth");
            if problems.concern(&place) {
                return;
            }
            problems.add(
                &place,
                format!(
                    "`model.depth` is {}, but level 3 has only {side}×{side} pixels at image_size {}",
                    unet.depth, trial.data.image_size
                ),
                format!("expected image_size to be a multiple of {} for this depth", 16 << unet.depth),
            );
        }
    }
}
