//! Tests of keys: equal work has equal keys, a change that affects results changes the key, and any other change does not.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::build::{SharedStages, trial_key};
use super::opened::CategoryFacts;
use super::planned::PlannedStage;
use super::protocol::protocol;
use crate::config::{Objective, Trial};
use crate::data::{
    CategorySelection, DataSettings, Exif, FolderSettings, Grouping, HeldOut, HeldOutChoice, Layout, Reading,
    SyntheticSettings, Unmasked,
};
use crate::evaluate::{Aggregate, Border, EvaluateSettings, ImageScoreRule, Normalise, Selection};
use crate::model::{
    Architecture, AutoEncoder, CommonSettings, Corruption, InnerNorm, LevelSet, LinearSettings, Model, Placement, Skip,
    TeacherSettings, UnetSettings, Upsample, WeightSource,
};
use crate::nn::{OptimizerSettings, Padding};
use crate::stages::{Key, Part, StageJob, StageKind, TeacherRef};
use crate::tensor::{Activation, Numerics};
use crate::training::{
    JointSettings, LossWeighting, PretrainSettings, Recipe, Reduction, SelectionRule, TrainedImages,
};

/// All inputs of a run's keys.
#[derive(Clone)]
struct Case {
    trial: Trial,
    facts: CategoryFacts,
    /// The other categories of the sweep.
    others: Vec<CategoryFacts>,
    teacher: TeacherRef,
    seed: u64,
    objective: Option<Objective>,
}

fn sgd(learning_rate: f64) -> OptimizerSettings {
    OptimizerSettings::sgd(learning_rate, 0.9, 1e-4)
}

fn case() -> Case {
    let teacher = TeacherSettings {
        architecture: Some(Architecture::Resnet18),
        weights: WeightSource::File(PathBuf::from("weights/a.pth")),
        levels: LevelSet::ALL,
    };
    let trial = Trial {
        data: DataSettings::at(Path::new("data"), Some(Layout::Mvtec)),
        teacher: teacher.clone(),
        model: AutoEncoder::Unet(UnetSettings::default()).into(),
        pretrain: Some(PretrainSettings::default()),
        joint: JointSettings::of(Recipe::Seed),
        evaluate: EvaluateSettings::of_stfpm(64),
        numerics: Numerics::F32,
    };
    let facts = CategoryFacts {
        name: "bottle".to_owned(),
        train_digest: "train".to_owned(),
        test_digest: "test".to_owned(),
        mask_digest: "masks".to_owned(),
        counts: json!({ "train": 209 }),
        held_out: HeldOut::Fifth,
        images: (209, 83),
        saturation_digest: None,
        lighting: Vec::new(),
    };
    let teacher = TeacherRef {
        digest: "weights".to_owned(),
        architecture: Architecture::Resnet18,
        levels: teacher.levels,
        location: teacher.weights,
    };
    let other = CategoryFacts {
        name: "cable".to_owned(),
        train_digest: "cables".to_owned(),
        test_digest: "test cables".to_owned(),
        images: (224, 150),
        ..facts.clone()
    };
    Case { trial, facts, others: vec![other], teacher, seed: 0, objective: Some(Objective::PSEUDO) }
}

fn folder(masks: Option<&str>) -> FolderSettings {
    FolderSettings {
        normals: "ok".to_owned(),
        validation: None,
        test_normals: None,
        anomalies: vec!["nok".to_owned()],
        masks: masks.map(str::to_owned).into_iter().collect(),
    }
}

/// Returns the stages of one run.
fn stages(case: &Case, seed: u64) -> Vec<PlannedStage> {
    let all: Vec<CategoryFacts> = std::iter::once(&case.facts).chain(&case.others).cloned().collect();
    let shared = SharedStages::new(&case.trial, (&case.facts, &all), &case.teacher, case.objective.as_ref());
    let own = shared.stages_of(seed);
    shared.stages.into_iter().chain(own).collect()
}

