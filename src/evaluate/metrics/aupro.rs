//! Area under the per-region overlap curve (Bergmann et al. 2021, §6.1), exact: every distinct score is a threshold.
//!
//! PRO(t) is the mean over all 8-connected defect components of the share at or above t; FPR(t) is over the normal pixels
//! of all images. The area runs to an FPR limit, with linear interpolation there, and is divided by the limit.

use super::{Sweep, Undefined};

/// The false positive rate to which the curve is integrated by custom.
pub const PRO_LIMIT: f64 = 0.3;

/// The curve's points (FPR, PRO) from (0, 0) on, one a distinct score.
pub fn pro_points(sweep: &Sweep) -> Result<impl Iterator<Item = (f64, f64)> + '_, Undefined> {
    let (_, negatives) = sweep.both_classes()?;
    let points = sweep.thresholds().map(move |t| (t.false_positives as f64 / negatives as f64, t.overlap));
    Ok(std::iter::once((0.0, 0.0)).chain(points))
}

/// Area under PRO(FPR) from 0 to `limit`, divided by `limit`.
pub fn aupro(sweep: &Sweep, limit: f64) -> Result<f64, Undefined> {
    let mut points = pro_points(sweep)?;
    let (mut x, mut y) = points.next().unwrap_or((0.0, 0.0));
    let mut area = 0.0;
    for (next_x, next_y) in points {
        if next_x >= limit {
            let share = if next_x > x { (limit - x) / (next_x - x) } else { 0.0 };
            let at_limit = y + share * (next_y - y);
            return Ok((area + (limit - x) * (y + at_limit) / 2.0) / limit);
        }
        area += (next_x - x) * (y + next_y) / 2.0;
        (x, y) = (next_x, next_y);
    }
    Ok((area + (limit - x) * y) / limit)
}

#[cfg(test)]
mod tests {
    use super::super::{auroc, average_precision, f1_max, rescaled_pro};
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn golden() -> Value {
        serde_json::from_str(include_str!("../../../tests/golden/metrics.json")).expect("the golden file is JSON")
    }

    fn numbers(value: &Value) -> Vec<f32> {
        value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number") as f32).collect()
    }

    /// splitmix64, as the golden file states: u = (z >> 11) · 2⁻⁵³.
    struct SplitMix(u64);

