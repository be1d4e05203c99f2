//! The table `[joint]`: recipes, and what overrides them.

use super::problem::Problems;
use super::reader::Reader;
use crate::model::AutoEncoder;
use crate::nn::OptimizerSettings;
use crate::training::{
    Distance, JointSettings, LossSettings, LossWeighting, RateSchedule, Recipe, ReconstructionGradient,
    ReconstructionTarget, Reduction, SelectionRule, SimilaritySettings, TrainedImages,
};

/// The smallest positive learning rate: 0 would train nothing.
pub(super) const MIN_RATE: f64 = 1e-12;

pub(super) fn joint(mut reader: Reader<'_>, model: &AutoEncoder, problems: &mut Problems) -> JointSettings {
    let default = match model {
        AutoEncoder::None => Recipe::StfpmOfficial,
        AutoEncoder::Unet(_) | AutoEncoder::Linear(_) => Recipe::Seed,
    };
    let recipes = [
        ("stfpm-official", Recipe::StfpmOfficial),
        ("hcw-00", Recipe::Hcw00),
        ("anomalib-2.6", Recipe::Anomalib26),
        ("xiahaifeng", Recipe::Xiahaifeng),
        ("seed", Recipe::Seed),
    ];
    let base = JointSettings::of(reader.choice("recipe", default, &recipes, problems));
    let selections = [
        ("held-out-loss", SelectionRule::HeldOutLoss),
        ("held-out-score", SelectionRule::HeldOutScore),
        ("last", SelectionRule::Last),
    ];
    let images = [("train", TrainedImages::Train), ("all", TrainedImages::All)];
    let mut losses = reader.table("loss", problems);
    let similarity = similarity(&mut losses, &base.similarity, problems);
    let settings = JointSettings {
        epochs: reader.integer("epochs", base.epochs as u64, 1..=100_000, problems) as usize,
        batch_size: reader.integer("batch_size", base.batch_size as u64, 2..=4096, problems) as usize,
        clip_norm: reader.number("clip_norm", base.clip_norm, 0.0..=f64::INFINITY, problems),
        images: reader.choice("images", base.images, &images, problems),
        selection: reader.choice("selection", base.selection, &selections, problems),
        student: optimizer(reader.table("student", problems), &base.student, problems),
        autoencoder: base.autoencoder.map(|base| optimizer(reader.table("autoencoder", problems), &base, problems)),
        loss: base.loss.map(|base| loss(losses, &base, problems)),
        similarity,
        schedule: schedule(&mut reader, problems),
        warm_up: reader.integer("warm_up", 0, 0..=100_000, problems) as usize,
        patience: reader.integer("patience", 0, 0..=100_000, problems) as usize,
        recipe: base.recipe,
    };
    let selects = settings.selection != SelectionRule::Last;
    if settings.images == TrainedImages::All && selects {
        let help = "expected selection = \"last\": all normal images are trained on, and none is left that could tell a good epoch";
        problems.add(&reader.place_of("selection"), "`joint.selection` looks at held-out images", help);
    }
    if settings.patience > 0 && !selects {
        let help = "expected 0, or a selection rule: there is no better epoch where the last one is taken";
        problems.add(&reader.place_of("patience"), "`joint.patience` waits for a better epoch", help);
    }
    reader.finish(problems);
    settings
}

fn similarity(reader: &mut Reader<'_>, base: &SimilaritySettings, problems: &mut Problems) -> SimilaritySettings {
    let distances = [("normalised", Distance::Normalised), ("cosine", Distance::Cosine), ("mse", Distance::Mse)];
    let reductions = [
        ("mean", Reduction::Mean),
        ("half-sum", Reduction::HalfSum),
        ("half-sum-over-levels", Reduction::HalfSumOverLevels),
    ];
    SimilaritySettings {
        distance: reader.choice("distance", base.distance, &distances, problems),
        reduction: reader.choice("reduction", base.reduction, &reductions, problems),
        hard_quantile: reader.number("hard_quantile", base.hard_quantile, 0.0..=0.9999, problems),
    }
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
    let targets = [
        ("student", ReconstructionTarget::Student),
        ("teacher", ReconstructionTarget::Teacher),
        ("both", ReconstructionTarget::Both),
    ];
    let settings = LossSettings {
        reconstruction: reader.number("reconstruction", base.reconstruction, 0.0..=1e6, problems),
        similarity: reader.number("similarity", base.similarity, 0.0..=1e6, problems),
        reconstruction_gradient: reader.choice(
            "reconstruction_gradient",
            base.reconstruction_gradient,
            &gradients,
            problems,
        ),
        target: reader.choice("target", base.target, &targets, problems),
        normalised: reader.flag("normalised", base.normalised, problems),
        weighting: weighting(&mut reader, problems),
    };
    if settings.similarity <= 0.0 {
        let help = "expected a positive weight: without it nothing ties the student to the teacher";
        problems.add(&reader.place_of("similarity"), "`joint.loss.similarity` is 0", help);
    }
    if settings.reconstruction <= 0.0 && settings.weighting != LossWeighting::Fixed {
        let help =
            "expected a positive weight, or weighting = \"fixed\": one loss alone has nothing to be weighed against";
        problems.add(&reader.place_of("reconstruction"), "`joint.loss.reconstruction` is 0", help);
    }
    reader.finish(problems);
    settings
}

fn weighting(reader: &mut Reader<'_>, problems: &mut Problems) -> LossWeighting {
    let rate = reader.number("weighting_rate", 0.025, MIN_RATE..=1.0, problems);
    let temperature = reader.number("weighting_temperature", 2.0, 1e-3..=1e6, problems);
    let alpha = reader.number("weighting_alpha", 1.5, 0.0..=10.0, problems);
    let rules = [
        ("fixed", LossWeighting::Fixed),
        ("uncertainty", LossWeighting::Uncertainty { rate }),
        ("dwa", LossWeighting::Dwa { temperature }),
        ("gradnorm", LossWeighting::GradNorm { alpha, rate }),
        ("uw-so", LossWeighting::UwSo { temperature }),
    ];
    reader.choice("weighting", LossWeighting::Fixed, &rules, problems)
}
