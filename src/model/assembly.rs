//! The student with its auto-encoders. Joint training trains this assembly, and scoring evaluates it.

use super::{AutoEncoder, AutoEncoders, Backbone, Levels, Placement, Student};
use crate::nn::{Buffer, Input, Mode, Module, Parameter};
use crate::tensor::{Backend, Features, OpResult};

/// A student, and the auto-encoders behind it if the variant has them.
#[derive(Debug, Clone)]
pub struct Assembly<B: Backend> {
    /// The network that learns to predict the teacher.
    pub student: Student<B>,
    /// `None` for ST-FPM.
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
    /// Creates a student of the teacher's shape, randomly initialised from `seed`, with the auto-encoders that `model` requests.
    pub fn new(seed: u64, backbone: &Backbone, model: &AutoEncoder) -> Self {
        Self {
            student: Student::new(seed, backbone, model),
            autoencoders: AutoEncoders::new(seed, backbone, model),
            placement: model.placement().unwrap_or(Placement::Student),
        }
    }

    /// Returns the features that are compared with the teacher, in evaluation mode: A(S) if an auto-encoder rebuilds S, otherwise S.
    /// Images are (N, side, side, 3).
    pub fn predict(&mut self, images: Features<B>) -> OpResult<Levels<B>> {
        let levels = self.student.forward(images, Mode::Evaluate)?;
        match (&mut self.autoencoders, self.placement) {
            (Some(autoencoders), Placement::Student) => levels
                .into_iter()
                .enumerate()
                .map(|(level, x)| autoencoders.forward(level, x, Input::Constant, Mode::Evaluate))
                .collect(),
            _ => Ok(levels),
        }
    }

    /// Returns the distance at every position of each level, N·H·W values: ‖T^ − Ŝ^‖² with Ŝ = [`Assembly::predict`].
    ///
    /// If an auto-encoder rebuilds T, the distance is the mean of this and ‖A(T)^ − S′^‖². S′ is the output of the student's head at that
    /// level. EfficientAD also weights both by ½.
    pub fn distances(&mut self, images: Features<B>, teacher: &[Features<B>]) -> OpResult<Vec<Vec<f32>>> {
        let predicted = self.predict(images)?;
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
