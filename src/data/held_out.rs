//! Builds a category with its held-out part from the images found.

use std::collections::BTreeSet;
use std::path::Path;

use super::layout::{Parts, composed};
use super::sample::ImageSource;
use super::{Category, DataError, DataSettings, HeldOut, HeldOutChoice, Sample, SplitRule, Unmasked};

/// Builds a category from its parts. Held-out validation images follow the training images.
pub(super) fn category(mut parts: Parts, settings: &DataSettings, root: &str) -> Result<Category, DataError> {
    let choice = &settings.held_out;
    if let Some(share) = settings.test_normals_share {
        draw_test_normals(&mut parts, share, settings.split_seed)?;
    }
    let unmasked = unmasked(&mut parts, settings.unmasked)?;
    let too_few = |what: &str, count, least| DataError::TooFew {
        what: what.to_owned(),
        category: parts.name.clone(),
        count,
        least,
    };
    if parts.train.len() < 2 {
        return Err(too_few(&parts.train_place, parts.train.len(), 2));
    }
    if parts.test.is_empty() {
        return Err(too_few("test", 0, 1));
    }
    let (mut train, mut validation) = (parts.train, 0);
    let held_out = match (choice, &parts.validation_place) {
        (HeldOutChoice::OwnOrFifth, None) => HeldOut::Fifth,
        (HeldOutChoice::OwnOrFifth, Some(place)) => {
            if parts.validation.is_empty() {
                return Err(DataError::TooFew { what: place.clone(), category: parts.name, count: 0, least: 1 });
            }
            validation = parts.validation.len();
            train.extend(parts.validation);
            HeldOut::Given((train.len() - validation..train.len()).collect())
        }
        (HeldOutChoice::Share(share), _) => HeldOut::of_share(*share),
        (HeldOutChoice::Images(listed), _) => {
            let mut indices = BTreeSet::new();
            for image in listed {
                let Some(below) = image.strip_prefix(&parts.name).and_then(|rest| rest.strip_prefix('/')) else {
                    continue;
                };
                let index = train.iter().position(|sample| sample.image == below);
                indices.insert(index.ok_or_else(|| DataError::HeldOut {
                    image: image.clone(),
                    root: root.to_owned(),
                    example: format!("{}/{}", parts.name, train[0].image),
                })?);
            }
            if indices.is_empty() {
                let what = format!("data.held_out (images of {}/{})", parts.name, parts.train_place);
                return Err(DataError::TooFew { what, category: parts.name, count: 0, least: 1 });
            }
            HeldOut::Given(indices.into_iter().collect())
        }
    };
    // Check here that neither part is empty.
    SplitRule::new(held_out.clone(), 0).split(train.len())?;
    Ok(Category {
        name: parts.name,
        train,
        validation,
        held_out,
        test: parts.test,
        unmasked,
        saturation: parts.saturation,
    })
}

/// Finds defective test images without a mask, then refuses, removes or returns them, as `rule` says. Drawn images always have masks.
fn unmasked(parts: &mut Parts, rule: Unmasked) -> Result<Vec<String>, DataError> {
    let lacks_mask = |sample: &Sample| {
        sample.defect.is_some() && sample.masks.is_empty() && matches!(sample.source, ImageSource::File(_))
    };
    let images: Vec<String> = parts.test.iter().filter(|sample| lacks_mask(sample)).map(|s| s.image.clone()).collect();
    match rule {
        Unmasked::Refuse if !images.is_empty() => {
            let (image, count) = (images[0].clone(), images.len());
            return Err(DataError::Unmasked { category: parts.name.clone(), image, count });
        }
        Unmasked::LeaveOut => {
            parts.test.retain(|sample| !lacks_mask(sample));
            if !images.is_empty() && parts.test.iter().all(|sample| sample.defect.is_none()) {
                let what = "the defective part of test without its unmasked images (data.unmasked = \"leave-out\")";
                let (what, category) = (what.to_owned(), parts.name.clone());
                return Err(DataError::TooFew { what, category, count: 0, least: 1 });
            }
        }
        Unmasked::Void | Unmasked::Refuse => {}
    }
    Ok(images)
}

/// Draws ⌈n · share⌉ normals for the test: the images with the lowest digests of seed and path. An added or removed image therefore changes
/// hardly any other assignment.
fn draw_test_normals(parts: &mut Parts, share: f64, seed: u64) -> Result<(), DataError> {
    let refused = |reason: String| Err(DataError::Share { category: parts.name.clone(), reason });
    if parts.pool.is_empty() {
        if let Some(normal) = parts.test.iter().find(|sample| sample.defect.is_none()) {
            return refused(format!("it already has normal test images, such as {}", normal.image));
        }
        parts.pool = std::mem::take(&mut parts.train);
    }
    let count = HeldOut::Share(share).count(parts.pool.len());
    let mut ranked: Vec<(blake3::Hash, String)> =
        parts.pool.iter().map(|sample| (rank(seed, &sample.image), sample.image.clone())).collect();
    ranked.sort_unstable_by(|a, b| (a.0.as_bytes(), &a.1).cmp(&(b.0.as_bytes(), &b.1)));
    let drawn: BTreeSet<String> = ranked.into_iter().take(count).map(|(_, image)| image).collect();
    let (test, train): (Vec<Sample>, Vec<Sample>) =
        std::mem::take(&mut parts.pool).into_iter().partition(|sample| drawn.contains(&sample.image));
    parts.train.extend(train);
    parts.test.extend(test);
    for samples in [&mut parts.train, &mut parts.test] {
        samples.sort_by(|a, b| Path::new(&a.image).cmp(Path::new(&b.image)));
    }
    Ok(())
}

