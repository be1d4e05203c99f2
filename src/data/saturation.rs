//! Saturation areas of defects: how much of a defect must be found until it counts as found (Bergmann et al., IJCV 2022, §5.1).
//!
//! MVTec LOCO lists them by the value that marks a kind of defect in the masks, in one file per category.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rayon::prelude::*;
use serde::Deserialize;

use super::mask::nearest;
use super::{DataError, Reading, Sample};

/// Saturation areas of the kinds of defects of one category.
#[derive(Debug, Clone, PartialEq)]
pub struct Saturation {
    /// By the value that marks the kind in masks.
    kinds: BTreeMap<u8, SaturationArea>,
}

/// Saturation area of one kind of defect.
#[derive(Debug, Clone, Copy, PartialEq)]
enum SaturationArea {
    /// A share of the defect's own area.
    Share(f64),
    /// Pixels of the mask.
    Pixels(f64),
}

/// A defect at some image size.
#[derive(Debug, Clone, PartialEq)]
pub struct SaturatedDefect {
    /// Its pixels, by their index in the image. Empty if it is too small for the image size.
    pub pixels: Vec<u32>,
    /// Number of its pixels that must be found; more make no difference.
    pub saturation: f64,
}

/// An entry of the file, as it is written.
#[derive(Deserialize)]
struct Entry {
    defect_name: String,
    pixel_value: u64,
    saturation_threshold: f64,
    relative_saturation: bool,
}

