//! `didact compare`: whether trials differ, and how sure that is.

use super::exit::{Exit, Failure};
use super::global::Global;
use super::output::{print, print_json, table};
use crate::report::{Incomparable, Side, Verdict, verdicts};
use crate::store::{Access, Store};

/// Arguments of `didact compare`.
#[derive(Debug, clap::Args)]
pub(super) struct CompareArgs {
    /// What the others are compared with: a trial, a run, or a sweep of one trial (first digits of a key, or a name).
    reference: String,
    /// What is compared with it.
    #[arg(required = true)]
    others: Vec<String>,
    /// Compare numbers that were measured in different ways (map rule, size, data), and mark them.
    #[arg(long)]
    across_protocols: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(super) async fn run(args: &CompareArgs, global: &Global) -> Result<Exit, Failure> {
    let usage = |error: Incomparable| match error {
        Incomparable::Protocols { .. } => {
            Failure::new(Exit::Usage, format!("{error}; --across-protocols compares them all the same, and says so"))
        }
        error => Failure::new(Exit::Usage, error.to_string()),
    };
    let store = Store::open(&global.store, Access::Read).await?;
    let mut sides = Vec::new();
    for name in std::iter::once(&args.reference).chain(&args.others) {
        let named = store.find(name).await?;
        sides.push(Side::of(name, &store.compared(&named).await?).map_err(usage)?);
    }
    let verdicts = verdicts(&sides[0], &sides[1..], args.across_protocols).map_err(usage)?;
    if args.json {
        print_json(&verdicts)?;
    } else {
        tell(&verdicts)?;
    }
    Ok(Exit::Done)
}

fn tell(verdicts: &[Verdict]) -> Result<(), Failure> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for verdict in verdicts {
        let pair = (verdict.variant.as_str(), verdict.reference.as_str());
        if !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    for (variant, reference) in pairs {
        let of_pair: Vec<&Verdict> =
            verdicts.iter().filter(|v| (v.variant.as_str(), v.reference.as_str()) == (variant, reference)).collect();
        print(&format!("{variant} against {reference}"))?;
        if let Some(what) = of_pair.first().and_then(|verdict| verdict.across.as_ref()) {
            print(&format!("ACROSS PROTOCOLS ({what}): the numbers do not measure the same thing"))?;
        }
        let head = ["metric", "mean", "reference", "difference", "95 % interval", "p (Holm)", "verdict"];
        print(&table(&head, &of_pair.iter().map(|verdict| verdict.cells()).collect::<Vec<_>>()))?;
        if let Some(first) = of_pair.first() {
            print(&format!("{} seed(s), {} category(ies) in common; {}", first.seeds, first.categories, first.method))?;
        }
        for verdict in &of_pair {
            for (category, seed, p) in &verdict.delong {
                print(&format!(
                    "DeLong, image AUROC, {category}, seed {seed}: p = {p:.3} (other images, these two networks)"
                ))?;
            }
            if let Some(p) = verdict.over_categories {
                print(&format!("Wilcoxon over categories, {}: p = {p:.3}", verdict.metric))?;
            }
        }
    }
    Ok(())
}
