//! The list of all stages, from which the code common to all kinds is generated.

use serde::{Deserialize, Serialize};

use super::effort::{Effort, Extent};
use super::evaluate::EvaluateJob;
use super::features::FeaturesJob;
use super::joint::JointJob;
use super::key::Key;
use super::paint::PaintJob;
use super::pretrain::PretrainJob;
use super::pseudo::PseudoJob;
use super::score::ScoreJob;
use super::stage::{ArtifactFolders, Need, Stage};
use crate::evaluate::{ResultName, Selection};
use crate::names::named_enum;
use crate::tensor::Backend;
use crate::training::{StageContext, StageError};

macro_rules! stages {
    ($($(#[$doc:meta])* $kind:ident($job:ty),)*) => {
        named_enum! {
            /// The kinds of stages, in the order in which a run executes them. Their names are also the names of the artifact folders.
            pub enum StageKind {
                $($(#[$doc])* $kind = <$job>::NAME,)*
            }
        }

        impl StageKind {
            /// See [`Stage::REVISION`].
            pub fn revision(self) -> u32 {
                match self { $(Self::$kind => <$job>::REVISION,)* }
            }

            /// See [`Stage::results`].
            pub fn results(self) -> Option<ResultName> {
                match self { $(Self::$kind => <$job>::results(),)* }
            }

            /// See [`Stage::CHECKPOINTS`].
            pub fn has_checkpoints(self) -> bool {
                match self { $(Self::$kind => <$job>::CHECKPOINTS,)* }
            }

            /// See [`Stage::SPARE`].
            pub fn spare(self) -> Option<fn(&str) -> bool> {
                match self { $(Self::$kind => <$job>::SPARE,)* }
            }
        }

        /// The job of one stage of a run, as a worker reads it from the store.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum StageJob {
            $($(#[$doc])* $kind($job),)*
        }

        impl StageJob {
            /// Returns the kind of the stage.
            pub fn kind(&self) -> StageKind {
                match self { $(Self::$kind(_) => StageKind::$kind,)* }
            }

            /// See [`Stage::needs`].
            pub fn needs(&self) -> Vec<Need> {
                match self { $(Self::$kind(job) => job.needs(),)* }
            }

            /// See [`Stage::effort`].
            pub fn effort(&self, extent: &Extent) -> Effort {
                match self { $(Self::$kind(job) => job.effort(extent),)* }
            }

            /// See [`Stage::epochs`].
            pub fn epochs(&self) -> Option<usize> {
                match self { $(Self::$kind(job) => job.epochs(),)* }
            }

            /// See [`Stage::selection`].
            pub fn selection(&self) -> Option<Selection> {
                match self { $(Self::$kind(job) => job.selection(),)* }
            }

            /// See [`Stage::run`].
            ///
            /// # Errors
            /// Returns the errors of the stage.
            pub fn run<B: Backend>(
                &self,
                artifacts: &dyn ArtifactFolders,
                context: &mut StageContext<'_>,
            ) -> Result<(), StageError> {
                match self { $(Self::$kind(job) => job.run::<B>(artifacts, context),)* }
            }

            /// Returns the key of the stage: the digest of the whole job without locations.
            pub fn key(&self) -> Key {
                match self { $(Self::$kind(job) => Key::of_job(<$job>::NAME, <$job>::REVISION, job),)* }
            }
        }

        $(
            impl From<$job> for StageJob {
                fn from(job: $job) -> Self {
                    Self::$kind(job)
                }
            }
        )*
    };
}

stages! {
    /// Computes teacher features of one part of a category.
    Features(FeaturesJob),
    /// Paints defects on held-out normal images and computes their teacher features.
    Paint(PaintJob),
    /// Pretrains auto-encoders on teacher features.
    Pretrain(PretrainJob),
    /// Trains the student, and auto-encoders if there are any.
    Joint(JointJob),
    /// Computes metrics on painted defects.
    Pseudo(PseudoJob),
    /// Computes per-level anomaly maps.
    Score(ScoreJob),
    /// Applies the map rule and computes metrics.
    Evaluate(EvaluateJob),
}
