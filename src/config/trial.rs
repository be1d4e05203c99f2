//! The tables of a trial: data, networks, training and evaluation.

use crate::data::DataSettings;
use crate::evaluate::EvaluateSettings;
use crate::model::{Architecture, AutoEncoder, BlockKind, Model, Placement, TeacherSettings};
use crate::settings::{Reader, settings};
use crate::tensor::Numerics;
use crate::training::{JointSettings, PretrainSettings, Recipe, ReconstructionGradient, ReconstructionTarget};

settings! {
    /// One point of the search space in canonical form: settings that do not apply are absent.
    ///
    /// Two equal trials train the same networks. Category and seed are not part of a trial.
    pub struct Trial => checked {
        /// Images: where they come from and how they are prepared.
        pub data: DataSettings = table(()),
        /// Frozen teacher.
        pub teacher: TeacherSettings = table(()),
        /// Student, and the auto-encoders behind it, or none (ST-FPM).
        pub model: Model = table(teacher.levels),
        /// Phase 1: each auto-encoder learns to reconstruct the teacher's features (MSE, Adam).
        pub pretrain: Option<PretrainSettings> = table(()),
        /// Phase 2: the student is trained, together with the auto-encoders if there are any.
        pub joint: JointSettings = table(Recipe::usual_for(&model)),
        /// Map rule: how level maps become an anomaly map, a score and a decision.
        pub evaluate: EvaluateSettings = table((data.image_size, joint.recipe.usual_oracle_epochs())),
        /// Precision of matrix products, the same in all trials of a sweep; part of the protocol.
        pub numerics: Numerics = choice(Numerics::F32),
    }
}

impl Trial {
    /// Estimates the memory that a worker needs behind a teacher of this architecture, in bytes.
    ///
    /// Joint steps with three U-Nets took 740 MB behind ResNet-18 at batch 8 and 256 px. Behind WideResNet-50-2, whose levels have four times
    /// the channels, joint stages took 0.9 GB without U-Nets, 7.1 GB with them, and 3.5 GB with a decoder, at batch 8 and 64 px.
    pub fn peak_bytes(&self, architecture: Architecture) -> u64 {
        const BYTES_PER_PIXEL: usize = 1200;
        let block = architecture.block();
        let networks = match (block, &self.model) {
            (BlockKind::Basic, _) => 200_000_000,
            (BlockKind::Bottleneck { .. }, Model::Encoder(AutoEncoder::None)) => 900_000_000,
            (BlockKind::Bottleneck { .. }, Model::Encoder(_)) => 7_000_000_000,
            (BlockKind::Bottleneck { .. }, Model::Decoder) => 3_500_000_000,
        };
        let batch = self.pretrain.as_ref().map_or(0, |pretrain| pretrain.batch_size).max(self.joint.batch_size);
        (networks + BYTES_PER_PIXEL * block.expansion() * batch * self.data.image_size.pow(2)) as u64
    }

    /// Returns ST-FPM under the protocol of this trial: its own recipe with the same epochs and batch size.
    pub(super) fn baseline(&self) -> Self {
        let joint = JointSettings {
            epochs: self.joint.epochs,
            batch_size: self.joint.batch_size,
            ..JointSettings::of(Recipe::StfpmOfficial)
        };
        Self { model: Model::STFPM, joint, ..self.clone() }.canonical()
    }

    fn checked(self, reader: &Reader<'_>) -> Self {
        self.check_sides(&reader.inner("model"));
        self.canonical()
    }

    /// Removes settings that do not apply, so that equal trainings are equal trials.
    fn canonical(mut self) -> Self {
        if *self.model.autoencoder() == AutoEncoder::None {
            self.pretrain = None;
            self.joint.autoencoder = None;
            self.joint.loss = None;
        }
        if let (Some(Placement::TeacherHead), Some(loss)) = (self.model.autoencoder().placement(), &mut self.joint.loss)
        {
            // The auto-encoders rebuild the teacher's features, so the student gets no gradient.
            loss.reconstruction_gradient = ReconstructionGradient::Both;
            loss.target = ReconstructionTarget::Student;
        }
        self.pretrain = self.pretrain.filter(|pretrain| pretrain.epochs > 0);
        self
    }

    /// Checks that the coarsest level that the model halves has a side that can be halved.
    fn check_sides(&self, model: &Reader<'_>) {
        let halved = |level: usize| match self.model.halvings(level, self.teacher.levels) {
            0 => None,
            halvings => Some((level, halvings)),
        };
        let Some((level, halvings)) = self.teacher.levels.numbers().filter_map(halved).last() else { return };
        let side = self.data.image_size >> (level + 1);
        let (key, what) = match self.model {
            Model::Encoder(_) => ("depth", format!("`model.depth` is {halvings}")),
            Model::Decoder => ("student", "`model.student` is \"decoder\", which halves the coarsest level".to_owned()),
        };
        if side.is_multiple_of(1 << halvings) || model.problems().has_at(&model.place_of(key)) {
            return;
        }
        let message =
            format!("{what}, but level {level} has only {side}×{side} pixels at image_size {}", self.data.image_size);
        let help = format!("expected image_size to be a multiple of {} for this {key}", 2 << (level + halvings));
        model.refuse(key, message, help);
    }
}
