//! Parses the command line and calls the verb.

use std::process::ExitCode;

use clap::{Command, CommandFactory, Parser, Subcommand};

use super::global::Global;
use super::start::{parse, start};
use super::{
    baselines, cancel, check, compare, completions, data, delete, devices, examples, export, gc, help, list, man, note,
    predict, rename, report, schema, serve, slurm, speed, status, store, submit, sweep, sweep_args, tag, watch,
    weights, why, worker,
};
use crate::exit::Exit;

/// Run, compare and report teacher–student anomaly-detection experiments.
#[derive(Debug, Parser)]
#[command(
    name = "didact",
    version = crate::VERSION,
    after_help = exit_codes(),
    after_long_help = format!("{}\n\n`didact help` also lists topics, and `didact help TOPIC` explains one.", exit_codes()),
    disable_help_subcommand = true
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
    ///
    /// Plans the sweep, trains what is not in the store yet, and writes the report. It can be stopped or killed at any time; the same
    /// command continues it. At the end it prints the answer and the best variants.
    Sweep(sweep_args::SweepArgs),
    /// Plan a sweep and submit its workers to Slurm.
    ///
    /// Needs a store on a PostgreSQL server, and a folder or an object store for artifacts that all nodes share.
    Slurm(slurm::SlurmArgs),
    /// List the sweeps in the store.
    List(list::ListArgs),
    /// Show the progress of a sweep.
    ///
    /// Without a name, shows the latest sweep: its runs, stages and workers, failures with their logs, and the time left.
    Status(status::StatusArgs),
    /// Show a running sweep in the terminal.
    Watch(watch::WatchArgs),
    /// Show the sweeps of the store in a browser while they run.
    Serve(serve::ServeArgs),
    /// Explain the state of a run, trial or stage, and how to repeat it.
    ///
    /// Says why it is not done, lists the runs that share it, and prints the command that repeats it in a separate sweep.
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
    ///
    /// Removes leftovers of killed processes and artifacts of deleted sweeps. It never removes a file that the store does not know.
    Gc(gc::GcArgs),
    /// Check, repair, merge or back up stores.
    #[command(subcommand)]
    Store(store::StoreVerb),
    /// Write the report of a sweep.
    ///
    /// Without a name, writes that of the latest sweep. The report is one folder that loads nothing from the network.
    Report(report::ReportArgs),
    /// Score new images with a finished run.
    ///
    /// Processes images like the test images of the run, and writes a map, an overlay and a verdict for each.
    Predict(predict::PredictArgs),
    /// Write and check a submission of MVTec AD 2: the maps of its private images.
    Submit(submit::SubmitArgs),
    /// Test whether trials differ, and by how much.
    ///
    /// Compares each trial with the first one: interval, test, effect size, and how many seeds would settle an open answer.
    Compare(compare::CompareArgs),
    /// Export a sweep's numbers or tables.
    ///
    /// The formats csv, json and parquet have one row per number, or per run with --shape wide. The formats md and latex are tables for papers.
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
    /// Explain a topic or a command.
    Help(help::HelpArgs),
    /// Print the manual page, or write those of all commands.
    Man(man::ManArgs),
    /// Print a script that completes commands and options in a shell.
    Completions(completions::CompletionsArgs),
    /// Run a worker of a sweep; `didact sweep` starts its own.
    #[command(hide = true)]
    Worker(worker::WorkerArgs),
}

/// Returns the whole command line, for parsing and for all its descriptions.
pub(super) fn command() -> Command {
    examples::add_to(Arguments::command())
}

/// Returns the command line with the full name of each verb and with the options of all commands, for texts about it.
pub(super) fn built_command() -> Command {
    let mut command = command();
    command.build();
    command
}

/// Runs the command line and prints an error if it fails.
pub fn main() -> ExitCode {
    let Arguments { global, verb } = match parse(command()) {
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
        Verb::Help(args) => help::run(&args),
        Verb::Man(args) => man::run(&args),
        Verb::Completions(args) => completions::run(&args),
        Verb::Worker(args) => runtime.block_on(worker::run(&args, &global)),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Renders the page "Command line" of the documentation: the long help of each verb. Options of all commands appear once.
    fn page() -> String {
        let mut page =
            "# Command line\n\nThis page shows `didact VERB --help` of each command. `didact VERB -h` is shorter.\n"
                .to_owned();
        show(&mut page, &mut command().term_width(WIDTH).mut_args(|argument| argument.hide_env_values(true)), "didact");
        let global = ["store", "artifacts", "log"];
        let mut command = command().disable_help_flag(true).term_width(WIDTH).mut_args(|argument| {
            let hidden = global.contains(&argument.get_id().as_str());
            argument.hide(hidden)
        });
        command.build();
        show_verbs(&mut page, &mut command, "didact");
        page
    }

    const WIDTH: usize = 110;

    fn show_verbs(page: &mut String, command: &mut Command, name: &str) {
        for verb in command.get_subcommands_mut().filter(|verb| !verb.is_hide_set()) {
            let name = format!("{name} {}", verb.get_name());
            if verb.has_subcommands() {
                show_verbs(page, verb, &name);
            } else {
                show(page, verb, &name);
            }
        }
    }

    fn show(page: &mut String, command: &mut Command, name: &str) {
        let help = command.render_long_help().to_string();
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        page.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", lines.join("\n").trim_end()));
    }

    #[test]
    fn the_page_about_the_command_line_is_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/reference/command-line.md");
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            std::fs::write(&path, page()).expect("written");
        }
        let committed = std::fs::read_to_string(path).expect("the page");
        assert!(
            committed == page(),
            "the command line has changed: run this test with INSTA_UPDATE=always to update its page"
        );
    }
}
