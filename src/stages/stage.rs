//! The trait of all stages. Each kind of stage has one file in this module and one line in `registry.rs`.

use std::marker::PhantomData;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::effort::{Effort, Extent};
use super::key::Key;
use crate::evaluate::{ResultName, Selection};
use crate::tensor::Backend;
use crate::training::{StageContext, StageError};

/// One kind of stage. The implementing type is the job: the parameters of a stage, as the store holds them.
///
/// The key is the digest of the whole job. Only members named `location` are left out, because they say where files are stored.
pub trait Stage: Serialize + DeserializeOwned {
    /// Name of the stage in the store, in messages and as the folder of its artifacts.
    const NAME: &'static str;

    /// Revision. Raise it whenever a code change alters what the stage computes or what its job contains.
    const REVISION: u32;

    /// Names the number that tells whether a run already has this stage's results. The results are an
    /// [`Evaluation`](crate::evaluate::Evaluation) in the artifact. Most stages have none.
    fn results() -> Option<ResultName> {
        None
    }

    /// Selects the spare files of the artifact by name. They may be removed once every stage that reads them is done.
    const SPARE: Option<fn(&str) -> bool> = None;

    /// Whether the stage writes checkpoints, from which another attempt goes on. Other stages start anew if they are interrupted.
    const CHECKPOINTS: bool = false;

    /// Returns the stages whose artifacts this stage reads.
    fn needs(&self) -> Vec<Need>;

    /// Estimates the work on a category of this extent.
    fn effort(&self, extent: &Extent) -> Effort;

    /// Returns the number of epochs that the stage trains at most. `None` if it does not train.
    fn epochs(&self) -> Option<usize> {
        None
    }

    /// Runs the stage and writes its files to `context.out`.
    ///
    /// # Errors
    /// Returns why the stage failed, or that it was interrupted.
    fn run<B: Backend>(
        &self,
        artifacts: &dyn ArtifactFolders,
        context: &mut StageContext<'_>,
    ) -> Result<(), StageError>;

    /// Returns the selection of weights that the stage scores or measures. Returns `None` if it does neither.
    fn selection(&self) -> Option<Selection> {
        None
    }
}

/// Locates the artifacts of other stages that a stage reads.
pub trait ArtifactFolders {
    /// Returns the artifact folder of a stage. `stage` is the name of its kind.
    fn folder(&self, stage: &str, key: &Key) -> PathBuf;
}

/// The key of a stage of one kind. A job refers in this way to the stages that it needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct KeyOf<S> {
    key: Key,
    stage: PhantomData<S>,
}

impl<S: Stage> KeyOf<S> {
    /// Wraps the key of a stage of this kind.
    pub fn new(key: Key) -> Self {
        Self { key, stage: PhantomData }
    }

    /// Returns the key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Returns the artifact folder of the stage.
    pub fn folder(&self, artifacts: &dyn ArtifactFolders) -> PathBuf {
        artifacts.folder(S::NAME, &self.key)
    }

    /// Returns the requirement that the stage is done.
    pub fn need(&self) -> Need {
        Need { key: self.key.clone(), spare_files: false }
    }

    /// Returns the requirement that the stage is done and that its artifact still has its spare files.
    pub fn need_with_spare_files(&self) -> Need {
        Need { key: self.key.clone(), spare_files: true }
    }
}

/// A stage whose artifact another stage reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Key of the stage.
    pub key: Key,
    /// Whether the other stage reads spare files, see [`Stage::SPARE`]. They may be removed once no stage reads them.
    pub spare_files: bool,
}
