//! Resampling: one gather per pair of taps, weighted and summed.
//!
//! The backward pass gathers from outputs to inputs. It needs as many gathers per pair of taps as the largest number of outputs that read
//! one input.

use dfdx::shapes::HasShape;
use dfdx::tensor::Tape;
use dfdx::tensor_ops::{ReshapeTo, TryAdd, TryMul};

use super::device::ComposedDevice;
use super::gradient_buffer::add;
use super::pattern::Pattern;
use super::rows::{Images, gather, images};
use super::tap_pair::TapPair;
use crate::tensor::Resampling;
use crate::tensor::tape::unary;
use crate::tensor::tensors::{Buffer, DeviceResult, Features};

/// See [`crate::tensor::Backend::resample`].
pub(in crate::tensor) fn resample<D: ComposedDevice, T: Tape<f32, D>>(
    x: Features<D, T>,
    map: Resampling,
) -> DeviceResult<D, Features<D, T>> {
    unary(x, |x| {
        let (count, height, width, channels) = *x.shape();
        let (out_height, out_width) = (map.output_side(height), map.output_side(width));
        let pixels = images(x)?;
        let mut y: Option<Images<D>> = None;
        for (taps, weight) in TapPair::all(map, height, width) {
            let part = gather(pixels.clone(), Pattern::Resampled(taps), 0.0)?;
            y = Some(plus::<D>(y, part, weight)?);
        }
        let y = y.unwrap_or(pixels).try_reshape_like(&(count, out_height, out_width, channels))?;

        let backward = move |dy: Features<D>, gradient: &mut Buffer<D>| {
            // An extra row of zeros, for inputs that fewer outputs read.
            let dy = gather(images(dy)?, Pattern::ExtraRow(out_height * out_width), 0.0)?;
            let mut dx: Option<Images<D>> = None;
            for (taps, weight) in TapPair::all(map, height, width) {
                for nth in 0..taps.max_readers() {
                    let part = gather(dy.clone(), Pattern::ResampledFrom(taps, nth), 0.0)?;
                    dx = Some(plus::<D>(dx, part, weight)?);
                }
            }
            match dx {
                Some(dx) => add(gradient, dx),
                None => Ok(()),
            }
        };
        Ok((y, backward))
    })
}

/// Returns sum + weight · part.
fn plus<D: ComposedDevice>(sum: Option<Images<D>>, part: Images<D>, weight: f32) -> DeviceResult<D, Images<D>> {
    let part = part.try_mul(weight)?;
    match sum {
        Some(sum) => sum.try_add(part),
        None => Ok(part),
    }
}