/// Returns the stages of a run with their keys, each under a unique name.
fn keys(case: &Case) -> Vec<(String, Key)> {
    stages(case, case.seed)
        .into_iter()
        .map(|stage| {
            let name = match &stage.job {
                StageJob::Features(job) if job.images.location.part == Part::Train => "features(train)".to_owned(),
                StageJob::Features(_) => "features(test)".to_owned(),
                StageJob::Score(job) if job.selection == Selection::Last => "score(last)".to_owned(),
                StageJob::Evaluate(job) if job.selection == Selection::Last => "evaluate(last)".to_owned(),
                job => job.kind().name().to_owned(),
            };
            (name, stage.key)
        })
        .collect()
}

/// Returns the names of the stages whose keys a change alters.
fn changed_keys(change: impl FnOnce(&mut Case)) -> BTreeSet<String> {
    let before = keys(&case());
    let mut changed = case();
    change(&mut changed);
    let after = keys(&changed);
    assert_eq!(before.len(), after.len());
    before.into_iter().zip(after).filter(|(b, a)| b.1 != a.1).map(|(b, _)| b.0).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

const EVALUATE: [&str; 2] = ["evaluate", "evaluate(last)"];
/// Stages whose keys depend on the map rule.
const RULE: [&str; 3] = ["pseudo", "evaluate", "evaluate(last)"];
const SCORE: [&str; 2] = ["score", "score(last)"];

fn after(first: &[&str]) -> BTreeSet<String> {
    set(&[first, &SCORE, &EVALUATE].concat())
}

#[test]
fn numerics_change_every_key() {
    let all: BTreeSet<String> = keys(&case()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(changed_keys(|c| c.trial.numerics = Numerics::Tf32), all);
}

#[test]
fn paths_and_names_change_no_key() {
    assert_eq!(changed_keys(|c| c.trial.data.root = Some(PathBuf::from("/elsewhere"))), set(&[]));
    let named = CategorySelection::Named(vec!["bottle".to_owned()]);
    assert_eq!(changed_keys(|c| c.trial.data.categories = named), set(&[]));
    assert_eq!(changed_keys(|c| c.facts.name = "flask".to_owned()), set(&[]));
    assert_eq!(changed_keys(|c| c.teacher.location = WeightSource::File(PathBuf::from("b.safetensors"))), set(&[]));
}

#[test]
fn each_change_alters_exactly_the_keys_that_depend_on_it() {
    let all = after(&["features(train)", "features(test)", "paint", "pretrain", "joint", "pseudo"]);
    let from_pretrain = after(&["pretrain", "joint", "pseudo"]);
    let from_joint = after(&["joint", "pseudo"]);
    assert_eq!(changed_keys(|c| c.teacher.digest = "other".to_owned()), all);
    assert_eq!(changed_keys(|c| c.trial.data.image_size = 128), all);
    assert_eq!(
        changed_keys(|c| c.facts.train_digest = "other".to_owned()),
        after(&["features(train)", "paint", "pretrain", "joint", "pseudo"])
    );
    // No stage before `score` has anything from the test set in its key. Neither do the stages of painted defects.
    assert_eq!(changed_keys(|c| c.facts.test_digest = "other".to_owned()), after(&["features(test)"]));
    assert_eq!(changed_keys(|c| c.facts.mask_digest = "other".to_owned()), set(&EVALUATE));
    assert_eq!(changed_keys(|c| c.trial.data.split_seed = 1), after(&["paint", "pretrain", "joint", "pseudo"]));
    assert_eq!(changed_keys(|c| c.seed = 1), from_pretrain);
    let with_skip = UnetSettings { skip: Skip::Add, ..UnetSettings::default() };
    assert_eq!(changed_keys(|c| c.trial.model = AutoEncoder::Unet(with_skip).into()), from_pretrain);
    assert_eq!(changed_keys(|c| c.trial.pretrain.iter_mut().for_each(|p| p.learning_rate = 1e-4)), from_pretrain);
    assert_eq!(changed_keys(|c| c.trial.joint.student = sgd(0.1)), from_joint);
    assert_eq!(changed_keys(|c| c.trial.joint.loss.iter_mut().for_each(|l| l.similarity = 2.0)), from_joint);
    assert_eq!(changed_keys(|c| c.trial.joint.selection = SelectionRule::HeldOutScore), from_joint);
    assert_eq!(changed_keys(|c| c.trial.joint.similarity.reduction = Reduction::HalfSum), from_joint);
    assert_eq!(changed_keys(|c| c.trial.joint.images = TrainedImages::All), from_joint);
    let weighting = LossWeighting::Dwa { weighting_temperature: 2.0 };
    assert_eq!(changed_keys(|c| c.trial.joint.loss.as_mut().expect("with U-Nets").weighting = weighting), from_joint);
    assert_eq!(changed_keys(|c| c.trial.evaluate.aggregate = Aggregate::Sum), set(&RULE));
    assert_eq!(changed_keys(|c| c.trial.evaluate.smoothing_sigma = 4.0), set(&RULE));
    assert_eq!(changed_keys(|c| c.trial.evaluate.normalise = Normalise::HeldOut), set(&RULE));
    assert_eq!(changed_keys(|c| c.trial.evaluate.border = Border::Crop { border_crop: 4 }), set(&RULE));
    assert_eq!(changed_keys(|c| c.trial.evaluate.image_score = ImageScoreRule::TopK { top_k: 0.03 }), set(&RULE));
    assert_eq!(changed_keys(|c| c.trial.evaluate.threshold_quantile = 0.95), set(&RULE));
}

#[test]
fn auto_encoder_settings_change_the_keys_of_training() {
    let from_pretrain = after(&["pretrain", "joint", "pseudo"]);
    let levels = LevelSet::of(&[2, 3]).expect("levels");
    let usual = UnetSettings::default;
    let others = [
        UnetSettings { upsample: Upsample::Bilinear, ..usual() },
        UnetSettings { norm: InnerNorm::None, ..usual() },
        UnetSettings { activation: Activation::Gelu, ..usual() },
        UnetSettings { padding: Padding::Reflect, ..usual() },
        UnetSettings { common: CommonSettings { levels, ..Default::default() }, ..usual() },
    ];
    for other in others {
        assert_eq!(changed_keys(|c| c.trial.model = AutoEncoder::Unet(other).into()), from_pretrain);
    }
    for kind in AutoEncoder::of_every_kind(CommonSettings::default())
        .into_iter()
        .filter(|kind| Model::from(kind.clone()) != case().trial.model)
    {
        assert_eq!(changed_keys(|c| c.trial.model = kind.into()), from_pretrain);
    }
    // The placement of auto-encoders does not affect pretraining.
    let common = CommonSettings { placement: Placement::TeacherHead, ..Default::default() };
    let headed = UnetSettings { common, ..usual() };
    assert_eq!(changed_keys(|c| c.trial.model = AutoEncoder::Unet(headed).into()), after(&["joint", "pseudo"]));
    let all = keys(&case()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(changed_keys(|c| c.teacher.levels = levels), all);
}

#[test]
fn categories_of_one_model_share_its_training_and_are_tested_apart() {
    let (mut bottle, mut each) = (case(), case());
    bottle.trial.data.grouping = Grouping::All;
    // The order of the categories is that of the sweep, whichever is tested.
    let all: Vec<CategoryFacts> = std::iter::once(&bottle.facts).chain(&bottle.others).cloned().collect();
    let stages_of = |tested: &CategoryFacts| {
        let shared = SharedStages::new(&bottle.trial, (tested, &all), &bottle.teacher, None);
        let own = shared.stages_of(0);
        shared.stages.into_iter().chain(own).collect::<Vec<_>>()
    };
    let [of_bottle, of_cable] = [&all[0], &all[1]].map(stages_of);
    let keys = |stages: &[PlannedStage]| stages.iter().map(|stage| stage.key.clone()).collect::<BTreeSet<_>>();
    let shared: Vec<&StageJob> =
        of_bottle.iter().filter(|stage| keys(&of_cable).contains(&stage.key)).map(|stage| &stage.job).collect();
    let kinds: Vec<StageKind> = shared.iter().map(|job| job.kind()).collect();
    assert_eq!(kinds, [StageKind::Features, StageKind::Features, StageKind::Pretrain, StageKind::Joint]);
    assert_eq!(of_bottle.len(), of_cable.len());
    // Training waits for the features of both categories, and works on all of their images.
    assert_eq!(shared[2].needs().len(), 2);
    assert_eq!(shared[3].needs().len(), 3);
    let work =
        |stages: &[PlannedStage]| stages.iter().find(|of| of.job.kind() == StageKind::Joint).map(|of| of.effort.work);
    let (together, alone) = (work(&of_bottle).expect("joint"), work(&stages(&each, 0)).expect("joint"));
    assert!((together / alone - (209.0 + 224.0) / 209.0).abs() < 1e-9, "{together} {alone}");
    // With one category, one model for all is the model of the category.
    each.others.clear();
    let single = keys(&stages(&each, 0));
    each.trial.data.grouping = Grouping::All;
    assert_eq!(keys(&stages(&each, 0)), single);
}

#[test]
fn a_decoder_shares_the_features_and_has_no_pretraining() {
    let with_unets = case();
    let mut decoder = case();
    decoder.trial.model = Model::Decoder;
    decoder.trial.pretrain = None;
    let of = |case: &Case| keys(case).into_iter().collect::<std::collections::BTreeMap<String, Key>>();
    let (ours, theirs) = (of(&decoder), of(&with_unets));
    assert!(!ours.contains_key("pretrain") && theirs.contains_key("pretrain"));
    for (name, key) in ours {
        let shared = ["features(train)", "features(test)", "paint"].contains(&name.as_str());
        assert_eq!(theirs[&name] == key, shared, "{name}");
    }
}

#[test]
fn a_worker_is_given_at_least_the_memory_that_was_measured() {
    let with_unets = case().trial.model;
    let measured = [
        (Architecture::Resnet18, 256, &with_unets, 740_000_000),
        (Architecture::WideResnet50x2, 64, &Model::STFPM, 884_000_000),
        (Architecture::WideResnet50x2, 64, &with_unets, 7_131_000_000),
        (Architecture::WideResnet50x2, 64, &Model::Decoder, 3_550_000_000),
    ];
    for (architecture, image_size, model, bytes) in measured {
        let mut trial = Trial { model: model.clone(), ..case().trial };
        trial.data.image_size = image_size;
        trial.joint.batch_size = 8;
        trial.pretrain.iter_mut().for_each(|pretrain| pretrain.batch_size = 8);
        let estimate = trial.peak_bytes(architecture);
        assert!((bytes..2 * bytes).contains(&estimate), "{architecture}, {}: {estimate}", model.label());
    }
}

/// Returns the jobs of runs that together contain every kind of stage.
fn jobs() -> Vec<StageJob> {
    // Optional tables must be present, because the test cannot invent their contents.
    let mut one = case();
    one.trial.data.synthetic = Some(SyntheticSettings::default());
    one.trial.data.folder = Some(folder(None));
    one.trial.joint.loss.as_mut().expect("with U-Nets").weighting = LossWeighting::Dwa { weighting_temperature: 2.0 };
    let mut other = one.clone();
    other.trial.evaluate.oracle_epochs = 3;
    other.trial.model = AutoEncoder::Linear(LinearSettings {
        common: CommonSettings {
            width: 0.5,
            input: Corruption::Noise { input_noise: 0.1 },
            levels: LevelSet::of(&[2, 3]).expect("levels"),
            placement: Placement::TeacherHead,
        },
    })
    .into();
    other.facts.held_out = HeldOut::Given(vec![1, 5]);
    other.trial.data.grouping = Grouping::All;
    other.trial.data.reading.white_level = 4095;
    let jobs: Vec<StageJob> =
        [one, other].iter().flat_map(|case| stages(case, case.seed)).map(|stage| stage.job).collect();
    let kinds: BTreeSet<StageKind> = jobs.iter().map(StageJob::kind).collect();
    assert_eq!(kinds, StageKind::ALL.into());
    jobs
}

/// Collects pointers to all leaves of a JSON value. A list is one leaf.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| leaves(value, &format!("{at}/{name}"), found));
        }
        _ => found.push(at.to_owned()),
    }
}

