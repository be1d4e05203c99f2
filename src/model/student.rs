//! The student: a network of the teacher's shape that reads the image, or a decoder that reads the teacher's features. In a network of
//! the teacher's shape, a second head predicts how auto-encoders reconstruct the teacher's features, if the placement needs it.

use super::{AutoEncoder, Backbone, Decoder, Levels, Model, Placement, Resnet};
use crate::nn::{Conv, Init, Mode, Module, delegate_module, visit_fields};
use crate::tensor::{Backend, Conv2d, DeviceError, Features, OpResult, Tape};

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

/// A student of the teacher's shape.
#[derive(Debug, Clone)]
pub struct Encoder<B: Backend> {
    network: Resnet<B>,
    /// Heads of the levels whose auto-encoder rebuilds the teacher's features.
    heads: Vec<Head<B>>,
}

visit_fields!(Encoder: network; heads);

impl<B: Backend> Encoder<B> {
    fn new(init: &Init, backbone: &Backbone, model: &AutoEncoder) -> Self {
        let headed = model.placement() == Some(Placement::TeacherHead);
        let heads = backbone
            .channels()
            .enumerate()
            .filter(|(_, (number, _))| headed && model.is_at(*number))
            .map(|(position, (number, channels))| {
                let (input, output) = (channels, channels);
                let geometry = Conv2d { input, output, kernel: 1, stride: 1, padding: 0, input_gradient: true };
                Head { position, number, conv: Conv::with_bias(init, &format!("head.level{number}"), geometry) }
            })
            .collect();
        Self { network: Resnet::new(init, backbone), heads }
    }

    /// See [`Resnet::forward`].
    pub fn forward<T: Tape>(&mut self, images: Features<B, T>, mode: Mode) -> OpResult<Levels<B, T>> {
        self.network.forward(images, mode)
    }

    fn multiply_accumulates(&self, side: usize) -> u64 {
        let of = |head: &Head<B>| {
            let side = side >> (head.number + 1);
            head.conv.geometry().multiply_accumulates(side, side)
        };
        self.network.multiply_accumulates(side) + self.heads.iter().map(of).sum::<u64>()
    }
}

/// The network that learns to predict the teacher.
#[derive(Debug, Clone)]
pub enum Student<B: Backend> {
    /// It reads the image.
    Encoder(Box<Encoder<B>>),
    /// It reads the teacher's features.
    Decoder(Box<Decoder<B>>),
}

delegate_module!(Student: module, module_mut);

impl<B: Backend> Student<B> {
    /// Creates a student for a teacher of this shape, randomly initialised from `seed`.
    pub fn new(seed: u64, backbone: &Backbone, model: &Model) -> Self {
        let init = &Init { seed, purpose: "student" };
        match model {
            Model::Encoder(autoencoder) => Self::Encoder(Box::new(Encoder::new(init, backbone, autoencoder))),
            Model::Decoder => Self::Decoder(Box::new(Decoder::new(init, backbone))),
        }
    }

    /// Predicts the teacher's features, finest level first, in training or evaluation.
    ///
    /// Of both inputs, the student reads one: `images`, which returns (N, side, side, 3), or the teacher's features of the levels.
    ///
    /// # Errors
    /// Fails if the device fails, or if `images` does.
    pub fn forward<T: Tape, E: From<DeviceError>>(
        &mut self,
        images: impl FnOnce() -> Result<Features<B>, E>,
        teacher: &[Features<B>],
        mode: Mode,
    ) -> Result<Levels<B, T>, E> {
        match self {
            Self::Encoder(encoder) => Ok(encoder.forward(images()?.put_tape(T::default()), mode)?),
            Self::Decoder(decoder) => Ok(decoder.forward(teacher, mode)?),
        }
    }

    /// Returns the second head of the level at a position (from 0), if it has one.
    pub fn head(&self, position: usize) -> Option<&Head<B>> {
        match self {
            Self::Encoder(encoder) => encoder.heads.iter().find(|head| head.position == position),
            Self::Decoder(_) => None,
        }
    }

    /// Returns the forward multiply-accumulates for one image of the given side.
    pub fn multiply_accumulates(&self, side: usize) -> u64 {
        match self {
            Self::Encoder(encoder) => encoder.multiply_accumulates(side),
            Self::Decoder(decoder) => decoder.multiply_accumulates(side),
        }
    }

    fn module(&self) -> &dyn Module<B> {
        match self {
            Self::Encoder(encoder) => encoder.as_ref(),
            Self::Decoder(decoder) => decoder.as_ref(),
        }
    }

    fn module_mut(&mut self) -> &mut dyn Module<B> {
        match self {
            Self::Encoder(encoder) => encoder.as_mut(),
            Self::Decoder(decoder) => decoder.as_mut(),
        }
    }
}
