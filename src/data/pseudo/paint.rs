//! Paints one defect on one normal image.

use super::cut_paste::cut_paste;
use super::layer::{Painted, blend};
use super::texture_blend::texture_blend;
use crate::data::dice::Dice;
use crate::data::{Image, stream};

/// Lowest and highest share of the image that a mask may have: less shows no defect, more leaves no background.
pub(super) const SHARE: (f64, f64) = (0.005, 0.15);
/// Smallest mean change of the masked pixels, in grey levels of each pixel's most changed channel. An invisible defect would
/// measure noise.
const CONTRAST: f64 = 20.0;
/// Number of draws before the plain square is painted.
const DRAWS: usize = 24;

/// How a defect is painted. Each held-out image gets one copy per painter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Painter {
    /// A patch cut elsewhere (Li et al. 2021).
    CutPaste,
    /// Perlin blobs blended with a texture (Zavrtanik et al. 2021).
    Perlin,
}

impl Painter {
    /// All painters, in the order of the copies.
    pub const ALL: [Self; 2] = [Self::CutPaste, Self::Perlin];

    /// Returns its name, as used in the names of painted images.
    pub fn name(self) -> &'static str {
        match self {
            Self::CutPaste => "cut-paste",
            Self::Perlin => "perlin",
        }
    }

    /// Returns the number of its copy, which is the epoch of the stream.
    fn copy(self) -> u64 {
        match self {
            Self::CutPaste => 0,
            Self::Perlin => 1,
        }
    }
}

/// Paints one defect on image `index` of `normals`, which holds at least one image; all are square with the same side. The result is a pure
/// function of them and of the stream (seed, "pseudo", copy, index). The mask is neither empty nor more than 15 % of the image.
pub fn paint(normals: &[Image], index: usize, painter: Painter, seed: u64) -> Painted {
    let target = &normals[index];
    let mut dice = Dice::new(stream(seed, "pseudo", painter.copy(), index as u64));
    for _ in 0..DRAWS {
        // Half the time, take the same image; otherwise, take any other one.
        let source = match (dice.coin(), normals.len()) {
            (true, 2..) => &normals[(index + 1 + dice.below(normals.len() - 1)) % normals.len()],
            _ => target,
        };
        let painted = match painter {
            Painter::CutPaste => cut_paste(target, source, &mut dice),
            Painter::Perlin => texture_blend(target, source, &mut dice),
        };
        if (SHARE.0..=SHARE.1).contains(&painted.share()) && painted.contrast(target) >= CONTRAST {
            return painted;
        }
    }
    plain_square(target)
}

/// Paints a plain square if no draw shows enough, e.g. on an image of one colour. The square is in the middle, a fifth of the side long,
/// and a quarter of the range lighter or darker.
fn plain_square(target: &Image) -> Painted {
    let (from, to) = (target.side * 2 / 5, (target.side * 3).div_ceil(5));
    blend(target, |x, y, below| {
        let inside = (from..to).contains(&x) && (from..to).contains(&y);
        inside.then(|| (below.map(|value| if value < 128.0 { value + 64.0 } else { value - 64.0 }), 1.0))
    })
}

#[cfg(test)]
mod tests {
    use super::super::layer::VISIBLE;
    use super::*;
    use proptest::prelude::*;

    /// Creates images with visible structure: stripes, a ramp and grain.
    fn normals(side: usize, count: usize, seed: u64) -> Vec<Image> {
        (0..count)
            .map(|image| {
                let mut dice = Dice::new(stream(seed, "test", 0, image as u64));
                let period = 2 + dice.below(side / 2);
                let rgb = (0..side * side * 3).map(|index| {
                    let (x, y, c) = (index / 3 % side, index / 3 / side, index % 3);
                    let stripe = if (x + c * y) % period < period / 2 { 60 } else { 0 };
                    (40 + stripe + 90 * y / side + dice.below(12)) as u8
                });
                Image { side, rgb: rgb.collect() }
            })
            .collect()
    }

    fn painters() -> impl Strategy<Value = Painter> {
        prop_oneof![Just(Painter::CutPaste), Just(Painter::Perlin)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_mask_marks_exactly_the_changed_pixels_and_has_a_valid_share(
            side in 32_usize..=256, count in 1_usize..4, painter in painters(), seed: u64,
        ) {
            let normals = normals(side, count, seed);
            let index = count - 1;
            let painted = paint(&normals, index, painter, seed);
            prop_assert_eq!(&painted, &paint(&normals, index, painter, seed));
            prop_assert_eq!((painted.image.side, painted.mask.len()), (side, side * side));
            prop_assert!((SHARE.0..=SHARE.1).contains(&painted.share()), "share {}", painted.share());
            prop_assert!(painted.contrast(&normals[index]) >= CONTRAST);
            for (pixel, masked) in painted.mask.iter().enumerate() {
                let (new, old) = (&painted.image.rgb[3 * pixel..][..3], &normals[index].rgb[3 * pixel..][..3]);
                let change = new.iter().zip(old).map(|(a, b)| a.abs_diff(*b)).max();
                let is_correct = if *masked { change > Some(VISIBLE) } else { new == old };
                prop_assert!(is_correct, "pixel {pixel}, mask {masked}: {old:?} became {new:?}");
            }
        }

        #[test]
        fn an_image_of_one_colour_gets_a_defect_too(side in 32_usize..=256, grey: u8, painter in painters(), seed in 0_u64..4) {
            let normals = [Image { side, rgb: vec![grey; side * side * 3] }];
            let share = paint(&normals, 0, painter, seed).share();
            prop_assert!((SHARE.0..=SHARE.1).contains(&share), "share {share}");
            let plain = plain_square(&normals[0]).share();
            prop_assert!((SHARE.0..=SHARE.1).contains(&plain), "share {plain}");
        }
    }

    #[test]
    fn seeds_copies_and_images_differ() {
        let normals = normals(64, 3, 0);
        let first = paint(&normals, 0, Painter::CutPaste, 0).mask;
        assert_ne!(first, paint(&normals, 0, Painter::CutPaste, 1).mask);
        assert_ne!(first, paint(&normals, 1, Painter::CutPaste, 0).mask);
        assert_ne!(first, paint(&normals, 0, Painter::Perlin, 0).mask);
    }
}
