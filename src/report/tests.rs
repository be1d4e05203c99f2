//! What a report says of runs that are missing, measured otherwise or hard to tell apart.

use serde_json::json;

use super::comparison::comparisons;
use super::grouping::groups;
use super::{Rows, write};
use crate::store::{Artifacts, ResultRow, RunRow, SweepRow};

/// A run with its pixel AUROC; none = undefined.
struct Case {
    variant: &'static str,
    category: &'static str,
    seed: i64,
    size: usize,
    axes: serde_json::Value,
    pixel_auroc: Option<f64>,
}

fn case(variant: &'static str, category: &'static str, seed: i64, pixel_auroc: Option<f64>) -> Case {
    Case { variant, category, seed, size: 256, axes: json!({}), pixel_auroc }
}

fn rows(cases: &[Case]) -> Rows {
    let sweep = SweepRow {
        id: "s".into(),
        name: "test".into(),
        question: Some("Is <b> & \"c\" escaped?".into()),
        source: "schema = 1".into(),
        resolved: json!({ "baseline": { "published": "stfpm-paper" } }).to_string(),
    };
    let mut rows = Rows { sweep, runs: Vec::new(), results: Vec::new(), stages: Vec::new(), curves: Vec::new() };
    for case in cases {
        let id = format!("{}/{}/{}/{}/{}", case.variant, case.category, case.seed, case.size, case.axes);
        rows.runs.push(RunRow {
            id: id.clone(),
            trial_id: format!("{}/{}/{}", case.variant, case.size, case.axes),
            category: case.category.into(),
            seed: case.seed,
            state: "done".into(),
            reason: None,
            variant: case.variant.into(),
            baseline: i64::from(case.variant == "ST-FPM"),
            axes: case.axes.to_string(),
            position: 0,
            protocol_id: case.size.to_string(),
            protocol: json!({ "image_size": case.size, "selection": "held-out-loss", "layout": "mvtec",
                "counts": { "train": 3, "test": { "good": 1, "cut": 2 } }, "category": case.category })
            .to_string(),
            settings: "{}".into(),
        });
        rows.results.push(ResultRow {
            run_id: id,
            selection: "selected".into(),
            name: "pixel_auroc".into(),
            value: case.pixel_auroc,
            reason: case.pixel_auroc.is_none().then(|| "a defective test image has no mask".into()),
        });
    }
    rows
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
    let found = comparisons(&groups[0]);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].categories, found[0].seeds, found[0].wins_ties_losses), (1, 2, (2, 0, 0)));
    assert!((found[0].mean - 0.04).abs() < 1e-12);
    assert_eq!(groups[0].common_categories("selected", "pixel_auroc"), ["nut"]);
}

#[test]
fn a_seed_that_only_one_side_has_makes_no_pair() {
    let rows = rows(&[
        case("ST-FPM", "nut", 0, Some(0.9)),
        case("skip=add", "nut", 0, Some(0.8)),
        case("skip=add", "nut", 1, Some(0.99)),
    ]);
    let found = comparisons(&groups(&rows)[0]);
    assert_eq!((found[0].seeds, found[0].test, found[0].verdict()), (1, None, "one seed: no interval".to_owned()));
    assert!((found[0].mean + 0.1).abs() < 1e-12);
}

#[test]
fn numbers_of_two_protocols_stand_in_two_groups() {
    let small = Case { size: 128, ..case("ST-FPM", "nut", 0, Some(0.8)) };
    let rows = rows(&[case("ST-FPM", "nut", 0, Some(0.9)), small, case("skip=add", "nut", 0, Some(0.95))]);
    let groups = groups(&rows);
    assert_eq!(groups.iter().map(|group| group.variants.len()).collect::<Vec<_>>(), [2, 1]);
    assert!((comparisons(&groups[0])[0].mean - 0.05).abs() < 1e-12, "against ST-FPM of the same size");
    assert!(comparisons(&groups[1]).is_empty());
}

