//! Shapes of a convolution.

/// Images, height, width, channels.
pub type Nhwc = (usize, usize, usize, usize);

/// A square convolution with equal strides and zero padding on all sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv2d {
    /// Input channels.
    pub input: usize,
    /// Output channels.
    pub output: usize,
    /// Side of the kernel, pixels.
    pub kernel: usize,
    /// Step, pixels.
    pub stride: usize,
    /// Zeros on each side, pixels.
    pub padding: usize,
    /// Whether the loss needs the gradient with respect to the input: not at the first layer.
    pub input_gradient: bool,
}

impl Conv2d {
    /// Side of the output for an input side.
    pub fn output_side(&self, side: usize) -> usize {
        (side + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Whether every pixel is its own patch.
    pub fn is_pointwise(&self) -> bool {
        self.kernel == 1 && self.stride == 1 && self.padding == 0
    }

    /// Shape of the output, NHWC, for an input's.
    pub fn output_shape(&self, (images, height, width, _): Nhwc) -> Nhwc {
        (images, self.output_side(height), self.output_side(width), self.output)
    }

    /// Length of one im2row row: kernel² · input channels.
    pub fn depth(&self) -> usize {
        self.kernel * self.kernel * self.input
    }

    /// Number of weights.
    pub fn weights(&self) -> usize {
        self.depth() * self.output
    }

    /// Multiply-accumulates for one image of the given input height and width.
    pub fn multiply_accumulates(&self, height: usize, width: usize) -> u64 {
        (self.output_side(height) * self.output_side(width) * self.weights()) as u64
    }
}
