//! 2-D convolution: im2row as one gather, then one matrix product.
//!
//! y = rows(x) · W + b. Backward: dW = rows(x)ᵀ · dy, db = Σ dy; dx is with stride 1 a convolution of dy with the kernel
//! turned by 180° and its channels exchanged, else the sum over the taps that a pixel lies under of dy · Wᵀ. Nothing is
//! scattered: every sum has one writer.

use dfdx::shapes::HasShape;
use dfdx::tensor::{PutTape, SplitTape, Tape};
use dfdx::tensor_ops::{PermuteTo, ReshapeTo, TryAdd, TryMatMul};

use super::border::{add, take};
use super::pattern::{Pattern, Window};
use super::place::{Outcome, Place};
use super::rows::{Images, Matrix, add_columns, column_sums, gather, images, pixels};
use super::{Taped, Weights};
use crate::tensor::Conv2d;

/// See [`crate::tensor::Backend::conv2d`].
pub(super) fn conv2d<D: Place, T: Tape<f32, D>>(
    x: Taped<D, T>,
    weight: &Weights<D>,
    bias: Option<&Weights<D>>,
    conv: Conv2d,
) -> Outcome<D, Taped<D, T>> {
    let (count, height, width, channels) = *x.shape();
    debug_assert_eq!(channels, conv.input);
    let window = Window { height, width, kernel: conv.kernel, stride: conv.stride, padding: conv.padding };
    let shape = (count, window.out_height(), window.out_width(), conv.output);
    let (x, mut tape) = x.split_tape();

    let rows = im2row(images(&x)?, window)?;
    let kernel: Matrix<D> = weight.clone().try_reshape_like(&(conv.depth(), conv.output))?;
    let mut y = rows.clone().try_matmul(kernel)?;
    if let Some(bias) = bias {
        y = add_columns(y, bias.clone())?;
    }
    let y = y.try_reshape_like(&shape)?;

    let (x, weight, bias, out) = (x.ghost(), weight.clone(), bias.cloned(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let dy = take!(gradients, &out);
        if let Some(bias) = bias {
            add(gradients.get_or_alloc_mut(&bias)?, column_sums(pixels(dy.clone())?)?)?;
        }
        let dw = rows.try_permute::<(usize, usize), _>()?.try_matmul(pixels(dy.clone())?)?;
        add(gradients.get_or_alloc_mut(&weight)?, dw)?;
        if conv.input_gradient {
            let dx = input_gradient(images(&dy)?, &weight, &conv, window)?;
            add(gradients.get_or_alloc_mut(&x)?, dx)?;
        }
        Ok(())
    });
    Ok(y.put_tape(tape))
}

/// One row a place of the window: its pixels' channels.
fn im2row<D: Place>(x: Images<D>, window: Window) -> Outcome<D, Matrix<D>> {
    let (count, _, channels) = *x.shape();
    let bordered = if window.padding > 0 { gather(x, Pattern::Padded(window), 0.0)? } else { x };
    let whole = window.kernel == 1 && window.stride == 1;
    let rows = if whole { bordered } else { gather(bordered, Pattern::Windows(window), 0.0)? };
    rows.try_reshape_like(&(count * window.places(), window.taps() * channels))
}

fn input_gradient<D: Place>(
    dy: Images<D>,
    weight: &Weights<D>,
    conv: &Conv2d,
    window: Window,
) -> Outcome<D, Images<D>> {
    let (count, places, output) = *dy.shape();
    let (taps, input) = (window.taps(), conv.input);
    if conv.stride == 1 {
        let weights = weight.clone().try_reshape_like(&(1, taps * input * output, 1))?;
        let turned = gather(weights, Pattern::Turned { taps, input, output }, 0.0)?;
        let (height, width) = (window.out_height(), window.out_width());
        let back = Window { height, width, padding: conv.kernel - 1 - conv.padding, ..window };
        let dx = im2row(dy, back)?.try_matmul(turned.try_reshape_like(&(taps * output, input))?)?;
        return dx.try_reshape_like(&(count, window.height * window.width, input));
    }
    let kernel: Matrix<D> = weight.clone().try_reshape_like(&(conv.depth(), output))?;
    // A row of zeros more: what a tap outside of all windows adds.
    let dy = gather(dy, Pattern::OneMore(places), 0.0)?.try_reshape_like(&(count * (places + 1), output))?;
    let rows = dy.try_matmul(kernel.try_permute::<(usize, usize), _>()?)?;
    row2im(&rows.try_reshape_like(&(count, (places + 1) * taps, input))?, window)
}

/// Adds every window's pixels back to the image: the transpose of im2row. After the windows' rows come rows of zeros.
pub(super) fn row2im<D: Place>(rows: &Images<D>, window: Window) -> Outcome<D, Images<D>> {
    let mut sum = gather(rows.clone(), Pattern::Covering(window, 0), 0.0)?;
    for nth in 1..window.cover() {
        sum = sum.try_add(gather(rows.clone(), Pattern::Covering(window, nth), 0.0)?)?;
    }
    Ok(sum)
}
