//! Every metric against its plain definition, on a thousand random cases: ties, constant and tiny scores, one class, no mask.

use proptest::prelude::*;

use super::slow::Case;
use super::{Sweep, aupro, auroc, average_precision, f1_max, rescaled_pro};

/// Scores as they come: continuous, in a few steps with many ties, all equal, or as tiny as products of three maps.
fn score(kind: u8, drawn: f32) -> f32 {
    match kind {
        0 => drawn,
        1 => (drawn * 5.0).floor() / 7.0 - 0.3,
        2 => 0.25,
        3 => (drawn * 9.0).floor() * 1e-30,
        _ => drawn.powi(3) * 1e-12,
    }
}

/// A few small images; a mask is absent, empty, full, or drawn.
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
            Case { width, maps, masks: images.iter().map(mask).collect() }
        })
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "width {}, scores {:?}, masks {:?}", self.width, self.maps, self.masks)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn metrics_are_what_their_definitions_say(case in cases(), limit in 0.05_f64..1.0) {
        let sweep = Sweep::of_maps(&case.maps, &case.masks, case.width).expect("finite");
        if sweep.positives() == 0 || sweep.negatives() == 0 {
            prop_assert!(auroc(&sweep).is_err() && average_precision(&sweep).is_err() && f1_max(&sweep).is_err());
            prop_assert!(aupro(&sweep, limit).is_err() && rescaled_pro(&sweep).is_err());
            return Ok(());
        }
        let close = |ours: f64, theirs: f64| (ours - theirs).abs() < 1e-9;
        prop_assert!(close(auroc(&sweep).expect("both"), case.auroc()));
        prop_assert!(close(average_precision(&sweep).expect("both"), case.average_precision()));
        let (best, (value, threshold)) = (f1_max(&sweep).expect("both"), case.f1_max());
        prop_assert!(close(best.value, value) && f64::from(best.threshold) == threshold, "{best:?}, {value}, {threshold}");
        prop_assert!(close(aupro(&sweep, limit).expect("both"), case.aupro(limit)));
        match (rescaled_pro(&sweep), case.rescaled_pro()) {
            (Ok(ours), Some(theirs)) => prop_assert!(close(ours, theirs), "{ours}, {theirs}"),
            (ours, theirs) => prop_assert!(ours.is_err() && theirs.is_none(), "{ours:?}, {theirs:?}"),
        }
    }
}
