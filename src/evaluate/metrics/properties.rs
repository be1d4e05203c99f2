//! Compares every metric with its plain definition on a thousand random cases: ties, constant and tiny scores, one class, no mask.

use proptest::prelude::*;

use super::slow::Case;
use super::{Metric, Pixels, SaturatedDefects, Scored, Segmented, Sweep, Thresholded, aupro, f1_max};

/// Returns a score of one kind: continuous, in a few steps with many ties, all equal, or as tiny as products of three maps.
fn score(kind: u8, drawn: f32) -> f32 {
    match kind {
        0 => drawn,
        1 => (drawn * 5.0).floor() / 7.0 - 0.3,
        2 => 0.25,
        3 => (drawn * 9.0).floor() * 1e-30,
        _ => drawn.powi(3) * 1e-12,
    }
}

/// Generates a few small images; each mask is absent, empty, full or random.
fn cases() -> impl Strategy<Value = Case> {
    let pixel = (0.0_f32..1.0, any::<bool>());
    let image = move |pixels: usize| (0_u8..6, proptest::collection::vec(pixel.clone(), pixels));
    (1_usize..6, 1_usize..6, 1_usize..4, 0_u8..5)
        .prop_flat_map(move |(width, height, images, kind)| {
            (Just((width, kind)), proptest::collection::vec(image(width * height), images))
        })
        .prop_map(|((width, kind), images)| {
            let maps = images
                .iter()
                .map(|(_, pixels)| pixels.iter().map(|(drawn, _)| score(kind, *drawn)).collect())
                .collect();
            let mask = |(shape, pixels): &(u8, Vec<(f32, bool)>)| match shape {
                0 => None,
                1 => Some(vec![false; pixels.len()]),
                2 => Some(vec![true; pixels.len()]),
                _ => Some(pixels.iter().map(|(_, defective)| *defective).collect()),
            };
            let masks = images.iter().map(mask).collect();
            Case { width, maps, masks, held_out: Vec::new(), threshold: 0.0, pixel_threshold: 0.0, saturation: 1.0 }
        })
}

/// Adds held-out scores to the cases. The threshold is one of these scores, so that some tie with it.
fn with_held_out() -> impl Strategy<Value = Case> {
    let scores = (0_u8..5, proptest::collection::vec(0.0_f32..1.0, 0..4));
    (cases(), scores, 0.0_f32..1.0, 0.05_f64..=1.0).prop_map(|(case, (kind, drawn), cut, saturation)| {
        let held_out: Vec<f32> = drawn.into_iter().map(|drawn| score(kind, drawn)).collect();
        let threshold = held_out.first().copied().map_or(0.25, f64::from);
        Case { held_out, threshold, pixel_threshold: f64::from(score(kind, cut)), saturation, ..case }
    })
}

/// Returns the value of every metric for a case, as the program computes it.
fn measured(case: &Case) -> Vec<(Metric, Option<f64>)> {
    let images = case.images();
    let scores = images.maps.concat();
    let labels: Vec<bool> = images.masks.iter().map(|mask| mask.as_ref().is_some_and(|mask| mask[0])).collect();
    let maps: Vec<&[f32]> = case.maps.iter().map(Vec::as_slice).collect();
    let defects = case.saturated();
    let masks = case.masks.iter().map(Option::as_deref).collect();
    let scored = Scored {
        images: Sweep::of_labels(&scores, &labels).expect("finite"),
        threshold: Ok(Thresholded {
            scores: &scores,
            labels: &labels,
            threshold: case.threshold,
            held_out: &case.held_out,
            held_out_trained: false,
        }),
        segmented: Ok(Segmented { maps: maps.clone(), labels: labels.clone(), threshold: case.pixel_threshold }),
        saturated: Ok(SaturatedDefects { maps: maps.clone(), defects: defects.iter().map(Vec::as_slice).collect() }),
        pixels: Ok(Pixels::of(maps, masks, case.width).expect("finite")),
    };
    let all = Metric::measure_all(Metric::all(), &scored);
    all.into_iter().map(|(metric, measured)| (metric, measured.value)).collect()
}

proptest! {
    /// Intervals rely on the range of a metric.
    #[test]
    fn every_value_is_within_the_range_of_its_metric(case in with_held_out()) {
        for (metric, value) in measured(&case) {
            // Sums round.
            prop_assert!(value.is_none_or(|value| metric.range.contains((value * 1e12).round() / 1e12)), "{metric}: {value:?}");
        }
    }
}

#[track_caller]
fn close(metric: Metric, ours: Option<f64>, theirs: Option<f64>) {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => assert!((ours - theirs).abs() < 1e-9, "{metric}: {ours}, {theirs}"),
        (ours, theirs) => assert_eq!(ours, theirs, "{metric}"),
    }
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "width {}, scores {:?}, masks {:?}", self.width, self.maps, self.masks)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn metrics_agree_with_their_definitions(case in with_held_out(), limit in 0.05_f64..1.0) {
        for (metric, ours) in measured(&case) {
            close(metric, ours, case.value(metric));
        }
        let sweep = Sweep::of_maps(&case.maps, &case.masks, case.width).expect("finite");
        if sweep.both_classes().is_ok() {
            let (best, (_, threshold)) = (f1_max(&sweep).expect("both"), case.f1_max());
            prop_assert_eq!(f64::from(best.threshold), threshold);
            prop_assert!((aupro(&sweep, limit).expect("both") - case.aupro(limit)).abs() < 1e-9);
        }
    }
}

#[test]
fn aupimo_agrees_with_its_definition_on_many_normal_pixels() {
    let scores = |seed: u32, count: usize| -> Vec<f32> {
        let mixed = |i: usize| (i as u32 ^ seed).wrapping_mul(0x9E37_79B9) >> 8;
        // Use few score steps, so that some scores tie.
        (0..count).map(|i| (mixed(i) >> 4) as f32).collect()
    };
    let high = |seed| scores(seed, 40).into_iter().map(|score| 1_048_576.0 - score / 10_000.0).collect();
    let mask = |defective: fn(usize) -> bool| Some((0..40).map(defective).collect());
    let case = Case {
        width: 10,
        maps: vec![scores(1, 30_000), high(2), scores(3, 20_000), high(4)],
        masks: vec![None, mask(|pixel| pixel > 8), Some(vec![false; 20_000]), mask(|pixel| pixel % 3 == 0)],
        held_out: Vec::new(),
        threshold: 0.0,
        pixel_threshold: 0.0,
        saturation: 1.0,
    };
    let (metric, ours) =
        measured(&case).into_iter().find(|(metric, _)| metric.name == "aupimo").expect("it is registered");
    assert!(ours.is_some_and(|ours| ours > 0.05 && ours < 0.95), "{ours:?}");
    close(metric, ours, case.value(metric));
}
