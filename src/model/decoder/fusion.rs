//! The fusion of several levels: each is brought to the side of the coarsest one, then all are concatenated.

use crate::model::Backbone;
use crate::model::block::square;
use crate::nn::{ConvNorm, Init, Mode, visit_fields};
use crate::tensor::{Backend, Conv2d, Features, OpResult, Tape};

/// The way of one level: 3×3 convolutions with stride 2, batch norm and ReLU. Each halves the side and doubles the channels.
#[derive(Debug, Clone)]
struct Way<B: Backend> {
    /// Number of the level, from 1.
    number: usize,
    halvings: Vec<ConvNorm<B>>,
}

visit_fields!(Way: ; halvings);

/// The fusion of the selected levels.
#[derive(Debug, Clone)]
pub(super) struct Fusion<B: Backend> {
    /// Finest first. The coarsest level has no convolutions.
    ways: Vec<Way<B>>,
    /// Channels of each level at the end of its way.
    channels: usize,
}

visit_fields!(Fusion: ; ways);

impl<B: Backend> Fusion<B> {
    /// Creates the fusion of a teacher's levels. Parameter names are `fusion.level1.0.conv.weight` and so on.
    pub(super) fn new(init: &Init, backbone: &Backbone) -> Self {
        let coarsest = backbone.levels.coarsest();
        let ways = backbone.levels.numbers().map(|number| {
            let halvings = (number..coarsest).map(|from| {
                let conv = square(3, backbone.channels_of(from), backbone.channels_of(from + 1), 2);
                // The teacher is not trained: its features need no gradient.
                let conv = Conv2d { input_gradient: from > number, ..conv };
                let name = format!("fusion.level{number}.{}", from - number);
                ConvNorm::new(init, &format!("{name}.conv"), &format!("{name}.bn"), conv)
            });
            Way { number, halvings: halvings.collect() }
        });
        Self { ways: ways.collect(), channels: backbone.channels_of(coarsest) }
    }

    /// Returns the channels of the fused features.
    pub(super) fn channels(&self) -> usize {
        self.ways.len() * self.channels
    }

    /// Maps the features of the levels, finest first, to features of the coarsest level's side.
    pub(super) fn forward<T: Tape>(&mut self, teacher: &[Features<B>], mode: Mode) -> OpResult<Features<B, T>> {
        let mut fused = None;
        for (way, level) in self.ways.iter_mut().zip(teacher) {
            let level = level.clone().put_tape(T::default());
            let end = way.halvings.iter_mut().try_fold(level, |x, halving| halving.forward(x, None, true, mode))?;
            fused = Some(match fused {
                None => end,
                Some(finer) => B::concat(finer, end)?,
            });
        }
        Ok(fused.expect("a teacher has levels"))
    }

    /// Returns the forward multiply-accumulates for the features of one image of the given side.
    pub(super) fn multiply_accumulates(&self, side: usize) -> u64 {
        let of = |way: &Way<B>| -> u64 {
            let side = side >> (way.number + 1);
            way.halvings.iter().enumerate().map(|(i, c)| c.geometry().multiply_accumulates(side >> i, side >> i)).sum()
        };
        self.ways.iter().map(of).sum()
    }
}
