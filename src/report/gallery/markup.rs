//! The gallery as HTML: the strips, the controls, and the sheets and numbers that the script reads.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, PreEscaped, html};
use serde::Serialize;

use super::content::{Gallery, GalleryCategory, SeedMaps, VariantMaps};

/// Text above the gallery.
const INTRODUCTION: &str = "Colour is the fused map: invisible at 0, brightest at twice the held-out threshold. A white line shows where the map \
     crosses the threshold. Cyan outlines the ground truth. Images that A and B rank most differently come first.";

/// Maximum number of notes that are not folded.
const MOST_NOTES: usize = 3;

/// End of the scores that are relative to a threshold.
const UNIT: &str = " × threshold";

/// Returns the gallery for the page.
pub(in crate::report) fn markup(gallery: &Gallery) -> Markup {
    html! {
        @if !gallery.categories.is_empty() {
            div.gallery {
                p { @if let Some(mark) = &gallery.mark { strong { "[" (mark) "] " } } (INTRODUCTION) }
                (controls(gallery))
                div.gallery-still { @for category in &gallery.categories { (still(gallery, category)) } }
                @for (index, category) in gallery.categories.iter().enumerate() {
                    template data-category=(index) { (sheets(category)) }
                }
                script type="application/json" { (PreEscaped(json(gallery))) }
            }
        }
        @match &gallery.notes[..] {
            notes if notes.len() > MOST_NOTES => details {
                summary { (notes.len()) " pictures are missing" }
                @for note in notes { p.note { (note) } }
            },
            notes => @for note in notes { p.note { (note) } },
        }
    }
}

/// Returns everything that works only with the script, which also fills it.
fn controls(gallery: &Gallery) -> Markup {
    let id = |name: &str| format!("{}gallery-{name}", gallery.prefix);
    let [kind, a, b, seed, panel, position] = ["kind", "a", "b", "seed", "panel", "position"].map(id);
    let labels = || gallery.variants.iter().enumerate();
    html! { div.gallery-live {
        div.gallery-tabs role="tablist" aria-label="Category" {
            @for (index, category) in gallery.categories.iter().enumerate() {
                button type="button" role="tab" id=(id(&format!("tab-{index}"))) aria-controls=(panel)
                    aria-selected=(if index == 0 { "true" } else { "false" }) tabindex=(if index == 0 { "0" } else { "-1" }) { (category.name) }
            }
        }
        div role="tabpanel" id=(panel) aria-labelledby=(id("tab-0")) {
            div.gallery-picks {
                label for=(a) { "A " select id=(a) data-part="a" { @for (index, (label, _)) in labels() { option value=(index) { (label) } } } }
                label for=(b) { "B " select id=(b) data-part="b" { @for (index, (label, _)) in labels() { option value=(index) { (label) } } } }
                label for=(kind) { "Images " select id=(kind) data-part="kind" {} }
                label for=(seed) data-part="seeds" hidden { "Seed " select id=(seed) data-part="seed" {} }
            }
            div.gallery-columns {
                div.gallery-viewer {
                    canvas data-part="canvas" role="img" aria-label="The chosen image" width="768" height="768" {}
                    div.gallery-ends { span data-part="left" {} span data-part="right" {} }
                    label.gallery-slider for=(position) { "Divider: A is on its left, B on its right"
                        input id=(position) data-part="position" type="range" min="0" max="100" value="50"; }
                    div.gallery-switches {
                        label { input type="checkbox" data-part="maps" checked; " maps" }
                        label { input type="checkbox" data-part="truth" checked; " ground truth" }
                    }
                }
                div.gallery-choice {
                    div.gallery-facts data-part="facts" aria-live="polite" {}
                    p.quiet data-part="count" {}
                    div.gallery-thumbs data-part="thumbs" {}
                }
            }
        }
    } }
}

