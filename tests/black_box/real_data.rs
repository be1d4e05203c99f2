//! Tests with real images and the real teacher, if they exist in `DIDACT_TEST_DATA` (default `../shared/data`).

use std::path::PathBuf;

use didact::data::{Image, Picture, Reading, normalise};
use didact::model::weights::WeightFile;
use didact::model::{LevelSet, Resnet, WeightSource, load_teacher};
use didact::nn::Mode;
use didact::tensor::{Backend, Features, Native};
use serde_json::Value;

use crate::common::Workplace;

const WEIGHTS: &str = "resnet18_in1k_stem-layer3_bnfolded.safetensors";

/// Returns the folder of real data, or reports that the test was skipped.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn real_data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("DIDACT_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    if folder.join(WEIGHTS).is_file() {
        return Some(folder.canonicalize().expect("exists"));
    }
    eprintln!("SKIPPED {test}: there is no real data in {} (DIDACT_TEST_DATA names its folder)", folder.display());
    None
}

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/teacher.json")).expect("the golden file is JSON")
}

#[track_caller]
fn near(ours: f64, golden: &Value, tolerance: f64, what: &str) {
    let golden = golden.as_f64().expect("a number");
    assert!((ours - golden).abs() <= tolerance * golden.abs().max(1e-6), "{what}: {ours} against {golden}");
}

/// Returns the three levels of one image, (height, width, channels) row-major.
fn levels<B: Backend>(teacher: &mut Resnet<B>, image: &Image) -> Vec<((usize, usize, usize), Vec<f32>)> {
    let input = B::upload(normalise(image), (1, image.side, image.side, 3)).expect("memory");
    let levels = teacher.forward(input, Mode::Evaluate).expect("memory");
    let values = |level: &Features<B>| {
        let (_, height, width, channels) = *level.shape();
        ((height, width, channels), B::download(level).expect("memory"))
    };
    levels.iter().map(values).collect()
}

#[test]
fn the_teachers_features_equal_pytorchs() {
    teachers_features_are_pytorchs::<Native>();
}

fn teachers_features_are_pytorchs<B: Backend>() {
    let Some(data) = real_data("the_teachers_features_equal_pytorchs") else { return };
    let file = WeightFile::open(&WeightSource::File(data.join(WEIGHTS))).expect("the real weights");
    let (mut teacher, backbone) = load_teacher::<B>(&file, LevelSet::ALL).expect("a teacher");
    assert_eq!(backbone.width, 64);
    let side = 256;
    let hash = |i: usize| ((i as u64 * 2_654_435_761) & 0xFFFF_FFFF) >> 24;
    let place = |c: usize, y: usize, x: usize| (c * side + y) * side + x;
    let rgb = (0..side * side).flat_map(|p| (0..3).map(move |c| hash(place(c, p / side, p % side)) as u8)).collect();
    let synthetic = Image { side, rgb };
    let hazelnut =
        Picture::open(&data.join("hazelnut/train/good/00.jpg"), Reading::default()).expect("decodes").resized(side);
    for (image, golden) in [synthetic, hazelnut].iter().zip(golden()["images"].as_array().expect("a list")) {
        let name = golden["name"].as_str().expect("a name");
        for c in 0..3 {
            let mean = image.rgb.chunks_exact(3).map(|p| f64::from(p[c])).sum::<f64>() / (side * side) as f64;
            near(mean, &golden["resized"]["mean_rgb"][c], 1e-3, &format!("{name}, mean of channel {c}"));
            let centre = f64::from(image.rgb[(128 * side + 128) * 3 + c]);
            assert!((centre - golden["resized"]["centre_rgb"][c].as_f64().expect("a byte")).abs() <= 1.0, "{name}");
        }
        for (level, (shape, values)) in levels(&mut teacher, image).into_iter().enumerate() {
            let golden = &golden["levels"][level];
            let what = format!("{name}, level {}", level + 1);
            let count = values.len() as f64;
            let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
            let square = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
            near(mean, &golden["mean"], 1e-3, &format!("{what}, mean"));
            near(square.sqrt(), &golden["l2"], 1e-3, &format!("{what}, norm"));
            near((square / count - mean * mean).sqrt(), &golden["std"], 1e-3, &format!("{what}, deviation"));
            for sample in golden["samples"].as_array().expect("a list") {
                let at = |axis: usize| sample["cyx"][axis].as_u64().expect("an index") as usize;
                let ours = f64::from(values[(at(1) * shape.1 + at(2)) * shape.2 + at(0)]);
                let theirs = sample["value"].as_f64().expect("a number");
                // JPEG decoders differ by one grey level in some pixels.
                let tolerance = if name == "synthetic" { 1e-4 } else { 1e-2 };
                assert!((ours - theirs).abs() < tolerance, "{what}, {sample}: {ours}");
            }
        }
    }
}

#[test]
fn the_real_weights_are_recognised() {
    let Some(data) = real_data("the_real_weights_are_recognised") else { return };
    let place = Workplace::new();
    let output = place.succeed(&["weights", "check", &data.join(WEIGHTS).display().to_string()]).stdout;
    assert!(output.contains("base width 64") && output.contains("folded into the convolutions"), "{output}");
}

#[test]
fn a_short_sweep_on_hazelnut_ranks_defects_above_normals() {
    let Some(data) = real_data("a_short_sweep_on_hazelnut_ranks_defects_above_normals") else { return };
    let place = Workplace::new();
    let text = include_str!("../../experiments/hazelnut.toml");
    place.write("hazelnut.toml", text);
    let weights = format!("teacher.weights={}", data.join(WEIGHTS).display());
    let set = ["data.image_size=64", "pretrain.epochs=2", "joint.epochs=12", "search.seeds=[0]", weights.as_str()];
    let mut arguments = vec!["sweep", "hazelnut.toml"];
    set.iter().for_each(|value| arguments.extend(["--set", *value]));
    let output = place.command(&arguments).env("DIDACT_DATA", &data).output().expect("starts");
    let outcome = place.outcome(&output);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let numbers = place.query(
        "SELECT st.variant, x.value FROM result x JOIN run r ON r.id = x.run_id JOIN sweep_trial st ON st.trial_id = r.trial_id
         WHERE x.name = 'pixel_auroc' AND x.selection = 'selected' ORDER BY st.position",
    );
    assert_eq!(numbers.len(), 2, "{numbers:?}");
    for number in numbers {
        let (variant, value) = number.rsplit_once('|').expect("two columns");
        let value: f64 = value.parse().expect("a number");
        assert!((0.75..1.0).contains(&value), "{variant}: pixel AUROC {value}");
    }
    // The small data set is not MVTec AD's hazelnut, so published numbers must not be shown with it.
    let page = std::fs::read_to_string(place.path("reports/hazelnut/index.html")).expect("a page");
    assert!(page.contains("because the data set differs"));
}
