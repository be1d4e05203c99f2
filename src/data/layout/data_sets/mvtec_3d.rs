//! MVTec 3D-AD (Bergmann et al. 2022): a colour image (`rgb`), a map of positions (`xyz`) and a mask (`gt`) of each object. Only the colour
//! images and masks are read.

use crate::data::layout::description::{Arrangement, Description, FolderNames};

const ARRANGEMENT: Arrangement = Arrangement::in_folders(
    &[&["train/good"], &["train/good/rgb"]],
    FolderNames {
        normals: "train/good/rgb",
        validation: Some("validation/good/rgb"),
        test_normals: "test/good/rgb",
        anomalies: "test/*/rgb/*.png",
        masks: "test/*/gt/*.png",
    },
);

pub(super) const DESCRIPTION: Description = Description::of(
    &[&ARRANGEMENT],
    "ROOT/<category>/train/good/rgb, validation/good/rgb, test/{good,<defect>}/{rgb,gt}",
);

#[cfg(test)]
mod tests {
    use crate::data::layout::miniature::{Miniature, test_images};
    use crate::data::{HeldOut, Layout};

    #[test]
    fn colour_images_and_masks_are_read_and_positions_are_not() {
        let root = Miniature::with(&[
            "bagel/train/good/rgb/000.png",
            "bagel/train/good/rgb/001.png",
            "bagel/train/good/rgb/002.png",
            "bagel/validation/good/rgb/000.png",
            "bagel/test/good/rgb/000.png",
            "bagel/test/crack/rgb/000.png",
            "bagel/test/hole/rgb/000.png",
        ]);
        root.mask("bagel/test/good/gt/000.png", (0, 0), 0);
        root.mask("bagel/test/crack/gt/000.png", (2, 2), 255);
        root.mask("bagel/test/hole/gt/000.png", (4, 1), 255);
        root.text("bagel/train/good/xyz/000.tiff", "");
        root.text("bagel/test/crack/xyz/000.tiff", "");
        root.text("bagel/calibration/camera_parameters.json", "{}");
        let bagel = root.only(Layout::Mvtec3d);
        assert_eq!((bagel.train.len(), bagel.validation), (4, 1));
        assert_eq!(bagel.held_out, HeldOut::Given(vec![3]));
        let images = [
            ("test/crack/rgb/000.png", Some("crack"), 1),
            ("test/good/rgb/000.png", None, 0),
            ("test/hole/rgb/000.png", Some("hole"), 1),
        ];
        assert_eq!(test_images(&bagel), images);
        assert!(bagel.test[0].masks[0].ends_with("test/crack/gt/000.png"));
    }
}
