//! Operations that treat every element alone: relu, sum, scaling.

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, PutTape, SplitTape, Tape};
use rayon::prelude::*;

use super::simd::vectorised;
use super::{Native, tensor};
use crate::tensor::backend::to_host;
use crate::tensor::{Features, OpResult, Part};

/// Elements a parallel part.
const PART: usize = 1 << 16;

/// What the way back looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// x.
    Input,
    /// y, which whatever follows keeps anyway.
    Output,
}

/// y = function(x); dx = gradient(dy, what is kept).
pub(super) fn map<T: Tape<f32, Cpu>>(
    x: Features<Native, T>,
    kept: Kept,
    function: impl Fn(f32) -> f32 + Sync,
    gradient: impl Fn(f32, f32) -> f32 + Send + Sync + 'static,
) -> OpResult<Native, Features<Native, T>> {
    let _part = Part::Elementwise.start();
    let shape = *x.shape();
    let (x, mut tape) = x.split_tape();
    let mut values = to_host(&x);
    values.par_chunks_mut(PART).for_each(|part| {
        vectorised(
            #[inline(always)]
            || part.iter_mut().for_each(|v| *v = function(*v)),
        );
    });
    let y = tensor(values, shape)?;
    let (input, out) = (x.ghost(), y.ghost());
    let kept = match kept {
        Kept::Input => x,
        Kept::Output => y.clone(),
    };
    tape.add_backward_op(move |gradients| {
        let _part = Part::Elementwise.start();
        let dy = std::mem::take(&mut **gradients.get_or_alloc_mut(&out)?);
        let kept = to_host(&kept);
        let dx = gradients.get_or_alloc_mut(&input)?;
        dx.par_chunks_mut(PART).zip(dy.par_chunks(PART)).zip(kept.par_chunks(PART)).for_each(|((dx, dy), kept)| {
            vectorised(
                #[inline(always)]
                || dx.iter_mut().zip(dy).zip(kept).for_each(|((dx, dy), kept)| *dx += gradient(*dy, *kept)),
            );
        });
        Ok(())
    });
    Ok(y.put_tape(tape))
}

/// See [`crate::tensor::Backend::relu`]. dx = dy where y > 0.
///
/// NaN stays NaN: `f32::max` would hide a network that has diverged.
pub(super) fn relu<T: Tape<f32, Cpu>>(x: Features<Native, T>) -> OpResult<Native, Features<Native, T>> {
    map(x, Kept::Output, |x| if x < 0.0 { 0.0 } else { x }, |dy, y| if y > 0.0 { dy } else { 0.0 })
}

/// Adds `from` to `into`.
pub(super) fn add_into(into: &mut [f32], from: &[f32]) {
    add_scaled(into, 1.0, from);
}

/// into += factor · from.
pub(super) fn add_scaled(into: &mut [f32], factor: f32, from: &[f32]) {
    into.par_chunks_mut(PART).zip(from.par_chunks(PART)).for_each(|(into, from)| {
        vectorised(
            #[inline(always)]
            || into.iter_mut().zip(from).for_each(|(i, f)| *i += factor * f),
        );
    });
}

/// See [`crate::tensor::Backend::add`]. da = db = dy.
pub(super) fn add<T: Tape<f32, Cpu>>(
    a: Features<Native, T>,
    b: Features<Native, T>,
) -> OpResult<Native, Features<Native, T>> {
    let _part = Part::Elementwise.start();
    let shape = *a.shape();
    debug_assert_eq!(shape, *b.shape());
    let (a, tape) = a.split_tape();
    let (b, other) = b.split_tape();
    let mut tape = tape.merge(other);
    let mut values = to_host(&a);
    add_into(&mut values, &to_host(&b));
    let y = tensor(values, shape)?;
    let (a, b, out) = (a.ghost(), b.ghost(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let _part = Part::Elementwise.start();
        let dy = std::mem::take(&mut **gradients.get_or_alloc_mut(&out)?);
        add_into(gradients.get_or_alloc_mut(&a)?, &dy);
        add_into(gradients.get_or_alloc_mut(&b)?, &dy);
        Ok(())
    });
    Ok(y.put_tape(tape))
}

/// See [`crate::tensor::Backend::scale`]. dx = dy · factor.
pub(super) fn scale<T: Tape<f32, Cpu>>(
    x: Features<Native, T>,
    factor: &Features<Native>,
) -> OpResult<Native, Features<Native, T>> {
    let _part = Part::Elementwise.start();
    let shape = *x.shape();
    debug_assert_eq!(shape, *factor.shape());
    let (x, mut tape) = x.split_tape();
    let factor = to_host(factor);
    let mut values = to_host(&x);
    values.par_chunks_mut(PART).zip(factor.par_chunks(PART)).for_each(|(values, factor)| {
        vectorised(
            #[inline(always)]
            || values.iter_mut().zip(factor).for_each(|(v, f)| *v *= f),
        );
    });
    let y = tensor(values, shape)?;
    let (x, out) = (x.ghost(), y.ghost());
    tape.add_backward_op(move |gradients| {
        let _part = Part::Elementwise.start();
        let dy = std::mem::take(&mut **gradients.get_or_alloc_mut(&out)?);
        let dx = gradients.get_or_alloc_mut(&x)?;
        dx.par_chunks_mut(PART).zip(dy.par_chunks(PART)).zip(factor.par_chunks(PART)).for_each(|((dx, dy), f)| {
            vectorised(
                #[inline(always)]
                || dx.iter_mut().zip(dy).zip(f).for_each(|((dx, dy), f)| *dx += dy * f),
            );
        });
        Ok(())
    });
    Ok(y.put_tape(tape))
}
