//! Arguments of launches.

use super::device::CudaBuffer;

/// An argument, in the lowest bytes of a word.
#[derive(Debug, Clone, Copy)]
pub(super) enum Word {
    /// A value or an address.
    Value(u64),
    /// The address of the launch's numbers from this byte on.
    Number(u64),
}

/// A value that a kernel takes.
pub(super) trait Argument {
    fn word(self) -> Word;
}

/// The address of a launch's numbers, from this byte on.
#[derive(Debug, Clone, Copy)]
pub(super) struct NumbersFrom(pub(super) usize);

impl Argument for NumbersFrom {
    fn word(self) -> Word {
        Word::Number(self.0 as u64)
    }
}

impl Argument for &CudaBuffer {
    fn word(self) -> Word {
        Word::Value(self.address())
    }
}

impl Argument for &mut CudaBuffer {
    fn word(self) -> Word {
        Word::Value(self.address())
    }
}

impl Argument for Option<&CudaBuffer> {
    /// A missing buffer is a null pointer.
    fn word(self) -> Word {
        Word::Value(self.map_or(0, CudaBuffer::address))
    }
}

/// An address.
impl Argument for u64 {
    fn word(self) -> Word {
        Word::Value(self)
    }
}

/// An `int`.
impl Argument for usize {
    fn word(self) -> Word {
        Word::Value(i32::try_from(self).expect("counts below 2³¹") as u64)
    }
}

/// An `int` that is 0 or 1.
impl Argument for bool {
    fn word(self) -> Word {
        Word::Value(self.into())
    }
}

impl Argument for f32 {
    fn word(self) -> Word {
        Word::Value(self.to_bits().into())
    }
}

impl Argument for f64 {
    fn word(self) -> Word {
        Word::Value(self.to_bits())
    }
}

/// Queues a launch: `launch!("kernel", blocks; arguments…)`, with `[x, y, z]` blocks, or with numbers that the kernel reads from
/// memory: `launch!("kernel", blocks, numbers: bytes; arguments…)`.
macro_rules! launch {
    ($kernel:expr, [$x:expr, $y:expr, $z:expr]; $($argument:expr),+ $(,)?) => {
        launch!(@ $kernel, [$x, $y, $z], &[]; $($argument),+)
    };
    ($kernel:expr, $blocks:expr, numbers: $numbers:expr; $($argument:expr),+ $(,)?) => {
        launch!(@ $kernel, [$blocks, 1, 1], $numbers; $($argument),+)
    };
    ($kernel:expr, $blocks:expr; $($argument:expr),+ $(,)?) => {
        launch!(@ $kernel, [$blocks, 1, 1], &[]; $($argument),+)
    };
    (@ $kernel:expr, $grid:expr, $numbers:expr; $($argument:expr),+) => {
        $crate::tensor::cuda::device::launch(
            $kernel,
            $grid,
            $numbers,
            &[$($crate::tensor::cuda::launch::Argument::word($argument)),+],
        )
    };
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
