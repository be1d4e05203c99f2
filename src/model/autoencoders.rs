//! The auto-encoders of all levels.

use dfdx::tensor::Tape;

use super::linear::Linear;
use super::{AutoEncoder, Backbone, Unet};
use crate::nn::{Init, Input, Mode, Module, delegate_module, visit_fields};
use crate::tensor::{Backend, Features, OpResult};

/// One auto-encoder of any kind.
#[derive(Debug, Clone)]
enum Network<B: Backend> {
    Unet(Unet<B>),
    Linear(Box<Linear<B>>),
}

/// The auto-encoder of one level of the teacher.
#[derive(Debug, Clone)]
struct AtLevel<B: Backend> {
    /// Position among the levels that are compared, from 0.
    position: usize,
    /// Number of the level, from 1.
    number: usize,
    network: Network<B>,
}

impl<B: Backend> AtLevel<B> {
    fn module(&self) -> &dyn Module<B> {
        match &self.network {
            Network::Unet(unet) => unet,
            Network::Linear(linear) => linear.as_ref(),
        }
    }

    fn module_mut(&mut self) -> &mut dyn Module<B> {
        match &mut self.network {
            Network::Unet(unet) => unet,
            Network::Linear(linear) => linear.as_mut(),
        }
    }
}

delegate_module!(AtLevel: module, module_mut);

/// The auto-encoders of all levels that have one.
#[derive(Debug, Clone)]
pub struct AutoEncoders<B: Backend> {
    levels: Vec<AtLevel<B>>,
}

visit_fields!(AutoEncoders: ; levels);

impl<B: Backend> AutoEncoders<B> {
    /// Creates the auto-encoders that `model` requests at the levels of a backbone, named `level1`, `level2`, …; `None` without
    /// auto-encoders.
    ///
    /// The initial values of a level do not depend on the other levels.
    pub fn new(seed: u64, backbone: &Backbone, model: &AutoEncoder) -> Option<Self> {
        let init = &Init { seed, purpose: "autoencoder" };
        let network = |name: &str, channels: usize| match model {
            AutoEncoder::None => None,
            AutoEncoder::Unet(settings) => Some(Network::Unet(Unet::new(init, name, channels, settings))),
            AutoEncoder::Linear(settings) => {
                Some(Network::Linear(Box::new(Linear::new(init, name, channels, settings))))
            }
        };
        let levels: Vec<AtLevel<B>> = backbone
            .channels()
            .enumerate()
            .filter(|(_, (number, _))| model.is_at(*number))
            .filter_map(|(position, (number, channels))| {
                let network = network(&format!("level{number}"), channels)?;
                Some(AtLevel { position, number, network })
            })
            .collect();
        (!levels.is_empty()).then_some(Self { levels })
    }

    /// Returns whether the level at a position (from 0) among the compared levels has an auto-encoder.
    pub fn is_at(&self, position: usize) -> bool {
        self.levels.iter().any(|level| level.position == position)
    }

    /// Reconstructs the level at a position (from 0). A level without auto-encoder stays unchanged.
    pub fn forward<T: Tape<f32, B::Device>>(
        &mut self,
        position: usize,
        features: Features<B, T>,
        input: Input,
        mode: Mode,
    ) -> OpResult<B, Features<B, T>> {
        match self.levels.iter_mut().find(|level| level.position == position).map(|level| &mut level.network) {
            None => Ok(features),
            Some(Network::Unet(unet)) => unet.forward(features, input, mode),
            Some(Network::Linear(linear)) => linear.forward(features, input),
        }
    }

    /// Returns the forward multiply-accumulates of all auto-encoders for one image of the given side.
    pub fn multiply_accumulates(&self, side: usize) -> u64 {
        let of = |level: &AtLevel<B>| {
            let side = side >> (level.number + 1);
            match &level.network {
                Network::Unet(unet) => unet.multiply_accumulates(side),
                Network::Linear(linear) => linear.multiply_accumulates(side),
            }
        };
        self.levels.iter().map(of).sum()
    }
}
