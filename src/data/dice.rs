//! Random draws for one image.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::below;

/// The random draws of one image, in order.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// Draws from a random stream.
    pub(super) fn new(stream: ChaCha8Rng) -> Self {
        Self(stream)
    }

    /// Returns a uniform number between two bounds.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.0.next_u32() >> 8) as f32 / (1_u32 << 24) as f32)
    }

    /// Returns 32 random bits.
    pub(super) fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// Returns a whole number below `bound`, which is at least 1.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        below(&mut self.0, bound)
    }

    /// Returns true or false with equal probability.
    pub(super) fn coin(&mut self) -> bool {
        self.0.next_u32() >> 31 == 1
    }
}
