//! Tables of the chosen trials: what was chosen, what the search promised, and what their own seeds say.

use crate::analysis::{Choice, Settled, Tuned, VariantDecision, Verdict};
use crate::config::DecideSettings;
use crate::report::table::{Cell, Column, Table, TableRow, Tone};
use crate::statistics::Answer;
use crate::text::{counted, short_p, signed};

/// Returns the tables of the chosen trials. `verdicts` are those on a fixed number of seeds.
pub(in crate::report) fn chosen(tuned: &Tuned, verdicts: &[Verdict]) -> Vec<Table> {
    let mut tables = Vec::new();
    if tuned.objective.is_some() {
        tables.push(choices(tuned));
    }
    match tuned.decide {
        Some(decide) => tables.push(decisions(tuned, &decide)),
        None if verdicts.is_empty() => {}
        None => tables.push(confirmation(tuned, verdicts)),
    }
    tables
}

fn choices(tuned: &Tuned) -> Table {
    let row = |choice: &Choice| {
        let promised = Cell::number(choice.promised, |value| format!("{value:.4}"));
        let cells =
            vec![Cell::text(&choice.variant), Cell::text(&choice.title), Cell::count(choice.candidates), promised];
        TableRow { cells, ..TableRow::default() }
    };
    let objective = tuned.objective.map(|objective| objective.to_string()).unwrap_or_default();
    Table {
        name: "chosen".to_owned(),
        title: "Chosen trials".to_owned(),
        columns: vec![
            Column::label("variant"),
            Column::label("chosen trial"),
            Column::number("trials", ["trials"]),
            Column::number("promised", ["promised"]),
        ],
        rows: tuned.choices.iter().map(row).collect(),
        remarks: None,
        notes: vec![format!(
            "{}Within each variant, the search chose the trial with the highest mean of {objective}, which uses no test image. \"Promised\" is \
             that mean. It is too high on average, because it is the highest of several.",
            match tuned.unchosen.is_empty() {
                true => String::new(),
                false => format!("No trial has all its values, so none is chosen: {}. ", tuned.unchosen.join(", ")),
            }
        )],
    }
}

/// Describes the seeds: "1, 2, 3, 4, 5".
fn seeds(tuned: &Tuned) -> String {
    tuned.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

fn decisions(tuned: &Tuned, decide: &DecideSettings) -> Table {
    let row = |decision: &VariantDecision| {
        let tone = match decision.settled {
            Settled::Answer(Answer::Better) => Tone::Up,
            Settled::Answer(Answer::Worse) => Tone::Down,
            _ => Tone::Plain,
        };
        let answer = Cell::text(decision.answer()).toned(tone);
        let answer = if decision.skewed { answer.remarked("skewed differences") } else { answer };
        let cells = vec![
            Cell::text(&decision.choice.variant),
            Cell::text(&decision.choice.title),
            answer,
            Cell::number(decision.mean, signed),
            Cell::interval(decision.interval),
            Cell::number(decision.p, short_p),
            Cell::count(decision.seeds),
        ];
        TableRow { cells, ..TableRow::default() }
    };
    let metric = decide.metric.label;
    Table {
        name: "decisions".to_owned(),
        title: format!("Decided by {metric}, against ST-FPM"),
        columns: vec![
            Column::label("variant"),
            Column::label("trial"),
            Column::prose("answer"),
            Column::number("mean gain", ["gain"]),
            Column::number("interval at any time", ["low", "high"]),
            Column::number("p at any time", ["p_anytime"]),
            Column::number("seeds", ["seeds"]),
        ],
        rows: tuned.decisions.iter().map(row).collect(),
        remarks: None,
        notes: vec![format!(
            "Seeds were added until each answer was settled, at most {}. Interval and p hold whenever one stops (confidence sequence of the \
             scale-invariant t e-process). Their error of {} is shared out over {}. \"Equivalent\" means that the interval lies \
             within ±{}. A gain above 0 means that the variant is better. Everything holds on these images, for normal differences. Seeds of \
             the comparison: {}.",
            decide.max_seeds,
            decide.alpha,
            counted(tuned.decisions.len(), "variant"),
            decide.margin,
            seeds(tuned)
        )],
    }
}

fn confirmation(tuned: &Tuned, verdicts: &[Verdict]) -> Table {
    let row = |verdict: &Verdict| {
        let cells = vec![
            Cell::text(&verdict.variant),
            Cell::text(verdict.metric.label),
            Cell::text(&verdict.verdict),
            Cell::number(Some(verdict.difference), signed),
            Cell::interval(verdict.interval),
            Cell::number(verdict.p, short_p),
            Cell::count(verdict.seeds),
        ];
        TableRow { cells, ..TableRow::default() }
    };
    Table {
        name: "confirmation".to_owned(),
        title: "Chosen trials against that of ST-FPM, on seeds that had no part in the choice".to_owned(),
        columns: vec![
            Column::label("chosen trial"),
            Column::label("metric"),
            Column::prose("verdict"),
            Column::number("mean difference", ["difference"]),
            Column::number("95 % confidence interval", ["low", "high"]),
            Column::number("p (Holm)", ["p_holm"]),
            Column::number("seeds", ["seeds"]),
        ],
        rows: verdicts.iter().map(row).collect(),
        remarks: None,
        notes: vec![format!(
            "Paired by category and seed, on the seeds {}. p is adjusted over the variants of one metric (Holm). ST-FPM was tuned on the same \
             points of the search as the variants, as far as it has these settings.",
            seeds(tuned)
        )],
    }
}
