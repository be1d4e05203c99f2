//! Shapes of convolution, pooling and concatenation.

/// Images, height, width, channels.
pub type Nhwc = (usize, usize, usize, usize);

/// A square window that slides over an image, all lengths in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Window {
    /// Side of the window.
    pub kernel: usize,
    /// Step from one position to the next.
    pub stride: usize,
    /// Border around the image.
    pub padding: usize,
}

impl Window {
    /// Returns the side of the output for an input side.
    pub fn output_side(self, side: usize) -> usize {
        (side + 2 * self.padding - self.kernel) / self.stride + 1
    }
}

/// The window of ResNet's max pooling.
pub(super) const MAX_POOL: Window = Window { kernel: 3, stride: 2, padding: 1 };

/// A square convolution with equal strides and zero padding on all sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// Whether the loss needs the gradient with respect to the input. The first layer does not need it.
    pub input_gradient: bool,
}

impl Conv2d {
    /// Returns the kernel as a window.
    pub(super) fn window(&self) -> Window {
        Window { kernel: self.kernel, stride: self.stride, padding: self.padding }
    }

    /// Returns the side of the output for an input side.
    pub fn output_side(&self, side: usize) -> usize {
        self.window().output_side(side)
    }

    /// Returns whether every pixel is its own patch.
    pub fn is_pointwise(&self) -> bool {
        self.kernel == 1 && self.stride == 1 && self.padding == 0
    }

    /// Returns the shape of the output, NHWC, for the shape of an input.
    pub fn output_shape(&self, (images, height, width, channels): Nhwc) -> Nhwc {
        debug_assert_eq!(channels, self.input);
        (images, self.output_side(height), self.output_side(width), self.output)
    }

    /// Returns the length of one im2row row: kernel² · input channels.
    pub fn depth(&self) -> usize {
        self.kernel * self.kernel * self.input
    }

    /// Returns the number of weights.
    pub fn weights(&self) -> usize {
        self.depth() * self.output
    }

    /// Returns the multiply-accumulates for one image of the given input height and width.
    pub fn multiply_accumulates(&self, height: usize, width: usize) -> u64 {
        (self.output_side(height) * self.output_side(width) * self.weights()) as u64
    }

    /// Returns the convolution that maps the gradient of the output to that of the input, with the rotated kernel.
    ///
    /// This is a convolution only with stride 1.
    pub(super) fn transposed(&self) -> Self {
        debug_assert_eq!(self.stride, 1);
        Self { input: self.output, output: self.input, padding: self.kernel - 1 - self.padding, ..*self }
    }
}

/// Returns the shape of max pooling's result.
pub(super) fn max_pool_shape((images, height, width, channels): Nhwc) -> Nhwc {
    (images, MAX_POOL.output_side(height), MAX_POOL.output_side(width), channels)
}

/// Returns the shape of two inputs after concatenation on channels.
pub(super) fn concat_shape(a: Nhwc, b: Nhwc) -> Nhwc {
    debug_assert_eq!((a.0, a.1, a.2), (b.0, b.1, b.2));
    (a.0, a.1, a.2, a.3 + b.3)
}
