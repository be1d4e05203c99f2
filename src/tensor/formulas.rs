//! Constants and small formulas that the operations of all backends share.

/// Smallest norm that a vector is divided by, as in `torch.nn.functional.normalize`.
pub(super) const NORM_FLOOR: f32 = 1e-12;

/// Term added to the norm of the gradients before the ceiling is divided by it, as in `torch.nn.utils.clip_grad_norm_`.
pub(super) const CLIP_EPSILON: f64 = 1e-6;

/// Returns the divisor of the unbiased variance of `count` values. It is 1 for a single value, whose variance is then 0.
pub(super) fn unbiased_divisor(count: usize) -> usize {
    count.saturating_sub(1).max(1)
}
