//! BTAD: `ok` and `ko` name normal and defective images.

use crate::data::layout::description::{Arrangement, Description, FolderNames};

const ARRANGEMENT: Arrangement = Arrangement::in_folders(
    &[&["train/ok"]],
    FolderNames {
        normals: "train/ok",
        validation: None,
        test_normals: "test/ok",
        anomalies: "test",
        masks: "ground_truth",
    },
);

pub(super) const DESCRIPTION: Description =
    Description::of(&[&ARRANGEMENT], "ROOT/<category>/train/ok, test/{ok,ko}, ground_truth/ko");
