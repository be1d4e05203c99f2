//! MVTec LOCO: logical and structural anomalies, and several masks per image.

use crate::data::layout::description::{Arrangement, Description, FolderNames};

const ARRANGEMENT: Arrangement = Arrangement::in_folders(
    &[&["validation"], &["test/logical_anomalies", "test/structural_anomalies"]],
    FolderNames {
        normals: "train/good",
        validation: Some("validation/good"),
        test_normals: "test/good",
        anomalies: "test",
        masks: "ground_truth",
    },
);

pub(super) const DESCRIPTION: Description = Description {
    several_masks: true,
    saturation: Some("defects_config.json"),
    ..Description::of(
        &[&ARRANGEMENT],
        "ROOT/<category>/train/good, validation/good, test/{good,logical_anomalies,structural_anomalies}, \
         ground_truth/<kind>/<image>/*.png",
    )
};
