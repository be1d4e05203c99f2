//! Parsing, and the way to the verbs.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::global::Global;
use super::start::{parse, start};
use super::worker::Runner;
use super::{
    baselines, cancel, compare, data, delete, export, gc, list, predict, rename, report, schema, status, store, sweep,
    sweep_args, weights, why, worker,
};
use crate::exit::Exit;

/// Teacher–student anomaly-detection experiments: sweeps that cannot be lost, reports that say how sure they are.
#[derive(Debug, Parser)]
#[command(
    name = "didact",
    version = crate::VERSION,
    after_help = exit_codes()
)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

fn exit_codes() -> String {
    let codes = Exit::ALL.into_iter().filter_map(|exit| Some(format!("{} {}", exit.code(), exit.meaning()?)));
    let codes = codes.collect::<Vec<_>>().join("; ");
    format!("Exit codes: {codes}. A reader that closes its pipe early changes none of them.")
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run a sweep file (without one, the embedded demo) and write its report.
    Sweep(sweep_args::SweepArgs),
    /// List the sweeps of the store.
    List(list::ListArgs),
    /// Tell how sweeps stand.
    Status(status::StatusArgs),
    /// Tell why a run, trial or stage is as it is, and how to make it again.
    Why(why::WhyArgs),
    /// Cancel the runs of a sweep or trial that are not over, or one run.
    Cancel(cancel::CancelArgs),
    /// Delete a sweep, with the runs that no other sweep wants.
    Delete(delete::DeleteArgs),
    /// Give a sweep another name.
    Rename(rename::RenameArgs),
    /// Remove artifacts that no run needs.
    Gc(gc::GcArgs),
    /// Look whether the store and its artifacts are whole, or copy the store while it is in use.
    #[command(subcommand)]
    Store(store::StoreVerb),
    /// Write the report of a sweep.
    Report(report::ReportArgs),
    /// Write maps, overlays and scores of any images by a run that is done.
    Predict(predict::PredictArgs),
    /// Tell whether one trial is better than another, and how sure that is.
    Compare(compare::CompareArgs),
    /// Write a sweep's numbers for other programs, or its tables for a paper.
    Export(export::ExportArgs),
    /// List published numbers of ST-FPM, with their sources.
    Baselines(baselines::BaselinesArgs),
    /// Describe the settings of a sweep file: a JSON schema for editors, or a page.
    Schema(schema::SchemaArgs),
    /// Look at a data set, or draw the synthetic one.
    #[command(subcommand)]
    Data(data::DataVerb),
    /// Look at a weight file, or train the demo's teacher.
    #[command(subcommand)]
    Weights(weights::WeightsVerb),
    /// Serve a sweep; `sweep` starts these itself.
    #[command(hide = true)]
    Worker(worker::WorkerArgs),
}

/// Parses, runs, tells what went wrong.
pub fn main() -> ExitCode {
    let Arguments { global, verb } = match parse() {
        Ok(arguments) => arguments,
        Err(exit) => return exit,
    };
    start(global.log, |runtime| match verb {
        Verb::Sweep(args) => runtime.block_on(sweep::run(&args, &global)),
        Verb::List(args) => runtime.block_on(list::run(&args, &global)),
        Verb::Delete(args) => runtime.block_on(delete::run(&args, &global)),
        Verb::Rename(args) => runtime.block_on(rename::run(&args, &global)),
        Verb::Status(args) => runtime.block_on(status::run(&args, &global)),
        Verb::Why(args) => runtime.block_on(why::run(&args, &global)),
        Verb::Cancel(args) => runtime.block_on(cancel::run(&args, &global)),
        Verb::Gc(args) => runtime.block_on(gc::run(&args, &global)),
        Verb::Store(verb) => runtime.block_on(store::run(&verb, &global)),
        Verb::Report(args) => runtime.block_on(report::run(&args, &global)),
        Verb::Predict(args) => runtime.block_on(predict::run(&args, &global)),
        Verb::Compare(args) => runtime.block_on(compare::run(&args, &global)),
        Verb::Export(args) => runtime.block_on(export::run(&args, &global)),
        Verb::Baselines(args) => baselines::run(&args),
        Verb::Schema(args) => schema::run(&args),
        Verb::Data(verb) => data::run(&verb),
        Verb::Weights(verb) => weights::run(&verb),
        Verb::Worker(args) => runtime.block_on(worker::run(&args, &global, &Runner::CPU)),
    })
}
