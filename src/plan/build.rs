//! Expands a sweep into runs and stages.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::json;

use super::error::PlanError;
use super::opened::{CategoryFacts, Opened, OpenedDataset};
use super::planned::{Plan, PlannedRun, PlannedStage, PlannedTrial};
use crate::config::{MAX_RUNS, Objective, SearchSettings, Sweep, SweepTrial, Trial};
use crate::data::{DataSettings, HeldOut, HeldOutChoice, SplitRule, Unmasked};
use crate::evaluate::Selection;
use crate::evaluate::metrics::{Metric, PRO_LIMIT, Population};
use crate::model::Placement;
use crate::stages::{
    EvaluateJob, Extent, FeaturesJob, ImageLocation, ImageSet, JointJob, Key, KeyOf, PaintJob, Part, PretrainJob,
    PseudoJob, ScoreJob, Stage, StageJob, StageKind, TeacherRef,
};
use crate::training::TrainedImages;

/// Opens data and weights and plans every run.
pub fn build(sweep: &Sweep) -> Result<Plan, PlanError> {
    Planner::default().plan(sweep)
}

/// Plans sweeps and opens each data set and weight file only once. A search plans one trial after another.
#[derive(Debug, Default)]
pub struct Planner {
    opened: Opened,
}

impl Planner {
    /// Opens the data and weights of the sweep's trials, so that errors are reported before a store is created.
    ///
    /// # Errors
    /// Fails if data or weights cannot be used.
    pub fn open(&mut self, sweep: &Sweep) -> Result<(), PlanError> {
        for trial in &sweep.trials {
            self.opened.teacher(&trial.trial.teacher)?;
            self.opened.data(&trial.trial.data)?;
        }
        Ok(())
    }

    /// Returns remarks on the opened data sets, one sentence each.
    pub fn notes(&self) -> Vec<String> {
        self.opened.notes()
    }

    /// Plans every run of the sweep's trials.
    ///
    /// # Errors
    /// Fails if data or weights cannot be used.
    pub fn plan(&mut self, sweep: &Sweep) -> Result<Plan, PlanError> {
        plan_sweep(sweep, &mut self.opened)
    }
}

fn plan_sweep(sweep: &Sweep, opened: &mut Opened) -> Result<Plan, PlanError> {
    refuse_too_many(sweep, opened)?;
    let mut trial_keys = HashSet::new();
    let mut trials = Vec::with_capacity(sweep.trials.len());
    for (index, trial) in sweep.trials.iter().enumerate() {
        let data = opened.data(&trial.trial.data)?;
        // A trial with a detected layout has the same key as a trial that names this layout.
        let mut trial = trial.clone();
        trial.trial.data.layout = Some(data.layout);
        let teacher = opened.teacher(&trial.trial.teacher)?;
        let key = trial_key(&trial.trial, &teacher);
        // Two names of one weight file give the same trial.
        if trial_keys.insert(key.clone()) {
            trials.push(OpenedTrial { index, trial, key, data, teacher });
        }
    }
    let mut stage_keys = HashSet::new();
    let mut plan = Plan { trials: Vec::with_capacity(trials.len()), runs: Vec::new(), stages: Vec::new() };
    let mut runs: Vec<OrderedRun> = Vec::new();
    // Keys are digests of long texts, and a plan has hundreds of thousands of them. A few trials at a time need little memory.
    for trials in trials.chunks(TRIALS_AT_A_TIME) {
        let planned: Vec<(Vec<OrderedRun>, Vec<PlannedStage>)> =
            trials.par_iter().map(|trial| trial.plan(&sweep.search)).collect();
        for (trial_runs, stages) in planned {
            runs.extend(trial_runs);
            plan.stages.extend(stages.into_iter().filter(|stage| stage_keys.insert(stage.key.clone())));
        }
    }
    runs.sort_by_key(|(order, _)| *order);
    plan.runs = runs.into_iter().map(|(_, run)| run).collect();
    plan.trials.extend(trials.into_iter().map(|OpenedTrial { key, trial, .. }| PlannedTrial { key, trial }));
    Ok(plan)
}

/// Number of trials that are planned in parallel.
const TRIALS_AT_A_TIME: usize = 32;

/// A run with its place in the plan. Runs are ordered by seed, then with the baseline first, then by their order in the file. A comparison
/// can be read as soon as all runs of the first seed are done.
type OrderedRun = ((usize, bool, usize, usize), PlannedRun);

/// A trial with its opened data and teacher.
struct OpenedTrial {
    /// Its position in the sweep file.
    index: usize,
    trial: SweepTrial,
    key: Key,
    data: OpenedDataset,
    teacher: TeacherRef,
}

