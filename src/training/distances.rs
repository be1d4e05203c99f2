//! Distances between the feature maps of teacher and student, which the similarity loss uses: one file each, registered by `distances!`.

mod cosine;
mod flat_cosine;
mod mse;
mod normalised;
mod smooth_l1;

use crate::settings::choices;
use crate::tensor::{Backend, Features, OpResult, Recorded, Scalar};

/// Registers distances: `Variant(module) = "spelling"`, with the formula for the sweep file.
macro_rules! distances {
    ($( $(#[doc = $doc:literal])* $distance:ident($module:ident) = $spelling:literal ),* $(,)?) => {
        choices! {
            /// What two feature maps T (the teacher's) and Ŝ differ by, per level.
            pub enum Distance {
                $( $(#[doc = $doc])* $distance = $spelling ),*
            }
        }

        impl Distance {
            /// Returns the mean over images and pixels. Only `features` receives a gradient.
            pub(super) fn mean<B: Backend>(
                self,
                teacher: &Features<B>,
                features: Features<B, Recorded>,
            ) -> OpResult<Scalar<B, Recorded>> {
                match self {
                    $( Self::$distance => $module::mean::<B>(teacher, features), )*
                }
            }
        }
    };
}

distances! {
    /// Σ_c (T^ − Ŝ^)² (Wang et al. 2021), where ^ divides by the channels' L2 norm.
    Normalised(normalised) = "normalised",
    /// 1 − cos(T, Ŝ), which is half of `normalised`.
    Cosine(cosine) = "cosine",
    /// 1 − cos of the whole maps, each flattened to one vector, as in reverse distillation (Deng and Li 2022).
    FlatCosine(flat_cosine) = "flat-cosine",
    /// Mean over the channels of (T − Ŝ)²: the features' lengths count, too.
    Mse(mse) = "mse",
    /// Mean over the channels of ½d² for |d| < 1, else |d| − ½, with d = T − Ŝ (Girshick 2015): less moved by outliers than `mse`.
    SmoothL1(smooth_l1) = "smooth-l1",
}
