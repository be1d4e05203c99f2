//! The losses of joint training: similarity to the teacher per level, and reconstruction if there are auto-encoders.

use dfdx::tensor::NoneTape;

use super::context::StageError;
use super::settings::{LossSettings, ReconstructionGradient, ReconstructionTarget, SimilaritySettings};
use crate::model::{AutoEncoders, Head};
use crate::nn::{Input, Mode};
use crate::tensor::{Backend, Features, OpResult, Recorded, Scalar};
use crate::training::Distance;

/// Losses of one level, or their sums over levels, with the tape. They are means, without weights or other reductions.
pub(super) struct Losses<B: Backend> {
    pub(super) similarity: Scalar<B, Recorded>,
    /// `None` without auto-encoders.
    pub(super) reconstruction: Option<Scalar<B, Recorded>>,
}

impl<B: Backend> Losses<B> {
    pub(super) fn plus(self, other: Self) -> OpResult<Self> {
        Ok(Self {
            similarity: sum::<B>(self.similarity, other.similarity)?,
            reconstruction: match (self.reconstruction, other.reconstruction) {
                (Some(a), Some(b)) => Some(sum::<B>(a, b)?),
                // Some levels may have no auto-encoder.
                (a, b) => a.or(b),
            },
        })
    }
}

/// Inputs for the losses of one level.
pub(super) struct Level<'a, B: Backend> {
    /// Level, from 0.
    pub(super) level: usize,
    /// Teacher features T.
    pub(super) teacher: &'a Features<B>,
    /// Student features S.
    pub(super) student: Features<B, Recorded>,
    /// The student's second head, if the auto-encoder reads the teacher's features.
    pub(super) head: Option<&'a Head<B>>,
    pub(super) similarity: &'a SimilaritySettings,
    /// Mode of the networks.
    pub(super) mode: Mode,
}

impl<B: Backend> Level<'_, B> {
    /// Returns the loss of plain ST-FPM, which compares the student with the teacher.
    pub(super) fn plain(self) -> OpResult<Losses<B>> {
        let similarity = similarity::<B>(self.similarity, self.teacher, self.student)?;
        Ok(Losses { similarity, reconstruction: None })
    }

    /// Returns the losses with an auto-encoder A whose input is S after `corrupted`. Compares A(S) with the teacher and with its target.
    pub(super) fn rebuilt(
        self,
        autoencoders: &mut AutoEncoders<B>,
        settings: &LossSettings,
        corrupted: impl Fn(Features<B, Recorded>) -> Result<Features<B, Recorded>, StageError>,
    ) -> Result<Losses<B>, StageError> {
        let device = |error| StageError::device(error);
        if let Some(head) = self.head {
            return self.headed(head, autoencoders, settings, corrupted);
        }
        let (level, teacher) = (self.level, self.teacher);
        let target = self.student.with_empty_tape();
        let rebuilt =
            autoencoders.forward(level, corrupted(self.student)?, Input::Trained, self.mode).map_err(device)?;
        match settings.reconstruction_gradient {
            ReconstructionGradient::Both => {
                let similarity =
                    similarity::<B>(self.similarity, teacher, rebuilt.with_empty_tape()).map_err(device)?;
                let reconstruction = reconstruction::<B>(settings, rebuilt, target, teacher).map_err(device)?;
                Ok(Losses { similarity, reconstruction: Some(reconstruction) })
            }
            ReconstructionGradient::Autoencoder => {
                // A second pass over detached features. A product has a new identity, so no gradient reaches the student.
                let detached = B::detach(&target.split_tape().0);
                let input = corrupted(detached.clone().put_tape(Recorded::default()))?;
                let again =
                    autoencoders.forward(level, input, Input::Constant, Mode::TrainUntracked).map_err(device)?;
                let reconstruction =
                    reconstruction_of_constant::<B>(settings, again, &detached, teacher).map_err(device)?;
                let similarity = similarity::<B>(self.similarity, teacher, rebuilt).map_err(device)?;
                Ok(Losses { similarity, reconstruction: Some(reconstruction) })
            }
        }
    }

    /// Returns the losses with an auto-encoder that reads the teacher (Batzner et al. 2024, EfficientAD): mean‖T^ − S^‖² + mean‖A(T)^ −
    /// S′^‖², and MSE(A(T), T). S′ is the output of the student's second head.
    ///
    /// The second term moves only the student. Its head learns how the auto-encoder rebuilds normal images, including its errors.
    fn headed(
        self,
        head: &Head<B>,
        autoencoders: &mut AutoEncoders<B>,
        settings: &LossSettings,
        corrupted: impl Fn(Features<B, Recorded>) -> Result<Features<B, Recorded>, StageError>,
    ) -> Result<Losses<B>, StageError> {
        let device = |error| StageError::device(error);
        let input = corrupted(self.teacher.clone().put_tape(Recorded::default()))?;
        let rebuilt = autoencoders.forward(self.level, input, Input::Constant, self.mode).map_err(device)?;
        let (target, _) = rebuilt.with_empty_tape().split_tape();
        let headed = head.forward(self.student.with_empty_tape()).map_err(device)?;
        let of = |teacher, features| similarity::<B>(self.similarity, teacher, features).map_err(device);
        let similarity = sum::<B>(of(self.teacher, self.student)?, of(&target, headed)?).map_err(device)?;
        let reconstruction = to_constant::<B>(settings, rebuilt, self.teacher).map_err(device)?;
        Ok(Losses { similarity, reconstruction: Some(reconstruction) })
    }
}

