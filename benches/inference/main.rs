//! Measures how often a verdict is wrong. Image scores are drawn from a model in which two variants are equally good, and the full
//! procedure of `didact compare` judges them. The share called better or worse is its type I error, which should be 5 %.
//!
//! A score is the sum of four terms: class × (mean + effect of variant and seed), the effect of the image, the effect of variant and
//! image, and noise.
//!
//! "Image effects" are the effects of variant and image: with any seed, one variant scores an image higher than the other does.

#![expect(clippy::print_stdout, reason = "the output is a table for people")]

use std::fmt::Write as _;
use std::path::PathBuf;

use didact::analysis::{Side, Verdict, verdicts};
use didact::data::{normal_pair, stream};
use didact::evaluate::metrics::{IMAGE_AUROC, Sweep, auroc};
use didact::store::{Artifacts, Compared, ComparedRun, ComparedScore, ComparedValue, RunState};
use rand::Rng;
use rayon::prelude::*;

/// Images per class in a category.
const IMAGES: usize = 40;
const CATEGORIES: [&str; 2] = ["nut", "bolt"];
/// Standard deviations: of a seed's mean, of an image, of an image for a variant. The noise has 1.
const OF_SEED: f64 = 0.15;
const OF_IMAGE: f64 = 0.7;
const OF_VARIANT_AND_IMAGE: f64 = 0.7;

/// Parameters of a simulation.
#[derive(Clone, Copy)]
struct Setting {
    /// Number of complete seeds.
    seeds: i64,
    image_effects: bool,
    /// Whether there are two further seeds that each lack a run.
    missing: bool,
    /// How much more the second variant separates the classes.
    better_by: f64,
}

/// Draws a number from a normal distribution.
fn normal(random: &mut impl Rng, deviation: f64) -> f64 {
    let mut uniform = || f64::from(random.next_u32()) / 4_294_967_296.0;
    normal_pair(deviation, uniform(), uniform())[0]
}

/// Simulates the runs of both variants.
fn simulated(setting: Setting, repeat: u64) -> [Compared; 2] {
    let mut random = stream(repeat, "simulation", 0, 0);
    let mut normal = |deviation| normal(&mut random, deviation);
    let shared: Vec<[Vec<f64>; 3]> = CATEGORIES
        .iter()
        .map(|_| {
            let mut images = |deviation| (0..2 * IMAGES).map(|_| normal(deviation)).collect::<Vec<f64>>();
            let of_variant = if setting.image_effects { OF_VARIANT_AND_IMAGE } else { 0.0 };
            [images(OF_IMAGE), images(of_variant), images(of_variant)]
        })
        .collect();
    [0, 1].map(|variant: i64| {
        let mut compared = Compared::default();
        let planned = setting.seeds + if setting.missing { 2 } else { 0 };
        for seed in 0..planned {
            let of_seed = normal(OF_SEED);
            for (category, [of_image, of_first, of_second]) in CATEGORIES.iter().zip(&shared) {
                let mean = 1.5 + of_seed + normal(OF_SEED) + if variant == 1 { setting.better_by } else { 0.0 };
                let of_variant = if variant == 0 { of_first } else { of_second };
                let label = |image: usize| image.is_multiple_of(2);
                let scores: Vec<f32> = (0..2 * IMAGES)
                    .map(|image| {
                        let class = if label(image) { mean } else { 0.0 };
                        (class + of_image[image] + of_variant[image] + normal(1.0)) as f32
                    })
                    .collect();
                // The first two seeds each lack a run: one of each variant, in one category.
                if setting.missing && seed == variant && *category == CATEGORIES[variant as usize] {
                    continue;
                }
                add(&mut compared, variant, seed, category, &scores, label);
            }
        }
        compared
    })
}

