//! Weights of the two losses, which move during training.

use std::collections::BTreeMap;

use super::settings::LossWeighting;

/// Values for similarity and reconstruction, in this order.
pub(super) type Pair = [f64; 2];

/// Input that a rule needs from a step before the losses are weighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing. Steps need not wait for their numbers.
    Nothing,
    /// The losses.
    Losses,
    /// The losses, and the gradient norm of each loss.
    Gradients,
}

/// The current weights and the values that they follow from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weighting {
    rule: LossWeighting,
    weights: Pair,
    /// Logarithms of the variances (for `uncertainty`).
    log_variances: Pair,
    /// Mean losses of the last two epochs, the latest last (for `dwa`).
    epochs: Vec<Pair>,
    /// Losses of the first step (for `gradnorm`).
    first: Option<Pair>,
}

/// Returns the softmax of `x` times `total`.
fn softmax(x: Pair, total: f64) -> Pair {
    let largest = x[0].max(x[1]);
    let powers = x.map(|x| (x - largest).exp());
    powers.map(|power| total * power / (powers[0] + powers[1]))
}

impl Weighting {
    /// Creates weights that are equal for both losses, because nothing is known of the losses.
    pub(super) fn new(rule: LossWeighting) -> Self {
        let weights = match rule {
            // s = 0.
            LossWeighting::Uncertainty { .. } | LossWeighting::UwSo { .. } => [0.5; 2],
            LossWeighting::Fixed | LossWeighting::Dwa { .. } | LossWeighting::GradNorm { .. } => [1.0; 2],
        };
        Self { rule, weights, log_variances: [0.0; 2], epochs: Vec::new(), first: None }
    }

    pub(super) fn needs(&self) -> Needs {
        match self.rule {
            LossWeighting::Fixed | LossWeighting::Dwa { .. } => Needs::Nothing,
            LossWeighting::Uncertainty { .. } | LossWeighting::UwSo { .. } => Needs::Losses,
            LossWeighting::GradNorm { .. } => Needs::Gradients,
        }
    }

    /// Returns the weights if they can move.
    pub(super) fn moving(&self) -> Option<Pair> {
        (self.rule != LossWeighting::Fixed).then_some(self.weights)
    }

    /// Returns the weights of the next step, as far as they are known before it.
    pub(super) fn weights(&self) -> Pair {
        self.weights
    }

    /// Returns the weights of the step with these losses. Those of the next step may differ.
    pub(super) fn of_losses(&mut self, losses: Pair) -> Pair {
        match self.rule {
            LossWeighting::Uncertainty { weighting_rate: rate } => {
                let weights = self.weights;
                for (s, loss) in self.log_variances.iter_mut().zip(losses) {
                    *s -= rate * 0.5 * (1.0 - (-*s).exp() * loss);
                }
                self.weights = self.log_variances.map(|s| 0.5 * (-s).exp());
                weights
            }
            LossWeighting::UwSo { weighting_temperature: temperature } => {
                // A loss of 0 would have an infinite weight.
                self.weights = softmax(losses.map(|loss| 1.0 / loss.max(1e-6) / temperature), 1.0);
                self.weights
            }
            LossWeighting::Fixed | LossWeighting::Dwa { .. } | LossWeighting::GradNorm { .. } => self.weights,
        }
    }

    /// Returns the weights of the step with these losses and gradient norms. Those of the next step follow from |wᵢGᵢ − Ḡ·rᵢ^α|. Ḡ is the
    /// mean of wᵢGᵢ; rᵢ is a loss divided by its first value, over the mean of both.
    pub(super) fn of_gradients(&mut self, losses: Pair, norms: Pair) -> Pair {
        let weights = self.weights;
        if let LossWeighting::GradNorm { weighting_alpha: alpha, weighting_rate: rate } = self.rule {
            let first = *self.first.get_or_insert(losses);
            let falling = [0, 1].map(|i| losses[i] / first[i].max(f64::MIN_POSITIVE));
            let mean_falling = (falling[0] + falling[1]) / 2.0;
            let weighed = [0, 1].map(|i| weights[i] * norms[i]);
            let mean = (weighed[0] + weighed[1]) / 2.0;
            // The targets are constants, so the gradient of |wG − target| with respect to w is ±G. Its scale is that of the network's
            // gradients, which says nothing about the weights. It is therefore taken relative to the mean.
            let moved = [0, 1].map(|i| {
                let target = mean * (falling[i] / mean_falling.max(f64::MIN_POSITIVE)).powf(alpha);
                let slope = (weighed[i] - target).signum() * norms[i] / mean.max(f64::MIN_POSITIVE);
                (weights[i] - rate * slope.clamp(-1.0, 1.0)).max(1e-3)
            });
            self.weights = moved.map(|weight| 2.0 * weight / (moved[0] + moved[1]));
        }
        weights
    }

    /// Updates the weights from the mean losses of an epoch.
    pub(super) fn end_epoch(&mut self, losses: Pair) {
        let LossWeighting::Dwa { weighting_temperature: temperature } = self.rule else { return };
        self.epochs.push(losses);
        if self.epochs.len() > 2 {
            self.epochs.remove(0);
        }
        if let [before, last] = self.epochs[..] {
            self.weights = softmax([0, 1].map(|i| last[i] / before[i].max(f64::MIN_POSITIVE) / temperature), 2.0);
        }
    }

