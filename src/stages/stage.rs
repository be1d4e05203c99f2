//! What a stage is. Each kind is one file beside this one, and one line in `registry.rs`.

use std::marker::PhantomData;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::effort::{Effort, Extent};
use super::key::Key;
use crate::evaluate::Selection;
use crate::tensor::Backend;
use crate::training::{StageContext, StageError};

/// One kind of stage. The implementing type is the job: what a stage is asked, as the store holds it.
///
/// The key is the digest of the whole job. Only members with the name `location` are left out: they say where something lies.
pub trait Stage: Serialize + DeserializeOwned {
    /// The name in the store and on the screen, and of the folder of its artifacts.
    const NAME: &'static str;

    /// Raised whenever the code changes what the stage computes, or what it is asked.
    const REVISION: u32;

    /// The number by which a run is known to have this stage's results. Results are an [`Evaluation`](crate::evaluate::Evaluation)
    /// in the artifact; most stages leave none.
    fn results() -> Option<&'static str> {
        None
    }

    /// Which files of its artifact are spare: they may be collected once every stage that needs the artifact whole is done.
    const SPARE: Option<fn(&str) -> bool> = None;

    /// The stages whose artifacts it reads.
    fn needs(&self) -> Vec<Need>;

    /// How much work it is on a category of this extent.
    fn effort(&self, extent: &Extent) -> Effort;

    /// Runs it; its files are in `context.out` afterwards.
    ///
    /// # Errors
    /// Why it failed, or was interrupted.
    fn run<B: Backend>(
        &self,
        artifacts: &dyn ArtifactFolders,
        context: &mut StageContext<'_>,
    ) -> Result<(), StageError>;

    /// Whose weights it scores or measures; none if it does neither.
    fn selection(&self) -> Option<Selection> {
        None
    }
}

/// Finds artifacts: what a stage reads of other stages.
pub trait ArtifactFolders {
    /// The folder of a stage's artifact; `stage`: the name of its kind.
    fn folder(&self, stage: &str, key: &Key) -> PathBuf;
}

/// The key of a stage of one kind: how a job names the stages that it needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct KeyOf<S> {
    key: Key,
    stage: PhantomData<S>,
}

impl<S: Stage> KeyOf<S> {
    /// A key that a stage of this kind has.
    pub fn new(key: Key) -> Self {
        Self { key, stage: PhantomData }
    }

    /// The key itself.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Where the stage's artifact lies.
    pub fn folder(&self, artifacts: &dyn ArtifactFolders) -> PathBuf {
        artifacts.folder(S::NAME, &self.key)
    }

    /// That the stage must be done.
    pub fn need(&self) -> Need {
        Need { key: self.key.clone(), whole: false }
    }

    /// That the stage must be done and its artifact hold its spare files, too.
    pub fn need_whole(&self) -> Need {
        Need { key: self.key.clone(), whole: true }
    }
}

/// A stage whose artifact another one reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Its key.
    pub key: Key,
    /// Whether files are read that may be collected once nobody reads them; see [`Stage::SPARE`].
    pub whole: bool,
}
