//! Resampling of images: up-sampling to twice the side, and borders that continue the image.
//!
//! Rows and columns are treated alike, so a map describes one axis. Every output is a sum over taps. Each tap has a source and a weight,
//! which is the same for all outputs. Tap a of the rows and tap b of the columns have the weight wₐ·w_b.

/// A linear map of an image's pixels, channel by channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resampling {
    /// Twice the side. Every pixel becomes a block of 2×2.
    Nearest,
    /// Twice the side, bilinear with half-pixel centres, as in PyTorch with `align_corners=False`.
    Bilinear,
    /// A border of so many pixels on each side, mirrored at the outermost pixels without repeating them. The image's side must be larger.
    Reflect(usize),
    /// A border of so many pixels on each side. Each repeats the nearest pixel of the image.
    Replicate(usize),
}

impl Resampling {
    /// Returns the side of the result.
    pub fn output_side(self, side: usize) -> usize {
        match self {
            Self::Nearest | Self::Bilinear => 2 * side,
            Self::Reflect(border) | Self::Replicate(border) => side + 2 * border,
        }
    }

    /// Returns the weights of the taps along one axis.
    fn weights(self) -> &'static [f32] {
        match self {
            Self::Bilinear => &[0.75, 0.25],
            Self::Nearest | Self::Reflect(_) | Self::Replicate(_) => &[1.0],
        }
    }

    /// Returns the source of one tap for each output along an axis of `side` pixels.
    fn sources(self, side: usize, tap: usize) -> Vec<usize> {
        let last = side - 1;
        let source = |output: usize| match self {
            Self::Nearest => output / 2,
            // The centre of an even output is a quarter of a pixel before that of its source. The centre of an odd output is a quarter of
            // a pixel after it.
            Self::Bilinear => match (tap, output % 2) {
                (0, _) => output / 2,
                (_, 0) => (output / 2).saturating_sub(1),
                _ => (output / 2 + 1).min(last),
            },
            Self::Reflect(border) => {
                let mirrored = output.abs_diff(border);
                if mirrored > last { 2 * last - mirrored } else { mirrored }
            }
            Self::Replicate(border) => output.saturating_sub(border).min(last),
        };
        (0..self.output_side(side)).map(source).collect()
    }
}

/// Sources and weights of each result along an axis.
pub(super) type Axis = Vec<Vec<(usize, f32)>>;

/// Returns the map along an axis of `side` pixels, and its transpose.
pub(super) fn axes(map: Resampling, side: usize) -> (Axis, Axis) {
    let mut forward = vec![Vec::new(); map.output_side(side)];
    let mut backward = vec![Vec::new(); side];
    for (tap, &weight) in map.weights().iter().enumerate() {
        for (output, source) in map.sources(side, tap).into_iter().enumerate() {
            forward[output].push((source, weight));
            backward[source].push((output, weight));
        }
    }
    (forward, backward)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_those_of_pytorch() {
        assert_eq!(Resampling::Nearest.sources(3, 0), [0, 0, 1, 1, 2, 2]);
        assert_eq!(Resampling::Bilinear.sources(3, 0), [0, 0, 1, 1, 2, 2]);
        assert_eq!(Resampling::Bilinear.sources(3, 1), [0, 1, 0, 2, 1, 2]);
        assert_eq!(Resampling::Reflect(2).sources(3, 0), [2, 1, 0, 1, 2, 1, 0]);
        assert_eq!(Resampling::Reflect(1).sources(2, 0), [1, 0, 1, 0]);
        assert_eq!(Resampling::Replicate(2).sources(2, 0), [0, 0, 0, 1, 1, 1]);
        assert_eq!(Resampling::Bilinear.sources(1, 1), [0, 0]);
    }
}
