//! The auto-encoders of all levels.

use super::{AutoEncoder, Network};
use crate::model::Backbone;
use crate::nn::{Init, Input, Mode, visit_fields};
use crate::tensor::{Backend, Features, OpResult, Tape};

/// The auto-encoder of one level of the teacher.
#[derive(Debug, Clone)]
struct AtLevel<B: Backend> {
    /// Position among the levels that are compared, from 0.
    position: usize,
    /// Number of the level, from 1.
    number: usize,
    network: Network<B>,
}

visit_fields!(AtLevel: network);

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
        let levels: Vec<AtLevel<B>> = backbone
            .channels()
            .enumerate()
            .filter(|(_, (number, _))| model.is_at(*number))
            .filter_map(|(position, (number, channels))| {
                let network = Network::new(init, &format!("level{number}"), channels, model)?;
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
    pub fn forward<T: Tape>(
        &mut self,
        position: usize,
        features: Features<B, T>,
        input: Input,
        mode: Mode,
    ) -> OpResult<Features<B, T>> {
        match self.levels.iter_mut().find(|level| level.position == position) {
            None => Ok(features),
            Some(level) => level.network.forward(features, input, mode),
        }
    }

    /// Returns the forward multiply-accumulates of all auto-encoders for one image of the given side.
    pub fn multiply_accumulates(&self, side: usize) -> u64 {
        self.levels.iter().map(|level| level.network.multiply_accumulates(side >> (level.number + 1))).sum()
    }
}
