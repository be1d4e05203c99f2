//! Optimisers: dfdx computes the updates; didact owns the state, so that it can be saved.

use dfdx::tensor_ops::{AdamConfig, Momentum, SgdConfig, WeightDecay};

use super::{Algorithm, Module, NamedTensor, OptimizerSettings, Parameter, State, StateError};
use crate::tensor::{Backend, GradientNorms, Gradients, OpResult, StepPart};

/// An optimiser with its moments: one buffer per parameter and moment.
pub struct Optimizer<B: Backend> {
    settings: OptimizerSettings,
    first: Gradients<B>,
    second: Gradients<B>,
    steps: i32,
}

fn decay(kind: fn(f64) -> WeightDecay, factor: f64) -> Option<WeightDecay> {
    (factor > 0.0).then(|| kind(factor))
}

impl<B: Backend> Optimizer<B> {
    /// Creates an optimiser that has taken no step.
    pub fn new(settings: OptimizerSettings) -> Self {
        Self { settings, first: Gradients::<B>::leaky(), second: Gradients::<B>::leaky(), steps: 0 }
    }

    /// Moves every parameter of the module against its gradient, at `rate` times the learning rate.
    pub fn step(&mut self, module: &mut dyn Module<B>, gradients: &mut Gradients<B>, rate: f64) -> OpResult<B, ()> {
        let _part = StepPart::Optimiser.start();
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
        let OptimizerSettings { optimizer, learning_rate, weight_decay, momentum } = self.settings;
        let lr = rate * learning_rate;
        let mut adam = |weight_decay| {
            let second = self.second.get_or_alloc_mut(&parameter.value)?;
            let config = AdamConfig { lr, betas: [0.9, 0.999], eps: 1e-8, weight_decay };
            config.try_update(self.steps, &mut parameter.value, first, second, gradient)
        };
        match optimizer {
            Algorithm::Sgd => {
                let momentum = (momentum > 0.0).then_some(Momentum::Classic(momentum));
                let config = SgdConfig { lr, momentum, weight_decay: decay(WeightDecay::L2, weight_decay) };
                config.try_update(&mut parameter.value, first, gradient)
            }
            Algorithm::Adam => adam(decay(WeightDecay::L2, weight_decay)),
            Algorithm::Adamw => adam(decay(WeightDecay::Decoupled, weight_decay)),
        }
    }

    /// Returns the moments that this algorithm keeps, with their names.
    fn moments(&mut self) -> Vec<(&'static str, &mut Gradients<B>)> {
        match self.settings.optimizer {
            Algorithm::Sgd => vec![("momentum", &mut self.first)],
            Algorithm::Adam | Algorithm::Adamw => {
                vec![("exp_avg", &mut self.first), ("exp_avg_sq", &mut self.second)]
            }
        }
    }

    /// Adds the number of steps and the moments to `state`. A moment is named `<prefix>.<parameter>.<moment>`; its values are in file
    /// order.
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

/// Calls [`Backend::clip_gradients`] with one part per module.
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
