//! Random initial values from counter-based streams. The weights of a layer depend only on the seed and on its name.

use rand::Rng;

use super::{Layout, Parameter};
use crate::data::{normal_pair, stream};
use crate::tensor::Backend;

/// The source of initial values.
#[derive(Debug, Clone, Copy)]
pub struct Init {
    /// The run's seed.
    pub seed: u64,
    /// Network that is initialised, e.g. "student".
    pub purpose: &'static str,
}

impl Init {
    fn uniforms(&self, name: &str, count: usize) -> impl Iterator<Item = f64> {
        let mut stream = stream(self.seed, &format!("init/{}/{name}", self.purpose), 0, 0);
        (0..count).map(move |_| (stream.next_u64() >> 11) as f64 * 2.0_f64.powi(-53))
    }

    /// Draws from a normal distribution with standard deviation √(2 / (output · kernel²)): Kaiming fan-out, as in torchvision's ResNet.
    pub fn kaiming_normal<B: Backend>(&self, name: String, output: usize, input: usize, kernel: usize) -> Parameter<B> {
        let layout = Layout::Conv { output, input, kernel };
        let deviation = (2.0 / (output * kernel * kernel) as f64).sqrt();
        // Each normal value needs two uniform ones.
        let uniforms: Vec<f64> = self.uniforms(&name, 2 * layout.len()).collect();
        let file: Vec<f32> = uniforms.chunks_exact(2).map(|u| normal_pair(deviation, u[0], u[1])[0] as f32).collect();
        let memory = layout.to_memory(&file);
        Parameter::new(name, layout, memory)
    }

    /// Draws uniformly from ±1/√fan_in, PyTorch's default for convolutions and their biases.
    pub fn uniform<B: Backend>(&self, name: String, layout: Layout, fan_in: usize) -> Parameter<B> {
        let bound = 1.0 / (fan_in as f64).sqrt();
        let file: Vec<f32> = self.uniforms(&name, layout.len()).map(|u| (bound * (2.0 * u - 1.0)) as f32).collect();
        let memory = layout.to_memory(&file);
        Parameter::new(name, layout, memory)
    }

    /// Returns a parameter with the same value everywhere.
    pub fn constant<B: Backend>(&self, name: String, count: usize, value: f32) -> Parameter<B> {
        Parameter::new(name, Layout::Vector(count), vec![value; count])
    }
}
