//! Products of matrices that stay in a core's own cache.
//!
//! A general matrix product first copies its factors to an order that suits its loops. Here the kernels of a convolution are brought to
//! that order once, for all blocks of tiles, and the other factor is read where it is. So blocks can be small, and what belongs to a block
//! stays in the second-level cache. Every product is one sum in the order of its terms, for any vectors and any size of blocks.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::transforms::{load, store};
use crate::tensor::native::gemm::WriteMode;

/// Columns of a panel: four vectors of AVX-512, and a multiple of all others.
const PANEL: usize = 64;
/// Rows of a tile of sums.
const ROWS: usize = 6;

/// A left factor: element (row, k) is `values[row * row_stride + k * stride]`.
#[derive(Clone, Copy)]
pub(super) struct Left<'a> {
    values: &'a [f32],
    row_stride: usize,
    stride: usize,
    rows: usize,
    depth: usize,
}

impl<'a> Left<'a> {
    /// Returns a dense matrix of (rows × depth).
    pub(super) fn new(values: &'a [f32], rows: usize, depth: usize) -> Self {
        assert!(values.len() >= rows * depth, "a matrix of {rows}×{depth} over {} values", values.len());
        Self { values, row_stride: depth, stride: 1, rows, depth }
    }

    /// Returns the transposed matrix of a dense one of (depth × rows).
    pub(super) fn transposed(values: &'a [f32], rows: usize, depth: usize) -> Self {
        assert!(values.len() >= rows * depth, "a matrix of {depth}×{rows} over {} values", values.len());
        Self { values, row_stride: 1, stride: rows, rows, depth }
    }
}

/// A right factor, in panels of [`PANEL`] columns.
#[derive(Clone, Copy)]
pub(super) struct Right<'a> {
    values: &'a [f32],
    depth: usize,
    columns: usize,
    packed: bool,
}

impl<'a> Right<'a> {
    /// Returns a dense matrix of (depth × columns).
    pub(super) fn new(values: &'a [f32], depth: usize, columns: usize) -> Self {
        assert!(values.len() >= depth * columns, "a matrix of {depth}×{columns} over {} values", values.len());
        Self { values, depth, columns, packed: false }
    }

    /// Returns a matrix that [`pack`] reordered.
    pub(super) fn packed(values: &'a [f32], depth: usize, columns: usize) -> Self {
        Self { packed: true, ..Self::new(values, depth, columns) }
    }

    /// Returns the columns from `first` to the end of their panel: values, and the distance between rows.
    #[inline(always)]
    fn columns_from(&self, first: usize) -> (&'a [f32], usize) {
        let panel = first / PANEL * PANEL;
        match self.packed {
            true => (&self.values[panel * self.depth + first - panel..], PANEL.min(self.columns - panel)),
            false => (&self.values[first..], self.columns),
        }
    }
}

/// Reorders dense matrices of (depth × columns), so that each panel is a dense matrix after the one before it.
pub(super) fn pack(from: &[f32], depth: usize, columns: usize, to: &mut [f32]) {
    let matrices = to.par_chunks_exact_mut(depth * columns).zip(from.par_chunks_exact(depth * columns));
    matrices.for_each(|(to, from)| {
        for (number, panel) in to.chunks_mut(depth * PANEL).enumerate() {
            let width = panel.len() / depth;
            for (to, from) in panel.chunks_exact_mut(width).zip(from.chunks_exact(columns)) {
                to.copy_from_slice(&from[number * PANEL..][..width]);
            }
        }
    });
}

/// Computes left · right, or adds it. The result is a dense matrix.
pub(super) struct Product<'a> {
    left: Left<'a>,
    right: Right<'a>,
    to: &'a mut [f32],
    mode: WriteMode,
}

impl<'a> Product<'a> {
    pub(super) fn new(left: Left<'a>, right: Right<'a>, to: &'a mut [f32], mode: WriteMode) -> Self {
        assert_eq!(left.depth, right.depth, "inner sides of a matrix product");
        assert!(to.len() >= left.rows * right.columns, "room for the product");
        Self { left, right, to, mode }
    }

