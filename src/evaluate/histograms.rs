//! Histograms of each test image's pixels over bins of all test scores. Pixel metrics are resampled from them.
//!
//! The bins are pooled quantiles: each holds about the same number of test pixels, and equal scores are in the same bin. Bins are ordered
//! by score from high to low. So the histograms keep what rankings depend on, for any scale of the scores.

use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::metrics::{Sweep, label_components};

/// Largest number of bins.
const BINS: usize = 4096;

/// Pixel counts of one image per bin, from high scores to low.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageHistogram {
    /// Normal pixels per bin.
    pub normal: Vec<u32>,
    /// Pixels of each defect component, per bin.
    pub components: Vec<Vec<u32>>,
}

/// Histograms of all test images, in the order of the images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PixelHistograms {
    /// Number of bins per histogram.
    pub bins: usize,
    /// One entry per image.
    pub images: Vec<ImageHistogram>,
}

fn file(folder: &Path) -> PathBuf {
    folder.join(PixelHistograms::FILE)
}

impl PixelHistograms {
    /// File name in the artifact.
    pub const FILE: &str = "histograms.bin";

    /// Computes the histograms from maps, masks as in [`Sweep::of_maps`], and the sweep of both.
    pub fn of<S: AsRef<[f32]> + Sync, M: AsRef<[bool]> + Sync>(
        maps: &[S],
        masks: &[Option<M>],
        width: usize,
        sweep: &Sweep,
    ) -> Self {
        let edges = sweep.lower_edges(BINS);
        let bins = edges.len();
        let of_image = |(map, mask): (&S, &Option<M>)| {
            let (labels, sizes) = mask.as_ref().map(|mask| label_components(mask.as_ref(), width)).unwrap_or_default();
            let mut rows = vec![vec![0_u32; bins]; 1 + sizes.len()];
            for (pixel, score) in map.as_ref().iter().enumerate() {
                let component = labels.get(pixel).map_or(0, |label| *label as usize);
                rows[component][edges.partition_point(|edge| edge > score)] += 1;
            }
            let normal = rows.remove(0);
            ImageHistogram { normal, components: rows }
        };
        Self { bins, images: maps.par_iter().zip(masks).map(of_image).collect() }
    }

    /// Writes the histograms into an evaluate artifact.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let mut bytes = Vec::new();
        put(&mut bytes, self.bins as u32);
        put(&mut bytes, self.images.len() as u32);
        for image in &self.images {
            put(&mut bytes, image.components.len() as u32);
            std::iter::once(&image.normal).chain(&image.components).flatten().for_each(|n| put(&mut bytes, *n));
        }
        std::fs::write(file(folder), bytes)
    }

    /// Reads the histograms of an evaluate artifact.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let bytes = std::fs::read(file(folder))?;
        let mut rest = bytes.as_slice();
        let damaged = || io::Error::other(format!("{} is damaged", file(folder).display()));
        let histograms = parse(&mut rest).filter(|_| rest.is_empty());
        histograms.ok_or_else(damaged)
    }
}

fn parse(rest: &mut &[u8]) -> Option<PixelHistograms> {
    let bins = take(rest)? as usize;
    // A corrupt number must not request more memory than the file can fill.
    let row = |rest: &mut &[u8]| (0..bins).map(|_| take(rest)).collect::<Option<Vec<u32>>>();
    let images = (0..take(rest)?).map(|_| {
        let components = take(rest)?;
        let normal = row(rest)?;
        let components = (0..components).map(|_| row(rest)).collect::<Option<_>>()?;
        Some(ImageHistogram { normal, components })
    });
    let images = images.collect::<Option<_>>()?;
    Some(PixelHistograms { bins, images })
}

/// Writes seven bits per byte, lowest first; the eighth bit says that more bytes follow (LEB128). Most counts are small.
fn put(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(rest: &mut &[u8]) -> Option<u32> {
    let mut number = 0_u32;
    for shift in (0..32).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        number |= u32::from(byte & 0x7F).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histograms(scores: impl Fn(usize) -> f32) -> (PixelHistograms, Vec<Vec<f32>>) {
        let maps: Vec<Vec<f32>> = (0..2).map(|image| (0..8192).map(|i| scores(i + 8192 * image)).collect()).collect();
        let masks = [None, Some((0..8192).map(|i| i < 3 || i == 8191).collect::<Vec<bool>>())];
        let sweep = Sweep::of_maps(&maps, &masks, 64).expect("finite");
        (PixelHistograms::of(&maps, &masks, 64, &sweep), maps)
    }

    #[test]
    fn bins_are_pooled_quantiles_and_hold_every_pixel_once() {
        let (found, _) = histograms(|i| (i as f32).powi(2));
        assert_eq!((found.bins, found.images.len()), (BINS, 2));
        assert_eq!((found.images[0].components.len(), found.images[1].components.len()), (0, 2));
        let total = |bin: usize| -> u32 {
            let rows = found.images.iter().flat_map(|image| std::iter::once(&image.normal).chain(&image.components));
            rows.map(|row| row[bin]).sum()
        };
        assert!((0..BINS).all(|bin| total(bin) == 4));
        // The last pixel of the second image has the highest score and is a component by itself.
        assert_eq!((found.images[1].components[1][0], found.images[1].components[0].iter().sum::<u32>()), (1, 3));
    }

    #[test]
    fn equal_scores_are_in_one_bin() {
        let (found, _) = histograms(|i| (i % 3) as f32);
        assert_eq!(found.bins, 3);
        let (found, _) = histograms(|_| 1.0);
        assert_eq!((found.bins, found.images[0].normal[0]), (1, 8192));
    }

    #[test]
    fn written_histograms_are_read_back_and_damaged_files_are_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (found, _) = histograms(|i| if i > 9000 { 1.0 } else { i as f32 });
        found.write(folder.path()).expect("written");
        assert_eq!(PixelHistograms::read(folder.path()).expect("read"), found);
        let bytes = std::fs::read(file(folder.path())).expect("there");
        for wrong in [&bytes[..bytes.len() - 1], &[bytes.as_slice(), &[0]].concat(), &[0xFF; 9]] {
            std::fs::write(file(folder.path()), wrong).expect("written");
            assert!(PixelHistograms::read(folder.path()).expect_err("damaged").to_string().contains("is damaged"));
        }
    }
}
