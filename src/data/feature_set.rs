//! Cache of one part of a category: teacher features and prepared images, memory-mapped. One model for several categories reads the caches
//! of all of them as one set.
//!
//! The `features` artifact has these files: `level1.f32` … (little-endian, NHWC over all images in order), `images.u8` (RGB, prepared to
//! `side`²), `features.json`.

use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Image, normalise};
use crate::cause::Cause;

/// Shape of one feature level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelShape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels.
    pub channels: usize,
}

impl LevelShape {
    /// Returns the number of values per image.
    pub fn len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Returns whether the level has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Content of `features.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureHeader {
    /// Names of the images, in order, as paths below the category.
    pub images: Vec<String>,
    /// Side of the prepared images, pixels.
    pub side: usize,
    /// Shapes of the levels, finest first.
    pub levels: Vec<LevelShape>,
}

impl FeatureHeader {
    /// Returns the teacher's level numbers (from 1): level l has 1/2^(l+1) of the image's side.
    pub fn level_numbers(&self) -> Vec<usize> {
        let number = |level: &LevelShape| (self.side / level.height.max(1)).max(1).ilog2().saturating_sub(1) as usize;
        self.levels.iter().map(number).collect()
    }
}

/// Features artifacts, memory-mapped: one, or several whose images follow each other.
pub struct FeatureSet {
    header: FeatureHeader,
    parts: Vec<Part>,
}

/// The files of one artifact.
struct Part {
    /// Index of its first image in the set.
    first: usize,
    levels: Vec<Mmap>,
    images: Mmap,
}

/// A feature artifact is missing, cut short or invalid.
#[derive(Debug, thiserror::Error)]
#[error("feature file {path}: {source}")]
pub struct FeatureSetError {
    path: String,
    #[source]
    source: Cause,
}

fn error(path: &Path, source: impl Into<Cause>) -> FeatureSetError {
    FeatureSetError { path: path.display().to_string(), source: source.into() }
}

fn header_path(folder: &Path) -> PathBuf {
    folder.join("features.json")
}

fn level_path(folder: &Path, level: usize) -> PathBuf {
    folder.join(format!("level{}.f32", level + 1))
}

impl FeatureSet {
    /// Maps the files of an artifact folder and checks that each has the length that the header implies.
    pub fn open(folder: &Path) -> Result<Self, FeatureSetError> {
        let path = header_path(folder);
        let text = std::fs::read(&path).map_err(|e| error(&path, e))?;
        let header: FeatureHeader = serde_json::from_slice(&text).map_err(|e| error(&path, e))?;
        let count = header.images.len();
        let levels = (0..header.levels.len())
            .map(|level| map(&level_path(folder, level), count * header.levels[level].len() * 4))
            .collect::<Result<_, _>>()?;
        let images = map(&folder.join("images.u8"), count * header.side * header.side * 3)?;
        Ok(Self { header, parts: vec![Part { first: 0, levels, images }] })
    }

    /// Opens several artifacts as one set: the images of the first folder, then those of the next.
    ///
    /// # Errors
    /// As for [`FeatureSet::open`]. Also if images or levels of a folder have other sizes than those of the first.
    pub fn open_all<P: AsRef<Path>>(first: &Path, others: &[P]) -> Result<Self, FeatureSetError> {
        let mut all = Self::open(first)?;
        for folder in others.iter().map(AsRef::as_ref) {
            let Self { header, parts } = Self::open(folder)?;
            if (header.side, &header.levels) != (all.header.side, &all.header.levels) {
                let unlike = format!("its images or levels have other sizes than those of {}", first.display());
                return Err(error(&header_path(folder), unlike));
            }
            let before = all.len();
            all.parts.extend(parts.into_iter().map(|part| Part { first: before + part.first, ..part }));
            all.header.images.extend(header.images);
        }
        Ok(all)
    }

    /// Returns the header: image names, side and level shapes.
    pub fn header(&self) -> &FeatureHeader {
        &self.header
    }

    /// Returns the number of images.
    pub fn len(&self) -> usize {
        self.header.images.len()
    }

    /// Returns the indices of each artifact's images, in the order in which the artifacts were opened.
    pub fn parts(&self) -> impl Iterator<Item = Range<usize>> {
        let ends = self.parts.iter().skip(1).map(|part| part.first).chain([self.len()]);
        self.parts.iter().zip(ends).map(|(part, end)| part.first..end)
    }

    /// Returns whether the set has no images.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the features of all images at one level, (images, height, width, channels) row-major.
    pub fn level(&self, level: usize) -> Cow<'_, [f32]> {
        match &self.parts[..] {
            [part] => part.level(level).into(),
            parts => parts.iter().map(|part| part.level(level)).collect::<Vec<_>>().concat().into(),
        }
    }

    /// Returns the features of the given images at one level, (indices, height, width, channels) row-major.
    pub fn features(&self, level: usize, indices: &[usize]) -> Vec<f32> {
        let length = self.header.levels[level].len();
        let mut batch = vec![0.0; indices.len() * length];
        batch.par_chunks_mut(length).zip(indices).for_each(|(target, &index)| {
            let (part, index) = self.part_of(index);
            target.copy_from_slice(&part.level(level)[index * length..][..length]);
        });
        batch
    }

    /// Returns one prepared image.
    pub fn image(&self, index: usize) -> Image {
        let length = self.header.side * self.header.side * 3;
        let (part, index) = self.part_of(index);
        Image { side: self.header.side, rgb: part.images[index * length..][..length].to_vec() }
    }

    /// Returns the part that holds an image, and the image's index in the part.
    fn part_of(&self, index: usize) -> (&Part, usize) {
        let part = &self.parts[self.parts.partition_point(|part| part.first <= index) - 1];
        (part, index - part.first)
    }

    /// Returns the given images, normalised, (indices, side, side, 3) row-major.
    pub fn normalised(&self, indices: &[usize]) -> Vec<f32> {
        let parts: Vec<Vec<f32>> = indices.par_iter().map(|&index| normalise(&self.image(index))).collect();
        parts.concat()
    }
}

impl Part {
    /// Returns the features of all its images at one level.
    fn level(&self, level: usize) -> &[f32] {
        bytemuck::cast_slice(&self.levels[level])
    }
}

fn map(path: &Path, expected: usize) -> Result<Mmap, FeatureSetError> {
    let file = File::open(path).map_err(|e| error(path, e))?;
    // SAFETY: each artifact is written once, then renamed into place, and never modified afterwards.
    let map = unsafe { Mmap::map(&file) }.map_err(|e| error(path, e))?;
    if map.len() != expected {
        return Err(error(
            path,
            format!("it has {} bytes, expected {expected}: the file is cut short or not from didact", map.len()),
        ));
    }
    Ok(map)
}

/// Writes a features artifact in batches.
pub struct FeatureWriter {
    folder: PathBuf,
    levels: Vec<File>,
    images: File,
    header: FeatureHeader,
}

impl FeatureWriter {
    /// Creates the files in an empty folder.
    pub fn create(folder: &Path, side: usize, levels: Vec<LevelShape>) -> Result<Self, FeatureSetError> {
        let create = |path: PathBuf| File::create(&path).map_err(|e| error(&path, e));
        Ok(Self {
            folder: folder.to_owned(),
            levels: (0..levels.len()).map(|level| create(level_path(folder, level))).collect::<Result<_, _>>()?,
            images: create(folder.join("images.u8"))?,
            header: FeatureHeader { images: Vec::new(), side, levels },
        })
    }

    /// Appends images with their features, each level (images, height, width, channels) row-major.
    pub fn append(&mut self, images: &[(String, Image)], features: &[Vec<f32>]) -> Result<(), FeatureSetError> {
        for (level, values) in features.iter().enumerate() {
            self.levels[level]
                .write_all(bytemuck::cast_slice(values))
                .map_err(|e| error(&level_path(&self.folder, level), e))?;
        }
        for (name, image) in images {
            self.images.write_all(&image.rgb).map_err(|e| error(&self.folder.join("images.u8"), e))?;
            self.header.images.push(name.clone());
        }
        Ok(())
    }

    /// Writes the header, which completes the artifact.
    pub fn finish(self) -> Result<(), FeatureSetError> {
        let path = header_path(&self.folder);
        let text = serde_json::to_vec_pretty(&self.header).map_err(|e| error(&path, e))?;
        std::fs::write(&path, text).map_err(|e| error(&path, e))
    }
}
