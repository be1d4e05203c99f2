//! The report in a browser: it needs no network, nothing is cut off or overlaps, and every control works.
//!
//! Needs Chromium, in PATH or given by `DIDACT_TEST_BROWSER`. Without it, the test reports that it is skipped. If `DIDACT_TEST_AXE` names the file
//! `axe.min.js` of axe-core, the test also checks its rules of accessibility.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::Workplace;
use crate::report::WIDE;

/// Window widths of a light desktop and of a dark phone, CSS pixels.
pub const WINDOWS: [(u32, bool); 2] = [(1440, false), (390, true)];

/// Returns the path of Chromium, if there is one.
pub fn browser() -> Option<PathBuf> {
    let named = std::env::var_os("DIDACT_TEST_BROWSER").map(PathBuf::from);
    named.or_else(|| {
        let path = std::env::var_os("PATH")?;
        let names = ["chromium", "chromium-browser", "google-chrome"];
        std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name))).find(|file| file.is_file())
    })
}

/// Maximum height of the page of a search with eight variants and folded details, in screens of 1440 × 900 pixels.
const SCREENS: u32 = 8;

/// Returns the address of axe-core; empty if it is not installed.
fn axe() -> String {
    std::env::var("DIDACT_TEST_AXE").map(|file| format!("file://{file}")).unwrap_or_default()
}

/// Returns the faults of a report's page at a width, in light or dark mode.
fn faults(browser: &Path, place: &Workplace, page: &Path, width: u32, dark: bool) -> String {
    faults_in(browser, place, include_str!("../browser/look.html"), page, width, dark)
}

/// Returns the faults that a harness finds in a page at a width, in light or dark mode.
pub fn faults_in(browser: &Path, place: &Workplace, harness: &str, page: &Path, width: u32, dark: bool) -> String {
    // On a busy machine, the browser's virtual time can end before it has decoded all images. What the harness finds stays the same.
    let mut looks = (0..4).map(|_| look(browser, place, harness, page, width, dark));
    let finished = looks.find(|found| found != "not finished");
    finished.unwrap_or_else(|| "the harness does not finish".to_owned())
}

/// Looks once; returns "not finished" if the browser's time was too short.
fn look(browser: &Path, place: &Workplace, harness: &str, page: &Path, width: u32, dark: bool) -> String {
    let harness = place.write("look.html", harness);
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--allow-file-access-from-files",
            "--window-size=1600,1000",
        ])
        .arg(format!("--user-data-dir={}", place.path("browser").display()))
        .arg(format!("--blink-settings=preferredColorScheme={}", u8::from(!dark)))
        .args(["--virtual-time-budget=20000", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!(
            "file://{}?width={width}&screens={SCREENS}&axe={}&page=file://{}",
            harness.display(),
            axe(),
            page.display()
        ))
        .output()
        .expect("the browser starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let found = text.split_once("<pre id=\"found\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let found = found.map_or_else(|| format!("no answer: {text}"), |(found, _)| found.to_owned());
    let console: Vec<String> = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .map(|line| format!("on the console: {line}"))
        .collect();
    if console.is_empty() { found } else { format!("{found}\n{}", console.join("\n")) }
}

/// Maximum number of pages of a printed report with folded details.
const SHEETS: usize = 10;

/// Prints a page as PDF, and returns its number of sheets.
fn sheets(browser: &Path, place: &Workplace, page: &Path) -> usize {
    let pdf = place.path("printed.pdf");
    let status = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu"])
        .arg(format!("--user-data-dir={}", place.path("browser").display()))
        .arg(format!("--print-to-pdf={}", pdf.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("the browser starts");
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    let printed = String::from_utf8_lossy(&std::fs::read(pdf).expect("printed")).into_owned();
    printed.matches("/Type /Page\n").count()
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn a_browser_shows_the_whole_report_without_the_network() {
    let Some(browser) = browser() else {
        eprintln!("skipped: no Chromium in PATH, and DIDACT_TEST_BROWSER does not name one");
        return;
    };
    let place = Workplace::new();
    place.write("wide.toml", WIDE);
    place.succeed(&["sweep", "wide.toml"]);
    let page = place.path("reports/wide/index.html");
    for (width, dark) in WINDOWS {
        assert_eq!(faults(&browser, &place, &page, width, dark), "nothing", "{width} px, dark: {dark}");
    }
    let sheets = sheets(&browser, &place, &page);
    assert!((1..=SHEETS).contains(&sheets), "{sheets} sheets");
}
