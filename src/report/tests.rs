//! Tests what a report says about runs that are missing, were measured differently, or are hard to distinguish.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{RunHistory, RunPageChoice, write};
use crate::analysis::{Analysis, Groups, Kinds, Lightings, Ranking, Rows, Side, Verdict, findings};
use crate::config::ReportSettings;
use crate::evaluate::metrics::{IMAGE_AUROC, PIXEL_AUROC, PSEUDO_PIXEL_AUROC};
use crate::evaluate::{ResultName, Selection};
use crate::outputs::{ForeignFiles, OutputPlace};
use crate::stages::Key;
use crate::store::{Artifacts, ComparedScore, ResultRow, RunRow, RunState, SweepRow};

/// A run with its pixel AUROC; `None` is undefined.
pub(super) struct Case {
    pub variant: &'static str,
    pub category: &'static str,
    pub seed: i64,
    pub size: usize,
    pub axes: serde_json::Value,
    pub pixel_auroc: Option<f64>,
}

pub(super) fn case(variant: &'static str, category: &'static str, seed: i64, pixel_auroc: Option<f64>) -> Case {
    Case { variant, category, seed, size: 256, axes: json!({}), pixel_auroc }
}

pub(super) fn rows(cases: &[Case]) -> Rows {
    let sweep = SweepRow {
        id: "s".into(),
        name: "test".into(),
        file: None,
        folder: None,
        overrides: "[]".to_owned(),
        question: Some("Is <b> & \"c\" escaped?".into()),
        source: "schema = 1".into(),
        resolved: json!({ "baseline": { "published": "stfpm-paper" } }).to_string(),
    };
    let mut rows = Rows {
        tuned: None,
        compared: Vec::new(),
        sweep,
        metrics: ReportSettings::METRICS.to_vec(),
        runs: Vec::new(),
        results: Vec::new(),
        scores: HashMap::new(),
        stages: Vec::new(),
        run_stages: HashMap::new(),
        working: false,
        attempts: crate::analysis::Attempts::default(),
        curves: Vec::new(),
        lightings: Lightings::default(),
        kinds: Kinds::default(),
    };
    for case in cases {
        let id = format!("{}/{}/{}/{}/{}", case.variant, case.category, case.seed, case.size, case.axes);
        rows.runs.push(RunRow {
            id: id.clone(),
            trial_id: format!("{}/{}/{}", case.variant, case.size, case.axes),
            category: case.category.into(),
            seed: case.seed,
            state: RunState::Done,
            reason: None,
            variant: case.variant.into(),
            number: 1,
            title: format!("T01 {}", case.variant),
            baseline: case.variant == "ST-FPM",
            axes: case.axes.to_string(),
            point: case.axes.to_string(),
            position: 0,
            protocol_id: format!("{}/{}", case.category, case.size),
            protocol: json!({ "image_size": case.size, "selection": "held-out-loss", "layout": "mvtec",
                "counts": { "train": 3, "test": { "good": 1, "cut": 2 } }, "category": case.category })
            .to_string(),
            settings: "{}".into(),
        });
        rows.results.push(ResultRow {
            run_id: id.into(),
            selection: Selection::Selected,
            name: PIXEL_AUROC.into(),
            value: case.pixel_auroc,
            reason: case.pixel_auroc.is_none().then(|| "a defective test image has no mask".into()),
        });
    }
    rows
}

/// Groups of numbers, each of one protocol only.
fn groups(rows: &Rows) -> Vec<Groups<'_>> {
    crate::analysis::groups(rows, Ranking::WithinProtocols)
}

fn sides(rows: &Rows, groups: &Groups<'_>) -> Vec<Side> {
    crate::analysis::sides(rows, groups, &Artifacts::new("none".into()))
}

fn comparisons(rows: &Rows, groups: &Groups<'_>) -> Vec<Verdict> {
    crate::analysis::comparisons(groups, &sides(rows, groups))
}

#[test]
fn a_category_without_numbers_is_left_out_and_counted() {
    let rows = rows(&[
        case("ST-FPM", "nut", 0, Some(0.90)),
        case("ST-FPM", "nut", 1, Some(0.91)),
        case("ST-FPM", "bolt", 0, None),
        case("ST-FPM", "bolt", 1, None),
        case("skip=add", "nut", 0, Some(0.95)),
        case("skip=add", "nut", 1, Some(0.94)),
        case("skip=add", "bolt", 0, None),
        case("skip=add", "bolt", 1, None),
    ]);
    let groups = groups(&rows);
    let found = comparisons(&rows, &groups[0]);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].categories, found[0].seeds, found[0].better_equal_worse), (1, 2, (2, 0, 0)));
    assert!((found[0].difference - 0.04).abs() < 1e-12);
    assert_eq!(groups[0].common_categories(Selection::Selected, PIXEL_AUROC), ["nut"]);
}

#[test]
fn a_seed_that_only_one_side_has_makes_no_pair() {
    let rows = rows(&[
        case("ST-FPM", "nut", 0, Some(0.9)),
        case("skip=add", "nut", 0, Some(0.8)),
        case("skip=add", "nut", 1, Some(0.99)),
    ]);
    let found = comparisons(&rows, &groups(&rows)[0]);
    assert_eq!((found[0].seeds, found[0].interval, found[0].verdict.as_str()), (1, None, "too few seeds: 1 of 5"));
    assert!((found[0].difference + 0.1).abs() < 1e-12);
}

/// Returns rows with uneven seeds and categories: seed 2 of ST-FPM failed in bolt, and only the variant has seed 3.
fn uneven() -> Rows {
    let mut cases = Vec::new();
    for (variant, category, values) in [
        ("ST-FPM", "nut", vec![(0, 0.90), (1, 0.92), (2, 0.70)]),
        ("ST-FPM", "bolt", vec![(0, 0.60), (1, 0.64)]),
        ("skip=add", "nut", vec![(0, 0.91), (1, 0.95), (2, 0.90), (3, 0.10)]),
        ("skip=add", "bolt", vec![(0, 0.58), (1, 0.65), (2, 0.99)]),
    ] {
        cases.extend(values.into_iter().map(|(seed, value)| case(variant, category, seed, Some(value))));
    }
    rows(&cases)
}

#[test]
fn all_numbers_of_a_comparison_are_of_the_same_complete_seeds() {
    let rows = uneven();
    let found = comparisons(&rows, &groups(&rows)[0]).remove(0);
    // Seed 0: (0.01 − 0.02) / 2 = −0.005; seed 1: (0.03 + 0.01) / 2 = 0.02; seeds 2 and 3 lack a pair.
    assert!((found.difference - 0.0075).abs() < 1e-12, "{found:?}");
    assert_eq!((found.seeds, found.categories, &found.incomplete_seeds[..]), (2, 2, &[2, 3][..]));
    let (mean, reference) = found.means;
    assert!((mean - (0.91 + 0.95 + 0.58 + 0.65) / 4.0).abs() < 1e-12, "{found:?}");
    assert!((reference - (0.90 + 0.92 + 0.60 + 0.64) / 4.0).abs() < 1e-12, "{found:?}");
    assert!((mean - reference - found.difference).abs() < 1e-12);
    assert_eq!((found.interval, found.p, found.verdict.as_str()), (None, None, "too few seeds: 2 of 5"));
    assert_eq!(found.better_equal_worse, (3, 0, 1));
    assert_eq!(found.without().as_deref(), Some("without seeds 2, 3"));
}

