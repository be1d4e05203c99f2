//! One image of a category, on disk or drawn.

use std::path::PathBuf;

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
    /// The mask's file; none for a normal image, a drawn one, and where it is missing.
    pub mask: Option<PathBuf>,
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

    /// The ground truth at side²; none where there is no mask. A normal image has none.
    pub fn load_mask(&self, side: usize) -> Result<Option<Mask>, DataError> {
        match (&self.source, &self.mask) {
            (ImageSource::Drawn(drawing), _) => Ok(self.defect.is_some().then(|| drawing.draw().mask.resized(side))),
            (ImageSource::File(_), None) => Ok(None),
            (ImageSource::File(path), Some(mask_path)) => {
                let mask = Mask::open(mask_path)?;
                let io = |source| DataError::Io { path: path.clone(), source };
                let reader = image::ImageReader::open(path).map_err(io)?.with_guessed_format().map_err(io)?;
                let (width, height) = reader
                    .into_dimensions()
                    .map_err(|error| DataError::Decode { path: path.clone(), reason: error.to_string() })?;
                if (mask.width, mask.height) != (width as usize, height as usize) {
                    return Err(DataError::MaskSize {
                        mask: mask_path.display().to_string(),
                        mask_size: format!("{}×{}", mask.width, mask.height),
                        image: path.display().to_string(),
                        image_size: format!("{width}×{height}"),
                    });
                }
                Ok(Some(mask.resized(side)))
            }
        }
    }

    /// BLAKE3 of the image: of the file's bytes, or of what the drawing depends on.
    pub(super) fn digest(&self) -> Result<blake3::Hash, DataError> {
        match &self.source {
            ImageSource::File(path) => digest_file(path),
            ImageSource::Drawn(drawing) => Ok(drawing.digest()),
        }
    }

    /// BLAKE3 of label and mask.
    pub(super) fn label_digest(&self) -> Result<blake3::Hash, DataError> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.defect.as_deref().unwrap_or("good").as_bytes());
        match (&self.source, &self.mask) {
            (_, Some(path)) => hasher.update(digest_file(path)?.as_bytes()),
            (ImageSource::Drawn(drawing), None) => hasher.update(drawing.digest().as_bytes()),
            (ImageSource::File(_), None) => hasher.update(b"no mask"),
        };
        Ok(hasher.finalize())
    }
}

fn digest_file(path: &std::path::Path) -> Result<blake3::Hash, DataError> {
    let io = |source| DataError::Io { path: path.to_owned(), source };
    let mut hasher = blake3::Hasher::new();
    hasher.update_mmap(path).map_err(io)?;
    Ok(hasher.finalize())
}
