//! Max pooling, which compares the taps one after another. The first of equal maxima gets the gradient, as in PyTorch.

use dfdx::shapes::{Axes2, Axes3, Axes4, Axis, HasShape};
use dfdx::tensor::{Tape, Tensor};
use dfdx::tensor_ops::{BroadcastTo, ChooseFrom, ReshapeTo, SelectTo, TryAdd, TryEq, TryGt, TryMul};

use super::conv2d::row2im;
use super::device::ComposedDevice;
use super::gradient_buffer::add;
use super::pattern::{Pattern, WindowedImage};
use super::rows::{Images, gather, images, pixels, scalar, total};
use crate::tensor::geometry::MAX_POOL;
use crate::tensor::tape::unary;
use crate::tensor::tensors::{Buffer, DeviceResult, Features, Vector};

/// See [`crate::tensor::Backend::max_pool`].
pub(in crate::tensor) fn max_pool<D: ComposedDevice, T: Tape<f32, D>>(
    x: Features<D, T>,
) -> DeviceResult<D, Features<D, T>> {
    unary(x, |x| {
        let (count, height, width, channels) = *x.shape();
        let image = WindowedImage { window: MAX_POOL, height, width };
        let (positions, taps) = (image.positions(), image.taps());
        let shape = (count, positions, channels);
        let bordered = gather(images(x.clone())?, Pattern::Padded(image), f32::NEG_INFINITY)?;
        let windows = gather(bordered, Pattern::Windows(image), 0.0)?;
        let windows = windows.try_reshape_like(&(count, positions, taps, channels))?;
        let everywhere = |value: f32| scalar::<D>(value)?.try_broadcast_like::<_, Axes3<0, 1, 2>>(&shape);
        let mut best: Images<D> = tap(&windows, 0)?;
        let mut winner: Images<D> = everywhere(0.0)?;
        for number in 1..taps {
            let next = tap(&windows, number)?;
            let better = next.try_gt(&best)?;
            best = better.clone().try_choose(next, best)?;
            winner = better.try_choose(everywhere(number as f32)?, winner)?;
        }
        // A comparison ignores NaN, which must not be hidden. Therefore 0 · x, summed over all values, is added.
        let nan = total(pixels(x)?.try_mul(0.0)?)?;
        let y = best.try_add(nan.try_broadcast_like::<_, Axes3<0, 1, 2>>(&shape)?)?;
        let y = y.try_reshape_like(&(count, image.out_height(), image.out_width(), channels))?;

        let backward = move |dy: Features<D>, gradient: &mut Buffer<D>| {
            // An extra window of zeros, for pixels that fewer windows cover than others.
            let dy = gather(images(dy)?, Pattern::ExtraRow(positions), 0.0)?;
            let winner = gather(winner, Pattern::ExtraRow(positions), 0.0)?;
            let each = (count, positions + 1, taps, channels);
            let numbers = (0..taps).map(|number| number as f32).collect();
            let numbers: Vector<D> = D::handle().try_tensor_from_vec(numbers, (taps,))?;
            let numbers = numbers.try_broadcast_like::<_, Axes3<0, 1, 3>>(&each)?;
            let won = numbers.try_eq(&winner.try_broadcast_like::<_, Axis<2>>(&each)?)?;
            let nothing = scalar::<D>(0.0)?.try_broadcast_like::<_, Axes4<0, 1, 2, 3>>(&each)?;
            let rows = won.try_choose(dy.try_broadcast_like::<_, Axis<2>>(&each)?, nothing)?;
            let rows = rows.try_reshape_like(&(count, (positions + 1) * taps, channels))?;
            add(gradient, row2im(&rows, image)?)
        };
        Ok((y, backward))
    })
}

/// Returns one tap of every window.
fn tap<D: ComposedDevice>(windows: &Features<D>, number: usize) -> DeviceResult<D, Images<D>> {
    let (count, positions, ..) = *windows.shape();
    let index: Tensor<(), usize, D> = D::handle().try_tensor_from_vec(vec![number], ())?;
    windows.clone().try_select(index.try_broadcast_like::<_, Axes2<0, 1>>(&(count, positions))?)
}