/// Returns the remarks below the means of a row, column by column.
fn remarks(table: &super::table::Table, row: usize) -> Vec<Vec<String>> {
    table.rows[row].cells.iter().map(|cell| cell.remarks.clone()).collect()
}

#[test]
fn the_difference_below_a_mean_is_that_of_the_comparison() {
    let rows = uneven();
    let shown = remarks(&first_results(&rows), 1);
    // bolt: (−0.02 + 0.01) / 2; nut: (0.01 + 0.03 + 0.2) / 3, because seed 3 has no pair; the mean of both is that of the comparison.
    assert_eq!(shown[1], ["−0.0050 (without seed 2)"]);
    assert_eq!(shown[2], ["+0.0800 (without seed 3)"]);
    assert_eq!(shown[3], ["+0.0075 (without seeds 2, 3)"]);
    let note = "Paired differences from ST-FPM by category and seed: T01 skip=add +0.0075 (without seeds 2, 3).";
    for format in [super::document::DocumentFormat::Markdown, super::document::DocumentFormat::Latex] {
        let exported = super::document(&rows, &Artifacts::new("none".into()), format);
        assert!(exported.contains(note), "{exported}");
    }
    let text = text_of(&rows);
    assert!(text.contains(note), "{text}");
    assert!(text.contains("pixel AUROC +0.0075"), "the summary");
    assert!(text.contains(">2, without seeds 2, 3</td>"), "the comparison");
}

#[test]
fn a_category_that_another_variant_lacks_does_not_change_a_difference() {
    let mut cases = Vec::new();
    for (variant, category, value) in [
        ("ST-FPM", "nut", 0.9),
        ("ST-FPM", "bolt", 0.6),
        ("skip=add", "nut", 0.92),
        ("skip=add", "bolt", 0.66),
        ("skip=none", "nut", 0.8),
    ] {
        cases.push(case(variant, category, 0, Some(value)));
    }
    let rows = rows(&cases);
    let found = comparisons(&rows, &groups(&rows)[0]);
    let differences: Vec<f64> = found.iter().map(|verdict| verdict.difference).collect();
    assert!((differences[0] - 0.04).abs() < 1e-12 && (differences[1] + 0.1).abs() < 1e-12, "{differences:?}");
    let table = first_results(&rows);
    assert_eq!(table.columns[3].heading, "mean of 1 of 2 categories");
    assert_eq!(
        (&remarks(&table, 1)[3], &remarks(&table, 2)[3]),
        (&vec!["+0.0400 (2 categories)".to_owned()], &vec!["−0.1000".to_owned()])
    );
}

#[test]
fn a_run_that_is_not_done_counts_in_no_mean() {
    let mut rows = uneven();
    let late = |run: &&mut RunRow| run.variant == "skip=add" && run.seed == 3;
    rows.runs.iter_mut().filter(late).for_each(|run| run.state = RunState::Running);
    let table = first_results(&rows);
    assert_eq!(table.rows[1].cells[2].text, "0.9200 ± 0.0265", "(0.91 + 0.95 + 0.90) / 3");
    assert_eq!(remarks(&table, 1)[2], ["3 of 4 seeds", "+0.0800"]);
}

#[test]
fn the_baseline_counts_as_the_point_of_the_search_that_it_is() {
    let point = |variant, autoencoder: &str, rate: f64, value: f64| Case {
        axes: json!({ "model.autoencoder": autoencoder, "joint.student.learning_rate": rate }),
        ..case(variant, "nut", 0, Some(value))
    };
    let cases = [
        point("ST-FPM", "none", 0.4, 0.9),
        point("no auto-encoder", "none", 0.1, 0.8),
        point("U-Net", "unet", 0.4, 0.7),
        point("U-Net", "unet", 0.1, 0.6),
    ];
    let rows = rows(&cases);
    let found = findings(&Analysis::of(&rows, &Artifacts::new("none".into()), Ranking::default())).remove(0).effects;
    assert_eq!((found[0].runs, found[0].trials), (4, 4));
    let levels: Vec<(&str, usize, f64)> = found[0]
        .axes
        .iter()
        .flat_map(|axis| &axis.levels)
        .map(|level| (level.level.as_str(), level.runs, (level.effect.expect("all meet") * 1e6).round() / 1e6))
        .collect();
    // The mean of all runs is 0.75; the rates have 0.7 and 0.8, the networks 0.85 and 0.65.
    assert_eq!(levels, [("0.1", 2, -0.05), ("0.4", 2, 0.05), ("none", 2, 0.1), ("unet", 2, -0.1)]);
    assert_eq!(groups(&rows)[0].variants[0].label, "T01 ST-FPM");
}

#[test]
fn numbers_of_two_protocols_form_two_groups() {
    let small = Case { size: 128, ..case("ST-FPM", "nut", 0, Some(0.8)) };
    let rows = rows(&[case("ST-FPM", "nut", 0, Some(0.9)), small, case("skip=add", "nut", 0, Some(0.95))]);
    let groups = groups(&rows);
    assert_eq!(groups.iter().map(|group| group.variants.len()).collect::<Vec<_>>(), [2, 1]);
    assert!((comparisons(&rows, &groups[0])[0].difference - 0.05).abs() < 1e-12, "against ST-FPM of the same size");
    assert!(comparisons(&rows, &groups[1]).is_empty());
}

#[test]
fn trials_with_equal_labels_are_distinguished_by_their_settings() {
    let with = |student: f64, autoencoder: f64| Case {
        axes: json!({ "joint.student.learning_rate": student, "joint.autoencoder.learning_rate": autoencoder, "model.depth": 2 }),
        ..case("skip=add", "nut", 0, Some(0.9))
    };
    let rows = rows(&[with(0.4, 1e-3), with(0.1, 1e-4)]);
    let groups = groups(&rows);
    let labels: Vec<&str> = groups[0].variants.iter().map(|variant| variant.label.as_str()).collect();
    assert_eq!(
        labels,
        [
            "T01 skip=add (joint.autoencoder.learning_rate=0.001, joint.student.learning_rate=0.4)",
            "T01 skip=add (joint.autoencoder.learning_rate=0.0001, joint.student.learning_rate=0.1)"
        ]
    );
}

