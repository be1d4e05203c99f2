//! NVIDIA GPUs with didact's own kernels. The sources in `kernels/` document what each computes, and its launch.

use super::device::{self, CudaBuffer};
use super::launch::{NumbersFrom, by_fours, destination, launch};
use super::norm::{self, Normalisation};
use super::{convolution, losses, optimiser, resample};
use crate::tensor::geometry::{Nhwc, max_pool_shape};
use crate::tensor::kernels::{FrozenBuffers, NormBuffers, NormGradients, NormalisedBuffers, Sum};
use crate::tensor::{Activation, Conv2d, DeviceMemory, Kernels, OpResult, Resampling, Update, UpdateRule};

/// NVIDIA GPUs with didact's own kernels. [`super::open`] must be called first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cuda;

/// Computes y = kernel(x).
fn mapped(kernel: &'static str, x: &CudaBuffer) -> OpResult<CudaBuffer> {
    let y = CudaBuffer::new(x.len())?;
    launch!(kernel, by_fours(x.len()); x, &y, x.len())?;
    Ok(y)
}

/// Computes y = kernel(a, b).
fn combined(kernel: &'static str, a: &CudaBuffer, b: &CudaBuffer) -> OpResult<CudaBuffer> {
    let y = CudaBuffer::new(a.len())?;
    launch!(kernel, by_fours(a.len()); a, b, &y, a.len())?;
    Ok(y)
}

impl Kernels for Cuda {
    type Buffer = CudaBuffer;
    type Normalisation = Normalisation;
    /// A byte per maximum.
    type Winners = CudaBuffer;

    const KIND: &'static str = "cuda";

    fn memory() -> Option<DeviceMemory> {
        device::memory()
    }

    fn convolutions() -> String {
        device::convolutions()
    }

    fn reset_memory() {
        device::reset_memory();
    }

    fn submit() -> OpResult<()> {
        device::submit()
    }

    fn upload_buffer(values: Vec<f32>) -> OpResult<CudaBuffer> {
        device::upload(&values)
    }

    fn keep_buffer(values: &[f32]) -> OpResult<CudaBuffer> {
        device::keep(values)
    }

    fn download_buffer(buffer: &CudaBuffer) -> OpResult<Vec<f32>> {
        device::download(buffer)
    }

    /// Keeps the address of the buffer, because recorded launches refer to it.
    fn overwrite_buffer(buffer: &mut CudaBuffer, values: &[f32]) -> OpResult<()> {
        let new = device::upload(values)?;
        launch!("axpy", by_fours(new.len()); &new, 1.0_f32, buffer, new.len(), false)
    }

    fn filled(value: f32, count: usize) -> OpResult<CudaBuffer> {
        let buffer = CudaBuffer::new(count)?;
        launch!("fill", by_fours(count); &buffer, value, count)?;
        Ok(buffer)
    }

    fn copied(buffer: &CudaBuffer) -> OpResult<CudaBuffer> {
        let mut copy = None;
        Self::add_scaled(1.0, buffer, &mut copy)?;
        Ok(copy.expect("filled above"))
    }

    fn gathered(rows: &CudaBuffer, indices: &[usize], columns: usize) -> OpResult<CudaBuffer> {
        let indices: Vec<i32> =
            indices.iter().map(|&index| i32::try_from(index).expect("fewer rows than 2³¹")).collect();
        let count = indices.len();
        let gathered = CudaBuffer::new(count * columns)?;
        launch!(
            "gather", count * columns.div_ceil(1024), numbers: bytemuck::cast_slice(&indices);
            rows, NumbersFrom(0), &gathered, count, columns as u64,
        )?;
        Ok(gathered)
    }

    fn convolved(
        x: &CudaBuffer,
        shape: Nhwc,
        weight: &CudaBuffer,
        bias: Option<&CudaBuffer>,
        conv: &Conv2d,
    ) -> OpResult<CudaBuffer> {
        convolution::forward(x, shape, weight, conv, &convolution::Epilogue { shift: bias, ..Default::default() })
    }

    fn convolved_frozen(
        x: &CudaBuffer,
        shape: Nhwc,
        weight: &CudaBuffer,
        conv: &Conv2d,
        norm: &FrozenBuffers<'_, Self>,
        shortcut: Option<&CudaBuffer>,
        relu: bool,
    ) -> OpResult<CudaBuffer> {
        let (scale, shift) = norm::folded(norm)?;
        let epilogue = convolution::Epilogue { scale: Some(&scale), shift: Some(&shift), shortcut, relu };
        convolution::forward(x, shape, weight, conv, &epilogue)
    }

    fn convolution_input_gradient(
        dy: &CudaBuffer,
        weight: &CudaBuffer,
        shape: Nhwc,
        conv: &Conv2d,
        sum: &mut Sum<Self>,
    ) -> OpResult<()> {
        convolution::backward_input(dy, weight, shape, conv, sum)
    }

