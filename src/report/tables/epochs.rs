//! Shows the effect of the choice of epoch: selected, last and, on request, the best on test.

use crate::analysis::{Groups, Variant};
use crate::evaluate::Selection;
use crate::evaluate::{Fact, ResultName};
use crate::report::reproduce::anchor;
use crate::report::table::{Cell, Column, Table, TableRow};
use crate::statistics::summary;

/// Returns a table with one row per variant and category.
pub(in crate::report) fn epochs(groups: &Groups<'_>) -> Table {
    let has_oracle = groups.all().any(|run| groups.value(run, Selection::Oracle, Fact::Epoch).is_some());
    let mut selections = vec![(Selection::Selected, "selected"), (Selection::Last, "last epoch")];
    if has_oracle {
        selections.push((Selection::Oracle, "best on test (oracle)"));
    }
    let columns =
        || groups.metrics.iter().flat_map(|metric| selections.iter().map(move |selection| (metric, selection)));
    let row = |variant: &Variant, category: &str| {
        let chosen = values(groups, variant, category, Selection::Selected, Fact::Epoch)
            .iter()
            .map(f64::to_string)
            .collect::<Vec<_>>();
        let chosen = if chosen.is_empty() {
            Cell::absent("–")
        } else {
            Cell::text(chosen.join(", ")).linked(Some(anchor(variant, category)))
        };
        let numbers = columns().map(|(metric, (selection, _))| {
            Cell::of_seeds(summary(&values(groups, variant, category, *selection, *metric)))
        });
        let starts = [Cell::text(&variant.label), Cell::text(category), chosen];
        TableRow { baseline: variant.baseline, cells: starts.into_iter().chain(numbers).collect() }
    };
    let starts = [Column::label("variant"), Column::label("category"), Column::prose("selected epochs")];
    let numbers = columns().map(|(metric, (selection, heading))| {
        let fields = ["mean", "sd"].map(|field| format!("{selection}.{metric}.{field}"));
        Column::number(format!("{}\n{heading}", metric.label), fields)
    });
    let title = if has_oracle { "Selected epoch, last epoch and oracle" } else { "Selected epoch and last epoch" };
    let oracle = "The oracle selects each metric's best epoch on the test set itself. It shows how optimistic such a choice is, and is \
                  never compared.";
    Table {
        name: "epochs".to_owned(),
        title: groups.marked(title),
        columns: starts.into_iter().chain(numbers).collect(),
        rows: groups
            .variants
            .iter()
            .flat_map(|variant| groups.categories.iter().map(move |(category, _)| (variant, category)))
            .map(|(variant, category)| row(variant, category))
            .collect(),
        remarks: None,
        notes: has_oracle.then(|| oracle.to_owned()).into_iter().collect(),
    }
}

fn values<N: Copy>(groups: &Groups<'_>, variant: &Variant, category: &str, selection: Selection, name: N) -> Vec<f64>
where
    ResultName: PartialEq<N>,
{
    groups.cell(variant, category, selection, name).into_iter().map(|(_, value)| value).collect()
}