#[test]
fn a_page_is_written_without_artifacts_and_escapes_what_people_wrote() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("report");
    let cases: Vec<Case> = (0..20)
        .map(|depth| Case { axes: json!({ "model.depth": depth }), ..case("skip<&>", "nut & <bolt>", 0, Some(0.9)) })
        .chain([case("ST-FPM", "nut & <bolt>", 0, Some(0.8))])
        .collect();
    let artifacts = Artifacts::new(folder.path().join("none"));
    let text = std::fs::read_to_string(write_to(&rows(&cases), &artifacts, &out)).expect("readable");
    assert!(text.contains("Is &lt;b&gt; &amp; &quot;c&quot; escaped?") && text.contains("nut &amp; &lt;bolt&gt;"));
    assert!(
        !text.contains("<bolt>")
            && text.contains("n = 12 runs of 12 variants, 1 seed")
            && text.contains("no picture of")
    );
}

/// Returns a sweep of three trials that `objective` guided, with the numbers that the search saw.
fn guided(objective: &serde_json::Value, seen: [f64; 3]) -> Rows {
    let learning_rates = [0.1, 0.2, 0.4];
    let mut rows = rows(&learning_rates.map(|rate| Case {
        axes: json!({ "joint.student.learning_rate": rate }),
        ..case("skip=add", "nut", 0, Some(0.5 + rate))
    }));
    rows.sweep.resolved = json!({ "search": { "objective": objective } }).to_string();
    let runs: Vec<String> = rows.runs.iter().map(|run| run.id.clone()).collect();
    rows.results.extend(runs.into_iter().zip(seen).map(|(run_id, value)| ResultRow {
        run_id: run_id.into(),
        selection: Selection::Selected,
        name: PSEUDO_PIXEL_AUROC.into(),
        value: Some(value),
        reason: None,
    }));
    rows.results.sort_by(|one, other| one.run_id.cmp(&other.run_id));
    rows
}

/// Writes a report into a folder without foreign files, and returns its page.
fn write_to(rows: &Rows, artifacts: &Artifacts, folder: &Path) -> PathBuf {
    let place = OutputPlace { folder, foreign: ForeignFiles::Refuse };
    let written = write(
        &Analysis::of(rows, artifacts, Ranking::default()),
        artifacts,
        place,
        (RunPageChoice::Drawn, &RunHistory::default()),
        &mut |_| (),
    )
    .expect("written");
    assert_eq!(written.moved_aside, None);
    written.page
}

fn text_of(rows: &Rows) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let artifacts = Artifacts::new(folder.path().join("none"));
    std::fs::read_to_string(write_to(rows, &artifacts, &folder.path().join("out"))).expect("readable")
}

#[test]
fn figures_link_to_their_files_and_marks_to_the_pages_of_runs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let page = write_to(&five(1e-4), &Artifacts::new("none".into()), folder.path());
    let text = std::fs::read_to_string(page).expect("readable");
    for file in ["forest.svg", "forest.csv", "forest-85mm.pdf", "forest-178mm.pdf"] {
        assert!(text.contains(&format!("href=\"{file}\"")) && folder.path().join(file).is_file(), "{file}");
    }
    let runs: BTreeSet<&str> = text.split(" data-run=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(runs.len() > 5 && runs.iter().all(|path| folder.path().join(path).is_file()), "{runs:?}");
}

#[test]
fn a_search_on_test_is_marked_on_every_table_and_figure() {
    let text = text_of(&guided(&json!("test_pixel_auroc"), [0.6, 0.7, 0.8]));
    assert!(text.contains("guided by pixel_auroc on the test images themselves"));
    let without: Vec<&str> = ["<h3>", "role=\"img\" aria-label=\""]
        .into_iter()
        .flat_map(|start| text.split(start).skip(1))
        .filter(|rest| !rest.starts_with("[selected on test] "))
        .map(|rest| &rest[..40.min(rest.len())])
        .collect();
    assert!(without.is_empty(), "unmarked: {without:?}");
    // The figure itself carries the mark too, because it is also a file of its own.
    let figures = text.split("<svg").skip(1).filter(|svg| svg.contains("[selected on test]")).count();
    assert_eq!(figures, text.matches("<svg").count() - text.matches("<svg class=\"bar\"").count());
}

#[test]
fn a_proxy_is_shown_with_the_test_results_and_their_rank_correlation() {
    let text = text_of(&guided(&json!("pseudo_pixel_auroc"), [0.9, 0.7, 0.8]));
    assert!(text.contains("It used no label and no test image.") && !text.contains("selected on test"));
    // The ranks are 3, 1, 2 and 1, 2, 3.
    assert!(text.contains("is −0.50 over the 3 trials"), "{text}");
    assert!(text.contains("mean pseudo_pixel_auroc") && text.contains(">0.7000</td>"));
}

#[test]
fn a_trial_with_unfinished_runs_is_shown_but_not_correlated() {
    let mut rows = guided(&json!("pseudo_pixel_auroc"), [0.7, 0.8, 0.9]);
    rows.results.pop();
    let text = text_of(&rows);
    assert!(text.contains("0 of 1") && text.contains("There are 2."), "{text}");
}