    /// Saves all that a resumed phase needs, as bits: decimal text would not restore the same numbers.
    pub(super) fn save(&self, metadata: &mut BTreeMap<String, String>) {
        if self.rule == LossWeighting::Fixed {
            return;
        }
        let mut pairs = vec![("weights", self.weights), ("log_variances", self.log_variances)];
        pairs.extend(self.first.map(|first| ("first", first)));
        pairs.extend(["epoch_before", "epoch_last"].into_iter().zip(self.epochs.iter().copied()));
        for (name, pair) in pairs {
            let [a, b] = pair.map(f64::to_bits);
            metadata.insert(format!("weighting.{name}"), format!("{a:016x} {b:016x}"));
        }
    }

    /// Restores what [`Weighting::save`] wrote.
    pub(super) fn restore(&mut self, metadata: &BTreeMap<String, String>) {
        let bits = |text: &str| u64::from_str_radix(text, 16).ok().map(f64::from_bits);
        let pair = |name: &str| {
            let (a, b) = metadata.get(&format!("weighting.{name}"))?.split_once(' ')?;
            Some([bits(a)?, bits(b)?])
        };
        let fresh = Self::new(self.rule);
        self.weights = pair("weights").unwrap_or(fresh.weights);
        self.log_variances = pair("log_variances").unwrap_or(fresh.log_variances);
        self.first = pair("first");
        self.epochs = ["epoch_before", "epoch_last"].into_iter().filter_map(pair).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(pair: Pair) -> f64 {
        pair[0] + pair[1]
    }

    #[test]
    fn learnt_variances_settle_where_each_weight_is_half_of_one_over_its_loss() {
        let mut weighting = Weighting::new(LossWeighting::Uncertainty { weighting_rate: 0.1 });
        assert_eq!(weighting.of_losses([2.0, 0.1]), [0.5, 0.5]);
        for _ in 0..2000 {
            weighting.of_losses([2.0, 0.1]);
        }
        let weights = weighting.of_losses([2.0, 0.1]);
        assert!((weights[0] - 0.25).abs() < 1e-6 && (weights[1] - 5.0).abs() < 1e-4, "{weights:?}");
    }

    #[test]
    fn the_loss_that_falls_slower_weighs_more_from_the_third_epoch() {
        let mut weighting = Weighting::new(LossWeighting::Dwa { weighting_temperature: 2.0 });
        weighting.end_epoch([1.0, 1.0]);
        assert_eq!(weighting.weights(), [1.0, 1.0]);
        weighting.end_epoch([0.9, 0.5]);
        let weights = weighting.weights();
        assert!((sum(weights) - 2.0).abs() < 1e-12);
        assert!((weights[0] / weights[1] - ((0.9 - 0.5) / 2.0_f64).exp()).abs() < 1e-12, "{weights:?}");
    }

    #[test]
    fn analytical_weights_are_a_softmax_of_one_over_the_losses() {
        let mut weighting = Weighting::new(LossWeighting::UwSo { weighting_temperature: 4.0 });
        let weights = weighting.of_losses([0.5, 0.25]);
        assert!((sum(weights) - 1.0).abs() < 1e-12);
        assert!((weights[1] / weights[0] - 0.5_f64.exp()).abs() < 1e-12, "{weights:?}");
        assert_eq!(weighting.of_losses([1.0, 0.0])[1], 1.0);
    }

    #[test]
    fn gradient_norms_of_losses_that_fall_alike_become_equal() {
        let mut weighting = Weighting::new(LossWeighting::GradNorm { weighting_alpha: 1.5, weighting_rate: 0.01 });
        for _ in 0..1000 {
            weighting.of_gradients([1.0, 1.0], [3.0, 1.0]);
        }
        let weights = weighting.weights();
        assert!((weights[0] * 3.0 / weights[1] - 1.0).abs() < 0.1, "{weights:?}");
        // The second falls slower: it is favoured now.
        for _ in 0..1000 {
            weighting.of_gradients([0.5, 1.0], [3.0, 1.0]);
        }
        assert!(weighting.weights()[1] > weights[1]);
    }

    #[test]
    fn a_weighting_survives_its_metadata_to_the_bit() {
        let rules = [
            LossWeighting::Fixed,
            LossWeighting::Uncertainty { weighting_rate: 0.1 },
            LossWeighting::Dwa { weighting_temperature: 2.0 },
            LossWeighting::GradNorm { weighting_alpha: 1.5, weighting_rate: 0.1 },
            LossWeighting::UwSo { weighting_temperature: 1.0 },
        ];
        for rule in rules {
            let mut weighting = Weighting::new(rule);
            for step in 1..5 {
                let losses = [1.0 / 3.0 / f64::from(step), 0.1];
                weighting.of_losses(losses);
                weighting.of_gradients(losses, [0.7, 0.3]);
                weighting.end_epoch(losses);
            }
            let mut metadata = BTreeMap::new();
            weighting.save(&mut metadata);
            let mut restored = Weighting::new(rule);
            restored.restore(&metadata);
            assert_eq!(restored, weighting);
        }
    }
}
