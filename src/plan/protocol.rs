//! The protocol of a run: what two numbers must share to be comparable.

use std::collections::BTreeMap;

use serde_json::json;

use super::opened::CategoryFacts;
use crate::config::Trial;
use crate::data::{DataSettings, Grouping, HeldOut, HeldOutChoice, Unmasked};
use crate::evaluate::metrics::PRO_LIMIT;
use crate::stages::{Key, StageKind, TeacherRef};

/// Names of metrics in every protocol. They are part of the keys of runs, so the list never changes.
///
/// A metric that is added later does not change how the others are measured, so it leaves protocols and runs as they are. The key of
/// the stage `evaluate` contains all metrics. So a sweep that starts again computes the new ones for its finished runs, from their maps.
const METRICS: [&str; 16] = [
    "pixel_auroc",
    "image_auroc",
    "aupro",
    "aupro_05",
    "pixel_ap",
    "image_ap",
    "pixel_f1max",
    "image_f1max",
    "aupimo",
    "aupro_stfpm_rescaled",
    "image_precision",
    "image_recall",
    "image_false_alarms",
    "image_false_alarms_expected",
    "pseudo_pixel_auroc",
    "pseudo_image_auroc",
];

/// Returns the protocol: everything that determines how the numbers of a run are measured. `all` are the categories of the trial.
pub(super) fn protocol(
    trial: &Trial,
    (facts, all): (&CategoryFacts, &[CategoryFacts]),
    teacher: &TeacherRef,
) -> serde_json::Value {
    let data = &trial.data;
    let mut protocol = json!({
        "layout": data.layout,
        "category": facts.name,
        "counts": facts.counts,
        "train_images": facts.train_digest,
        "test_images": facts.test_digest,
        "masks": facts.mask_digest,
        "image_size": data.image_size,
        "reading": data.reading,
        "resize": "pillow-bilinear",
        "split": split(data, facts),
        "test_normals": data.test_normals_share.map(|share| json!({ "share": share, "seed": data.split_seed })),
        // Refusing unmasked images changes no result.
        "unmasked": if data.unmasked.leaves_out() { Unmasked::LeaveOut } else { Unmasked::Void },
        "selection": trial.joint.selection,
        "map": trial.evaluate.rule(),
        "mask_rule": match (data.layout, data.mask_threshold) {
            (Some(layout), above) if layout.has_several_masks() => format!("> {above} in any mask of the image, nearest"),
            (_, above) => format!("> {above}, nearest"),
        },
        "aupro": { "limit": PRO_LIMIT, "connectivity": 8, "thresholds": "exact" },
        "teacher": teacher.digest,
        "levels": teacher.levels,
        "numerics": trial.numerics,
        "metrics": METRICS,
        "revisions": StageKind::ALL.iter().map(|kind| (kind.name(), kind.revision())).collect::<BTreeMap<_, _>>(),
    });
    // Only data sets with such a file have this member, so that other runs keep their keys.
    if let Some(digest) = &facts.saturation_digest {
        protocol["saturation"] = json!(digest);
    }
    if data.grouping == Grouping::All {
        let names: Vec<&str> = all.iter().map(|category| category.name.as_str()).collect();
        let images: Vec<_> = all.iter().map(|of| json!([of.train_digest, split(data, of)])).collect();
        protocol["grouping"] = json!({ "categories": names, "images": Key::of("grouping", 1, &images) });
    }
    protocol
}

/// Describes which normal images are held out to select the epoch and to set the threshold.
fn split(data: &DataSettings, facts: &CategoryFacts) -> serde_json::Value {
    match (&facts.held_out, &data.held_out) {
        (HeldOut::Fifth, _) => json!({ "held_out": "ceil(n/5)", "seed": data.split_seed }),
        (HeldOut::Share(share), _) => json!({ "held_out": "share", "share": share, "seed": data.split_seed }),
        // The key covers the lists of all categories, so that results with different lists never appear in one table.
        (HeldOut::Given(_), HeldOutChoice::Images(_)) => {
            json!({ "held_out": "listed", "images": Key::of("held-out", 1, &json!(data.held_out)) })
        }
        (HeldOut::Given(_), _) => json!({ "held_out": "validation" }),
    }
}
