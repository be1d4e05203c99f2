//! A sweep to its runs and stages.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::json;

use super::error::PlanError;
use super::opened::{Facts, Opened};
use super::planned::{Plan, PlannedRun, PlannedStage, PlannedTrial};
use crate::config::{MAX_RUNS, Objective, Sweep, Trial};
use crate::data::{DataSettings, HeldOut, HeldOutChoice, Layout, SplitRule};
use crate::evaluate::Selection;
use crate::evaluate::metrics::PRO_LIMIT;
use crate::model::Placement;
use crate::stages::{
    EvaluateJob, Extent, FeaturesJob, ImageLocation, ImageSet, JointJob, Key, KeyOf, PaintJob, Part, PretrainJob,
    PseudoJob, ScoreJob, Stage, StageJob, StageKind, TeacherRef,
};
use crate::training::TrainedImages;

/// Opens data and weights and lays out every run.
pub fn build(sweep: &Sweep) -> Result<Plan, PlanError> {
    Planner::default().plan(sweep)
}

/// Plans sweeps over data and weights that it opens once: a search plans one trial after the other.
#[derive(Debug, Default)]
pub struct Planner {
    opened: Opened,
}

impl Planner {
    /// Opens what the sweep's trials need, so that what is wrong with it is told before a store is made.
    ///
    /// # Errors
    /// Data or weights that cannot be used.
    pub fn open(&mut self, sweep: &Sweep) -> Result<(), PlanError> {
        for trial in &sweep.trials {
            self.opened.teacher(&trial.trial.teacher)?;
            self.opened.data(&trial.trial.data)?;
        }
        Ok(())
    }

    /// What is to be told of the data that was opened, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        self.opened.notes()
    }

    /// Lays out every run of the sweep's trials.
    ///
    /// # Errors
    /// Data or weights that cannot be used.
    pub fn plan(&mut self, sweep: &Sweep) -> Result<Plan, PlanError> {
        lay_out(sweep, &mut self.opened)
    }
}

fn lay_out(sweep: &Sweep, opened: &mut Opened) -> Result<Plan, PlanError> {
    refuse_too_many(sweep, opened)?;
    let mut plan = Plan { trials: Vec::new(), runs: Vec::new(), stages: Vec::new() };
    let mut known = HashSet::new();
    let mut known_trials = HashSet::new();
    let mut runs: Vec<((usize, bool, usize, usize), PlannedRun)> = Vec::new();
    for (position, trial) in sweep.trials.iter().enumerate() {
        let data = opened.data(&trial.trial.data)?;
        // A layout that was recognised is the same trial as one that was named.
        let mut trial = trial.clone();
        trial.trial.data.layout = Some(data.layout);
        let teacher = opened.teacher(&trial.trial.teacher)?;
        let key = trial_key(&trial.trial, &teacher);
        if !known_trials.insert(key.clone()) {
            // Two names for one weight file: the same training.
            continue;
        }
        for (place, facts) in data.categories.iter().enumerate() {
            let protocol = Arc::new(protocol(&trial.trial, facts, &teacher));
            let protocol_key = Key::of("protocol", 1, &protocol);
            for (order, &seed) in sweep.search.seeds.iter().enumerate() {
                let stages = stages(&trial.trial, facts, &teacher, seed, sweep.search.objective.as_ref());
                let run = PlannedRun {
                    key: Key::of("run", 1, &json!([key, facts.name, seed, protocol_key])),
                    trial: key.clone(),
                    category: facts.name.clone(),
                    seed,
                    stages: stages.iter().map(|stage| stage.key.clone()).collect(),
                    protocol: protocol.clone(),
                    protocol_key: protocol_key.clone(),
                };
                // First seeds first, within a seed the baseline, within these the order of the file: a comparison can be
                // read as soon as the first seed is through.
                runs.push(((order, !trial.baseline, position, place), run));
                plan.stages.extend(stages.into_iter().filter(|stage| known.insert(stage.key.clone())));
            }
        }
        plan.trials.push(PlannedTrial { key, trial });
    }
    runs.sort_by_key(|(order, _)| *order);
    plan.runs = runs.into_iter().map(|(_, run)| run).collect();
    Ok(plan)
}

/// With the categories that the data has, there may be more runs than the sweep file alone could tell.
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

