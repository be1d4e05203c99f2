//! Tiny data sets in the exact layouts of the real ones.

use std::path::{Path, PathBuf};

use crate::data::{Category, DataError, DataSettings, Dataset, Layout};

/// A root of a data set in a temporary folder.
pub(super) struct Miniature(tempfile::TempDir);

/// Width and height of every image, pixels.
const SIZE: (u32, u32) = (8, 6);

impl Miniature {
    /// Creates a root with grey images at these paths.
    pub(super) fn with(images: &[&str]) -> Self {
        let root = Self(tempfile::tempdir().expect("a temporary folder"));
        images.iter().for_each(|image| root.image(image));
        root
    }

    pub(super) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn text(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("has a folder")).expect("created");
        std::fs::write(path, text).expect("written");
    }

    pub(super) fn image(&self, name: &str) {
        // Each image has another grey level, so that digests differ.
        let grey = name.bytes().fold(7_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
        self.save(name, &image::GrayImage::from_pixel(SIZE.0, SIZE.1, image::Luma([grey])));
    }

    /// Writes a mask of zeros with `value` at one pixel.
    pub(super) fn mask(&self, name: &str, (x, y): (u32, u32), value: u8) {
        let mut mask = image::GrayImage::new(SIZE.0, SIZE.1);
        mask.put_pixel(x, y, image::Luma([value]));
        self.save(name, &mask);
    }

    pub(super) fn save(&self, name: &str, image: &image::GrayImage) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("has a folder")).expect("created");
        image.save(path).expect("written");
    }

    pub(super) fn settings(&self, layout: Option<Layout>) -> DataSettings {
        DataSettings::at(self.root(), layout)
    }

    pub(super) fn open(&self, layout: Option<Layout>) -> Result<Dataset, DataError> {
        Dataset::open(&self.settings(layout))
    }

    /// Returns the error message when opening fails.
    #[track_caller]
    pub(super) fn refused(&self, layout: Option<Layout>) -> String {
        self.open(layout).expect_err("cannot be opened").to_string()
    }

    /// Returns the only category, opened both with and without the layout's name.
    #[track_caller]
    pub(super) fn only(&self, layout: Layout) -> Category {
        let recognised = self.open(None).expect("opens");
        assert_eq!(recognised.layout(), layout);
        assert_eq!(recognised, self.open(Some(layout)).expect("opens by name, too"));
        assert_eq!(recognised.categories().len(), 1);
        recognised.categories()[0].clone()
    }
}

/// Returns the image, the kind of defect and the number of masks of each test image.
pub(super) fn test_images(category: &Category) -> Vec<(&str, Option<&str>, usize)> {
    category.test.iter().map(|s| (s.image.as_str(), s.defect.as_deref(), s.masks.len())).collect()
}

/// Creates an MVTec AD data set.
pub(super) fn mvtec() -> Miniature {
    let root = Miniature::with(&[
        "nut/train/good/000.png",
        "nut/train/good/001.png",
        "nut/train/good/002.png",
        "nut/test/good/000.PNG",
        "nut/test/cut/000.bmp",
        "nut/test/cut/001.png",
        "nut/test/cut/002.png",
        "nut/ground_truth/cut/000_mask.png",
    ]);
    root.save("nut/ground_truth/cut/001.png", &image::GrayImage::new(6, 6));
    root.text("nut/test/cut/.hidden.png", "");
    root.text("nut/test/cut/readme.txt", "");
    std::fs::create_dir_all(root.path("notes")).expect("created");
    root
}

