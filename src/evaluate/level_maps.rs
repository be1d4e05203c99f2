//! Distance maps of one level, and their file format.

use std::path::Path;

/// Distance maps of one level over a set of images: (images, height, width), row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelMaps {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Values of all maps.
    pub values: Vec<f32>,
}

impl LevelMaps {
    /// Returns the number of images.
    pub fn len(&self) -> usize {
        self.values.len() / (self.height * self.width)
    }

    /// Returns whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns the map of one image.
    pub fn image(&self, index: usize) -> &[f32] {
        &self.values[index * self.height * self.width..][..self.height * self.width]
    }

    /// Returns the maps of all images except one.
    pub fn without(&self, index: usize) -> Self {
        let length = self.height * self.width;
        let mut values = self.values.clone();
        values.drain(index * length..(index + 1) * length);
        Self { values, ..*self }
    }

    /// Writes the values, little-endian.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        std::fs::write(path, bytemuck::cast_slice(&self.values))
    }

    /// Reads values of the given shape; `images` is the expected number of images.
    pub fn read(path: &Path, images: usize, height: usize, width: usize) -> std::io::Result<Self> {
        let values = read_floats(path)?;
        let expected = images * height * width;
        if values.len() != expected {
            let reason = format!("{} holds {} values, expected {expected}", path.display(), values.len());
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, reason));
        }
        Ok(Self { height, width, values })
    }
}

/// Reads all little-endian values of a file.
fn read_floats(path: &Path) -> std::io::Result<Vec<f32>> {
    let bytes = std::fs::read(path)?;
    if !bytes.len().is_multiple_of(4) {
        let reason = format!("{} holds {} bytes, which is not a multiple of 4", path.display(), bytes.len());
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, reason));
    }
    Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
}
