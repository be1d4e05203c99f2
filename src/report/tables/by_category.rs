//! Tables by category: the best variant of each category, and whether a variant's difference depends on the category.

use crate::analysis::{ByCategory, CategoryVerdicts};
use crate::report::table::{Cell, Column, Table, TableRow};
use crate::statistics::Repeated;
use crate::text::{short_p, signed};

/// Returns the tables of each metric: the winners, and the tests over categories if there are any.
pub(in crate::report) fn by_category(all: &[ByCategory]) -> Vec<Table> {
    all.iter().flat_map(|of_metric| [Some(winners(of_metric)), heterogeneity(of_metric)]).flatten().collect()
}

fn winners(of_metric: &ByCategory) -> Table {
    let row = |category: &CategoryVerdicts| {
        let named = Cell::text(&category.category);
        let cells = match of_metric.winner(category) {
            Some(best) => vec![
                named,
                Cell::text(&best.variant),
                Cell::number(Some(best.difference), signed),
                Cell::interval(best.interval),
                Cell::number(best.p, short_p),
                Cell::text(&best.verdict),
            ],
            None => {
                let none = || Cell::number(None, signed);
                vec![
                    named,
                    Cell::text("ST-FPM"),
                    none(),
                    Cell::interval(None),
                    none(),
                    Cell::text("no variant has a better mean"),
                ]
            }
        };
        TableRow { cells, ..TableRow::default() }
    };
    let metric = of_metric.metric;
    Table {
        name: format!("winners-{metric}"),
        title: format!("Best variant of each category: {}", metric.label),
        columns: vec![
            Column::label("category"),
            Column::label("best variant"),
            Column::number("mean difference", ["difference"]),
            Column::number("95 % confidence interval", ["low", "high"]),
            Column::number("p (Holm)", ["p_holm"]),
            Column::prose("verdict"),
        ],
        rows: of_metric.categories.iter().map(row).collect(),
        remarks: None,
        notes: vec![
            "Differences from ST-FPM, paired by seed. p is adjusted over all variants and categories (Holm), because the best of them is shown. \
             The mean difference of the best is too high on average, and intervals are not adjusted."
                .to_owned(),
        ],
    }
}

fn heterogeneity(of_metric: &ByCategory) -> Option<Table> {
    let row = |(variant, test): &(String, Option<Repeated>)| {
        let test = (*test)?;
        let number = |value: f64| Cell::number(Some(value), |value| format!("{value:.2}"));
        let cells =
            vec![Cell::text(variant), number(test.f), number(test.epsilon), Cell::number(Some(test.p), short_p)];
        Some(TableRow { cells, ..TableRow::default() })
    };
    let rows: Vec<TableRow> = of_metric.heterogeneity.iter().filter_map(row).collect();
    let metric = of_metric.metric;
    (!rows.is_empty()).then(|| Table {
        name: format!("categories-differ-{metric}"),
        title: format!("Does the difference depend on the category? {}", metric.label),
        columns: vec![
            Column::label("variant"),
            Column::number("F", ["f"]),
            Column::number("ε", ["epsilon"]),
            Column::number("p", ["p"]),
        ],
        rows,
        remarks: None,
        notes: vec![
            "F test of the category in the table of paired differences, with seeds as blocks and Greenhouse–Geisser's ε; from five seeds on. A \
             small p says that categories gain differently. p is not adjusted."
                .to_owned(),
        ],
    })
}
