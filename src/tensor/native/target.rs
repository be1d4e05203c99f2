//! Outputs of an operation, in pieces that threads fill.

use rayon::prelude::*;

use super::gemm::WriteMode;
use super::zeroed;

/// Last step for a piece while it is in cache. The first argument is the index of the piece's first value.
pub(super) type Finish<'a> = &'a (dyn Fn(usize, &mut [f32]) + Sync);

/// Destination of outputs.
pub(super) enum Target<'a> {
    /// Outputs are written to a new buffer.
    New {
        /// The new buffer.
        values: &'a mut Vec<f32>,
        /// Last step for each piece, if any.
        finish: Option<Finish<'a>>,
    },
    /// Outputs are added to existing values.
    Added(&'a mut [f32]),
}

impl Target<'_> {
    /// Fills the pieces of these lengths. Calls `work` with the number of each piece.
    pub(super) fn fill(self, lengths: &[usize], work: impl Fn(usize, &mut [f32], WriteMode) + Sync) {
        let starts: Vec<usize> = lengths
            .iter()
            .scan(0, |start, length| {
                *start += length;
                Some(*start - length)
            })
            .collect();
        match self {
            Self::New { values, finish } => {
                *values = zeroed::in_pieces(lengths, |index, piece| {
                    work(index, piece, WriteMode::Overwrite);
                    if let Some(finish) = finish {
                        finish(starts[index], piece);
                    }
                });
            }
            Self::Added(values) => {
                zeroed::split(values, lengths)
                    .into_par_iter()
                    .enumerate()
                    .for_each(|(index, piece)| work(index, piece, WriteMode::Accumulate));
            }
        }
    }
}