impl OpenedTrial {
    /// Plans the runs of the trial, and their stages, each after the stages that it needs.
    fn plan(&self, search: &SearchSettings) -> (Vec<OrderedRun>, Vec<PlannedStage>) {
        let Self { index, trial, key, data, teacher } = self;
        let (mut runs, mut stages) = (Vec::new(), Vec::new());
        for (category_index, facts) in data.categories.iter().enumerate() {
            let protocol = Arc::new(protocol(&trial.trial, facts, teacher));
            let protocol_key = Key::of("protocol", 1, &*protocol);
            let shared = SharedStages::new(&trial.trial, facts, teacher, search.objective.as_ref());
            stages.extend(shared.stages.iter().cloned());
            for (seed_index, &seed) in search.seeds.iter().enumerate() {
                let own = shared.stages_of(seed);
                let run = PlannedRun {
                    key: Key::of("run", 1, &json!([key, facts.name, seed, protocol_key])),
                    trial: key.clone(),
                    category: facts.name.clone(),
                    seed,
                    stages: shared.stages.iter().chain(&own).map(|stage| stage.key.clone()).collect(),
                    protocol: protocol.clone(),
                    protocol_key: protocol_key.clone(),
                };
                runs.push(((seed_index, !trial.baseline, *index, category_index), run));
                stages.extend(own);
            }
        }
        (runs, stages)
    }
}

/// Refuses a sweep with too many runs. The sweep file alone does not contain the number of categories in the data.
fn refuse_too_many(sweep: &Sweep, opened: &mut Opened) -> Result<(), PlanError> {
    let mut categories = 0;
    let mut runs = 0_usize;
    for trial in &sweep.trials {
        categories = opened.data(&trial.trial.data)?.categories.len();
        runs = runs.saturating_add(categories.saturating_mul(sweep.search.seeds.len()));
    }
    let (trials, seeds) = (sweep.trials.len(), sweep.search.seeds.len());
    if runs > MAX_RUNS { Err(PlanError::TooMany { runs, trials, categories, seeds }) } else { Ok(()) }
}

/// Returns the key of a trial: its settings without paths (the teacher is identified by its digest) and without the list of
/// categories. A sweep therefore keeps its runs when its files move or when it gains a category.
pub(super) fn trial_key(trial: &Trial, teacher: &TeacherRef) -> Key {
    let mut content = json!(trial);
    content["teacher"] =
        json!({ "digest": teacher.digest, "architecture": teacher.architecture, "levels": teacher.levels });
    if let Some(data) = content["data"].as_object_mut() {
        data.retain(|name, _| !["root", "table", "categories"].contains(&name.as_str()));
    }
    // Refusing unmasked images changes no result, so it has the same key as the default.
    content["data"]["unmasked"] = json!(trial.data.unmasked.leaves_out());
    Key::of("trial", 1, &content)
}

/// The stages of a trial on one category that all seeds share, and what the stages of a seed are made of.
pub(super) struct SharedStages<'a> {
    trial: &'a Trial,
    facts: &'a CategoryFacts,
    teacher: &'a TeacherRef,
    split: SplitRule,
    extent: Extent,
    test_images: ImageSet,
    features_train: KeyOf<FeaturesJob>,
    features_test: KeyOf<FeaturesJob>,
    painted: Option<KeyOf<PaintJob>>,
    /// The shared stages, each after the stages that it needs.
    pub(super) stages: Vec<PlannedStage>,
}

impl<'a> SharedStages<'a> {
    /// Plans the features, and the painted defects if they are the objective of a search.
    pub(super) fn new(
        trial: &'a Trial,
        facts: &'a CategoryFacts,
        teacher: &'a TeacherRef,
        objective: Option<&Objective>,
    ) -> Self {
        let split = SplitRule::new(facts.held_out.clone(), trial.data.split_seed);
        let (train, test) = facts.images;
        let extent = Extent { train, held_out: split.held_out.count(train), test, image_size: trial.data.image_size };
        let mut chain = Chain { extent, stages: Vec::new() };
        let data = Arc::new(trial.data.clone());
        let images = |part, digest: &str| {
            ImageSet::new(ImageLocation { data: Arc::clone(&data), category: facts.name.clone(), part }, digest)
        };
        let test_images = images(Part::Test, &facts.test_digest);
        let mut features =
            |images| chain.add(FeaturesJob { images, teacher: teacher.clone(), numerics: trial.numerics });
        let features_train = features(images(Part::Train, &facts.train_digest));
        let features_test = features(test_images.clone());
        let painted = objective.is_some_and(|objective| !objective.is_on_test()).then(|| {
            chain.add(PaintJob {
                features: features_train.clone(),
                split: split.clone(),
                seed: trial.data.split_seed,
                teacher: teacher.clone(),
            })
        });
        let stages = chain.stages;
        Self { trial, facts, teacher, split, extent, test_images, features_train, features_test, painted, stages }
    }

