//! Measures the speed of matrix products and of memory on this machine.

use gemm_common::Parallelism;
use gemm_f32::gemm::f32::get_gemm_fn;
use rayon::prelude::*;

use crate::{median, repeat};

/// Side of the matrices, which fit into a core's cache.
const SIDE: usize = 384;
const PRODUCTS: usize = 200;

/// Returns 10⁹ floating-point operations per second on this many threads, each with its own products.
pub fn matrix_products(threads: usize) -> f64 {
    let factor = vec![1.0_f32; SIDE * SIDE];
    let seconds = repeat(&mut || {
        (0..threads).into_par_iter().for_each(|_| {
            let mut product = vec![0.0_f32; SIDE * SIDE];
            (0..PRODUCTS).for_each(|_| multiply(&factor, &mut product));
        });
    });
    let seconds = median(&seconds);
    2e-9 * (threads * PRODUCTS * SIDE.pow(3)) as f64 / seconds
}

/// Floats of each of the three arrays of [`memory_bandwidth`]: far more than the caches hold.
const ARRAY: usize = 1 << 25;

/// Returns 10⁹ bytes per second that threads read and write together: the triad a = b + 3·c of STREAM (McCalpin 1995), 12 bytes per element.
pub fn memory_bandwidth(threads: usize) -> f64 {
    let (b, c) = (vec![1.0_f32; ARRAY], vec![2.0_f32; ARRAY]);
    let mut a = vec![0.0_f32; ARRAY];
    let part = ARRAY.div_ceil(threads);
    let seconds = repeat(&mut || {
        let inputs = b.par_chunks(part).zip(c.par_chunks(part));
        a.par_chunks_mut(part).zip(inputs).for_each(|(a, (b, c))| {
            a.iter_mut().zip(b.iter().zip(c)).for_each(|(a, (b, c))| *a = b + 3.0 * c);
        });
    });
    12e-9 * ARRAY as f64 / median(&seconds)
}

fn multiply(factor: &[f32], product: &mut [f32]) {
    let (side, row, column) = (SIDE, SIDE as isize, 1);
    // SAFETY: the buffers have SIDE × SIDE values, row-major; the product is borrowed exclusively.
    unsafe {
        get_gemm_fn()(
            side,
            side,
            side,
            product.as_mut_ptr(),
            row,
            column,
            false,
            factor.as_ptr(),
            row,
            column,
            factor.as_ptr(),
            row,
            column,
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
