//! Which pixels a pixel of a resampled image is made of: up-sampling to twice the side, and borders that continue the image.
//!
//! Rows and columns are treated alike, so a map is given along one axis: every output is a sum of taps, each a source and the
//! tap's weight, which is the same for all outputs. Tap a of the rows and tap b of the columns count wₐ·w_b.

/// A linear map of an image's pixels, channel by channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resampling {
    /// Twice the side; every pixel becomes a block of 2×2.
    Nearest,
    /// Twice the side, bilinear with half-pixel centres, as PyTorch with `align_corners=False`.
    Bilinear,
    /// So many pixels on each side, mirrored at the outermost ones, which are not repeated; the side must be larger.
    Reflect(usize),
    /// So many pixels on each side, each the nearest of the image.
    Replicate(usize),
}

impl Resampling {
    /// Side of the result.
    pub fn output_side(self, side: usize) -> usize {
        match self {
            Self::Nearest | Self::Bilinear => 2 * side,
            Self::Reflect(border) | Self::Replicate(border) => side + 2 * border,
        }
    }

    /// The taps' weights along one axis.
    pub(super) fn weights(self) -> &'static [f32] {
        match self {
            Self::Bilinear => &[0.75, 0.25],
            Self::Nearest | Self::Reflect(_) | Self::Replicate(_) => &[1.0],
        }
    }

    /// One tap's source for each output along an axis of `side` pixels.
    pub(super) fn sources(self, side: usize, tap: usize) -> Vec<usize> {
        let last = side - 1;
        let source = |output: usize| match self {
            Self::Nearest => output / 2,
            // The centre of an even output lies a quarter of a pixel before its source's, that of an odd one behind it.
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
