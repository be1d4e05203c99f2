//! The table `[evaluate]`: the map rule and the oracle request.

use crate::settings::{Reader, alternatives, choices, defaults, settings};

choices! {
    /// Aggregation of the level maps.
    pub enum Aggregate {
        /// Element-wise product (ST-FPM).
        Product = "product",
        /// Sum.
        Sum = "sum",
        /// Mean.
        Mean = "mean",
        /// Mean, each level weighted by the inverse of its variance on the held-out normals.
        Weighted = "weighted",
    }
}

choices! {
    /// Normalisation of each level's map before levels are joined.
    pub enum Normalise {
        /// Nothing.
        None = "none",
        /// Map the quantiles 0.9 and 0.995 on the held-out normals to 0 and 0.1 (EfficientAD, Batzner et al. 2024).
        HeldOut = "held-out",
    }
}

alternatives! {
    /// Handling of the border, where padding makes features unusual.
    pub enum Border(image_size: usize) {
        /// Nothing.
        None = "none",
        /// Count the outermost `border_crop` pixels as score 0; the ground truth is never cut.
        Crop { border_crop: usize } = "crop",
        /// Subtract each pixel's mean on the held-out normals and divide by its deviation.
        Reweight = "reweight",
    } with {
        /// Width of the cropped border in pixels, at most a quarter of `data.image_size`.
        border_crop = integer_by("`data.image_size` / 32", image_size / 32, 1..=image_size / 4),
    }
}

alternatives! {
    /// Rule that computes an image's score from its map.
    pub enum ImageScoreRule {
        /// Maximum of the map (ST-FPM).
        Max = "max",
        /// Mean of the highest share `top_k` of the map's pixels.
        TopK { top_k: f64 } = "top-k",
    } with {
        /// Share of the pixels that the image score `top-k` averages.
        top_k = number(0.03, 1e-6..=1.0),
    }
}

settings! {
    /// The map rule and the oracle request.
    pub struct EvaluateSettings(image_size: usize, usual_oracle_epochs: usize) => checked {
        /// Aggregation of the level maps.
        pub aggregate: Aggregate = choice(Aggregate::Product),
        /// Side in pixels at which level maps are joined. The official code uses 64 at 256 px, the side of level 1.
        pub fuse_size: usize = integer_by("`data.image_size` / 4", image_size / 4, 1..=4096),
        /// Standard deviation in pixels of the Gaussian that smooths the final map; 0 disables smoothing.
        pub smoothing_sigma: f64 = number(0.0, 0.0..=64.0),
        /// Normalisation of each level's map before levels are joined.
        pub normalise: Normalise = choice(Normalise::None),
        /// Handling of the border, where padding makes features unusual.
        pub border: Border = with(|field| Border::read(field, image_size)),
        /// Rule that computes the image's score from the final map.
        pub image_score: ImageScoreRule = with(ImageScoreRule::read),
        /// Quantile of the held-out normals' scores above which an image is called defective.
        pub threshold_quantile: f64 = number(1.0, 0.0..=1.0),
        /// Number of evenly spaced epochs that are also scored on the test images, always marked as oracle; 0 for none.
        pub oracle_epochs: usize = integer(usual_oracle_epochs, 0..=10_000),
    }
}

impl EvaluateSettings {
    /// Creates the rule of ST-FPM: the product of the levels at this side, and the maximum as the image score.
    pub fn of_stfpm(fuse_size: usize) -> Self {
        Self { fuse_size, ..defaults((fuse_size * 4, 0)) }
    }

    fn checked(self, reader: &Reader<'_>) -> Self {
        if self.normalise == Normalise::HeldOut {
            // Normalised values are on both sides of 0.
            if self.aggregate == Aggregate::Product {
                let help = "expected \"sum\", \"mean\" or \"weighted\": normalised levels have negative values, so their product has no \
                            meaning";
                reader.refuse("aggregate", "`evaluate.aggregate` is \"product\", but levels are normalised", help);
            }
            if matches!(self.border, Border::Crop { .. }) {
                let help = "expected \"none\" or \"reweight\": a cropped border counts as 0, which is not a low score if levels are \
                            normalised";
                reader.refuse("border", "`evaluate.border` is \"crop\", but levels are normalised", help);
            }
        }
        self
    }

    /// Returns whether the held-out normals decide how levels are joined.
    pub fn fits_levels(&self) -> bool {
        self.normalise == Normalise::HeldOut || self.aggregate == Aggregate::Weighted
    }

    /// Returns whether the held-out normals decide any part of the map rule.
    pub fn is_fitted(&self) -> bool {
        self.fits_levels() || self.border == Border::Reweight
    }

    /// Returns the map rule alone, without the number of oracle epochs, which changes no number of the selected epoch.
    pub fn rule(&self) -> serde_json::Value {
        let mut rule = serde_json::json!(self);
        if let Some(fields) = rule.as_object_mut() {
            fields.shift_remove("oracle_epochs");
        }
        rule
    }
}