/// Returns the strip of a category.
fn still(gallery: &Gallery, category: &GalleryCategory) -> Markup {
    let strip = &category.strip;
    let seed = &category.seeds[0];
    let rows: Vec<&str> = category.strip_rows.iter().map(|row| gallery.variants[*row].0.as_str()).collect();
    let shown = &category.images[..category.images.len().min(super::strip::MAX_SHOWN)];
    let maps: Vec<&VariantMaps> = category.strip_rows.iter().filter_map(|row| seed.variants[*row].as_ref()).collect();
    let relative = maps.iter().all(|maps| maps.scores.iter().all(|score| score.ends_with(UNIT)));
    let alt = format!("{}: test images with their maps by {}", category.name, rows.join(" and "));
    html! { figure {
        img alt=(alt) width=(strip.width) height=(strip.height)
            src={ "data:image/jpeg;base64," (STANDARD.encode(&strip.jpeg)) };
        figcaption {
            strong { (category.name) } ", seed " (seed.seed) ". Rows: input with the ground truth"
            @for row in &rows { ", " (row) } ". Columns, with the rows' scores" (if relative { " in held-out thresholds" } else { "" }) ": "
            @for (place, (image, kind)) in shown.iter().enumerate() {
                @if place > 0 { "; " }
                (image) @if let Some(kind) = kind.as_ref().filter(|kind| !image.contains(kind.as_str())) { " (" (kind) ")" }
                " " (scores(&maps, place))
            } "."
        }
    } }
}

/// Returns the scores of an image: "1.83 and 0.71".
fn scores(maps: &[&VariantMaps], place: usize) -> String {
    let scores = maps.iter().map(|maps| &maps.scores[place]);
    scores.map(|score| score.strip_suffix(UNIT).unwrap_or(score)).collect::<Vec<_>>().join(" and ")
}

/// Returns the sheets of a category. In a template, the browser decodes none until the script asks for it.
fn sheets(category: &GalleryCategory) -> Markup {
    let source = |kind: &str, bytes: &[u8]| format!("data:image/{kind};base64,{}", STANDARD.encode(bytes));
    html! {
        img alt="" data-sheet="inputs" src=(source("jpeg", &category.inputs));
        img alt="" data-sheet="truth" src=(source("png", &category.outlines));
        @for (number, seed) in category.seeds.iter().enumerate() {
            @for (variant, maps) in seed.variants.iter().enumerate() {
                @if let Some(maps) = maps {
                    img alt="" data-sheet={ (number) "/" (variant) } src=(source("png", &maps.layers));
                }
            }
        }
    }
}

/// What the script reads.
#[derive(Serialize)]
struct Data<'g> {
    prefix: &'g str,
    /// Labels, and names in addresses.
    variants: &'g [(String, String)],
    categories: Vec<CategoryData<'g>>,
}

#[derive(Serialize)]
struct CategoryData<'g> {
    name: &'g str,
    all: usize,
    images: &'g [(String, Option<String>)],
    /// Side of the inputs and outlines, and of the layers.
    sides: (usize, usize),
    seeds: Vec<SeedData<'g>>,
}

#[derive(Serialize)]
struct SeedData<'g> {
    seed: i64,
    variants: Vec<Option<VariantData<'g>>>,
}

#[derive(Serialize)]
struct VariantData<'g> {
    scores: &'g [String],
    right: &'g [Option<bool>],
    ranks: &'g [usize],
}

impl<'g> VariantData<'g> {
    fn of(maps: &'g VariantMaps) -> Self {
        Self { scores: &maps.scores, right: &maps.right, ranks: &maps.ranks }
    }
}

impl<'g> SeedData<'g> {
    fn of(maps: &'g SeedMaps) -> Self {
        let variants = maps.variants.iter().map(|variant| variant.as_ref().map(VariantData::of)).collect();
        Self { seed: maps.seed, variants }
    }
}

impl<'g> CategoryData<'g> {
    fn of(category: &'g GalleryCategory) -> Self {
        Self {
            name: &category.name,
            all: category.all,
            images: &category.images,
            sides: category.sides,
            seeds: category.seeds.iter().map(SeedData::of).collect(),
        }
    }
}

