//! Convolutions as implicit matrix products, by own kernels or by cuDNN.
//!
//! Own kernels take weights as (kernel row, kernel column, input, output), cuDNN as (output, kernel row, kernel column, input).

use super::cudnn::Convolution;
use super::device::{self, CudaBuffer, numerics};
use super::launch::{destination, launch};
use super::tiles::{Choice, Pass, choose};
use crate::tensor::geometry::Nhwc;
use crate::tensor::{Conv2d, Numerics, OpResult};

/// What happens to a convolution's outputs: y = relu?(sum·scale + shift + shortcut).
#[derive(Default)]
pub(super) struct Epilogue<'a> {
    /// A factor per channel.
    pub(super) scale: Option<&'a CudaBuffer>,
    /// A term per channel; also a bias.
    pub(super) shift: Option<&'a CudaBuffer>,
    pub(super) shortcut: Option<&'a CudaBuffer>,
    pub(super) relu: bool,
}

impl Epilogue<'_> {
    /// Returns whether anything happens.
    fn is_some(&self) -> bool {
        self.scale.is_some() || self.shift.is_some() || self.shortcut.is_some() || self.relu
    }
}

/// Returns a kernel's name: `f32`, or `tf32` if the GPU was opened with it.
macro_rules! kernel {
    ($pass:literal, $choice:expr) => {
        match ($choice.tile.name, numerics()) {
            ("128x128", Numerics::F32) => concat!($pass, "_128x128"),
            ("128x64", Numerics::F32) => concat!($pass, "_128x64"),
            ("64x64", Numerics::F32) => concat!($pass, "_64x64"),
            (_, Numerics::F32) => concat!($pass, "_any"),
            ("128x128", Numerics::Tf32) => concat!($pass, "_128x128_tf32"),
            ("128x64", Numerics::Tf32) => concat!($pass, "_128x64_tf32"),
            ("64x64", Numerics::Tf32) => concat!($pass, "_64x64_tf32"),
            (_, Numerics::Tf32) => concat!($pass, "_any_tf32"),
        }
    };
}

/// Queues a launch with the shape of a convolution among its arguments: `before`, the shape, `after`.
macro_rules! launch_shaped {
    ($kernel:expr, $grid:tt; $shape:expr, $conv:expr; $($before:expr),+; $($after:expr),*) => {{
        let ((images, height, width, _), conv) = ($shape, $conv);
        let (_, out_height, out_width, _) = conv.output_shape($shape);
        launch!(
            $kernel, $grid;
            $($before,)+ images, height, width, conv.input, conv.output, conv.kernel, conv.stride, conv.padding,
            out_height, out_width $(, $after)*
        )
    }};
}

/// Convolves.
pub(super) fn forward(
    x: &CudaBuffer,
    shape: Nhwc,
    weight: &CudaBuffer,
    conv: &Conv2d,
    epilogue: &Epilogue<'_>,
) -> OpResult<CudaBuffer> {
    if let Some(cudnn) = device::cudnn(Pass::Forward, shape, conv, epilogue.is_some())? {
        return forward_by_cudnn(cudnn, x, shape, weight, conv, epilogue);
    }
    let &Epilogue { scale, shift, shortcut, relu } = epilogue;
    let choice = choose(Pass::Forward, shape, conv, numerics());
    let Choice { tile, splits } = choice;
    let (images, out_height, out_width, _) = conv.output_shape(shape);
    let pixels = images * out_height * out_width;
    let y = CudaBuffer::new(pixels * conv.output)?;
    let (rows, columns) = (pixels.div_ceil(tile.rows), conv.output.div_ceil(tile.columns));
    let kernel = kernel!("conv_forward", choice);
    if splits == 1 {
        launch_shaped!(kernel, [rows, columns, 1]; shape, conv; x, weight, scale, shift, shortcut, &y; relu)?;
        return Ok(y);
    }
    let none = None::<&CudaBuffer>;
    let partial = CudaBuffer::new(splits * y.len())?;
    launch_shaped!(kernel, [rows, columns, splits]; shape, conv; x, weight, none, none, none, &partial; false)?;
    launch!(
        "conv_forward_finish", y.len().div_ceil(256);
        &partial, scale, shift, shortcut, &y, y.len(), conv.output, splits, relu,
    )?;
    Ok(y)
}