#[test]
fn a_report_of_a_sweep_without_objective_mentions_none() {
    for resolved in
        ["{}", "", r#"{ "search": { "strategy": "grid", "seeds": [0] } }"#, r#"{ "search": { "objective": null } }"#]
    {
        let mut rows = guided(&json!(null), [0.7, 0.8, 0.9]);
        rows.sweep.resolved = resolved.into();
        let text = text_of(&rows);
        assert!(!text.contains("guided") && !text.contains("selected on test") && text.contains("pixel AUROC"));
    }
}

#[test]
fn protocols_are_ranked_together_only_when_asked_and_then_marked() {
    let small = Case { size: 128, ..case("skip=add", "nut", 0, Some(0.8)) };
    let rows = rows(&[case("ST-FPM", "nut", 0, Some(0.9)), case("skip=add", "nut", 0, Some(0.95)), small]);
    let artifacts = Artifacts::new("none".into());
    let apart = findings(&Analysis::of(&rows, &artifacts, Ranking::WithinProtocols));
    assert_eq!(apart.iter().map(|part| part.verdicts.len()).collect::<Vec<_>>(), [1, 0]);
    assert!(apart.iter().all(|part| part.mark.is_none() && part.across.is_none()));

    let together = findings(&Analysis::of(&rows, &artifacts, Ranking::AcrossProtocols));
    assert_eq!(together.len(), 1);
    assert_eq!(
        together[0].variants,
        ["T01 ST-FPM [protocol 1]", "T01 skip=add [protocol 1]", "T01 skip=add [protocol 2]"]
    );
    assert_eq!(together[0].mark.as_deref(), Some("across protocols"));
    assert_eq!(together[0].across.as_deref(), Some("image_size: 256, 128"));
    let differences: Vec<f64> = together[0].verdicts.iter().map(|verdict| verdict.difference).collect();
    assert!((differences[0] - 0.05).abs() < 1e-12 && (differences[1] + 0.1).abs() < 1e-12);
    assert!(together[0].verdicts.iter().all(|verdict| verdict.across.is_some()));

    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = OutputPlace { folder: &folder.path().join("out"), foreign: ForeignFiles::Refuse };
    let written = write(
        &Analysis::of(&rows, &artifacts, Ranking::AcrossProtocols),
        &artifacts,
        place,
        (RunPageChoice::Drawn, &RunHistory::default()),
        &mut |_| (),
    )
    .expect("written");
    let text = std::fs::read_to_string(written.page).expect("readable");
    assert!(text.contains("Across protocols. ") && text.contains("<h3>[across protocols] pixel AUROC"), "{text}");
}

#[test]
fn an_axis_is_shown_with_the_effects_of_its_levels() {
    let mut cases = Vec::new();
    for (rate, depth) in [(0.1, 1), (0.1, 2), (0.4, 1), (0.4, 2)] {
        for seed in 0..5 {
            for (category, base) in [("nut", 0.9), ("bolt", 0.6)] {
                let value = base + rate / 10.0 + 1e-5 * (seed * depth) as f64;
                let axes = json!({ "joint.student.learning_rate": rate, "model.depth": depth });
                cases.push(Case { axes, ..case("U-Net", category, seed, Some(value)) });
            }
        }
    }
    cases.push(case("ST-FPM", "nut", 0, Some(0.5)));
    let rows = rows(&cases);
    let found = findings(&Analysis::of(&rows, &Artifacts::new("none".into()), Ranking::default())).remove(0).effects;
    assert_eq!((found.len(), found[0].metric, found[0].runs, found[0].trials), (1, PIXEL_AUROC, 40, 4));
    let [rate, depth] = &found[0].axes[..] else { panic!("two axes: {found:?}") };
    assert_eq!((rate.axis.as_str(), depth.axis.as_str()), ("joint.student.learning_rate", "model.depth"));
    assert!(rate.share.expect("enough runs").mean > 0.95 && depth.share.expect("enough runs").mean < 0.05, "{found:?}");
    let effects: Vec<(&str, usize)> = rate.levels.iter().map(|level| (level.level.as_str(), level.runs)).collect();
    assert_eq!(effects, [("0.1", 20), ("0.4", 20)]);
    // The levels differ by 0.03, and the mean of all is in the middle between them.
    let effect = |place: usize| rate.levels[place].effect.expect("all levels meet");
    assert!((effect(1) - 0.015).abs() < 1e-6 && (effect(0) + 0.015).abs() < 1e-6);
    let text = text_of(&rows);
    assert!(text.contains("Effect of each setting") && text.contains("joint.student.learning_rate with model.depth"));
}

#[test]
fn a_level_without_a_finished_run_leaves_no_shares_of_the_variance() {
    let mut cases = Vec::new();
    for (rate, depth) in [(0.1, 1), (0.1, 2), (0.4, 1), (0.4, 2), (10_000.0, 1), (10_000.0, 2)] {
        for seed in 0..5 {
            let axes = json!({ "joint.student.learning_rate": rate, "model.depth": depth });
            let value = 0.9 + rate / 10.0 + 0.001 * f64::from(depth * (seed + 1));
            cases.push(Case { axes, ..case("U-Net", "nut", i64::from(seed), (rate < 1.0).then_some(value)) });
        }
    }
    let mut rows = rows(&cases);
    let effects = |rows: &Rows| {
        findings(&Analysis::of(rows, &Artifacts::new("none".into()), Ranking::default())).remove(0).effects
    };
    // The runs are done, but the metric is undefined.
    assert!(effects(&rows)[0].unmeasured.iter().all(|level| level.finished));
    assert!(text_of(&rows).contains("It has no run with a value of pixel AUROC, so no shares"));
    rows.runs.iter_mut().filter(|run| run.axes.contains("10000")).for_each(|run| run.state = RunState::Failed);
    let found = effects(&rows).remove(0);
    let missing: Vec<_> =
        found.unmeasured.iter().map(|of| (of.axis.as_str(), of.level.as_str(), of.finished)).collect();
    assert_eq!(missing, [("joint.student.learning_rate", "10000", false)]);
    assert!(found.pairs.is_empty() && found.axes.iter().all(|axis| axis.share.is_none() && axis.by_chance.is_none()));
    // The other levels still have effects: half of 0.03 for the rate, half of the mean of 0.001 … 0.005 for the depth.
    let of =
        |axis: usize| found.axes[axis].levels.iter().map(|level| level.effect.expect("all meet")).collect::<Vec<_>>();
    for (found, right) in of(0).into_iter().chain(of(1)).zip([-0.015, 0.015, -0.0015, 0.0015]) {
        assert!((found - right).abs() < 1e-11, "{found} {right}");
    }
    let text = text_of(&rows);
    assert!(
        text.contains("joint.student.learning_rate = 10000") && text.contains("It has no finished run, so no shares")
    );
    assert!(!text.contains("Effect of each setting: share of the variance"));
    // If only one level is left, there is nothing to compare, but the reason stays.
    let one_rate: Vec<Case> = cases.into_iter().filter(|case| case.axes["model.depth"] == 1).collect();
    let one_rate: Vec<Case> =
        one_rate.into_iter().filter(|case| case.axes["joint.student.learning_rate"] != 0.4).collect();
    let found = effects(&self::rows(&one_rate)).remove(0);
    assert_eq!((found.trials, found.unmeasured.len(), found.axes[0].levels.len()), (1, 1, 0));
    assert!(text_of(&self::rows(&one_rate)).contains("joint.student.learning_rate = 10000"));
}

#[test]
fn numbers_that_a_search_drew_are_no_levels() {
    let mut cases = Vec::new();
    for (index, rate) in [0.11, 0.17, 0.23, 0.31, 0.42, 0.5].into_iter().enumerate() {
        for seed in 0..5 {
            let axes = json!({ "joint.student.learning_rate": rate, "model.depth": 1 + index % 2 });
            let value = 0.5 + rate / 2.0 + 0.001 * f64::from(seed);
            cases.push(Case { axes, ..case("U-Net", "nut", i64::from(seed), Some(value)) });
        }
    }
    let mut rows = rows(&cases);
    let reason = "drawn from a range and few repeat";
    assert!(!text_of(&rows).contains(reason), "a grid");
    for strategy in [json!({ "random": { "trials": 6, "seed": 0 } }), json!({ "tpe": { "trials": 6, "seed": 0 } })] {
        rows.sweep.resolved = json!({ "search": { "strategy": strategy } }).to_string();
        let found = findings(&Analysis::of(&rows, &Artifacts::new("none".into()), Ranking::default()))
            .remove(0)
            .effects
            .remove(0);
        let [rate, depth] = &found.axes[..] else { panic!("two axes: {found:?}") };
        assert!(rate.continuous && rate.levels.is_empty() && rate.share.is_some_and(|share| share.mean > 0.5));
        assert!(!depth.continuous && depth.levels.len() == 2);
        let text = text_of(&rows);
        assert!(text.contains("What is left out, and why") && text.contains(reason), "{text}");
    }
}

/// Returns the effects of a search of one axis with two levels, on nut and bolt with five seeds. Levels 1 and 2 differ by `difference`;
/// seeds and categories differ by far more.
fn two_levels(difference: fn(i64) -> f64, missing: &[(i64, &str, i64)]) -> crate::analysis::AxisEffect {
    let mut cases = Vec::new();
    for (depth, sign) in [(1, -0.5), (2, 0.5)] {
        for (category, base) in [("nut", 0.9), ("bolt", 0.6)] {
            for seed in (0..5).filter(|seed| !missing.contains(&(depth, category, *seed))) {
                let value = base + 0.03 * f64::from(seed as i32) + sign * difference(seed);
                let axes = json!({ "model.depth": depth });
                cases.push(Case { axes, ..case("U-Net", category, seed, Some(value)) });
            }
        }
    }
    let found =
        findings(&Analysis::of(&rows(&cases), &Artifacts::new("none".into()), Ranking::default())).remove(0).effects;
    found[0].axes[0].clone()
}

#[test]
fn two_levels_of_an_axis_have_mirrored_intervals() {
    let clear = two_levels(|seed| 0.01 + 0.001 * (seed % 3) as f64, &[]);
    let [one, two] = &clear.levels[..] else { panic!("two levels: {clear:?}") };
    // Half of 0.0108, the mean of 0.010, 0.011, 0.012, 0.010, 0.011; scipy.stats.t.interval(0.95, 4) of their halves.
    assert!((two.effect.expect("they meet") - 0.0054).abs() < 1e-11, "{two:?}");
    let ((low, high), (mirrored, ended)) = (two.interval.expect("five seeds"), one.interval.expect("five seeds"));
    assert!((low - 0.004_880_574_7).abs() < 1e-9 && (high - 0.005_919_425_3).abs() < 1e-9, "{low} {high}");
    assert!((low + ended).abs() < 1e-11 && (high + mirrored).abs() < 1e-11);
    assert!((one.effect.expect("they meet") + 0.0054).abs() < 1e-11, "{one:?}");
    // If one level lacks a seed in one category, that seed counts for no level in any category.
    let partial = two_levels(|seed| if seed == 4 { 9.0 } else { 0.01 }, &[(1, "nut", 4)]);
    let effects: Vec<_> = partial.levels.iter().map(|level| (level.runs, level.interval)).collect();
    assert_eq!(effects, [(8, None), (8, None)], "four seeds are too few for an interval");
    assert!((partial.levels[1].effect.expect("they meet") - 0.005).abs() < 1e-11);
    // Levels without a common category and seed are not compared.
    let apart = two_levels(
        |_| 0.01,
        &[
            (1, "nut", 0),
            (1, "nut", 1),
            (1, "nut", 2),
            (1, "nut", 3),
            (1, "nut", 4),
            (2, "bolt", 0),
            (2, "bolt", 1),
            (2, "bolt", 2),
            (2, "bolt", 3),
            (2, "bolt", 4),
        ],
    );
    assert_eq!(apart.levels.iter().map(|level| level.effect).collect::<Vec<_>>(), [None, None]);
}

/// Compares a variant with ST-FPM, whose pixel AUROC starts at 0.9. The variant is higher by `differences`, one per seed.
fn paired(differences: &[f64]) -> Verdict {
    let mut cases: Vec<Case> = Vec::new();
    for (seed, difference) in differences.iter().enumerate() {
        let reference = 0.9 + 0.0025 * seed as f64;
        cases.push(case("ST-FPM", "nut", seed as i64, Some(reference)));
        cases.push(case("skip=add", "nut", seed as i64, Some(reference + difference)));
    }
    let rows = rows(&cases);
    comparisons(&rows, &groups(&rows)[0]).remove(0)
}

#[test]
fn a_verdict_depends_on_the_number_of_seeds() {
    for (differences, verdict) in [
        (&[0.0125; 8][..], "every seed has the same difference: no test"),
        (&[0.0; 6], "every seed has the same difference: no test"),
        (&[0.01, 0.011], "too few seeds: 2 of 5"),
        (&[0.01, 0.011, 0.009, 0.01], "too few seeds: 4 of 5"),
        (&[0.01, 0.011, 0.009, 0.01, 0.012], "better on these images"),
        (&[-0.01, -0.011, -0.009, -0.01, -0.012], "worse on these images"),
        // Without image scores nothing is known about other images, however many seeds there are.
        (&[0.01, 0.011, 0.009, 0.01, 0.012, 0.01, 0.011, 0.012, 0.01], "better on these images"),
        (
            &[0.01, -0.011, 0.009, -0.01, 0.012],
            "not distinguishable with 5 seeds; more than 100 would be needed if the difference is no larger than observed",
        ),
        (
            &[0.01, -0.002, 0.009, -0.001, 0.012],
            "not distinguishable with 5 seeds; 13 would be enough on these images if the difference is as large as observed",
        ),
    ] {
        let found = paired(differences);
        assert_eq!(found.verdict, verdict, "{differences:?}: {found:?}");
        assert_eq!(found.p.is_some(), found.interval.is_some());
    }
    // Rounding creates neither a difference nor a winner.
    let equal = paired(&[0.0; 5]);
    assert_eq!((equal.better_equal_worse, equal.effect_size), ((0, 5, 0), None));
}

#[test]
fn eight_seeds_with_image_scores_generalise_to_other_images() {
    let mut cases = Vec::new();
    for seed in 0..8 {
        cases.push(case("ST-FPM", "nut", seed, Some(0.9)));
        cases.push(case("skip=add", "nut", seed, Some(0.9)));
    }
    let mut rows = rows(&cases);
    // Image AUROC: 3 of 4 pairs are in order, or all; the seeds of a variant are equal except one.
    rows.results.iter_mut().for_each(|row| row.name = IMAGE_AUROC.into());
    for run in &rows.runs {
        let wins = run.variant == "skip=add" && run.seed != 3;
        let scores = if wins { [0.9, 0.8, 0.2, 0.1] } else { [0.9, 0.4, 0.5, 0.1] };
        let value = if wins { 1.0 } else { 0.75 };
        rows.results.iter_mut().filter(|row| row.run_id.as_str() == run.id).for_each(|row| row.value = Some(value));
        let run_id = Key::from(run.id.clone());
        let score = |(image, score): (usize, &f64)| ComparedScore {
            run_id: run_id.clone(),
            image: format!("{image}.png"),
            label: image < 2,
            score: *score,
        };
        rows.scores.insert(run_id.clone(), scores.iter().enumerate().map(score).collect());
    }
    let found = comparisons(&rows, &groups(&rows)[0]).remove(0);
    assert_eq!(found.method.to_string(), "Student's t over seeds and test images");
    assert!((found.difference - 0.218_75).abs() < 1e-12, "{found:?}");
    // From the seeds alone, p would be 4e-4; four images are too few for such a claim.
    assert!(
        found.verdict.starts_with("not distinguishable with 8 seeds; more seeds alone would not be enough"),
        "{found:?}"
    );
    // Without the scores of one run, the method says why, and the claim covers only these images.
    rows.scores.remove(rows.runs[5].id.as_str());
    let found = comparisons(&rows, &groups(&rows)[0]).remove(0);
    assert_eq!(
        found.method.to_string(),
        "Student's t over seeds, on these images (nut: the runs used different test images)"
    );
    assert_eq!(found.verdict, "better on these images");
}

#[test]
fn the_headline_claims_no_more_than_the_seeds_allow() {
    let answer = |differences: &[f64]| super::summary::answer(&[paired(differences)]).expect("compared");
    assert!(
        answer(&[0.01, 0.011, 0.009, 0.01, 0.012])
            .starts_with("Yes, on these test images: in pixel AUROC T01 skip=add is better")
    );
    assert!(
        answer(&[-0.01, -0.011, -0.009, -0.01, -0.012])
            .starts_with("No, on these test images: in pixel AUROC every variant is worse")
    );
    assert!(answer(&[0.01, -0.011, 0.009, -0.01, 0.012]).starts_with("Not shown: "));
    let few = answer(&[0.01, 0.011]);
    assert!(
        few.starts_with("Too few seeds: a claim about pixel AUROC needs 5 seeds") && few.contains("+0.0105"),
        "{few}"
    );
}

#[test]
fn differences_in_more_than_the_auto_encoder_are_reported() {
    let with = |variant: &'static str, model: &serde_json::Value, clip_norm: f64| {
        let settings = json!({ "model": model, "joint": { "recipe": "seed", "clip_norm": clip_norm, "epochs": 4 } });
        (case(variant, "nut", 0, Some(0.9)), settings)
    };
    let text = |cases: Vec<(Case, serde_json::Value)>| {
        let (cases, settings): (Vec<Case>, Vec<serde_json::Value>) = cases.into_iter().unzip();
        let mut rows = rows(&cases);
        rows.runs.iter_mut().zip(settings).for_each(|(run, settings)| run.settings = settings.to_string());
        let found = super::recipe::recipe_remark(&groups(&rows)[0]);
        found.map(|remark| remark.text)
    };
    let (none, unet) = (json!("none"), json!({ "unet": { "depth": 2 } }));
    let remark = text(vec![with("ST-FPM", &none, 0.0), with("U-Net", &unet, 1.0)]).expect("clipping differs");
    assert!(
        remark
            .starts_with("Variants with an auto-encoder also differ from ST-FPM in joint.clip_norm (1.0; ST-FPM: 0.0)")
            && remark.contains("search \"model.autoencoder\""),
        "{remark}"
    );
    let isolated = vec![with("ST-FPM", &none, 0.0), with("student", &none, 1.0), with("U-Net", &unet, 1.0)];
    assert!(
        text(isolated)
            .expect("clipping differs")
            .contains("T01 student has no auto-encoder and the same recipe as T01 U-Net: ")
    );
    let some = vec![with("ST-FPM", &none, 0.0), with("U-Net", &unet, 1.0), with("skip=add", &unet, 0.0)];
    assert!(text(some).expect("one differs").starts_with("1 of 2 variants with an auto-encoder"));
    assert_eq!(text(vec![with("ST-FPM", &none, 0.0), with("U-Net", &unet, 0.0)]), None);
}

