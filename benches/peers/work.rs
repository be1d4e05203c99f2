//! The work that is compared: training steps and inference on noise, with the code that training uses.

use std::path::Path;

use didact::data::{FeatureSet, FeatureWriter, Image, LevelShape};
use didact::model::{Architecture, Assembly, AutoEncoder, AutoEncoders, Backbone, Levels, Model, Resnet, UnetSettings};
use didact::nn::{Init, Input, Mode, Optimizer, OptimizerSettings, clip_global_norm};
use didact::tensor::{Backend, DeviceError, Native, OpResult, Recorded, Scalar};
use didact::training::Batches;

type Loss = Scalar<Native, Recorded>;

fn plus(a: Loss, b: Loss) -> Loss {
    Native::weighted_sum((a, 1.0), [(b, 1.0)]).expect("memory")
}

/// Returns the settings of the U-Nets.
pub fn unet() -> AutoEncoder {
    AutoEncoder::Unet(UnetSettings::default())
}

/// Returns a backbone of the usual width.
fn backbone(architecture: Architecture) -> Backbone {
    Backbone::new(architecture, 64)
}

/// Writes images and features of noise in the format of a teacher.
pub fn write_noise(folder: &Path, images: usize, side: usize, architecture: Architecture) {
    let noise = |count: usize, from: usize| {
        (from..from + count).map(|i| ((i * 2_654_435_761) % 1000) as f32 / 500.0 - 1.0).collect::<Vec<f32>>()
    };
    // Levels count from 1.
    let shape = |(level, channels): (usize, usize)| {
        let side = (side / 4) >> (level - 1);
        LevelShape { height: side, width: side, channels }
    };
    let backbone = backbone(architecture);
    let levels: Vec<LevelShape> = backbone.channels().map(shape).collect();
    let mut writer = FeatureWriter::create(folder, side, levels.clone()).expect("room");
    for index in 0..images {
        let rgb = noise(side * side * 3, index).iter().map(|v| (127.0 * (v + 1.0)) as u8).collect();
        let features: Vec<Vec<f32>> = levels.iter().map(|level| noise(level.len(), index)).collect();
        writer.append(&[(format!("{index}.png"), Image { side, rgb })], &features).expect("room");
    }
    writer.finish().expect("room");
}

/// What is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// ST-FPM.
    Stfpm,
    /// The joint phase with three U-Nets.
    Unets,
    /// Reverse distillation.
    Reverse(Architecture),
}

impl Work {
    /// Returns the teacher's architecture.
    pub fn architecture(self) -> Architecture {
        match self {
            Self::Stfpm | Self::Unets => Architecture::Resnet18,
            Self::Reverse(architecture) => architecture,
        }
    }
}

/// A student with or without U-Nets, and its optimisers.
pub struct Joint<'a> {
    batches: Batches<'a, Native>,
    teacher: Resnet<Native>,
    assembly: Assembly<Native>,
    student: Optimizer<Native>,
    autoencoder: Optimizer<Native>,
    work: Work,
}

impl<'a> Joint<'a> {
    /// Creates the networks and optimisers of one kind of training.
    pub fn new(set: &'a FeatureSet, work: Work) -> Self {
        let adam = OptimizerSettings::adam(1e-4, 0.0);
        let (model, student) = match work {
            Work::Stfpm => (Model::STFPM, OptimizerSettings::sgd(1e-3, 0.9, 1e-4)),
            Work::Unets => (unet().into(), adam),
            Work::Reverse(_) => (Model::Decoder, OptimizerSettings { beta1: 0.5, ..adam }),
        };
        Self {
            batches: Batches::kept(set, None),
            teacher: Resnet::new(&Init { seed: 1, purpose: "teacher" }, &backbone(work.architecture())),
            assembly: Assembly::new(0, &backbone(work.architecture()), &model),
            student: Optimizer::new(student),
            work,
            autoencoder: Optimizer::new(adam),
        }
    }

