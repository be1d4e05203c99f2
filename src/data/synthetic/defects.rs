//! Defects, from obvious to hard to see.

use super::canvas::{Canvas, Colour, fractal, mix, noise, shade, smoothstep};
use super::kinds::Defect;
use super::normals::Scene;
use crate::data::dice::Dice;

/// Paints one defect and its ground truth.
pub(super) fn paint(canvas: &mut Canvas, scene: &Scene, defect: Defect, dice: &mut Dice) {
    match defect {
        Defect::Colour => {
            let colours: [Colour; 3] = [[0.25, 0.40, 0.62], [0.62, 0.22, 0.20], [0.35, 0.50, 0.28]];
            let colour = colours[dice.bits() as usize % 3];
            let strength = dice.between(0.25, 0.7);
            let blob = Blob::new(scene, dice, 0.04, 0.09);
            canvas.damage(|x, y, _| blob.share(x, y).map(|share| (colour, strength * share)));
        }
        Defect::Knot => {
            let (seed, strength) = (dice.bits(), dice.between(0.5, 0.95));
            let blob = Blob::new(scene, dice, 0.035, 0.07);
            canvas.damage(|x, y, _| {
                let share = blob.share(x, y)?;
                let rings = 0.5 + 0.5 * (40.0 * blob.distance(x, y) + 2.0 * noise(seed, 6.0 * x, 6.0 * y)).sin();
                Some((mix([0.22, 0.13, 0.07], [0.42, 0.27, 0.15], rings), strength * share))
            });
        }
        Defect::Stain => {
            let (seed, depth) = (dice.bits(), dice.between(0.5, 0.82));
            let blob = Blob::new(scene, dice, 0.06, 0.13);
            canvas.damage(|x, y, below| {
                let share = blob.share(x, y)?;
                let wet = depth * (1.0 + 0.08 * fractal(seed, 8.0 * x, 8.0 * y));
                Some((mix(shade(below, wet), [0.45, 0.38, 0.22], 0.15), share))
            });
        }
        Defect::Rust => {
            let (seed, strength) = (dice.bits(), dice.between(0.35, 0.85));
            let blob = Blob::new(scene, dice, 0.04, 0.09);
            canvas.damage(|x, y, below| {
                let share = blob.share(x, y).filter(|_| scene.covers(x, y))?;
                let patchy = 0.75 + 0.25 * fractal(seed, 25.0 * x, 25.0 * y);
                Some((mix([0.48, 0.27, 0.13], shade(below, 0.6), 0.2), strength * share * patchy))
            });
        }
        Defect::Hole => {
            let seed = dice.bits();
            let blob = Blob::new(scene, dice, 0.025, 0.05);
            canvas.damage(|x, y, _| {
                let share = blob.share(x, y)?;
                let frayed = 0.5 + 0.5 * noise(seed, 60.0 * x, 60.0 * y);
                let rim = smoothstep(0.6, 1.0, blob.distance(x, y));
                Some((mix([0.06, 0.06, 0.07], [0.72, 0.74, 0.78], rim * frayed), share))
            });
        }
        Defect::Chip => {
            let Scene::Washer { centre, outer, .. } = *scene else { return };
            let (angle, size) = (dice.between(0.0, std::f32::consts::TAU), dice.between(0.03, 0.07));
            let bite = (centre.0 + outer * angle.cos(), centre.1 + outer * angle.sin());
            let seed = dice.bits();
            canvas.damage(|x, y, _| {
                let jagged = size * (1.0 + 0.25 * noise(seed, 30.0 * x, 30.0 * y));
                let inside = (x - bite.0).hypot(y - bite.1) < jagged && scene.covers(x, y);
                inside.then(|| (scene.background(x, y), 1.0))
            });
        }
        Defect::Scratch => {
            let from = scene.draw_centre(dice);
            let (angle, length) = (dice.between(0.0, std::f32::consts::TAU), dice.between(0.12, 0.30));
            let (bend, width) = (dice.between(-0.05, 0.05), dice.between(0.005, 0.010));
            let (colour, strength) =
                if dice.bits().is_multiple_of(2) { ([0.93, 0.92, 0.90], 0.8) } else { ([0.12, 0.10, 0.09], 0.7) };
            let strength = strength * dice.between(0.45, 1.0);
            let (sin, cos) = angle.sin_cos();
            canvas.damage(|x, y, _| {
                let (dx, dy) = (x - from.0, y - from.1);
                let along = (dx * cos + dy * sin) / length;
                let across = dy * cos - dx * sin - bend * 4.0 * along * (1.0 - along);
                let inside = (-0.5..0.5).contains(&(along - 0.5)) && across.abs() < width && scene.covers(x, y);
                inside.then(|| (colour, strength * smoothstep(width, 0.3 * width, across.abs()).max(0.1)))
            });
        }
        Defect::Thread => {
            let centre = scene.draw_centre(dice);
            let (u0, v0) = scene.thread(centre.0, centre.1);
            let (run, vertical) = (dice.between(2.0, 4.5), dice.bits().is_multiple_of(2));
            let depth = dice.between(0.30, 0.65);
            canvas.damage(|x, y, below| {
                let (u, v) = scene.thread(x, y);
                let (across, along) = if vertical { (u, v) } else { (v, u) };
                let (line, middle) = if vertical { (u0, v0) } else { (v0, u0) };
                let inside = across.floor() == line.floor() && (along - middle).abs() < run;
                inside.then(|| (shade(below, depth), 1.0))
            });
        }
    }
}

/// An irregular ellipse.
struct Blob {
    centre: (f32, f32),
    radii: (f32, f32),
    turn: f32,
    seed: u32,
}

impl Blob {
    /// Draws a blob somewhere on the scene, with radii between two bounds.
    fn new(scene: &Scene, dice: &mut Dice, low: f32, high: f32) -> Self {
        Self {
            centre: scene.draw_centre(dice),
            radii: (dice.between(low, high), dice.between(low, high)),
            turn: dice.between(0.0, std::f32::consts::PI),
            seed: dice.bits(),
        }
    }

    /// Returns the distance: 0 at the centre, 1 at the outline.
    fn distance(&self, x: f32, y: f32) -> f32 {
        let (sin, cos) = self.turn.sin_cos();
        let (dx, dy) = (x - self.centre.0, y - self.centre.1);
        let (u, v) = ((dx * cos + dy * sin) / self.radii.0, (dy * cos - dx * sin) / self.radii.1);
        u.hypot(v) * (1.0 + 0.22 * fractal(self.seed, 18.0 * x, 18.0 * y))
    }

    /// Returns the opacity: `None` outside, 1 inside, soft at the outline.
    fn share(&self, x: f32, y: f32) -> Option<f32> {
        let distance = self.distance(x, y);
        (distance < 1.0).then(|| smoothstep(1.05, 0.75, distance))
    }
}
