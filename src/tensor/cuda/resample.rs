//! Resampling. The sources and weights of an axis are tables on the device, which stay there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::device::{CudaBuffer, upload};
use super::launch::{by_fours, destination, launch};
use crate::tensor::geometry::Nhwc;
use crate::tensor::resampling::{Axis, axes};
use crate::tensor::{OpResult, Resampling};

/// Starts of the taps of each result, and sources and weights of all taps.
struct Table {
    starts: CudaBuffer,
    sources: CudaBuffer,
    weights: CudaBuffer,
}

impl Table {
    fn new(axis: &Axis) -> OpResult<Self> {
        let int = |number: usize| i32::try_from(number).expect("sides below 2³¹");
        let mut starts = vec![0];
        let (mut sources, mut weights) = (Vec::new(), Vec::new());
        for taps in axis {
            sources.extend(taps.iter().map(|(source, _)| int(*source)));
            weights.extend(taps.iter().map(|(_, weight)| *weight));
            starts.push(int(sources.len()));
        }
        let integers = |values: &[i32]| upload(bytemuck::cast_slice(values));
        Ok(Self { starts: integers(&starts)?, sources: integers(&sources)?, weights: upload(&weights)? })
    }
}

/// The tables of a map and of its transpose.
#[derive(Clone)]
struct Tables {
    forward: Arc<Table>,
    backward: Arc<Table>,
}

/// Tables by map and side.
static TABLES: Mutex<Option<HashMap<(Resampling, usize), Tables>>> = Mutex::new(None);

fn tables(map: Resampling, side: usize) -> OpResult<Tables> {
    let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
    let tables = tables.get_or_insert_default();
    if let Some(known) = tables.get(&(map, side)) {
        return Ok(known.clone());
    }
    let (forward, backward) = axes(map, side);
    let new = Tables { forward: Arc::new(Table::new(&forward)?), backward: Arc::new(Table::new(&backward)?) };
    tables.insert((map, side), new.clone());
    Ok(new)
}

/// Computes weighted sums of the pixels of `x` from `from` to `to`.
fn sums(
    x: &CudaBuffer,
    y: &CudaBuffer,
    (rows, columns): (&Table, &Table),
    from: Nhwc,
    to: Nhwc,
    accumulate: bool,
) -> OpResult<()> {
    let (images, height, width, channels) = from;
    launch!(
        "resample", by_fours(images * to.1 * to.2 * channels);
        x, y, &rows.starts, &rows.sources, &rows.weights, &columns.starts, &columns.sources, &columns.weights, images,
        height, width, channels, to.1, to.2, accumulate,
    )
}

fn result_shape((images, height, width, channels): Nhwc, map: Resampling) -> Nhwc {
    (images, map.output_side(height), map.output_side(width), channels)
}

/// See [`crate::tensor::Kernels::resampled`].
pub(super) fn resampled(x: &CudaBuffer, shape: Nhwc, map: Resampling) -> OpResult<CudaBuffer> {
    let (rows, columns) = (tables(map, shape.1)?, tables(map, shape.2)?);
    let result = result_shape(shape, map);
    let y = CudaBuffer::new(result.0 * result.1 * result.2 * result.3)?;
    sums(x, &y, (&rows.forward, &columns.forward), shape, result, false)?;
    Ok(y)
}

/// See [`crate::tensor::Kernels::resampling_gradient`].
pub(super) fn gradient(dy: &CudaBuffer, shape: Nhwc, map: Resampling, sum: &mut Option<CudaBuffer>) -> OpResult<()> {
    let (rows, columns) = (tables(map, shape.1)?, tables(map, shape.2)?);
    let (dx, accumulate) = destination(sum, shape.0 * shape.1 * shape.2 * shape.3)?;
    sums(dy, dx, (&rows.backward, &columns.backward), result_shape(shape, map), shape, accumulate)
}