impl Saturation {
    /// Reads the file of a category.
    ///
    /// # Errors
    /// The file is missing or is not a list of defects, or a value is out of its range.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        let text = std::fs::read(path).map_err(|source| DataError::Io { path: path.to_owned(), source })?;
        Self::read(&text).map_err(|what| DataError::Saturation { path: path.to_owned(), what })
    }

    /// Reads the text of a file; the error says what is wrong, and what would be right.
    fn read(text: &[u8]) -> Result<Self, String> {
        const EXPECTED: &str = "expected a list of defects, each with `defect_name` (text), `pixel_value` (1 to 255), \
                                `saturation_threshold` (a number above 0) and `relative_saturation` (true or false)";
        let entries: Vec<Entry> = serde_json::from_slice(text).map_err(|error| format!("{error}; {EXPECTED}"))?;
        let mut kinds = BTreeMap::new();
        for (number, entry) in (1..).zip(entries) {
            let wrong = |field: &str, value: &dyn std::fmt::Display, expected: &str| {
                Err(format!("defect {number} (`{}`): `{field}` is {value}; expected {expected}", entry.defect_name))
            };
            let Some(value) = u8::try_from(entry.pixel_value).ok().filter(|value| *value > 0) else {
                return wrong("pixel_value", &entry.pixel_value, "a whole number from 1 to 255");
            };
            let area = entry.saturation_threshold;
            let area = match entry.relative_saturation {
                true if area > 0.0 && area <= 1.0 => SaturationArea::Share(area),
                true => {
                    let expected = "a share of the defect above 0, up to 1, as `relative_saturation` is true";
                    return wrong("saturation_threshold", &area, expected);
                }
                false if area > 0.0 => SaturationArea::Pixels(area),
                false => return wrong("saturation_threshold", &area, "a number of pixels above 0"),
            };
            if kinds.insert(value, area).is_some() {
                return wrong("pixel_value", &value, "a value that no defect before it has");
            }
        }
        Ok(Self { kinds })
    }

    /// Checks that the file lists every value that marks a defect in these images' masks.
    ///
    /// # Errors
    /// A mask has another value, or cannot be read.
    pub(super) fn check(&self, path: &Path, samples: &[Sample], reading: Reading) -> Result<(), DataError> {
        let check = |sample: &Sample| -> Result<(), DataError> {
            for (mask, values) in sample.marked(reading)? {
                let found: BTreeSet<u8> = values.pixels.into_iter().filter(|value| *value > 0).collect();
                if let Some(value) = found.into_iter().find(|value| !self.kinds.contains_key(value)) {
                    return Err(self.unknown(path, mask, value));
                }
            }
            Ok(())
        };
        // Of several wrong masks, always name the first.
        samples.par_iter().find_map_first(|sample| check(sample).err()).map_or(Ok(()), Err)
    }

    fn unknown(&self, path: &Path, mask: &Path, value: u8) -> DataError {
        let listed: Vec<String> = self.kinds.keys().map(ToString::to_string).collect();
        let listed = if listed.is_empty() { "no value".to_owned() } else { listed.join(", ") };
        let (path, mask) = (path.to_owned(), mask.to_owned());
        DataError::SaturationValue { path, mask, value, listed }
    }

    /// Returns the defects of an image at side², one for each value in each of its masks.
    ///
    /// Areas in pixels shrink with the image. No defect needs more pixels than it has.
    ///
    /// # Errors
    /// A mask cannot be read, or has a value that the file does not list.
    pub fn defects(
        &self,
        path: &Path,
        sample: &Sample,
        side: usize,
        reading: Reading,
    ) -> Result<Vec<SaturatedDefect>, DataError> {
        let mut defects = Vec::new();
        for (mask, marked) in sample.marked(reading)? {
            let scale = (side * side) as f64 / (marked.width * marked.height) as f64;
            // Values that vanish at this size count as well, with no pixel.
            let mut pixels: BTreeMap<u8, Vec<u32>> =
                marked.pixels.iter().filter(|value| **value > 0).map(|value| (*value, Vec::new())).collect();
            for (pixel, source) in (0..).zip(nearest(marked.width, marked.height, side)) {
                if let Some(pixels) = pixels.get_mut(&marked.pixels[source]) {
                    pixels.push(pixel);
                }
            }
            for (value, pixels) in pixels {
                let area = self.kinds.get(&value).ok_or_else(|| self.unknown(path, mask, value))?;
                let saturation = match area {
                    SaturationArea::Share(share) => share * pixels.len() as f64,
                    SaturationArea::Pixels(area) => (area * scale).min(pixels.len() as f64),
                };
                defects.push(SaturatedDefect { pixels, saturation });
            }
        }
        Ok(defects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::ImageSource;

    const GOOD: &str = r#"[
        {"defect_name": "missing_pin", "pixel_value": 236, "saturation_threshold": 4, "relative_saturation": false},
        {"defect_name": "scratch", "pixel_value": 255, "saturation_threshold": 0.5, "relative_saturation": true}
    ]"#;

    fn refused(text: &str) -> String {
        Saturation::read(text.as_bytes()).expect_err("refused")
    }

    #[test]
    fn errors_name_line_or_field_and_what_is_expected() {
        let errors = [
            GOOD.replace("236", "0"),
            GOOD.replace("236", "300"),
            GOOD.replace("255", "236"),
            GOOD.replace(": 4,", ": 0,"),
            GOOD.replace("0.5", "1.5"),
            GOOD.replace("\"pixel_value\": 255, ", ""),
            GOOD.replace("true", "1"),
            "{}".to_owned(),
            GOOD.replace(']', ""),
        ];
        insta::assert_snapshot!(errors.map(|text| refused(&text)).join("\n"));
    }

    /// Creates an image of 8×4 pixels with these masks.
    fn sample(folder: &Path, masks: &[image::GrayImage]) -> Sample {
        let image = folder.join("000.png");
        image::GrayImage::new(8, 4).save(&image).expect("written");
        let path = |index: usize| folder.join(format!("mask-{index}.png"));
        masks.iter().enumerate().for_each(|(index, mask)| mask.save(path(index)).expect("written"));
        Sample {
            image: "000.png".to_owned(),
            defect: Some("logical".to_owned()),
            source: ImageSource::File(image),
            masks: (0..masks.len()).map(path).collect(),
            mask_above: 0,
        }
    }

    #[test]
    fn each_value_of_each_mask_is_a_defect_with_its_saturation_area() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("defects_config.json");
        std::fs::write(&config, GOOD).expect("written");
        let saturation = Saturation::open(&config).expect("reads");
        let mut one = image::GrayImage::new(8, 4);
        (0..4).for_each(|y| (0..4).for_each(|x| one.put_pixel(x, y, image::Luma([236]))));
        let mut two = image::GrayImage::new(8, 4);
        (0..4).for_each(|x| two.put_pixel(x, 0, image::Luma([255])));
        (0..2).for_each(|y| two.put_pixel(7, y, image::Luma([236])));
        let sample = sample(folder.path(), &[one, two]);
        let at = |side| saturation.defects(&config, &sample, side, Reading::default()).expect("known values");
        let areas = |side| at(side).iter().map(|d| (d.pixels.len(), d.saturation)).collect::<Vec<_>>();
        // At twice the area, each area in pixels doubles, but no more than all of a defect is needed.
        assert_eq!(areas(8), [(32, 8.0), (4, 4.0), (8, 4.0)]);
        // At an eighth of the area, the small defects of the second mask have no pixel.
        assert_eq!(areas(2), [(2, 0.5), (0, 0.0), (0, 0.0)]);
        assert_eq!(at(2)[0].pixels, [0, 2]);
    }

    #[test]
    fn a_value_that_the_file_does_not_list_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("defects_config.json");
        std::fs::write(&config, GOOD).expect("written");
        let saturation = Saturation::open(&config).expect("reads");
        let sample = sample(folder.path(), &[image::GrayImage::from_pixel(8, 4, image::Luma([240]))]);
        let error = saturation.check(&config, std::slice::from_ref(&sample), Reading::default()).expect_err("refused");
        let message = error.to_string();
        assert!(message.contains("mask-0.png has the value 240"), "{message}");
        assert!(message.contains("defects_config.json") && message.contains("it lists 236, 255"), "{message}");
        assert!(saturation.defects(&config, &sample, 4, Reading::default()).is_err());
    }
}
