//! Compares metrics with values that independent scripts recorded: those of scikit-learn and AUPRO by its definition
//! (`tests/golden/metrics.py`); sPRO, SegF1 and ClassF1 by their definitions (`tests/golden/protocols.py`).

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Metric, Pixels, SaturatedDefects, Scored, Segmented, Sweep, Undefined, aupro, auroc, average_precision, f1_max,
};
use crate::data::{ImageSource, Reading, Sample, SaturatedDefect, Saturation};
use crate::evaluate::threshold::PixelMoments;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../tests/golden/metrics.json")).expect("the golden file is JSON")
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number") as f32).collect()
}

/// splitmix64, as in `tests/golden/metrics.py`.
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
        close(average_precision(&sweep).expect("defined"), &case["ap"], name);
        let best = f1_max(&sweep).expect("defined");
        close(best.value, &case["f1max"], name);
        let at = case["f1max_threshold"].as_f64().expect("a number") as f32;
        assert_eq!(best.threshold, at, "{name}");
    }
}

/// Creates the masks and scores of `tests/golden/metrics.py`.
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
        ("noise", with(&|s| s)),
        ("ties", with(&|s| (s * 16.0).floor() / 16.0)),
        ("skewed", with(&|s| s.powi(6) * 1e-3)),
    ];
    let golden = golden();
    for (name, maps) in cases {
        let case = golden["pixel"].as_array().expect("a list").iter().find(|c| c["name"] == name).expect("is there");
        let views = (maps.iter().map(Vec::as_slice).collect(), masks.iter().map(Option::as_deref).collect());
        let scored = Scored {
            images: Sweep::of_labels(&[], &[]).expect("finite"),
            threshold: Err(Undefined("no threshold is set")),
            segmented: Err(Undefined("no threshold is set")),
            saturated: Err(Undefined("no saturation areas are known")),
            pixels: Ok(Pixels::of(views.0, views.1, 32).expect("finite")),
        };
        let measured = |name: &str| Metric::named(name).and_then(|metric| metric.measure(&scored).value).expect(name);
        let sweep = Sweep::of_maps(&maps, &masks, 32).expect("finite");
        assert_eq!(sweep.components() as u64, case["components"].as_u64().expect("a count"));
        for metric in ["pixel_auroc", "pixel_ap", "pixel_f1max", "aupro", "aupro_05", "aupro_stfpm_rescaled"] {
            close(measured(metric), &case[metric], &format!("{metric} of {name}"));
        }
    }
}

/// Writes the masks and the saturation areas of `protocols.json` to a folder. Returns the defective images, each with its defects.
fn loco_images(golden: &Value, folder: &std::path::Path) -> Vec<(Sample, Vec<SaturatedDefect>)> {
    let side = golden["side"].as_u64().expect("a number") as usize;
    let config = folder.join("defects_config.json");
    std::fs::write(&config, golden["config"].to_string()).expect("written");
    let saturation = Saturation::open(&config).expect("reads");
    let mut masks: BTreeMap<(usize, usize), image::GrayImage> = BTreeMap::new();
    for defect in golden["defects"].as_array().expect("a list") {
        let [image, mask, value, top, left, height, width] =
            std::array::from_fn(|index| defect[index].as_u64().expect("a number") as usize);
        let mask = masks.entry((image, mask)).or_insert_with(|| image::GrayImage::new(side as u32, side as u32));
        for (y, x) in (top..top + height).flat_map(|y| (left..left + width).map(move |x| (y, x))) {
            mask.put_pixel(x as u32, y as u32, image::Luma([value as u8]));
        }
    }
    let images = (0..6).map(|image| {
        let path = folder.join(format!("{image}.png"));
        image::GrayImage::new(side as u32, side as u32).save(&path).expect("written");
        let of_image = masks.iter().filter(|((of, _), _)| *of == image).map(|((_, number), mask)| {
            let path = folder.join(format!("{image}-{number}.png"));
            mask.save(&path).expect("written");
            path
        });
        let masks: Vec<std::path::PathBuf> = of_image.collect();
        let defect = (!masks.is_empty()).then(|| "logical".to_owned());
        let sample =
            Sample { image: format!("{image}.png"), defect, source: ImageSource::File(path), masks, mask_above: 0 };
        let defects = saturation.defects(&config, &sample, side, Reading::default()).expect("listed values");
        (sample, defects)
    });
    images.collect()
}

#[test]
fn metrics_of_loco_and_ad_2_have_their_golden_values() {
    let golden: Value =
        serde_json::from_str(include_str!("../../../tests/golden/protocols.json")).expect("the golden file is JSON");
    let (side, steps) = (golden["side"].as_u64().expect("a number") as usize, golden["steps"].as_f64().expect("steps"));
    let maps = |list: &Value| -> Vec<Vec<f32>> {
        let map = |map: &Value| numbers(map).into_iter().map(|score| score / steps as f32).collect();
        list.as_array().expect("a list").iter().map(map).collect()
    };
    let held_out = maps(&golden["held_out"]);
    let moments = held_out.iter().map(|map| PixelMoments::of(map)).reduce(PixelMoments::with).expect("two maps");
    close(moments.threshold(), &golden["held_out_threshold"], "held-out threshold");

    let folder = tempfile::tempdir().expect("a temporary folder");
    let (samples, defects): (Vec<Sample>, Vec<Vec<SaturatedDefect>>) =
        loco_images(&golden, folder.path()).into_iter().unzip();
    let masks: Vec<Option<Vec<bool>>> = samples
        .iter()
        .map(|sample| sample.load_mask(side, Reading::default()).expect("reads").map(|mask| mask.pixels))
        .collect();
    let cases = golden["cases"].as_array().expect("a list");
    assert_eq!(cases.len(), 4);
    for case in cases {
        let name = case["maps"].as_str().expect("a name");
        let maps = maps(&golden["maps"][name]);
        let views: Vec<&[f32]> = maps.iter().map(Vec::as_slice).collect();
        let scored = Scored {
            images: Sweep::of_labels(&[], &[]).expect("finite"),
            threshold: Err(Undefined("no threshold is set")),
            segmented: Ok(Segmented {
                maps: views.clone(),
                labels: samples.iter().map(|sample| sample.defect.is_some()).collect(),
                threshold: case["threshold"].as_f64().expect("a number"),
            }),
            saturated: Ok(SaturatedDefects {
                maps: views.clone(),
                defects: defects.iter().map(Vec::as_slice).collect(),
            }),
            pixels: Ok(Pixels::of(views, masks.iter().map(Option::as_deref).collect(), side).expect("finite")),
        };
        for metric in ["auspro", "auspro_05", "aupro_05", "seg_f1", "class_f1"] {
            let measured = Metric::named(metric).and_then(|metric| metric.measure(&scored).value).expect(metric);
            close(measured, &case[metric], &format!("{metric} of {name}"));
        }
    }
}

#[test]
fn a_case_with_a_closed_form_has_its_exact_value() {
    let scores: Vec<f32> = (0..2800).map(|i| i as f32 / 2800.0).collect();
    let mask: Vec<bool> = (0..2800).map(|i| i % 7 == 3).collect();
    let sweep = Sweep::of_maps(&[scores], &[Some(mask)], 7).expect("finite");
    // Over whole rows, the overlap follows the rate, which gives 1/6. The limit of 1/3 ends 2 pixels into a row: 133 rows and 2 of 2,400
    // pixels give (0.3325² / 2 + 0.3325 · 2 / 2400) · 3.
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
