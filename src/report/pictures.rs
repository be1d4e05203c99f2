//! The seed article's picture of one test image: input, the distance maps of the three levels from coarse to fine, the
//! fused map over the input, the ground truth; one row a variant with auto-encoders, ST-FPM in the last row.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::figure::rasterise;
use super::grouping::{Groups, Variant};
use super::heat::heat;
use super::{ReportError, Rows, selected};
use crate::data::{Image, Mask, Picture as Photograph};
use crate::evaluate::{
    Evaluation, ImageScore, LevelMaps, ScoreHeader, fused_file, mask_file, quantile, read_floats, resize_bilinear,
    thumbnail_file,
};
use crate::plan::StageKind;
use crate::store::{Artifacts, RunRow};

/// Pixels of a tile's side.
const TILE: usize = 150;
/// Pixels between tiles.
const GAP: usize = 8;
/// Room for the columns' labels above, pixels.
const HEAD: usize = 26;
/// Room for the rows' labels before them, pixels.
const MARGIN: usize = 150;
/// Rows of one picture: ST-FPM and at most three others.
const MAX_ROWS: usize = 4;
/// Kinds of defect shown in a category.
const MAX_KINDS: usize = 4;

/// A finished picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    /// File name without ending.
    pub name: String,
    /// What it shows.
    pub caption: String,
    /// The picture itself.
    pub png: Vec<u8>,
}

/// A variant's maps in one category, of the seed that all rows show.
struct Source {
    label: String,
    seed: i64,
    header: ScoreHeader,
    /// Names and kinds of the test images.
    images: Vec<ImageScore>,
    score: PathBuf,
    evaluate: PathBuf,
    /// Finest first.
    levels: Vec<LevelMaps>,
    /// Per level, the value that is drawn brightest.
    ceilings: Vec<f32>,
    /// By test image.
    fused: BTreeMap<usize, Vec<f32>>,
    fused_ceiling: f32,
}

/// Pictures of every category, and what could not be drawn.
pub(super) fn pictures(
    rows: &Rows,
    groups: &Groups<'_>,
    artifacts: &Artifacts,
    prefix: &str,
) -> Result<(Vec<Picture>, Vec<String>), ReportError> {
    let (mut pictures, mut notes) = (Vec::new(), Vec::new());
    for (category, _) in &groups.categories {
        let mut sources = Vec::new();
        let seed = first_seed(groups, category);
        for variant in shown(&groups.variants) {
            let mut done = groups.runs(variant, category).filter(|run| run.state == "done");
            let Some(run) = done.find(|run| Some(run.seed) == seed) else { continue };
            match Source::open(rows, artifacts, run, variant) {
                Ok(source) => sources.push(source),
                Err(error) => notes.push(format!("no picture of {} in {category}: {error}", variant.label)),
            }
        }
        let Some(first) = sources.first() else { continue };
        for index in chosen(first) {
            let picture = compose(&sources, groups, category, index, prefix);
            pictures
                .push(picture.map_err(|reason| ReportError::Draw { figure: format!("{category} {index}"), reason })?);
        }
    }
    Ok((pictures, notes))
}

/// The first seed with which most variants are done.
fn first_seed(groups: &Groups<'_>, category: &str) -> Option<i64> {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for variant in &groups.variants {
        for run in groups.runs(variant, category).filter(|run| run.state == "done") {
            *counts.entry(run.seed).or_default() += 1;
        }
    }
    counts.into_iter().max_by_key(|(seed, count)| (*count, std::cmp::Reverse(*seed))).map(|(seed, _)| seed)
}

/// Auto-encoder variants, then the baseline.
fn shown(variants: &[Variant]) -> impl Iterator<Item = &Variant> {
    let (baseline, others): (Vec<&Variant>, Vec<&Variant>) = variants.iter().partition(|variant| variant.baseline);
    let room = MAX_ROWS - baseline.len().min(1);
    others.into_iter().take(room).chain(baseline.into_iter().take(1))
}