/// Returns five seeds of each variant around a mean; the second variant has the spread `spread`.
fn five(spread: f64) -> Rows {
    let mut cases = Vec::new();
    for (variant, mean) in [("ST-FPM", 0.90), ("skip=add", 0.95), ("skip=none", 0.93)] {
        for (seed, noise) in [0.0, 1.0, -0.5, 0.5, -1.0].into_iter().enumerate() {
            let noise = if variant == "skip=add" { spread * noise } else { 1e-4 * noise * mean };
            cases.push(case(variant, "nut", seed as i64, Some(mean + noise)));
        }
    }
    rows(&cases)
}

/// Returns the table of the first metric.
fn first_results(rows: &Rows) -> super::table::Table {
    let groups = groups(rows);
    super::tables::results(&groups[0], &sides(rows, &groups[0])).remove(0)
}

fn bold(table: &super::table::Table) -> Vec<(usize, usize)> {
    let cells = table.rows.iter().enumerate().flat_map(|(row, cells)| {
        cells.cells.iter().enumerate().filter(|(_, cell)| cell.best).map(move |(column, _)| (row, column))
    });
    cells.collect()
}

#[test]
fn the_highest_mean_is_bold_only_if_the_test_distinguishes_it_from_every_rival() {
    let clear = first_results(&five(1e-4));
    assert_eq!(bold(&clear), [(1, 1)]);
    assert!(clear.notes[0].starts_with("Bold: ") && clear.notes[0].contains("every other variant"));
    let blurred = first_results(&five(0.03));
    assert_eq!(bold(&blurred), []);
    assert!(blurred.notes[0].starts_with("No mean is bold: "), "{:?}", blurred.notes);
}

