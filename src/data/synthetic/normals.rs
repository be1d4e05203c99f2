//! Appearance of normal images, with the variation that a camera and a production line cause.

use super::canvas::{Colour, fractal, mix, noise, shade, smoothstep};
use super::kinds::SyntheticCategory;
use crate::data::dice::Dice;

/// Random properties of one normal image.
pub(super) enum Scene {
    /// Streaks along x.
    Grain { seed: u32, slope: f32, pitch: f32, light: f32 },
    /// A ring.
    Washer { seed: u32, centre: (f32, f32), outer: f32, inner: f32, light: f32, turn: f32 },
    /// Threads.
    Weave { seed: u32, turn: f32, threads: f32, phase: (f32, f32), light: f32 },
}

const WOOD_LIGHT: Colour = [0.80, 0.62, 0.42];
const WOOD_DARK: Colour = [0.50, 0.34, 0.20];
const TABLE: Colour = [0.24, 0.26, 0.29];
const METAL: Colour = [0.66, 0.68, 0.70];
const WARP: Colour = [0.58, 0.62, 0.70];
const WEFT: Colour = [0.42, 0.47, 0.58];

impl Scene {
    pub(super) fn new(category: SyntheticCategory, dice: &mut Dice) -> Self {
        let seed = dice.bits();
        let light = dice.between(0.92, 1.06);
        match category {
            SyntheticCategory::Grain => {
                Self::Grain { seed, slope: dice.between(-0.08, 0.08), pitch: dice.between(17.0, 23.0), light }
            }
            SyntheticCategory::Washer => Self::Washer {
                seed,
                centre: (dice.between(0.46, 0.54), dice.between(0.46, 0.54)),
                outer: dice.between(0.345, 0.365),
                inner: dice.between(0.155, 0.170),
                light,
                turn: dice.between(0.0, std::f32::consts::TAU),
            },
            SyntheticCategory::Weave => Self::Weave {
                seed,
                turn: dice.between(-0.05, 0.05),
                threads: dice.between(15.0, 17.0),
                phase: (dice.between(0.0, 2.0), dice.between(0.0, 2.0)),
                light,
            },
        }
    }

    /// Returns the normal colour at a point.
    pub(super) fn colour(&self, x: f32, y: f32) -> Colour {
        match *self {
            Self::Grain { seed, slope, pitch, light } => {
                let across = y + slope * x + 0.02 * fractal(seed, 2.0 * x, 2.0 * y);
                let wide = 0.5 + 0.5 * noise(seed ^ 7, 1.2 * x, pitch * across);
                let fine = noise(seed ^ 11, 6.0 * x, 5.0 * pitch * across);
                let share = (0.65 * wide + 0.10 * fine + 0.15).clamp(0.0, 1.0);
                shade(mix(WOOD_LIGHT, WOOD_DARK, share), light * (1.0 + 0.04 * noise(seed ^ 13, 1.5 * x, 1.5 * y)))
            }
            Self::Washer { seed, outer, inner, light, turn, .. } => {
                let table = shade(TABLE, light * (1.0 + 0.08 * fractal(seed, 12.0 * x, 12.0 * y)));
                let (radius, angle) = self.polar(x, y);
                let soft = 0.006;
                let ring = smoothstep(-soft, soft, outer - radius) * smoothstep(-soft, soft, radius - inner);
                // Brushed metal: light from a fixed side, fine circular lines, rounded edges.
                let brushed = 0.05 * noise(seed ^ 3, 90.0 * radius, 2.0 * (angle + turn).sin());
                let sheen = 0.13 * (2.0 * (angle - 0.8)).cos();
                let edge = smoothstep(0.0, 0.03, (outer - radius).min(radius - inner));
                let metal = shade(METAL, light * (0.72 + 0.26 * edge + sheen + brushed));
                let shadow = 1.0 - 0.35 * smoothstep(outer + 0.05, outer, self.polar(x - 0.012, y - 0.018).0);
                mix(shade(table, shadow), metal, ring)
            }
            Self::Weave { seed, light, .. } => {
                let (u, v) = self.thread(x, y);
                let weft_on_top = (u.floor() + v.floor()).rem_euclid(2.0) < 1.0;
                let profile = |t: f32| 1.0 - (2.0 * (t - t.floor()) - 1.0).powi(2);
                let (across, along, colour) = if weft_on_top { (v, u, WEFT) } else { (u, v, WARP) };
                let round = 0.50 + 0.42 * profile(across) + 0.12 * profile(along);
                let fibre = 1.0 + 0.05 * noise(seed, 3.0 * u, 3.0 * v);
                shade(colour, light * round * fibre * (1.0 + 0.05 * fractal(seed ^ 5, 2.0 * x, 2.0 * y)))
            }
        }
    }

    /// Returns the distance from the ring's centre, and the angle.
    pub(super) fn polar(&self, x: f32, y: f32) -> (f32, f32) {
        let (cx, cy) = match *self {
            Self::Washer { centre, .. } => centre,
            _ => (0.5, 0.5),
        };
        ((x - cx).hypot(y - cy), (y - cy).atan2(x - cx))
    }

    /// Returns the position in threads, in both directions.
    pub(super) fn thread(&self, x: f32, y: f32) -> (f32, f32) {
        match *self {
            Self::Weave { turn, threads, phase, .. } => {
                let (sin, cos) = turn.sin_cos();
                (threads * (cos * x + sin * y) + phase.0, threads * (cos * y - sin * x) + phase.1)
            }
            _ => (x, y),
        }
    }

    /// Returns whether a point is on the object; always true for a texture.
    pub(super) fn covers(&self, x: f32, y: f32) -> bool {
        match *self {
            Self::Washer { outer, inner, .. } => (inner..outer).contains(&self.polar(x, y).0),
            _ => true,
        }
    }

    /// Returns the colour of the background behind the object.
    pub(super) fn background(&self, x: f32, y: f32) -> Colour {
        match *self {
            Self::Washer { seed, light, .. } => shade(TABLE, light * (1.0 + 0.08 * fractal(seed, 12.0 * x, 12.0 * y))),
            _ => TABLE,
        }
    }

    /// Draws a position for a defect's centre.
    pub(super) fn draw_centre(&self, dice: &mut Dice) -> (f32, f32) {
        match *self {
            Self::Washer { centre, outer, inner, .. } => {
                let angle = dice.between(0.0, std::f32::consts::TAU);
                let radius = dice.between(inner + 0.04, outer - 0.04);
                (centre.0 + radius * angle.cos(), centre.1 + radius * angle.sin())
            }
            _ => (dice.between(0.15, 0.85), dice.between(0.15, 0.85)),
        }
    }
}