/// See [`crate::tensor::Kernels::convolution_input_gradient`].
pub(super) fn backward_input(
    dy: &CudaBuffer,
    weight: &CudaBuffer,
    shape: Nhwc,
    conv: &Conv2d,
    sum: &mut Option<CudaBuffer>,
) -> OpResult<()> {
    let (images, height, width, channels) = shape;
    let count = images * height * width * channels;
    let (dx, accumulate) = destination(sum, count)?;
    if let Some(cudnn) = device::cudnn(Pass::Data, shape, conv, false)? {
        let weight = transposed(weight, conv.depth(), conv.output)?;
        return device::convolve(cudnn, [dx, &weight, dy], accumulate);
    }
    let choice = choose(Pass::Data, shape, conv, numerics());
    let Choice { tile, splits } = choice;
    // Pixels that see the same taps are a class.
    let (classes, stride) = (conv.stride * conv.stride, conv.stride);
    let pixels_of_class = images * height.div_ceil(stride) * width.div_ceil(stride);
    let (rows, columns) = (pixels_of_class.div_ceil(tile.rows), channels.div_ceil(tile.columns));
    let kernel = kernel!("conv_backward_data", choice);
    if splits == 1 {
        return launch_shaped!(kernel, [rows, columns, classes]; shape, conv; dy, weight, dx; accumulate);
    }
    let partial = CudaBuffer::new(splits * count)?;
    launch_shaped!(kernel, [rows, columns, classes * splits]; shape, conv; dy, weight, &partial; false)?;
    launch!("sum_parts", count.div_ceil(256); &partial, dx, count, splits, accumulate)
}

/// See [`crate::tensor::Kernels::convolution_weight_gradient`].
pub(super) fn backward_weights(
    x: &CudaBuffer,
    shape: Nhwc,
    dy: &CudaBuffer,
    conv: &Conv2d,
    sum: &mut Option<CudaBuffer>,
) -> OpResult<()> {
    let count = conv.weights();
    let (dw, accumulate) = destination(sum, count)?;
    if let Some(cudnn) = device::cudnn(Pass::Weights, shape, conv, false)? {
        let gradient = CudaBuffer::new(count)?;
        device::convolve(cudnn, [x, &gradient, dy], false)?;
        return transpose(&gradient, dw, conv.output, conv.depth(), accumulate);
    }
    let choice = choose(Pass::Weights, shape, conv, numerics());
    let Choice { tile, splits } = choice;
    let (rows, columns) = (conv.depth().div_ceil(tile.rows), conv.output.div_ceil(tile.columns));
    let kernel = kernel!("conv_backward_weights", choice);
    if splits == 1 && !accumulate {
        return launch_shaped!(kernel, [rows, columns, 1]; shape, conv; x, dy, dw;);
    }
    let partial = CudaBuffer::new(splits * count)?;
    launch_shaped!(kernel, [rows, columns, splits]; shape, conv; x, dy, &partial;)?;
    launch!("sum_parts", count.div_ceil(256); &partial, dw, count, splits, accumulate)
}

/// [`forward`] by cuDNN, and then what happens to the outputs.
fn forward_by_cudnn(
    cudnn: Convolution,
    x: &CudaBuffer,
    shape: Nhwc,
    weight: &CudaBuffer,
    conv: &Conv2d,
    epilogue: &Epilogue<'_>,
) -> OpResult<CudaBuffer> {
    let weight = transposed(weight, conv.depth(), conv.output)?;
    let (images, out_height, out_width, channels) = conv.output_shape(shape);
    let y = CudaBuffer::new(images * out_height * out_width * channels)?;
    device::convolve(cudnn, [x, &weight, &y], false)?;
    if epilogue.is_some() {
        let &Epilogue { scale, shift, shortcut, relu } = epilogue;
        // In place, with one part.
        launch!(
            "conv_forward_finish", y.len().div_ceil(256);
            &y, scale, shift, shortcut, &y, y.len(), channels, 1_usize, relu,
        )?;
    }
    Ok(y)
}

/// Returns the transpose of a matrix.
fn transposed(matrix: &CudaBuffer, rows: usize, columns: usize) -> OpResult<CudaBuffer> {
    let transposed = CudaBuffer::new(matrix.len())?;
    transpose(matrix, &transposed, rows, columns, false)?;
    Ok(transposed)
}

fn transpose(from: &CudaBuffer, to: &CudaBuffer, rows: usize, columns: usize, accumulate: bool) -> OpResult<()> {
    launch!(
        "transpose_weights", rows.div_ceil(32) * columns.div_ceil(32);
        from, to, rows, columns, accumulate,
    )
}
