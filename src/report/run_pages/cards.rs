//! The test images of a run: a card for each, which leads to larger pictures on the same page.

use maud::{Markup, html};

use super::contour::TRANSFORM;
use super::pictures::{RunPictures, sheet_name};
use super::sheet::{Tile, tile};
use super::test_images::{Outcome, TestImageScore, TestImages};

/// Returns the cards, and the viewers that they lead to. Without pictures, cards are plain entries of a list.
pub(super) fn cards(images: &TestImages, pictures: Option<&RunPictures>) -> Markup {
    let by_error = images.by_error();
    let (errors, scores, names) = (places(&by_error), places(&images.by_score()), places(&images.by_name()));
    html! {
        div.sort role="group" aria-label="Order of the test images" hidden {
            @for (key, text) in [("error", "errors first"), ("score", "highest score first"), ("name", "by name")] {
                button type="button" data-by=(key) aria-pressed=(if key == "error" { "true" } else { "false" }) { (text) }
            }
        }
        ol.cards id="cards" {
            @for &index in &by_error {
                li data-error=(errors[index]) data-score=(scores[index]) data-name=(names[index]) {
                    @let image = &images.images[index];
                    @match pictures {
                        Some(pictures) => a.card id=(card_id(index)) href={ "#" (viewer_id(index)) } {
                            (thumbnail(pictures, index))
                            (facts(image, images.threshold))
                        },
                        None => div.card { (facts(image, images.threshold)) },
                    }
                }
            }
        }
        @if let Some(pictures) = pictures {
            @for (place, &index) in by_error.iter().enumerate() {
                @let before = place.checked_sub(1).map(|place| by_error[place]);
                (viewer(images, pictures, index, before, by_error.get(place + 1).copied()))
            }
        }
    }
}

/// Returns the place of each index in an order.
fn places(order: &[usize]) -> Vec<usize> {
    let mut places = vec![0; order.len()];
    order.iter().enumerate().for_each(|(place, &index)| places[index] = place);
    places
}

fn viewer_id(index: usize) -> String {
    format!("image-{:03}", index + 1)
}

fn card_id(index: usize) -> String {
    format!("card-{:03}", index + 1)
}

/// Returns what a card says about its image.
fn facts(image: &TestImageScore, threshold: Option<f64>) -> Markup {
    html! {
        span.name { (shown_name(image)) }
        span.kind { (image.defect.as_deref().unwrap_or("normal")) }
        span { (score(image, threshold)) }
        span class=(class(image.outcome)) { (image.outcome.text()) }
    }
}

/// Returns an image's path below the folder of the test images.
fn shown_name(image: &TestImageScore) -> &str {
    image.name.strip_prefix("test/").unwrap_or(&image.name)
}

/// Returns the score in held-out thresholds, or as it is.
fn score(image: &TestImageScore, threshold: Option<f64>) -> String {
    match threshold.filter(|threshold| *threshold > 0.0) {
        Some(threshold) => format!("{:.2} × threshold", image.score / threshold),
        None => format!("score {:.4}", image.score),
    }
}

fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Missed | Outcome::FalseAlarm => "outcome down",
        Outcome::Right => "outcome up",
        Outcome::Unknown => "outcome",
    }
}

/// A contour of an image. Its name is the class of its line, and the start of its id.
#[derive(Clone, Copy)]
struct Line<'c> {
    name: &'static str,
    path: &'c str,
}

/// Returns the defect's contour and the threshold's.
fn lines(pictures: &RunPictures, index: usize) -> [Line<'_>; 2] {
    let contours = &pictures.contours[index];
    [Line { name: "truth", path: &contours.truth }, Line { name: "threshold", path: &contours.threshold }]
}

/// Returns the small picture of a card. It also defines the contours, which the larger pictures use again.
fn thumbnail(pictures: &RunPictures, index: usize) -> Markup {
    let lines = lines(pictures, index);
    html! {
        svg.defs aria-hidden="true" { defs {
            @for line in lines.iter().filter(|line| !line.path.is_empty()) {
                path id={ (line.name) "-" (index + 1) } d=(line.path) transform=(TRANSFORM) vector-effect="non-scaling-stroke" {}
            }
        } }
        (picture(pictures, index, &pictures.maps, &lines[..1]))
    }
}

