//! The student with its auto-encoders. Joint training trains this assembly, and scoring evaluates it.

use super::{AutoEncoders, Backbone, Levels, Model, Placement, Student};
use crate::nn::{Buffer, Input, Mode, Module, Parameter};
use crate::tensor::{Backend, DeviceError, Features};

/// A student, and the auto-encoders behind it if the variant has them.
#[derive(Debug, Clone)]
pub struct Assembly<B: Backend> {
    /// The network that learns to predict the teacher.
    pub student: Student<B>,
    /// `None` for ST-FPM and for reverse distillation.
    pub autoencoders: Option<AutoEncoders<B>>,
    placement: Placement,
}

/// Size and cost of one forward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Complexity {
    /// Number of trained values.
    pub parameters: usize,
    /// Forward multiply-accumulates per image.
    pub multiply_accumulates: u64,
}

impl<B: Backend> Assembly<B> {
    /// Creates the student that `model` requests for a teacher of this shape, randomly initialised from `seed`, and its auto-encoders.
    pub fn new(seed: u64, backbone: &Backbone, model: &Model) -> Self {
        Self {
            student: Student::new(seed, backbone, model),
            autoencoders: AutoEncoders::new(seed, backbone, model.autoencoder()),
            placement: model.autoencoder().placement().unwrap_or(Placement::Student),
        }
    }

    /// Returns the features that are compared with the teacher, in evaluation mode: A(S) if an auto-encoder rebuilds S, otherwise S.
    /// For the inputs see [`Student::forward`].
    ///
    /// # Errors
    /// Fails if the device fails, or if `images` does.
    pub fn predict<E: From<DeviceError>>(
        &mut self,
        images: impl FnOnce() -> Result<Features<B>, E>,
        teacher: &[Features<B>],
    ) -> Result<Levels<B>, E> {
        let levels = self.student.forward(images, teacher, Mode::Evaluate)?;
        match (&mut self.autoencoders, self.placement) {
            (Some(autoencoders), Placement::Student) => levels
                .into_iter()
                .enumerate()
                .map(|(level, x)| Ok(autoencoders.forward(level, x, Input::Constant, Mode::Evaluate)?))
                .collect(),
            _ => Ok(levels),
        }
    }

    /// Returns the distance at every position of each level, N·H·W values: ‖T^ − Ŝ^‖² with Ŝ = [`Assembly::predict`]. It is twice the
    /// 1 − cos(T, Ŝ) of reverse distillation (Deng and Li 2022, equation 1).
    ///
    /// If an auto-encoder rebuilds T, the distance is the mean of this and ‖A(T)^ − S′^‖². S′ is the output of the student's head at that
    /// level. EfficientAD also weights both by ½.
    ///
    /// # Errors
    /// Fails if the device fails, or if `images` does.
    pub fn distances<E: From<DeviceError>>(
        &mut self,
        images: impl FnOnce() -> Result<Features<B>, E>,
        teacher: &[Features<B>],
    ) -> Result<Vec<Vec<f32>>, E> {
        let predicted = self.predict(images, teacher)?;
        let mut distances = Vec::with_capacity(teacher.len());
        for (level, (teacher, predicted)) in teacher.iter().zip(predicted).enumerate() {
            let mut distance = B::distance_map(teacher, &predicted)?;
            if let (Some(autoencoders), Some(head)) = (&mut self.autoencoders, self.student.head(level)) {
                let rebuilt = autoencoders.forward(level, teacher.clone(), Input::Constant, Mode::Evaluate)?;
                let of_head = B::distance_map(&rebuilt, &head.forward(predicted)?)?;
                distance = B::average(&distance, &of_head)?;
            }
            distances.push(B::download(&distance)?);
        }
        Ok(distances)
    }

    /// Returns the size, and the cost of one image of the given side.
    pub fn complexity(&self, side: usize) -> Complexity {
        let autoencoders = self.autoencoders.as_ref().map_or(0, |a| a.multiply_accumulates(side));
        Complexity {
            parameters: self.parameter_count(),
            multiply_accumulates: self.student.multiply_accumulates(side) + autoencoders,
        }
    }
}

impl<B: Backend> Module<B> for Assembly<B> {
    fn parameters(&self, visit: &mut dyn FnMut(&Parameter<B>)) {
        self.student.parameters(visit);
        self.autoencoders.iter().for_each(|a| a.parameters(visit));
    }
    fn parameters_mut<'m>(&'m mut self, visit: &mut dyn FnMut(&'m mut Parameter<B>)) {
        self.student.parameters_mut(visit);
        self.autoencoders.iter_mut().for_each(|a| a.parameters_mut(visit));
    }
    fn buffers(&self, visit: &mut dyn FnMut(&Buffer<B>)) {
        self.student.buffers(visit);
        self.autoencoders.iter().for_each(|a| a.buffers(visit));
    }
    fn buffers_mut(&mut self, visit: &mut dyn FnMut(&mut Buffer<B>)) {
        self.student.buffers_mut(visit);
        self.autoencoders.iter_mut().for_each(|a| a.buffers_mut(visit));
    }
}
