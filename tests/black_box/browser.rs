//! The report in a browser: it needs no network, nothing is cut off or overlaps, and every control works by mouse and by keyboard.
//!
//! Needs Chromium, in PATH or given by `DIDACT_TEST_BROWSER`. Without it, the tests report that they are skipped. If `DIDACT_TEST_AXE` names the
//! file `axe.min.js` of axe-core, the tests also check its rules of accessibility.

use crate::chromium::{Chromium, WINDOWS, Window};
use crate::common::Workplace;
use crate::report::WIDE;

/// Maximum height of the page of a search with eight variants and folded details, in screens of 1440 × 900 pixels.
const SCREENS: f64 = 6.0;
/// Maximum number of sheets of the same page in print.
const SHEETS: usize = 10;

#[test]
fn a_browser_shows_the_whole_report_without_the_network() {
    let place = Workplace::new();
    let Some(mut browser) = Chromium::start(&place) else { return };
    place.write("wide.toml", WIDE);
    place.succeed(&["sweep", "wide.toml"]);
    let page = place.path("reports/wide/index.html");
    for window in WINDOWS {
        browser.open_file(&page, window);
        assert_eq!(browser.faults(include_str!("../browser/report.js")), "", "{window:?}");
    }
    browser.open_file(&page, WINDOWS[0]);
    let screens = browser.evaluate("document.documentElement.scrollHeight / 900").as_f64().expect("a number");
    assert!(screens <= SCREENS, "{screens:.1} screens");
    let sheets = browser.sheets();
    assert!((1..=SHEETS).contains(&sheets), "{sheets} sheets");
    keys_do_what_the_mouse_does(&mut browser, &page);
    a_click_leads_from_the_verdict_to_the_worst_image(&mut browser, &page);
    assert_eq!(browser.console(), [""; 0]);
}

/// Tables, folded content, tabs and the slider of the gallery, with the keyboard alone.
fn keys_do_what_the_mouse_does(browser: &mut Chromium, page: &std::path::Path) {
    browser.open_file(page, WINDOWS[0]);
    browser.tab_to("table.board select, .switches select");
    browser.press("ArrowDown");
    assert_eq!(browser.evaluate("document.activeElement.selectedIndex"), 1, "a switch of the leaderboard");
    browser.tab_to("summary");
    browser.press("Enter");
    assert_eq!(browser.evaluate("document.activeElement.parentElement.open"), true, "folded content opens");
    browser.tab_to("table.sortable th button");
    let order = "document.activeElement.closest('th').getAttribute('aria-sort')";
    for expected in ["descending", "ascending"] {
        browser.press(" ");
        assert_eq!(browser.evaluate(order), expected, "Space sorts");
    }
    browser.tab_to("[role=tab]");
    let tab = "[...document.querySelectorAll('[role=tab]')].findIndex((tab) => tab.getAttribute('aria-selected') === 'true' \
               && tab === document.activeElement && tab.tabIndex === 0)";
    for (key, expected) in [("End", 1), ("ArrowRight", 0), ("ArrowLeft", 1), ("Home", 0)] {
        browser.press(key);
        assert_eq!(browser.evaluate(tab), expected, "{key} in the tabs");
    }
    browser.tab_to("[data-part=position]");
    let slider = "[document.activeElement.value, document.activeElement.getAttribute('aria-valuetext')].join()";
    browser.press("ArrowRight");
    assert_eq!(browser.evaluate(slider), "51,51 % A, 49 % B");
    browser.press("Home");
    assert_eq!(browser.evaluate(slider), "0,0 % A, 100 % B");
    let corner = browser.evaluate(
        "(() => {
            const canvas = document.querySelector('[data-part=canvas]');
            canvas.scrollIntoView({ behavior: 'instant' });
            const at = canvas.getBoundingClientRect();
            return [at.x, at.y, at.width];
        })()",
    );
    let [x, y, width] = [0, 1, 2].map(|place| corner[place].as_f64().expect("a number"));
    browser.drag((x + 5.0, y + 40.0), (x + 0.75 * width, y + 40.0));
    assert_eq!(
        browser.evaluate("document.querySelector('[data-part=position]').value"),
        "75",
        "the divider is dragged"
    );
    browser.tab_to(".gallery-thumbs button[aria-pressed=false]");
    browser.press("Enter");
    assert_eq!(browser.evaluate("document.activeElement.getAttribute('aria-pressed')"), "true");
}

/// One click from the verdict to the map of the best variant on the image that it misses first.
fn a_click_leads_from_the_verdict_to_the_worst_image(browser: &mut Chromium, page: &std::path::Path) {
    browser.open_file(page, Window { width: 1440, dark: false });
    let link = "#verdict a[href*='gallery=']";
    let parts = browser.evaluate(&format!(
        "document.querySelector(\"{link}\").getAttribute('href').split('gallery=')[1].split('/').map(decodeURIComponent)"
    ));
    browser.click(link);
    browser.until("document.querySelector('.gallery').getBoundingClientRect().top < 450");
    let facts = browser.evaluate("document.querySelector('[data-part=facts]').textContent");
    let a = browser.evaluate("document.querySelector('[data-part=left]').textContent");
    let best = browser.evaluate("document.querySelector('[data-part=a]').options[0].textContent");
    assert!(
        facts.as_str().is_some_and(|facts| facts.contains(parts[1].as_str().expect("an image"))),
        "{parts} {facts}"
    );
    assert_eq!(a, format!("A: {}", best.as_str().expect("a label")), "the map of the best variant is on the left");
    // A map covers the image: its pixels are not all grey levels of the input.
    browser.until(
        "(() => {
            const canvas = document.querySelector('[data-part=canvas]');
            const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width / 2 - 4, canvas.height).data;
            return pixels.some((value, index) => index % 4 === 0 && value > pixels[index + 2] + 60);
        })()",
    );
}
