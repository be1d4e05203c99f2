//! The pages of runs: they exist, their links lead somewhere, failed runs have one, and they work in a browser.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::chromium::{Chromium, WINDOWS};
use crate::common::{TINY, Workplace, tiny_on_disk};

/// A sweep of ST-FPM and two variants.
fn tiny() -> String {
    let space = "[search]\nseeds = [0]\n[search.space]\n\"model.skip\" = [\"none\", \"concat\"]\n";
    format!("{}\n{space}", TINY.replace("epochs = 2", "epochs = 1"))
}

/// Returns the pages of a report's runs by file name.
fn pages(place: &Workplace, report: &str) -> BTreeMap<String, String> {
    let Ok(entries) = std::fs::read_dir(place.path(report).join("runs")) else { return BTreeMap::new() };
    let files = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file());
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    files.map(|path| (name(&path), std::fs::read_to_string(&path).expect("readable"))).collect()
}

/// Returns the targets of a page's links and pictures.
fn links(page: &str) -> Vec<String> {
    page.split("href=\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
}

/// Checks that every link of a page leads to a file of the report or to a part of the page.
fn check_links(folder: &Path, page: &str) {
    for link in links(page).iter().filter(|link| !link.starts_with("data:")) {
        match link.strip_prefix('#') {
            Some(anchor) => assert!(page.contains(&format!("id=\"{anchor}\"")), "{anchor}"),
            None => assert!(folder.join("runs").join(link).is_file(), "{link}"),
        }
    }
}

/// Returns the path of a run's page; `label` is a part of its trial's title.
fn page_of(place: &Workplace, report: &str, label: &str) -> PathBuf {
    let pages = pages(place, report);
    let (name, _) = pages
        .iter()
        .find(|(_, text)| {
            text.split_once("<h1>").is_some_and(|(_, rest)| rest[..rest.find('<').unwrap_or(0)].contains(label))
        })
        .unwrap_or_else(|| panic!("no page of {label}"));
    place.path(report).join("runs").join(name)
}

#[test]
fn each_run_has_a_page_whose_links_lead_somewhere() {
    let place = Workplace::new();
    place.write("tiny.toml", &tiny());
    place.succeed(&["sweep", "tiny.toml"]);
    let first = pages(&place, "reports/tiny");
    let keys = place.query("SELECT substr(id, 1, 12) FROM run ORDER BY 1");
    assert_eq!(
        first.keys().cloned().collect::<Vec<_>>(),
        keys.iter().map(|key| format!("{key}.html")).collect::<Vec<_>>()
    );
    let folder = place.path("reports/tiny");
    for (name, page) in &first {
        check_links(&folder, page);
        assert!(page.len() < 1_500_000, "{name}: {} bytes", page.len());
        for part in ["href=\"../index.html\"", "× threshold", "didact sweep tiny.toml", "anomaly map", "ground truth"]
        {
            assert!(page.contains(part), "{part} is not in {name}");
        }
    }
    assert!(first.values().any(|page| page.contains("1 of 3")), "one run is the best");
    // Test images: 3 good, and 2 of each kind of defect.
    let images = place.count("SELECT COUNT(*) FROM image_score WHERE selection = 'selected'") as usize / 3;
    assert!(first.values().all(|page| page.matches("class=\"card\"").count() == images));
    let variant = std::fs::read_to_string(page_of(&place, "reports/tiny", "none")).expect("readable");
    assert!(variant.contains(">model.unet.skip<"), "settings that differ");
    // The order of the report: the baseline has no run before it, the last one has none after it.
    assert_eq!(first.values().filter(|page| page.contains("rel=\"next\"")).count(), 2);
    assert_eq!(first.values().filter(|page| page.contains("rel=\"prev\"")).count(), 2);
    // Inputs are stored once.
    let sheets = std::fs::read_dir(folder.join("runs/images")).expect("a folder").count();
    assert_eq!(sheets, 4, "one sheet of inputs, and one of maps per run");

    // Two trials side by side, image by image.
    let names = ["compare", "T01", "T02", "--html"];
    place.succeed(&[&names[..], &["pair.html"]].concat());
    let pair = std::fs::read_to_string(place.path("pair.html")).expect("a page");
    assert_eq!(pair.matches("type=\"range\"").count(), images, "a slider for each image");
    assert_eq!(pair.matches("data:image/jpeg;base64,").count(), 2 * images);
    for part in [
        "Differences by category and seed",
        "image scores ÷ threshold",
        "pixel AUROC: difference by category",
        "Left: T01 ST-FPM.",
    ] {
        assert!(pair.contains(part), "{part} is not in\n{pair}");
    }
    assert!(!pair.contains("No pictures"));

    // The same store gives the same pages. Without pages, those of the earlier report are removed.
    place.succeed(&["report", "--run-pages", "all"]);
    assert!(pages(&place, "reports/tiny") == first);
    place.succeed(&["report", "--run-pages", "none"]);
    assert!(pages(&place, "reports/tiny").is_empty());
    assert!(!folder.join("runs/images").read_dir().is_ok_and(|mut files| files.next().is_some()));
    let refused = place.run(&["report", "--run-pages", "some"]);
    assert!(refused.code == Some(2) && refused.stderr.contains("expected drawn, all or none"), "{}", refused.stderr);

    // Without artifacts, a page says so and shows the rest.
    std::fs::remove_dir_all(place.path("didact.artifacts/score")).expect("removed");
    place.succeed(&["report"]);
    let page = std::fs::read_to_string(page_of(&place, "reports/tiny", "none")).expect("readable");
    assert!(page.contains("No pictures.") && page.contains("× threshold"), "{page}");
    place.succeed(&[&names[..], &["without.html"]].concat());
    let pair = std::fs::read_to_string(place.path("without.html")).expect("a page");
    assert!(pair.contains("No pictures of weave") && !pair.contains("data:image/jpeg"), "{pair}");
    std::fs::remove_dir_all(place.path("didact.artifacts/evaluate")).expect("removed");
    place.succeed(&["report"]);
    let page = std::fs::read_to_string(page_of(&place, "reports/tiny", "none")).expect("readable");
    assert!(
        page.contains("Artifact missing.") && page.contains("no threshold") && page.contains("didact sweep"),
        "{page}"
    );
    check_links(&folder, &page);
}

#[test]
fn a_failed_run_has_a_page_with_its_error_and_log() {
    let place = Workplace::new();
    place.succeed(&["data", "synth", "data", "--side", "32"]);
    place.write("tiny.toml", &tiny_on_disk());
    let planned =
        place.command(&["sweep", "tiny.toml", "--no-report"]).env("DIDACT_FAULT", "plan:after-commit").output();
    assert_eq!(planned.expect("starts").status.code(), None, "killed once the plan is written");
    std::fs::remove_file(place.path("data/weave/train/good/000.png")).expect("removed");
    place.succeed(&["worker", "--sweep", "tiny"]);
    place.succeed(&["report"]);
    let pages = pages(&place, "reports/tiny");
    assert!(!pages.is_empty());
    for page in pages.values() {
        check_links(&place.path("reports/tiny"), page);
        for part in [
            "Failed. ",
            "Failed attempts",
            "data: the files of weave have changed",
            "id=\"settings\"",
            "didact sweep tiny.toml",
        ] {
            assert!(page.contains(part), "{part} is not in\n{page}");
        }
        assert!(page.contains("<pre class=\"log\"") || page.contains("It left no log"), "{page}");
        assert!(!page.contains("id=\"metrics\""), "it has no numbers");
    }
}

#[test]
fn a_browser_sorts_and_enlarges_images_and_moves_the_sliders_of_a_comparison() {
    let place = Workplace::new();
    let Some(mut browser) = Chromium::start(&place) else { return };
    place.write("tiny.toml", &tiny());
    place.succeed(&["sweep", "tiny.toml"]);
    let page = page_of(&place, "reports/tiny", "none");
    for window in WINDOWS {
        browser.open_file(&page, window);
        assert_eq!(browser.faults(include_str!("../browser/run_page.js")), "", "{window:?}");
    }
    keys_work_the_viewer(&mut browser, &page);
    place.succeed(&["compare", "T01", "T02", "--html", "pair.html"]);
    for window in WINDOWS {
        browser.open_file(&place.path("pair.html"), window);
        assert_eq!(browser.faults(include_str!("../browser/comparison.js")), "", "{window:?}");
    }
    browser.tab_to(".pair input");
    browser.press("End");
    let clip = "getComputedStyle(document.activeElement.closest('.pair').querySelectorAll('svg')[1]).clipPath";
    assert!(browser.evaluate(clip).as_str().is_some_and(|clip| clip.contains("100%")), "End moves the slider");
    assert_eq!(browser.console(), [""; 0]);
}

/// A card opens by Enter, arrows show its neighbours in the chosen order, and Escape leads back to it.
fn keys_work_the_viewer(browser: &mut Chromium, page: &Path) {
    browser.open_file(page, WINDOWS[0]);
    browser.tab_to(".sort button[data-by]:last-of-type");
    browser.press(" ");
    assert_eq!(browser.evaluate("document.activeElement.getAttribute('aria-pressed')"), "true", "Space sorts");
    browser.tab_to("a.card");
    browser.press("Enter");
    let shown = |place: usize| {
        format!(
            "(() => {{
                const open = [...document.querySelectorAll('.viewer')].filter((viewer) => viewer.checkVisibility());
                return open.length === 1 && '#' + open[0].id === document.querySelectorAll('a.card')[{place}].getAttribute('href');
            }})()"
        )
    };
    for (key, place) in [("ArrowRight", 1), ("ArrowLeft", 0)] {
        browser.press(key);
        browser.until(&shown(place));
    }
    browser.press("Escape");
    browser.until("[...document.querySelectorAll('.viewer')].every((viewer) => !viewer.checkVisibility())");
    browser.until("location.hash === '#' + document.querySelector('a.card').id");
}