/// Returns the job with a different value at a leaf, of a type that the leaf accepts.
fn changed(job: &StageJob, leaf: &str) -> StageJob {
    let with = |value: Value| {
        let mut json = json!(job);
        *json.pointer_mut(leaf).expect("a leaf") = value;
        serde_json::from_value::<StageJob>(json).map_err(|error| error.to_string())
    };
    let now = json!(job).pointer(leaf).expect("a leaf").clone();
    let others = match &now {
        Value::Null => vec![json!(7), json!("x"), json!(["x"])],
        Value::Bool(now) => vec![json!(!now)],
        Value::Number(number) if number.is_f64() => vec![json!(number.as_f64().expect("a float") + 0.25)],
        Value::Number(number) => {
            let count = number.as_u64().expect("a count");
            vec![json!(count + 1), json!(count.saturating_sub(1))]
        }
        Value::Array(list) if list.is_empty() => vec![json!(["x"])],
        Value::Array(list) => vec![json!(list[1..])],
        Value::String(text) => {
            // The error message lists the other values of a choice.
            let refused = with(json!(format!("{text}0"))).err().unwrap_or_default();
            let named = refused.split('`').skip(1).step_by(2).flat_map(|name| {
                // The error message names a parameter that a variant lacks.
                let mut parameters = json!({});
                while let Err(refused) = with(json!({ name: parameters }))
                    && let Some((_, rest)) = refused.split_once("missing field `")
                {
                    parameters[rest.split('`').next().unwrap_or_default()] = json!(1);
                }
                let plain = [json!(name), json!({ name: 7 }), json!({ name: 0.5 }), json!({ name: ["x"] })];
                plain.into_iter().chain([json!({ name: parameters })])
            });
            std::iter::once(json!(format!("{text}0"))).chain(named).collect()
        }
        Value::Object(_) => unreachable!("no leaf"),
    };
    let different = others.into_iter().filter_map(|value| with(value).ok()).find(|other| other != job);
    different.unwrap_or_else(|| panic!("{leaf} of {} cannot be changed", job.kind().name()))
}

