//! Tests of spaces and searches that a sweep file describes.

use std::collections::BTreeMap;

use miette::Diagnostic;

use super::{Observation, PointOutcome, load, propose_trial};
use crate::config::{
    AshaSettings, ConfigErrors, MedianSettings, Objective, Point, Pruner, ReportSettings, Space, Strategy, Sweep,
    SweepTrial, WilcoxonSettings,
};
use crate::evaluate::metrics::{AUPRO, PIXEL_AUROC};
use crate::model::{
    AutoEncoder, CommonSettings, InnerNorm, LevelSet, LinearSettings, Model, Placement, UnetSettings, Upsample,
};
use crate::nn::{OptimizerSettings, Padding};
use crate::tensor::Activation;
use crate::training::{
    Distance, JointSettings, LossWeighting, Recipe, Reduction, SelectionRule, SimilaritySettings, TrainedImages,
};

const HEAD: &str = r#"schema = 1
name = "search"
[data]
layout = "synthetic"
image_size = 64
[teacher]
weights = "demo"
[model]
autoencoder = "unet"
"#;

/// Reads a sweep file with the given end; returns its errors as one text.
fn read(end: &str) -> Result<(Sweep, Space), String> {
    read_text(&format!("{HEAD}{end}"))
}

fn load_text(text: &str) -> Result<(Sweep, Space), ConfigErrors> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("search.toml");
    std::fs::write(&path, text).expect("written");
    load(Some(&path), &[]).map(|(sweep, space, _)| (sweep, space))
}

/// Reads a complete sweep file.
fn read_text(text: &str) -> Result<(Sweep, Space), String> {
    load_text(text).map_err(|errors| {
        let messages = errors.located().map(|located| {
            let help = miette::Diagnostic::help(&located).map(|help| help.to_string()).unwrap_or_default();
            format!("{located}\n  {help}\n")
        });
        messages.collect()
    })
}

fn good(end: &str) -> (Sweep, Space) {
    read(end).unwrap_or_else(|message| panic!("{message}"))
}

const MIXED: &str = r#"
[search]
strategy = "tpe"
trials = 30
seed = 4
[search.space]
"model.autoencoder" = ["none", "unet"]
"model.skip" = { choices = ["none", "add", "concat"], when = { "model.autoencoder" = "unet" } }
"model.depth" = { int = [1, 2], when = { "model.autoencoder" = ["unet"] } }
"joint.autoencoder.learning_rate" = { log_uniform = [1e-5, 1e-2], when = { "model.skip" = ["add", "concat"] } }
"joint.student.learning_rate" = { uniform = [0.1, 0.5], step = 0.1 }
"joint.batch_size" = { log_int = [2, 32] }
"evaluate.fuse_size" = [16, 32]
"#;

/// Simulates a scheduler with three trials at a time; the value of a trial is known when it ends.
fn simulate(end: &str) -> Vec<SweepTrial> {
    let (sweep, space) = good(end);
    let wanted = sweep.search.strategy.trials().expect("a number of trials");
    let objective = |trial: &SweepTrial| {
        let text = serde_json::to_string(&trial.trial).expect("JSON");
        f64::from(blake3::hash(text.as_bytes()).as_bytes()[0])
    };
    let mut trials = sweep.trials;
    // As the store returns the axes: their values were written and read back.
    let observe = |trials: &[SweepTrial]| -> Vec<Observation> {
        let searched: Vec<&SweepTrial> = trials.iter().filter(|trial| !trial.baseline).collect();
        let ended = searched.len().saturating_sub(3);
        let observation = |(number, trial): (usize, &&SweepTrial)| {
            let stored = serde_json::to_string(&trial.axes).expect("JSON");
            let values: BTreeMap<String, serde_json::Value> = serde_json::from_str(&stored).expect("JSON");
            let outcome = match number {
                _ if number >= ended => PointOutcome::Pending,
                _ if number % 7 == 3 => PointOutcome::Failed,
                _ => PointOutcome::Value(objective(trial)),
            };
            Observation { point: space.point_of(&values).expect("a point of the space"), outcome }
        };
        searched.iter().enumerate().map(observation).collect()
    };
    loop {
        let history = observe(&trials);
        if history.len() >= wanted {
            return trials;
        }
        let proposal = propose_trial(&space, history.len() as u64, &history, &trials);
        let Some(proposal) = proposal else { return trials };
        let baseline = space.baseline_of(&proposal.trial);
        trials.extend(baseline.filter(|baseline| trials.iter().all(|known| known.trial != baseline.trial)));
        trials.push(proposal.trial);
    }
}

