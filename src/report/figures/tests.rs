//! Tests what must hold for every figure: texts are readable, captions are short, and numbers are those of the drawn runs.

use std::sync::OnceLock;

use resvg::usvg::roxmltree::{Document, Node};
use serde_json::json;

use super::kind::{FigureSource, Figures};
use super::palette::{MAX_HIGHLIGHTED, OTHERS, Palette};
use crate::analysis::{Analysis, ComparedGroups, Costs, MAX_DRAWN, Ranking, Rows, groups};
use crate::report::canvas::text_width;
use crate::report::drawing::Drawing;
use crate::report::figure::{Figure, INK};
use crate::report::print::Column;
use crate::report::tests::{Case, case, rows};
use crate::stages::{Key, StageKind};
use crate::statistics::quartiles;
use crate::store::{Artifacts, Curve, StageRow};

/// Draws all figures of the first protocol.
fn drawn(rows: &Rows) -> Vec<Figure> {
    let artifacts = Artifacts::new("none".into());
    let ComparedGroups { groups, sides, comparisons, effects, .. } =
        Analysis::of(rows, &artifacts, Ranking::WithinProtocols).protocols.remove(0);
    let cost = |index: usize| Costs {
        parameters: Some(1e6 * (index + 1) as f64),
        flops: Some(1e9 / (index + 1) as f64),
        training: quartiles(&[60.0 + index as f64]),
        ..Costs::default()
    };
    let costs: Vec<Costs> = (0..groups.variants.len()).map(cost).collect();
    let source = FigureSource {
        rows,
        groups: &groups,
        artifacts: &artifacts,
        sides: &sides,
        costs: &costs,
        comparisons: &comparisons,
        effects: &effects,
        prefix: "",
    };
    Figures::draw(&source).expect("draws").all().cloned().collect()
}

/// Returns a number between 0 and 1 that looks random.
fn noise(index: usize) -> f64 {
    (index as f64 * 0.618_034 + (index * index) as f64 * 0.271).fract()
}

const CATEGORIES: [&str; 15] = [
    "bottle",
    "cable",
    "capsule",
    "carpet",
    "grid",
    "hazelnut",
    "leather",
    "metal_nut_with_a_long_name",
    "pill",
    "screw",
    "tile",
    "toothbrush",
    "transistor",
    "wood",
    "zipper",
];

/// Five seeds of two variants in few categories.
fn few() -> Rows {
    let mut cases = Vec::new();
    for (place, variant) in ["ST-FPM", "skip=add", "skip=concat"].into_iter().enumerate() {
        for category in &CATEGORIES[..3] {
            for seed in 0..5 {
                let value = 0.9 + 0.02 * place as f64 + 0.01 * noise(place * 31 + seed as usize * 7 + category.len());
                cases.push(case(variant, category, seed, Some(value)));
            }
        }
    }
    rows(&cases)
}

/// Five seeds of eight variants in seven categories, which allow ranks.
fn ranked() -> Rows {
    const VARIANTS: [&str; 8] = [
        "ST-FPM",
        "skip=add",
        "skip=concat",
        "skip=concat-conv, depth=1",
        "skip=concat-conv, depth=2",
        "skip=concat-conv, depth=3, width=16",
        "skip=none",
        "skip=none, reconstruction=0.1",
    ];
    let mut cases = Vec::new();
    for (place, variant) in VARIANTS.into_iter().enumerate() {
        for category in &CATEGORIES[..7] {
            for seed in 0..5 {
                let value = 0.9 - 0.01 * place as f64 + 0.008 * noise(place * 31 + seed as usize * 7 + category.len());
                cases.push(case(variant, category, seed, Some(value)));
            }
        }
    }
    rows(&cases)
}

/// Two seeds of twenty variants with long names in many categories; some cells are empty.
fn many() -> Rows {
    let mut cases = Vec::new();
    for depth in 0..20 {
        let variant =
            if depth == 3 { "ST-FPM" } else { "skip=concat-conv with a name that is far too long for a label" };
        for (place, category) in CATEGORIES.into_iter().enumerate() {
            for seed in 0..2 {
                let value = 0.8 + 0.19 * noise(depth * 97 + place * 13 + seed as usize);
                let axes = if depth == 3 { json!({}) } else { json!({ "model.depth": depth }) };
                if (depth + place) % 11 != 0 {
                    cases.push(Case { axes, ..case(variant, category, seed, Some(value)) });
                }
            }
        }
    }
    rows(&cases)
}

