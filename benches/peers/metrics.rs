//! Exact pixel metrics of a test set with the same kind of maps and masks as in PyTorch's benchmark.

use didact::evaluate::metrics::{Sweep, aupro, auroc};

const MAPS: usize = 161;
const SIDE: usize = 256;

/// A test set. Every second map has one to three rectangular defects.
pub struct TestSet {
    maps: Vec<Vec<f32>>,
    masks: Vec<Option<Vec<bool>>>,
}

/// Reproducible random bits (SplitMix64: Steele, Lea and Flood 2014).
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }
    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

impl TestSet {
    /// Creates maps of noise.
    pub fn new() -> Self {
        let mut random = SplitMix(0);
        let mut value = || (random.next() >> 40) as f32 * (random.next() >> 40) as f32 / (1_u64 << 48) as f32;
        let maps = (0..MAPS).map(|_| (0..SIDE * SIDE).map(|_| value()).collect()).collect();
        let mut random = SplitMix(1);
        let masks = (0..MAPS).map(|map| (map % 2 == 0).then(|| mask(&mut random))).collect();
        Self { maps, masks }
    }

    /// Returns pixel AUROC and AUPRO.
    pub fn measure(&self) -> (f64, f64) {
        let sweep = Sweep::of_maps(&self.maps, &self.masks, SIDE).expect("finite");
        (auroc(&sweep).expect("both classes"), aupro(&sweep, 0.3).expect("both classes"))
    }
}

fn mask(random: &mut SplitMix) -> Vec<bool> {
    let mut mask = vec![false; SIDE * SIDE];
    for _ in 0..1 + random.below(3) {
        let (top, left) = (random.below(200), random.below(200));
        let (height, width) = (8 + random.below(48), 8 + random.below(48));
        for row in top..top + height {
            mask[row * SIDE + left..][..width].fill(true);
        }
    }
    mask
}