#[test]
fn a_search_reaches_its_number_of_distinct_trials_and_is_reproducible() {
    let trials = simulate(MIXED);
    let searched: Vec<&SweepTrial> = trials.iter().filter(|trial| !trial.baseline).collect();
    assert_eq!(searched.len(), 30);
    assert!((0..trials.len()).all(|i| (0..i).all(|j| trials[i].trial != trials[j].trial)));
    // Two map rules give two protocols, each with its own baseline.
    assert_eq!(trials.len() - searched.len(), 2);
    assert_eq!(simulate(MIXED), trials);
}

#[test]
fn an_exhausted_space_ends_a_search() {
    let end = r#"
[search]
strategy = "tpe"
trials = 50
[search.space]
"model.autoencoder" = ["none", "unet"]
"model.depth" = { int = [1, 2] }
"joint.batch_size" = [4, 8, 16]
"#;
    let trials = simulate(end);
    // Without auto-encoders the depth changes nothing: 3 + 3·2. The file's batch size of 32 makes no trial equal to the baseline.
    assert_eq!(trials.iter().filter(|trial| !trial.baseline).count(), 9);
    let random = end.replace("tpe", "random");
    assert_eq!(good(&random).0.trials.iter().filter(|trial| !trial.baseline).count(), 9);
    assert_eq!(good(&random.replace("50", "7")).0.trials.iter().filter(|trial| !trial.baseline).count(), 7);
}

#[test]
fn a_point_equal_to_the_baseline_keeps_its_values_and_inapplicable_axes_have_none() {
    let end = r#"
[search.space]
"model.autoencoder" = ["none", "unet"]
"model.depth" = [1, 2]
"joint.student.learning_rate" = [0.1, 0.4]
"#;
    let (sweep, _) = good(end);
    let drawn = |axes: serde_json::Value| {
        let axes: BTreeMap<String, serde_json::Value> = serde_json::from_value(axes).expect("a table");
        let found: Vec<bool> = sweep.trials.iter().filter(|trial| trial.axes == axes).map(|t| t.baseline).collect();
        found
    };
    let rate = "joint.student.learning_rate";
    assert_eq!(drawn(serde_json::json!({ "model.autoencoder": "none", rate: 0.4 })), [true]);
    assert_eq!(drawn(serde_json::json!({ "model.autoencoder": "none", rate: 0.1 })), [false]);
    assert_eq!(drawn(serde_json::json!({ "model.autoencoder": "unet", "model.depth": 2, rate: 0.4 })), [false]);
    assert_eq!(sweep.trials.len(), 2 + 4);
    assert_eq!(sweep.trials[0].variant, "ST-FPM");
}

#[test]
fn only_the_start_up_trials_are_drawn_before_a_search_runs() {
    let (sweep, space) = good(MIXED);
    assert_eq!(sweep.trials.iter().filter(|trial| !trial.baseline).count(), 10);
    assert_eq!(sweep.search.objective, Some(Objective::PSEUDO));
    assert_eq!(space.strategy(), &sweep.search.strategy);
    let few = good(&MIXED.replace("trials = 30", "trials = 4")).0;
    assert_eq!(few.trials.iter().filter(|trial| !trial.baseline).count(), 4);
    let sobol = good(&MIXED.replace("\"tpe\"", "\"sobol\"")).0;
    assert_eq!(sobol.trials.iter().filter(|trial| !trial.baseline).count(), 30);
    assert_eq!((sobol.search.objective, &sobol.trials[..12]), (None, &sweep.trials[..]));
}

