//! 3×3 convolutions with stride 1 with a quarter of the multiplications: Winograd's F(4×4, 3×3) (Lavin & Gray 2016, arXiv:1509.09308).
//!
//! A tile of 4×4 outputs is Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A. d are the 6×6 inputs that the tile reads, and g is the kernel. Summed over
//! input channels, each of the 36 elements of ⊙ is a matrix product (tiles × in)·(in × out). The gradient with respect to the weights is
//! Gᵀ[Σ over tiles (Bᵀ d B) ⊙ (A dY Aᵀ)]G, 36 products (in × tiles)·(tiles × out).
//!
//! Errors stay near 1e-5 of the largest value (256 channels), about ten times those of plain sums. A NaN in the input affects all tiles
//! that read it: all outputs that depend on it, and neighbours at most three pixels further.

mod backward;
mod forward;
mod kernel_transforms;
mod products;
#[cfg(test)]
mod tests;
mod tile_size;
mod tile_transforms;
mod tiles;
mod transforms;

pub(super) use backward::backward_weights;
pub(super) use forward::convolve;
pub(super) use tile_size::is_faster;
use tile_size::{PRODUCTS, TILE, TILE_INPUTS};