#[test]
fn trials_of_one_label_are_told_apart_by_what_differs() {
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
            "skip=add (joint.autoencoder.learning_rate=0.001, joint.student.learning_rate=0.4)",
            "skip=add (joint.autoencoder.learning_rate=0.0001, joint.student.learning_rate=0.1)"
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
    std::fs::create_dir_all(&out).expect("created");
    std::fs::write(out.join("maps-gone-cut-0001.png"), "").expect("written");
    std::fs::write(out.join("mine.png"), "").expect("written");
    let page = write(&rows(&cases), &Artifacts::new(folder.path().join("none")), &out).expect("written");
    let text = std::fs::read_to_string(page).expect("readable");
    assert!(text.contains("Is &lt;b&gt; &amp; &quot;c&quot; escaped?") && text.contains("nut &amp; &lt;bolt&gt;"));
    assert!(!text.contains("<bolt>") && text.contains("the first 12 of 21 variants") && text.contains("no picture of"));
    assert!(!out.join("maps-gone-cut-0001.png").exists(), "a figure of an older report is removed");
    assert!(out.join("mine.png").exists(), "what is not ours stays");
}

/// A sweep of three trials that was guided by `objective`; with the numbers that the search saw.
fn guided(objective: &serde_json::Value, seen: [f64; 3]) -> Rows {
    let learning_rates = [0.1, 0.2, 0.4];
    let mut rows = rows(&learning_rates.map(|rate| Case {
        axes: json!({ "joint.student.learning_rate": rate }),
        ..case("skip=add", "nut", 0, Some(0.5 + rate))
    }));
    rows.sweep.resolved = json!({ "search": { "objective": objective } }).to_string();
    let runs: Vec<String> = rows.runs.iter().map(|run| run.id.clone()).collect();
    rows.results.extend(runs.into_iter().zip(seen).map(|(run_id, value)| ResultRow {
        run_id,
        selection: "selected".into(),
        name: "pseudo_pixel_auroc".into(),
        value: Some(value),
        reason: None,
    }));
    rows
}

fn text_of(rows: &Rows) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let page = write(rows, &Artifacts::new(folder.path().join("none")), &folder.path().join("out")).expect("written");
    std::fs::read_to_string(page).expect("readable")
}

#[test]
fn what_a_search_chose_on_test_is_marked_on_every_table_and_figure() {
    let text = text_of(&guided(&json!({ "test": "pixel_auroc" }), [0.6, 0.7, 0.8]));
    assert!(text.contains("guided by pixel_auroc on the test images themselves"));
    let without: Vec<&str> = ["<h3>", "aria-label=\""]
        .into_iter()
        .flat_map(|start| text.split(start).skip(1))
        .filter(|rest| !rest.starts_with("[selected on test] "))
        .map(|rest| &rest[..40.min(rest.len())])
        .collect();
    assert!(without.is_empty(), "unmarked: {without:?}");
    // In the figure itself, too, for it is also a file of its own.
    let figures = text.split("<svg").skip(1).filter(|svg| svg.contains("[selected on test]")).count();
    assert_eq!(figures, text.matches("<svg").count());
}

#[test]
fn a_proxy_stands_beside_the_test_with_its_rank_correlation() {
    let text = text_of(&guided(&json!("pseudo-pixel-auroc"), [0.9, 0.7, 0.8]));
    assert!(text.contains("no label and no test image had a part in it") && !text.contains("selected on test"));
    // Ranks 3, 1, 2 against 1, 2, 3.
    assert!(text.contains("is −0.50 over the 3 trials"), "{text}");
    assert!(text.contains("mean pseudo_pixel_auroc") && text.contains("<td>0.7000</td>"));
}

#[test]
fn a_trial_with_unfinished_runs_is_shown_but_not_correlated() {
    let mut rows = guided(&json!("pseudo-pixel-auroc"), [0.7, 0.8, 0.9]);
    rows.results.pop();
    let text = text_of(&rows);
    assert!(text.contains("0 of 1") && text.contains("here are 2."), "{text}");
}

#[test]
fn a_store_that_knows_no_objective_says_nothing_of_it() {
    for resolved in
        ["{}", "", r#"{ "search": { "strategy": "grid", "seeds": [0] } }"#, r#"{ "search": { "objective": null } }"#]
    {
        let mut rows = guided(&json!(null), [0.7, 0.8, 0.9]);
        rows.sweep.resolved = resolved.into();
        let text = text_of(&rows);
        assert!(!text.contains("guided") && !text.contains("selected on test") && text.contains("pixel AUROC"));
    }
}
