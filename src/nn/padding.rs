//! How a convolution pads its input.

use crate::settings::choices;
use crate::tensor::{Backend, Conv2d, Features, OpResult, Resampling, Tape};

choices! {
    /// The values around an image.
    pub enum Padding {
        /// Zeros.
        Zero = "zero",
        /// The image mirrored at its outermost pixels.
        Reflect = "reflect",
        /// The outermost pixels, repeated.
        Replicate = "replicate",
    }
}

impl Padding {
    /// Pads the input of a convolution. Returns it with the convolution that then needs no padding.
    ///
    /// With zeros, returns both unchanged, because convolutions pad with zeros themselves.
    pub(super) fn pad<B: Backend, T: Tape>(
        self,
        x: Features<B, T>,
        conv: Conv2d,
    ) -> OpResult<(Features<B, T>, Conv2d)> {
        if conv.padding == 0 {
            return Ok((x, conv));
        }
        let map = match self {
            Self::Zero => return Ok((x, conv)),
            Self::Reflect => Resampling::Reflect(conv.padding),
            Self::Replicate => Resampling::Replicate(conv.padding),
        };
        let x = match conv.input_gradient {
            true => B::resample(x, map)?,
            false => {
                let (x, tape) = x.split_tape();
                B::resample(x, map)?.put_tape(tape)
            }
        };
        Ok((x, Conv2d { padding: 0, ..conv }))
    }
}