    fn convolution_weight_gradient(
        x: &CudaBuffer,
        shape: Nhwc,
        dy: &CudaBuffer,
        conv: &Conv2d,
        sum: &mut Sum<Self>,
    ) -> OpResult<()> {
        convolution::backward_weights(x, shape, dy, conv, sum)
    }

    fn add_channel_sums(dy: &CudaBuffer, channels: usize, sum: &mut Sum<Self>) -> OpResult<()> {
        let rows = dy.len() / channels;
        let parts = rows.div_ceil(1024);
        let partial = CudaBuffer::new(parts * channels)?;
        launch!("column_sums", parts * channels.div_ceil(16); dy, &partial, rows, channels)?;
        let (sum, accumulate) = destination(sum, channels)?;
        launch!("column_sums_finish", channels.div_ceil(4); &partial, sum, rows, channels, accumulate)
    }

    fn image_of_blocks(blocks: CudaBuffer, shape: Nhwc, bias: Option<&CudaBuffer>) -> OpResult<CudaBuffer> {
        let (images, height, width, channels) = shape;
        let image = CudaBuffer::new(blocks.len())?;
        launch!("image_of", by_fours(image.len()); &blocks, &image, bias, images, height, width, channels)?;
        Ok(image)
    }

    fn blocks_of_image(image: &CudaBuffer, shape: Nhwc) -> OpResult<CudaBuffer> {
        let (images, height, width, channels) = shape;
        let blocks = CudaBuffer::new(image.len())?;
        launch!("blocks_of", by_fours(blocks.len()); image, &blocks, images, height, width, channels)?;
        Ok(blocks)
    }

    fn normalised(
        z: &CudaBuffer,
        channels: usize,
        norm: &NormBuffers<'_, Self>,
        shortcut: Option<&CudaBuffer>,
        relu: bool,
    ) -> OpResult<NormalisedBuffers<Self>> {
        norm::normalised(z, channels, norm, shortcut, relu)
    }

    fn normalised_frozen(
        x: &CudaBuffer,
        channels: usize,
        norm: &FrozenBuffers<'_, Self>,
        relu: bool,
    ) -> OpResult<CudaBuffer> {
        let (scale, shift) = norm::folded(norm)?;
        norm::applied(x, (&scale, &shift), channels, None, relu)
    }

    fn normalisation_gradients(
        normalisation: &Normalisation,
        dy: CudaBuffer,
        z: &CudaBuffer,
        y: Option<&CudaBuffer>,
        with_shortcut: bool,
        weight_sum: &mut Sum<Self>,
        bias_sum: &mut Sum<Self>,
    ) -> OpResult<NormGradients<Self>> {
        normalisation.gradients(dy, z, y, with_shortcut, weight_sum, bias_sum)
    }

    fn move_towards(running: &mut CudaBuffer, batch: &CudaBuffer, momentum: f64) -> OpResult<()> {
        launch!("track", batch.len().div_ceil(256); running, batch, momentum as f32, batch.len())
    }

    fn activated(x: &CudaBuffer, activation: Activation) -> OpResult<CudaBuffer> {
        mapped(
            match activation {
                Activation::Relu => "relu",
                Activation::LeakyRelu => "leaky_relu",
                Activation::Gelu => "gelu",
            },
            x,
        )
    }

    fn activation_gradient(
        dy: CudaBuffer,
        saved: &CudaBuffer,
        activation: Activation,
        sum: &mut Sum<Self>,
    ) -> OpResult<()> {
        let kernel = match activation {
            Activation::Relu => "relu_backward",
            Activation::LeakyRelu => "leaky_relu_backward",
            Activation::Gelu => "gelu_backward",
        };
        let count = dy.len();
        match sum {
            Some(sum) => launch!(kernel, by_fours(count); &dy, saved, &*sum, count, true),
            None => {
                // In place.
                launch!(kernel, by_fours(count); &dy, saved, &dy, count, false)?;
                *sum = Some(dy);
                Ok(())
            }
        }
    }

    fn added(a: &CudaBuffer, b: &CudaBuffer) -> OpResult<CudaBuffer> {
        combined("sum", a, b)
    }

    fn averaged(a: &CudaBuffer, b: &CudaBuffer) -> OpResult<CudaBuffer> {
        combined("average", a, b)
    }

    fn add_scaled(factor: f32, x: &CudaBuffer, sum: &mut Sum<Self>) -> OpResult<()> {
        let count = x.len();
        let (sum, accumulate) = destination(sum, count)?;
        launch!("axpy", by_fours(count); x, factor, sum, count, accumulate)
    }

    fn add_product(a: &CudaBuffer, b: &CudaBuffer, sum: &mut Sum<Self>) -> OpResult<()> {
        let count = a.len();
        let (sum, accumulate) = destination(sum, count)?;
        launch!("scaled", by_fours(count); a, b, sum, count, accumulate)
    }

