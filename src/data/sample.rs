//! One image of a category, read from disk or drawn.

use std::path::{Path, PathBuf};

use image::metadata::Orientation;

use super::decode::{Header, header, turned_size, verify};
use super::image::{ImageSummary, summarise};
use super::mask::{MarkedMask, check_format};
use super::synthetic::Drawing;
use super::{DataError, Exif, Image, Mask, Picture, Reading, regular};

/// Source of an image.
#[derive(Debug, Clone, PartialEq)]
pub enum ImageSource {
    /// A file.
    File(PathBuf),
    /// A drawing that didact makes, with its mask.
    Drawn(Drawing),
}

/// One image with its label.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Path below the category, e.g. `test/colour/00.jpg`.
    pub image: String,
    /// Kind of defect; `None` for a normal image.
    pub defect: Option<String>,
    /// Source of the pixels.
    pub source: ImageSource,
    /// Files of masks; their union is the ground truth. The list is empty for a normal image, for a drawn one, and if masks are missing.
    pub masks: Vec<PathBuf>,
    /// Pixels of masks above this value (255 is white) are defective.
    pub mask_above: u8,
}

impl Sample {
    /// Returns the whole image.
    pub fn picture(&self, reading: Reading) -> Result<Picture, DataError> {
        match &self.source {
            ImageSource::File(path) => Picture::open(path, reading),
            ImageSource::Drawn(drawing) => Ok(drawing.draw().picture),
        }
    }

    /// Returns what follows the first `_` in the image's name, without the extension: the lighting in data sets that name it.
    pub fn lighting(&self) -> Option<&str> {
        let stem = Path::new(&self.image).file_stem()?.to_str()?;
        stem.split_once('_').map(|(_, lighting)| lighting)
    }

    /// Returns whether the image is read from this file.
    pub(super) fn is_file(&self, path: &Path) -> bool {
        matches!(&self.source, ImageSource::File(own) if own == path)
    }

    /// Decodes the image and returns its summary, without the pixels.
    pub(super) fn summary(&self) -> Result<ImageSummary, DataError> {
        match &self.source {
            ImageSource::File(path) => summarise(path),
            ImageSource::Drawn(drawing) => Ok(ImageSummary::drawn(&drawing.draw().picture)),
        }
    }

    /// Returns the image prepared to side².
    pub fn load(&self, side: usize, reading: Reading) -> Result<Image, DataError> {
        Ok(self.picture(reading)?.resized(side))
    }

    /// Returns the ground truth at side²; `None` if there is no mask, as for a normal image.
    pub fn load_mask(&self, side: usize, reading: Reading) -> Result<Option<Mask>, DataError> {
        Ok(self.ground_truth(reading)?.map(|mask| mask.resized(side)))
    }

    /// Returns the union of the masks at the picture's size; `None` if there is no mask.
    pub(super) fn ground_truth(&self, reading: Reading) -> Result<Option<Mask>, DataError> {
        if let ImageSource::Drawn(drawing) = &self.source {
            return Ok(self.defect.is_some().then(|| drawing.draw().mask));
        }
        let mut union: Option<Mask> = None;
        for (path, turn) in self.turned_masks(reading)? {
            let mask = Mask::open_turned(path, self.mask_above, turn)?;
            union = Some(match union {
                Some(union) => union.or(&mask),
                None => mask,
            });
        }
        Ok(union)
    }

    /// Returns the path of each mask file, and the mask with the values that mark its kinds of defects. Drawn images have none.
    pub(super) fn marked(&self, reading: Reading) -> Result<Vec<(&Path, MarkedMask)>, DataError> {
        let masks = self.turned_masks(reading)?.into_iter();
        masks.map(|(path, turn)| Ok((path, MarkedMask::open_turned(path, self.mask_above, turn)?))).collect()
    }

    /// Returns the path of each mask file, with the turn that fits it to the image.
    fn turned_masks(&self, reading: Reading) -> Result<Vec<(&Path, Orientation)>, DataError> {
        let ImageSource::File(image) = &self.source else { return Ok(Vec::new()) };
        let turned = |mask: &PathBuf| fitting_turn(mask, header(mask)?, image, header(image)?, reading.exif);
        self.masks.iter().map(|mask| Ok((mask.as_path(), turned(mask)?))).collect()
    }

    /// Checks that image and masks can be read to their last pixel, and that they fit each other.
    pub(super) fn check(&self, reading: Reading) -> Result<(), DataError> {
        let ImageSource::File(path) = &self.source else { return Ok(()) };
        let image = verify(path)?;
        self.masks.iter().try_for_each(|mask| {
            check_format(mask, self.mask_above)?;
            fitting_turn(mask, verify(mask)?, path, image, reading.exif).map(|_| ())
        })
    }

    /// Returns the BLAKE3 digest of the image: of the file's bytes, or of the drawn pixels and mask.
    pub(super) fn digest(&self) -> Result<blake3::Hash, DataError> {
        match &self.source {
            ImageSource::File(path) => digest_file(path),
            ImageSource::Drawn(drawing) => Ok(drawing.digest()),
        }
    }

    /// Returns the BLAKE3 digest of label and masks.
    pub(super) fn label_digest(&self) -> Result<blake3::Hash, DataError> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.defect.as_deref().unwrap_or("good").as_bytes());
        match &self.source {
            ImageSource::Drawn(drawing) => {
                hasher.update(drawing.digest().as_bytes());
            }
            ImageSource::File(_) if self.masks.is_empty() => {
                hasher.update(b"no mask");
            }
            ImageSource::File(_) => {
                for mask in &self.masks {
                    hasher.update(digest_file(mask)?.as_bytes());
                }
                // Hash the threshold only if it is set, so that digests from earlier versions stay valid.
                if self.mask_above > 0 {
                    hasher.update(&[self.mask_above]);
                }
            }
        }
        Ok(hasher.finalize())
    }
}

