//! `didact baselines`: lists published numbers with their sources and notes.

use crate::common::Workplace;

#[test]
fn published_numbers_are_listed_with_their_sources() {
    let place = Workplace::new();
    let output = place.succeed(&["baselines", "--category", "bottle", "--metric", "pixel_auroc"]).stdout;
    insta::assert_snapshot!(output);
    assert!(!place.path("didact.db").exists(), "no store is needed");

    let all = place.succeed(&["baselines", "--json"]).stdout;
    let all: serde_json::Value = serde_json::from_str(&all).expect("JSON");
    let rows: Vec<&serde_json::Value> =
        all.as_array().expect("tables").iter().flat_map(|table| table["rows"].as_array().expect("rows")).collect();
    assert!(rows.len() > 400, "{}", rows.len());
    assert!(rows.iter().all(|row| row["source"].as_str().is_some_and(|source| !source.is_empty())));
}

#[test]
fn an_unknown_name_is_refused_with_the_known_ones() {
    let place = Workplace::new();
    for (arguments, words) in [
        (["--category", "botle"], "did you mean `bottle`?"),
        (["--metric", "pixel_auc"], "--metric can be: aupro, aupro_per_image, aupro_stfpm_rescaled, image_auroc"),
    ] {
        let outcome = place.run(&["baselines", arguments[0], arguments[1]]);
        assert_eq!(outcome.code, Some(2), "{}", outcome.stdout);
        assert!(outcome.stderr.contains(words), "{}", outcome.stderr);
    }
    // Both values are known, but no publication has the combination.
    let none = place.succeed(&["baselines", "--category", "bottle", "--metric", "aupro"]).stdout;
    assert!(none.contains("no published result has both"), "{none}");
    assert_eq!(
        place.succeed(&["baselines", "--category", "bottle", "--metric", "aupro", "--json"]).stdout.trim(),
        "[]"
    );
}