#[test]
fn every_leaf_of_a_job_except_locations_changes_its_key() {
    for job in jobs() {
        assert_eq!(json!(job).as_object().and_then(|job| job.keys().next()), Some(&job.kind().name().to_owned()));
        let mut found = Vec::new();
        leaves(&json!(job), "", &mut found);
        assert!(found.len() > 5, "{found:?}");
        for leaf in found {
            let is_location = leaf.contains("/location");
            assert_eq!(changed(&job, &leaf).key() == job.key(), is_location, "{leaf} of {}", job.kind().name());
        }
    }
}

/// Returns the same value with the members of all objects in reverse order.
fn reversed(value: Value) -> Value {
    match value {
        Value::Object(members) => members.into_iter().rev().map(|(name, value)| (name, reversed(value))).collect(),
        Value::Array(values) => values.into_iter().map(reversed).collect(),
        other => other,
    }
}

#[test]
fn the_order_of_fields_changes_no_key() {
    for job in jobs() {
        let other = reversed(json!(job));
        assert_ne!(other.to_string(), json!(job).to_string());
        assert_eq!(serde_json::from_value::<StageJob>(other.clone()).expect("the same job").key(), job.key());
        assert_eq!(Key::of("any", 1, &other), Key::of("any", 1, &json!(job)));
    }
}

