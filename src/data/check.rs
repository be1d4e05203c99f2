//! Checks any data set: reports its contents, the files that cannot be used, and differences from the published counts.

use std::fmt;
use std::path::PathBuf;

use rayon::prelude::*;
use serde::{Serialize, Serializer};

use super::image::ImageSummary;
use super::layout::{Parts, Unused};
use super::{Category, DataError, DataSettings, Exif, Layout, Reading, Sample, Saturation, findings, held_out, layout};
use crate::published::{Counts, published_counts};
use crate::settings::Named;
use crate::text::{agreeing, counted};

/// What `data check` found in one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CategoryReport {
    /// Name of the category.
    pub name: String,
    /// Normal images to train on.
    pub train: usize,
    /// Normal images that the data set itself holds out.
    pub validation: usize,
    /// Images per kind in test, `good` among them.
    pub test: Vec<(String, usize)>,
    /// Image sizes, each with the number of images of that size.
    pub sizes: Vec<(PixelSize, usize)>,
    /// Number of images with several masks; their union is the ground truth.
    pub several_masks: usize,
    /// Defective test images without a mask.
    pub missing_masks: Vec<String>,
    /// Number of images that their EXIF orientation turns or mirrors.
    pub exif_turned: usize,
    /// Images with 16 bits per channel.
    pub deep: Option<SixteenBitImages>,
    /// Files that cannot be read or that do not fit, one message each. A sweep refuses the category because of them.
    pub problems: Vec<String>,
    /// Other findings about the category, one sentence each.
    pub findings: Vec<String>,
    /// Files and folders of the category that are not used, grouped by reason.
    pub unused: Vec<Unused>,
    /// Published counts of the category, where they are known.
    pub published: Option<Counts>,
}

/// Size of an image in pixels, written as "700×525".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelSize {
    /// Number of columns.
    pub width: u32,
    /// Number of rows.
    pub height: u32,
}

impl fmt::Display for PixelSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}", self.width, self.height)
    }
}

impl Serialize for PixelSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Images with 16 bits per channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SixteenBitImages {
    /// Number of images.
    pub images: usize,
    /// Largest value in any of these images.
    pub largest: u16,
}

impl SixteenBitImages {
    /// Merges two summaries.
    fn merged(self, other: Self) -> Self {
        Self { images: self.images + other.images, largest: self.largest.max(other.largest) }
    }

    /// Returns the white level of the bits that the images use, if they use fewer than 16.
    fn white_level(self) -> Option<u16> {
        let used = u16::BITS - self.largest.leading_zeros();
        (8..u16::BITS).contains(&used).then(|| u16::MAX >> (u16::BITS - used))
    }
}

impl CategoryReport {
    /// Returns the image counts found here.
    pub fn counts(&self) -> Counts {
        let good = self.test.iter().filter(|(kind, _)| kind == "good").map(|(_, count)| count).sum::<usize>() as u64;
        let all = self.test.iter().map(|(_, count)| count).sum::<usize>() as u64;
        Counts {
            train: self.train as u64,
            validation: self.validation as u64,
            test_good: good,
            test_defect: all - good,
        }
    }
}

/// Result of `data check`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DataReport {
    /// The layout, recognised if the settings name none.
    pub layout: &'static str,
    /// Root of the data set.
    pub root: PathBuf,
    /// One entry per category.
    pub categories: Vec<CategoryReport>,
    /// Other notes on the data set.
    pub notes: Vec<String>,
}

impl DataReport {
    /// Whether every image and mask can be used.
    pub fn is_sound(&self) -> bool {
        self.categories.iter().all(|category| category.problems.is_empty())
    }
}

