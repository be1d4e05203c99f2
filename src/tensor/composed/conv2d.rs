//! 2-D convolution: im2row as one gather, then one matrix product.
//!
//! y = rows(x) · W + b. Backward: dW = rows(x)ᵀ · dy, db = Σ dy. With stride 1, dx is a convolution of dy with the rotated kernel.
//! Otherwise it is the sum of dy · Wᵀ over the taps that cover a pixel. Nothing is scattered: every sum has one writer.

use dfdx::shapes::HasShape;
use dfdx::tensor::{PutTape, SplitTape, Tape};
use dfdx::tensor_ops::{PermuteTo, ReshapeTo, TryAdd, TryMatMul};

use super::device::ComposedDevice;
use super::gradient_buffer::add;
use super::pattern::{Pattern, WindowedImage};
use super::rows::{Images, add_columns, column_sums, gather, images, pixels};
use crate::tensor::Conv2d;
use crate::tensor::tape::take;
use crate::tensor::tensors::{DeviceResult, Features, Matrix, Vector};

/// See [`crate::tensor::Backend::conv2d`].
pub(in crate::tensor) fn conv2d<D: ComposedDevice, T: Tape<f32, D>>(
    x: Features<D, T>,
    weight: &Vector<D>,
    bias: Option<&Vector<D>>,
    conv: Conv2d,
) -> DeviceResult<D, Features<D, T>> {
    let shape = *x.shape();
    let image = WindowedImage { window: conv.window(), height: shape.1, width: shape.2 };
    let (x, mut tape) = x.split_tape();

    let rows = im2row(images(x.clone())?, image)?;
    let kernel: Matrix<D> = weight.clone().try_reshape_like(&(conv.depth(), conv.output))?;
    let mut y = rows.clone().try_matmul(kernel)?;
    if let Some(bias) = bias {
        y = add_columns(y, bias.clone())?;
    }
    let y = y.try_reshape_like(&conv.output_shape(shape))?;

    let (x, weight, bias, result) = (x.ghost(), weight.clone(), bias.cloned(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let dy: Features<D> = take!(gradients, &result)?;
        if let Some(bias) = bias {
            add(gradients.get_or_alloc_mut(&bias)?, column_sums(pixels(dy.clone())?)?)?;
        }
        let dw = rows.try_permute::<(usize, usize), _>()?.try_matmul(pixels(dy.clone())?)?;
        add(gradients.get_or_alloc_mut(&weight)?, dw)?;
        if conv.input_gradient {
            let dx = input_gradient(images(dy)?, &weight, &conv, image)?;
            add(gradients.get_or_alloc_mut(&x)?, dx)?;
        }
        Ok(())
    });
    Ok(y.put_tape(tape))
}

/// Returns one row per position of the window: the channels of its pixels.
fn im2row<D: ComposedDevice>(x: Images<D>, image: WindowedImage) -> DeviceResult<D, Matrix<D>> {
    let (count, _, channels) = *x.shape();
    let bordered = if image.window.padding > 0 { gather(x, Pattern::Padded(image), 0.0)? } else { x };
    let is_pixel = image.window.kernel == 1 && image.window.stride == 1;
    let rows = if is_pixel { bordered } else { gather(bordered, Pattern::Windows(image), 0.0)? };
    rows.try_reshape_like(&(count * image.positions(), image.taps() * channels))
}

fn input_gradient<D: ComposedDevice>(
    dy: Images<D>,
    weight: &Vector<D>,
    conv: &Conv2d,
    image: WindowedImage,
) -> DeviceResult<D, Images<D>> {
    let (count, positions, output) = *dy.shape();
    let (kernel, input) = (conv.kernel, conv.input);
    if conv.stride == 1 {
        let weights = weight.clone().try_reshape_like(&(1, conv.weights(), 1))?;
        let rotated = gather(weights, Pattern::Rotated { kernel, input, output }, 0.0)?;
        let back = conv.transposed();
        let outputs = WindowedImage { window: back.window(), height: image.out_height(), width: image.out_width() };
        let dx = im2row(dy, outputs)?.try_matmul(rotated.try_reshape_like(&(back.depth(), input))?)?;
        return dx.try_reshape_like(&(count, image.height * image.width, input));
    }
    let weights: Matrix<D> = weight.clone().try_reshape_like(&(conv.depth(), output))?;
    // An extra row of zeros, for taps outside of all windows.
    let dy = gather(dy, Pattern::ExtraRow(positions), 0.0)?.try_reshape_like(&(count * (positions + 1), output))?;
    let rows = dy.try_matmul(weights.try_permute::<(usize, usize), _>()?)?;
    row2im(&rows.try_reshape_like(&(count, (positions + 1) * image.taps(), input))?, image)
}

/// Adds the pixels of every window back to the image: the transpose of im2row. Rows of zeros follow the rows of the windows.
pub(super) fn row2im<D: ComposedDevice>(rows: &Images<D>, image: WindowedImage) -> DeviceResult<D, Images<D>> {
    let mut sum = gather(rows.clone(), Pattern::Covering(image, 0), 0.0)?;
    for nth in 1..image.max_covering() {
        sum = sum.try_add(gather(rows.clone(), Pattern::Covering(image, nth), 0.0)?)?;
    }
    Ok(sum)
}
