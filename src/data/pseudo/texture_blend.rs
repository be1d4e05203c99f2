//! Blends blobs of thresholded Perlin noise with a texture (Zavrtanik et al. 2021, DRAEM, section 3.3 and equation 4). The texture is cut
//! from the normal images themselves or made of noise, because didact ships no texture set.

use super::colour::{Colour, Jitter, mix, smooth};
use super::layer::{Painted, blend, sample};
use super::perlin::Perlin;
use crate::data::Image;
use crate::data::dice::Dice;

/// Lowest and highest share of the image for the blobs.
const AREA: (f32, f32) = (0.015, 0.12);
/// Lowest and highest weight β of the texture.
const BETA: (f32, f32) = (0.2, 0.8);

/// Texture that is laid over the blobs.
enum Texture<'a> {
    /// A normal image, shifted by pixels, with changed colours.
    Region { source: &'a Image, shift: (f32, f32), jitter: Jitter },
    /// Two colours mixed by noise.
    Noise { noise: Perlin, dark: Colour, light: Colour },
}

impl<'a> Texture<'a> {
    fn draw(source: &'a Image, dice: &mut Dice) -> Self {
        let side = source.side as f32;
        if dice.coin() {
            // Shift by at least a quarter of the image; otherwise the region would nearly coincide with itself.
            let mut offset = || (if dice.coin() { 1.0 } else { -1.0 }) * dice.between(0.25, 0.75) * side;
            let shift = (offset(), offset());
            return Self::Region { source, shift, jitter: Jitter::draw(1.0, dice) };
        }
        let cells = 1 << (3 + dice.below(3));
        let mut colour = || std::array::from_fn(|_| dice.between(0.0, 255.0));
        let (dark, light) = (colour(), colour());
        Self::Noise { noise: Perlin::draw((cells, cells), dice), dark, light }
    }

    fn colour(&self, x: usize, y: usize, side: f32) -> Colour {
        match self {
            Self::Region { source, shift, jitter } => {
                jitter.apply(sample(source, x as f32 + shift.0, y as f32 + shift.1))
            }
            Self::Noise { noise, dark, light } => {
                mix(*dark, *light, 0.5 + 0.5 * noise.at((x as f32 + 0.5) / side, (y as f32 + 0.5) / side))
            }
        }
    }
}

/// Blends blobs of one texture over `target`; `source` has the same side.
pub(super) fn texture_blend(target: &Image, source: &Image, dice: &mut Dice) -> Painted {
    let side = target.side as f32;
    // DRAEM draws the octave of each axis independently, so blobs are round or elongated.
    let cells = (1 << (1 + dice.below(4)), 1 << (1 + dice.below(4)));
    let noise = Perlin::draw(cells, dice);
    let share = AREA.0 * (AREA.1 / AREA.0).powf(dice.between(0.0, 1.0));
    let beta = dice.between(BETA.0, BETA.1);
    // All blobs are near one point, like the parts of one defect. The point tends to be on the object, which is in the middle.
    let centre = (dice.between(0.25, 0.75), dice.between(0.25, 0.75));
    let radius = dice.between(0.2, 0.45);
    let at = |index: usize| (index as f32 + 0.5) / side;
    let heights: Vec<f32> = (0..target.side * target.side)
        .map(|index| {
            let (x, y) = (at(index % target.side), at(index / target.side));
            let near = smooth(1.0 - (x - centre.0).hypot(y - centre.1) / radius);
            near * noise.at(x, y)
        })
        .collect();
    let threshold = upper_quantile(&heights, share);
    let highest = heights.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let texture = Texture::draw(source, dice);
    // The edge is soft over the lowest third of the heights above the threshold.
    let soft = ((highest - threshold) / 3.0).max(f32::MIN_POSITIVE);
    blend(target, |x, y, _| {
        let above = heights[y * target.side + x] - threshold;
        (above > 0.0).then(|| (texture.colour(x, y, side), beta * smooth(above / soft)))
    })
}

/// Returns the value that a share of all values exceeds. It is never below 0, because all values outside the window are 0.
fn upper_quantile(values: &[f32], share: f32) -> f32 {
    let mut sorted = values.to_vec();
    let index = (((1.0 - share) * values.len() as f32) as usize).min(values.len() - 1);
    sorted.select_nth_unstable_by(index, f32::total_cmp);
    sorted[index].max(0.0)
}
