//! The tables `[teacher]` and `[model]`.

use std::path::Path;

use super::problem::Problems;
use super::reader::Reader;
use super::sweep::Trial;
use super::tree::Value;
use crate::model::{
    Architecture, AutoEncoder, Corruption, InnerNorm, LevelSet, LinearSettings, Placement, Skip, TeacherSettings,
    UnetSettings, Upsample, WeightSource,
};
use crate::nn::Padding;
use crate::tensor::Activation;

/// Reads `[teacher]`.
pub(super) fn teacher(mut reader: Reader<'_>, problems: &mut Problems) -> TeacherSettings {
    let known = Architecture::ALL.map(|architecture| (architecture.name(), Some(architecture)));
    let architecture = reader.choice("architecture", None, &known, problems);
    if !reader.has("weights") {
        let help = "name a .safetensors or .pth file with torchvision's ResNet-18 or ResNet-34 weights, or \"demo\"";
        problems.add(reader.place(), "`teacher.weights` is missing", help);
    }
    let weights = match reader.path("weights", problems) {
        Some(path) if path != Path::new("demo") => WeightSource::File(path),
        _ => WeightSource::Demo,
    };
    let levels = levels(&mut reader, problems).unwrap_or_default();
    reader.finish(problems);
    TeacherSettings { architecture, weights, levels }
}

/// Reads `[model]`; `compared` are the teacher's levels.
pub(super) fn model(mut reader: Reader<'_>, compared: LevelSet, problems: &mut Problems) -> AutoEncoder {
    #[derive(Clone, Copy)]
    enum Kind {
        None,
        Unet,
        Linear,
    }
    let kinds = [("none", Kind::None), ("unet", Kind::Unet), ("linear", Kind::Linear)];
    let skips = [("none", Skip::None), ("add", Skip::Add), ("concat", Skip::Concat), ("concat-conv", Skip::ConcatConv)];
    let ways = [("transposed", Upsample::Transposed), ("bilinear", Upsample::Bilinear), ("nearest", Upsample::Nearest)];
    let norms = [("batch", InnerNorm::Batch), ("none", InnerNorm::None)];
    let activations = [("relu", Activation::Relu), ("leaky-relu", Activation::LeakyRelu), ("gelu", Activation::Gelu)];
    let paddings = [("zero", Padding::Zero), ("reflect", Padding::Reflect), ("replicate", Padding::Replicate)];
    let placements = [("student", Placement::Student), ("teacher-head", Placement::TeacherHead)];
    let usual = UnetSettings::default();
    let kind = reader.choice("autoencoder", Kind::Unet, &kinds, problems);
    let unet = UnetSettings {
        skip: reader.choice("skip", usual.skip, &skips, problems),
        depth: reader.integer("depth", usual.depth as u64, 1..=4, problems) as usize,
        width: reader.number("width", usual.width, 0.05..=8.0, problems),
        input: corruption(&mut reader, problems),
        upsample: reader.choice("upsample", usual.upsample, &ways, problems),
        norm: reader.choice("norm", usual.norm, &norms, problems),
        activation: reader.choice("activation", usual.activation, &activations, problems),
        padding: reader.choice("padding", usual.padding, &paddings, problems),
        levels: model_levels(&mut reader, compared, problems),
        placement: reader.choice("placement", usual.placement, &placements, problems),
    };
    reader.finish(problems);
    match kind {
        Kind::None => AutoEncoder::None,
        Kind::Unet => AutoEncoder::Unet(unet),
        Kind::Linear => AutoEncoder::Linear(LinearSettings {
            width: unet.width,
            input: unet.input,
            levels: unet.levels,
            placement: unet.placement,
        }),
    }
}

/// The key `levels` of a table, or none.
fn levels(reader: &mut Reader<'_>, problems: &mut Problems) -> Option<LevelSet> {
    const EXPECTED: &str = "a list of levels such as [2, 3]: some of 1 (finest), 2, 3, each once";
    let items = reader.list("levels", EXPECTED, problems)?;
    let numbers = items.iter().map(|item| match item.value {
        Value::Integer(number) => usize::try_from(number).ok(),
        _ => None,
    });
    let levels = numbers.collect::<Option<Vec<usize>>>().and_then(|numbers| LevelSet::of(&numbers));
    if levels.is_none() {
        let place = reader.place_of("levels");
        problems.add(
            &place,
            format!("`{}` is no choice of levels", reader.name("levels")),
            format!("expected {EXPECTED}"),
        );
    }
    levels
}

/// The levels that have an auto-encoder. All that are compared are said by none in particular, so that equal trainings are equal.
fn model_levels(reader: &mut Reader<'_>, compared: LevelSet, problems: &mut Problems) -> LevelSet {
    let Some(wanted) = levels(reader, problems) else { return LevelSet::ALL };
    if let Some(absent) = wanted.numbers().find(|&level| !compared.contains(level)) {
        let place = reader.place_of("levels");
        if !problems.concern(&place) {
            let message = format!("`model.levels` names level {absent}, which is not compared");
            let numbers: Vec<String> = compared.numbers().map(|level| level.to_string()).collect();
            problems.add(&place, message, format!("expected some of `teacher.levels`: {}", numbers.join(", ")));
        }
    }
    if wanted == compared { LevelSet::ALL } else { wanted }
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

/// A U-Net halves the side `depth` times: that of the coarsest level that has one must allow it.
pub(super) fn check_sides(trial: &Trial, top: &mut Reader<'_>, problems: &mut Problems) {
    let AutoEncoder::Unet(unet) = &trial.model else { return };
    let Some(level) = trial.teacher.levels.numbers().filter(|&level| unet.levels.contains(level)).last() else {
        return;
    };
    let side = trial.data.image_size >> (level + 1);
    if side.is_multiple_of(1 << unet.depth) {
        return;
    }
    let place = top.table("model", problems).place_of("depth");
    if problems.concern(&place) {
        return;
    }
    problems.add(
        &place,
        format!(
            "`model.depth` is {}, but level {level} has only {side}×{side} pixels at image_size {}",
            unet.depth, trial.data.image_size
        ),
        format!("expected image_size to be a multiple of {} for this depth", 2 << (level + unet.depth)),
    );
}