fn sum<B: Backend>(a: Scalar<B, Recorded>, b: Scalar<B, Recorded>) -> OpResult<Scalar<B, Recorded>> {
    B::weighted_sum((a, 1.0), [(b, 1.0)])
}

/// Returns the distance to the teacher as a mean over images and pixels. Only `features` receives a gradient.
fn similarity<B: Backend>(
    settings: &SimilaritySettings,
    teacher: &Features<B>,
    features: Features<B, Recorded>,
) -> OpResult<Scalar<B, Recorded>> {
    if settings.hard_quantile == 0.0 {
        return settings.distance.mean::<B>(teacher, features);
    }
    // Masked pixels are 0 on both sides: they have no distance and pass no gradient. The mean over all pixels is therefore the mean over
    // the hard ones, except for the number of pixels. The angle between whole maps is no mean over pixels.
    let (features, tape) = features.split_tape();
    let distances = B::download(&B::distance_map(teacher, &features)?)?;
    let (hard, count) = hardest(&distances, settings.hard_quantile);
    let shape = *features.shape();
    let mask = hard.iter().flat_map(|&hard| std::iter::repeat_n(f32::from(u8::from(hard)), shape.3)).collect();
    let mask = B::upload(mask, shape)?;
    let teacher = B::scale(teacher.clone(), &mask)?;
    let loss = settings.distance.mean::<B>(&teacher, B::scale(features.put_tape(tape), &mask)?)?;
    let factor = if settings.distance == Distance::FlatCosine { 1.0 } else { distances.len() as f32 / count as f32 };
    B::weighted_sum((loss, factor), [])
}

/// Returns which distances are at or above their `quantile`, and how many.
fn hardest(distances: &[f32], quantile: f64) -> (Vec<bool>, usize) {
    let mut sorted = distances.to_vec();
    let rank = ((quantile * sorted.len() as f64) as usize).min(sorted.len() - 1);
    let threshold = *sorted.select_nth_unstable_by(rank, f32::total_cmp).1;
    // `total_cmp` counts NaN as hard, so NaN cannot disappear from the loss.
    let hard: Vec<bool> = distances.iter().map(|d| d.total_cmp(&threshold).is_ge()).collect();
    let count = hard.iter().filter(|hard| **hard).count();
    (hard, count)
}

