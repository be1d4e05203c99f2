//! Arguments of launches.

use super::device::CudaBuffer;

/// A value that a kernel takes, as a word that holds it in its lowest bytes.
pub(super) trait Argument {
    fn word(self) -> u64;
}

impl Argument for &CudaBuffer {
    fn word(self) -> u64 {
        self.address()
    }
}

impl Argument for &mut CudaBuffer {
    fn word(self) -> u64 {
        self.address()
    }
}

impl Argument for Option<&CudaBuffer> {
    /// A missing buffer is a null pointer.
    fn word(self) -> u64 {
        self.map_or(0, CudaBuffer::address)
    }
}

/// An address.
impl Argument for u64 {
    fn word(self) -> u64 {
        self
    }
}

/// An `int`.
impl Argument for usize {
    fn word(self) -> u64 {
        i32::try_from(self).expect("counts below 2³¹") as u64
    }
}

/// An `int` that is 0 or 1.
impl Argument for bool {
    fn word(self) -> u64 {
        self.into()
    }
}

impl Argument for f32 {
    fn word(self) -> u64 {
        self.to_bits().into()
    }
}

impl Argument for f64 {
    fn word(self) -> u64 {
        self.to_bits()
    }
}

/// Queues a launch: `launch!("kernel", blocks; arguments…)`, or with `[x, y, z]` blocks.
macro_rules! launch {
    ($kernel:expr, [$x:expr, $y:expr, $z:expr]; $($argument:expr),+ $(,)?) => {
        $crate::tensor::cuda::device::launch(
            $kernel,
            [$x, $y, $z],
            $crate::tensor::cuda::device::BLOCK,
            &[$($crate::tensor::cuda::launch::Argument::word($argument)),+],
        )
    };
    ($kernel:expr, $blocks:expr; $($argument:expr),+ $(,)?) => { launch!($kernel, [$blocks, 1, 1]; $($argument),+) };
}
pub(super) use launch;

/// Returns the blocks of kernels whose threads work on four values each.
pub(super) fn by_fours(count: usize) -> usize {
    count.div_ceil(1024)
}

/// Returns a sum's buffer, and whether a kernel adds to it: 1 if it exists, else 0 with new memory of `length` values.
pub(super) fn destination(sum: &mut Option<CudaBuffer>, length: usize) -> crate::tensor::OpResult<(&CudaBuffer, bool)> {
    let accumulate = sum.is_some();
    if sum.is_none() {
        *sum = Some(CudaBuffer::new(length)?);
    }
    Ok((sum.as_ref().expect("filled above"), accumulate))
}
