//! MVTec AD 2: some test images are public, others have no published labels.

use crate::data::layout::UnusedReason;
use crate::data::layout::description::{Arrangement, Description, FolderNames};

const ARRANGEMENT: Arrangement = Arrangement::in_folders(
    &[&["train/good"], &["test_public"]],
    FolderNames {
        normals: "train/good",
        validation: Some("validation/good"),
        test_normals: "test_public/good",
        anomalies: "test_public",
        masks: "test_public/ground_truth",
    },
);

pub(super) const DESCRIPTION: Description = Description {
    names_lighting: true,
    unused: &[("test_private", UnusedReason::Private)],
    ..Description::of(
        &[&ARRANGEMENT],
        "ROOT/<category>/train/good, validation/good, test_public/{good,bad,ground_truth/bad}",
    )
};