    fn concatenated(a: &CudaBuffer, b: &CudaBuffer, channels: (usize, usize)) -> OpResult<CudaBuffer> {
        let y = CudaBuffer::new(a.len() + b.len())?;
        launch!("concat", by_fours(y.len()); a, b, &y, a.len() / channels.0, channels.0, channels.1)?;
        Ok(y)
    }

    fn add_channels(dy: &CudaBuffer, all: usize, offset: usize, channels: usize, sum: &mut Sum<Self>) -> OpResult<()> {
        let pixels = dy.len() / all;
        let (sum, accumulate) = destination(sum, pixels * channels)?;
        launch!("concat_backward", by_fours(pixels * channels); dy, sum, pixels, channels, offset, all, accumulate)
    }

    fn resampled(x: &CudaBuffer, shape: Nhwc, map: Resampling) -> OpResult<CudaBuffer> {
        resample::resampled(x, shape, map)
    }

    fn resampling_gradient(dy: &CudaBuffer, shape: Nhwc, map: Resampling, sum: &mut Sum<Self>) -> OpResult<()> {
        resample::gradient(dy, shape, map, sum)
    }

    fn max_pooled(x: &CudaBuffer, shape: Nhwc, with_winners: bool) -> OpResult<(CudaBuffer, CudaBuffer)> {
        let (images, height, width, channels) = shape;
        let (_, out_height, out_width, _) = max_pool_shape(shape);
        let y = CudaBuffer::new(images * out_height * out_width * channels)?;
        let winners = CudaBuffer::new(if with_winners { y.len().div_ceil(4) } else { 1 })?;
        let written = with_winners.then_some(&winners);
        launch!(
            "max_pool", by_fours(y.len());
            x, &y, written, images, height, width, channels, out_height, out_width,
        )?;
        Ok((y, winners))
    }

    fn max_pooling_gradient(dy: &CudaBuffer, winners: &CudaBuffer, shape: Nhwc, sum: &mut Sum<Self>) -> OpResult<()> {
        let (images, height, width, channels) = shape;
        let (_, out_height, out_width, _) = max_pool_shape(shape);
        let count = images * height * width * channels;
        let (sum, accumulate) = destination(sum, count)?;
        launch!(
            "max_pool_backward", by_fours(count);
            dy, winners, sum, images, height, width, channels, out_height, out_width, accumulate,
        )
    }

    fn distances(teacher: &CudaBuffer, student: &CudaBuffer, channels: usize) -> OpResult<CudaBuffer> {
        losses::distances(teacher, student, channels)
    }

    fn mean_distance(teacher: &CudaBuffer, student: &CudaBuffer, channels: usize) -> OpResult<CudaBuffer> {
        losses::mean_distance(teacher, student, channels)
    }

    fn mean_distance_gradient(
        dloss: &CudaBuffer,
        teacher: &CudaBuffer,
        student: &CudaBuffer,
        channels: usize,
        sum: &mut Sum<Self>,
    ) -> OpResult<()> {
        losses::mean_distance_gradient(dloss, teacher, student, channels, sum)
    }

    fn squared_error(a: &CudaBuffer, b: &CudaBuffer) -> OpResult<CudaBuffer> {
        losses::mean_of("squared_error", a, b)
    }

    fn squared_error_gradient(
        dloss: &CudaBuffer,
        a: &CudaBuffer,
        b: &CudaBuffer,
        sign: f32,
        sum: &mut Sum<Self>,
    ) -> OpResult<()> {
        let count = a.len();
        let (sum, accumulate) = destination(sum, count)?;
        launch!("squared_error_backward", by_fours(count); a, b, dloss, sum, sign, count, accumulate)
    }

    fn smooth_l1_error(a: &CudaBuffer, b: &CudaBuffer) -> OpResult<CudaBuffer> {
        losses::mean_of("smooth_l1", a, b)
    }

    fn smooth_l1_gradient(dloss: &CudaBuffer, a: &CudaBuffer, b: &CudaBuffer, sum: &mut Sum<Self>) -> OpResult<()> {
        let count = a.len();
        let (sum, accumulate) = destination(sum, count)?;
        launch!("smooth_l1_backward", by_fours(count); a, b, dloss, sum, count, accumulate)
    }

    fn weighted_scalars(terms: &[(&CudaBuffer, f32)]) -> OpResult<CudaBuffer> {
        losses::weighted(terms)
    }

    fn clipped(parts: &mut [Vec<&mut CudaBuffer>], ceiling: f64) -> OpResult<(CudaBuffer, Vec<CudaBuffer>)> {
        optimiser::clipped(parts, ceiling)
    }

    fn update(rule: UpdateRule, updates: Vec<Update<'_, Self>>) -> OpResult<()> {
        optimiser::update(rule, &updates)
    }
}
