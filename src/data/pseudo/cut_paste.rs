//! Cuts a patch out of a normal image and pastes it elsewhere: CutPaste and its thin variant, the scar (Li et al. 2021, section 2.2).

use std::f32::consts::{FRAC_PI_2, FRAC_PI_6};

use super::colour::{Jitter, smooth};
use super::layer::{Painted, blend, sample};
use crate::data::Image;
use crate::data::dice::Dice;

/// A patch's share of the image, lowest and highest.
const AREA: (f32, f32) = (0.02, 0.15);
/// A scar's share of the image: at the highest patch share, a long scar would cross the whole image.
const SCAR_AREA: (f32, f32) = (0.02, 0.04);

/// Shape of a patch: half its length and width in pixels, and its turn in radians.
struct Patch {
    half: (f32, f32),
    turn: f32,
}

impl Patch {
    fn draw(side: f32, dice: &mut Dice) -> Self {
        let scar = dice.coin();
        let (low, high) = if scar { SCAR_AREA } else { AREA };
        // Draw uniformly in the logarithm, so that small defects are the common ones.
        let area = low * (high / low).powf(dice.between(0.0, 1.0));
        let aspect = if scar { dice.between(4.0, 9.0) } else { dice.between(1.0, 3.0) };
        let turn = if scar { dice.between(-FRAC_PI_2, FRAC_PI_2) } else { dice.between(-FRAC_PI_6, FRAC_PI_6) };
        let (long, short) = ((area * aspect).sqrt() * side / 2.0, (area / aspect).sqrt() * side / 2.0);
        Self { half: if scar || dice.coin() { (long, short) } else { (short, long) }, turn }
    }

    /// Returns half the sides of its bounding box, pixels.
    fn reach(&self) -> (f32, f32) {
        let (sin, cos) = self.turn.sin_cos();
        let (a, b) = self.half;
        (a * cos.abs() + b * sin.abs(), a * sin.abs() + b * cos.abs())
    }

    /// Draws a centre that keeps the patch inside the image as far as it fits.
    fn draw_centre(&self, side: f32, dice: &mut Dice) -> (f32, f32) {
        let mut along = |reach: f32| {
            let reach = reach.min(side / 2.0);
            dice.between(reach, side - reach)
        };
        let (x, y) = self.reach();
        (along(x), along(y))
    }
}

/// Pastes one patch of `source` on `target`; both images have the same side.
pub(super) fn cut_paste(target: &Image, source: &Image, dice: &mut Dice) -> Painted {
    let side = target.side as f32;
    let patch = Patch::draw(side, dice);
    let (from, a, b) = (patch.draw_centre(side, dice), patch.draw_centre(side, dice), patch.draw_centre(side, dice));
    // The mean of two centres tends towards the middle, where an object usually is.
    let to = ((a.0 + b.0) / 2.0, (a.1 + b.1) / 2.0);
    let jitter = Jitter::draw(dice.between(0.2, 1.0), dice);
    // The patch is cut upright and turned when it is pasted.
    let (sin, cos) = patch.turn.sin_cos();
    let feather = (side / 64.0).max(1.0);
    blend(target, |x, y, _| {
        let (dx, dy) = (x as f32 + 0.5 - to.0, y as f32 + 0.5 - to.1);
        let (u, v) = (dx * cos + dy * sin, dy * cos - dx * sin);
        // Distance to the nearest edge from inside, pixels: the feather is within the patch.
        let depth = (patch.half.0 - u.abs()).min(patch.half.1 - v.abs());
        (depth > 0.0)
            .then(|| (jitter.apply(sample(source, from.0 + u - 0.5, from.1 + v - 0.5)), smooth(depth / feather)))
    })
}