/// Returns the distance of the rebuilt features to `student` or the teacher. Both sides receive a gradient.
fn reconstruction<B: Backend>(
    settings: &LossSettings,
    rebuilt: Features<B, Recorded>,
    student: Features<B, Recorded>,
    teacher: &Features<B>,
) -> OpResult<Scalar<B, Recorded>> {
    let to_student = |rebuilt: Features<B, Recorded>, student: Features<B, Recorded>| {
        if !settings.normalised {
            return B::mean_squared_error(rebuilt, student);
        }
        // The operation has a gradient for one side only. The gradient of the other side comes from the same distance with the sides
        // swapped. Its value is subtracted again.
        let (constant_rebuilt, constant_student) = (rebuilt.retaped::<NoneTape>(), student.retaped::<NoneTape>());
        let of_student = B::similarity(&constant_rebuilt, student)?;
        // Without a tape the product has an identity of its own, so that it passes no gradient to the student.
        let negative = B::weighted_sum((of_student.retaped::<NoneTape>(), -1.0), [])?;
        let of_rebuilt = B::similarity(&constant_student, rebuilt)?;
        B::weighted_sum((of_student, 1.0), [(negative.put_tape(Recorded::default()), 1.0), (of_rebuilt, 1.0)])
    };
    towards::<B>(settings, rebuilt, teacher, |rebuilt| to_student(rebuilt, student))
}

/// Returns the same distance for constant student features.
fn reconstruction_of_constant<B: Backend>(
    settings: &LossSettings,
    rebuilt: Features<B, Recorded>,
    student: &Features<B>,
    teacher: &Features<B>,
) -> OpResult<Scalar<B, Recorded>> {
    towards::<B>(settings, rebuilt, teacher, |rebuilt| to_constant::<B>(settings, rebuilt, student))
}

/// Returns the loss with respect to the target that the settings name.
fn towards<B: Backend>(
    settings: &LossSettings,
    rebuilt: Features<B, Recorded>,
    teacher: &Features<B>,
    to_student: impl FnOnce(Features<B, Recorded>) -> OpResult<Scalar<B, Recorded>>,
) -> OpResult<Scalar<B, Recorded>> {
    match settings.target {
        ReconstructionTarget::Student => to_student(rebuilt),
        ReconstructionTarget::Teacher => to_constant::<B>(settings, rebuilt, teacher),
        ReconstructionTarget::Both => {
            let of_teacher = to_constant::<B>(settings, rebuilt.with_empty_tape(), teacher)?;
            B::weighted_sum((to_student(rebuilt)?, 0.5), [(of_teacher, 0.5)])
        }
    }
}