fn add(
    compared: &mut Compared,
    variant: i64,
    seed: i64,
    category: &str,
    scores: &[f32],
    label: impl Fn(usize) -> bool,
) {
    let id = format!("{variant}/{category}/{seed}");
    let labels: Vec<bool> = (0..scores.len()).map(&label).collect();
    let value = Sweep::of_labels(scores, &labels).ok().and_then(|sweep| auroc(&sweep).ok());
    compared.values.push(ComparedValue { run_id: id.clone(), name: IMAGE_AUROC.into(), value });
    compared.scores.extend(scores.iter().enumerate().map(|(image, score)| ComparedScore {
        run_id: id.clone().into(),
        image: format!("{image:03}"),
        label: label(image),
        score: f64::from(*score),
    }));
    compared.runs.push(ComparedRun {
        id,
        trial_id: format!("trial-{variant}"),
        variant: format!("variant {variant}"),
        title: format!("variant {variant}"),
        category: category.to_owned(),
        seed,
        state: RunState::Done,
        protocol: "{}".to_owned(),
    });
}

fn verdict(compared: &[Compared; 2]) -> Option<Verdict> {
    let artifacts = Artifacts::new(PathBuf::from("none"));
    let side = |name: &str, compared: &Compared| Side::of(name, compared, &artifacts).ok();
    let (reference, other) = (side("reference", &compared[0])?, side("other", &compared[1])?);
    verdicts(&reference, &[other], &[IMAGE_AUROC], false).ok()?.into_iter().next()
}

/// Returns the share of claims by the procedure and by Student's t over seeds alone, each with the number of repeats that had a test.
fn claims(setting: Setting, repeats: u64) -> [(f64, u64); 2] {
    let of_repeat = |repeat: u64| {
        let compared = simulated(setting, repeat);
        // Without image scores, the procedure tests over seeds alone.
        let seeds_alone = compared.clone().map(|of| Compared { scores: Vec::new(), ..of });
        [compared, seeds_alone].map(|compared| verdict(&compared)?.p.map(|p| p < 0.05))
    };
    let all: Vec<[Option<bool>; 2]> = (0..repeats).into_par_iter().map(of_repeat).collect();
    [0, 1].map(|procedure| {
        let asked: Vec<bool> = all.iter().filter_map(|of_repeat| of_repeat[procedure]).collect();
        let claimed = asked.iter().filter(|claimed| **claimed).count();
        (claimed as f64 / asked.len().max(1) as f64, asked.len() as u64)
    })
}

/// Returns the Markdown table of all settings.
fn table(repeats: u64) -> String {
    let mut table = format!(
        "{repeats} repeats; image AUROC of {} categories with {IMAGES} normal and {IMAGES} defective images; claims at p < 0.05, %\n\n\
         | seeds | image effects | runs | repeats with a test | equal variants | ± | Student's t over seeds alone | a better variant |\n\
         |---|---|---|---|---|---|---|---|\n",
        CATEGORIES.len()
    );
    for seeds in [5, 8, 12] {
        for image_effects in [false, true] {
            for missing in [false, true] {
                if seeds == 5 && image_effects {
                    // With five seeds the test holds only for these images.
                    continue;
                }
                let setting = Setting { seeds, image_effects, missing, better_by: 0.0 };
                let [(wrong, asked), (alone, _)] = claims(setting, repeats);
                let [(found, _), _] = claims(Setting { better_by: 0.3, ..setting }, repeats);
                let error = (wrong * (1.0 - wrong) / asked.max(1) as f64).sqrt();
                let (effects, runs) =
                    (if image_effects { "yes" } else { "no" }, if missing { "two missing" } else { "all" });
                let [wrong, error, alone, found] = [wrong, error, alone, found].map(|share| 100.0 * share);
                let _ = writeln!(
                    table,
                    "| {seeds} | {effects} | {runs} | {asked} | {wrong:.1} | {error:.1} | {alone:.1} | {found:.1} |"
                );
            }
        }
    }
    table
}

fn main() {
    // `cargo bench` passes this flag. Without it, this is a test that the benchmark still runs.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    println!("{}", table(if is_bench { 2000 } else { 2 }));
}