/// Ranks an image in the draw. The rank is the same in every Unicode form of its name.
fn rank(seed: u64, image: &str) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_derive_key("didact data.test_normals_share");
    hasher.update(&seed.to_le_bytes());
    hasher.update(composed(image).as_bytes());
    hasher.finalize()
}

/// Checks that each listed image belongs to some category of the data set, even to one that the sweep does not run.
pub(super) fn check_listed(
    choice: &HeldOutChoice,
    root: Option<&Path>,
    categories: &[Category],
) -> Result<(), DataError> {
    let (HeldOutChoice::Images(listed), Some(root)) = (choice, root) else { return Ok(()) };
    let Some(first) = categories.first() else { return Ok(()) };
    match listed.iter().find(|image| !root.join(image).is_file()) {
        None => Ok(()),
        Some(image) => Err(DataError::HeldOut {
            image: image.clone(),
            root: crate::paths::absolute(root).display().to_string(),
            example: format!("{}/{}", first.name, first.train[0].image),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(index: usize, defect: Option<&str>, mask: bool) -> Sample {
        Sample {
            image: format!("{}/{index:02}.png", if defect.is_some() { "bad" } else { "good" }),
            defect: defect.map(str::to_owned),
            source: ImageSource::File(format!("{index}.png").into()),
            masks: if mask { vec![format!("{index}_mask.png").into()] } else { Vec::new() },
            mask_above: 0,
        }
    }

    fn parts(normal: std::ops::Range<usize>) -> Parts {
        Parts {
            name: "nut".to_owned(),
            train_place: "good".to_owned(),
            train: normal.map(|index| sample(index, None, false)).collect(),
            test: vec![sample(0, Some("cut"), true), sample(1, Some("cut"), false)],
            ..Parts::default()
        }
    }

    fn settings(share: Option<f64>, seed: u64, unmasked: Unmasked) -> DataSettings {
        let at = DataSettings::at(Path::new("data"), None);
        DataSettings { test_normals_share: share, split_seed: seed, unmasked, ..at }
    }

    fn drawn(normal: std::ops::Range<usize>, seed: u64) -> Vec<String> {
        let category = category(parts(normal), &settings(Some(0.25), seed, Unmasked::Void), "data").expect("fits");
        category.test.into_iter().filter(|sample| sample.defect.is_none()).map(|sample| sample.image).collect()
    }

    #[test]
    fn test_normals_are_drawn_by_seed_and_path() {
        let first = drawn(0..40, 0);
        assert_eq!(first.len(), 10, "⌈40 · 0.25⌉");
        assert_eq!(first, drawn(0..40, 0));
        assert_ne!(first, drawn(0..40, 1));
        // Added or removed images change hardly any other assignment.
        let more = drawn(0..44, 0);
        assert!(first.iter().filter(|image| more.contains(image)).count() >= 7, "{first:?} {more:?}");
        let category = category(parts(0..40), &settings(Some(0.25), 0, Unmasked::Void), "data").expect("fits");
        assert_eq!((category.train.len(), category.test.len()), (30, 12));
        assert!(category.train.iter().all(|sample| !first.contains(&sample.image)));
    }

    #[test]
    fn a_share_is_refused_if_there_are_normal_test_images() {
        let mut parts = parts(0..8);
        parts.test.push(sample(9, None, false));
        let message = category(parts, &settings(Some(0.25), 0, Unmasked::Void), "data").expect_err("both").to_string();
        assert!(message.contains("good/09.png"), "{message}");
    }

    #[test]
    fn defective_images_without_a_mask_are_kept_refused_or_left_out() {
        let of = |rule| category(parts(0..8), &settings(None, 0, rule), "data");
        let kept = of(Unmasked::Void).expect("keeps");
        assert_eq!((kept.test.len(), kept.unmasked), (2, vec!["bad/01.png".to_owned()]));
        let left = of(Unmasked::LeaveOut).expect("leaves out");
        assert_eq!((left.test.len(), left.unmasked.len()), (1, 1));
        let message = of(Unmasked::Refuse).expect_err("refuses").to_string();
        assert!(message.contains("bad/01.png") && message.contains("leave-out"), "{message}");
        let mut no_masks = parts(0..8);
        no_masks.test.iter_mut().for_each(|sample| sample.masks.clear());
        let message =
            category(no_masks, &settings(None, 0, Unmasked::LeaveOut), "data").expect_err("nothing left").to_string();
        assert!(message.contains("data.unmasked") && message.contains("has 0 images"), "{message}");
    }
}
