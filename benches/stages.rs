//! Benchmarks of a sweep's main costs: one training step, one scoring pass, the exact metrics.

use didact::evaluate::metrics::{Sweep, aupro, auroc};
use didact::model::{Architecture, Assembly, AutoEncoder, Backbone, Model, UnetSettings};
use didact::nn::Mode;
use didact::tensor::{Backend, Features, Native, OpResult, Recorded};
use divan::Bencher;

const BATCH: usize = 8;

fn main() {
    divan::main();
}

fn ramp(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 2_654_435_761) % 1000) as f32 / 500.0 - 1.0).collect()
}

fn features(side: usize, channels: usize) -> Features<Native> {
    Native::upload(ramp(BATCH * side * side * channels), (BATCH, side, side, channels)).expect("memory")
}

fn backbone() -> Backbone {
    Backbone::new(Architecture::Resnet18, 64)
}

/// Forward and backward pass of ST-FPM's loss; the argument is the image's side.
#[divan::bench(args = [64, 128, 256], sample_count = 5)]
fn student_step(bencher: Bencher<'_, '_>, side: usize) {
    let mut assembly = Assembly::<Native>::new(0, &backbone(), &Model::STFPM);
    let teacher = [features(side / 4, 64), features(side / 8, 128), features(side / 16, 256)];
    let images = features(side, 3);
    bencher.bench_local(|| {
        let levels: OpResult<Vec<Features<Native, Recorded>>> =
            assembly.student.forward(|| Ok(images.clone()), &teacher, Mode::Train);
        let levels = levels.expect("memory");
        let losses = levels.into_iter().zip(&teacher).map(|(s, t)| Native::similarity(t, s).expect("memory"));
        let mut losses = losses.map(|loss| (loss, 1.0));
        let first = losses.next().expect("three levels");
        Native::backward(Native::weighted_sum(first, losses).expect("memory")).expect("memory")
    });
}

/// Prediction with U-Nets, as in scoring.
#[divan::bench(args = [64, 128, 256], sample_count = 5)]
fn predict_with_unets(bencher: Bencher<'_, '_>, side: usize) {
    let unet = AutoEncoder::Unet(UnetSettings::default()).into();
    let mut assembly = Assembly::<Native>::new(0, &backbone(), &unet);
    let images = features(side, 3);
    bencher.bench_local(|| {
        let predicted: OpResult<Vec<Features<Native>>> = assembly.predict(|| Ok(images.clone()), &[]);
        predicted.expect("memory")
    });
}

/// Pixel AUROC and AUPRO of this many maps of 256×256.
#[divan::bench(args = [23, 161], sample_count = 3)]
fn exact_pixel_metrics(bencher: Bencher<'_, '_>, images: usize) {
    let side = 256;
    let maps: Vec<Vec<f32>> = (0..images).map(|i| ramp(side * side + i)[i..].to_vec()).collect();
    let mask: Vec<bool> = (0..side * side).map(|p| (p / side) % 64 < 8 && p % 64 < 8).collect();
    let masks: Vec<Option<Vec<bool>>> = (0..images).map(|i| (i % 2 == 0).then(|| mask.clone())).collect();
    bencher.bench_local(|| {
        let sweep = Sweep::of_maps(&maps, &masks, side).expect("finite");
        (auroc(&sweep).expect("both classes"), aupro(&sweep, 0.3).expect("both classes"))
    });
}
