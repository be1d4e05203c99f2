//! The parts of a comparison's page that show two trials image by image.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, PreEscaped, html};

use super::images::ComparedImage;
use super::pair::ComparedPair;
use super::style::{SCRIPT, STYLE};
use crate::report::figure::Figure;
use crate::report::run_pages::{KEY, TRANSFORM};

/// Returns the figures of the pair, and its images with a slider between their maps.
pub(in crate::report) fn sections(pair: &ComparedPair) -> Markup {
    let [reference, other] = &pair.labels;
    html! {
        style { (PreEscaped(STYLE)) }
        @if !pair.differences.is_empty() { section id="differences" {
            h2 { "Differences by category and seed" }
            p.quiet { (other) " minus " (reference) "." }
            (figures(&pair.differences))
        } }
        @if !pair.scatters.is_empty() { section id="scores" {
            h2 { "Scores of the test images" }
            p.quiet { "Runs with seed " (pair.seed) ", the first that both trials have." }
            (figures(&pair.scatters))
        } }
        section id="maps" {
            h2 { "Maps of the test images" }
            @for note in &pair.notes { p.note { (note) } }
            @if !pair.images.is_empty() {
                p {
                    (pair.images.len()) " of " (pair.all_images) " test images; seed " (pair.seed)
                    ". Images that the trials judge differently come first, then those with the largest ratio of scores. Left: "
                    (reference) ". Right: " (other) "."
                }
                p.quiet { (KEY) }
                div.pairs { @for image in &pair.images { (slider(image, &pair.labels)) } }
            }
        }
        script { (PreEscaped(SCRIPT)) }
    }
}

fn figures(figures: &[Figure]) -> Markup {
    html! { div.plots { @for figure in figures {
        figure tabindex="0" { div role="img" aria-label=(figure.description) { (PreEscaped(figure.html())) } }
    } } }
}

/// Returns one image with both maps. Without the script they are side by side.
fn slider(of: &ComparedImage, labels: &[String; 2]) -> Markup {
    let image = &of.image;
    let kind = if image.defective { "defective" } else { "normal" };
    html! { div.pair {
        div.maps { @for place in [0, 1] { (map(of, place, &labels[place])) } }
        input type="range" min="0" max="100" value="50" hidden aria-label={ "Boundary between the maps of " (image.name) };
        p {
            strong { (image.category) " " (image.name) } br;
            span.quiet { (kind) ", " (format!("{:.2} and {:.2} × threshold", image.scores[0], image.scores[1])) }
        }
    } }
}

fn map(of: &ComparedImage, place: usize, label: &str) -> Markup {
    let side = of.side;
    html! {
        svg viewBox={ "0 0 " (side) " " (side) } role="img" aria-label={ "Map of " (label) } {
            image href={ "data:image/jpeg;base64," (STANDARD.encode(&of.jpegs[place])) } width=(side) height=(side) {}
            @for (class, path) in [("truth", &of.truth), ("threshold", &of.thresholds[place])] {
                @if !path.is_empty() {
                    path.under d=(path) transform=(TRANSFORM) {}
                    path class=(class) d=(path) transform=(TRANSFORM) {}
                }
            }
        }
    }
}
