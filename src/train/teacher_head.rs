//! The losses of a level whose auto-encoder rebuilds the teacher's features (Batzner et al. 2024, EfficientAD).

use dfdx::tensor::{NoneTape, PutTape, SplitTape, WithEmptyTape};

use super::joint::Losses;
use super::{LossSettings, StageError};
use crate::model::{AutoEncoders, Head};
use crate::nn::{Input, Mode};
use crate::tensor::{Backend, Features, Recorded};

/// w_sim · (mean‖T^ − S^‖² + mean‖A(T)^ − S′^‖²) + w_rec · MSE(A(T), T), where S′ is the student's second head and A sees T as
/// `corrupted` leaves it.
///
/// The second term moves the student alone: its head learns what the auto-encoder makes of normal images, faults included.
pub(super) fn head_losses<B: Backend>(
    level: usize,
    teacher: &Features<B>,
    student: Features<B, Recorded<B>>,
    (autoencoders, weights): (&mut AutoEncoders<B>, &LossSettings),
    head: &Head<B>,
    corrupted: impl Fn(Features<B, Recorded<B>>) -> Result<Features<B, Recorded<B>>, StageError>,
) -> Result<Losses<B>, StageError> {
    let device = |error| StageError::device(error);
    let input = corrupted(teacher.clone().put_tape(Recorded::<B>::default()))?;
    let rebuilt = autoencoders.forward(level, input, Input::Constant, Mode::Train).map_err(device)?;
    let (target, _) = rebuilt.with_empty_tape().split_tape();
    let headed = head.forward(student.with_empty_tape()).map_err(device)?;
    let similarity =
        B::similarity(teacher, student).map_err(device)? + B::similarity(&target, headed).map_err(device)?;
    let reconstruction = B::mean_squared_error(rebuilt, teacher.clone()).map_err(device)?;
    let values = (similarity.retaped::<NoneTape>(), reconstruction.retaped::<NoneTape>());
    let total = similarity * weights.similarity as f32 + reconstruction * weights.reconstruction as f32;
    Ok(Losses { total, similarity: values.0, reconstruction: Some(values.1) })
}
