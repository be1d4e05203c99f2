//! Optimisers: dfdx's arithmetic with a state of ours, which can be saved.

use dfdx::tensor_ops::{AdamConfig, Momentum, SgdConfig, WeightDecay};
use serde::{Deserialize, Serialize};

use super::{Module, NamedTensor, Parameter, State, StateError};
use crate::tensor::{Backend, GradientNorms, Gradients, OpResult, Part};

/// The kind of optimiser, with its constants.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "optimizer")]
pub enum OptimizerSettings {
    /// PyTorch's SGD with momentum and L2 weight decay.
    Sgd {
        /// Step size.
        learning_rate: f64,
        /// Factor of the last step; 0 = none.
        momentum: f64,
        /// Factor of the weights in the gradient; 0 = none.
        weight_decay: f64,
    },
    /// Adam (Kingma and Ba 2015), betas 0.9 and 0.999, eps 1e-8.
    Adam {
        /// Step size.
        learning_rate: f64,
        /// Factor of the weights in the gradient; 0 = none.
        weight_decay: f64,
    },
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019), the same constants.
    Adamw {
        /// Step size.
        learning_rate: f64,
        /// The weights lose this share times the learning rate each step; 0 = none.
        weight_decay: f64,
    },
}

/// An optimiser with its moments, one buffer per parameter and moment.
pub struct Optimizer<B: Backend> {
    kind: OptimizerSettings,
    first: Gradients<B>,
    second: Gradients<B>,
    steps: i32,
}

fn decay(kind: fn(f64) -> WeightDecay, factor: f64) -> Option<WeightDecay> {
    (factor > 0.0).then(|| kind(factor))
}

impl<B: Backend> Optimizer<B> {
    /// An optimiser that has not stepped yet.
    pub fn new(kind: OptimizerSettings) -> Self {
        Self { kind, first: Gradients::<B>::leaky(), second: Gradients::<B>::leaky(), steps: 0 }
    }

    /// Moves every parameter of the module against its gradient, at `rate` times the learning rate.
    pub fn step(&mut self, module: &mut dyn Module<B>, gradients: &mut Gradients<B>, rate: f64) -> OpResult<B, ()> {
        let _part = Part::Optimiser.start();
        self.steps += 1;
        let mut outcome = Ok(());
        module.parameters_mut(&mut |parameter| {
            if outcome.is_ok() {
                outcome = self.update(parameter, gradients, rate);
            }
        });
        outcome
    }

    fn update(&mut self, parameter: &mut Parameter<B>, gradients: &mut Gradients<B>, rate: f64) -> OpResult<B, ()> {
        let gradient = gradients.get_or_alloc_mut(&parameter.value)?;
        let first = self.first.get_or_alloc_mut(&parameter.value)?;
        let mut adam = |learning_rate: f64, weight_decay| {
            let second = self.second.get_or_alloc_mut(&parameter.value)?;
            let config = AdamConfig { lr: rate * learning_rate, betas: [0.9, 0.999], eps: 1e-8, weight_decay };
            config.try_update(self.steps, &mut parameter.value, first, second, gradient)
        };
        match self.kind {
            OptimizerSettings::Sgd { learning_rate, momentum, weight_decay } => {
                let momentum = (momentum > 0.0).then_some(Momentum::Classic(momentum));
                let weight_decay = decay(WeightDecay::L2, weight_decay);
                let config = SgdConfig { lr: rate * learning_rate, momentum, weight_decay };
                config.try_update(&mut parameter.value, first, gradient)
            }
            OptimizerSettings::Adam { learning_rate, weight_decay } => {
                adam(learning_rate, decay(WeightDecay::L2, weight_decay))
            }
            OptimizerSettings::Adamw { learning_rate, weight_decay } => {
                adam(learning_rate, decay(WeightDecay::Decoupled, weight_decay))
            }
        }
    }

    /// The moments that this kind keeps, with their names.
    fn moments(&mut self) -> Vec<(&'static str, &mut Gradients<B>)> {
        match self.kind {
            OptimizerSettings::Sgd { .. } => vec![("momentum", &mut self.first)],
            OptimizerSettings::Adam { .. } | OptimizerSettings::Adamw { .. } => {
                vec![("exp_avg", &mut self.first), ("exp_avg_sq", &mut self.second)]
            }
        }
    }

    /// Adds the moments to `state` as `<prefix>.<parameter>.<moment>`, in file order, and the number of steps.
    pub fn save(&mut self, prefix: &str, module: &dyn Module<B>, state: &mut State) -> OpResult<B, ()> {
        state.metadata.insert(format!("{prefix}.steps"), self.steps.to_string());
        let mut outcome = Ok(());
        for (moment, buffers) in self.moments() {
            module.parameters(&mut |parameter| match buffers.get_or_alloc_mut(&parameter.value) {
                Ok(buffer) => state.insert(NamedTensor {
                    name: format!("{prefix}.{}.{moment}", parameter.name),
                    shape: parameter.layout.file_shape(),
                    values: parameter.layout.to_file(&B::buffer_to_host(buffer)),
                }),
                Err(error) => outcome = Err(error),
            });
        }
        outcome
    }

    /// Restores what [`Optimizer::save`] added.
    pub fn restore(&mut self, prefix: &str, module: &dyn Module<B>, state: &State) -> Result<(), StateError> {
        self.steps = state.metadata.get(&format!("{prefix}.steps")).and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut outcome = Ok(());
        for (moment, buffers) in self.moments() {
            module.parameters(&mut |parameter| {
                let name = format!("{prefix}.{}.{moment}", parameter.name);
                match state.tensor(&name, &parameter.layout.file_shape()) {
                    Ok(values) => match buffers.get_or_alloc_mut(&parameter.value) {
                        Ok(buffer) => B::buffer_from_host(buffer, &parameter.layout.to_memory(values)),
                        Err(error) => outcome = Err(StateError::Memory(format!("{error:?}"))),
                    },
                    Err(error) => outcome = Err(error),
                }
            });
        }
        outcome
    }
}

/// [`Backend::clip_gradients`], with one part for each module.
pub fn clip_global_norm<B: Backend>(
    modules: &[&dyn Module<B>],
    gradients: &mut Gradients<B>,
    ceiling: f64,
) -> OpResult<B, GradientNorms<B::Device>> {
    let part = |module: &&dyn Module<B>| {
        let mut parameters = Vec::new();
        module.parameters(&mut |parameter| parameters.push(parameter.value.clone()));
        parameters
    };
    let parts: Vec<_> = modules.iter().map(part).collect();
    B::clip_gradients(gradients, &parts, ceiling)
}
