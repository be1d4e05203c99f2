//! Parses the command line and calls the verb.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use super::global::Global;
use super::start::{parse, start};
use super::{
    baselines, cancel, check, compare, data, delete, devices, export, gc, list, note, predict, rename, report, schema,
    serve, slurm, speed, status, store, submit, sweep, sweep_args, tag, watch, weights, why, worker,
};
use crate::exit::Exit;

/// Run, compare and report teacher–student anomaly-detection experiments.
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
    format!("Exit codes: {codes}. A closed output pipe changes none of them.")
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run a sweep and write its report.
    Sweep(sweep_args::SweepArgs),
    /// Plan a sweep and submit its workers to Slurm.
    Slurm(slurm::SlurmArgs),
    /// List the sweeps in the store.
    List(list::ListArgs),
    /// Show the progress of a sweep.
    Status(status::StatusArgs),
    /// Show a running sweep in the terminal.
    Watch(watch::WatchArgs),
    /// Show the sweeps of the store in a browser while they run.
    Serve(serve::ServeArgs),
    /// Explain the state of a run, trial or stage, and how to repeat it.
    Why(why::WhyArgs),
    /// Cancel the unfinished runs of a sweep or trial, or one run.
    Cancel(cancel::CancelArgs),
    /// Delete a sweep and the runs that no other sweep needs.
    Delete(delete::DeleteArgs),
    /// Rename a sweep.
    Rename(rename::RenameArgs),
    /// Show, add or remove the tags of a sweep.
    Tag(tag::TagArgs),
    /// Show, set or remove the note of a sweep.
    Note(note::NoteArgs),
    /// Remove artifacts that no run needs.
    Gc(gc::GcArgs),
    /// Check, repair, merge or back up stores.
    #[command(subcommand)]
    Store(store::StoreVerb),
    /// Write the report of a sweep.
    Report(report::ReportArgs),
    /// Score new images with a finished run.
    Predict(predict::PredictArgs),
    /// Write and check a submission of MVTec AD 2: the maps of its private images.
    Submit(submit::SubmitArgs),
    /// Test whether trials differ, and by how much.
    Compare(compare::CompareArgs),
    /// Export a sweep's numbers or tables.
    Export(export::ExportArgs),
    /// List published results of ST-FPM with their sources.
    Baselines(baselines::BaselinesArgs),
    /// Print the settings of a sweep file as a JSON schema or a page.
    Schema(schema::SchemaArgs),
    /// Check a data set, or draw the synthetic one.
    #[command(subcommand)]
    Data(data::DataVerb),
    /// Check, download or train teacher weights.
    #[command(subcommand)]
    Weights(weights::WeightsVerb),
    /// List the devices that stages can run on.
    Devices(devices::DevicesArgs),
    /// Compare every operation of a device with recorded values and with the CPU.
    Check(check::CheckArgs),
    /// Measure training steps on a device.
    Speed(speed::SpeedArgs),
    /// Run a worker of a sweep; `didact sweep` starts its own.
    #[command(hide = true)]
    Worker(worker::WorkerArgs),
}

/// Runs the command line and prints an error if it fails.
pub fn main() -> ExitCode {
    let Arguments { global, verb } = match parse() {
        Ok(arguments) => arguments,
        Err(exit) => return exit,
    };
    start(global.log, |runtime| match verb {
        Verb::Sweep(args) => runtime.block_on(sweep::run(&args, &global)),
        Verb::Slurm(args) => runtime.block_on(slurm::run(&args, &global)),
        Verb::List(args) => runtime.block_on(list::run(&args, &global)),
        Verb::Delete(args) => runtime.block_on(delete::run(&args, &global)),
        Verb::Rename(args) => runtime.block_on(rename::run(&args, &global)),
        Verb::Tag(args) => runtime.block_on(tag::run(&args, &global)),
        Verb::Note(args) => runtime.block_on(note::run(&args, &global)),
        Verb::Status(args) => runtime.block_on(status::run(&args, &global)),
        Verb::Watch(args) => runtime.block_on(watch::run(&args, &global)),
        Verb::Serve(args) => runtime.block_on(serve::run(&args, &global)),
        Verb::Why(args) => runtime.block_on(why::run(&args, &global)),
        Verb::Cancel(args) => runtime.block_on(cancel::run(&args, &global)),
        Verb::Gc(args) => runtime.block_on(gc::run(&args, &global)),
        Verb::Store(verb) => runtime.block_on(store::run(&verb, &global)),
        Verb::Report(args) => runtime.block_on(report::run(&args, &global)),
        Verb::Predict(args) => runtime.block_on(predict::run(&args, &global)),
        Verb::Submit(args) => runtime.block_on(submit::run(&args, &global)),
        Verb::Compare(args) => runtime.block_on(compare::run(&args, &global)),
        Verb::Export(args) => runtime.block_on(export::run(&args, &global)),
        Verb::Baselines(args) => baselines::run(&args),
        Verb::Schema(args) => schema::run(&args),
        Verb::Data(verb) => data::run(&verb),
        Verb::Weights(verb) => weights::run(&verb),
        Verb::Devices(args) => devices::run(&args),
        Verb::Check(args) => check::run(&args),
        Verb::Speed(args) => speed::run(&args),
        Verb::Worker(args) => runtime.block_on(worker::run(&args, &global)),
    })
}
