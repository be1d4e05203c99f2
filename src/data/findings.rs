//! Findings about a data set that a user should know before training: unused files, and numbers that will be undefined.

use rayon::prelude::*;

use super::dataset::Digests;
use super::layout::{self, FoundCategories, Unused, composed, file_stem};
use super::mask::is_blurred;
use super::sample::ImageSource;
use super::{Category, DataError, DataSettings, Dataset, Layout, Reading, Sample, Unmasked};
use crate::text::agreeing;

/// Number of images that a finding names.
const EXAMPLES: usize = 3;

impl Dataset {
    /// Returns what a sweep reports about its data before it starts, one line each: first the number of unused files, then the findings per
    /// category.
    ///
    /// # Errors
    /// Fails if a folder or a mask cannot be read.
    pub fn notes(&self, settings: &DataSettings, digests: &[Digests]) -> Result<Vec<String>, DataError> {
        let found = layout::find(settings)?;
        let mut not_used = found.not_used.len() + found.left_out.iter().map(|(_, names)| names.len()).sum::<usize>();
        for (_, unused) in unused(&found)? {
            not_used += unused.iter().map(|unused| unused.count).sum::<usize>();
        }
        let mut notes = Vec::new();
        if not_used > 0 {
            let what = agreeing(not_used, "file or folder", "files or folders");
            let are = agreeing(not_used, "is", "are");
            let hint = "run `didact data check` for their names and the reasons";
            notes.push(format!("{not_used} {what} below {} {are} not used: {hint}", found.root));
        }
        for (category, digests) in self.categories().iter().zip(digests) {
            let findings = category_findings(category, settings, digests)?;
            notes.extend(findings.into_iter().map(|finding| format!("{}: {finding}", category.name)));
        }
        Ok(notes)
    }
}

/// Returns the unused files of each category. A table has no category folders, so it gets one entry for its whole root.
pub(super) fn unused(found: &FoundCategories) -> Result<Vec<(String, Vec<Unused>)>, DataError> {
    if found.layout == Layout::Table {
        let all: Vec<_> = found.parts.iter().chain(&found.unselected).collect();
        let root = std::path::Path::new(&found.root);
        return Ok(vec![(found.root.clone(), layout::account(root, &all, found.layout)?)]);
    }
    let of_category = |parts: &layout::Parts| Ok((parts.name.clone(), layout::unused(parts, found.layout)?));
    found.parts.iter().map(of_category).collect()
}

/// Returns the findings about a category's test set, one sentence each.
pub(super) fn category_findings(
    category: &Category,
    settings: &DataSettings,
    digests: &Digests,
) -> Result<Vec<String>, DataError> {
    let mut findings = Vec::new();
    let defective: Vec<&Sample> = category.test.iter().filter(|sample| sample.defect.is_some()).collect();
    if defective.is_empty() || defective.len() == category.test.len() {
        let missing = if defective.is_empty() { "defective" } else { "normal" };
        findings.push(format!("its test set has no {missing} image: AUROC will be undefined"));
    }
    findings.extend(unmasked_finding(category, settings.unmasked, defective.len()));
    let summaries: Vec<(&Sample, MaskSummary)> = defective
        .par_iter()
        .filter(|sample| !sample.masks.is_empty())
        .map(|sample| Ok((*sample, MaskSummary::of(sample, settings.image_size, settings.reading)?)))
        .collect::<Result<_, DataError>>()?;
    let mut add = |applies: fn(&MaskSummary) -> bool, finding: &str| {
        let affected = summaries.iter().filter(|(_, summary)| applies(summary));
        let images: Vec<&str> = affected.map(|(sample, _)| sample.image.as_str()).collect();
        if !images.is_empty() {
            findings.push(format!("{finding}: {}", count_and_examples(&images)));
        }
    };
    add(
        |summary| summary.is_empty,
        "defective images whose masks mark no pixel, so no pixel of these images counts as defective",
    );
    add(|summary| summary.is_full, "masks that mark every pixel as defective");
    let size = settings.image_size;
    add(|summary| summary.vanishes, &format!("defects that are too small to be visible at image_size = {size}"));
    add(
        |summary| summary.is_blurred,
        "masks with many values, as after resizing or JPEG: every value above 0 counts as defective (set data.mask_threshold = 127 \
         to count only values above the middle)",
    );
    let unusual: Vec<String> = defective.iter().filter_map(|sample| unusual_mask_name(sample)).collect();
    let unusual: Vec<&str> = unusual.iter().map(String::as_str).collect();
    if !unusual.is_empty() {
        let examples = count_and_examples(&unusual);
        findings.push(format!("masks that are used although they are not named <image>_mask: {examples}"));
    }
    let shared = digests.shared(category);
    if !shared.is_empty() {
        let pairs: Vec<String> = shared.iter().map(|(test, train)| format!("{test} = {train}")).collect();
        let pairs: Vec<&str> = pairs.iter().map(String::as_str).collect();
        let examples = count_and_examples(&pairs);
        findings.push(format!("test images that are byte-for-byte copies of training images: {examples}"));
    }
    Ok(findings)
}

fn unmasked_finding(category: &Category, rule: Unmasked, defective: usize) -> Option<String> {
    let images: Vec<&str> = category.unmasked.iter().map(String::as_str).collect();
    if images.is_empty() {
        return None;
    }
    let examples = count_and_examples(&images);
    Some(match rule {
        Unmasked::LeaveOut => {
            format!("defective images without a mask, which are left out of the test (data.unmasked): {examples}")
        }
        _ if images.len() == defective => {
            format!("no defective test image has a mask, so pixel metrics will be undefined: {examples}")
        }
        _ => format!(
            "defective test images without a mask, so all pixel metrics will be undefined (set data.unmasked = \"leave-out\" to leave \
             these images out of the test): {examples}"
        ),
    })
}

/// Formats a count with the first names: "4 (a.png, b.png, c.png, …)".
fn count_and_examples(names: &[&str]) -> String {
    let more = if names.len() > EXAMPLES { ", …" } else { "" };
    format!("{} ({}{more})", names.len(), names[..names.len().min(EXAMPLES)].join(", "))
}

/// Returns the name of a mask that has another suffix than `_mask`.
fn unusual_mask_name(sample: &Sample) -> Option<String> {
    let ImageSource::File(image) = &sample.source else { return None };
    let [mask] = sample.masks.as_slice() else { return None };
    let (image, mask_stem) = (composed(&file_stem(image)), composed(&file_stem(mask)));
    let word = mask_stem.strip_prefix(&image)?;
    let usual = word.is_empty() || word == "_mask" || word.starts_with('.');
    (!usual).then(|| mask.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

/// What a mask marks, and whether it survives resizing.
struct MaskSummary {
    is_empty: bool,
    is_full: bool,
    vanishes: bool,
    is_blurred: bool,
}

impl MaskSummary {
    fn of(sample: &Sample, side: usize, reading: Reading) -> Result<Self, DataError> {
        let mut blurred = false;
        for path in sample.masks.iter().filter(|_| sample.mask_above == 0) {
            blurred = blurred || is_blurred(path)?;
        }
        let (defective, pixels, left) = sample
            .ground_truth(reading)?
            .map_or((0, 0, 0), |mask| (mask.defective(), mask.pixels.len(), mask.resized(side).defective()));
        Ok(Self {
            is_empty: defective == 0,
            is_full: defective == pixels && pixels > 0,
            vanishes: defective > 0 && left == 0,
            is_blurred: blurred,
        })
    }
}
