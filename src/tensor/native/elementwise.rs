//! Operations on each element separately: ReLU, sum and scaling.

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, Tape};
use rayon::prelude::*;

use super::host_copy::HostCopy;
use super::simd::vectorised;
use super::tensor;
use crate::tensor::tape::{binary, unary};
use crate::tensor::tensors::{Buffer, DeviceResult, Features};
use crate::tensor::{StepPart, to_host};

/// Elements per parallel part.
const PART: usize = 1 << 16;

/// Tensor that the backward pass reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Saved {
    /// The input x.
    Input,
    /// The output y, which the next operation keeps anyway.
    Output,
}

/// Computes y = function(x) and dx = gradient(dy, saved tensor).
pub(super) fn map<T: Tape<f32, Cpu>>(
    x: Features<Cpu, T>,
    saved: Saved,
    function: impl Fn(f32) -> f32 + Sync,
    gradient: impl Fn(f32, f32) -> f32 + Send + Sync + 'static,
) -> DeviceResult<Cpu, Features<Cpu, T>> {
    let _part = StepPart::Elementwise.start();
    unary(x, |x| {
        let mut values = to_host(&x);
        values.par_chunks_mut(PART).for_each(|part| {
            vectorised(
                #[inline(always)]
                || part.iter_mut().for_each(|v| *v = function(*v)),
            );
        });
        let y = tensor(values, *x.shape())?;
        let saved = match saved {
            Saved::Input => x,
            Saved::Output => y.clone(),
        };
        let backward = move |dy: Vec<f32>, dx: &mut Buffer<Cpu>| {
            let _part = StepPart::Elementwise.start();
            add_map(dx, &dy, &HostCopy::of(&saved), gradient);
            Ok(())
        };
        Ok((y, backward))
    })
}

/// Computes into += function(a, b).
fn add_map(into: &mut [f32], a: &[f32], b: &[f32], function: impl Fn(f32, f32) -> f32 + Sync) {
    into.par_chunks_mut(PART).zip(a.par_chunks(PART)).zip(b.par_chunks(PART)).for_each(|((into, a), b)| {
        vectorised(
            #[inline(always)]
            || into.iter_mut().zip(a).zip(b).for_each(|((into, a), b)| *into += function(*a, *b)),
        );
    });
}

/// See [`crate::tensor::Backend::relu`]. dx = dy where y > 0. `f32::max` would hide NaN.
pub(super) fn relu<T: Tape<f32, Cpu>>(x: Features<Cpu, T>) -> DeviceResult<Cpu, Features<Cpu, T>> {
    map(x, Saved::Output, |x| if x < 0.0 { 0.0 } else { x }, |dy, y| if y > 0.0 { dy } else { 0.0 })
}

/// Adds `from` to `into`.
pub(super) fn add_into(into: &mut [f32], from: &[f32]) {
    add_scaled(into, 1.0, from);
}

/// Computes into += factor · from.
pub(super) fn add_scaled(into: &mut [f32], factor: f32, from: &[f32]) {
    into.par_chunks_mut(PART).zip(from.par_chunks(PART)).for_each(|(into, from)| {
        vectorised(
            #[inline(always)]
            || into.iter_mut().zip(from).for_each(|(i, f)| *i += factor * f),
        );
    });
}

/// See [`crate::tensor::Backend::add`]. da = db = dy.
pub(super) fn add<T: Tape<f32, Cpu>>(a: Features<Cpu, T>, b: Features<Cpu, T>) -> DeviceResult<Cpu, Features<Cpu, T>> {
    let _part = StepPart::Elementwise.start();
    binary(a, b, |a, b| {
        let shape = *a.shape();
        debug_assert_eq!(shape, *b.shape());
        let (mut values, b) = rayon::join(|| to_host(&a), || HostCopy::of(&b));
        add_into(&mut values, &b);
        let backward = |dy: &Vec<f32>, gradient: &mut Buffer<Cpu>| {
            let _part = StepPart::Elementwise.start();
            add_into(gradient, dy);
            Ok(())
        };
        Ok((tensor(values, shape)?, backward, backward))
    })
}

/// See [`crate::tensor::Backend::scale`]. dx = dy · factor.
pub(super) fn scale<T: Tape<f32, Cpu>>(
    x: Features<Cpu, T>,
    factor: &Features<Cpu>,
) -> DeviceResult<Cpu, Features<Cpu, T>> {
    let _part = StepPart::Elementwise.start();
    unary(x, |x| {
        let shape = *x.shape();
        debug_assert_eq!(shape, *factor.shape());
        let factor = to_host(factor);
        let mut values = to_host(&x);
        values.par_chunks_mut(PART).zip(factor.par_chunks(PART)).for_each(|(values, factor)| {
            vectorised(
                #[inline(always)]
                || values.iter_mut().zip(factor).for_each(|(v, f)| *v *= f),
            );
        });
        let backward = move |dy: Vec<f32>, dx: &mut Buffer<Cpu>| {
            let _part = StepPart::Elementwise.start();
            add_map(dx, &dy, &factor, |dy, factor| dy * factor);
            Ok(())
        };
        Ok((tensor(values, shape)?, backward))
    })
}