/// Creates an MVTec LOCO data set: one image has two masks, and mask values encode kinds of defects.
pub(super) fn loco() -> Miniature {
    let root = Miniature::with(&[
        "pushpins/train/good/000.png",
        "pushpins/train/good/001.png",
        "pushpins/train/good/002.png",
        "pushpins/validation/good/000.png",
        "pushpins/validation/good/001.png",
        "pushpins/test/good/000.png",
        "pushpins/test/logical_anomalies/000.png",
        "pushpins/test/structural_anomalies/000.png",
    ]);
    root.mask("pushpins/ground_truth/logical_anomalies/000/000.png", (1, 1), 236);
    root.mask("pushpins/ground_truth/logical_anomalies/000/001.png", (6, 4), 255);
    root.mask("pushpins/ground_truth/structural_anomalies/000/000.png", (3, 3), 240);
    let kind = |value: u8| {
        format!(
            r#"{{"defect_name": "kind_{value}", "pixel_value": {value}, "saturation_threshold": 1, "relative_saturation": false}}"#
        )
    };
    root.text("pushpins/defects_config.json", &format!("[{}]", [236, 240, 255].map(kind).join(",\n")));
    root
}

/// Creates an MVTec AD 2 data set.
pub(super) fn ad2() -> Miniature {
    let root = Miniature::with(&[
        "can/train/good/000_regular.png",
        "can/train/good/001_regular.png",
        "can/validation/good/000_regular.png",
        "can/test_public/good/000_regular.png",
        "can/test_public/bad/000_overexposed.png",
        "can/test_private/000.png",
        "can/test_private_mixed/000.png",
    ]);
    root.mask("can/test_public/ground_truth/bad/000_overexposed_mask.png", (0, 0), 255);
    root
}

/// Creates a BTAD data set: masks have other extensions than their images.
pub(super) fn btad() -> Miniature {
    let root = Miniature::with(&[
        "01/train/ok/0000.bmp",
        "01/train/ok/0001.bmp",
        "01/test/ok/0000.bmp",
        "01/test/ko/0000.bmp",
        "01/test/ko/0001.png",
    ]);
    root.mask("01/ground_truth/ko/0000.png", (2, 2), 255);
    root.mask("01/ground_truth/ko/0001.bmp", (2, 2), 255);
    root
}

/// Creates a VisA data set as published; a mask's value is the number of its class.
pub(super) fn visa() -> Miniature {
    let root = Miniature::with(&[
        "candle/Data/Images/Normal/0000.JPG",
        "candle/Data/Images/Normal/0001.JPG",
        "candle/Data/Images/Normal/0002.JPG",
        "candle/Data/Images/Normal/0003.JPG",
        "candle/Data/Images/Anomaly/000.JPG",
    ]);
    root.mask("candle/Data/Masks/Anomaly/000.png", (5, 1), 1);
    root.text(
        "split_csv/1cls.csv",
        "object,split,label,image,mask\n\
         candle,train,normal,candle/Data/Images/Normal/0002.JPG,\n\
         candle,train,normal,candle/Data/Images/Normal/0000.JPG,\n\
         candle,test,normal,candle/Data/Images/Normal/0001.JPG,\n\
         candle,test,anomaly,candle/Data/Images/Anomaly/000.JPG,candle/Data/Masks/Anomaly/000.png\n\
         cashew,train,normal,cashew/Data/Images/Normal/0000.JPG,\n",
    );
    root
}

/// Creates a VisA data set as spot-diff's script prepares it.
pub(super) fn visa_prepared() -> Miniature {
    let root = Miniature::with(&[
        "candle/train/good/0000.JPG",
        "candle/train/good/0001.JPG",
        "candle/test/good/0002.JPG",
        "candle/test/bad/000.JPG",
    ]);
    root.mask("candle/ground_truth/bad/000.png", (5, 1), 255);
    root
}

/// Creates an MPDD data set.
pub(super) fn mpdd() -> Miniature {
    let root = Miniature::with(&[
        "metal_plate/train/good/000.png",
        "metal_plate/train/good/001.png",
        "metal_plate/test/good/000.png",
        "metal_plate/test/major_rust/000.png",
    ]);
    root.mask("metal_plate/ground_truth/major_rust/000_mask.png", (5, 1), 255);
    root
}