fn json(gallery: &Gallery) -> String {
    let data = Data {
        prefix: &gallery.prefix,
        variants: &gallery.variants,
        categories: gallery.categories.iter().map(CategoryData::of).collect(),
    };
    // Texts and numbers can always be written. A "<" in a name must not end the element.
    serde_json::to_string(&data).unwrap_or_default().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::gallery::strip::Strip;

    fn maps() -> VariantMaps {
        VariantMaps {
            layers: b"layer".to_vec(),
            scores: vec!["1.83 × threshold".to_owned(), "0.71 × threshold".to_owned()],
            right: vec![Some(true), None],
            ranks: vec![1, 2],
        }
    }

    fn category(name: &str) -> GalleryCategory {
        GalleryCategory {
            name: name.to_owned(),
            all: 2,
            images: vec![("cut/</script>.png".to_owned(), Some("cut".to_owned())), ("good/1.png".to_owned(), None)],
            worst: Some(0),
            sides: (16, 8),
            inputs: b"inputs".to_vec(),
            outlines: b"outlines".to_vec(),
            seeds: vec![SeedMaps { seed: 7, variants: vec![Some(maps()), None, Some(maps())] }],
            strip: Strip { jpeg: b"strip".to_vec(), width: 196, height: 296 },
            strip_rows: vec![0, 2],
        }
    }

    fn gallery(prefix: &str) -> Gallery {
        let labels = ["T03 U-Net <add>", "T02 U-Net", "T01 ST-FPM"];
        Gallery {
            prefix: prefix.to_owned(),
            mark: Some("selected on test".to_owned()),
            variants: labels.map(|label| (label.to_owned(), label[..3].to_owned())).to_vec(),
            categories: vec![category("nut & bolt"), category("wood")],
            notes: vec!["no picture of T02 U-Net in wood: damaged".to_owned()],
        }
    }

    /// Returns the texts between `start` and the next quotation mark.
    fn quoted<'t>(text: &'t str, start: &str) -> Vec<&'t str> {
        text.split(start).skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn the_page_has_each_sheet_once_and_numbers_that_can_be_read() {
        let text = markup(&gallery("")).into_string();
        assert_eq!(quoted(&text, "data-sheet=\""), [["inputs", "truth", "0/0", "0/2"]; 2].concat());
        assert_eq!(text.matches(&STANDARD.encode(b"layer")).count(), 4);
        let (_, rest) = text.split_once("<script type=\"application/json\">").expect("the numbers");
        let (json, rest) = rest.split_once("</script>").expect("their end");
        assert!(rest.ends_with("<p class=\"note\">no picture of T02 U-Net in wood: damaged</p>"), "{rest}");
        let data: serde_json::Value = serde_json::from_str(json).expect("JSON");
        let first = &data["categories"][0];
        assert_eq!((&first["name"], &first["images"][0][0]), (&"nut & bolt".into(), &"cut/</script>.png".into()));
        assert_eq!(first["seeds"][0]["variants"][1], serde_json::Value::Null);
        assert_eq!(first["seeds"][0]["variants"][2]["right"], serde_json::json!([true, null]));
    }

    #[test]
    fn without_the_script_a_strip_shows_images_with_their_scores() {
        let text = markup(&gallery("")).into_string();
        assert_eq!(quoted(&text, "<img alt=\"").len(), 2 + 8);
        for shown in [
            "[selected on test]",
            "alt=\"nut &amp; bolt: test images with their maps by T03 U-Net &lt;add&gt; and T01 ST-FPM\"",
            "Columns, with the rows' scores in held-out thresholds: cut/&lt;/script&gt;.png 1.83 and 1.83; good/1.png 0.71",
        ] {
            assert!(text.contains(shown), "{shown} in {text}");
        }
    }

    #[test]
    fn galleries_of_several_protocols_share_no_id() {
        let text =
            [gallery("protocol-1-"), gallery("protocol-2-")].map(|gallery| markup(&gallery).into_string()).concat();
        let ids = quoted(&text, " id=\"");
        let unique: std::collections::BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!((ids.len(), unique.len()), (16, 16), "{ids:?}");
        for reference in
            [" for=\"", "aria-controls=\"", "aria-labelledby=\""].iter().flat_map(|start| quoted(&text, start))
        {
            assert!(unique.contains(reference), "{reference}");
        }
    }

    #[test]
    fn the_worst_image_is_that_of_the_best_variant() {
        let mut gallery = gallery("");
        let expected = "#gallery=nut%20%26%20bolt/cut%2F%3C%2Fscript%3E.png/T03";
        assert_eq!(gallery.worst_image().as_deref(), Some(expected));
        gallery.categories[0].worst = None;
        assert_eq!(gallery.worst_image().as_deref(), Some("#gallery=wood/cut%2F%3C%2Fscript%3E.png/T03"));
        gallery.categories.clear();
        assert_eq!(gallery.worst_image(), None);
        gallery.notes.clear();
        assert!(gallery.is_empty() && markup(&gallery).into_string().is_empty());
    }
}
