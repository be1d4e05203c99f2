//! The student: a network of the teacher's shape. A second head predicts how auto-encoders reconstruct the teacher's features, if the
//! placement needs it.

use super::{AutoEncoder, Backbone, Levels, Placement, Resnet};
use crate::nn::{Conv, Init, Mode, visit_fields};
use crate::tensor::{Backend, Conv2d, Features, OpResult, Tape};

/// A 1×1 convolution of the features of one level. It keeps the shape.
#[derive(Debug, Clone)]
pub struct Head<B: Backend> {
    /// Position among the levels that are compared, from 0.
    position: usize,
    /// Number of the level, from 1.
    number: usize,
    conv: Conv<B>,
}

visit_fields!(Head: conv);

impl<B: Backend> Head<B> {
    /// Predicts how the auto-encoder of this level reconstructs the teacher's features.
    pub fn forward<T: Tape>(&self, student: Features<B, T>) -> OpResult<Features<B, T>> {
        self.conv.forward(student)
    }
}

/// The network that learns to predict the teacher.
#[derive(Debug, Clone)]
pub struct Student<B: Backend> {
    network: Resnet<B>,
    /// Heads of the levels whose auto-encoder rebuilds the teacher's features.
    heads: Vec<Head<B>>,
}

visit_fields!(Student: network; heads);

impl<B: Backend> Student<B> {
    /// Creates a student of the teacher's shape, randomly initialised from `seed`.
    pub fn new(seed: u64, backbone: &Backbone, model: &AutoEncoder) -> Self {
        let init = Init { seed, purpose: "student" };
        let headed = model.placement() == Some(Placement::TeacherHead);
        let heads = backbone
            .channels()
            .enumerate()
            .filter(|(_, (number, _))| headed && model.is_at(*number))
            .map(|(position, (number, channels))| {
                let (input, output) = (channels, channels);
                let geometry = Conv2d { input, output, kernel: 1, stride: 1, padding: 0, input_gradient: true };
                Head { position, number, conv: Conv::with_bias(&init, &format!("head.level{number}"), geometry) }
            })
            .collect();
        Self { network: Resnet::new(&init, backbone), heads }
    }

    /// See [`Resnet::forward`].
    pub fn forward<T: Tape>(&mut self, images: Features<B, T>, mode: Mode) -> OpResult<Levels<B, T>> {
        self.network.forward(images, mode)
    }

    /// Returns the second head of the level at a position (from 0), if it has one.
    pub fn head(&self, position: usize) -> Option<&Head<B>> {
        self.heads.iter().find(|head| head.position == position)
    }

    /// Returns the forward multiply-accumulates for one image of the given side.
    pub fn multiply_accumulates(&self, side: usize) -> u64 {
        let of = |head: &Head<B>| {
            let side = side >> (head.number + 1);
            head.conv.geometry().multiply_accumulates(side, side)
        };
        self.network.multiply_accumulates(side) + self.heads.iter().map(of).sum::<u64>()
    }
}
