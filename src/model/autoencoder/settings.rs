//! Questions about an auto-encoder that have the same answer for every kind.

use super::{AutoEncoder, Corruption, Placement};

impl AutoEncoder {
    /// Returns the corruption of its input in training.
    pub fn corruption(&self) -> Corruption {
        self.settings().map_or(Corruption::Plain, |settings| settings.common().input)
    }

    /// Returns the network whose features it rebuilds, or `None` without an auto-encoder.
    pub fn placement(&self) -> Option<Placement> {
        self.settings().map(|settings| settings.common().placement)
    }

    /// Returns whether a level (from 1) of the teacher has an auto-encoder.
    pub fn is_at(&self, level: usize) -> bool {
        self.settings().is_some_and(|settings| settings.common().levels.contains(level))
    }

    /// Returns the same auto-encoder with another placement.
    pub fn placed(mut self, placement: Placement) -> Self {
        if let Some(settings) = self.settings_mut() {
            settings.common_mut().placement = placement;
        }
        self
    }
}
