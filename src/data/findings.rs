//! Findings about a data set that a user should know before training: unused files, and numbers that will be undefined.

use rayon::prelude::*;

use super::dataset::Digests;
use super::layout::{self, Found, Unused, composed, file_stem};
use super::mask::is_blurred;
use super::sample::ImageSource;
use super::{Category, DataError, DataSettings, Dataset, Layout, Reading, Sample, Unmasked};

/// Number of images that a sentence names.
const NAMED: usize = 3;

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
            let (what, are) = if not_used == 1 { ("file or folder", "is") } else { ("files or folders", "are") };
            let where_told = "`didact data check` names them and says why";
            notes.push(format!("{not_used} {what} below {} {are} not used: {where_told}", found.root));
        }
        for (category, digests) in self.categories().iter().zip(digests) {
            let findings = of_category(category, settings, digests)?;
            notes.extend(findings.into_iter().map(|finding| format!("{}: {finding}", category.name)));
        }
        Ok(notes)
    }
}

/// Returns the unused files of each category. A table has no category folders, so it gets one entry for its whole root.
pub(super) fn unused(found: &Found) -> Result<Vec<(String, Vec<Unused>)>, DataError> {
    if found.layout == Layout::Table {
        let all: Vec<_> = found.parts.iter().chain(&found.unselected).collect();
        let root = std::path::Path::new(&found.root);
        return Ok(vec![(found.root.clone(), layout::account(root, &all, found.layout)?)]);
    }
    let one = |parts: &layout::Parts| Ok((parts.name.clone(), layout::unused(parts, found.layout)?));
    found.parts.iter().map(one).collect()
}

/// Returns the findings about a category's test set, one sentence each.
pub(super) fn of_category(
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
    findings.extend(of_unmasked(category, settings.unmasked, defective.len()));
    let looks: Vec<(&Sample, Look)> = defective
        .par_iter()
        .filter(|sample| !sample.masks.is_empty())
        .map(|sample| Ok((*sample, Look::of(sample, settings.image_size, settings.reading)?)))
        .collect::<Result<_, DataError>>()?;
    let mut tell = |has: fn(&Look) -> bool, what: &str| {
        let images: Vec<&str> = looks.iter().filter(|(_, look)| has(look)).map(|(s, _)| s.image.as_str()).collect();
        if !images.is_empty() {
            findings.push(format!("{what}: {}", some(&images)));
        }
    };
    tell(
        |look| look.is_empty,
        "masks of defective images that mark no pixel, so that nothing of these images counts as defective",
    );
    tell(|look| look.is_full, "masks that mark every pixel as defective");
    let size = settings.image_size;
    tell(|look| look.vanishes, &format!("defects so small that nothing of them is left at image_size = {size}"));
    tell(
        |look| look.is_blurred,
        "masks of many values, as after resizing or JPEG, of which all above 0 count as defective (data.mask_threshold = 127 \
         takes those above the middle)",
    );
    let named: Vec<String> = defective.iter().filter_map(|sample| other_name(sample)).collect();
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    if !named.is_empty() {
        findings.push(format!("masks that are named otherwise than <image>_mask, and are used: {}", some(&named)));
    }
    let shared = digests.shared(category);
    if !shared.is_empty() {
        let pairs: Vec<String> = shared.iter().map(|(test, train)| format!("{test} = {train}")).collect();
        let pairs: Vec<&str> = pairs.iter().map(String::as_str).collect();
        findings.push(format!("test images that are training images, too, byte by byte: {}", some(&pairs)));
    }
    Ok(findings)
}

fn of_unmasked(category: &Category, rule: Unmasked, defective: usize) -> Option<String> {
    let images: Vec<&str> = category.unmasked.iter().map(String::as_str).collect();
    if images.is_empty() {
        return None;
    }
    let some = some(&images);
    Some(match rule {
        Unmasked::LeaveOut => {
            format!("defective images without a mask, which are left out of the test (data.unmasked): {some}")
        }
        _ if images.len() == defective => {
            format!("no defective test image has a mask, so that pixel metrics will be undefined: {some}")
        }
        _ => format!(
            "defective test images without a mask, for which all pixel metrics will be undefined (data.unmasked = \"leave-out\" \
             leaves such images out of the test): {some}"
        ),
    })
}

/// Formats a count with the first names: "4 (a.png, b.png, c.png, …)".
fn some(names: &[&str]) -> String {
    let more = if names.len() > NAMED { ", …" } else { "" };
    format!("{} ({}{more})", names.len(), names[..names.len().min(NAMED)].join(", "))
}

/// Returns the name of a mask that has another suffix than `_mask`.
fn other_name(sample: &Sample) -> Option<String> {
    let ImageSource::File(image) = &sample.source else { return None };
    let [mask] = sample.masks.as_slice() else { return None };
    let (image, mask_stem) = (composed(&file_stem(image)), composed(&file_stem(mask)));
    let word = mask_stem.strip_prefix(&image)?;
    let usual = word.is_empty() || word == "_mask" || word.starts_with('.');
    (!usual).then(|| mask.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

/// What a mask marks, and whether it survives resizing.
struct Look {
    is_empty: bool,
    is_full: bool,
    vanishes: bool,
    is_blurred: bool,
}

impl Look {
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
