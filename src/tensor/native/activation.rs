//! Activations other than ReLU: y = f(x), dx = dy · f′(x).

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, PutTape, SplitTape, Tape};
use rayon::prelude::*;

use super::elementwise::{PART, relu};
use super::simd::vectorised;
use super::{Native, tensor};
use crate::tensor::activation::{GELU_CUBE, GELU_SCALE, LEAK};
use crate::tensor::backend::to_host;
use crate::tensor::{Activation, Features, OpResult, Part};

/// See [`crate::tensor::Backend::activate`].
pub(super) fn activate<T: Tape<f32, Cpu>>(
    x: Features<Native, T>,
    activation: Activation,
) -> OpResult<Native, Features<Native, T>> {
    match activation {
        Activation::Relu => relu(x),
        Activation::LeakyRelu => apply(x, |x| if x < 0.0 { LEAK * x } else { x }, |x| if x > 0.0 { 1.0 } else { LEAK }),
        Activation::Gelu => apply(x, |x| 0.5 * x * (1.0 + gelu_tanh(x)), gelu_slope),
    }
}

fn gelu_tanh(x: f32) -> f32 {
    (GELU_SCALE * (x + GELU_CUBE * x * x * x)).tanh()
}

/// With t the hyperbolic tangent of u: ½(1 + t) + ½x(1 − t²)u′.
fn gelu_slope(x: f32) -> f32 {
    let t = gelu_tanh(x);
    0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * GELU_SCALE * (1.0 + 3.0 * GELU_CUBE * x * x)
}

fn apply<T: Tape<f32, Cpu>>(
    x: Features<Native, T>,
    function: impl Fn(f32) -> f32 + Sync,
    slope: impl Fn(f32) -> f32 + Send + Sync + 'static,
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
    let out = y.ghost();
    tape.add_backward_op(move |gradients| {
        let _part = Part::Elementwise.start();
        let dy = std::mem::take(&mut **gradients.get_or_alloc_mut(&out)?);
        let values = to_host(&x);
        let dx = gradients.get_or_alloc_mut(&x)?;
        dx.par_chunks_mut(PART).zip(dy.par_chunks(PART)).zip(values.par_chunks(PART)).for_each(|((dx, dy), x)| {
            vectorised(
                #[inline(always)]
                || dx.iter_mut().zip(dy).zip(x).for_each(|((dx, dy), x)| *dx += dy * slope(*x)),
            );
        });
        Ok(())
    });
    Ok(y.put_tape(tape))
}
