//! Losses, and the distance for anomaly maps.

use dfdx::tensor::Merge;

use crate::tensor::tape::record;
use crate::tensor::tensor::{Features, Rows, Scalar, Tape, Tensor};
use crate::tensor::{Kernels, OpResult};

/// See [`crate::tensor::Backend::distance_map`].
pub(in crate::tensor) fn distance_map<B: Kernels>(teacher: &Features<B>, student: &Features<B>) -> OpResult<Rows<B>> {
    debug_assert_eq!(teacher.shape(), student.shape());
    let (images, height, width, channels) = *teacher.shape();
    Ok(Tensor::new(B::distances(teacher.buffer(), student.buffer(), channels)?, (images, height * width)))
}

/// See [`crate::tensor::Backend::similarity`].
pub(in crate::tensor) fn similarity<B: Kernels, T: Tape>(
    teacher: &Features<B>,
    student: Features<B, T>,
) -> OpResult<Scalar<B, T>> {
    debug_assert_eq!(teacher.shape(), student.shape());
    let (student, tape) = student.split_tape();
    let (teacher, channels) = (teacher.buffer().clone(), student.shape().3);
    let loss = B::mean_distance(&teacher, student.buffer(), channels)?;
    Ok(record(Tensor::new(loss, ()), tape, move |dloss, gradients| {
        gradients
            .add(student.handle(), |sum| B::mean_distance_gradient(&dloss, &teacher, student.buffer(), channels, sum))
    }))
}

/// See [`crate::tensor::Backend::mean_squared_error`].
pub(in crate::tensor) fn mean_squared_error<B: Kernels, T: Tape + Merge<R>, R: Tape>(
    a: Features<B, T>,
    b: Features<B, R>,
) -> OpResult<Scalar<B, T>> {
    debug_assert_eq!(a.shape(), b.shape());
    let ((a, tape), (b, other)) = (a.split_tape(), b.split_tape());
    let loss = B::squared_error(a.buffer(), b.buffer())?;
    Ok(record(Tensor::new(loss, ()), tape.merge(other), move |dloss, gradients| {
        let (a_values, b_values) = (a.buffer(), b.buffer());
        gradients.add(a.handle(), |sum| B::squared_error_gradient(&dloss, a_values, b_values, 1.0, sum))?;
        if R::OWNS_TAPE {
            gradients.add(b.handle(), |sum| B::squared_error_gradient(&dloss, a_values, b_values, -1.0, sum))?;
        }
        Ok(())
    }))
}

/// See [`crate::tensor::Backend::smooth_l1`].
pub(in crate::tensor) fn smooth_l1<B: Kernels, T: Tape>(a: Features<B, T>, b: &Features<B>) -> OpResult<Scalar<B, T>> {
    debug_assert_eq!(a.shape(), b.shape());
    let ((a, tape), b) = (a.split_tape(), b.buffer().clone());
    let loss = B::smooth_l1_error(a.buffer(), &b)?;
    Ok(record(Tensor::new(loss, ()), tape, move |dloss, gradients| {
        gradients.add(a.handle(), |sum| B::smooth_l1_gradient(&dloss, a.buffer(), &b, sum))
    }))
}

/// See [`crate::tensor::Backend::weighted_sum`].
pub(in crate::tensor) fn weighted_sum<B: Kernels, T: Tape>(
    (first, weight): (Scalar<B, T>, f32),
    others: impl IntoIterator<Item = (Scalar<B, T>, f32)>,
) -> OpResult<Scalar<B, T>> {
    let (first, mut tape) = first.split_tape();
    let mut terms = vec![(first, weight)];
    for (loss, weight) in others {
        let (loss, other) = loss.split_tape();
        tape = tape.merge(other);
        terms.push((loss, weight));
    }
    let values: Vec<(&B::Buffer, f32)> = terms.iter().map(|(loss, weight)| (&**loss.buffer(), *weight)).collect();
    let sum = B::weighted_scalars(&values)?;
    Ok(record(Tensor::new(sum, ()), tape, move |dsum, gradients| {
        for (loss, weight) in terms {
            gradients.give(loss.handle(), B::weighted_scalars(&[(&dsum, weight)])?)?;
        }
        Ok(())
    }))
}

/// See [`crate::tensor::Backend::pooled_cross_entropy`].
///
/// With p = softmax of an image's mean logits: loss = mean of −log p(label), and every position's gradient is (p − 1(label)) / (images ·
/// positions). The host computes it: classifiers have few classes, and only the demo trains one.
pub(in crate::tensor) fn pooled_cross_entropy<B: Kernels, T: Tape>(
    x: Features<B, T>,
    labels: &[usize],
) -> OpResult<(Scalar<B, T>, usize)> {
    let (images, height, width, classes) = *x.shape();
    debug_assert_eq!(images, labels.len());
    let (x, tape) = x.split_tape();
    let values = B::download_buffer(x.buffer())?;
    let positions = height * width;
    let (mut loss, mut hits, mut slopes) = (0.0_f64, 0, Vec::with_capacity(values.len()));
    for (image, &label) in values.chunks_exact(positions * classes).zip(labels) {
        let mut logits = vec![0.0_f64; classes];
        for pixel in image.chunks_exact(classes) {
            logits.iter_mut().zip(pixel).for_each(|(logit, value)| *logit += f64::from(*value) / positions as f64);
        }
        let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = logits.iter().map(|logit| (logit - largest).exp()).sum();
        loss += (largest + total.ln() - logits[label]) / images as f64;
        hits += usize::from(logits.iter().all(|&logit| logit <= logits[label]));
        let slope = |class: usize| {
            let probability = (logits[class] - largest).exp() / total;
            (probability - f64::from(u8::from(class == label))) / (images * positions) as f64
        };
        let slope: Vec<f32> = (0..classes).map(|class| slope(class) as f32).collect();
        slopes.extend((0..positions).flat_map(|_| slope.iter().copied()));
    }
    let slopes = B::upload_buffer(slopes)?;
    let x = x.into_handle();
    let loss = record(Tensor::new(B::filled(loss as f32, 1)?, ()), tape, move |dloss, gradients| {
        let scale = B::download_buffer(&dloss)?[0];
        gradients.add(&x, |sum| B::add_scaled(scale, &slopes, sum))
    });
    Ok((loss, hits))
}