/// A search over numbers on a logarithmic and a linear scale, a whole number that does not always apply, and a name.
fn search() -> Rows {
    let mut cases = vec![case("ST-FPM", "nut", 0, Some(0.9)), case("ST-FPM", "nut", 1, Some(0.91))];
    for trial in 0..40 {
        let (skip, rate) = (["none", "add", "concat"][trial % 3], 10_f64.powf(-4.0 + 3.0 * noise(trial)));
        let depth = if skip == "none" { json!(null) } else { json!(1 + trial % 3) };
        let axes = json!({ "model.skip": skip, "joint.student.learning_rate": rate, "model.depth": depth,
            "joint.loss.reconstruction": noise(trial + 400) });
        for seed in 0..2 {
            let value = 0.8 + 0.04 * noise(trial) + 0.02 * noise(trial * 3 + seed as usize);
            cases.push(Case { axes: axes.clone(), ..case("U-Net", "nut", seed, Some(value)) });
        }
    }
    let mut rows = rows(&cases);
    rows.runs.iter_mut().enumerate().for_each(|(index, run)| run.position = index as i64);
    rows
}

/// Training curves of one stage per run.
fn with_curves(mut rows: Rows) -> Rows {
    for (index, run) in rows.runs.clone().iter().enumerate() {
        let stage: Key = format!("stage-{index}").into();
        for epoch in 1..=3_u32 {
            for name in ["loss_similarity", "held_out_loss"] {
                let value = Some(0.4 + noise(index) / f64::from(epoch));
                rows.curves.push(Curve {
                    stage_id: stage.to_string(),
                    name: name.into(),
                    step: i64::from(epoch),
                    value,
                });
            }
        }
        rows.stages.push(StageRow {
            id: stage,
            kind: StageKind::Joint,
            job: "{}".to_owned(),
            seconds: None,
            peak_rss_bytes: None,
            costs: None,
            device: None,
            convolutions: None,
            version: None,
        });
        rows.run_stages.insert(run.id.clone().into(), vec![index]);
    }
    rows
}

/// Every kind of data that changes how figures look; drawn once for all tests.
fn figures() -> &'static [(&'static str, Vec<Figure>)] {
    static FIGURES: OnceLock<Vec<(&str, Vec<Figure>)>> = OnceLock::new();
    FIGURES.get_or_init(|| {
        let guided = |mut rows: Rows| {
            rows.sweep.resolved = json!({ "search": { "objective": "test_pixel_auroc" } }).to_string();
            rows
        };
        vec![
            ("few", drawn(&few())),
            ("many", drawn(&many())),
            ("search", drawn(&search())),
            ("guided", drawn(&guided(few()))),
            ("curves", drawn(&with_curves(few()))),
            ("ranked", drawn(&ranked())),
        ]
    })
}

fn number(node: Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name} of {node:?}"))
}

