//! Resampling: a gather for each pair of taps, weighted and summed. Backward the same from outputs to inputs, as often as the
//! most outputs take one input by these taps.

use dfdx::shapes::HasShape;
use dfdx::tensor::{PutTape, SplitTape, Tape};
use dfdx::tensor_ops::{ReshapeTo, TryAdd, TryMul};

use super::Taped;
use super::border::{add, take};
use super::pattern::Pattern;
use super::place::{Outcome, Place};
use super::rows::{Images, gather, images};
use super::taken::Taken;
use crate::tensor::Resampling;

/// See [`crate::tensor::Backend::resample`].
pub(super) fn resample<D: Place, T: Tape<f32, D>>(x: Taped<D, T>, map: Resampling) -> Outcome<D, Taped<D, T>> {
    let (count, height, width, channels) = *x.shape();
    let (out_height, out_width) = (map.output_side(height), map.output_side(width));
    let (x, mut tape) = x.split_tape();
    let pixels = images(&x)?;
    let mut y: Option<Images<D>> = None;
    for (taken, weight) in Taken::all(map, height, width) {
        let part = gather(pixels.clone(), Pattern::Taken(taken), 0.0)?;
        y = Some(plus::<D>(y, part, weight)?);
    }
    let y = y.unwrap_or(pixels).try_reshape_like(&(count, out_height, out_width, channels))?;

    let (x, out) = (x.ghost(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let dy: Images<D> = take!(gradients, &out).try_reshape_like(&(count, out_height * out_width, channels))?;
        // A row of zeros more: what an input gets that fewer outputs take than others.
        let dy = gather(dy, Pattern::OneMore(out_height * out_width), 0.0)?;
        let mut dx: Option<Images<D>> = None;
        for (taken, weight) in Taken::all(map, height, width) {
            for nth in 0..taken.most() {
                let part = gather(dy.clone(), Pattern::Takers(taken, nth), 0.0)?;
                dx = Some(plus::<D>(dx, part, weight)?);
            }
        }
        match dx {
            Some(dx) => add(gradients.get_or_alloc_mut(&x)?, dx),
            None => Ok(()),
        }
    });
    Ok(y.put_tape(tape))
}

/// sum + weight · part.
fn plus<D: Place>(sum: Option<Images<D>>, part: Images<D>, weight: f32) -> Outcome<D, Images<D>> {
    let part = part.try_mul(weight)?;
    match sum {
        Some(sum) => sum.try_add(part),
        None => Ok(part),
    }
}
