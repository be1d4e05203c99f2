//! im2row: the input patches of a convolution as rows, and the transpose.

use super::Nhwc;
use super::gemm::WriteMode;
use crate::tensor::Conv2d;

/// Columns of the stem's kernel, over three channels.
const STEM_RUN: usize = 7;

/// Fills `rows` with the patches of the output rows `first .. first + count`, counted over all images.
///
/// A patch is (kernel row, kernel column, channel), with zeros outside the image. `rows` holds count · output width · depth values.
pub(super) fn im2row(x: &[f32], shape: Nhwc, conv: &Conv2d, first: usize, count: usize, rows: &mut [f32]) {
    let (_, height, width, channels) = shape;
    let (out_height, out_width) = (conv.output_side(height), conv.output_side(width));
    let run = conv.kernel * channels;
    let mut patches = rows.chunks_exact_mut(conv.depth());
    for row in first..first + count {
        let image = &x[(row / out_height) * height * width * channels..][..height * width * channels];
        let top = ((row % out_height) * conv.stride) as isize - conv.padding as isize;
        for column in 0..out_width {
            let left = (column * conv.stride) as isize - conv.padding as isize;
            let patch = patches.next().expect("room for every patch");
            // Columns of the kernel inside the image: one copy per kernel row.
            let inside_from = (-left).clamp(0, conv.kernel as isize) as usize;
            let inside_to = (width as isize - left).clamp(0, conv.kernel as isize) as usize;
            for (i, line) in patch.chunks_exact_mut(run).enumerate() {
                let y = top + i as isize;
                if y < 0 || y >= height as isize || inside_from >= inside_to {
                    line.fill(0.0);
                    continue;
                }
                let from = (y as usize * width + (left + inside_from as isize) as usize) * channels;
                if let (STEM_RUN, Ok(line)) =
                    (inside_to - inside_from, <&mut [f32; STEM_RUN * 3]>::try_from(&mut *line))
                {
                    // The length is known at compile time, so 84 bytes need no call of memcpy.
                    *line = *image[from..].first_chunk().expect("inside the image");
                    continue;
                }
                line[..inside_from * channels].fill(0.0);
                line[inside_from * channels..inside_to * channels]
                    .copy_from_slice(&image[from..from + (inside_to - inside_from) * channels]);
                line[inside_to * channels..].fill(0.0);
            }
        }
    }
}

/// Sums the patches of one image where they overlap: the transpose of [`im2row`] over all its output rows.
pub(super) fn row2im(rows: &[f32], shape: Nhwc, conv: &Conv2d, image: &mut [f32], mode: WriteMode) {
    if mode == WriteMode::Overwrite {
        image.fill(0.0);
    }
    let (_, height, width, channels) = shape;
    let (out_height, out_width) = (conv.output_side(height), conv.output_side(width));
    let run = conv.kernel * channels;
    for (position, patch) in rows.chunks_exact(conv.depth()).take(out_height * out_width).enumerate() {
        let top = ((position / out_width) * conv.stride) as isize - conv.padding as isize;
        let left = ((position % out_width) * conv.stride) as isize - conv.padding as isize;
        let inside_from = (-left).clamp(0, conv.kernel as isize) as usize;
        let inside_to = (width as isize - left).clamp(0, conv.kernel as isize) as usize;
        for (i, line) in patch.chunks_exact(run).enumerate() {
            let y = top + i as isize;
            if y < 0 || y >= height as isize || inside_from >= inside_to {
                continue;
            }
            let from = (y as usize * width + (left + inside_from as isize) as usize) * channels;
            let target = &mut image[from..from + (inside_to - inside_from) * channels];
            for (t, v) in target.iter_mut().zip(&line[inside_from * channels..]) {
                *t += v;
            }
        }
    }
}
