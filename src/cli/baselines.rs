//! `didact baselines`: the published results that didact contains, each with its source.

use std::collections::BTreeSet;

use serde::Serialize;

use super::failure::Failure;
use super::output::{print, print_json, table};
use crate::config::similar_name;
use crate::exit::Exit;
use crate::published::published;
use crate::published::{PublishedResult, published_names};

/// Arguments of `didact baselines`.
#[derive(Debug, clap::Args)]
pub(super) struct BaselinesArgs {
    /// Show only this category, e.g. bottle; "mean" is the mean over all categories.
    #[arg(long)]
    category: Option<String>,
    /// Show only this metric, e.g. `pixel_auroc`.
    #[arg(long)]
    metric: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Rows of one published table.
#[derive(Debug, Serialize)]
struct PublishedTable {
    table: &'static str,
    rows: Vec<PublishedResult>,
}

/// Runs the verb.
pub(super) fn run(args: &BaselinesArgs) -> Result<Exit, Failure> {
    let mut tables = Vec::new();
    for table in published_names() {
        tables.push(PublishedTable { table, rows: published(table)? });
    }
    check(&tables, "category", args.category.as_deref(), |row| &row.category)?;
    check(&tables, "metric", args.metric.as_deref(), |row| &row.metric)?;
    let wanted = |asked: &Option<String>, value: &str| asked.as_deref().is_none_or(|asked| asked == value);
    for table in &mut tables {
        table.rows.retain(|row| wanted(&args.category, &row.category) && wanted(&args.metric, &row.metric));
    }
    tables.retain(|table| !table.rows.is_empty());
    if args.json {
        print_json(&tables)?;
    } else {
        print_tables(&tables)?;
    }
    Ok(Exit::Done)
}

/// Returns an error if no row has the value that was asked for.
fn check(
    tables: &[PublishedTable],
    column: &str,
    asked: Option<&str>,
    value: impl Fn(&PublishedResult) -> &String,
) -> Result<(), Failure> {
    let known: BTreeSet<&str> = tables.iter().flat_map(|table| &table.rows).map(|row| value(row).as_str()).collect();
    let known: Vec<&str> = known.into_iter().collect();
    match asked {
        Some(asked) if !known.contains(&asked) => {
            let hint = similar_name(asked, &known).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
            let message = format!(
                "no published result has the {column} `{asked}`; --{column} can be: {}{hint}",
                known.join(", ")
            );
            Err(Failure::usage(message))
        }
        _ => Ok(()),
    }
}

fn print_tables(tables: &[PublishedTable]) -> Result<(), Failure> {
    let cells = |name: &str, row: &PublishedResult| {
        let texts = [&row.category, &row.metric, &row.value.to_string(), name, &row.model, &row.note];
        texts.map(str::to_owned).to_vec()
    };
    let rows: Vec<Vec<String>> =
        tables.iter().flat_map(|table| table.rows.iter().map(|row| cells(table.table, row))).collect();
    if rows.is_empty() {
        return print("no published result has both this category and this metric; leave out --category or --metric");
    }
    print(&table(&["category", "metric", "value", "table", "model", "note"], &rows))?;
    print("\nsources")?;
    for table in tables {
        let sources: BTreeSet<&str> = table.rows.iter().map(|row| row.source.as_str()).collect();
        print(&format!("{}: {}", table.table, sources.into_iter().collect::<Vec<_>>().join("; ")))?;
    }
    Ok(())
}
