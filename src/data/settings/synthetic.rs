//! Size of the drawn data set.

use crate::settings::{defaults, settings};

settings! {
    /// Size of the drawn data set.
    pub struct SyntheticSettings: Eq {
        /// Seed of everything that is drawn.
        pub seed: u64 = integer(0, 0..=u64::MAX),
        /// Side of the drawn images, pixels.
        pub side: usize = integer(128, 32..=1024),
        /// Normal training images per category.
        pub train: usize = integer(40, 2..=10_000),
        /// Normal test images per category.
        pub test_good: usize = integer(12, 0..=10_000),
        /// Test images per kind of defect.
        pub test_per_defect: usize = integer(6, 0..=10_000),
    }
}

impl Default for SyntheticSettings {
    fn default() -> Self {
        defaults(())
    }
}