/// Returns the same numbers under the names of other metrics, which are shown in this order.
fn renamed(mut rows: Rows, metrics: &[&str]) -> Rows {
    rows.metrics = metrics.iter().map(|name| name.parse().expect("a metric")).collect();
    let of_metrics = |row: &ResultRow| {
        rows.metrics.iter().map(|metric| ResultRow { name: (*metric).into(), ..row.clone() }).collect::<Vec<_>>()
    };
    rows.results = rows.results.iter().flat_map(of_metrics).collect();
    rows
}

#[test]
fn a_lower_false_alarm_rate_is_the_better_one() {
    let alarms = |rows: Rows| renamed(rows, &["image_false_alarms"]);
    let answer = |rows: &Rows| super::summary::answer(&comparisons(rows, &groups(rows)[0])).expect("compared");

    let rates_rise = alarms(five(1e-4));
    let found = comparisons(&rates_rise, &groups(&rates_rise)[0]);
    assert!(found.iter().all(|v| v.verdict == "worse on these images" && v.better_equal_worse == (0, 0, 5)));
    assert!((found[0].difference - 0.05).abs() < 1e-4, "the difference itself keeps its sign: {found:?}");
    assert!(answer(&rates_rise).contains("every variant is worse than T01 ST-FPM; the best of them, T01 skip=none"));
    let table = first_results(&rates_rise);
    assert_eq!(bold(&table), [(0, 1)]);
    assert!(table.notes[0].starts_with("Bold: the lowest mean"), "{:?}", table.notes);

    let mut rates_fall = alarms(five(1e-4));
    rates_fall.results.iter_mut().for_each(|row| row.value = row.value.map(|value| 1.0 - value));
    assert_eq!(bold(&first_results(&rates_fall)), [(1, 1)]);
    let answer = answer(&rates_fall);
    assert!(answer.contains("the lowest of them, T01 skip=add, by −0.05"), "{answer}");
    // Without a baseline, the second lowest is the only rival.
    rates_fall.runs.iter_mut().for_each(|run| run.baseline = false);
    let table = first_results(&rates_fall);
    assert_eq!(bold(&table), [(1, 1)]);
    assert!(table.notes[0].contains("the second lowest"), "{:?}", table.notes);
}

