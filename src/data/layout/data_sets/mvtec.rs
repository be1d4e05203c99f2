//! MVTec AD, whose arrangement other data sets share.

use crate::data::layout::description::{Arrangement, Description, FolderNames};

pub(super) const ARRANGEMENT: Arrangement = Arrangement::in_folders(
    &[&["train/good"]],
    FolderNames {
        normals: "train/good",
        validation: None,
        test_normals: "test/good",
        anomalies: "test",
        masks: "ground_truth",
    },
);

/// The folders of [`ARRANGEMENT`], for messages.
pub(super) const EXPECTED: &str = "ROOT/<category>/train/good, test/{good,<defect>}, ground_truth/<defect>";

pub(super) const DESCRIPTION: Description = Description::of(&[&ARRANGEMENT], EXPECTED);