#[test]
fn inactive_axes_are_not_set_and_do_not_multiply() {
    let end = r#"
[search.space]
"model.autoencoder" = ["none", "unet"]
"model.skip" = { choices = ["none", "add", "concat"], when = { "model.autoencoder" = "unet" } }
"model.depth" = { choices = [1, 2], when = { "model.skip" = "concat", "data.image_size" = 64 } }
"model.width" = { choices = [0.5, 2.0], when = { "data.image_size" = [128, 256] } }
[report]
variants = ["model.autoencoder", "model.depth", "model.skip", "model.width"]
[baseline]
rerun = false
"#;
    let (sweep, space) = good(end);
    let variants: Vec<&str> = sweep.trials.iter().map(|trial| trial.variant.as_str()).collect();
    assert_eq!(
        variants,
        [
            "autoencoder=none",
            "autoencoder=unet, skip=none",
            "autoencoder=unet, skip=add",
            "autoencoder=unet, depth=1, skip=concat",
            "autoencoder=unet, depth=2, skip=concat",
        ]
    );
    assert_eq!(sweep.trials[0].axes.keys().collect::<Vec<_>>(), ["model.autoencoder"]);
    let points: Vec<Option<Point>> = sweep.trials.iter().map(|trial| space.point_of(&trial.axes)).collect();
    assert!(
        points
            .iter()
            .zip(&sweep.trials)
            .all(|(point, trial)| { point.as_ref().and_then(|point| space.trial(point).ok()).as_ref() == Some(trial) })
    );
    let mut changed = sweep.trials[4].axes.clone();
    changed.insert("model.depth".to_owned(), 3.into());
    assert_eq!(space.point_of(&changed), None, "a value that the axis does not have");
    changed.remove("model.depth");
    assert_eq!(space.point_of(&changed), None, "an axis without its value");
    changed = sweep.trials[0].axes.clone();
    changed.insert("model.skip".to_owned(), "add".into());
    assert_eq!(space.point_of(&changed), None, "a value of an inactive axis");
}

#[test]
fn a_point_with_incompatible_settings_is_refused() {
    let end = "[search]\nstrategy = \"random\"\ntrials = 1\n[search.space]\n\"model.depth\" = { int = [1, 2] }\n";
    let (_, space) = good(end);
    let error = space.trial(&[Some(crate::config::Coordinate::Integer(7))]).expect_err("no such depth");
    assert_eq!(
        error.located().next().map(|located| located.to_string()).as_deref(),
        Some("`model.depth` is the number 7")
    );
}

#[test]
fn a_search_that_could_reach_incompatible_settings_is_refused() {
    // Level 3 has 4×4 pixels at image_size 64: enough for depth 2. No start-up point has depth 4, but the check finds it.
    let end = "[search]\nstrategy = \"tpe\"\ntrials = 1\n[search.space]\n\"data.image_size\" = [64, 256]\n\"model.depth\" = { int = [1, 4] }\n";
    let message = read(end).expect_err("64 px and depth 4");
    assert!(message.starts_with("`model.depth` is 4, but level 3 has only 4×4 pixels at image_size 64"), "{message}");
    assert!(read(&end.replace("[1, 4]", "[1, 2]")).is_ok());
}

#[test]
fn pruners_have_defaults_and_imply_an_objective() {
    let search = |text: &str| good(&format!("[search]\n{text}\n")).0.search;
    let pruner = |text: &str| search(&format!("pruner = {text}")).pruner;
    assert_eq!(pruner("\"asha\""), Some(Pruner::Asha(AshaSettings { min_runs: 1, eta: 3 })));
    assert_eq!(pruner("\"median\""), Some(Pruner::Median(MedianSettings { min_runs: 2, startup_trials: 5 })));
    assert_eq!(pruner("{ kind = \"wilcoxon\" }"), Some(Pruner::Wilcoxon(WilcoxonSettings { p: 0.1, min_runs: 4 })));
    assert_eq!(
        pruner("{ kind = \"asha\", eta = 4, min_runs = 2 }"),
        Some(Pruner::Asha(AshaSettings { min_runs: 2, eta: 4 }))
    );
    assert_eq!(search("pruner = \"asha\"").objective, Some(Objective::PSEUDO));
    assert_eq!((search("").objective, search("").pruner, search("").strategy), (None, None, Strategy::Grid));
    assert_eq!(
        search("objective = \"test_aupro\"").objective,
        Objective::all().find(|objective| objective.metric() == AUPRO)
    );
}

