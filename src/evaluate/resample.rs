//! Resizes and smooths planes of values.

/// Resizes one plane bilinearly with pixel centres at ½ (PyTorch's `align_corners = False`, no antialiasing).
pub fn resize_bilinear(plane: &[f32], height: usize, width: usize, to_height: usize, to_width: usize) -> Vec<f32> {
    if (height, width) == (to_height, to_width) {
        return plane.to_vec();
    }
    let taps = |from: usize, to: usize| -> Vec<(usize, usize, f32)> {
        let scale = from as f32 / to as f32;
        (0..to)
            .map(|i| {
                let position = ((i as f32 + 0.5) * scale - 0.5).max(0.0);
                let low = (position as usize).min(from - 1);
                (low, (low + 1).min(from - 1), position - low as f32)
            })
            .collect()
    };
    let (rows, columns) = (taps(height, to_height), taps(width, to_width));
    let mut out = Vec::with_capacity(to_height * to_width);
    for &(top, bottom, v) in &rows {
        let (top, bottom) = (&plane[top * width..][..width], &plane[bottom * width..][..width]);
        for &(left, right, u) in &columns {
            let upper = top[left] * (1.0 - u) + top[right] * u;
            let lower = bottom[left] * (1.0 - u) + bottom[right] * u;
            out.push(upper * (1.0 - v) + lower * v);
        }
    }
    out
}

/// Smooths by a Gaussian, mirrored at the edges and cut at four standard deviations: scipy's `gaussian_filter` with its defaults.
pub(super) fn gaussian(plane: &[f32], side: usize, sigma: f64) -> Vec<f32> {
    let radius = (4.0 * sigma + 0.5) as isize;
    let kernel: Vec<f64> = (-radius..=radius).map(|i| (-0.5 * (i as f64 / sigma).powi(2)).exp()).collect();
    let total: f64 = kernel.iter().sum();
    let mirror = |i: isize| -> usize {
        let (n, period) = (side as isize, 2 * side as isize);
        let i = i.rem_euclid(period);
        (if i < n { i } else { period - 1 - i }) as usize
    };
    let pass = |source: &[f32], step: usize, line: usize| -> Vec<f32> {
        let mut out = vec![0.0; source.len()];
        for a in 0..side {
            for b in 0..side {
                let sum: f64 = kernel
                    .iter()
                    .enumerate()
                    .map(|(k, weight)| {
                        let at = mirror(b as isize + k as isize - radius);
                        weight * f64::from(source[a * line + at * step])
                    })
                    .sum();
                out[a * line + b * step] = (sum / total) as f32;
            }
        }
        out
    };
    pass(&pass(plane, side, 1), 1, side)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bilinear_agrees_with_torch_on_a_known_case() {
        // Computed with torch.nn.functional.interpolate([[1, 2], [3, 4]], size=4, mode="bilinear", align_corners=False)
        let up = resize_bilinear(&[1.0, 2.0, 3.0, 4.0], 2, 2, 4, 4);
        let expected = [1.0, 1.25, 1.75, 2.0, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3.0, 3.25, 3.75, 4.0];
        assert_eq!(up, expected);
        assert_eq!(resize_bilinear(&[1.0, 2.0, 3.0, 4.0], 2, 2, 1, 1), [2.5]);
    }

    #[test]
    fn smoothing_keeps_the_sum_of_an_inner_peak_and_a_constant() {
        let mut plane = vec![0.0; 41 * 41];
        plane[20 * 41 + 20] = 1.0;
        let smooth = gaussian(&plane, 41, 2.0);
        assert!((smooth.iter().map(|&v| f64::from(v)).sum::<f64>() - 1.0).abs() < 1e-5);
        // scipy.ndimage.gaussian_filter of this peak gives 0.03980 at its centre.
        assert!((smooth[20 * 41 + 20] - 0.039_80).abs() < 2e-5, "{}", smooth[20 * 41 + 20]);
        assert!(gaussian(&vec![5.0; 81], 9, 3.0).iter().all(|v| (v - 5.0).abs() < 1e-5));
    }
}
