//! What a threshold that was set without labels does on test images.

use super::Undefined;

/// Test images by label and by whether their score exceeds a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ThresholdCounts {
    /// Defective, above.
    pub true_positives: u64,
    /// Normal, above.
    pub false_positives: u64,
    /// Defective, not above.
    pub false_negatives: u64,
    /// Normal, not above.
    pub true_negatives: u64,
}

impl ThresholdCounts {
    /// Counts scores strictly above `threshold`.
    pub fn of(scores: &[f32], labels: &[bool], threshold: f64) -> Self {
        let mut counts = Self::default();
        for (&score, &label) in scores.iter().zip(labels) {
            let count = match (label, f64::from(score) > threshold) {
                (true, true) => &mut counts.true_positives,
                (false, true) => &mut counts.false_positives,
                (true, false) => &mut counts.false_negatives,
                (false, false) => &mut counts.true_negatives,
            };
            *count += 1;
        }
        counts
    }

    /// Share of the images above that are defective.
    pub fn precision(&self) -> Result<f64, Undefined> {
        share(self.true_positives, self.false_positives, "no test image is above the held-out threshold")
    }

    /// Share of the defective images that are above.
    pub fn recall(&self) -> Result<f64, Undefined> {
        share(self.true_positives, self.false_negatives, "nothing is defective")
    }

    /// Share of the normal images that are above.
    pub fn false_alarms(&self) -> Result<f64, Undefined> {
        share(self.false_positives, self.true_negatives, "nothing is normal")
    }
}

fn share(part: u64, rest: u64, reason: &'static str) -> Result<f64, Undefined> {
    match part + rest {
        0 => Err(Undefined(reason)),
        all => Ok(part as f64 / all as f64),
    }
}

/// The chance that a new normal image is above a threshold: at most (1 + those above it) in (1 + n), if it is like the n held-out ones
/// (exchangeable; Vovk, Gammerman and Shafer 2005).
pub fn expected_false_alarms(held_out: &[f32], threshold: f64) -> Result<f64, Undefined> {
    if held_out.is_empty() {
        return Err(Undefined("nothing is held out"));
    }
    let above = held_out.iter().filter(|score| f64::from(**score) > threshold).count();
    Ok((1 + above) as f64 / (1 + held_out.len()) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_shares() {
        let counts = ThresholdCounts::of(&[1.0, 2.0, 3.0, 4.0], &[false, true, false, true], 2.0);
        assert_eq!((counts.precision(), counts.recall(), counts.false_alarms()), (Ok(0.5), Ok(0.5), Ok(0.5)));
        let none = ThresholdCounts::of(&[1.0], &[false], 2.0);
        assert_eq!(none.precision(), Err(Undefined("no test image is above the held-out threshold")));
        assert_eq!((none.recall(), none.false_alarms()), (Err(Undefined("nothing is defective")), Ok(0.0)));
        assert_eq!(expected_false_alarms(&[1.0, 2.0, 3.0], 3.0), Ok(0.25));
        assert_eq!(expected_false_alarms(&[1.0, 2.0, 3.0], 1.5), Ok(0.75));
        assert!(expected_false_alarms(&[], 1.0).is_err());
    }
}