    /// Computes `V` vectors of columns, or part of one.
    #[inline(always)]
    fn columns<S: Simd, const V: usize, const PART: bool>(&mut self, simd: S, first: usize, count: usize) {
        let mut row = 0;
        while row < self.left.rows {
            row += match self.left.rows - row {
                ROWS.. => self.tile::<S, ROWS, V, PART>(simd, row, first, count),
                4.. => self.tile::<S, 4, V, PART>(simd, row, first, count),
                2.. => self.tile::<S, 2, V, PART>(simd, row, first, count),
                _ => self.tile::<S, 1, V, PART>(simd, row, first, count),
            };
        }
    }

    /// Computes a tile of `R` rows and `V` vectors of columns, or part of one, in registers. Returns `R`.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const V: usize, const PART: bool>(
        &mut self,
        simd: S,
        row: usize,
        first: usize,
        count: usize,
    ) -> usize {
        let Self { left, right, .. } = *self;
        let (columns, stride) = right.columns_from(first);
        let rows = &left.values[row * left.row_stride..];
        let width = if PART { count } else { S::F32_LANES };
        let mut sums = [[simd.splat_f32s(0.0); V]; R];
        for k in 0..left.depth {
            let mut vectors = [simd.splat_f32s(0.0); V];
            for (v, vector) in vectors.iter_mut().enumerate() {
                // SAFETY: `Right` checked that it has all rows, and these are some of its columns.
                *vector = load::<S, PART>(simd, unsafe {
                    let from = k * stride + v * width;
                    columns.get_unchecked(from..from + width)
                });
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                // SAFETY: `Left` checked that it has all these rows.
                let value = simd.splat_f32s(unsafe { *rows.get_unchecked(r * left.row_stride + k * left.stride) });
                for (sum, vector) in sums.iter_mut().zip(vectors) {
                    *sum = simd.mul_add_e_f32s(value, vector, *sum);
                }
            }
        }
        for (r, sums) in sums.into_iter().enumerate() {
            let to = &mut self.to[(row + r) * right.columns + first..][..V * width];
            for (to, sum) in to.chunks_exact_mut(width).zip(sums) {
                let sum = if self.mode == WriteMode::Accumulate {
                    simd.add_f32s(load::<S, PART>(simd, to), sum)
                } else {
                    sum
                };
                store::<S, PART>(simd, to, sum);
            }
        }
        R
    }
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let lanes = S::F32_LANES;
        let mut first = 0;
        while first < self.right.columns {
            // A tile does not extend over its panel.
            let count = (self.right.columns - first).min(PANEL - first % PANEL);
            first += if count >= 4 * lanes && S::REGISTER_COUNT >= 32 {
                self.columns::<S, 4, false>(simd, first, count);
                4 * lanes
            } else if count >= 2 * lanes {
                self.columns::<S, 2, false>(simd, first, count);
                2 * lanes
            } else if count >= lanes {
                self.columns::<S, 1, false>(simd, first, count);
                lanes
            } else {
                self.columns::<S, 1, true>(simd, first, count);
                count
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use pulp::Arch;

    use super::*;
    use crate::tensor::native::gemm::{Matrix, gemm};

    /// Returns small whole numbers, whose products have no rounding.
    fn values(count: usize, modulus: usize) -> Vec<f32> {
        (0..count).map(|index| (index * 7 % modulus) as f32 - 3.0).collect()
    }

    #[test]
    fn products_of_all_shapes_agree_with_the_general_product() {
        for (rows, depth, columns) in
            [(1, 1, 1), (6, 3, 64), (7, 5, 65), (13, 16, 96), (16, 64, 128), (5, 2, 31), (11, 9, 200), (64, 17, 47)]
        {
            let (left, right) = (values(rows * depth, 11), values(depth * columns, 13));
            let transposed: Vec<f32> =
                (0..depth * rows).map(|index| left[index % rows * depth + index / rows]).collect();
            let mut packed = vec![0.0; right.len()];
            pack(&right, depth, columns, &mut packed);
            for mode in [WriteMode::Overwrite, WriteMode::Accumulate] {
                let mut expected = vec![0.5; rows * columns];
                gemm(Matrix::new(&left, rows, depth), Matrix::new(&right, depth, columns), &mut expected, mode);
                for left in [Left::new(&left, rows, depth), Left::transposed(&transposed, rows, depth)] {
                    for right in [Right::new(&right, depth, columns), Right::packed(&packed, depth, columns)] {
                        let mut ours = vec![0.5; rows * columns];
                        Arch::new().dispatch(Product::new(left, right, &mut ours, mode));
                        assert_eq!(ours, expected, "{rows} {depth} {columns}");
                    }
                }
            }
        }
    }
}
