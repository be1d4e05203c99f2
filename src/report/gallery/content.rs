//! What the gallery shows: for every category the images, and for every seed and variant their layers and scores.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::address::{address, short_names};
use super::choice::{MAX_IMAGES, images, ranks, worst};
use super::sheet::{indices, layers, outlines, photographs};
use super::strip::{MAX_SHOWN, Strip, strip};
use crate::analysis::{Groups, Rows, Variant};
use crate::cause::Cause;
use crate::report::error::ReportError;
use crate::report::pictures::{Source, open_rows, resized, seeds};
use crate::store::Artifacts;

/// Maximum number of variants besides ST-FPM.
const MAX_OTHERS: usize = 4;
/// Maximum number of seeds.
const MAX_SEEDS: usize = 3;
/// Number of layers (images × variants × seeds over all categories) that bounds the size of the page: with more, there are fewer seeds.
/// If one seed has more, its layers are smaller.
const MAX_LAYERS: usize = 2000;
/// Largest side of an input.
const INPUT_SIDE: usize = 128;
/// Largest side of a map's layer, and of each of very many layers: the side at which maps are fused by default.
const LAYER_SIDE: usize = 96;
const SMALL_LAYER_SIDE: usize = 64;

/// What a gallery is made from.
pub(in crate::report) struct GallerySource<'a, 'r> {
    pub rows: &'r Rows,
    pub groups: &'a Groups<'r>,
    pub artifacts: &'a Artifacts,
    /// Variants with auto-encoders, the best one first. ST-FPM is added.
    pub variants: &'a [&'a Variant],
    /// Start of anchors and addresses; empty if there is only one protocol.
    pub prefix: &'a str,
}

/// The gallery of one protocol's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Gallery {
    pub(super) prefix: String,
    /// The mark that everything with such numbers must carry.
    pub(super) mark: Option<String>,
    /// Labels of the variants and their names in addresses: the best first, ST-FPM last.
    pub(super) variants: Vec<(String, String)>,
    pub(super) categories: Vec<GalleryCategory>,
    /// What could not be shown, and why.
    pub notes: Vec<String>,
}

/// The images of a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GalleryCategory {
    pub name: String,
    /// Number of test images, with those that are not shown.
    pub all: usize,
    /// Shown images: path, and kind of defect. The variants disagree about the first ones most.
    pub images: Vec<(String, Option<String>)>,
    /// Place of the image that the best variant misses first.
    pub worst: Option<usize>,
    /// Side of the inputs and outlines, and of the layers.
    pub sides: (usize, usize),
    /// Sheet of the inputs, as JPEG.
    pub inputs: Vec<u8>,
    /// Sheet of the outlines of defects, as PNG.
    pub outlines: Vec<u8>,
    /// Maps by seed; the first seed is shown first.
    pub seeds: Vec<SeedMaps>,
    pub strip: Strip,
    /// Indices of the variants in the strip.
    pub strip_rows: Vec<usize>,
}

/// The maps of one seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeedMaps {
    pub seed: i64,
    /// Maps of every variant; `None` if they cannot be shown.
    pub variants: Vec<Option<VariantMaps>>,
}

/// The maps of one variant and seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VariantMaps {
    /// Sheet of the layers, as PNG.
    pub layers: Vec<u8>,
    /// Score of each image: "1.83 × threshold".
    pub scores: Vec<String>,
    /// Whether the threshold is right about each image; `None` without a threshold.
    pub right: Vec<Option<bool>>,
    /// Ranks among all test images of the category; 1 is the most anomalous.
    pub ranks: Vec<usize>,
}

impl Gallery {
    /// Returns whether there is nothing to show.
    pub(in crate::report) fn is_empty(&self) -> bool {
        self.categories.is_empty() && self.notes.is_empty()
    }

    /// Returns the address of the worst image of the first category that has one: the defective image with the lowest score of the best
    /// variant.
    pub(in crate::report) fn worst_image(&self) -> Option<String> {
        let (category, worst) = self.categories.iter().find_map(|category| Some((category, category.worst?)))?;
        let variant = category.seeds[0].variants.iter().position(Option::is_some)?;
        Some(address(&self.prefix, &category.name, &category.images[worst].0, &self.variants[variant].1))
    }
}

