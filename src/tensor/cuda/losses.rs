//! Losses and distances. A loss is one value on the device.

use super::device::CudaBuffer;
use super::launch::{NumbersFrom, destination, launch};
use crate::tensor::OpResult;

/// Elements per partial sum.
const PART: usize = 4096;
/// Elements per block of an operation on single elements.
const ROUND: usize = 1024;

/// Returns the blocks of the kernels that give each pixel some threads.
fn blocks_of_pixels(pixels: usize, channels: usize) -> usize {
    let packs = if channels.is_multiple_of(4) { channels / 4 } else { channels };
    let threads = match packs {
        17.. => 32,
        9.. => 16,
        _ => 8,
    };
    (pixels * threads).div_ceil(256)
}

/// More channels than this are a long vector, which many blocks share. Fewer are a pixel, which has some threads of one block.
const LONG: usize = 4096;

/// See [`crate::tensor::Kernels::distances`].
pub(super) fn distances(teacher: &CudaBuffer, student: &CudaBuffer, channels: usize) -> OpResult<CudaBuffer> {
    if channels > LONG {
        return Ok(compare_vectors(teacher, student, channels)?.distances);
    }
    let pixels = teacher.len() / channels;
    let map = CudaBuffer::new(pixels)?;
    launch!("distance_map", blocks_of_pixels(pixels, channels); teacher, student, &map, pixels, channels)?;
    Ok(map)
}

/// What the sums over long vectors give.
struct VectorPairs {
    /// Per vector: 1/‖t‖, 1/‖s‖ and ⟨ŝ − t̂, ŝ⟩.
    factors: CudaBuffer,
    /// Per vector: ‖t̂ − ŝ‖².
    distances: CudaBuffer,
}

fn compare_vectors(teacher: &CudaBuffer, student: &CudaBuffer, length: usize) -> OpResult<VectorPairs> {
    let (vectors, parts) = (teacher.len() / length, length.div_ceil(PART));
    // Three sums of 64 bits per part.
    let partial = CudaBuffer::new(2 * 3 * vectors * parts)?;
    launch!("pair_sums", vectors * parts; teacher, student, &partial, length)?;
    let pairs = VectorPairs { factors: CudaBuffer::new(3 * vectors)?, distances: CudaBuffer::new(vectors)? };
    launch!("join_pairs", vectors; &partial, parts, &pairs.factors, &pairs.distances)?;
    Ok(pairs)
}

/// See [`crate::tensor::Kernels::mean_distance`].
pub(super) fn mean_distance(teacher: &CudaBuffer, student: &CudaBuffer, channels: usize) -> OpResult<CudaBuffer> {
    let map = distances(teacher, student, channels)?;
    let partial = partial_sums(map.len())?;
    launch!("sum_map", map.len().div_ceil(PART); &map, &partial, map.len())?;
    mean(&partial, map.len())
}

/// See [`crate::tensor::Kernels::mean_distance_gradient`].
pub(super) fn mean_distance_gradient(
    dloss: &CudaBuffer,
    teacher: &CudaBuffer,
    student: &CudaBuffer,
    channels: usize,
    sum: &mut Option<CudaBuffer>,
) -> OpResult<()> {
    let pixels = teacher.len() / channels;
    let (sum, accumulate) = destination(sum, student.len())?;
    if channels > LONG {
        let factors = compare_vectors(teacher, student, channels)?.factors;
        return launch!(
            "vector_similarity_backward", pixels * channels.div_ceil(ROUND);
            teacher, student, &factors, dloss, sum, pixels, channels, accumulate,
        );
    }
    launch!(
        "similarity_backward", blocks_of_pixels(pixels, channels);
        teacher, student, dloss, sum, pixels, channels, accumulate,
    )
}

/// Computes the mean over all elements of a kernel's distance.
pub(super) fn mean_of(kernel: &'static str, a: &CudaBuffer, b: &CudaBuffer) -> OpResult<CudaBuffer> {
    let partial = partial_sums(a.len())?;
    launch!(kernel, a.len().div_ceil(PART); a, b, &partial, a.len())?;
    mean(&partial, a.len())
}

/// Returns memory for the partial sums of so many elements, in 64 bits.
fn partial_sums(count: usize) -> OpResult<CudaBuffer> {
    CudaBuffer::new(2 * count.div_ceil(PART))
}

/// Joins partial sums of `count` elements to their mean.
fn mean(partial: &CudaBuffer, count: usize) -> OpResult<CudaBuffer> {
    let mean = CudaBuffer::new(1)?;
    launch!("finish_mean", 1; partial, count.div_ceil(PART), count as f64, &mean)?;
    Ok(mean)
}

/// See [`crate::tensor::Kernels::weighted_scalars`].
pub(super) fn weighted(terms: &[(&CudaBuffer, f32)]) -> OpResult<CudaBuffer> {
    let sum = CudaBuffer::new(1)?;
    for (index, (value, weight)) in terms.iter().enumerate() {
        let so_far = (index > 0).then_some(&sum);
        launch!("weighted", 1, numbers: bytemuck::bytes_of(weight); *value, NumbersFrom(0), so_far, &sum)?;
    }
    Ok(sum)
}
