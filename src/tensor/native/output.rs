//! Outputs of a convolution, in pieces that threads fill.

use rayon::prelude::*;

use super::gemm::WriteMode;

/// Last step for a piece while it is in cache. The first argument is the index of the piece's first value.
pub(super) type Finish<'a> = &'a (dyn Fn(usize, &mut [f32]) + Sync);

/// Destination of outputs.
pub(super) struct Output<'a> {
    pub(super) values: &'a mut [f32],
    pub(super) mode: WriteMode,
    /// Last step for each piece, if any.
    pub(super) finish: Option<Finish<'a>>,
}

impl<'a> Output<'a> {
    pub(super) fn new(values: &'a mut [f32], mode: WriteMode) -> Self {
        Self { values, mode, finish: None }
    }

    /// Fills the pieces of these lengths. Calls `work` with the number of each piece.
    pub(super) fn fill(self, lengths: &[usize], work: impl Fn(usize, &mut [f32], WriteMode) + Sync) {
        let Self { values, mode, finish } = self;
        let mut start = 0;
        let pieces: Vec<(usize, &mut [f32])> = split(values, lengths)
            .into_iter()
            .map(|piece| {
                start += piece.len();
                (start - piece.len(), piece)
            })
            .collect();
        pieces.into_par_iter().enumerate().for_each(|(index, (start, piece))| {
            work(index, piece, mode);
            if let Some(finish) = finish {
                finish(start, piece);
            }
        });
    }
}

/// Cuts a buffer into pieces of the given lengths. The buffer must hold their sum.
fn split<'v>(mut values: &'v mut [f32], lengths: &[usize]) -> Vec<&'v mut [f32]> {
    lengths.iter().map(|&length| values.split_off_mut(..length).expect("room for all pieces")).collect()
}

/// Returns the lengths of pieces of `piece` values. The last piece has the rest of `total`.
pub(super) fn even_lengths(total: usize, piece: usize) -> Vec<usize> {
    (0..total).step_by(piece).map(|from| piece.min(total - from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_filled_and_then_finished_once() {
        let mut values = [0.5; 10];
        let finish = |start: usize, piece: &mut [f32]| piece.iter_mut().for_each(|value| *value += start as f32);
        let output = Output { values: &mut values, mode: WriteMode::Overwrite, finish: Some(&finish) };
        output.fill(&even_lengths(10, 4), |index, piece, _| piece.fill(100.0 * index as f32));
        assert_eq!(values, [0., 0., 0., 0., 104., 104., 104., 104., 208., 208.]);
        assert!(even_lengths(0, 4).is_empty());
    }
}
