//! Numerical integration by Simpson's rule.

/// Returns the integral of `value` over `from`..`to`; `steps` must be even.
pub(crate) fn integral(from: f64, to: f64, steps: usize, value: impl Fn(f64) -> f64) -> f64 {
    let step = (to - from) / steps as f64;
    let sum: f64 = (0..=steps)
        .map(|index| {
            let weight = if index == 0 || index == steps { 1.0 } else { 2.0 + 2.0 * (index % 2) as f64 };
            weight * value(from + index as f64 * step)
        })
        .sum();
    sum * step / 3.0
}

#[cfg(test)]
mod tests {
    use super::integral;

    #[test]
    fn cubic_polynomials_are_exact() {
        assert!((integral(-1.0, 3.0, 2, |x| x.powi(3) - x) - 16.0).abs() < 1e-12);
    }
}