/// Returns two seeds of ST-FPM with pixel AUROCs on these kinds of defects, each with its category and its value for seed 0. Those of seed 1
/// are higher by 0.1.
fn with_kinds(kinds: &[(&str, &str, f64)]) -> Rows {
    let runs = [("nut", 0), ("nut", 1), ("bolt", 0), ("bolt", 1)];
    let mut rows = rows(&runs.map(|(category, seed)| case("ST-FPM", category, seed, Some(0.9))));
    let of_run = |run: &RunRow| -> Vec<ResultRow> {
        let of_category = kinds.iter().filter(|(category, ..)| *category == run.category);
        let row = |(_, kind, value): &(&str, &str, f64)| ResultRow {
            run_id: run.id.clone().into(),
            selection: Selection::Selected,
            name: ResultName::OfKind(PIXEL_AUROC, (*kind).to_owned()),
            value: Some(value + 0.1 * run.seed as f64),
            reason: None,
        };
        of_category.map(row).collect()
    };
    let of_kinds: Vec<ResultRow> = rows.runs.iter().flat_map(of_run).collect();
    rows.kinds = Kinds::of(&of_kinds, &rows.runs, &rows.metrics);
    rows.results.extend(of_kinds);
    rows.results.sort_by(|one, other| one.run_id.cmp(&other.run_id));
    rows
}

#[test]
fn kinds_of_defects_have_rows_of_their_own_and_a_mean_if_categories_share_them() {
    let rows = with_kinds(&[
        ("nut", "logical", 0.5),
        ("nut", "scratch", 0.8),
        ("nut", "structural", 0.6),
        ("bolt", "logical", 0.7),
        ("bolt", "structural", 0.4),
    ]);
    let tables = super::tables::kinds(&groups(&rows)[0]);
    assert_eq!(tables.len(), 1, "pixel AUROC alone has values");
    let text =
        |row: &super::table::TableRow| row.cells.iter().map(|cell| cell.text.clone()).collect::<Vec<_>>().join(" | ");
    let expected = [
        "bolt | logical | 0.7500 ± 0.0707",
        "bolt | structural | 0.4500 ± 0.0707",
        "nut | logical | 0.5500 ± 0.0707",
        "nut | scratch | 0.8500 ± 0.0707",
        "nut | structural | 0.6500 ± 0.0707",
        "mean of 2 categories | logical | 0.6500 ± 0.0707",
        "mean of 2 categories | structural | 0.5500 ± 0.0707",
    ];
    assert_eq!(tables[0].rows.iter().map(text).collect::<Vec<_>>(), expected);
    // The only kind of a category has the results of the category.
    let rows = with_kinds(&[("nut", "bad", 0.5), ("bolt", "bad", 0.7)]);
    assert!(super::tables::kinds(&groups(&rows)[0]).is_empty());
}

#[test]
fn a_report_shows_the_metrics_that_were_chosen() {
    let rows = renamed(five(1e-4), &["pixel_f1max", "image_ap", "aupimo", "image_false_alarms"]);
    let verdicts = comparisons(&rows, &groups(&rows)[0]);
    let order: Vec<&str> = verdicts.iter().map(|verdict| verdict.metric.name).collect();
    assert_eq!(order, rows.metrics.iter().flat_map(|metric| [metric.name; 2]).collect::<Vec<_>>());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let page = write_to(&rows, &Artifacts::new("none".into()), folder.path());
    let text = std::fs::read_to_string(&page).expect("a page");
    for metric in &rows.metrics {
        assert!(text.contains(metric.label), "{metric}");
        assert!(folder.path().join(format!("tables/results-{metric}.csv")).is_file(), "{metric}");
        assert!(folder.path().join(format!("seeds-{metric}.svg")).is_file(), "{metric}");
    }
    assert!(text.contains("false alarm rate (lower is better)"));
    assert!(!folder.path().join("tables/results-pixel_auroc.csv").exists());
}

#[test]
fn a_metric_without_a_bootstrap_is_claimed_only_for_these_images() {
    let mut cases = Vec::new();
    for seed in 0..8_u8 {
        cases.push(case("ST-FPM", "nut", seed.into(), Some(0.9)));
        cases.push(case("skip=add", "nut", seed.into(), Some(0.95 + f64::from(seed) / 1000.0)));
    }
    let rows = renamed(rows(&cases), &["image_ap"]);
    let found = comparisons(&rows, &groups(&rows)[0]).remove(0);
    assert_eq!(
        (found.verdict.as_str(), found.method.to_string().as_str()),
        (
            "better on these images",
            "Student's t over seeds, on these images (test images are not resampled for average precision)"
        )
    );
}

#[test]
fn without_a_baseline_the_highest_mean_must_beat_only_the_second() {
    let mut rows = five(1e-4);
    rows.runs.iter_mut().for_each(|run| run.baseline = false);
    let clear = first_results(&rows);
    assert_eq!(bold(&clear), [(1, 1)]);
    assert!(clear.notes[0].contains("the second highest"));
    // One seed shows nothing, and a variant without rivals shows nothing either.
    rows.runs.retain(|run| run.seed == 0);
    assert_eq!(bold(&first_results(&rows)), []);
    rows.runs.retain(|run| run.variant == "skip=add");
    assert_eq!(bold(&first_results(&rows)), []);
}

#[test]
fn a_report_contains_tables_markdown_and_json_and_loses_its_own_older_tables() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("report");
    let artifacts = Artifacts::new(folder.path().join("none"));
    let mut rows = five(1e-4);
    rows.sweep.resolved = json!({ "search": { "objective": "pseudo_pixel_auroc" } }).to_string();
    write_to(&rows, &artifacts, &out);
    assert!(out.join("tables/objective.csv").exists());
    for name in ["protocol-2-costs.tex", "results-mine.csv"] {
        std::fs::write(out.join("tables").join(name), "precious").expect("written");
    }
    rows.sweep.resolved = "{}".to_owned();
    write_to(&rows, &artifacts, &out);
    let mut names: Vec<String> = std::fs::read_dir(out.join("tables"))
        .expect("readable")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    let results = ["results-aupro", "results-image_auroc", "results-pixel_auroc"];
    let ours = ["comparisons", "costs", "epochs", "trust", "verdict"].into_iter().chain(results);
    let mut expected: Vec<String> = ours.flat_map(|name| [format!("{name}.csv"), format!("{name}.tex")]).collect();
    expected.extend(["protocol-2-costs.tex".to_owned(), "results-mine.csv".to_owned()]);
    expected.sort_unstable();
    assert_eq!(names, expected);

    let read = |name: &str| std::fs::read_to_string(out.join(name)).expect("readable");
    assert!(read("tables/results-pixel_auroc.csv").starts_with("variant,nut.mean,nut.sd,nut.seeds,epoch_chosen_by\n"));
    for (file, bold) in
        [("report.md", "**0.9500 ± 0.0001**"), ("tables/results-pixel_auroc.tex", "\\textbf{0.9500 $\\pm$ 0.0001}")]
    {
        assert!(read(file).contains(bold), "{file}: {}", read(file));
    }
    assert!(read("index.html").contains("<strong>0.9500 ± 0.0001</strong>"));
    let found =
        serde_json::to_string_pretty(&findings(&Analysis::of(&rows, &artifacts, Ranking::default()))).expect("JSON");
    assert_eq!(read("report.json"), format!("{found}\n"));
}

