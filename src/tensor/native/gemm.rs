//! The matrix product that all kernels call.

use gemm_common::Parallelism;
use gemm_f32::gemm::f32::get_gemm_fn;

/// A read-only matrix view: element (i, j) is `data[i * row_stride + j * column_stride]`.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Returns a dense row-major matrix.
    pub(super) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert!(data.len() >= rows * columns, "matrix of {rows}×{columns} over {} values", data.len());
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// Returns `count` columns, starting with the given one.
    pub(super) fn some_columns(self, from: usize, count: usize) -> Self {
        assert!(from + count <= self.columns, "columns {from}..{} of {}", from + count, self.columns);
        Self { data: &self.data[from * self.column_stride..], columns: count, ..self }
    }

    /// Returns the transposed matrix over the same values.
    pub(super) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// Treatment of values that are already in the output.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteMode {
    /// The product overwrites them.
    Overwrite,
    /// The product is added to them.
    Accumulate,
}

/// Computes c = a · b or c += a · b on the calling thread. c is dense row-major.
///
/// Callers divide their work into parts of a fixed shape and run these in parallel. The sums then have the same bits for any number of
/// threads.
pub(super) fn gemm(a: Matrix<'_>, b: Matrix<'_>, c: &mut [f32], mode: WriteMode) {
    assert_eq!(a.columns, b.rows, "inner sides of a matrix product");
    assert!(c.len() >= a.rows * b.columns, "room for the product");
    if a.rows == 0 || b.columns == 0 {
        return;
    }
    let stride = |n: usize| n as isize;
    // The kernels compute the product column by column. cᵀ = bᵀ · aᵀ has this layout, because c is stored row by row.
    // SAFETY: all three views are within their slices (asserted here and in `Matrix::new`). `c` is borrowed mutably, so it overlaps
    // neither `a` nor `b`.
    unsafe {
        get_gemm_fn()(
            b.columns,
            a.rows,
            a.columns,
            c.as_mut_ptr(),
            stride(b.columns),
            1,
            mode == WriteMode::Accumulate,
            b.data.as_ptr(),
            stride(b.row_stride),
            stride(b.column_stride),
            a.data.as_ptr(),
            stride(a.row_stride),
            stride(a.column_stride),
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn product_and_accumulation_agree_with_the_definition() {
        let a: Vec<f32> = (0..6).map(|v| v as f32).collect();
        let b: Vec<f32> = (0..12).map(|v| (v as f32) - 5.0).collect();
        let mut c = vec![1.0; 8];
        gemm(Matrix::new(&a, 2, 3), Matrix::new(&b, 3, 4), &mut c, WriteMode::Accumulate);
        for i in 0..2 {
            for j in 0..4 {
                let expected: f32 = 1.0 + (0..3).map(|k| a[i * 3 + k] * b[k * 4 + j]).sum::<f32>();
                assert_eq!(c[i * 4 + j], expected);
            }
        }
        let mut transposed = vec![9.0; 9];
        gemm(Matrix::new(&a, 2, 3).transposed(), Matrix::new(&a, 2, 3), &mut transposed, WriteMode::Overwrite);
        assert_eq!(transposed[1], a[0] * a[1] + a[3] * a[4]);
    }
}
