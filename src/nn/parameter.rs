//! A trained tensor and a running statistic, each with its PyTorch name and shape.

use crate::tensor::{Backend, OpResult, Vector};

/// The order of a parameter's values in a PyTorch file and in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// A vector: the same order in both.
    Vector(usize),
    /// File: (output, input, kernel, kernel). Memory: (kernel, kernel, input, output).
    Conv {
        /// Output channels.
        output: usize,
        /// Input channels.
        input: usize,
        /// Side of the kernel.
        kernel: usize,
    },
    /// File: (input, output, kernel, kernel). Memory: (input, kernel, kernel, output).
    ConvTranspose {
        /// Input channels.
        input: usize,
        /// Output channels.
        output: usize,
        /// Side of the kernel.
        kernel: usize,
    },
}

impl Layout {
    /// Returns the shape in a PyTorch file.
    pub fn file_shape(&self) -> Vec<usize> {
        match *self {
            Self::Vector(n) => vec![n],
            Self::Conv { output, input, kernel } => vec![output, input, kernel, kernel],
            Self::ConvTranspose { input, output, kernel } => vec![input, output, kernel, kernel],
        }
    }

    /// Returns the number of values.
    pub fn len(&self) -> usize {
        self.file_shape().iter().product()
    }

    /// Returns whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `visit` with the index of each value in memory, in order, and its index in the file.
    fn indices(&self, mut visit: impl FnMut(usize, usize)) {
        let mut memory = 0;
        let mut next = |file: usize| {
            visit(memory, file);
            memory += 1;
        };
        match *self {
            Self::Vector(n) => (0..n).for_each(next),
            Self::Conv { output, input, kernel } => {
                let taps = kernel * kernel;
                for tap in 0..taps {
                    for i in 0..input {
                        (0..output).for_each(|o| next((o * input + i) * taps + tap));
                    }
                }
            }
            Self::ConvTranspose { input, output, kernel } => {
                let taps = kernel * kernel;
                for i in 0..input {
                    for tap in 0..taps {
                        (0..output).for_each(|o| next((i * output + o) * taps + tap));
                    }
                }
            }
        }
    }

    /// Converts values from file order to memory order.
    pub fn to_memory(&self, file: &[f32]) -> Vec<f32> {
        let mut memory = vec![0.0; file.len()];
        self.indices(|to, from| memory[to] = file[from]);
        memory
    }

    /// Converts values from memory order to file order.
    pub fn to_file(&self, memory: &[f32]) -> Vec<f32> {
        let mut file = vec![0.0; memory.len()];
        self.indices(|from, to| file[to] = memory[from]);
        file
    }
}

/// A trained tensor.
#[derive(Debug, Clone)]
pub struct Parameter<B: Backend> {
    /// PyTorch's name, e.g. `layer1.0.conv1.weight`.
    pub name: String,
    /// Shapes in file and memory.
    pub layout: Layout,
    /// The values, flat, in memory order.
    pub value: Vector<B>,
}

impl<B: Backend> Parameter<B> {
    /// Creates a parameter from values in memory order.
    pub fn new(name: String, layout: Layout, memory: Vec<f32>) -> Self {
        let length = memory.len();
        debug_assert_eq!(length, layout.len());
        Self { name, layout, value: B::create(memory, (length,)) }
    }

    /// Returns the values in memory order.
    ///
    /// # Errors
    /// If the device failed.
    pub fn to_memory(&self) -> OpResult<Vec<f32>> {
        B::download(&self.value)
    }

    /// Returns the values in file order.
    ///
    /// # Errors
    /// If the device failed.
    pub fn to_file(&self) -> OpResult<Vec<f32>> {
        Ok(self.layout.to_file(&self.to_memory()?))
    }

    /// Overwrites the values with those given in file order. The tensor keeps its identity.
    ///
    /// # Errors
    /// If the device failed.
    pub fn set_from_file(&mut self, file: &[f32]) -> OpResult<()> {
        B::overwrite(&mut self.value, &self.layout.to_memory(file))
    }
}

/// A statistic that is saved with the weights but not trained.
#[derive(Debug, Clone)]
pub struct Buffer<B: Backend> {
    /// PyTorch's name, e.g. `bn1.running_mean`.
    pub name: String,
    /// One value per channel.
    pub value: Vector<B>,
}

impl<B: Backend> Buffer<B> {
    /// Creates a buffer with the same value in every channel.
    pub fn constant(name: String, channels: usize, value: f32) -> Self {
        Self { name, value: B::create(vec![value; channels], (channels,)) }
    }

    /// Returns the number of channels.
    pub fn channels(&self) -> usize {
        self.value.shape().0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn file_and_memory_orders_are_inverse(output in 1_usize..5, input in 1_usize..5, kernel in 1_usize..4) {
            for layout in [Layout::Conv { output, input, kernel }, Layout::ConvTranspose { input, output, kernel }] {
                let file: Vec<f32> = (0..layout.len()).map(|v| v as f32).collect();
                prop_assert_eq!(layout.to_file(&layout.to_memory(&file)), file);
            }
        }
    }

    #[test]
    fn a_kernel_is_stored_tap_by_tap() {
        let layout = Layout::Conv { output: 2, input: 1, kernel: 2 };
        assert_eq!(layout.to_memory(&[0., 1., 2., 3., 10., 11., 12., 13.]), [0., 10., 1., 11., 2., 12., 3., 13.]);
    }
}