#[test]
fn more_variants_than_colours_are_sorted_by_their_means() {
    let searched =
        |rate: u32, mean: f64| Case { axes: json!({ "rate": rate }), ..case("skip=add", "nut", 0, Some(mean)) };
    let mut cases: Vec<Case> = (0..14).map(|rate| searched(rate, 0.5 + 0.01 * f64::from(rate))).collect();
    cases.insert(3, case("ST-FPM", "nut", 0, Some(0.4)));
    cases.insert(5, Case { size: 128, ..case("ST-FPM", "nut", 0, Some(0.9)) });
    let mut rows = rows(&cases);
    // The trial with the highest mean is not finished.
    rows.runs.iter_mut().filter(|run| run.axes.contains("13")).for_each(|run| run.state = RunState::Running);
    let all = crate::analysis::groups(&rows, Ranking::AcrossProtocols);
    let labels: Vec<&str> = all[0].variants.iter().map(|variant| variant.label.as_str()).collect();
    let first = ["T01 ST-FPM [protocol 1]", "T01 ST-FPM [protocol 2]", "T01 skip=add (rate=12) [protocol 1]"];
    assert_eq!((&labels[..3], labels[15]), (&first[..], "T01 skip=add (rate=13) [protocol 1]"));
    assert_eq!(all[0].ordered_by, Some(PIXEL_AUROC));

    rows.runs.iter_mut().for_each(|run| run.state = RunState::Running);
    let all = groups(&rows);
    assert_eq!((all[0].variants[0].label.as_str(), all[0].ordered_by), ("T01 skip=add (rate=0)", None));
}

#[test]
fn the_headline_is_mixed_if_metrics_disagree() {
    let open = five(0.1);
    let clear = renamed(five(1e-4), &["image_auroc"]);
    let of = |rows: &Rows| comparisons(rows, &groups(rows)[0]);
    let not_shown = |verdict: &Verdict| verdict.variant.contains("skip=add");
    let pixel: Vec<Verdict> = of(&open).into_iter().filter(not_shown).collect();
    let answer = super::summary::answer(&[pixel, of(&clear)].concat()).expect("compared");
    assert!(answer.starts_with("Mixed: in pixel AUROC no variant is distinguishably better"), "{answer}");
    assert!(answer.contains("in image AUROC 2 of 2 variants are better than T01 ST-FPM"), "{answer}");
    // Metrics that agree need no second clause.
    let agreed = super::summary::answer(&[of(&clear), of(&clear)].concat()).expect("compared");
    assert!(
        agreed.starts_with("Yes, on these test images: ") && agreed.matches("in image AUROC").count() == 1,
        "{agreed}"
    );
}

#[test]
fn open_runs_are_running_only_if_a_worker_exists() {
    let mut rows = five(1e-4);
    assert_eq!(super::banners::state(&rows), []);
    rows.runs[3].state = RunState::Pending;
    let told = |rows: &Rows| super::banners::state(rows).remove(0);
    let stopped = told(&rows);
    assert_eq!(stopped.lead.as_deref(), Some("Stopped."));
    assert_eq!(stopped.text, "1 of 15 runs are not finished. This command continues the sweep:");
    assert_eq!(stopped.command.as_deref(), Some("didact sweep"));
    rows.working = true;
    let running = told(&rows);
    assert_eq!((running.lead.as_deref(), running.command), (Some("Still running."), None));
}

#[test]
fn failed_runs_are_named_by_the_settings_that_only_they_have() {
    let mut cases = Vec::new();
    for (rate, add) in [(0.1, true), (10_000.0, true), (10_000.0, false)] {
        for seed in 0..2 {
            let axes = json!({ "joint.student.learning_rate": rate, "model.skip": if add { "add" } else { "none" } });
            let value = (rate < 1.0).then_some(0.9);
            cases.push(Case { axes, ..case("U-Net", "nut", seed, value) });
        }
    }
    let mut rows = rows(&cases);
    for run in rows.runs.iter_mut().skip(2) {
        run.state = RunState::Failed;
        run.reason = Some("the loss is not finite at epoch 1".to_owned());
    }
    let told = super::banners::state(&rows).remove(0);
    assert_eq!(told.lead.as_deref(), Some("4 runs failed."));
    assert_eq!(told.text, "learning_rate = 10000.0: the loss is not finite at epoch 1.");
    // Without a setting of their own, the trials are named.
    rows.runs[0].axes = json!({ "joint.student.learning_rate": 10_000.0 }).to_string();
    assert_eq!(super::banners::state(&rows).remove(0).text, "T01 U-Net: the loss is not finite at epoch 1.");
}

#[test]
fn each_ended_run_has_a_page_with_its_rank_and_the_settings_that_differ() {
    let mut rows = uneven();
    for run in &mut rows.runs {
        run.settings = json!({ "model": { "skip": run.variant }, "joint": { "epochs": 5 } }).to_string();
        match (run.baseline, run.category.as_str(), run.seed) {
            (true, "nut", 2) => {
                run.state = RunState::Failed;
                run.reason = Some("the loss is <NaN>".into());
            }
            (true, "nut", 1) => run.state = RunState::Running,
            _ => {}
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("out");
    write_to(&rows, &Artifacts::new(folder.path().join("none")), &out);
    let pages: HashMap<String, String> = std::fs::read_dir(out.join("runs"))
        .expect("a folder")
        .map(|entry| std::fs::read_to_string(entry.expect("an entry").path()).expect("a page"))
        .map(|text| {
            (text.split("<h1>").nth(1).and_then(|rest| rest.split_once("</h1>")).expect("a title").0.to_owned(), text)
        })
        .collect();
    assert_eq!(pages.len(), rows.runs.len() - 1, "a run that is not over has none: {:?}", pages.keys());
    let of = |title: &str| pages.get(title).unwrap_or_else(|| panic!("no page {title} in {:?}", pages.keys()));
    let variant = of("T01 skip=add · nut · seed 0");
    assert!(variant.contains(">1 of 2<") && variant.contains(">model.skip<") && !variant.contains(">joint.epochs<"));
    let baseline = of("T01 ST-FPM · nut · seed 0");
    assert!(baseline.contains(">2 of 2<") && baseline.contains("This run is the baseline, ST-FPM."));
    assert!(of("T01 skip=add · nut · seed 2").contains(">1 of 1<"), "failed runs have no rank");
    let failed = of("T01 ST-FPM · nut · seed 2");
    assert!(failed.contains("the loss is &lt;NaN&gt;") && !failed.contains("id=\"metrics\""), "{failed}");
}