#[test]
fn a_report_names_its_metrics() {
    let metrics = |list: &str| read(&format!("[report]\nmetrics = {list}\n")).map(|(sweep, _)| sweep.report.metrics);
    assert_eq!(good("").0.report.metrics, ReportSettings::METRICS);
    assert_eq!(metrics(r#"["aupro", "pixel_auroc"]"#), Ok(vec![AUPRO, PIXEL_AUROC]));
    let paper = metrics("\"paper\"").expect("a preset");
    let names: Vec<&str> = paper.iter().map(|metric| metric.name).collect();
    let seven = ["image_auroc", "image_ap", "image_f1max", "pixel_auroc", "pixel_ap", "pixel_f1max", "aupro"];
    assert_eq!(names, [&seven[..], &["mean_of_seven"]].concat());
    for (list, message) in [
        (r#"["pixel_f1"]"#, r#"did you mean "pixel_f1max"?"#),
        (r#"["accuracy"]"#, r#"expected some of "pixel_auroc", "image_auroc", "aupro""#),
        (r#"["aupro", "aupro"]"#, r#"`report.metrics` has "aupro" twice"#),
        ("[]", "`report.metrics` is empty"),
        ("[3]", "`report.metrics` is the number 3"),
        (r#""aupro""#, "expected \"paper\", or a list of metrics"),
    ] {
        let error = metrics(list).expect_err(list);
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn invalid_conditions_are_reported() {
    let errors =
        |space: &str| read(&format!("[search]\nstrategy = \"sobol\"\ntrials = 4\n[search.space]\n{space}")).err();
    let cases = [
        r#""model.skip" = { choices = ["add"], when = { "model.autoencodr" = "unet" } }"#,
        r#""model.skip" = { choices = ["add"], when = { "model.depth" = 3 } }
"model.depth" = [1, 2]"#,
        r#""model.skip" = { choices = ["add"], when = { "model.width" = 1.0 } }
"model.width" = { uniform = [0.5, 2.0] }"#,
        r#""model.skip" = { choices = ["add"], when = { "model.depth" = 1 } }
"model.depth" = { choices = [1, 2], when = { "model.skip" = "add" } }"#,
        r#""model.skip" = { choices = ["add"], when = { "model.skip" = "add" } }"#,
        r#""model.skip" = { choices = ["add"], when = "unet" }"#,
        r#""model.skip" = { choices = ["add"], when = { "model.autoencoder" = [] } }"#,
    ];
    insta::assert_snapshot!(cases.map(|case| errors(case).expect("an error")).join("\n"), @r#"
    `when` names "model.autoencodr"
      expected another axis of [search.space] or a setting of this file; did you mean "model.autoencoder"?

    `model.depth` is never 3
      expected one of 1, 2

    `when` lists values of `model.width`, which is continuous
      expected an axis with listed values, whole numbers or steps

    the conditions of `model.depth`, `model.skip` form a cycle
      an axis can only depend on axes that do not depend on it

    the conditions of `model.skip` form a cycle
      an axis can only depend on axes that do not depend on it

    `when` of the axis `model.skip` is the text "unet"
      expected a table such as { "model.autoencoder" = "unet" }

    `when` lists no value of `model.autoencoder`
      expected at least one value
    "#);
}

/// Returns the first trial that is not a baseline, for the given `[model]` and `[teacher]`.
fn networks(model: &str, teacher: &str) -> Result<crate::config::Trial, String> {
    let head = HEAD.replace("autoencoder = \"unet\"\n", &format!("{model}\n"));
    let head = head.replace("weights = \"demo\"\n", &format!("weights = \"demo\"\n{teacher}\n"));
    let (sweep, _) = read_text(&format!("{head}[baseline]\nrerun = false\n"))?;
    Ok(sweep.trials[0].trial.clone())
}

#[test]
fn parts_of_auto_encoders_are_read_and_inapplicable_settings_are_dropped() {
    let model =
        |text: &str| networks(text, "").unwrap_or_else(|message| panic!("{message}")).model.autoencoder().clone();
    let usual = UnetSettings::default;
    let parts = "upsample = \"nearest\"\nnorm = \"none\"\nactivation = \"leaky-relu\"\npadding = \"replicate\"\nlevels = [3, 2]";
    let levels = LevelSet::of(&[2, 3]).expect("levels");
    let (upsample, norm) = (Upsample::Nearest, InnerNorm::None);
    let (activation, padding) = (Activation::LeakyRelu, Padding::Replicate);
    let common = CommonSettings { levels, ..Default::default() };
    let others = UnetSettings { upsample, norm, activation, padding, common, ..usual() };
    assert_eq!(model(parts), AutoEncoder::Unet(others));
    assert_eq!(model("levels = [1, 2, 3]"), AutoEncoder::Unet(usual()));
    let common = CommonSettings { width: 0.5, placement: Placement::TeacherHead, ..Default::default() };
    let linear = LinearSettings { common };
    let text = "autoencoder = \"linear\"\nwidth = 0.5\nskip = \"add\"\ndepth = 4\nplacement = \"teacher-head\"";
    assert_eq!(model(text), AutoEncoder::Linear(linear));
    assert_eq!(model(&format!("autoencoder = \"none\"\n{parts}")), AutoEncoder::None);
    // The compared levels determine the complete set of levels and the deepest possible U-Net.
    let two = networks("levels = [1, 2]\ndepth = 3", "levels = [2, 1]").expect("good");
    assert_eq!(two.model, AutoEncoder::Unet(UnetSettings { depth: 3, ..usual() }).into());
    assert_eq!(two.teacher.levels, LevelSet::of(&[1, 2]).expect("levels"));
}

#[test]
fn invalid_networks_are_reported() {
    let cases = [
        ("upsample = \"bicubic\"\nnorm = \"layer\"\nactivation = \"gleu\"", ""),
        ("padding = \"reflected\"\nplacement = \"teacher\"", "architecture = \"resnet52\""),
        ("levels = [1, 3]", "levels = [2, 3]"),
        ("levels = [1, 4]", "levels = []"),
        ("levels = 2", "levels = [2, \"3\"]"),
        ("depth = 3", ""),
    ];
    let messages = cases.map(|(model, teacher)| networks(model, teacher).expect_err("an error"));
    insta::assert_snapshot!(messages.join("\n"), @r#"
    `model.upsample` is "bicubic"
      expected one of "transposed", "bilinear", "nearest"
    `model.norm` is "layer"
      expected one of "batch", "none"
    `model.activation` is "gleu"
      expected one of "relu", "leaky-relu", "gelu"; did you mean "gelu"?

    `teacher.architecture` is "resnet52"
      expected one of "resnet18", "resnet34", "resnet50", "wide-resnet50-2"; did you mean "resnet50"?
    `model.padding` is "reflected"
      expected one of "zero", "reflect", "replicate"; did you mean "reflect"?
    `model.placement` is "teacher"
      expected one of "student", "teacher-head"; did you mean "teacher-head"?

    `model.levels` names level 1, which is not compared
      expected some of `teacher.levels`: 2, 3

    `teacher.levels` is no choice of levels
      expected a list of levels such as [2, 3]: some of 1 (finest), 2, 3, each once
    `model.levels` is no choice of levels
      expected a list of levels such as [2, 3]: some of 1 (finest), 2, 3, each once

    `teacher.levels` is no choice of levels
      expected a list of levels such as [2, 3]: some of 1 (finest), 2, 3, each once
    `model.levels` is the number 2
      expected a list of levels such as [2, 3]: some of 1 (finest), 2, 3, each once

    `model.depth` is 3, but level 3 has only 4×4 pixels at image_size 64
      expected image_size to be a multiple of 128 for this depth
    "#);
}

#[test]
fn a_decoder_has_its_own_recipe_and_no_auto_encoders() {
    let trial = networks("student = \"decoder\"\ndepth = 4\nskip = \"add\"", "").expect("good");
    assert_eq!((trial.model, trial.pretrain), (Model::Decoder, None));
    let JointSettings { recipe, epochs, batch_size, student, loss, autoencoder, similarity, .. } = trial.joint;
    assert_eq!((recipe, epochs, batch_size), (Recipe::ReverseDistillation, 200, 16));
    assert_eq!(student, OptimizerSettings { beta1: 0.5, ..OptimizerSettings::adam(0.005, 0.0) });
    assert_eq!((loss, autoencoder, similarity.distance), (None, None, Distance::FlatCosine));
    let same = networks("student = \"decoder\"\nautoencoder = \"none\"", "").expect("good");
    assert_eq!(same.model, Model::Decoder);
    // An encoder is what it was before there were decoders.
    assert_eq!(networks("student = \"encoder\"", ""), networks("", ""));

    let (sweep, _) = read_text(&format!("{}{COMPARED}", HEAD.replace("autoencoder = \"unet\"\n", ""))).expect("good");
    let variants: Vec<(&str, &str)> =
        sweep.trials.iter().map(|trial| (trial.variant.as_str(), trial.trial.joint.recipe.name())).collect();
    let expected = [
        ("ST-FPM", "stfpm-official"),
        ("student=encoder, autoencoder=none", "stfpm-official"),
        ("student=encoder, autoencoder=unet", "seed"),
        ("student=decoder", "reverse-distillation"),
    ];
    // Without an axis in [joint], the encoder without auto-encoders is the baseline itself.
    assert_eq!(variants, [expected[0], expected[2], expected[3]]);
}

const COMPARED: &str = r#"
[search.space]
"model.student" = ["encoder", "decoder"]
"model.autoencoder" = { choices = ["none", "unet"], when = { "model.student" = "encoder" } }
[report]
variants = ["model.student", "model.autoencoder"]
"#;

#[test]
fn a_decoder_with_auto_encoders_or_an_odd_side_is_refused_at_its_place() {
    // Returns the text that an error points at, the error and its help.
    let told = |text: &str| {
        let errors = load_text(text).expect_err("an error");
        let located: Vec<_> = errors.located().collect();
        let [error] = located.as_slice() else { panic!("one error") };
        let span = error.labels().expect("a place").next().expect("a place");
        let at = &text[span.offset()..span.offset() + span.len()];
        format!("{at}: {error}\n  {}\n", error.help().expect("help"))
    };
    let of = |model: &str| HEAD.replace("autoencoder = \"unet\"\n", model);
    let messages = [
        of("student = \"decoder\"\nautoencoder = \"linear\"\n"),
        of("student = \"dekoder\"\n"),
        // Levels 1 to 3 have 20, 10 and 5 pixels.
        of("student = \"decoder\"\n").replace("64", "80"),
        of("") + &COMPARED.replace(", when = { \"model.student\" = \"encoder\" }", ""),
    ]
    .map(|text| told(&text));
    insta::assert_snapshot!(messages.join("\n"), @r#"
    "linear": `model.student` is "decoder", which has no auto-encoders
      expected autoencoder = "none", or student = "encoder"; an axis of auto-encoders needs when = { "model.student" = "encoder" }

    "dekoder": `model.student` is "dekoder"
      expected one of "encoder", "decoder"; did you mean "decoder"?

    "decoder": `model.student` is "decoder", which halves the coarsest level, but level 3 has only 5×5 pixels at image_size 80
      expected image_size to be a multiple of 32 for this student

    "unet": `model.student` is "decoder", which has no auto-encoders
      expected autoencoder = "none", or student = "encoder"; an axis of auto-encoders needs when = { "model.student" = "encoder" }
    "#);
    // Levels 1 and 2 have even sides.
    let two = of("student = \"decoder\"\n").replace("64", "80").replace("[model]", "levels = [1, 2]\n[model]");
    assert!(read_text(&two).is_ok());
}

#[test]
fn every_experiment_loads_without_errors() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/experiments");
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "toml")
            && let Err(errors) = load(Some(&path), &[])
        {
            panic!("{}: {}", path.display(), errors.located().map(|e| e.to_string()).collect::<String>());
        }
    }
}

#[test]
fn the_example_with_own_folders_names_its_folders() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/experiments/own-folders.toml");
    let (sweep, ..) = load(Some(std::path::Path::new(path)), &[]).expect("a good file");
    let folder = sweep.trials[0].trial.data.folder.clone().expect("names its folders");
    assert_eq!(folder.anomalies, ["defects"]);
    assert_eq!(folder.all().count(), 4);
}

#[test]
fn the_example_of_a_search_learns_and_prunes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/experiments/search.toml");
    let (sweep, space, _) = load(Some(std::path::Path::new(path)), &[]).expect("a good file");
    assert!(sweep.search.strategy.learns());
    assert_eq!(sweep.search.pruner, Some(Pruner::Wilcoxon(WilcoxonSettings { p: 0.1, min_runs: 4 })));
    assert_eq!(space.axes().len(), 7);
}

#[test]
fn every_experiment_is_named_like_its_file() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/experiments");
    let files = std::fs::read_dir(folder).expect("the examples").map(|entry| entry.expect("an entry").path());
    let examples: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    assert!(examples.len() > 10);
    for path in examples {
        let (sweep, ..) = load(Some(&path), &[]).unwrap_or_else(|_| panic!("{}", path.display()));
        assert_eq!(path.file_stem().and_then(|name| name.to_str()), Some(sweep.name.as_str()));
    }
}

#[test]
fn a_recipe_gives_the_settings_that_the_file_omits() {
    let (sweep, _) = good("[joint]\nrecipe = \"hcw-00\"\nloss = { hard_quantile = 0.9, weighting = \"dwa\" }\n");
    let variant = |sweep: &Sweep| sweep.trials.iter().find(|trial| !trial.baseline).expect("a variant").trial.clone();
    let joint = variant(&sweep).joint;
    assert_eq!((joint.images, joint.selection), (TrainedImages::All, SelectionRule::Last));
    let similarity = SimilaritySettings { reduction: Reduction::HalfSum, hard_quantile: 0.9, ..Default::default() };
    assert_eq!(joint.similarity, similarity);
    let weighting = joint.loss.as_ref().map(|loss| loss.weighting);
    assert_eq!(weighting, Some(LossWeighting::Dwa { weighting_temperature: 2.0 }));
    let (sweep, _) = good("[joint]\nrecipe = \"anomalib-2.6\"\n");
    assert_eq!(variant(&sweep).evaluate.oracle_epochs, 20);
}

#[test]
fn settings_that_need_held_out_images_or_a_second_loss_are_refused_without_them() {
    let message =
        read("[joint]\nimages = \"all\"\npatience = 5\nselection = \"held-out-loss\"\n").expect_err("incompatible");
    assert!(message.contains("`joint.selection` looks at held-out images"), "{message}");
    let message = read("[joint]\nrecipe = \"hcw-00\"\npatience = 5\n").expect_err("incompatible");
    assert!(message.contains("`joint.patience` waits for a better epoch"), "{message}");
    let message = read("[joint.loss]\nreconstruction = 0\nweighting = \"uw-so\"\n").expect_err("incompatible");
    assert!(message.contains("one loss alone has nothing to be weighed against"), "{message}");
}

#[test]
fn long_lists_are_read_completely_and_only_the_first_errors_are_shown() {
    let list = |values: &mut dyn Iterator<Item = i64>| format!("[search]\nseeds = {:?}\n", values.collect::<Vec<_>>());
    let (sweep, _) = good(&list(&mut (0..50_000)));
    assert_eq!(sweep.search.seeds.len(), 50_000);
    let negative = |seeds| {
        load_text(&format!("{HEAD}{}", list(&mut (1..=seeds).map(|seed| seed % 7 - 8)))).expect_err("negative seeds")
    };
    let errors = negative(50_000);
    assert_eq!(errors.located().count(), 50);
    assert!(errors.to_string().starts_with("more than 50 errors (the first 50 are shown) in "), "{errors}");
    assert!(negative(50).to_string().starts_with("50 errors in "), "{}", negative(50));
}
