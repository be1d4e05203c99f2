//! Stand-ins for MVTec AD 2 (Heckler-Kram et al. 2025), in its arrangement: several lightings, and private test sets without labels.

use std::path::PathBuf;

use rand::Rng;

use super::export::DrawnFile;
use super::random::stream;
use super::synthetic::{Drawing, Group, SyntheticCategory};

/// The objects of MVTec AD 2, in alphabetical order.
pub const AD2_OBJECTS: [&str; 8] =
    ["can", "fabric", "fruit_jelly", "rice", "sheet_metal", "vial", "wallplugs", "walnuts"];

/// Lightings of the public test images, each with the factor of all brightness values. The first is that of the training images.
const LIGHTING: [(&str, f32); 4] = [("regular", 1.0), ("overexposed", 1.5), ("underexposed", 0.55), ("shift_1", 0.8)];

/// Drawn parts of each object. These are not the published counts, of which this repository has no table.
const TRAIN: usize = 60;
const VALIDATION: usize = 10;
/// Normal parts of the public test set, and as many defective ones; each part has an image under every lighting.
const PUBLIC: usize = 12;
/// Images of each private test set.
const PRIVATE: usize = 30;

/// Returns the files of all objects with a share of the drawn parts. No group is empty.
pub(super) fn files(seed: u64, side: usize, share: f64) -> Vec<DrawnFile> {
    let part = |count: usize, least: usize| ((count as f64 * share - 1e-9).ceil() as usize).max(least);
    let patterns = SyntheticCategory::ALL.iter().cycle();
    let objects = AD2_OBJECTS.iter().zip(patterns);
    objects
        .flat_map(|(object, &category)| {
            let seed = stream(seed, object, 0, 0).next_u64();
            let files = Files { object, draw: Drawing { seed, side, category, group: Group::Train, index: 0 } };
            let train = part(TRAIN, 2);
            let regular = |_| LIGHTING[0];
            let mut all = files.normal("train/good", Group::Train, 0..train, regular);
            all.extend(files.normal("validation/good", Group::Train, train..train + part(VALIDATION, 1), regular));
            for lighting in LIGHTING {
                all.extend(files.normal("test_public/good", Group::TestGood, 0..part(PUBLIC, 1), |_| lighting));
                all.extend(files.defective(0..part(PUBLIC, 1), lighting));
            }
            let (first, private) = (part(PUBLIC, 1), part(PRIVATE, 2));
            all.extend(files.unlabelled("test_private", first..first + private, regular));
            let mixed = |index: usize| ("mixed", LIGHTING[index % LIGHTING.len()].1);
            all.extend(files.unlabelled("test_private_mixed", first + private..first + 2 * private, mixed));
            all
        })
        .collect()
}

/// Draws the files of one object.
struct Files<'o> {
    object: &'o str,
    draw: Drawing,
}

impl Files<'_> {
    fn file(
        &self,
        folder: &str,
        number: usize,
        (lighting, gain): (&str, f32),
        group: Group,
        index: usize,
    ) -> DrawnFile {
        let image = PathBuf::from(self.object).join(folder).join(format!("{number:03}_{lighting}.png"));
        DrawnFile { image, mask: None, drawing: Drawing { group, index, ..self.draw.clone() }, gain }
    }

    /// Returns normal images, one for each index.
    fn normal<'l>(
        &self,
        folder: &str,
        group: Group,
        indices: std::ops::Range<usize>,
        lighting: impl Fn(usize) -> (&'l str, f32),
    ) -> Vec<DrawnFile> {
        let file = |(number, index)| self.file(folder, number, lighting(index), group, index);
        indices.enumerate().map(file).collect()
    }

    /// Returns defective images with their masks, one for each index.
    fn defective(&self, indices: std::ops::Range<usize>, lighting: (&str, f32)) -> Vec<DrawnFile> {
        let file = |(number, index)| {
            let file = self.file("test_public/bad", number, lighting, self.defect(index), index);
            let mask = format!("test_public/ground_truth/bad/{number:03}_{}_mask.png", lighting.0);
            DrawnFile { mask: Some(PathBuf::from(self.object).join(mask)), ..file }
        };
        indices.enumerate().map(file).collect()
    }

    /// Returns images of which every other one is defective, without saying which.
    fn unlabelled<'l>(
        &self,
        folder: &str,
        indices: std::ops::Range<usize>,
        lighting: impl Fn(usize) -> (&'l str, f32),
    ) -> Vec<DrawnFile> {
        let file = |(number, index): (usize, usize)| {
            let group = if index % 2 == 0 { Group::TestGood } else { self.defect(index) };
            self.file(folder, number, lighting(index), group, index)
        };
        indices.enumerate().map(file).collect()
    }

    fn defect(&self, index: usize) -> Group {
        let defects = self.draw.category.defects();
        Group::Defect(defects[index % defects.len()])
    }
}