fn to_constant<B: Backend>(
    settings: &LossSettings,
    rebuilt: Features<B, Recorded>,
    target: &Features<B>,
) -> OpResult<Scalar<B, Recorded>> {
    if settings.normalised { B::similarity(target, rebuilt) } else { B::mean_squared_error(rebuilt, target.clone()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{Native, cuda};

    const SHAPE: (usize, usize, usize, usize) = (2, 3, 3, 4);

    fn values(seed: u32) -> Vec<f32> {
        (0..72_u32).map(|i| ((i * 37 + seed * 101) % 89) as f32 / 44.0 - 1.0).collect()
    }

    fn features<B: Backend>(values: Vec<f32>) -> Features<B> {
        B::upload(values, SHAPE).expect("memory")
    }

    /// Compares the gradients of a function of two feature maps with finite differences.
    fn check<B: Backend>(
        what: &str,
        loss: impl Fn(Features<B, Recorded>, Features<B, Recorded>) -> Scalar<B, Recorded>,
        moves: [bool; 2],
    ) {
        let at = |x: &[Vec<f32>; 2]| {
            let [a, b] = x.each_ref().map(|x| features::<B>(x.clone()));
            let loss = loss(a.put_tape(Default::default()), b.put_tape(Default::default()));
            B::number(&loss).expect("memory")
        };
        let x = [values(1), values(2)];
        let [a, b] = x.each_ref().map(|x| features::<B>(x.clone()));
        let taped = loss(a.clone().put_tape(Default::default()), b.clone().put_tape(Default::default()));
        let mut gradients = B::backward(taped).expect("memory");
        for (side, tensor) in [a, b].iter().enumerate() {
            let gradient = B::gradient(&mut gradients, tensor).expect("memory");
            if !moves[side] {
                assert!(gradient.iter().all(|g| *g == 0.0), "{what}: side {side}");
                continue;
            }
            for index in [0, 5, 17, 40, 71] {
                let step = 1e-2;
                let [up, down] = [step, -step].map(|step| {
                    let mut moved = x.clone();
                    moved[side][index] += step;
                    at(&moved)
                });
                let numeric = (up - down) / (2.0 * f64::from(step));
                let analytic = f64::from(gradient[index]);
                assert!((numeric - analytic).abs() < 2e-3, "{what}: side {side}, {index}: {numeric} {analytic}");
            }
        }
    }

    fn every_loss_has_its_gradient<B: Backend>() {
        let teacher = features::<B>(values(3));
        for distance in Distance::ALL {
            for hard_quantile in [0.0, 0.6] {
                let settings = SimilaritySettings { distance, hard_quantile, ..Default::default() };
                let loss = |a, _| similarity::<B>(&settings, &teacher, a).expect("memory");
                check::<B>(&format!("{settings:?}"), loss, [true, false]);
            }
        }
        for target in [ReconstructionTarget::Student, ReconstructionTarget::Teacher, ReconstructionTarget::Both] {
            for normalised in [false, true] {
                let settings = LossSettings {
                    reconstruction: 1.0,
                    similarity: 1.0,
                    reconstruction_gradient: ReconstructionGradient::Both,
                    target,
                    normalised,
                    weighting: Default::default(),
                };
                let loss = |a, b| reconstruction::<B>(&settings, a, b, &teacher).expect("memory");
                check::<B>(&format!("{settings:?}"), loss, [true, target != ReconstructionTarget::Teacher]);
                let constant = features::<B>(values(4));
                let loss = |a, _| reconstruction_of_constant::<B>(&settings, a, &constant, &teacher).expect("memory");
                check::<B>(&format!("constant, {settings:?}"), loss, [true, false]);
            }
        }
    }

    #[test]
    fn every_loss_has_its_gradient_on_the_cpu() {
        every_loss_has_its_gradient::<Native>();
    }

    #[test]
    #[ignore = "needs a GPU, or the emulated one"]
    fn every_loss_has_its_gradient_on_cuda() {
        cuda::open_for_tests();
        every_loss_has_its_gradient::<cuda::Cuda>();
    }

    #[test]
    fn hard_pixels_are_those_at_or_above_the_quantile() {
        let distances = [0.5, 0.1, 0.4, 0.2, 0.3];
        assert_eq!(hardest(&distances, 0.6), (vec![true, false, true, false, false], 2));
        assert_eq!(hardest(&distances, 1.0).1, 1);
        assert_eq!(hardest(&[1.0; 4], 0.9).1, 4);
        let [teacher, student] = [values(1), values(2)].map(features::<Native>);
        let of = |hard_quantile| {
            let settings = SimilaritySettings { hard_quantile, ..Default::default() };
            Native::download(
                &similarity::<Native>(&settings, &teacher, student.clone().put_tape(Default::default()))
                    .expect("memory"),
            )
            .expect("memory")[0]
        };
        let mut map = Native::download(&Native::distance_map(&teacher, &student).expect("memory")).expect("memory");
        map.sort_by(f32::total_cmp);
        let expected = map[16..].iter().sum::<f32>() / 2.0;
        assert!((of(0.9) - expected).abs() < 1e-5, "{} {expected}", of(0.9));
        assert!((of(0.0) - map.iter().sum::<f32>() / 18.0).abs() < 1e-5);
    }

    #[test]
    fn half_of_the_normalised_distance_is_one_minus_the_cosine() {
        let [teacher, student] = [values(1), values(2)];
        let cosine = |(t, s): (&[f32], &[f32])| {
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            1.0 - dot(t, s) / (dot(t, t) * dot(s, s)).sqrt()
        };
        let expected = teacher.chunks(4).zip(student.chunks(4)).map(cosine).sum::<f32>() / 18.0;
        let settings = SimilaritySettings { distance: Distance::Cosine, ..Default::default() };
        let [teacher, student] = [teacher, student].map(features::<Native>);
        let loss = similarity::<Native>(&settings, &teacher, student.put_tape(Default::default())).expect("memory");
        assert!((Native::download(&loss).expect("memory")[0] - expected).abs() < 1e-5);
    }
}