/// The first image of each kind of defect, and one normal image.
fn chosen(source: &Source) -> Vec<usize> {
    let mut kinds: Vec<Option<&str>> = Vec::new();
    let mut chosen = Vec::new();
    for &index in &source.header.thumbnails {
        let kind = source.images[index].defect.as_deref();
        let defects = kinds.iter().flatten().count();
        if !kinds.contains(&kind) && (kind.is_none() || defects < MAX_KINDS) {
            kinds.push(kind);
            chosen.push(index);
        }
    }
    chosen
}

impl Source {
    fn open(rows: &Rows, artifacts: &Artifacts, run: &RunRow, variant: &Variant) -> std::io::Result<Self> {
        let folder = |kind: StageKind| -> std::io::Result<PathBuf> {
            let stages = rows.stages.iter().filter(|stage| stage.run_id == run.id && stage.kind == kind.name());
            let stages = stages.map(|stage| (stage.stage_id.as_str(), stage.job.as_str()));
            selected::folder(artifacts, kind, stages)
                .ok_or_else(|| std::io::Error::other(format!("the run has no stage `{}`", kind.name())))
        };
        let (score, evaluate) = (folder(StageKind::Score)?, folder(StageKind::Evaluate)?);
        let header = ScoreHeader::read(&score)?;
        let results = std::fs::read(evaluate.join("results.json"))?;
        let images = serde_json::from_slice::<Evaluation>(&results).map_err(std::io::Error::other)?.image_scores;
        if images.len() != header.test.len() {
            return Err(std::io::Error::other("its maps and its scores are of other images"));
        }
        let snapshot = header.snapshots.first().ok_or_else(|| std::io::Error::other("a score without maps"))?;
        let levels = header.maps(&score, snapshot, "test", header.test.len())?;
        // One bright pixel in a thousand is drawn as the brightest: a single outlier must not darken a whole picture.
        let ceilings = levels.iter().map(|level| quantile(&level.values, 0.999).unwrap_or(1.0) as f32).collect();
        let mut fused = BTreeMap::new();
        for &index in &header.thumbnails {
            fused.insert(index, read_floats(&fused_file(&evaluate, index))?);
        }
        let all: Vec<f32> = fused.values().flatten().copied().collect();
        let fused_ceiling = quantile(&all, 0.999).unwrap_or(1.0) as f32;
        Ok(Self {
            label: variant.label.clone(),
            seed: run.seed,
            header,
            images,
            score,
            evaluate,
            levels,
            ceilings,
            fused,
            fused_ceiling,
        })
    }

    /// The tiles of one row: input, maps from coarse to fine, overlay, ground truth.
    fn tiles(&self, index: usize) -> Result<Vec<Image>, String> {
        let input =
            Photograph::open(&thumbnail_file(&self.score, index)).map_err(|error| error.to_string())?.resized(TILE);
        let mut tiles = vec![input.clone()];
        for (level, ceiling) in self.levels.iter().zip(&self.ceilings).rev() {
            tiles.push(blocks(level, index, *ceiling));
        }
        let fused = self.fused.get(&index).ok_or("its fused map is absent")?;
        let side = fused.len().isqrt();
        let fused = resize_bilinear(fused, side, side, TILE, TILE);
        let overlay = fused.iter().zip(input.rgb.chunks_exact(3)).flat_map(|(value, below)| {
            let share = (value / self.fused_ceiling).clamp(0.0, 1.0);
            let above = heat(share);
            std::array::from_fn::<u8, 3, _>(|c| {
                let opacity = 0.25 + 0.5 * share;
                (f32::from(below[c]) * (1.0 - opacity) + f32::from(above[c]) * opacity) as u8
            })
        });
        tiles.push(Image { side: TILE, rgb: overlay.collect() });
        let mask = mask_file(&self.evaluate, index);
        let truth: Vec<u8> = match (mask.is_file(), &self.images[index].defect) {
            (true, _) => {
                let mask = Mask::open(&mask).map_err(|error| error.to_string())?.resized(TILE);
                mask.pixels.iter().flat_map(|&defective| [if defective { 255 } else { 0 }; 3]).collect()
            }
            (false, None) => vec![0; 3 * TILE * TILE],
            // Defective, but nobody drew where: neither black nor white.
            (false, Some(_)) => vec![110; 3 * TILE * TILE],
        };
        tiles.push(Image { side: TILE, rgb: truth });
        Ok(tiles)
    }
}

