//! Random streams derived from counters: no generator state is saved or shared between threads.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Turns two uniform values in 0..1 into two normal values with a given standard deviation (Box and Muller 1958). 1 − u keeps the logarithm
/// finite.
pub fn normal_pair(deviation: f64, u: f64, v: f64) -> [f64; 2] {
    let radius = deviation * (-2.0 * (1.0 - u).ln()).sqrt();
    let (sine, cosine) = (std::f64::consts::TAU * v).sin_cos();
    [radius * cosine, radius * sine]
}

/// Returns a whole number below `bound`, which is at least 1 and below 2³². It is the high half of a product (Lemire 2019), uneven by at
/// most `bound`/2³².
pub fn below(random: &mut impl Rng, bound: usize) -> usize {
    ((u64::from(random.next_u32()) * bound as u64) >> 32) as usize
}

/// Returns the stream of a seed, a purpose, an epoch and an index: ChaCha8 keyed by their BLAKE3 digest.
pub fn stream(seed: u64, purpose: &str, epoch: u64, index: u64) -> ChaCha8Rng {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(&(purpose.len() as u64).to_le_bytes());
    hasher.update(purpose.as_bytes());
    hasher.update(&epoch.to_le_bytes());
    hasher.update(&index.to_le_bytes());
    ChaCha8Rng::from_seed(*hasher.finalize().as_bytes())
}