/// Opens every image and mask of a data set and reports what it finds.
///
/// # Errors
/// Fails if there is no data set, if its arrangement differs from the layout, or if an image to be held out does not exist.
pub fn check(settings: &DataSettings) -> Result<DataReport, DataError> {
    let found = layout::find(settings)?;
    let mut categories: Vec<CategoryReport> =
        found.parts.iter().map(|parts| check_category(parts, found.layout, settings.reading)).collect();
    let mut notes = notes_on_reading(&categories, settings.reading);
    let listed: Vec<Category> = (found.parts.iter().zip(&mut categories))
        .filter_map(|(parts, report)| check_as_sweep(parts, report, settings, &found.root))
        .collect();
    held_out::check_listed(&settings.held_out, settings.root.as_deref(), &listed)?;
    for (name, unused) in findings::unused(&found)? {
        match categories.iter_mut().find(|report| report.name == name) {
            Some(report) => report.unused = unused,
            None => notes.extend(unused.iter().map(ToString::to_string)),
        }
    }
    for (layout, names) in &found.left_out {
        notes.push(format!("left out because they look like {}: {}", layout.name(), names.join(", ")));
    }
    notes.extend(found.not_used.iter().cloned());
    if categories.iter().any(|category| category.several_masks > 0) {
        notes.push("if an image has several masks, their union is the ground truth".to_owned());
    }
    let mut sources: Vec<String> = categories
        .iter()
        .filter_map(|c| published_counts(found.layout.name(), &c.name))
        .map(|(_, source)| source)
        .collect();
    sources.dedup();
    notes.extend(sources.into_iter().map(|source| format!("published counts: {source}")));
    Ok(DataReport { layout: found.layout.name(), root: PathBuf::from(found.root), categories, notes })
}

/// Returns notes on EXIF orientations and on unused bits.
fn notes_on_reading(categories: &[CategoryReport], reading: Reading) -> Vec<String> {
    let mut notes = Vec::new();
    let turned: usize = categories.iter().map(|category| category.exif_turned).sum();
    match reading.exif {
        _ if turned == 0 => {}
        Exif::Ignore => notes.push(format!(
            "{} {} an EXIF orientation, which didact ignores, as Pillow and PyTorch do; set data.exif = \"apply\" to turn such images and \
             their masks",
            counted(turned, "image"),
            agreeing(turned, "has", "have")
        )),
        Exif::Apply => notes.push(format!(
            "{} {} turned by EXIF orientation",
            counted(turned, "image"),
            agreeing(turned, "is", "are")
        )),
    }
    let deep = categories.iter().filter_map(|category| category.deep);
    let deep = deep.reduce(SixteenBitImages::merged);
    match (deep, reading.white_level) {
        (Some(deep), u16::MAX) => {
            if let Some(white) = deep.white_level() {
                let SixteenBitImages { images, largest } = deep;
                let (bits, levels) = (u16::BITS - white.leading_zeros(), (u32::from(white) + 1) / 256);
                notes.push(format!(
                    "16-bit images ({images}): the highest value is {largest} ({bits} bits), which gives about {}; set data.white_level \
                     = {white} to use all 256",
                    counted(levels, "grey level")
                ));
            }
        }
        (Some(SixteenBitImages { images, largest }), white) if largest > white => notes.push(format!(
            "16-bit images ({images}): the highest value is {largest}; values above data.white_level = {white} become white"
        )),
        _ => {}
    }
    notes
}

/// Checks the saturation areas of a category's defects, if its layout has them.
fn check_saturation(parts: &Parts, layout: Layout, reading: Reading, report: &mut CategoryReport) {
    match (&parts.saturation, layout.description().saturation) {
        // A mask that cannot be read is already reported.
        (Some(path), _) if report.problems.is_empty() => {
            let checked = Saturation::open(path).and_then(|areas| areas.check(path, &parts.test, reading));
            report.problems.extend(checked.err().map(|error| error.to_string()));
        }
        (None, Some(name)) => report.findings.push(format!("there is no {name}, so sPRO cannot be measured")),
        _ => {}
    }
}

