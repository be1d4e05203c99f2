//! From per-level distance maps to one anomaly map and one score an image.

use std::path::Path;

use super::{Aggregate, EvaluateSettings};

/// Distance maps of one level over a set of images: (images, height, width), row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelMaps {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// The values.
    pub values: Vec<f32>,
}

impl LevelMaps {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.values.len() / (self.height * self.width)
    }

    /// Whether it holds no image.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// One image's map.
    pub fn image(&self, index: usize) -> &[f32] {
        &self.values[index * self.height * self.width..][..self.height * self.width]
    }

    /// Writes the values, little-endian.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        std::fs::write(path, bytemuck::cast_slice(&self.values))
    }

    /// Reads values of the given shape; `images` says how many there must be.
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

/// The little-endian values of a whole file.
pub(crate) fn read_floats(path: &Path) -> std::io::Result<Vec<f32>> {
    let bytes = std::fs::read(path)?;
    if !bytes.len().is_multiple_of(4) {
        let reason = format!("{} holds {} bytes, which are no 32-bit values", path.display(), bytes.len());
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, reason));
    }
    Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
}

/// How level maps become the final one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MapRule {
    /// How levels are joined.
    pub aggregate: Aggregate,
    /// Side at which they are joined.
    pub fuse_size: usize,
    /// Deviation of the Gaussian on the final map, pixels; 0 = none.
    pub smoothing_sigma: f64,
}

impl From<&EvaluateSettings> for MapRule {
    fn from(settings: &EvaluateSettings) -> Self {
        Self { aggregate: settings.aggregate, fuse_size: settings.fuse_size, smoothing_sigma: settings.smoothing_sigma }
    }
}

/// The anomaly map of one image at evaluation resolution.
#[derive(Debug, Clone, PartialEq)]
pub struct FinalMap {
    /// Pixels a side.
    pub side: usize,
    /// Row-major.
    pub values: Vec<f32>,
}

impl AsRef<[f32]> for FinalMap {
    fn as_ref(&self) -> &[f32] {
        &self.values
    }
}

impl FinalMap {
    /// The image's score: the map's maximum (ST-FPM).
    pub fn score(&self) -> f32 {
        self.values.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    }
}

impl MapRule {
    /// One image's map at the fuse size.
    fn fuse(&self, levels: &[LevelMaps], image: usize) -> Vec<f32> {
        let size = self.fuse_size;
        let mut fused = vec![if self.aggregate == Aggregate::Product { 1.0 } else { 0.0 }; size * size];
        for level in levels {
            let map = resize_bilinear(level.image(image), level.height, level.width, size, size);
            for (fused, value) in fused.iter_mut().zip(map) {
                match self.aggregate {
                    Aggregate::Product => *fused *= value,
                    Aggregate::Sum | Aggregate::Mean => *fused += value,
                }
            }
        }
        if self.aggregate == Aggregate::Mean {
            fused.iter_mut().for_each(|value| *value /= levels.len() as f32);
        }
        fused
    }

    /// One image's final map at `side`².
    pub fn apply(&self, levels: &[LevelMaps], image: usize, side: usize) -> FinalMap {
        let fused = self.fuse(levels, image);
        let mut values = resize_bilinear(&fused, self.fuse_size, self.fuse_size, side, side);
        if self.smoothing_sigma > 0.0 {
            values = gaussian(&values, side, self.smoothing_sigma);
        }
        FinalMap { side, values }
    }
}

/// Mean of the fused map over all images: the official ST-FPM code's selection criterion on held-out normals.
pub fn mean_fused_score(levels: &[LevelMaps], aggregate: Aggregate, fuse_size: usize) -> f64 {
    let rule = MapRule { aggregate, fuse_size, smoothing_sigma: 0.0 };
    let images = levels.first().map_or(0, LevelMaps::len);
    let sum: f64 = (0..images).map(|image| rule.fuse(levels, image).iter().map(|&v| f64::from(v)).sum::<f64>()).sum();
    sum / (images * fuse_size * fuse_size) as f64
}

