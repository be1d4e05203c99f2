//! Activations other than ReLU: y = f(x), dx = dy · f′(x).

use dfdx::tensor::{Cpu, Tape};

use super::elementwise::{Saved, map, relu};
use crate::tensor::Activation;
use crate::tensor::activation::{GELU_CUBE, GELU_SCALE, LEAK};
use crate::tensor::tensors::{DeviceResult, Features};

/// See [`crate::tensor::Backend::activate`].
pub(super) fn activate<T: Tape<f32, Cpu>>(
    x: Features<Cpu, T>,
    activation: Activation,
) -> DeviceResult<Cpu, Features<Cpu, T>> {
    match activation {
        Activation::Relu => relu(x),
        Activation::LeakyRelu => {
            let slope = |x| if x > 0.0 { 1.0 } else { LEAK };
            map(x, Saved::Input, |x| if x < 0.0 { LEAK * x } else { x }, move |dy, x| dy * slope(x))
        }
        Activation::Gelu => map(x, Saved::Input, |x| 0.5 * x * (1.0 + gelu_tanh(x)), |dy, x| dy * gelu_slope(x)),
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