/// Returns the turn that fits a mask to its image.
///
/// If EXIF is applied, a mask with an orientation of its own is turned by that orientation. Any other mask was drawn either on the stored
/// pixels or on the picture as seen; its size tells which. If both have the same size, the mask is turned as its image is.
fn fitting_turn(
    mask_path: &Path,
    mask: Header,
    image_path: &Path,
    image: Header,
    exif: Exif,
) -> Result<Orientation, DataError> {
    let (stored, of_mask) = ((image.width, image.height), (mask.width, mask.height));
    let turn = image.orientation.unwrap_or(Orientation::NoTransforms);
    let seen = turned_size(stored, turn);
    let (turn, expected) = match (exif, mask.orientation) {
        (Exif::Ignore, _) => (Orientation::NoTransforms, stored),
        (Exif::Apply, Some(own)) => (own, seen),
        (Exif::Apply, None) if of_mask == stored => (turn, seen),
        (Exif::Apply, None) => (Orientation::NoTransforms, seen),
    };
    if turned_size(of_mask, turn) == expected {
        return Ok(turn);
    }
    let format_size = |(width, height): (u32, u32)| format!("{width}×{height}");
    Err(DataError::MaskSize {
        mask: mask_path.display().to_string(),
        mask_size: format_size(of_mask),
        image: image_path.display().to_string(),
        image_size: format_size(stored),
        hint: match exif == Exif::Ignore && of_mask == seen {
            true => "; data.exif = \"apply\" turns the image by its EXIF orientation to the size of the mask",
            false => "",
        },
    })
}

/// Returns the BLAKE3 digest of a file.
pub(super) fn digest_file(path: &Path) -> Result<blake3::Hash, DataError> {
    let io = |source| DataError::Io { path: path.to_owned(), source };
    // Mapping something other than a file could wait forever.
    drop(regular::open(path).map_err(io)?);
    let mut hasher = blake3::Hasher::new();
    hasher.update_mmap(path).map_err(io)?;
    Ok(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates the header of an image or mask.
    fn head(width: u32, height: u32, orientation: Option<Orientation>) -> Header {
        Header { width, height, orientation }
    }

    #[test]
    fn a_mask_is_turned_like_its_image_or_by_its_own_orientation_or_not_at_all() {
        let image = head(4, 2, Some(Orientation::Rotate90));
        let fit = |mask, exif| fitting_turn(Path::new("m.png"), mask, Path::new("i.jpg"), image, exif);
        let (plain, apply) = (Orientation::NoTransforms, Exif::Apply);
        assert_eq!(fit(head(4, 2, None), Exif::Ignore).expect("fits"), plain);
        assert_eq!(fit(head(4, 2, None), apply).expect("drawn on the stored pixels"), Orientation::Rotate90);
        assert_eq!(fit(head(2, 4, None), apply).expect("drawn on the picture as seen"), plain);
        assert_eq!(fit(head(4, 2, Some(Orientation::Rotate270)), apply).expect("its own"), Orientation::Rotate270);
        assert_eq!(fit(head(2, 4, Some(plain)), apply).expect("its own"), plain);
        assert!(fit(head(4, 2, Some(plain)), apply).is_err());
        let message = fit(head(2, 4, None), Exif::Ignore).expect_err("another size").to_string();
        assert!(message.contains("data.exif = \"apply\""), "{message}");
        let message = fit(head(3, 4, None), Exif::Ignore).expect_err("another size").to_string();
        assert!(!message.contains("exif"), "{message}");
    }

    #[test]
    fn image_and_mask_are_turned_by_the_same_orientation() {
        let recorded: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/golden/images.json")).expect("JSON");
        let turned = recorded["images"].as_array().into_iter().flatten().find(|image| image["name"] == "turned.png");
        let file = turned.and_then(|image| image["file"].as_str()).expect("recorded");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (image, mask) = (folder.path().join("i.png"), folder.path().join("m.png"));
        std::fs::write(
            &image,
            base64::Engine::decode(&base64::engine::general_purpose::STANDARD, file).expect("base64"),
        )
        .expect("written");
        // The stored image is 20×12. Its left column is the top row of the picture as seen.
        let mut drawn = image::GrayImage::new(20, 12);
        (0..12).for_each(|y| drawn.put_pixel(0, y, image::Luma([255])));
        drawn.save(&mask).expect("written");
        let (source, defect) = (ImageSource::File(image), Some("cut".to_owned()));
        let sample = Sample { image: "i.png".to_owned(), defect, source, masks: vec![mask], mask_above: 0 };
        let reading = |exif| Reading { exif, ..Reading::default() };
        let mask = |exif| sample.load_mask(60, reading(exif)).expect("reads").expect("has one");
        let (stored, seen) = (mask(Exif::Ignore), mask(Exif::Apply));
        assert!((0..60).all(|y| stored.pixels[y * 60]) && !stored.pixels[59]);
        assert!((0..60).all(|x| seen.pixels[x]) && !seen.pixels[59 * 60]);
        sample.check(reading(Exif::Apply)).expect("fits");
        assert_eq!(sample.picture(reading(Exif::Apply)).expect("reads").width, 12);
    }
}
