//! Activations: y = f(x), dx = dy · f′. NaN stays NaN: `f32::max` would hide it.

use super::elementwise::{add_zip, map};
use super::values::{Values, accumulated};
use crate::tensor::activation::{GELU_CUBE, GELU_SCALE, LEAK};
use crate::tensor::{Activation, StepPart};

/// See [`crate::tensor::Backend::activate`].
pub(super) fn activated(x: &[f32], activation: Activation) -> Values {
    match activation {
        Activation::Relu => map(x, |x| if x < 0.0 { 0.0 } else { x }),
        Activation::LeakyRelu => map(x, |x| if x < 0.0 { LEAK * x } else { x }),
        Activation::Gelu => map(x, |x| 0.5 * x * (1.0 + gelu_tanh(x))),
    }
}

/// See [`crate::tensor::Kernels::activation_gradient`].
pub(super) fn gradient(dy: &[f32], saved: &[f32], activation: Activation, sum: &mut Option<Values>) {
    let _part = StepPart::Elementwise.start(2 * dy.len() + accumulated(sum, dy.len()));
    match activation {
        Activation::Relu => add_zip(sum, dy, saved, |dy, y| if y > 0.0 { dy } else { 0.0 }),
        Activation::LeakyRelu => add_zip(sum, dy, saved, |dy, x| dy * if x > 0.0 { 1.0 } else { LEAK }),
        Activation::Gelu => add_zip(sum, dy, saved, |dy, x| dy * gelu_slope(x)),
    }
}

fn gelu_tanh(x: f32) -> f32 {
    (GELU_SCALE * (x + GELU_CUBE * x * x * x)).tanh()
}

/// Returns ½(1 + t) + ½x(1 − t²)u′, where t is the hyperbolic tangent of u.
fn gelu_slope(x: f32) -> f32 {
    let t = gelu_tanh(x);
    0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * GELU_SCALE * (1.0 + 3.0 * GELU_CUBE * x * x)
}
