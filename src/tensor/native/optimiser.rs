//! Updates of parameters. The arithmetic is PyTorch's.

use rayon::prelude::*;

use super::backend::Native;
use super::simd::vectorised;
use crate::tensor::{Update, UpdateRule};

/// Values per parallel part.
const PART: usize = 1 << 14;

/// Equal parts of a parameter, its gradient and its moments.
struct Part<'a> {
    parameter: &'a mut [f32],
    gradient: &'a [f32],
    first: &'a mut [f32],
    second: Option<&'a mut [f32]>,
}

/// Returns how many values an update reads or writes.
pub(super) fn values(update: &Update<'_, Native>) -> usize {
    let written = 2 + usize::from(update.second.is_some());
    (2 * written + usize::from(update.gradient.is_some())) * update.parameter.len()
}

/// See [`crate::tensor::Kernels::update`].
pub(super) fn update(rule: UpdateRule, mut updates: Vec<Update<'_, Native>>) {
    // What a parameter without a gradient has instead.
    let zeros = [0.0; PART];
    let mut parts = Vec::new();
    for Update { parameter, gradient, first, second } in &mut updates {
        let mut second = second.as_mut().map(|second| second.chunks_mut(PART));
        for (index, (parameter, first)) in parameter.chunks_mut(PART).zip(first.chunks_mut(PART)).enumerate() {
            let gradient = gradient.as_ref().map_or(&zeros[..], |gradient| &gradient[index * PART..]);
            let gradient = &gradient[..parameter.len()];
            let second = second.as_mut().and_then(Iterator::next);
            parts.push(Part { parameter, gradient, first, second });
        }
    }
    parts.into_par_iter().for_each(|part| {
        vectorised(
            #[inline(always)]
            || part.update(rule),
        );
    });
}

impl Part<'_> {
    #[inline(always)]
    fn update(self, rule: UpdateRule) {
        let Self { parameter, gradient, first, second } = self;
        let values = parameter.iter_mut().zip(gradient).zip(first);
        match (rule, second) {
            (UpdateRule::Sgd { rate, momentum, decay }, _) => {
                let (rate, momentum, decay) = (rate as f32, momentum as f32, decay as f32);
                values.for_each(|((p, g), v)| {
                    let g = if decay > 0.0 { g + decay * *p } else { *g };
                    if momentum > 0.0 {
                        *v = g + momentum * *v;
                        *p -= *v * rate;
                    } else {
                        *p -= g * rate;
                    }
                });
            }
            (UpdateRule::Adam { rate, beta1, decay, decoupled, step }, Some(second)) => {
                let ([beta1, beta2], [first, second_correction]) = UpdateRule::betas(beta1, step);
                let (l2, shrink) = if decoupled { (0.0, (decay * rate) as f32) } else { (decay as f32, 0.0) };
                let rate = rate as f32;
                values.zip(second).for_each(|(((p, g), m), v)| {
                    let g = if l2 > 0.0 { g + l2 * *p } else { *g };
                    *m = *m * beta1 + g * (1.0 - beta1);
                    *v = *v * beta2 + g * g * (1.0 - beta2);
                    let (m_hat, v_hat) = (*m * first, *v * second_correction);
                    let move_by = rate * m_hat / (v_hat.sqrt() + UpdateRule::EPSILON);
                    *p -= if shrink > 0.0 { move_by + shrink * *p } else { move_by };
                });
            }
            (UpdateRule::Adam { .. }, None) => unreachable!("Adam has two moments"),
        }
    }
}