/// A level's map with its pixels as blocks.
fn blocks(level: &LevelMaps, index: usize, ceiling: f32) -> Image {
    let map = level.image(index);
    let rgb = (0..TILE * TILE).flat_map(|pixel| {
        let (y, x) = ((pixel / TILE) * level.height / TILE, (pixel % TILE) * level.width / TILE);
        heat(map[y * level.width + x] / ceiling)
    });
    Image { side: TILE, rgb: rgb.collect() }
}

fn compose(
    sources: &[Source],
    groups: &Groups<'_>,
    category: &str,
    index: usize,
    prefix: &str,
) -> Result<Picture, String> {
    let first = &sources[0];
    let image = &first.images[index];
    let mut columns = vec!["input".to_owned()];
    columns.extend(first.header.levels.iter().rev().map(|(height, width)| format!("{height}×{width}")));
    columns.extend(["fused".to_owned(), "ground truth".to_owned()]);
    let place = |column: usize, row: usize| (MARGIN + column * (TILE + GAP), HEAD + row * (TILE + GAP));
    let (width, height) = place(columns.len(), sources.len());
    let mut labels = String::new();
    for (column, label) in columns.iter().enumerate() {
        let x = place(column, 0).0 + TILE / 2;
        labels += &format!("<text x=\"{x}\" y=\"18\" text-anchor=\"middle\" font-size=\"14\">{}</text>", escape(label));
    }
    // The corner before the columns' labels is empty: a picture that is passed on alone carries its mark there.
    labels += &groups.mark().map(|mark| lines(&mark, HEAD / 2)).unwrap_or_default();
    for (row, source) in sources.iter().enumerate() {
        let y = place(0, row).1 + TILE / 2;
        labels += &lines(&source.label, y);
    }
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" fill=\"#808080\" font-family=\"sans-serif\">{labels}</svg>"
    );
    let mut pixels = rasterise(&svg, 1.0)?;
    for (row, source) in sources.iter().enumerate() {
        for (column, tile) in source.tiles(index)?.iter().enumerate() {
            let (left, top) = place(column, row);
            for (y, line) in tile.rgb.chunks_exact(3 * TILE).enumerate() {
                let target = &mut pixels.data_mut()[((top + y) * width + left) * 4..][..4 * TILE];
                for (to, from) in target.chunks_exact_mut(4).zip(line.chunks_exact(3)) {
                    to.copy_from_slice(&[from[0], from[1], from[2], 255]);
                }
            }
        }
    }
    let kind = image.defect.as_deref().unwrap_or("good");
    Ok(Picture {
        name: format!("{prefix}maps-{category}-{kind}-{index:04}"),
        caption: groups.marked(&format!("{category}, {} ({kind}), seed {}", image.image, first.seed)),
        png: pixels.encode_png().map_err(|error| error.to_string())?,
    })
}

/// A row's label, one line a setting, at the left of the tiles.
fn lines(label: &str, middle: usize) -> String {
    let parts: Vec<String> = label.replace(" (", ", (").split(", ").map(str::to_owned).collect();
    let top = middle as f32 - 9.0 * (parts.len() as f32 - 1.0);
    parts
        .iter()
        .enumerate()
        .map(|(line, part)| {
            let y = top + 18.0 * line as f32 + 5.0;
            let x = MARGIN - 10;
            // Long names get smaller letters rather than being cut.
            let size = (1.7 * MARGIN as f32 / part.chars().count().max(1) as f32).min(14.0);
            format!("<text x=\"{x}\" y=\"{y}\" text-anchor=\"end\" font-size=\"{size}\">{}</text>", escape(part))
        })
        .collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