    /// Takes one step: cached teacher features, forward, losses, backward, clipping (with U-Nets), update.
    pub fn step(&mut self, indices: &[usize]) {
        let teachers: Vec<_> = (0..3).map(|level| self.batches.teacher(level, indices).expect("memory")).collect();
        let images = || Ok::<_, DeviceError>(self.batches.images(indices).expect("memory"));
        let levels: OpResult<Levels<Native, Recorded>> = self.assembly.student.forward(images, &teachers, Mode::Train);
        let mut total = None;
        for (level, (student, teacher)) in levels.expect("memory").into_iter().zip(teachers).enumerate() {
            let loss = match &mut self.assembly.autoencoders {
                None if matches!(self.work, Work::Reverse(_)) => {
                    let twice = Native::similarity(&teacher.flattened(), student.flattened()).expect("memory");
                    Native::weighted_sum((twice, 0.5), []).expect("memory")
                }
                None => Native::similarity(&teacher, student).expect("memory"),
                Some(autoencoders) => {
                    let target = student.with_empty_tape();
                    let rebuilt = autoencoders.forward(level, student, Input::Trained, Mode::Train).expect("memory");
                    let similarity = Native::similarity(&teacher, rebuilt.with_empty_tape()).expect("memory");
                    plus(similarity, Native::mean_squared_error(rebuilt, target).expect("memory"))
                }
            };
            total = Some(match total {
                None => loss,
                Some(sum) => plus(sum, loss),
            });
        }
        let mut gradients = Native::backward(total.expect("three levels")).expect("memory");
        let ceiling = if self.assembly.autoencoders.is_some() { 1.0 } else { 0.0 };
        clip_global_norm(&[&self.assembly], &mut gradients, ceiling).expect("memory");
        self.student.step(&mut self.assembly.student, &mut gradients, 1.0).expect("memory");
        if let Some(autoencoders) = &mut self.assembly.autoencoders {
            self.autoencoder.step(autoencoders, &mut gradients, 1.0).expect("memory");
        }
    }

    /// Processes one batch: teacher, prediction and the three distance maps. Scoring uses cached features; new images need the teacher.
    pub fn infer(&mut self, indices: &[usize]) -> f32 {
        let images = self.batches.images(indices).expect("memory");
        let targets = self.teacher.forward(images.clone(), Mode::Evaluate).expect("memory");
        let predicted = self.assembly.predict(|| Ok::<_, DeviceError>(images), &targets).expect("memory");
        let maps = targets.iter().zip(&predicted);
        let first = |(target, predicted)| {
            let map = Native::distance_map(target, predicted).expect("memory");
            Native::download(&map).expect("memory")[0]
        };
        maps.map(first).sum()
    }
}

/// Phase 1: three U-Nets on cached teacher features.
pub struct Pretrain<'a> {
    batches: Batches<'a, Native>,
    autoencoders: AutoEncoders<Native>,
    optimizer: Optimizer<Native>,
}

impl<'a> Pretrain<'a> {
    /// Creates untrained U-Nets.
    pub fn new(set: &'a FeatureSet) -> Self {
        Self {
            batches: Batches::kept(set, None),
            autoencoders: AutoEncoders::new(0, &backbone(Architecture::Resnet18), &unet()).expect("three levels"),
            optimizer: Optimizer::new(OptimizerSettings::adam(1e-4, 0.0)),
        }
    }

    /// Takes one step.
    pub fn step(&mut self, indices: &[usize]) {
        let mut total = None;
        for level in 0..3 {
            let target = self.batches.teacher(level, indices).expect("memory");
            let input = target.clone().put_tape(Recorded::default());
            let rebuilt = self.autoencoders.forward(level, input, Input::Constant, Mode::Train).expect("memory");
            let loss = Native::mean_squared_error(rebuilt, target).expect("memory");
            total = Some(match total {
                None => loss,
                Some(sum) => plus(sum, loss),
            });
        }
        let mut gradients = Native::backward(total.expect("three levels")).expect("memory");
        clip_global_norm(&[&self.autoencoders], &mut gradients, 0.0).expect("memory");
        self.optimizer.step(&mut self.autoencoders, &mut gradients, 1.0).expect("memory");
    }
}
