//! From what lies there to a category with its held-out part.

use std::collections::BTreeSet;

use super::layout::Parts;
use super::{Category, DataError, HeldOut, HeldOutChoice, SplitRule};

/// Makes a category of its parts: validation images that are held out stand behind the training images.
pub(super) fn category(parts: Parts, choice: &HeldOutChoice, root: &str) -> Result<Category, DataError> {
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
    // A part that would be empty is told now.
    SplitRule { seed: 0, held_out: held_out.clone() }.split(train.len())?;
    Ok(Category { name: parts.name, train, validation, held_out, test: parts.test })
}

/// A listed image must be of some category of the data set, whether the sweep runs over it or not.
pub(super) fn check_listed(
    choice: &HeldOutChoice,
    root: Option<&std::path::Path>,
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
