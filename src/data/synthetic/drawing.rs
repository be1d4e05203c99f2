//! A drawing and its seeds.

use super::canvas::Canvas;
use super::kinds::{Defect, SyntheticCategory};
use super::{defects, normals};
use crate::data::dice::Dice;
use crate::data::{Mask, Picture, stream};

/// Group of a category's images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::data) enum Group {
    Train,
    TestGood,
    Defect(Defect),
}

/// One image to draw: a pure function of its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    pub(in crate::data) seed: u64,
    pub(in crate::data) side: usize,
    pub(in crate::data) category: SyntheticCategory,
    pub(in crate::data) group: Group,
    pub(in crate::data) index: usize,
}

/// A drawn image with its ground truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// The image.
    pub picture: Picture,
    /// Defective pixels of the image.
    pub mask: Mask,
}

impl Drawing {
    fn purpose(&self) -> String {
        let group = match self.group {
            Group::Train => "train",
            Group::TestGood => "good",
            Group::Defect(defect) => defect.name(),
        };
        format!("synthetic/2/{}/{group}", self.category.name())
    }

    /// Draws the image and its mask.
    pub fn draw(&self) -> Drawn {
        let mut dice = Dice::new(stream(self.seed, &self.purpose(), self.side as u64, self.index as u64));
        let scene = normals::Scene::new(self.category, &mut dice);
        let mut canvas = Canvas::new(self.side, |x, y| scene.colour(x, y));
        if let Group::Defect(defect) = self.group {
            defects::paint(&mut canvas, &scene, defect, &mut dice);
        }
        let (picture, mask) = canvas.finish(dice.bits(), 0.025);
        Drawn { picture, mask }
    }

    /// Returns the BLAKE3 digest of the drawn pixels and mask.
    pub(in crate::data) fn digest(&self) -> blake3::Hash {
        let drawn = self.draw();
        let mut hasher = blake3::Hasher::new();
        hasher.update(&drawn.picture.rgb);
        hasher.update(&drawn.mask.pixels.iter().map(|&p| u8::from(p)).collect::<Vec<u8>>());
        hasher.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_is_a_pure_function_and_masks_are_small_and_present() {
        for category in SyntheticCategory::ALL {
            for defect in category.defects() {
                for index in 0..8 {
                    let drawing = Drawing { seed: 0, side: 96, category, group: Group::Defect(defect), index };
                    let drawn = drawing.draw();
                    assert_eq!(drawn, drawing.draw());
                    let share = drawn.mask.pixels.iter().filter(|p| **p).count() as f64 / (96.0 * 96.0);
                    assert!((0.0005..0.2).contains(&share), "{category:?} {defect:?} {index}: {share}");
                }
            }
        }
    }

    #[test]
    fn normal_images_differ_and_have_empty_masks() {
        let category = SyntheticCategory::Washer;
        let drawing = |index| Drawing { seed: 0, side: 64, category, group: Group::Train, index };
        assert_ne!(drawing(0).draw().picture, drawing(1).draw().picture);
        assert!(drawing(0).draw().mask.pixels.iter().all(|p| !p));
        assert_ne!(drawing(0).digest(), Drawing { seed: 1, ..drawing(0) }.digest());
    }
}