/// Draws the gallery of all categories. Maps that are missing are left out, and a note says so.
///
/// # Errors
/// A picture cannot be encoded.
pub(in crate::report) fn gallery(source: &GallerySource<'_, '_>) -> Result<Gallery, ReportError> {
    let GallerySource { rows, groups, artifacts, variants, prefix } = source;
    let others = variants.iter().filter(|variant| !variant.baseline).take(MAX_OTHERS).copied();
    let shown: Vec<&Variant> = others.chain(groups.baseline()).collect();
    let labels: Vec<&str> = shown.iter().map(|variant| variant.label.as_str()).collect();
    let mut gallery = Gallery {
        prefix: (*prefix).to_owned(),
        mark: groups.mark(),
        variants: labels.iter().map(|label| (*label).to_owned()).zip(short_names(&labels)).collect(),
        categories: Vec::new(),
        notes: Vec::new(),
    };
    for (category, _) in &groups.categories {
        let seeds = seeds(groups, &shown, category);
        let mut sources: Vec<(i64, Vec<Option<Source>>)> = Vec::new();
        let (mut most_seeds, mut layer_side) = (1, LAYER_SIDE);
        for seed in seeds {
            if sources.len() == most_seeds {
                break;
            }
            let opened = open_rows((rows, groups, artifacts), &shown, category, seed, &mut gallery.notes);
            let Some(first) = opened.iter().flatten().next() else { continue };
            if sources.is_empty() {
                let layers = groups.categories.len() * shown.len() * first.images.len().min(MAX_IMAGES);
                most_seeds = (MAX_LAYERS / layers.max(1)).clamp(1, MAX_SEEDS);
                if layers > MAX_LAYERS {
                    layer_side = SMALL_LAYER_SIDE;
                }
            } else if !sources[0].1.iter().flatten().next().is_none_or(|known| known.fits(first)) {
                continue;
            }
            sources.push((seed, opened));
        }
        if !sources.is_empty() {
            let drawn = drawn(category, &sources, layer_side);
            let failed = |source| ReportError::Draw { figure: format!("the gallery of {category}"), source };
            gallery.categories.push(drawn.map_err(failed)?);
        }
    }
    // What is missing in one seed is often missing in all.
    let mut known = BTreeSet::new();
    gallery.notes.retain(|note| known.insert(note.clone()));
    Ok(gallery)
}

/// Draws a category. The first seed has a source.
fn drawn(category: &str, sources: &[(i64, Vec<Option<Source>>)], layer_side: usize) -> Result<GalleryCategory, Cause> {
    let present: Vec<(usize, &Source)> =
        sources[0].1.iter().enumerate().filter_map(|(index, source)| Some((index, source.as_ref()?))).collect();
    // The best variant that is there, and ST-FPM or else the last one.
    let compared: Vec<(usize, &Source)> = match present.as_slice() {
        [only] => vec![*only],
        [first, .., last] => vec![*first, *last],
        [] => return Err("no maps".into()),
    };
    let (best, other) = (compared[0].1, compared.get(1));
    let shown = images(&best.images, other.map(|(_, other)| other.images.as_slice()));
    let size = best.input(0).side;
    let sides = (multiple_of_eight(size, INPUT_SIDE), multiple_of_eight(size, layer_side));
    let inputs: Vec<_> = shown.par_iter().map(|&index| resized(&best.input(index), sides.0)).collect();
    let masks: Vec<_> =
        shown.par_iter().map(|&index| present.iter().find_map(|(_, source)| source.mask(index))).collect();
    let seed_maps = |(seed, sources): &(i64, Vec<Option<Source>>)| {
        let variants =
            sources.iter().map(|source| source.as_ref().map(|source| maps(source, &shown, sides.1)).transpose());
        Ok(SeedMaps { seed: *seed, variants: variants.collect::<Result<_, Cause>>()? })
    };
    let strip_sources: Vec<&Source> = compared.iter().map(|(_, source)| *source).collect();
    let worst = worst(&best.images);
    Ok(GalleryCategory {
        name: category.to_owned(),
        all: best.images.len(),
        images: shown
            .iter()
            .map(|&index| (best.images[index].image.clone(), best.images[index].defect.clone()))
            .collect(),
        worst: worst.and_then(|worst| shown.iter().position(|index| *index == worst)),
        sides,
        inputs: photographs(&inputs, sides.0)?,
        outlines: outlines(&masks, sides.0)?,
        seeds: sources.iter().map(seed_maps).collect::<Result<_, Cause>>()?,
        strip: strip(&strip_sources, &shown[..shown.len().min(MAX_SHOWN)])?,
        strip_rows: compared.iter().map(|(index, _)| *index).collect(),
    })
}

/// Draws the maps of one variant and seed.
fn maps(source: &Source, shown: &[usize], side: usize) -> Result<VariantMaps, Cause> {
    let threshold = source.calibrated.threshold;
    let tiles: Vec<Vec<u8>> = shown.par_iter().map(|&index| indices(&source.fused(index), threshold, side)).collect();
    let ranks = ranks(&source.images);
    let right = |index: usize| {
        let image = &source.images[index];
        threshold.map(|threshold| (f64::from(image.score) > threshold) == image.defect.is_some())
    };
    Ok(VariantMaps {
        layers: layers(&tiles, side)?,
        scores: shown.iter().map(|&index| source.relative_score(index)).collect(),
        right: shown.iter().map(|&index| right(index)).collect(),
        ranks: shown.iter().map(|&index| ranks[index]).collect(),
    })
}

/// Returns the side of tiles: JPEG has blocks of eight pixels, which must not reach into the next tile.
fn multiple_of_eight(size: usize, most: usize) -> usize {
    (size.min(most) / 8 * 8).max(8)
}