#[test]
fn locations_are_the_only_paths_and_names_in_a_job() {
    let mut case = case();
    case.trial.data.root = Some(PathBuf::from("/a-root"));
    case.facts.name = "a-category".to_owned();
    for stage in stages(&case, 0) {
        let mut found = Vec::new();
        let job = json!(stage.job);
        leaves(&job, "", &mut found);
        for leaf in found.iter().filter(|leaf| !leaf.contains("/location")) {
            let text = job.pointer(leaf).expect("a leaf").to_string();
            assert!(
                ["a-root", "a-category", "weights/a.pth", "mvtec"].iter().all(|name| !text.contains(name)),
                "{leaf}"
            );
        }
    }
}

#[test]
fn held_out_images_change_the_keys_of_training_but_not_of_features() {
    let given = |c: &mut Case| c.facts.held_out = HeldOut::Given(vec![1, 5]);
    assert_eq!(changed_keys(given), after(&["paint", "pretrain", "joint", "pseudo"]));
    // If no images are drawn, the seed of the split affects only painting.
    let with_seed = |seed| {
        let mut case = case();
        given(&mut case);
        case.trial.data.split_seed = seed;
        keys(&case)
    };
    let differing: BTreeSet<String> =
        with_seed(0).into_iter().zip(with_seed(1)).filter(|(a, b)| a.1 != b.1).map(|(a, _)| a.0).collect();
    assert_eq!(differing, set(&["paint", "pseudo"]));
}

