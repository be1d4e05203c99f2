//! Expands a sweep into runs and stages.

use std::collections::HashSet;
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::json;

use super::error::PlanError;
use super::opened::{CategoryFacts, Opened, OpenedDataset};
use super::planned::{Plan, PlannedRun, PlannedStage, PlannedTrial};
use super::protocol::protocol;
use crate::config::{MAX_RUNS, Objective, SearchSettings, Sweep, SweepTrial, Trial};
use crate::data::{DataError, DataSettings, Grouping, SplitRule};
use crate::evaluate::Selection;
use crate::evaluate::metrics::{LIGHTING, Metric, Population};
use crate::model::Placement;
use crate::paths::absolute;
use crate::stages::{
    EvaluateJob, Extent, FeaturesJob, ImageLocation, ImageSet, JointJob, Key, KeyOf, LightingJob, PaintJob, Part,
    PretrainJob, PseudoJob, ScoreJob, Stage, StageJob, TeacherRef, TrainingPart,
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

    /// Estimates the memory that a worker needs for the largest of the sweep's trials, in bytes.
    ///
    /// # Errors
    /// Fails if the weights of a teacher cannot be used.
    pub fn peak_bytes(&mut self, sweep: &Sweep) -> Result<u64, PlanError> {
        let mut largest = 0;
        for SweepTrial { trial, .. } in &sweep.trials {
            largest = largest.max(trial.peak_bytes(self.opened.teacher(&trial.teacher)?.architecture));
        }
        Ok(largest)
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
        refuse_missing_saturation(sweep, &trial.trial.data, &data.categories)?;
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
            let protocol = Arc::new(protocol(&trial.trial, (facts, &data.categories), teacher));
            let protocol_key = Key::of("protocol", 1, &*protocol);
            let shared = SharedStages::new(&trial.trial, (facts, &data.categories), teacher, search.objective.as_ref());
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

/// Refuses a sweep that asks for a metric which needs saturation areas of defects, if a category has none. It would never be defined.
fn refuse_missing_saturation(
    sweep: &Sweep,
    data: &DataSettings,
    categories: &[CategoryFacts],
) -> Result<(), DataError> {
    let asked = sweep.report.metrics.iter().copied().chain(sweep.decide.map(|decide| decide.metric));
    let without = categories.iter().find(|category| category.saturation_digest.is_none());
    match (asked.into_iter().find(|metric| metric.needs_saturation()), without) {
        (Some(metric), Some(category)) => {
            let root = data.root.clone().unwrap_or_default();
            let path = absolute(&root).join(&category.name).join("defects_config.json");
            Err(DataError::NoSaturation { metric: metric.name, path })
        }
        _ => Ok(()),
    }
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
    // Older versions had one model for each category, without a setting.
    if let (Grouping::Category, Some(data)) = (trial.data.grouping, content["data"].as_object_mut()) {
        data.remove("grouping");
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
    learned: Learned<'a>,
    test_images: ImageSet,
    features_train: KeyOf<FeaturesJob>,
    features_test: KeyOf<FeaturesJob>,
    painted: Option<KeyOf<PaintJob>>,
    /// The shared stages, each after the stages that it needs.
    pub(super) stages: Vec<PlannedStage>,
}

/// What a model learns from: the normal images of its category, or of all categories.
struct Learned<'a> {
    /// Digest of the first category's training images.
    images: &'a str,
    first: TrainingPart,
    others: Vec<TrainingPart>,
    /// Images of all these categories.
    extent: Extent,
}

impl<'a> SharedStages<'a> {
    /// Plans the features, and the painted defects if they are the objective of a search. `all` are the categories of the trial, in their
    /// order; `facts` is the tested one.
    pub(super) fn new(
        trial: &'a Trial,
        (facts, all): (&'a CategoryFacts, &'a [CategoryFacts]),
        teacher: &'a TeacherRef,
        objective: Option<&Objective>,
    ) -> Self {
        let split = |of: &CategoryFacts| SplitRule::new(of.held_out.clone(), trial.data.split_seed);
        let extent = |of: &CategoryFacts| {
            let (train, test) = of.images;
            Extent { train, held_out: split(of).held_out.count(train), test, image_size: trial.data.image_size }
        };
        let mut chain = Chain::default();
        let data = Arc::new(trial.data.clone());
        let images = |of: &CategoryFacts, part| {
            let digest = if part == Part::Train { &of.train_digest } else { &of.test_digest };
            ImageSet::new(ImageLocation { data: Arc::clone(&data), category: of.name.clone(), part }, digest)
        };
        let mut features = |of, part| {
            let job = FeaturesJob { images: images(of, part), teacher: teacher.clone(), numerics: trial.numerics };
            chain.add(job, &extent(of))
        };
        let learned = match trial.data.grouping {
            Grouping::Category => std::slice::from_ref(facts),
            Grouping::All => all,
        };
        let mut parts: Vec<TrainingPart> =
            learned.iter().map(|of| TrainingPart { features: features(of, Part::Train), split: split(of) }).collect();
        let others = parts.split_off(1);
        let learned = Learned {
            images: &learned[0].train_digest,
            first: parts.remove(0),
            others,
            extent: learned.iter().map(extent).reduce(Extent::and).unwrap_or_else(|| extent(facts)),
        };
        // One of the learned categories is the tested one, whose features are then planned already.
        let features_train = features(facts, Part::Train);
        let features_test = features(facts, Part::Test);
        let painted = objective.is_some_and(|objective| !objective.is_on_test()).then(|| {
            let job = PaintJob {
                features: features_train.clone(),
                split: split(facts),
                seed: trial.data.split_seed,
                teacher: teacher.clone(),
            };
            chain.add(job, &extent(facts))
        });
        Self {
            trial,
            facts,
            teacher,
            split: split(facts),
            extent: extent(facts),
            learned,
            test_images: images(facts, Part::Test),
            features_train,
            features_test,
            painted,
            stages: chain.stages,
        }
    }

    /// Returns the stages of one seed, each after the stages that it needs. The stages that guide a search come directly after training,
    /// so that the search has its value before the test images are scored.
    pub(super) fn stages_of(&self, seed: u64) -> Vec<PlannedStage> {
        let Self { trial, facts, teacher, split, extent, learned, test_images, features_train, features_test, .. } =
            self;
        let mut chain = Chain::default();
        let pretrain = trial.pretrain.as_ref().map(|pretrain| {
            let job = PretrainJob {
                features: learned.first.features.clone(),
                split: learned.first.split.clone(),
                others: learned.others.clone(),
                // Auto-encoders first learn to reconstruct the teacher's features, wherever they are placed later.
                model: trial.model.autoencoder().clone().placed(Placement::Student),
                pretrain: pretrain.clone(),
                seed,
            };
            chain.add(job, &learned.extent)
        });
        let oracle_epochs = trial.evaluate.oracle_epochs;
        let joint = JointJob {
            features: learned.first.features.clone(),
            images: learned.images.to_owned(),
            split: learned.first.split.clone(),
            others: learned.others.clone(),
            teacher: (*teacher).clone(),
            pretrain,
            model: trial.model.clone(),
            joint: trial.joint.clone(),
            oracle_epochs,
            seed,
        };
        let joint = chain.add(joint, &learned.extent);
        if let Some(painted) = &self.painted {
            let job = PseudoJob {
                joint: joint.clone(),
                features_train: features_train.clone(),
                painted: painted.clone(),
                split: split.clone(),
                model: trial.model.clone(),
                evaluate: trial.evaluate.clone(),
                metrics: Metric::on(Population::Painted).collect(),
            };
            chain.add(job, extent);
        }
        let oracle = (oracle_epochs > 0).then_some(Selection::Oracle);
        for selection in [Selection::Selected, Selection::Last].into_iter().chain(oracle) {
            let score = ScoreJob {
                joint: joint.clone(),
                features_train: features_train.clone(),
                features_test: features_test.clone(),
                split: split.clone(),
                test_images: test_images.clone(),
                selection,
                teacher: (*teacher).clone(),
                model: trial.model.clone(),
            };
            let evaluate = EvaluateJob {
                score: chain.add(score, extent),
                test_images: test_images.clone(),
                masks: facts.mask_digest.clone(),
                evaluate: trial.evaluate.clone(),
                selection,
                held_out_trained: trial.joint.images == TrainedImages::All,
                metrics: Metric::on(Population::Test)
                    .filter(|metric| !metric.needs_saturation() || facts.saturation_digest.is_some())
                    .collect(),
                saturation: facts.saturation_digest.clone(),
                lighting: (!facts.lighting.is_empty())
                    .then(|| LightingJob { metrics: LIGHTING.to_vec(), images: facts.lighting.clone() }),
            };
            chain.add(evaluate, extent);
        }
        chain.stages
    }
}

/// Collects stages in their order, each once.
#[derive(Default)]
struct Chain {
    stages: Vec<PlannedStage>,
}

impl Chain {
    /// Adds a stage that works on images of this extent. Returns its key, by which other stages refer to it.
    fn add<S: Stage>(&mut self, job: S, extent: &Extent) -> KeyOf<S>
    where
        StageJob: From<S>,
    {
        let job = StageJob::from(job);
        let key = job.key();
        if self.stages.iter().all(|stage| stage.key != key) {
            self.stages.push(PlannedStage { key: key.clone(), effort: job.effort(extent), job });
        }
        KeyOf::new(key)
    }
}
