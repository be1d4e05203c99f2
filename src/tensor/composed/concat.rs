//! Concatenation on channels: for each pixel the channels of `a`, then those of `b`.
//!
//! It moves the channels as rows, in blocks whose size divides both channel counts.

use dfdx::shapes::{Axes2, HasShape};
use dfdx::tensor::Tape;
use dfdx::tensor_ops::{BroadcastTo, ChooseFrom, ReshapeTo};

use super::device::ComposedDevice;
use super::gradient_buffer::add;
use super::pattern::{Operand, Pattern};
use super::rows::{Images, gather};
use crate::tensor::geometry::concat_shape;
use crate::tensor::tape::binary;
use crate::tensor::tensors::{Buffer, DeviceResult, Features};

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// See [`crate::tensor::Backend::concat`].
pub(in crate::tensor) fn concat<D: ComposedDevice, T: Tape<f32, D>>(
    a: Features<D, T>,
    b: Features<D, T>,
) -> DeviceResult<D, Features<D, T>> {
    binary(a, b, |a, b| {
        let shape = concat_shape(*a.shape(), *b.shape());
        let (count, height, width, _) = shape;
        let (left, right) = (a.shape().3, b.shape().3);
        let size = greatest_common_divisor(left, right);
        let (pixels, blocks) = (height * width, (left / size, right / size));
        let rows = pixels * (blocks.0 + blocks.1);

        let joined = |operand| Pattern::Concatenated { pixels, blocks, operand };
        let of_first = D::cache().gather(joined(Operand::First))?;
        let from_a = gather(a.try_reshape_like(&(count, pixels * blocks.0, size))?, joined(Operand::First), 0.0)?;
        let from_b = gather(b.try_reshape_like(&(count, pixels * blocks.1, size))?, joined(Operand::Second), 0.0)?;
        let y = match &of_first.inside {
            Some(inside) => {
                inside.clone().try_broadcast_like::<_, Axes2<0, 2>>(&(count, rows, size))?.try_choose(from_a, from_b)?
            }
            None => from_a,
        };

        let backward = move |operand| {
            move |dy: &Features<D>, gradient: &mut Buffer<D>| {
                let dy: Images<D> = dy.clone().try_reshape_like(&(count, rows, size))?;
                add(gradient, gather(dy, Pattern::Split { pixels, blocks, operand }, 0.0)?)
            }
        };
        Ok((y.try_reshape_like(&shape)?, backward(Operand::First), backward(Operand::Second)))
    })
}
