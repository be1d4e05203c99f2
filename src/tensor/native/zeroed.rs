//! New buffers, zeroed by the threads that fill them. A part is then still in a core's cache when it is written.

use std::mem::MaybeUninit;

use rayon::prelude::*;

/// Creates a buffer of zeros. Calls `fill` with the number and the values of every piece of the given lengths.
pub(super) fn in_pieces(lengths: &[usize], fill: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    let length = lengths.iter().sum();
    let mut values = Vec::with_capacity(length);
    let pieces = split(&mut values.spare_capacity_mut()[..length], lengths);
    pieces.into_par_iter().enumerate().for_each(|(index, piece)| fill(index, zero(piece)));
    // SAFETY: every piece is zeroed.
    unsafe { values.set_len(length) };
    values
}

/// Creates a buffer of `length` zeros. Calls `fill` with the number and the values of every part of `part` values.
pub(super) fn in_parts(length: usize, part: usize, fill: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    in_pieces(&even_lengths(length, part), fill)
}

/// Cuts a buffer into pieces of the given lengths. The buffer must hold their sum.
pub(super) fn split<'v, T>(mut values: &'v mut [T], lengths: &[usize]) -> Vec<&'v mut [T]> {
    lengths.iter().map(|&length| values.split_off_mut(..length).expect("room for all pieces")).collect()
}

/// Returns the lengths of pieces of `piece` values. The last piece has the rest of `total`.
pub(super) fn even_lengths(total: usize, piece: usize) -> Vec<usize> {
    (0..total).step_by(piece).map(|from| piece.min(total - from)).collect()
}

/// Does the same as [`in_parts`] and also passes the parts of another buffer of the same length to `fill`.
pub(super) fn in_parts_with<T: Send>(
    length: usize,
    part: usize,
    other: &mut [T],
    fill: impl Fn(usize, &mut [f32], &mut [T]) + Sync,
) -> Vec<f32> {
    assert_eq!(length, other.len(), "buffers of one length");
    let mut values = Vec::with_capacity(length);
    values.spare_capacity_mut()[..length]
        .par_chunks_mut(part)
        .zip(other.par_chunks_mut(part))
        .enumerate()
        .for_each(|(index, (part, other))| fill(index, zero(part), other));
    // SAFETY: every part is zeroed, because both buffers have the same number of parts.
    unsafe { values.set_len(length) };
    values
}

fn zero(part: &mut [MaybeUninit<f32>]) -> &mut [f32] {
    part.fill(MaybeUninit::new(0.0));
    // SAFETY: filled one line above.
    unsafe { part.assume_init_mut() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_zero_before_it_is_filled_and_has_its_number() {
        let values = in_parts(10, 4, |index, part| part.iter_mut().for_each(|v| *v += index as f32));
        assert_eq!(values, [0., 0., 0., 0., 1., 1., 1., 1., 2., 2.]);
        let mut other = [0_u8; 5];
        let values = in_parts_with(5, 2, &mut other, |index, part, other| {
            part.fill(1.0);
            other.fill(index as u8);
        });
        assert_eq!((values, other), (vec![1.0; 5], [0, 0, 1, 1, 2]));
        let values = in_pieces(&[1, 3], |index, piece| piece.iter_mut().for_each(|v| *v += index as f32));
        assert_eq!(values, [0., 1., 1., 1.]);
        assert!(in_parts(0, 4, |_, _| ()).is_empty());
    }
}
