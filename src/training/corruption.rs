//! Corruption of features before they enter an auto-encoder, which is trained to undo it.

use rand::Rng;
use rayon::prelude::*;

use super::context::StageError;
use crate::data::{normal_pair, stream};
use crate::model::Corruption;
use crate::tensor::{Backend, Features, Tape};

/// Fills the values of one image from uniform numbers in 0..1.
type Fill<'a> = dyn Fn(&mut dyn FnMut() -> f64, &mut [f32]) + Sync + 'a;

/// Place of a step in training. No two steps have the same corruption.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct At {
    /// Epochs finished before the step.
    pub epoch: usize,
    /// Steps of this epoch finished before the step.
    pub step: usize,
    /// Total number of steps in this epoch.
    pub steps: usize,
}

impl At {
    /// Returns the epochs trained before the step, including the finished fraction of the current one.
    pub(super) fn trained(&self) -> f64 {
        self.epoch as f64 + self.step as f64 / self.steps as f64
    }
}

/// Corrupts the features of one level (from 0). The result is the same for the same seed and place in training.
pub(super) fn corrupt<B: Backend, T: Tape>(
    features: Features<B, T>,
    corruption: Corruption,
    seed: u64,
    level: usize,
    at: At,
) -> Result<Features<B, T>, StageError> {
    let shape = *features.shape();
    let (images, height, width, channels) = shape;
    let purpose = format!("corruption/{level}/{}", at.step);
    // One stream per image, because images are drawn in parallel.
    let draw = |fill: &Fill<'_>| {
        let mut values = vec![0.0_f32; images * height * width * channels];
        values.par_chunks_mut(height * width * channels).enumerate().for_each(|(image, values)| {
            let mut random = stream(seed, &purpose, at.epoch as u64, image as u64);
            fill(&mut || f64::from(random.next_u32() >> 8) / f64::from(1 << 24), values);
        });
        B::upload(values, shape).map_err(StageError::device)
    };
    match corruption {
        Corruption::Plain => Ok(features),
        Corruption::Noise { input_noise: deviation } => {
            let noise = draw(&|uniform, values| {
                for pair in values.chunks_mut(2) {
                    let normal = normal_pair(deviation, uniform(), uniform());
                    pair.iter_mut().zip(normal).for_each(|(value, normal)| *value = normal as f32);
                }
            })?;
            B::add(features, noise.put_tape(T::default())).map_err(StageError::device)
        }
        Corruption::Masked { input_share: share } => {
            let kept = draw(&|uniform, values| {
                for pixel in values.chunks_exact_mut(channels) {
                    pixel.fill(if uniform() < share { 0.0 } else { 1.0 });
                }
            })?;
            B::scale(features, &kept).map_err(StageError::device)
        }
        Corruption::Dropout { input_share: share } => {
            let larger = (1.0 / (1.0 - share)) as f32;
            let kept = draw(&|uniform, values| {
                values.iter_mut().for_each(|value| *value = if uniform() < share { 0.0 } else { larger });
            })?;
            B::scale(features, &kept).map_err(StageError::device)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Native;

    const AT: At = At { epoch: 2, step: 1, steps: 4 };

    fn corrupted(corruption: Corruption, seed: u64, at: At) -> Vec<f32> {
        let features = Native::upload(vec![1.0; 4 * 8 * 8 * 16], (4, 8, 8, 16)).expect("memory");
        Native::download(&corrupt::<Native, _>(features, corruption, seed, 0, at).expect("memory")).expect("memory")
    }

    #[test]
    fn each_kind_does_what_it_says() {
        let count = (4 * 8 * 8 * 16) as f64;
        let mean = |values: &[f32]| values.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
        assert_eq!(corrupted(Corruption::Plain, 0, AT), vec![1.0; 4096]);
        let noise = corrupted(Corruption::Noise { input_noise: 0.5 }, 0, AT);
        let spread = noise.iter().map(|&v| (f64::from(v) - 1.0).powi(2)).sum::<f64>() / count;
        assert!((mean(&noise) - 1.0).abs() < 0.05 && (spread.sqrt() - 0.5).abs() < 0.03, "{spread}");
        let masked = corrupted(Corruption::Masked { input_share: 0.25 }, 0, AT);
        assert!(masked.chunks_exact(16).all(|pixel| pixel.iter().all(|v| *v == pixel[0])));
        assert!((mean(&masked) - 0.75).abs() < 0.1);
        let dropout = corrupted(Corruption::Dropout { input_share: 0.25 }, 0, AT);
        assert!((mean(&dropout) - 1.0).abs() < 0.05 && dropout.contains(&0.0));
        assert!(!dropout.chunks_exact(16).all(|pixel| pixel.iter().all(|v| *v == pixel[0])));
    }

    #[test]
    fn seed_and_place_decide_alone() {
        let of = |seed, step| corrupted(Corruption::Noise { input_noise: 0.5 }, seed, At { step, ..AT });
        assert_eq!(of(0, 1), of(0, 1));
        assert_ne!(of(0, 1), of(0, 2));
        assert_ne!(of(0, 1), of(1, 1));
        assert_eq!(AT.trained(), 2.25);
    }
}
