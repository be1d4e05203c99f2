//! `didact compare`: tests whether trials differ.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;

use super::destination::Destination;
use super::failure::Failure;
use super::global::Global;
use super::metrics::{NamedMetrics, metric_names, metrics_of};
use super::output::{print, print_json, table};
use crate::analysis::{
    Incomparable, RankTest, Side, Tuned, Verdict, by_trial, rank_tests, shown_metrics, tuned_of, verdicts,
};
use crate::config::ReportSettings;
use crate::evaluate::metrics::Metric;
use crate::exit::Exit;
use crate::outputs::ForeignFiles;
use crate::plan::trial_number;
use crate::report::{ComparedPair, JobsOfRuns, comparison_page};
use crate::store::{Access, Compared, Named, Store};
use crate::terminal::say;
use crate::text::{counted, p_value};

/// Arguments of `didact compare`.
#[derive(Debug, clap::Args)]
pub(super) struct CompareArgs {
    /// Reference of the comparison.
    ///
    /// A trial (T07 or SWEEP:T07), the first digits of the key of a trial or run, a variant (SWEEP:LABEL), or a sweep with one trial. If a sweep
    /// has chosen trials, a variant is its chosen trial on the seeds of the comparison.
    reference: String,
    /// Trials, runs, variants or sweeps to compare with the reference.
    #[arg(required = true)]
    others: Vec<String>,
    /// Also compare numbers of different protocols (map rule, size, data), and mark them.
    #[arg(long)]
    across_protocols: bool,
    /// Compare the runs of one category only.
    #[arg(long, value_name = "NAME")]
    category: Option<String>,
    /// Metrics to compare or a preset, comma-separated [default: `report.metrics` of the reference's sweep].
    ///
    /// For a reference that is named by its key, the default is pixel AUROC, image AUROC and AUPRO.
    #[arg(long = "metric", visible_alias = "metrics", value_name = "NAMES", value_delimiter = ',', value_parser = metric_names())]
    metrics: Vec<NamedMetrics>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Also write a page to this file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Move an existing FILE that no comparison wrote to `replaced` in its folder.
    #[arg(long, requires = "html")]
    force: bool,
}

/// Result of the comparison.
#[derive(Serialize)]
struct Comparison {
    verdicts: Vec<Verdict>,
    /// Friedman tests over categories, if there are enough trials and categories.
    friedman: Vec<RankTest>,
}

/// Runs the verb.
pub(super) async fn run(args: &CompareArgs, global: &Global) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, Access::Read).await?;
    let artifacts = global.artifacts()?;
    let (mut sides, mut compared, mut decided) = (Vec::new(), Vec::new(), BTreeSet::new());
    for name in std::iter::once(&args.reference).chain(&args.others) {
        let rows = rows(&store, name, &mut decided).await?;
        sides.push(Side::of(name, &rows, &artifacts).map_err(with_hint)?);
        compared.push(rows);
    }
    for sweep in decided {
        say(&format!("note: seeds that [decide] added are left out: {}", why_left_out(&sweep)));
    }
    if let Some(category) = &args.category {
        sides = sides.iter().map(|side| side.in_category(category)).collect();
    }
    let metrics = metrics(args, &store).await?;
    let verdicts = verdicts(&sides[0], &sides[1..], &metrics, args.across_protocols).map_err(with_hint)?;
    let comparison = Comparison { verdicts, friedman: rank_tests(&sides, &metrics) };
    if let Some(path) = &args.html {
        let mut page = Destination::open(Some(path), "comparison", ForeignFiles::forced(args.force))?;
        let two = [&sides[0], &sides[1]];
        let jobs = JobsOfRuns::read(&store, [&compared[0], &compared[1]], two).await?;
        let pair = ComparedPair::of(two, &jobs, &metrics, &artifacts)?;
        let text = comparison_page(&comparison.verdicts, &comparison.friedman, pair.as_ref());
        let written = page.write_all(text.as_bytes());
        page.close(written)?;
    }
    if args.json {
        print_json(&comparison)?;
    } else {
        print_comparison(&comparison)?;
    }
    Ok(Exit::Done)
}

/// Returns the requested metrics; by default, those of the reference's sweep.
async fn metrics(args: &CompareArgs, store: &Store) -> Result<Vec<Metric>, Failure> {
    if !args.metrics.is_empty() {
        return Ok(metrics_of(&args.metrics));
    }
    Ok(match store.find(args.reference.split_once(':').map_or(&args.reference, |(sweep, _)| sweep)).await? {
        Named::Sweep(id, _) | Named::TrialOf { sweep: id, .. } => shown_metrics(&store.sweep_row(&id).await?, &[]),
        Named::Trial(_) | Named::Run(_) | Named::Stage(_) => ReportSettings::METRICS.to_vec(),
    })
}

/// Converts the error; adds a hint if a flag helps.
fn with_hint(error: Incomparable) -> Failure {
    let hint = match &error {
        Incomparable::DifferentProtocols { .. } => "; add --across-protocols to compare them and mark the result",
        Incomparable::AmbiguousName { .. } | Incomparable::NoFinishedRun(_) | Incomparable::NoCommonSeed(..) => "",
    };
    Failure::from(error).with_hint(hint)
}