#[test]
fn reading_settings_change_every_key() {
    let all: BTreeSet<String> = keys(&case()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(changed_keys(|case| case.trial.data.reading.exif = Exif::Apply), all);
    assert_eq!(changed_keys(|case| case.trial.data.reading.white_level = 4095), all);
    let key = |reading: Reading| {
        let mut case = case();
        case.trial.data.reading = reading;
        trial_key(&case.trial, &case.teacher)
    };
    let default = Reading::default();
    assert_ne!(key(default), key(Reading { exif: Exif::Apply, ..default }));
    assert_ne!(key(default), key(Reading { white_level: 4095, ..default }));
}

#[test]
fn keys_change_only_with_a_revision() {
    // If a change alters these keys, raise the revision of the affected stages. Old and new runs then have different protocols.
    let case = case();
    let known = keys(&case).into_iter().map(|(name, key)| format!("{name} {}", key.short()));
    let trial = format!("trial {}", trial_key(&case.trial, &case.teacher).short());
    insta::assert_snapshot!(known.chain([trial]).collect::<Vec<_>>().join("\n"), @r"
    features(train) a4272973ffa9
    features(test) 352a83986345
    paint 34e0dbada6cd
    pretrain e6dcf319e195
    joint ece62516e19c
    pseudo 8e0fa1b1a662
    score ded50b72e4bf
    evaluate dd410bad9560
    score(last) 24c6ef03ec40
    evaluate(last) 75bfbc8cc67c
    trial ec5d5e3c5cf6
    ");
}

#[test]
fn a_new_metric_leaves_protocols_as_they_are() {
    let protocol = |case: &Case| protocol(&case.trial, (&case.facts, &case.others), &case.teacher);
    // If this key changes, finished runs of all stores lose their names. `METRICS` in protocol.rs says how metrics are added.
    assert_eq!(Key::of("protocol", 1, &protocol(&case())).short(), "04d2822e081b");
    let has_saturation = |stage: &PlannedStage| match &stage.job {
        StageJob::Evaluate(job) => job.metrics.iter().any(|metric| metric.needs_saturation()),
        _ => false,
    };
    assert!(!stages(&case(), 0).iter().any(has_saturation));
    // Saturation areas decide how sPRO is measured, so they are in the protocol, but only where there are any.
    let mut loco = case();
    loco.facts.saturation_digest = Some("areas".to_owned());
    assert_eq!(protocol(&loco)["saturation"], "areas");
    assert_eq!(stages(&loco, 0).into_iter().filter(has_saturation).count(), 2);
    assert_eq!(changed_keys(|case| *case = loco), set(&["evaluate", "evaluate(last)"]));
    let lighting = |case: &mut Case| case.facts.lighting = vec!["regular".to_owned(), "shift_1".to_owned()];
    assert_eq!(changed_keys(lighting), set(&["evaluate", "evaluate(last)"]));
}

#[test]
fn painting_is_planned_only_for_its_objective_and_changes_no_other_key() {
    let with = keys(&case());
    let names: Vec<&str> = with.iter().map(|(name, _)| name.as_str()).collect();
    let joint = names.iter().position(|name| *name == "joint").expect("a run trains");
    assert_eq!(names[joint + 1], "pseudo", "the search learns before anything is scored");
    for objective in [None, Objective::all().find(|objective| objective.is_on_test())] {
        let without = keys(&Case { objective, ..case() });
        let others: Vec<(String, Key)> =
            with.iter().filter(|(name, _)| !["paint", "pseudo"].contains(&name.as_str())).cloned().collect();
        assert_eq!(without, others);
    }
}

#[test]
fn a_trial_is_identified_by_its_settings_not_by_paths_or_categories() {
    let key = |change: &dyn Fn(&mut Case)| {
        let mut changed = case();
        change(&mut changed);
        trial_key(&changed.trial, &changed.teacher)
    };
    let same = key(&|_| {});
    assert_eq!(same, key(&|c| c.trial.data.root = None));
    assert_eq!(same, key(&|c| c.trial.data.categories = CategorySelection::Named(vec![])));
    assert_ne!(same, key(&|c| c.teacher.digest = "other".to_owned()));
    assert_ne!(same, key(&|c| c.trial.data.image_size = 128));
    assert_ne!(same, key(&|c| c.trial.joint.epochs = 99));
    assert_ne!(same, key(&|c| c.trial.data.held_out = HeldOutChoice::Share(0.3)));
    assert_ne!(
        key(&|c| c.trial.data.folder = Some(folder(None))),
        key(&|c| c.trial.data.folder = Some(folder(Some("masks"))))
    );
}

#[test]
fn mask_and_test_settings_change_the_key_of_the_trial_but_of_no_stage() {
    let key = |change: &dyn Fn(&mut DataSettings)| {
        let mut changed = case();
        change(&mut changed.trial.data);
        (trial_key(&changed.trial, &changed.teacher), keys(&changed))
    };
    let same = key(&|_| {});
    // `refuse` changes no result, and a path is not part of the key.
    assert_eq!(same, key(&|data| data.unmasked = Unmasked::Refuse));
    assert_eq!(same, key(&|data| data.table = Some(PathBuf::from("t.csv"))));
    let changes: [fn(&mut DataSettings); 3] = [
        |data| data.unmasked = Unmasked::LeaveOut,
        |data| data.mask_threshold = 127,
        |data| data.test_normals_share = Some(0.2),
    ];
    for change in changes {
        let other = key(&change);
        assert_ne!(same.0, other.0);
        // The keys of stages cover these settings only through the digests of images, labels and masks.
        assert_eq!(same.1, other.1);
    }
}

/// Draws settings from a few values each, so that equal draws occur.
fn drawn() -> impl Strategy<Value = (u64, usize, usize, usize, bool)> {
    (0_u64..2, 1_usize..3, 1_usize..3, 1_usize..3, any::<bool>())
}

fn case_of((seed, depth, epochs, batch, product): (u64, usize, usize, usize, bool)) -> Case {
    let mut case = case();
    case.seed = seed;
    case.trial.model = AutoEncoder::Unet(UnetSettings { depth, ..UnetSettings::default() }).into();
    case.trial.joint.epochs = epochs;
    case.trial.joint.batch_size = batch;
    case.trial.evaluate.aggregate = if product { Aggregate::Product } else { Aggregate::Mean };
    case
}

proptest! {
    #[test]
    fn keys_are_equal_exactly_if_settings_are(one in drawn(), two in drawn()) {
        let (a, b) = (keys(&case_of(one)), keys(&case_of(two)));
        let key = |keys: &[(String, Key)], name: &str| keys.iter().find(|(n, _)| n == name).map(|(_, k)| k.clone());
        prop_assert_eq!(key(&a, "evaluate") == key(&b, "evaluate"), one == two);
        prop_assert_eq!(key(&a, "joint") == key(&b, "joint"), (one.0, one.1, one.2, one.3) == (two.0, two.1, two.2, two.3));
        prop_assert_eq!(key(&a, "pretrain") == key(&b, "pretrain"), (one.0, one.1) == (two.0, two.1));
        prop_assert_eq!(key(&a, "features(train)"), key(&b, "features(train)"));
    }
}
