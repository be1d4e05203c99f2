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
    /// `None` stands for zeros.
    gradient: Option<&'a [f32]>,
    first: &'a mut [f32],
    second: Option<&'a mut [f32]>,
}

/// See [`crate::tensor::Kernels::update`].
pub(super) fn update(rule: UpdateRule, mut updates: Vec<Update<'_, Native>>) {
    let mut parts = Vec::new();
    for Update { parameter, gradient, first, second } in &mut updates {
        let mut second = second.as_mut().map(|second| second.chunks_mut(PART));
        for (index, (parameter, first)) in parameter.chunks_mut(PART).zip(first.chunks_mut(PART)).enumerate() {
            let gradient = gradient.as_ref().map(|gradient| &gradient[index * PART..][..parameter.len()]);
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
        match rule {
            UpdateRule::Sgd { rate, momentum, decay } => {
                let (rate, momentum, decay) = (rate as f32, momentum as f32, decay as f32);
                each(parameter, gradient, first, |p, g, v| {
                    let g = if decay > 0.0 { g + decay * *p } else { g };
                    if momentum > 0.0 {
                        *v = g + momentum * *v;
                        *p -= *v * rate;
                    } else {
                        *p -= g * rate;
                    }
                });
            }
            UpdateRule::Adam { rate, decay, decoupled, step } => {
                let [beta1, beta2] = UpdateRule::BETAS;
                let corrections = UpdateRule::BETAS.map(|beta| (1.0 - beta.powi(step)).recip());
                let (l2, shrink) = if decoupled { (0.0, (decay * rate) as f32) } else { (decay as f32, 0.0) };
                let rate = rate as f32;
                let mut second = second.into_iter().flatten();
                each(parameter, gradient, first, |p, g, m| {
                    let Some(v) = second.next() else { return };
                    let g = if l2 > 0.0 { g + l2 * *p } else { g };
                    *m = *m * beta1 + g * (1.0 - beta1);
                    *v = *v * beta2 + g * g * (1.0 - beta2);
                    let (m_hat, v_hat) = (*m * corrections[0], *v * corrections[1]);
                    let move_by = rate * m_hat / (v_hat.sqrt() + UpdateRule::EPSILON);
                    *p -= if shrink > 0.0 { move_by + shrink * *p } else { move_by };
                });
            }
        }
    }
}

/// Calls `update` with each value, its gradient and its first moment.
#[inline(always)]
fn each(
    parameter: &mut [f32],
    gradient: Option<&[f32]>,
    first: &mut [f32],
    mut update: impl FnMut(&mut f32, f32, &mut f32),
) {
    match gradient {
        Some(gradient) => {
            parameter.iter_mut().zip(gradient).zip(first).for_each(|((p, g), first)| update(p, *g, first));
        }
        None => parameter.iter_mut().zip(first).for_each(|(p, first)| update(p, 0.0, first)),
    }
}
