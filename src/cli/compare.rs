//! `didact compare`: whether trials differ, and how sure that is.

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;

use super::destination::Destination;
use super::failure::Failure;
use super::global::Global;
use super::metrics::metric_names;
use super::output::{print, print_json, table};
use crate::analysis::{Incomparable, RankTest, Side, Verdict, by_trial, rank_tests, shown, verdicts};
use crate::config::ReportSettings;
use crate::evaluate::metrics::Metric;
use crate::exit::Exit;
use crate::outputs::ForeignFiles;
use crate::plan::trial_number;
use crate::report::comparison_page;
use crate::store::{Access, Compared, Named, Store};
use crate::text::p_value;

/// Arguments of `didact compare`.
#[derive(Debug, clap::Args)]
pub(super) struct CompareArgs {
    /// What the others are compared with: a trial (T07, or SWEEP:T07), a trial or run by the first digits of its key, a variant of
    /// a sweep (SWEEP:LABEL), or a sweep of one trial.
    reference: String,
    /// What is compared with it.
    #[arg(required = true)]
    others: Vec<String>,
    /// Compare numbers that were measured in different ways (map rule, size, data), and mark them.
    #[arg(long)]
    across_protocols: bool,
    /// Metrics to compare, with commas [default: `report.metrics` of the reference's sweep, or pixel AUROC, image AUROC and AUPRO
    /// where the reference is named by a key].
    #[arg(long = "metric", visible_alias = "metrics", value_name = "NAMES", value_delimiter = ',', value_parser = metric_names())]
    metrics: Vec<Metric>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Write a page to this file, too.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Move what stands there aside, to `replaced` beside it, where no comparison wrote it.
    #[arg(long, requires = "html")]
    force: bool,
}

/// What is told.
#[derive(Serialize)]
struct Told {
    verdicts: Vec<Verdict>,
    /// Over categories, where there are enough trials and categories.
    friedman: Vec<RankTest>,
}

/// Runs the verb.
pub(super) async fn run(args: &CompareArgs, global: &Global) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, Access::Read).await?;
    let artifacts = global.artifacts();
    let mut sides = Vec::new();
    for name in std::iter::once(&args.reference).chain(&args.others) {
        sides.push(Side::of(name, &rows(&store, name).await?, &artifacts).map_err(advised)?);
    }
    let metrics = metrics(args, &store).await?;
    let verdicts = verdicts(&sides[0], &sides[1..], &metrics, args.across_protocols).map_err(advised)?;
    let told = Told { verdicts, friedman: rank_tests(&sides, &metrics) };
    if let Some(path) = &args.html {
        let mut page = Destination::open(Some(path), "comparison", ForeignFiles::forced(args.force))?;
        let written = page.write_all(comparison_page(&told.verdicts, &told.friedman).as_bytes());
        page.close(written)?;
    }
    if args.json {
        print_json(&told)?;
    } else {
        tell(&told)?;
    }
    Ok(Exit::Done)
}

/// The metrics that were asked for, else those of the sweep by which the reference is named.
async fn metrics(args: &CompareArgs, store: &Store) -> Result<Vec<Metric>, Failure> {
    if !args.metrics.is_empty() {
        return Ok(args.metrics.clone());
    }
    Ok(match store.find(args.reference.split_once(':').map_or(&args.reference, |(sweep, _)| sweep)).await? {
        Named::Sweep(id, _) | Named::TrialOf { sweep: id, .. } => shown(&store.sweep_row(&id).await?, &[]),
        Named::Trial(_) | Named::Run(_) | Named::Stage(_) => ReportSettings::METRICS.to_vec(),
    })
}

fn advised(error: Incomparable) -> Failure {
    let advice = match &error {
        Incomparable::Protocols { .. } => "; --across-protocols compares them all the same, and says so",
        Incomparable::Several { .. } | Incomparable::Nothing(_) | Incomparable::Apart(..) => "",
    };
    Failure::from(error).advised(advice)
}

/// The runs that a name stands for, their trials called by ids and settings.
async fn rows(store: &Store, name: &str) -> Result<Compared, Failure> {
    let mut rows = named_rows(store, name).await?;
    rows.runs.iter_mut().for_each(|run| run.variant.clone_from(&run.title));
    Ok(rows)
}

/// The runs that a name stands for: a key, a trial's short id, a sweep, or `SWEEP:LABEL`.
async fn named_rows(store: &Store, name: &str) -> Result<Compared, Failure> {
    let Some((sweep, label)) = name.split_once(':').filter(|(_, label)| trial_number(label).is_none()) else {
        return Ok(store.compared(&store.find(name).await?).await?);
    };
    let mut rows = store.compared(&store.find(sweep).await?).await?;
    let mut labels: Vec<String> = rows.runs.iter().map(|run| run.variant.clone()).collect();
    labels.sort_unstable();
    labels.dedup();
    rows.runs.retain(|run| run.variant == label);
    if rows.runs.is_empty() {
        let message = format!("`{sweep}` has no variant `{label}`; it has: {}", labels.join("; "));
        return Err(Failure::usage(message));
    }
    Ok(rows)
}

fn tell(told: &Told) -> Result<(), Failure> {
    by_trial(&told.verdicts).iter().try_for_each(|verdicts| tell_trial(verdicts))?;
    told.friedman.iter().try_for_each(tell_ranks)
}

fn tell_trial(verdicts: &[&Verdict]) -> Result<(), Failure> {
    let Some(first) = verdicts.first() else { return Ok(()) };
    print(&format!("{} against {}", first.variant, first.reference))?;
    if let Some(what) = &first.across {
        print(&format!("ACROSS PROTOCOLS ({what}): the numbers do not measure the same thing"))?;
    }
    let head = ["metric", "mean", "reference", "difference", "95 % interval", "p (Holm)", "verdict"];
    print(&table(&head, &verdicts.iter().map(|verdict| verdict.cells()).collect::<Vec<_>>()))?;
    for verdict in verdicts {
        let without = verdict.without().map(|without| format!(" ({without}, for a number is missing)"));
        print(&format!(
            "{}: {} seed(s){}, {} category(ies) in common; interval: {}",
            verdict.metric,
            verdict.seeds,
            without.unwrap_or_default(),
            verdict.categories,
            verdict.method
        ))?;
    }
    for verdict in verdicts {
        for (category, seed, p) in &verdict.delong {
            print(&format!(
                "DeLong, image AUROC, {category}, seed {seed}: p {}, not adjusted (other images, these two networks)",
                p_value(*p)
            ))?;
        }
        if let Some(p) = verdict.over_categories {
            print(&format!("Wilcoxon over categories, {}: p (Holm) {}", verdict.metric, p_value(p)))?;
        }
    }
    Ok(())
}

fn tell_ranks(test: &RankTest) -> Result<(), Failure> {
    print(&format!("{}: {}", test.metric, test.told()))?;
    test.mean_ranks.iter().try_for_each(|(label, rank)| print(&format!("  {rank:.2}  {label}")))
}
