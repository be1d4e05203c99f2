//! Optimisers with their moments, which can be saved.

use super::{Algorithm, Module, NamedTensor, OptimizerSettings, State, StateError};
use crate::tensor::{Backend, GradientNorms, Gradients, Moments, OpResult, UpdateRule};

/// An optimiser with the moments of a module's parameters.
pub struct Optimizer<B: Backend> {
    settings: OptimizerSettings,
    /// In the order of the parameters; empty before the first step.
    moments: Vec<Moments<B>>,
    steps: i32,
}

/// Names of the moments in a checkpoint.
const MOMENTUM: &str = "momentum";
const FIRST: &str = "exp_avg";
const SECOND: &str = "exp_avg_sq";

impl<B: Backend> Optimizer<B> {
    /// Creates an optimiser that has taken no step.
    pub fn new(settings: OptimizerSettings) -> Self {
        Self { settings, moments: Vec::new(), steps: 0 }
    }

    /// Moves every parameter of the module against its gradient, at `rate` times the learning rate. Takes the gradients.
    pub fn step(&mut self, module: &mut dyn Module<B>, gradients: &mut Gradients<B>, rate: f64) -> OpResult<()> {
        self.create_moments(module)?;
        self.steps += 1;
        let rule = self.rule(rate);
        let mut parameters = Vec::with_capacity(self.moments.len());
        module.parameters_mut(&mut |parameter| parameters.push(&mut parameter.value));
        B::optimise(rule, parameters, &mut self.moments, gradients)
    }

    fn rule(&self, rate: f64) -> UpdateRule {
        let OptimizerSettings { optimizer, learning_rate, weight_decay: decay, momentum, beta1 } = self.settings;
        let rate = rate * learning_rate;
        match optimizer {
            Algorithm::Sgd => UpdateRule::Sgd { rate, momentum, decay },
            Algorithm::Adam => UpdateRule::Adam { rate, beta1, decay, decoupled: false, step: self.steps },
            Algorithm::Adamw => UpdateRule::Adam { rate, beta1, decay, decoupled: true, step: self.steps },
        }
    }

    /// Creates moments of 0, unless there are moments.
    fn create_moments(&mut self, module: &dyn Module<B>) -> OpResult<()> {
        if !self.moments.is_empty() {
            return Ok(());
        }
        let mut lengths = Vec::new();
        module.parameters(&mut |parameter| lengths.push(parameter.layout.len()));
        let zeros = |length: usize| B::upload(vec![0.0; length], (length,));
        let has_second = self.second().is_some();
        let of = |length| Ok(Moments { first: zeros(length)?, second: has_second.then(|| zeros(length)).transpose()? });
        self.moments = lengths.into_iter().map(of).collect::<OpResult<_>>()?;
        Ok(())
    }

    /// Returns the name of the first moment.
    fn first(&self) -> &'static str {
        match self.settings.optimizer {
            Algorithm::Sgd => MOMENTUM,
            Algorithm::Adam | Algorithm::Adamw => FIRST,
        }
    }

    /// Returns the name of the second moment, if the algorithm has one.
    fn second(&self) -> Option<&'static str> {
        match self.settings.optimizer {
            Algorithm::Sgd => None,
            Algorithm::Adam | Algorithm::Adamw => Some(SECOND),
        }
    }

    /// Adds the number of steps and the moments to `state`. A moment is named `<prefix>.<parameter>.<moment>`; its values are in file
    /// order.
    pub fn save(&mut self, prefix: &str, module: &dyn Module<B>, state: &mut State) -> OpResult<()> {
        self.create_moments(module)?;
        state.metadata.insert(format!("{prefix}.steps"), self.steps.to_string());
        let (first, second) = (self.first(), self.second());
        let mut outcome = Ok(());
        let mut all = self.moments.iter();
        module.parameters(&mut |parameter| {
            let Some(moments) = all.next() else { return };
            for (name, moment) in std::iter::once((first, &moments.first)).chain(second.zip(moments.second.as_ref())) {
                match B::download(moment) {
                    Ok(values) => state.insert(NamedTensor {
                        name: format!("{prefix}.{}.{name}", parameter.name),
                        shape: parameter.layout.file_shape(),
                        values: parameter.layout.to_file(&values),
                    }),
                    Err(error) => outcome = Err(error),
                }
            }
        });
        outcome
    }

    /// Restores what [`Optimizer::save`] added.
    pub fn restore(&mut self, prefix: &str, module: &dyn Module<B>, state: &State) -> Result<(), StateError> {
        self.steps = state.metadata.get(&format!("{prefix}.steps")).and_then(|text| text.parse().ok()).unwrap_or(0);
        let (first, second) = (self.first(), self.second());
        let mut moments = Vec::new();
        let mut outcome = Ok(());
        module.parameters(&mut |parameter| {
            let read = |moment: &str| -> Result<_, StateError> {
                let name = format!("{prefix}.{}.{moment}", parameter.name);
                let values = parameter.layout.to_memory(state.tensor(&name, &parameter.layout.file_shape())?);
                Ok(B::upload(values, (parameter.layout.len(),))?)
            };
            let read_both = || -> Result<_, StateError> {
                Ok(Moments { first: read(first)?, second: second.map(read).transpose()? })
            };
            match read_both() {
                Ok(read) => moments.push(read),
                Err(error) => outcome = Err(error),
            }
        });
        self.moments = moments;
        outcome
    }
}

/// Calls [`Backend::clip_gradients`] with one part per module.
pub fn clip_global_norm<B: Backend>(
    modules: &[&dyn Module<B>],
    gradients: &mut Gradients<B>,
    ceiling: f64,
) -> OpResult<GradientNorms<B>> {
    let part = |module: &&dyn Module<B>| {
        let mut parameters = Vec::new();
        module.parameters(&mut |parameter| parameters.push(parameter.value.clone()));
        parameters
    };
    let parts: Vec<_> = modules.iter().map(part).collect();
    B::clip_gradients(gradients, &parts, ceiling)
}
