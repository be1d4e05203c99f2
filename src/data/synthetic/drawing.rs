//! What is drawn, and its seeds.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::canvas::Canvas;
use super::{defects, normals};
use crate::data::{Mask, Picture, stream};

/// A category of the drawn set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A streaked, wood-like texture.
    Grain,
    /// An object: a metal ring on a table.
    Washer,
    /// A woven texture.
    Weave,
}

/// A kind of defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Defect {
    /// Foreign colour.
    Colour,
    /// A round dark inclusion.
    Knot,
    /// A thin line.
    Scratch,
    /// A piece of the rim is missing.
    Chip,
    /// Brown corrosion.
    Rust,
    /// Frayed dark opening.
    Hole,
    /// Darker soaked area.
    Stain,
    /// A run of one thread is missing.
    Thread,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Grain, Self::Washer, Self::Weave];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Grain => "grain",
            Self::Washer => "washer",
            Self::Weave => "weave",
        }
    }

    pub(super) fn defects(self) -> [Defect; 3] {
        match self {
            Self::Grain => [Defect::Colour, Defect::Knot, Defect::Scratch],
            Self::Washer => [Defect::Chip, Defect::Rust, Defect::Scratch],
            Self::Weave => [Defect::Hole, Defect::Stain, Defect::Thread],
        }
    }
}

impl Defect {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Colour => "colour",
            Self::Knot => "knot",
            Self::Scratch => "scratch",
            Self::Chip => "chip",
            Self::Rust => "rust",
            Self::Hole => "hole",
            Self::Stain => "stain",
            Self::Thread => "thread",
        }
    }
}

/// Which images of a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Train,
    TestGood,
    Defect(Defect),
}

/// One image to be drawn: a pure function of its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    pub(super) seed: u64,
    pub(super) side: usize,
    pub(super) kind: Kind,
    pub(super) group: Group,
    pub(super) index: usize,
}

/// A drawn image with its ground truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// The image.
    pub picture: Picture,
    /// What is defective in it.
    pub mask: Mask,
}

/// Draws of one image, in order.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// Uniform between two bounds.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.0.next_u32() >> 8) as f32 / (1_u32 << 24) as f32)
    }

    /// 32 random bits.
    pub(super) fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }
}

impl Drawing {
    fn purpose(&self) -> String {
        let group = match self.group {
            Group::Train => "train",
            Group::TestGood => "good",
            Group::Defect(defect) => defect.name(),
        };
        format!("synthetic/2/{}/{group}", self.kind.name())
    }

    /// Draws it.
    pub fn draw(&self) -> Drawn {
        let mut dice = Dice(stream(self.seed, &self.purpose(), self.side as u64, self.index as u64));
        let scene = normals::Scene::new(self.kind, &mut dice);
        let mut canvas = Canvas::new(self.side, |x, y| scene.colour(x, y));
        if let Group::Defect(defect) = self.group {
            defects::paint(&mut canvas, &scene, defect, &mut dice);
        }
        let (picture, mask) = canvas.finish(dice.bits(), 0.025);
        Drawn { picture, mask }
    }

    /// BLAKE3 of the drawn pixels and mask.
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
        for kind in Kind::ALL {
            for defect in kind.defects() {
                for index in 0..8 {
                    let drawing = Drawing { seed: 0, side: 96, kind, group: Group::Defect(defect), index };
                    let drawn = drawing.draw();
                    assert_eq!(drawn, drawing.draw());
                    let share = drawn.mask.pixels.iter().filter(|p| **p).count() as f64 / (96.0 * 96.0);
                    assert!((0.0005..0.2).contains(&share), "{kind:?} {defect:?} {index}: {share}");
                }
            }
        }
    }

    #[test]
    fn normal_images_differ_and_have_empty_masks() {
        let drawing = |index| Drawing { seed: 0, side: 64, kind: Kind::Washer, group: Group::Train, index };
        assert_ne!(drawing(0).draw().picture, drawing(1).draw().picture);
        assert!(drawing(0).draw().mask.pixels.iter().all(|p| !p));
        assert_ne!(drawing(0).digest(), Drawing { seed: 1, ..drawing(0) }.digest());
    }
}
