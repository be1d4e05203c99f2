//! Colour arithmetic and noise for drawing.

use crate::data::{Mask, Picture};

/// Red, green, blue in 0..1.
pub(super) type Colour = [f32; 3];

/// Mixes two colours: 0 = all `a`, 1 = all `b`.
pub(super) fn mix(a: Colour, b: Colour, share: f32) -> Colour {
    std::array::from_fn(|c| a[c] + (b[c] - a[c]) * share)
}

/// Multiplies a colour by a factor.
pub(super) fn shade(colour: Colour, factor: f32) -> Colour {
    colour.map(|v| v * factor)
}

/// Returns 0 below `from`, 1 above `to`, and a smooth transition in between.
pub(super) fn smoothstep(from: f32, to: f32, x: f32) -> f32 {
    let t = ((x - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Returns a random number in 0..1 for a lattice point: a finaliser of MurmurHash3 over its coordinates.
fn lattice(seed: u32, x: i32, y: i32) -> f32 {
    let mut h = seed ^ (x as u32).wrapping_mul(0x9E37_79B1) ^ (y as u32).wrapping_mul(0x85EB_CA77);
    h = (h ^ (h >> 16)).wrapping_mul(0x85EB_CA6B);
    h = (h ^ (h >> 13)).wrapping_mul(0xC2B2_AE35);
    (h ^ (h >> 16)) as f32 / u32::MAX as f32
}

/// Returns value noise in −1..1 with features of size 1.
pub(super) fn noise(seed: u32, x: f32, y: f32) -> f32 {
    let (fx, fy) = (x.floor(), y.floor());
    let (ix, iy) = (fx as i32, fy as i32);
    let (u, v) = (smoothstep(0.0, 1.0, x - fx), smoothstep(0.0, 1.0, y - fy));
    let row = |y| lattice(seed, ix, y) * (1.0 - u) + lattice(seed, ix + 1, y) * u;
    2.0 * (row(iy) * (1.0 - v) + row(iy + 1) * v) - 1.0
}

/// Returns three octaves of [`noise`].
pub(super) fn fractal(seed: u32, x: f32, y: f32) -> f32 {
    (noise(seed, x, y) + 0.5 * noise(seed ^ 1, 2.0 * x, 2.0 * y) + 0.25 * noise(seed ^ 2, 4.0 * x, 4.0 * y)) / 1.75
}

/// A square picture being drawn, with the ground truth of the changed pixels.
pub(super) struct Canvas {
    side: usize,
    colours: Vec<Colour>,
    mask: Vec<bool>,
}

impl Canvas {
    /// Colours every pixel. The function takes coordinates in 0..1 (x right, y down).
    pub(super) fn new(side: usize, colour: impl Fn(f32, f32) -> Colour) -> Self {
        let mut colours = Vec::with_capacity(side * side);
        for (x, y) in points(side) {
            colours.push(colour(x, y));
        }
        Self { side, colours, mask: vec![false; side * side] }
    }

    /// Blends `paint` over the picture; pixels with a share above zero become ground truth.
    pub(super) fn damage(&mut self, paint: impl Fn(f32, f32, Colour) -> Option<(Colour, f32)>) {
        for (index, (x, y)) in points(self.side).enumerate() {
            if let Some((colour, share)) = paint(x, y, self.colours[index]) {
                self.colours[index] = mix(self.colours[index], colour, share);
                self.mask[index] |= share > 0.0;
            }
        }
    }

    /// Adds sensor noise of the given amplitude and rounds to 8 bits.
    pub(super) fn finish(self, seed: u32, amplitude: f32) -> (Picture, Mask) {
        let side = self.side;
        let mut rgb = Vec::with_capacity(side * side * 3);
        for (index, colour) in self.colours.iter().enumerate() {
            for (c, value) in colour.iter().enumerate() {
                let (x, y) = ((index % side) as i32, (index / side) as i32);
                // The sum of two uniform numbers is close to the bell shape of sensor noise.
                let grain = lattice(seed ^ c as u32, x, y) + lattice(seed ^ (c as u32 + 8), x, y) - 1.0;
                rgb.push(((value + amplitude * grain).clamp(0.0, 1.0) * 255.0).round() as u8);
            }
        }
        (Picture { width: side, height: side, rgb }, Mask { width: side, height: side, pixels: self.mask })
    }
}

/// Returns pixel centres in 0..1, row by row.
fn points(side: usize) -> impl Iterator<Item = (f32, f32)> {
    let at = move |i: usize| (i as f32 + 0.5) / side as f32;
    (0..side * side).map(move |index| (at(index % side), at(index / side)))
}
