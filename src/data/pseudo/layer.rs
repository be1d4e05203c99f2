//! A painted image, and blending with an exact mask of the changed pixels.

use super::colour::{Colour, mix};
use crate::data::Image;

/// A pixel counts as painted if a channel changes by more than this many grey levels: smaller changes disappear in sensor noise.
pub(super) const VISIBLE: u8 = 6;

/// A normal image with a painted defect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Painted {
    /// The painted image; outside the mask, it has the bytes of the normal one.
    pub image: Image,
    /// The changed pixels, row-major, one value per pixel of the image.
    pub mask: Vec<bool>,
}

impl Painted {
    /// Returns the mean change of the masked pixels from the normal image, in grey levels of the most changed channel; 0 for an empty mask.
    pub(super) fn contrast(&self, normal: &Image) -> f64 {
        let pixels = self.image.rgb.chunks_exact(3).zip(normal.rgb.chunks_exact(3)).zip(&self.mask);
        let changes = pixels.filter(|(_, masked)| **masked).map(|((new, old), _)| {
            let change = new.iter().zip(old).map(|(new, old)| new.abs_diff(*old)).max();
            f64::from(change.unwrap_or(0))
        });
        let (sum, count) = changes.fold((0.0, 0_usize), |(sum, count), change| (sum + change, count + 1));
        sum / count.max(1) as f64
    }

    /// Returns the mask's share of the image, 0..=1.
    pub fn share(&self) -> f64 {
        self.mask.iter().filter(|&&painted| painted).count() as f64 / self.mask.len() as f64
    }
}

/// Blends `paint` over an image. The function takes a pixel (column, row) and its colour. It returns the colour to lay over the pixel and
/// its opacity (0..=1). A pixel that would change by at most [`VISIBLE`] keeps its bytes, so the mask is exactly the set of changed pixels.
pub(super) fn blend(image: &Image, paint: impl Fn(usize, usize, Colour) -> Option<(Colour, f32)>) -> Painted {
    let mut painted = Painted { image: image.clone(), mask: vec![false; image.side * image.side] };
    for (index, below) in image.rgb.chunks_exact(3).enumerate() {
        let colour = [f32::from(below[0]), f32::from(below[1]), f32::from(below[2])];
        let Some((above, share)) = paint(index % image.side, index / image.side, colour) else { continue };
        let new = mix(colour, above, share).map(|value| value.round().clamp(0.0, 255.0) as u8);
        if new.iter().zip(below).any(|(new, old)| new.abs_diff(*old) > VISIBLE) {
            painted.image.rgb[3 * index..][..3].copy_from_slice(&new);
            painted.mask[index] = true;
        }
    }
    painted
}

/// Returns the bilinear colour at a point (x right, y down, pixel centres at whole numbers). Points outside are mirrored at the edge, so
/// that the only seam is that of the patch.
pub(super) fn sample(image: &Image, x: f32, y: f32) -> Colour {
    let last = (image.side - 1) as f32;
    let inside = |v: f32| {
        let folded = v.rem_euclid(2.0 * last.max(1.0));
        if folded > last { 2.0 * last - folded } else { folded }.clamp(0.0, last)
    };
    let (x, y) = (inside(x), inside(y));
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(image.side - 1), (top + 1).min(image.side - 1));
    let at = |x: usize, y: usize| -> Colour {
        let first = 3 * (y * image.side + x);
        std::array::from_fn(|c| f32::from(image.rgb[first + c]))
    };
    let (u, v) = (x - left as f32, y - top as f32);
    mix(mix(at(left, top), at(right, top), u), mix(at(left, bottom), at(right, bottom), u), v)
}
