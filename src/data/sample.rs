//! One image of a category, on disk or drawn.

use std::path::{Path, PathBuf};

use super::mask::is_exact;
use super::synthetic::Drawing;
use super::{DataError, Image, Mask, Picture};

/// Where an image comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum ImageSource {
    /// A file.
    File(PathBuf),
    /// didact draws it, with its mask.
    Drawn(Drawing),
}

/// One image with its label.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Path below the category, e.g. `test/colour/00.jpg`.
    pub image: String,
    /// Kind of defect; none for a normal image.
    pub defect: Option<String>,
    /// The pixels.
    pub source: ImageSource,
    /// Files of masks, whose union is the ground truth; none for a normal image, a drawn one, and where they are missing.
    pub masks: Vec<PathBuf>,
    /// Pixels of masks above this value (255 is white) are defective.
    pub mask_above: u8,
}

impl Sample {
    /// The whole image.
    pub fn picture(&self) -> Result<Picture, DataError> {
        match &self.source {
            ImageSource::File(path) => Picture::open(path),
            ImageSource::Drawn(drawing) => Ok(drawing.draw().picture),
        }
    }

    /// The image prepared to side².
    pub fn load(&self, side: usize) -> Result<Image, DataError> {
        Ok(self.picture()?.resized(side))
    }

    /// The ground truth at side²: the union of the masks; none where there is no mask. A normal image has none.
    pub fn load_mask(&self, side: usize) -> Result<Option<Mask>, DataError> {
        let path = match &self.source {
            ImageSource::Drawn(drawing) => {
                return Ok(self.defect.is_some().then(|| drawing.draw().mask.resized(side)));
            }
            ImageSource::File(path) => path,
        };
        let mut union: Option<Mask> = None;
        for mask_path in &self.masks {
            let mask = Mask::open(mask_path, self.mask_above)?;
            same_size(mask_path, (mask.width, mask.height), path, dimensions(path)?)?;
            union = Some(match union {
                Some(union) => union.or(&mask),
                None => mask,
            });
        }
        Ok(union.map(|mask| mask.resized(side)))
    }

    /// Whether image and masks can be read, as far as their headers tell, and are of one size.
    pub(super) fn check(&self) -> Result<(), DataError> {
        let ImageSource::File(path) = &self.source else { return Ok(()) };
        let size = dimensions(path)?;
        self.masks.iter().try_for_each(|mask| is_exact(mask, self.mask_above))?;
        self.masks.iter().try_for_each(|mask| same_size(mask, dimensions(mask)?, path, size))
    }

    /// BLAKE3 of the image: of the file's bytes, or of what the drawing depends on.
    pub(super) fn digest(&self) -> Result<blake3::Hash, DataError> {
        match &self.source {
            ImageSource::File(path) => digest_file(path),
            ImageSource::Drawn(drawing) => Ok(drawing.digest()),
        }
    }

    /// BLAKE3 of label and masks.
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
                // Digests from before there was a threshold stay valid.
                if self.mask_above > 0 {
                    hasher.update(&[self.mask_above]);
                }
            }
        }
        Ok(hasher.finalize())
    }
}

/// Width and height by the file's header.
fn dimensions(path: &Path) -> Result<(usize, usize), DataError> {
    let io = |source| DataError::Io { path: path.to_owned(), source };
    let reader = image::ImageReader::open(path).map_err(io)?.with_guessed_format().map_err(io)?;
    let (width, height) = reader
        .into_dimensions()
        .map_err(|error| DataError::Decode { path: path.to_owned(), reason: error.to_string() })?;
    Ok((width as usize, height as usize))
}

fn same_size(
    mask: &Path,
    mask_size: (usize, usize),
    image: &Path,
    image_size: (usize, usize),
) -> Result<(), DataError> {
    if mask_size == image_size {
        return Ok(());
    }
    let show = |(width, height): (usize, usize)| format!("{width}×{height}");
    Err(DataError::MaskSize {
        mask: mask.display().to_string(),
        mask_size: show(mask_size),
        image: image.display().to_string(),
        image_size: show(image_size),
    })
}

fn digest_file(path: &Path) -> Result<blake3::Hash, DataError> {
    let io = |source| DataError::Io { path: path.to_owned(), source };
    let mut hasher = blake3::Hasher::new();
    hasher.update_mmap(path).map_err(io)?;
    Ok(hasher.finalize())
}