    /// Returns the stages of one seed, each after the stages that it needs. The stages that guide a search come directly after training,
    /// so that the search has its value before the test images are scored.
    pub(super) fn stages_of(&self, seed: u64) -> Vec<PlannedStage> {
        let Self { trial, facts, teacher, split, extent, test_images, features_train, features_test, painted, .. } =
            self;
        let mut chain = Chain { extent: *extent, stages: Vec::new() };
        let pretrain = trial.pretrain.as_ref().map(|pretrain| {
            chain.add(PretrainJob {
                features: features_train.clone(),
                split: split.clone(),
                // Auto-encoders first learn to reconstruct the teacher's features, wherever they are placed later.
                model: trial.model.autoencoder().clone().placed(Placement::Student),
                pretrain: pretrain.clone(),
                seed,
            })
        });
        let oracle_epochs = trial.evaluate.oracle_epochs;
        let joint = chain.add(JointJob {
            features: features_train.clone(),
            images: facts.train_digest.clone(),
            split: split.clone(),
            teacher: (*teacher).clone(),
            pretrain,
            model: trial.model.clone(),
            joint: trial.joint.clone(),
            oracle_epochs,
            seed,
        });
        if let Some(painted) = painted {
            chain.add(PseudoJob {
                joint: joint.clone(),
                features_train: features_train.clone(),
                painted: painted.clone(),
                split: split.clone(),
                model: trial.model.clone(),
                evaluate: trial.evaluate.clone(),
                metrics: Metric::on(Population::Painted).collect(),
            });
        }
        let oracle = (oracle_epochs > 0).then_some(Selection::Oracle);
        for selection in [Selection::Selected, Selection::Last].into_iter().chain(oracle) {
            let score = chain.add(ScoreJob {
                joint: joint.clone(),
                features_train: features_train.clone(),
                features_test: features_test.clone(),
                split: split.clone(),
                test_images: test_images.clone(),
                selection,
                teacher: (*teacher).clone(),
                model: trial.model.clone(),
            });
            chain.add(EvaluateJob {
                score,
                test_images: test_images.clone(),
                masks: facts.mask_digest.clone(),
                evaluate: trial.evaluate.clone(),
                selection,
                held_out_trained: trial.joint.images == TrainedImages::All,
                metrics: Metric::on(Population::Test).collect(),
            });
        }
        chain.stages
    }
}

/// Collects stages in their order.
struct Chain {
    extent: Extent,
    stages: Vec<PlannedStage>,
}

impl Chain {
    /// Adds a stage and returns its key, by which other stages refer to it.
    fn add<S: Stage>(&mut self, job: S) -> KeyOf<S>
    where
        StageJob: From<S>,
    {
        let job = StageJob::from(job);
        let key = job.key();
        self.stages.push(PlannedStage { key: key.clone(), effort: job.effort(&self.extent), job });
        KeyOf::new(key)
    }
}

/// Returns the protocol: everything that determines how the numbers of a run are measured.
fn protocol(trial: &Trial, facts: &CategoryFacts, teacher: &TeacherRef) -> serde_json::Value {
    let data = &trial.data;
    json!({
        "layout": data.layout,
        "category": facts.name,
        "counts": facts.counts,
        "train_images": facts.train_digest,
        "test_images": facts.test_digest,
        "masks": facts.mask_digest,
        "image_size": data.image_size,
        "reading": data.reading,
        "resize": "pillow-bilinear",
        "split": split(data, facts),
        "test_normals": data.test_normals_share.map(|share| json!({ "share": share, "seed": data.split_seed })),
        // Refusing unmasked images changes no result.
        "unmasked": if data.unmasked.leaves_out() { Unmasked::LeaveOut } else { Unmasked::Void },
        "selection": trial.joint.selection,
        "map": trial.evaluate.rule(),
        "mask_rule": match (data.layout, data.mask_threshold) {
            (Some(layout), above) if layout.has_several_masks() => format!("> {above} in any mask of the image, nearest"),
            (_, above) => format!("> {above}, nearest"),
        },
        "aupro": { "limit": PRO_LIMIT, "connectivity": 8, "thresholds": "exact" },
        "teacher": teacher.digest,
        "levels": teacher.levels,
        "numerics": trial.numerics,
        "metrics": Metric::all().collect::<Vec<_>>(),
        "revisions": StageKind::ALL.iter().map(|kind| (kind.name(), kind.revision())).collect::<BTreeMap<_, _>>(),
    })
}

/// Describes which normal images are held out to select the epoch and to set the threshold.
fn split(data: &DataSettings, facts: &CategoryFacts) -> serde_json::Value {
    match (&facts.held_out, &data.held_out) {
        (HeldOut::Fifth, _) => json!({ "held_out": "ceil(n/5)", "seed": data.split_seed }),
        (HeldOut::Share(share), _) => json!({ "held_out": "share", "share": share, "seed": data.split_seed }),
        // The key covers the lists of all categories, so that results with different lists never appear in one table.
        (HeldOut::Given(_), HeldOutChoice::Images(_)) => {
            json!({ "held_out": "listed", "images": Key::of("held-out", 1, &json!(data.held_out)) })
        }
        (HeldOut::Given(_), _) => json!({ "held_out": "validation" }),
    }
}