    impl SplitMix {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ (z >> 31)) >> 11) as f64 * 2.0_f64.powi(-53)
        }
    }

    #[track_caller]
    fn close(ours: f64, golden: &Value, what: &str) {
        let golden = golden.as_f64().expect("a number");
        assert!((ours - golden).abs() < 1e-9, "{what}: {ours} against {golden}");
    }

    #[test]
    fn image_metrics_have_their_golden_values() {
        for case in golden()["image"].as_array().expect("a list") {
            let name = case["name"].as_str().expect("a name");
            let labels: Vec<bool> =
                case["labels"].as_array().expect("a list").iter().map(|v| v.as_f64() == Some(1.0)).collect();
            let sweep = Sweep::of_labels(&numbers(&case["scores"]), &labels).expect("finite");
            close(auroc(&sweep).expect("defined"), &case["auroc"], name);
            close(average_precision(&sweep).expect("defined"), &case["ap_step"], name);
            let best = f1_max(&sweep).expect("defined");
            close(best.value, &case["f1max"], name);
            let at = case["f1max_threshold"].as_f64().expect("a number") as f32;
            assert_eq!(best.threshold, at, "{name}");
        }
    }

    /// The masks and scores that the golden file describes in words.
    fn synthetic() -> (Vec<Vec<f64>>, Vec<Option<Vec<bool>>>) {
        let rectangles: [&[[usize; 4]]; 6] = [
            &[],
            &[],
            &[[4, 4, 6, 9]],
            &[[2, 20, 5, 5], [20, 3, 3, 3]],
            &[[8, 8, 4, 4], [12, 12, 4, 4]],
            &[[0, 0, 1, 1], [25, 25, 7, 7], [10, 2, 2, 14]],
        ];
        let mut prng = SplitMix(1);
        let mut maps = Vec::new();
        let mut masks = Vec::new();
        for rectangles in rectangles {
            let mut mask = vec![false; 32 * 32];
            for &[y, x, height, width] in rectangles {
                for row in y..y + height {
                    mask[row * 32 + x..][..width].fill(true);
                }
            }
            maps.push(
                mask.iter()
                    .map(|&m| {
                        let (v, g) = (prng.next(), prng.next());
                        0.6 * v + if m { 0.5 * g } else { 0.0 }
                    })
                    .collect(),
            );
            masks.push(Some(mask));
        }
        (maps, masks)
    }

    #[test]
    fn pixel_metrics_have_their_golden_values() {
        let (maps, masks) = synthetic();
        let with = |change: &dyn Fn(f64) -> f64| -> Vec<Vec<f32>> {
            maps.iter().map(|map| map.iter().map(|&s| change(s) as f32).collect()).collect()
        };
        let cases = [
            ("synth_seed1", with(&|s| s)),
            ("synth_seed1_quant16", with(&|s| (s * 16.0).floor() / 16.0)),
            ("synth_seed1_skewed", with(&|s| s.powi(6) * 1e-3)),
        ];
        let golden = golden();
        for (name, maps) in cases {
            let case =
                golden["pixel"].as_array().expect("a list").iter().find(|c| c["name"] == name).expect("is there");
            let sweep = Sweep::of_maps(&maps, &masks, 32).expect("finite");
            assert_eq!(sweep.components() as u64, case["n_components_8"].as_u64().expect("a count"));
            close(auroc(&sweep).expect("defined"), &case["pixel_auroc"], name);
            close(average_precision(&sweep).expect("defined"), &case["pixel_ap_step"], name);
            close(f1_max(&sweep).expect("defined").value, &case["pixel_f1max"], name);
            close(aupro(&sweep, 0.3).expect("defined"), &case["aupro_exact_fpr0.3_conn8"], name);
            close(aupro(&sweep, 0.05).expect("defined"), &case["aupro_exact_fpr0.05_conn8"], name);
            let official =
                case["aupro_fpr0.3_stfpm_official_4000_steps_fpr_and_pro_rescaled"].as_f64().expect("a number");
            // The golden scores have 64 bits: a threshold can fall on the other side of one.
            let ours = rescaled_pro(&sweep).expect("defined");
            assert!((ours - official).abs() < 1e-3, "{name}: {ours} against {official}");
        }
    }

    #[test]
    fn the_closed_form_has_its_value() {
        let scores: Vec<f32> = (0..2800).map(|i| i as f32 / 2800.0).collect();
        let mask: Vec<bool> = (0..2800).map(|i| i % 7 == 3).collect();
        let sweep = Sweep::of_maps(&[scores], &[Some(mask)], 7).expect("finite");
        // 1/6 but for the width of one step: the golden file's value, whose limit of 1/3 it writes with six digits.
        assert!((aupro(&sweep, 1.0 / 3.0).expect("defined") - 0.166_665_625).abs() < 1e-9);
        assert!((auroc(&sweep).expect("defined") - 0.5).abs() < 1e-9);
        assert!((average_precision(&sweep).expect("defined") - 0.144_026_593_994_567_2).abs() < 1e-9);
        assert!((f1_max(&sweep).expect("defined").value - 0.250_234_594_932_749_4).abs() < 1e-9);
    }

    #[test]
    fn one_class_is_undefined_with_its_reason() {
        let none = Sweep::of_maps(&[vec![0.1, 0.2]], &[None::<Vec<bool>>], 2).expect("finite");
        assert_eq!(aupro(&none, 0.3), Err(Undefined("nothing is defective")));
        let all = Sweep::of_labels(&[0.1, 0.2], &[true, true]).expect("finite");
        assert_eq!(auroc(&all), Err(Undefined("nothing is normal")));
        assert_eq!(
            average_precision(&Sweep::of_labels(&[], &[]).expect("finite")).map_err(|u| u.0),
            Err("there is nothing to rank")
        );
    }

    /// The definitions, as slowly and plainly as they can be written.
    fn slow(scores: &[f32], labels: &[bool]) -> (f64, f64, f64) {
        let pairs = |wanted: bool| scores.iter().zip(labels).filter(move |(_, l)| **l == wanted).map(|(s, _)| *s);
        let (p, n) = (pairs(true).count() as f64, pairs(false).count() as f64);
        let wins: f64 = pairs(true)
            .map(|a| {
                pairs(false)
                    .map(|b| {
                        if a > b {
                            1.0
                        } else if a == b {
                            0.5
                        } else {
                            0.0
                        }
                    })
                    .sum::<f64>()
            })
            .sum();
        let mut distinct = scores.to_vec();
        distinct.sort_by(|a, b| b.total_cmp(a));
        distinct.dedup();
        let (mut ap, mut f1, mut before) = (0.0, 0.0_f64, 0.0);
        for t in distinct {
            let tp = pairs(true).filter(|s| *s >= t).count() as f64;
            let fp = pairs(false).filter(|s| *s >= t).count() as f64;
            ap += (tp - before) / p * (tp / (tp + fp));
            f1 = f1.max(2.0 * tp / (2.0 * tp + fp + (p - tp)));
            before = tp;
        }
        (wins / (p * n), ap, f1)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn sweeps_agree_with_the_definitions(
            pairs in proptest::collection::vec((0_u8..12, any::<bool>()), 1..60),
        ) {
            let scores: Vec<f32> = pairs.iter().map(|(s, _)| f32::from(*s) / 7.0 - 0.5).collect();
            let labels: Vec<bool> = pairs.iter().map(|(_, l)| *l).collect();
            let sweep = Sweep::of_labels(&scores, &labels).expect("finite");
            if labels.iter().all(|l| *l) || labels.iter().all(|l| !*l) {
                prop_assert!(auroc(&sweep).is_err() && average_precision(&sweep).is_err() && f1_max(&sweep).is_err());
            } else {
                let (roc, ap, f1) = slow(&scores, &labels);
                prop_assert!((auroc(&sweep).expect("both") - roc).abs() < 1e-12);
                prop_assert!((average_precision(&sweep).expect("both") - ap).abs() < 1e-12);
                prop_assert!((f1_max(&sweep).expect("both").value - f1).abs() < 1e-12);
            }
        }

        #[test]
        fn aupro_agrees_with_the_definition(
            scores in proptest::collection::vec(0_u8..9, 36),
            mask in proptest::collection::vec(any::<bool>(), 36),
            limit in 0.05_f64..1.0,
        ) {
            let map: Vec<f32> = scores.iter().map(|s| f32::from(*s)).collect();
            prop_assume!(mask.iter().any(|m| *m) && mask.iter().any(|m| !*m));
            let (labels, sizes) = super::super::label_components(&mask, 6);
            let normals = mask.iter().filter(|m| !**m).count() as f64;
            let mut points = vec![(0.0, 0.0)];
            for t in (0..9).rev().map(|t| t as f32).filter(|t| map.contains(t)) {
                let fp = map.iter().zip(&mask).filter(|(s, m)| **s >= t && !**m).count() as f64;
                let overlap: f64 = (1..=sizes.len()).map(|k| {
                    let hit = map.iter().zip(&labels).filter(|(s, l)| **s >= t && **l as usize == k).count();
                    hit as f64 / sizes[k - 1] as f64
                }).sum();
                points.push((fp / normals, overlap / sizes.len() as f64));
            }
            let mut area = 0.0;
            for pair in points.windows(2) {
                let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
                if x1 <= x0 || x0 >= limit { continue; }
                let end = x1.min(limit);
                let y = y0 + (y1 - y0) * (end - x0) / (x1 - x0);
                area += (end - x0) * (y0 + y) / 2.0;
            }
            let sweep = Sweep::of_maps(&[map], &[Some(mask)], 6).expect("finite");
            prop_assert!((aupro(&sweep, limit).expect("both") - area / limit).abs() < 1e-9);
        }
    }
}