/// A text of a figure with the box that it takes.
struct Text {
    content: String,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

fn texts(document: &Document<'_>) -> Vec<Text> {
    let nodes = document.descendants().filter(|node| node.has_tag_name("text"));
    let text = |node: Node<'_, '_>| {
        let content = node.text().unwrap_or_default().trim().to_owned();
        let size = number(node, "font-size");
        // The estimate is for lines of whole pixels, and a little too wide.
        let width = f64::from(text_width(&content, size.round() as i32)) / 1.07;
        let (x, y) = (number(node, "x"), number(node, "y"));
        let start = match node.attribute("text-anchor") {
            Some("middle") => -width / 2.0,
            Some("end") => -width,
            _ => 0.0,
        };
        let half = 0.42 * size;
        if node.attribute("transform").is_some() {
            // Rotated by 270°: the text runs upwards.
            Text { content, left: x - half, right: x + half, top: y - start - width, bottom: y - start }
        } else {
            Text { content, left: x + start, right: x + start + width, top: y - half, bottom: y + half }
        }
    };
    nodes.map(text).filter(|text| !text.content.is_empty()).collect()
}

/// Returns the drawings of a figure, with their widths.
fn drawings(figure: &Figure) -> impl Iterator<Item = (&Figure, Column, &Drawing)> {
    Column::ALL.into_iter().filter_map(move |column| Some((figure, column, figure.drawing(column)?)))
}

#[test]
fn no_text_leaves_its_figure_or_covers_another() {
    let mut faults = Vec::new();
    for (data, figures) in figures() {
        for (figure, column, drawing) in figures.iter().flat_map(drawings) {
            let name = format!("{data} {}, {column}", figure.name);
            let document = Document::parse(&drawing.svg).expect("SVG");
            let root = document.root_element();
            let (width, height) = (number(root, "width"), number(root, "height"));
            assert_eq!(width, f64::from(column.pixels()), "{name}");
            let texts = texts(&document);
            for text in &texts {
                let inside = text.left >= 0.0 && text.top >= 0.0 && text.right <= width && text.bottom <= height;
                if !inside {
                    faults.push(format!("{name}: {:?} leaves the figure", text.content));
                }
            }
            for (index, one) in texts.iter().enumerate() {
                for other in &texts[index + 1..] {
                    let apart = one.right <= other.left + 0.5
                        || other.right <= one.left + 0.5
                        || one.bottom <= other.top + 0.5
                        || other.bottom <= one.top + 0.5;
                    if !apart {
                        faults.push(format!("{name}: {:?} covers {:?}", one.content, other.content));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_caption_is_made_of_short_sentences() {
    for (data, figures) in figures() {
        for figure in figures {
            assert!(figure.caption.contains("It draws ") && figure.caption.ends_with('.'), "{}", figure.caption);
            for sentence in figure.caption.split_inclusive(['.', ';']).filter(|sentence| sentence.trim().len() > 1) {
                let words = sentence.split_whitespace().count();
                assert!(words <= 20, "{data} {}: {words} words: {sentence}", figure.name);
            }
        }
    }
}

#[test]
fn every_kind_of_figure_is_drawn_with_its_exact_values() {
    let names: Vec<&str> =
        figures().iter().flat_map(|(_, figures)| figures).map(|figure| figure.name.as_str()).collect();
    for name in [
        "seeds-pixel_auroc",
        "heat-pixel_auroc",
        "ranks",
        "forest",
        "levels",
        "interaction",
        "importance",
        "slices",
        "parallel",
        "history",
        "rules",
        "stability",
        "pareto-parameters",
        "pareto-flops",
        "pareto-training",
    ] {
        assert!(names.contains(&name), "{name} of {names:?}");
    }
    for (figure, column, drawing) in figures().iter().flat_map(|(_, figures)| figures).flat_map(drawings) {
        assert!(drawing.svg.contains("<title>"), "{}, {column}, has no tooltip", figure.name);
    }
}

#[test]
fn every_figure_has_the_values_of_its_marks() {
    for (data, figures) in figures() {
        for figure in figures {
            let csv = String::from_utf8(figure.values.csv().expect("CSV")).expect("text");
            // Commas separate columns only outside quotation marks.
            let outside = |line: &str| line.split('"').step_by(2).map(|text| text.matches(',').count()).sum();
            let columns: Vec<usize> = csv.lines().map(outside).collect();
            assert!(columns.len() > 1 && columns.iter().all(|count| *count == columns[0]), "{data} {}", figure.name);
        }
    }
    let seeds = &figures()[0].1.iter().find(|figure| figure.name == "seeds-pixel_auroc").expect("drawn").values;
    let csv = String::from_utf8(seeds.csv().expect("CSV")).expect("text");
    assert!(csv.starts_with("category,variant,mark,seed,value\nbottle,"), "{csv}");
    // Five seeds and the mean of three variants in three categories.
    assert_eq!(csv.lines().count(), 1 + 6 * 9);
}

#[test]
fn most_kinds_fit_into_one_column_and_crowded_ones_do_not() {
    let narrow = |name: &str| -> Vec<bool> {
        let named = figures().iter().flat_map(|(_, figures)| figures).filter(|figure| figure.name == name);
        named.map(|figure| figure.drawing(Column::Single).is_some()).collect()
    };
    // Fifteen categories of twenty variants are too many, four axes as well.
    assert_eq!(narrow("heat-pixel_auroc"), [true, false, true, true, true]);
    assert_eq!(narrow("seeds-pixel_auroc"), [true, false, true, true, true, true]);
    assert_eq!(narrow("parallel"), [false]);
    for name in
        ["forest", "levels", "interaction", "importance", "slices", "history", "rules", "ranks", "pareto-parameters"]
    {
        assert!(narrow(name).iter().all(|is_drawn| *is_drawn), "{name}");
    }
}

#[test]
fn marks_lead_to_the_runs_that_they_show() {
    let rows = few();
    let figures = &figures()[0].1;
    let leads_to = |figure: &str, run: &str| {
        let svg = figures.iter().find(|drawn| drawn.name == figure).expect("drawn").svg();
        svg.contains(&format!("data-run=\"{run}\""))
    };
    assert!(rows.runs.iter().all(|run| leads_to("seeds-pixel_auroc", &run.id)), "every seed");
    // A variant leads to its first category with the lowest seed.
    let of = |seed| rows.runs.iter().find(|run| !run.baseline && run.category == CATEGORIES[0] && run.seed == seed);
    let [first, second] = [0, 1].map(|seed| &of(seed).expect("a run").id);
    for figure in ["forest", "rules", "pareto-parameters"] {
        assert!(leads_to(figure, first) && !leads_to(figure, second), "{figure}");
    }
}

#[test]
fn lines_of_trials_have_a_point_and_a_value_on_every_axis() {
    let figure = figures()[2].1.iter().find(|figure| figure.name == "parallel").expect("drawn");
    let document = Document::parse(figure.svg()).expect("SVG");
    let axes = document.descendants().filter(|node| node.has_attribute("data-axis")).count();
    let lines: Vec<Node<'_, '_>> = document.descendants().filter(|node| node.has_attribute("data-trial")).collect();
    assert_eq!((axes, lines.len()), (5, 40));
    for line in lines {
        let (points, values) = (line.attribute("points"), line.attribute("data-values"));
        assert_eq!(points.map(|text| text.split(' ').count()), Some(axes));
        assert_eq!(values.map(|text| text.split('\n').count()), Some(axes));
        assert!(line.has_attribute("data-run"));
    }
    assert!(figure.has_axes());
}

#[test]
fn texts_count_only_what_is_drawn() {
    let figures = &figures()[1].1;
    let seeds = figures.iter().find(|figure| figure.name == "seeds-pixel_auroc").expect("drawn");
    let others = MAX_DRAWN - MAX_HIGHLIGHTED;
    assert!(seeds.svg().contains(&format!("of {MAX_DRAWN} variants, 2 seeds, 15 categories")), "{}", seeds.svg());
    assert!(seeds.svg().contains(&format!("{others} other variants in grey")), "{}", seeds.svg());
    let heat = figures.iter().find(|figure| figure.name == "heat-pixel_auroc").expect("drawn");
    assert!(heat.svg().contains("of 20 variants") && heat.svg().contains("no pair of runs"));
}

#[test]
fn the_baseline_is_in_ink_and_only_the_best_variants_have_colours() {
    let rows = many();
    let groups = groups(&rows, Ranking::WithinProtocols).remove(0);
    let palette = Palette::of(&groups);
    assert_eq!(palette.highlighted.len(), MAX_HIGHLIGHTED);
    assert!(groups.variants[palette.highlighted[0]].baseline);
    assert_eq!(palette.colour(palette.highlighted[0]), INK);
    let coloured = (0..groups.variants.len()).filter(|index| palette.colour(*index) != OTHERS).count();
    assert_eq!(coloured, MAX_HIGHLIGHTED);
    let [baseline, best, ..] = palette.highlighted[..] else { panic!("two variants") };
    assert_eq!(palette.stacked([baseline, 9, best].into_iter()), [9, best, baseline]);
}

#[test]
fn few_seeds_are_drawn_and_nothing_is_claimed() {
    let forest = |figures: &'static [Figure]| figures.iter().find(|figure| figure.name == "forest").expect("drawn");
    let (five, two) = (forest(&figures()[0].1), forest(&figures()[1].1));
    assert!(five.svg().contains("95 % CI") && five.svg().contains(", p ") && five.caption.contains("Holm"));
    assert!(two.svg().contains("too few seeds (") && two.caption.contains("dots are seeds"), "{}", two.caption);
    assert!(five.svg().contains(">\nST-FPM\n<"), "the line at zero is named");
}

#[test]
fn curves_have_whole_epochs() {
    let figures = &figures()[4].1;
    assert!(figures.iter().any(|figure| figure.name.starts_with("loss-")));
    for figure in figures.iter().filter(|figure| figure.name.starts_with("loss-")) {
        let document = Document::parse(figure.svg()).expect("SVG");
        let epochs: Vec<String> = texts(&document).into_iter().map(|text| text.content).collect();
        assert_eq!(epochs.iter().filter(|text| *text == "2").count(), 2, "{epochs:?}");
    }
}