/// Bilinear resizing of one plane with pixel centres at ½ (PyTorch's `align_corners = False`, no antialiasing).
pub fn resize_bilinear(plane: &[f32], height: usize, width: usize, to_height: usize, to_width: usize) -> Vec<f32> {
    if (height, width) == (to_height, to_width) {
        return plane.to_vec();
    }
    let taps = |from: usize, to: usize| -> Vec<(usize, usize, f32)> {
        let scale = from as f32 / to as f32;
        (0..to)
            .map(|i| {
                let position = ((i as f32 + 0.5) * scale - 0.5).max(0.0);
                let low = (position as usize).min(from - 1);
                (low, (low + 1).min(from - 1), position - low as f32)
            })
            .collect()
    };
    let (rows, columns) = (taps(height, to_height), taps(width, to_width));
    let mut out = Vec::with_capacity(to_height * to_width);
    for &(top, bottom, v) in &rows {
        let (top, bottom) = (&plane[top * width..][..width], &plane[bottom * width..][..width]);
        for &(left, right, u) in &columns {
            let upper = top[left] * (1.0 - u) + top[right] * u;
            let lower = bottom[left] * (1.0 - u) + bottom[right] * u;
            out.push(upper * (1.0 - v) + lower * v);
        }
    }
    out
}

/// Gaussian smoothing, mirrored at the edges, cut at four deviations: scipy's `gaussian_filter` with its defaults.
fn gaussian(plane: &[f32], side: usize, sigma: f64) -> Vec<f32> {
    let radius = (4.0 * sigma + 0.5) as isize;
    let kernel: Vec<f64> = (-radius..=radius).map(|i| (-0.5 * (i as f64 / sigma).powi(2)).exp()).collect();
    let total: f64 = kernel.iter().sum();
    let mirror = |i: isize| -> usize {
        let (n, period) = (side as isize, 2 * side as isize);
        let i = i.rem_euclid(period);
        (if i < n { i } else { period - 1 - i }) as usize
    };
    let pass = |source: &[f32], step: usize, line: usize| -> Vec<f32> {
        let mut out = vec![0.0; source.len()];
        for a in 0..side {
            for b in 0..side {
                let sum: f64 = kernel
                    .iter()
                    .enumerate()
                    .map(|(k, weight)| {
                        let at = mirror(b as isize + k as isize - radius);
                        weight * f64::from(source[a * line + at * step])
                    })
                    .sum();
                out[a * line + b * step] = (sum / total) as f32;
            }
        }
        out
    };
    pass(&pass(plane, side, 1), 1, side)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bilinear_agrees_with_torch_on_a_known_case() {
        // torch.nn.functional.interpolate([[1, 2], [3, 4]], size=4, mode="bilinear", align_corners=False)
        let up = resize_bilinear(&[1.0, 2.0, 3.0, 4.0], 2, 2, 4, 4);
        let expected = [1.0, 1.25, 1.75, 2.0, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3.0, 3.25, 3.75, 4.0];
        assert_eq!(up, expected);
        assert_eq!(resize_bilinear(&[1.0, 2.0, 3.0, 4.0], 2, 2, 1, 1), [2.5]);
    }

    #[test]
    fn rules_join_levels_as_they_say() {
        let level = |value: f32| LevelMaps { height: 2, width: 2, values: vec![value; 8] };
        let levels = [level(2.0), level(3.0), level(4.0)];
        let rule = |aggregate| MapRule { aggregate, fuse_size: 4, smoothing_sigma: 0.0 };
        assert_eq!(rule(Aggregate::Product).apply(&levels, 1, 8).score(), 24.0);
        assert_eq!(rule(Aggregate::Sum).apply(&levels, 1, 8).score(), 9.0);
        assert_eq!(rule(Aggregate::Mean).apply(&levels, 1, 8).values, vec![3.0; 64]);
        assert_eq!(mean_fused_score(&levels, Aggregate::Product, 4), 24.0);
    }

    #[test]
    fn smoothing_keeps_the_sum_of_an_inner_peak_and_a_constant() {
        let mut plane = vec![0.0; 41 * 41];
        plane[20 * 41 + 20] = 1.0;
        let smooth = gaussian(&plane, 41, 2.0);
        assert!((smooth.iter().map(|&v| f64::from(v)).sum::<f64>() - 1.0).abs() < 1e-5);
        // scipy.ndimage.gaussian_filter of this peak has 0.03980 at its centre.
        assert!((smooth[20 * 41 + 20] - 0.039_80).abs() < 2e-5, "{}", smooth[20 * 41 + 20]);
        assert!(gaussian(&vec![5.0; 81], 9, 3.0).iter().all(|v| (v - 5.0).abs() < 1e-5));
    }
}
