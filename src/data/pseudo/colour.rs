//! Changes the colours of a patch as another light or another material would.

use crate::data::dice::Dice;

/// Red, green, blue in 0..=255.
pub(super) type Colour = [f32; 3];

/// A change of brightness, contrast and tint that is the same for a whole patch.
pub(super) struct Jitter {
    gain: [f32; 3],
    offset: f32,
}

impl Jitter {
    /// Draws a change; `strength` in 0..=1 bounds gains to 1 ± strength/2 and the offset to ± 64 · strength grey levels.
    pub(super) fn draw(strength: f32, dice: &mut Dice) -> Self {
        let contrast = dice.between(1.0 - 0.35 * strength, 1.0 + 0.35 * strength);
        let tint = 0.15 * strength;
        Self {
            gain: std::array::from_fn(|_| contrast * dice.between(1.0 - tint, 1.0 + tint)),
            offset: dice.between(-64.0 * strength, 64.0 * strength),
        }
    }

    /// Returns the changed colour.
    pub(super) fn apply(&self, colour: Colour) -> Colour {
        std::array::from_fn(|c| (128.0 + (colour[c] - 128.0) * self.gain[c] + self.offset).clamp(0.0, 255.0))
    }
}

/// Mixes two colours: 0 = all `a`, 1 = all `b`.
pub(super) fn mix(a: Colour, b: Colour, share: f32) -> Colour {
    std::array::from_fn(|c| a[c] + (b[c] - a[c]) * share)
}

/// Returns 0 at or below 0, 1 at or above 1, and a smooth transition in between.
pub(super) fn smooth(x: f32) -> f32 {
    let t = x.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}