fn check_category(parts: &Parts, layout: Layout, reading: Reading) -> CategoryReport {
    let samples: Vec<&Sample> =
        parts.train.iter().chain(&parts.pool).chain(&parts.validation).chain(&parts.test).collect();
    // Keep only the summary of each image, not its pixels.
    let has_mask = |sample: &Sample| sample.load_mask(16, reading).map(|mask| mask.is_some());
    let summaries: Vec<_> = samples.par_iter().map(|sample| (sample.summary(), has_mask(sample))).collect();
    let mut report = CategoryReport {
        name: parts.name.clone(),
        train: parts.train.len(),
        validation: parts.validation.len(),
        test: Vec::new(),
        sizes: Vec::new(),
        several_masks: parts.test.iter().filter(|sample| sample.masks.len() > 1).count(),
        missing_masks: Vec::new(),
        exif_turned: 0,
        deep: None,
        problems: Vec::new(),
        findings: Vec::new(),
        unused: Vec::new(),
        published: published_counts(layout.name(), &parts.name).map(|(counts, _)| counts),
    };
    for (sample, (summary, mask)) in samples.iter().zip(summaries) {
        match summary {
            Ok(ImageSummary { size: (width, height), is_turned, largest }) => {
                count(&mut report.sizes, PixelSize { width, height });
                report.exif_turned += usize::from(is_turned);
                if let Some(largest) = largest {
                    let image = SixteenBitImages { images: 1, largest };
                    report.deep = Some(report.deep.map_or(image, |known| known.merged(image)));
                }
            }
            Err(error) => report.problems.push(error.to_string()),
        }
        match mask {
            Ok(false) if sample.defect.is_some() => report.missing_masks.push(sample.image.clone()),
            Ok(_) => {}
            // The unreadable image itself is already reported.
            Err(DataError::Decode { path, .. } | DataError::TooLarge { path, .. } | DataError::Io { path, .. })
                if sample.is_file(&path) => {}
            Err(error) => report.problems.push(error.to_string()),
        }
    }
    for sample in &parts.test {
        count(&mut report.test, kind_of_defect(sample));
    }
    check_saturation(parts, layout, reading, &mut report);
    report
}

/// Reports what a sweep would find or refuse in a category whose files can all be read.
fn check_as_sweep(parts: &Parts, report: &mut CategoryReport, settings: &DataSettings, root: &str) -> Option<Category> {
    let category = match held_out::category(parts.clone(), settings, root) {
        Ok(category) => category,
        Err(error) => {
            report.problems.push(error.to_string());
            return None;
        }
    };
    // If the sweep file draws test images or leaves some out, report the counts after that.
    if settings.test_normals_share.is_some() || settings.unmasked.leaves_out() {
        report.train = category.train.len() - category.validation;
        report.test.clear();
        category.test.iter().for_each(|sample| count(&mut report.test, kind_of_defect(sample)));
    }
    if report.problems.is_empty() {
        let digests = category.digests();
        let findings = digests.and_then(|digests| findings::category_findings(&category, settings, &digests));
        match findings {
            Ok(findings) => report.findings.extend(findings),
            Err(error) => report.problems.push(error.to_string()),
        }
    }
    Some(category)
}

fn kind_of_defect(sample: &Sample) -> String {
    sample.defect.clone().unwrap_or_else(|| "good".to_owned())
}

fn count<T: PartialEq>(counts: &mut Vec<(T, usize)>, of: T) {
    match counts.iter_mut().find(|(known, _)| *known == of) {
        Some((_, count)) => *count += 1,
        None => counts.push((of, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{SyntheticSettings, write_synthetic};

    #[test]
    fn a_check_reports_every_problem() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let drawn = SyntheticSettings { seed: 3, side: 32, train: 3, test_good: 1, test_per_defect: 2 };
        write_synthetic(&drawn, root.path()).expect("written");
        std::fs::write(root.path().join("weave/train/good/001.png"), "not an image").expect("written");
        std::fs::remove_file(root.path().join("weave/ground_truth/hole/000_mask.png")).expect("removed");
        image::GrayImage::new(7, 5).save(root.path().join("weave/ground_truth/stain/001_mask.png")).expect("written");
        let report = check(&DataSettings::at(root.path(), None)).expect("finds");
        let weave = report.categories.iter().find(|c| c.name == "weave").expect("is there");
        assert_eq!(weave.missing_masks, ["test/hole/000.png"]);
        assert_eq!(weave.problems.len(), 2, "{:?}", weave.problems);
        assert!(!report.is_sound());
    }
}
