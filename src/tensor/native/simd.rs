//! Loops compiled for the widest vectors that the machine has.

/// Runs `work` compiled for each level of vector instructions (AVX-512, AVX2, NEON, …), at the best that the machine has.
///
/// The same arithmetic in the same order at every level: a compiler does not turn separate products and sums into fused ones.
#[inline]
pub(super) fn vectorised<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}