/// Returns the runs with this name; their variants are the titles of their trials (id and settings).
///
/// Leaves out seeds that `[decide]` added, and adds the name of their sweep to `decided`.
async fn rows(store: &Store, name: &str, decided: &mut BTreeSet<String>) -> Result<Compared, Failure> {
    let mut rows = named_rows(store, name, decided).await?;
    rows.runs.iter_mut().for_each(|run| run.variant.clone_from(&run.title));
    Ok(rows)
}

/// Returns the runs with this name: a key, a trial's short id, a sweep, or `SWEEP:LABEL`.
async fn named_rows(store: &Store, name: &str, decided: &mut BTreeSet<String>) -> Result<Compared, Failure> {
    let Some((sweep, label)) = name.split_once(':').filter(|(_, label)| trial_number(label).is_none()) else {
        let named = store.find(name).await?;
        let mut rows = store.compared(&named).await?;
        if let Named::Sweep(id, sweep) | Named::TrialOf { sweep: id, name: sweep, .. } = &named {
            let tuned = tuned_of(store, &store.sweep_row(id).await?).await?;
            leave_out_added(tuned.as_ref(), sweep, &mut rows, decided)?;
        }
        return Ok(rows);
    };
    let mut rows = store.compared(&store.find(sweep).await?).await?;
    let mut labels: Vec<String> = rows.runs.iter().map(|run| run.variant.clone()).collect();
    labels.sort_unstable();
    labels.dedup();
    rows.runs.retain(|run| run.variant == label);
    if let Named::Sweep(id, _) = store.find(sweep).await? {
        let tuned = tuned_of(store, &store.sweep_row(&id).await?).await?;
        tuned.iter().for_each(|tuned| tuned.retain(label, &mut rows.runs));
        leave_out_added(tuned.as_ref(), sweep, &mut rows, decided)?;
    }
    if rows.runs.is_empty() {
        let message = format!("`{sweep}` has no variant `{label}`; it has: {}", labels.join("; "));
        return Err(Failure::usage(message));
    }
    Ok(rows)
}

/// Leaves out the runs on seeds that `[decide]` added. If none is left, returns an error that says why.
fn leave_out_added(
    tuned: Option<&Tuned>,
    sweep: &str,
    rows: &mut Compared,
    decided: &mut BTreeSet<String>,
) -> Result<(), Failure> {
    if tuned.is_some_and(|tuned| tuned.drop_added(&mut rows.runs)) {
        decided.insert(sweep.to_owned());
        if rows.runs.is_empty() {
            return Err(Failure::usage(format!(
                "[decide] added all seeds of this comparison, but {}",
                why_left_out(sweep)
            )));
        }
    }
    Ok(())
}

fn why_left_out(sweep: &str) -> String {
    format!("a test for a fixed number of seeds does not hold for them; `didact status {sweep}` shows the decision")
}

fn print_comparison(comparison: &Comparison) -> Result<(), Failure> {
    by_trial(&comparison.verdicts).iter().try_for_each(|verdicts| print_verdicts(verdicts))?;
    comparison.friedman.iter().try_for_each(print_ranks)
}

/// Prints the verdicts on one trial.
fn print_verdicts(verdicts: &[&Verdict]) -> Result<(), Failure> {
    let Some(first) = verdicts.first() else { return Ok(()) };
    print(&format!("{} against {}", first.variant, first.reference))?;
    if let Some(what) = &first.across {
        print(&format!("ACROSS PROTOCOLS ({what}): the numbers do not measure the same thing"))?;
    }
    let head = ["metric", "mean", "reference", "difference", "95 % interval", "p (Holm)", "verdict"];
    print(&table(&head, &verdicts.iter().map(|verdict| verdict.cells()).collect::<Vec<_>>()))?;
    for verdict in verdicts {
        let without = verdict.without().map(|without| format!(" ({without}: a number is missing)"));
        print(&format!(
            "{}: {}{}, {} in common; interval: {}",
            verdict.metric,
            counted(verdict.seeds, "seed"),
            without.unwrap_or_default(),
            counted(verdict.categories, "category"),
            verdict.method
        ))?;
    }
    for verdict in verdicts {
        for (category, seed, p) in &verdict.delong {
            print(&format!(
                "DeLong, image AUROC, {category}, seed {seed}: p {}, not adjusted (for other images, with these two networks)",
                p_value(*p)
            ))?;
        }
        if let Some(p) = verdict.over_categories {
            print(&format!("Wilcoxon over categories, {}: p (Holm) {}", verdict.metric, p_value(p)))?;
        }
    }
    Ok(())
}

fn print_ranks(test: &RankTest) -> Result<(), Failure> {
    print(&format!("{}: {}", test.metric, test.description()))?;
    test.mean_ranks.iter().try_for_each(|(label, rank)| print(&format!("  {rank:.2}  {label}")))
}
