//! Gradient noise (Perlin 1985, with the fade of Perlin 2002).

use std::f32::consts::TAU;

use crate::data::dice::Dice;

/// A lattice of unit gradients over the unit square.
pub(super) struct Perlin {
    cells: (usize, usize),
    gradients: Vec<(f32, f32)>,
}

impl Perlin {
    /// Draws the gradients of `cells` (columns, rows) cells, each at least 1.
    pub(super) fn draw(cells: (usize, usize), dice: &mut Dice) -> Self {
        let corners = (cells.0 + 1) * (cells.1 + 1);
        Self { cells, gradients: (0..corners).map(|_| dice.between(0.0, TAU).sin_cos()).collect() }
    }

    /// Returns the noise at (x right, y down) in 0..=1; it is within −1..=1, and near 0 at the lattice's corners.
    pub(super) fn at(&self, x: f32, y: f32) -> f32 {
        let locate = |v: f32, cells: usize| {
            let scaled = v.clamp(0.0, 1.0) * cells as f32;
            let cell = (scaled as usize).min(cells - 1);
            (cell, scaled - cell as f32)
        };
        let ((column, u), (row, v)) = (locate(x, self.cells.0), locate(y, self.cells.1));
        let corner = |dx: usize, dy: usize| {
            let (gx, gy) = self.gradients[(row + dy) * (self.cells.0 + 1) + column + dx];
            gx * (u - dx as f32) + gy * (v - dy as f32)
        };
        let fade = |t: f32| t * t * t * (t * (6.0 * t - 15.0) + 10.0);
        let line = |dy| corner(0, dy) + (corner(1, dy) - corner(0, dy)) * fade(u);
        // The factor √2 is needed because unit gradients in two dimensions reach ±1/√2.
        std::f32::consts::SQRT_2 * (line(0) + (line(1) - line(0)) * fade(v))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::stream;

    #[test]
    fn noise_is_0_at_corners_bounded_and_continuous_across_cells() {
        let noise = Perlin::draw((4, 2), &mut Dice::new(stream(0, "test", 0, 0)));
        let mut highest = 0.0_f32;
        for i in 0..=400 {
            let x = i as f32 / 400.0;
            for j in 0..=50 {
                let y = j as f32 / 50.0;
                highest = highest.max(noise.at(x, y).abs());
                assert!((noise.at(x, y) - noise.at(x + 1e-4, y)).abs() < 0.01, "a step at {x}, {y}");
            }
        }
        assert!(highest <= 1.0 && highest > 0.3, "{highest}");
        for (column, row) in [(0, 0), (1, 1), (4, 2), (3, 1)] {
            assert!(noise.at(column as f32 / 4.0, row as f32 / 2.0).abs() < 1e-6);
        }
    }
}