/// Returns one tile of a sheet with contours over it.
fn picture(pictures: &RunPictures, index: usize, sheets: &str, lines: &[Line<'_>]) -> Markup {
    let Tile { sheet, corner: (left, top), sheet_size: (width, height) } =
        tile(index, pictures.contours.len(), pictures.side);
    let side = pictures.side;
    html! {
        svg viewBox={ "0 0 " (side) " " (side) } aria-hidden="true" {
            image href=(sheet_name(sheets, sheet)) x={ "-" (left) } y={ "-" (top) } width=(width) height=(height) {}
            @for line in lines.iter().filter(|line| !line.path.is_empty()) {
                @for class in ["under", line.name] { use class=(class) href={ "#" (line.name) "-" (index + 1) } {} }
            }
        }
    }
}

/// Returns the larger pictures of an image. They cover the page while its address ends with their id.
fn viewer(
    images: &TestImages,
    pictures: &RunPictures,
    index: usize,
    before: Option<usize>,
    after: Option<usize>,
) -> Markup {
    let image = &images.images[index];
    let lines = lines(pictures, index);
    let target = |other: Option<usize>| format!("#{}", viewer_id(other.unwrap_or(index)));
    html! {
        section.viewer id=(viewer_id(index)) tabindex="-1" aria-label=(shown_name(image)) {
            p.steps {
                a.close href={ "#" (card_id(index)) } { "close" }
                a.previous href=(target(before)) { "← previous" }
                a.next href=(target(after)) { "next →" }
            }
            h3 { (shown_name(image)) }
            p {
                (image.defect.as_deref().unwrap_or("normal")) ", " (score(image, images.threshold)) ", "
                span class=(class(image.outcome)) { (image.outcome.text()) }
            }
            div.pictures {
                div { (picture(pictures, index, &pictures.inputs, &[])) span { "input" } }
                div {
                    (picture(pictures, index, &pictures.inputs, &lines[..1]))
                    span { @if lines[0].path.is_empty() { "no defect marked" } @else { "ground truth" } }
                }
                div { (picture(pictures, index, &pictures.maps, &lines)) span { "anomaly map" } }
            }
            p.quiet { (KEY) }
        }
    }
}

/// What the colours and lines of the pictures mean.
pub(in crate::report) const KEY: &str = "Light blue line: ground truth. White line: the map is at the held-out threshold. Colour: transparent below half the \
                              threshold, brightest from twice the threshold on.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::run_pages::pictures::Contours;

    fn images() -> TestImages {
        let image = |name: &str, score: f64, outcome| TestImageScore {
            name: name.to_owned(),
            defect: Some("cut & <hole>".to_owned()),
            score,
            outcome,
        };
        TestImages {
            images: vec![image("a.png", 3.0, Outcome::Right), image("b.png", 1.0, Outcome::Missed)],
            threshold: Some(2.0),
            missing: None,
        }
    }

    #[test]
    fn a_card_leads_to_its_viewer_and_back() {
        let pictures = RunPictures {
            side: 64,
            inputs: "images/inputs-a".to_owned(),
            maps: "images/maps-b".to_owned(),
            contours: vec![Contours { truth: "M1 1L2 2".to_owned(), threshold: String::new() }, Contours::default()],
        };
        let text = cards(&images(), Some(&pictures)).into_string();
        for part in [
            r##"<a class="card" id="card-002" href="#image-002">"##,
            r##"<section class="viewer" id="image-002""##,
            r##"<a class="close" href="#card-002">"##,
            r##"<a class="next" href="#image-001">"##,
            r#"<image href="images/maps-b-1.jpg" x="-64" y="-0" width="128" height="64"></image>"#,
            r##"<use class="truth" href="#truth-1"></use>"##,
            "0.50 × threshold",
            "cut &amp; &lt;hole&gt;",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(text.find("card-002").expect("a card") < text.find("card-001").expect("a card"), "errors come first");
    }

    #[test]
    fn without_pictures_the_cards_are_a_list() {
        let text = cards(&images(), None).into_string();
        assert!(text.contains("missed") && !text.contains("<svg") && !text.contains("viewer") && !text.contains("<a "));
    }
}
