//! The list of all stages. What is the same for every kind follows from it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::canonical::remove_locations;
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
use crate::evaluate::Selection;
use crate::names::named_enum;
use crate::tensor::Backend;
use crate::training::{StageContext, StageError};

macro_rules! stages {
    ($($(#[$doc:meta])* $kind:ident($job:ty),)*) => {
        named_enum! {
            /// The kinds of stage, in the order in which a run passes them. Artifacts lie in folders of these names.
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
            pub fn results(self) -> Option<&'static str> {
                match self { $(Self::$kind => <$job>::results(),)* }
            }

            /// See [`Stage::SPARE`].
            pub fn spare(self) -> Option<fn(&str) -> bool> {
                match self { $(Self::$kind => <$job>::SPARE,)* }
            }
        }

        /// One step of a run: the job that a worker reads from the store.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum StageJob {
            $($(#[$doc])* $kind($job),)*
        }

        impl StageJob {
            /// Its kind.
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

            /// See [`Stage::selection`].
            pub fn selection(&self) -> Option<Selection> {
                match self { $(Self::$kind(job) => job.selection(),)* }
            }

            /// See [`Stage::run`].
            ///
            /// # Errors
            /// Those of the stage.
            pub fn run<B: Backend>(
                &self,
                artifacts: &dyn ArtifactFolders,
                context: &mut StageContext<'_>,
            ) -> Result<(), StageError> {
                match self { $(Self::$kind(job) => job.run::<B>(artifacts, context),)* }
            }

            /// All that the job says.
            fn content(&self) -> Value {
                match self { $(Self::$kind(job) => json!(job),)* }
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
    /// Teacher features of one part of a category.
    Features(FeaturesJob),
    /// Held-out normals with painted defects, and teacher features of them.
    Paint(PaintJob),
    /// Auto-encoders on teacher features.
    Pretrain(PretrainJob),
    /// Student, and auto-encoders where there are any.
    Joint(JointJob),
    /// Metrics on painted defects.
    Pseudo(PseudoJob),
    /// Per-level anomaly maps.
    Score(ScoreJob),
    /// Map rule and metrics.
    Evaluate(EvaluateJob),
}

impl StageJob {
    /// The stage's key, made of everything that the job says but locations.
    pub fn key(&self) -> Key {
        let mut content = self.content();
        remove_locations(&mut content);
        Key::of(self.kind().name(), self.kind().revision(), &content)
    }
}