/// A trial's identity: its settings as they are, but no path (the teacher stands there by its digest) and no list of categories, so that
/// a sweep that moves, or grows by a category, keeps its runs.
pub(super) fn trial_key(trial: &Trial, teacher: &TeacherRef) -> Key {
    let mut content = json!(trial);
    content["teacher"] =
        json!({ "digest": teacher.digest, "architecture": teacher.architecture, "levels": teacher.levels });
    if let Some(data) = content["data"].as_object_mut() {
        data.retain(|name, _| !["root", "table", "categories"].contains(&name.as_str()));
    }
    // A data set that was not refused is the same as if nothing had been asked.
    content["data"]["unmasked"] = json!(trial.data.unmasked.leaves_out());
    Key::of("trial", 1, &content)
}

/// The stages of one run, each after those that it depends on. What the search is guided by comes right after training, so
/// that it can learn before the test images are scored.
pub(super) fn stages(
    trial: &Trial,
    facts: &Facts,
    teacher: &TeacherRef,
    seed: u64,
    objective: Option<&Objective>,
) -> Vec<PlannedStage> {
    let split = SplitRule::new(facts.held_out.clone(), trial.data.split_seed);
    let (train, test) = facts.images;
    let extent = Extent { train, held_out: split.held_out.count(train), test, image_size: trial.data.image_size };
    let mut chain = Chain { extent, stages: Vec::new() };
    let data = Arc::new(trial.data.clone());
    let images = |part, digest: &str| {
        ImageSet::new(ImageLocation { data: Arc::clone(&data), category: facts.name.clone(), part }, digest)
    };
    let test_images = images(Part::Test, &facts.test_digest);
    let mut features = |images| chain.add(FeaturesJob { images, teacher: teacher.clone(), numerics: trial.numerics });
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
    let pretrain = trial.pretrain.as_ref().map(|pretrain| {
        chain.add(PretrainJob {
            features: features_train.clone(),
            split: split.clone(),
            // Wherever they stand later, they learn to rebuild the teacher's features first.
            model: trial.model.clone().placed(Placement::Student),
            pretrain: pretrain.clone(),
            seed,
        })
    });
    let oracle_epochs = trial.evaluate.oracle_epochs;
    let joint = chain.add(JointJob {
        features: features_train.clone(),
        images: facts.train_digest.clone(),
        split: split.clone(),
        teacher: teacher.clone(),
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
            painted,
            split: split.clone(),
            model: trial.model.clone(),
            evaluate: trial.evaluate.clone(),
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
            teacher: teacher.clone(),
            model: trial.model.clone(),
        });
        chain.add(EvaluateJob {
            score,
            test_images: test_images.clone(),
            masks: facts.mask_digest.clone(),
            evaluate: trial.evaluate.clone(),
            selection,
            held_out_trained: trial.joint.images == TrainedImages::All,
        });
    }
    chain.stages
}

/// The stages of one run, as they are added.
struct Chain {
    extent: Extent,
    stages: Vec<PlannedStage>,
}

impl Chain {
    /// Adds a stage; returns its key, by which others need it.
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

/// Everything that decides how a number was measured.
fn protocol(trial: &Trial, facts: &Facts, teacher: &TeacherRef) -> serde_json::Value {
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
        "unmasked": if data.unmasked.leaves_out() { "left out" } else { "kept" },
        "selection": trial.joint.selection,
        "map": trial.evaluate.rule(),
        "mask_rule": match (data.layout, data.mask_threshold) {
            (Some(Layout::Loco), above) => format!("> {above} in any mask of the image, nearest"),
            (_, above) => format!("> {above}, nearest"),
        },
        "aupro": { "limit": PRO_LIMIT, "connectivity": 8, "thresholds": "exact" },
        "teacher": teacher.digest,
        "levels": teacher.levels,
        "numerics": trial.numerics,
        "revisions": StageKind::ALL.iter().map(|kind| (kind.name(), kind.revision())).collect::<BTreeMap<_, _>>(),
    })
}

/// Which normal images select the epoch and set the threshold.
fn split(data: &DataSettings, facts: &Facts) -> serde_json::Value {
    match (&facts.held_out, &data.held_out) {
        (HeldOut::Fifth, _) => json!({ "held_out": "ceil(n/5)", "seed": data.split_seed }),
        (HeldOut::Share(share), _) => json!({ "held_out": "share", "share": share, "seed": data.split_seed }),
        // The list of all categories, so that two lists of one category never stand in one table.
        (HeldOut::Given(_), HeldOutChoice::Images(_)) => {
            json!({ "held_out": "listed", "images": Key::of("held-out", 1, &json!(data.held_out)) })
        }
        (HeldOut::Given(_), _) => json!({ "held_out": "validation" }),
    }
}
