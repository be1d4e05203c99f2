//! `didact predict`: maps, scores and verdicts of a finished run on any images.

use std::path::PathBuf;
use std::process::Command;

use super::bar::Bar;
use super::failure::Failure;
use super::global::Global;
use super::output::{print, table, tell_aside};
use super::worker::Runner;
use crate::cause::Context;
use crate::exit::Exit;
use crate::outputs::{ForeignFiles, OutputPlace};
use crate::predict::{FinishedRun, Prediction, Verdict, find};
use crate::schedule::{Device, DeviceChoice, Jobs, Slot, Slots, slots};
use crate::stages::Key;
use crate::store::{Access, ComparedRun, Named, Store};
use crate::terminal::say;

/// Runs that an error lists.
const MOST_LISTED: usize = 50;

/// Arguments of `didact predict`.
#[derive(Debug, clap::Args)]
pub(super) struct PredictArgs {
    /// First digits of the key of a run that is done; the name of a sweep lists its runs.
    run: String,
    /// Images, folders of images (at any depth), or patterns such as 'test/*/00*.png'.
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// Folder to write to: `<image>-map.png`, `<image>-overlay.png`, `scores.json`.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Move files aside, to `replaced` in that folder, that would be overwritten and that no prediction wrote.
    #[arg(long)]
    force: bool,
    /// Where it is computed: auto, cpu, cuda, cuda:1.
    #[arg(long, default_value = "auto", value_name = "DEVICE", overrides_with = "device")]
    device: DeviceChoice,
}

/// Runs the verb: here on the CPU, or in the executable that can use GPUs.
pub(super) async fn run(args: &PredictArgs, global: &Global) -> Result<Exit, Failure> {
    let Slots { slots, note } = slots(&args.device, Jobs::Given(1), 1)?;
    note.iter().for_each(|note| say(note));
    match slots.first() {
        Some(slot) if slot.device != Device::Cpu => on_gpu(args, global, slot),
        _ => run_here(args, global, &Runner::CPU).await,
    }
}

/// Runs the verb in this process.
pub(super) async fn run_here(args: &PredictArgs, global: &Global, runner: &Runner) -> Result<Exit, Failure> {
    let store = Store::open(&global.store, Access::Read).await?;
    let run = match store.find(&args.run).await? {
        Named::Run(id) => store.run_stages(&id).await?,
        other => return Err(not_a_run(&args.run, &store.named_runs(&other).await?)),
    };
    let finished = FinishedRun::open(run, &global.artifacts())?;
    let device = match &args.device {
        DeviceChoice::Cuda(indices) => indices.first().map(|index| Device::Cuda(*index).to_string()),
        DeviceChoice::Cpu => Some(Device::Cpu.to_string()),
        DeviceChoice::Auto => None,
    };
    (runner.open)(device.as_deref().unwrap_or(runner.device), finished.numerics())?;
    let found = find(&args.images, &args.out);
    let total = found.images.len();
    let place = OutputPlace { folder: &args.out, foreign: ForeignFiles::forced(args.force) };
    let bar = Bar::new(total, "{pos}/{len} images, about {eta} left");
    let prediction = (runner.predict)(&finished, found, place, &mut |done| show(&bar, done, total));
    bar.close();
    let (prediction, aside) = prediction?;
    aside.iter().for_each(tell_aside);
    for bad in &prediction.unreadable {
        say(&format!("error: {bad}"));
    }
    for bad in &prediction.unwritten {
        say(&format!("error: {bad}"));
    }
    print(&summary(&prediction, args))?;
    Ok(match (prediction.unreadable.is_empty(), prediction.unwritten.is_empty()) {
        (_, false) => Exit::Store,
        (false, true) => Exit::Data,
        (true, true) => Exit::Done,
    })
}

/// The same command in the sibling executable, whose words and exit code are this one's.
fn on_gpu(args: &PredictArgs, global: &Global, slot: &Slot) -> Result<Exit, Failure> {
    let wrong = |error: std::io::Error| {
        Failure::Machine(Context::new(format!("cannot start {}", slot.executable.display()), error).into())
    };
    let status = Command::new(&slot.executable)
        .args(["predict", &args.run, "--device", &slot.device.to_string()])
        .args(["--store", &global.store, "--log", &global.log.to_string()])
        .arg("--artifacts")
        .arg(global.artifacts().root())
        .arg("--out")
        .arg(&args.out)
        .args(args.force.then_some("--force"))
        .arg("--")
        .args(&args.images)
        .status()
        .map_err(wrong)?;
    // One that was killed has not done what it should.
    Ok(status.code().and_then(Exit::of_code).unwrap_or(Exit::RunsFailed))
}

/// What was named stands for runs: which they are, so that one can be.
fn not_a_run(asked: &str, runs: &[ComparedRun]) -> Failure {
    let row = |run: &ComparedRun| {
        let ComparedRun { id, category, title, seed, state, .. } = run;
        vec![
            Key::from_hex(id.clone()).short().to_owned(),
            category.clone(),
            title.clone(),
            seed.to_string(),
            state.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = runs.iter().take(MOST_LISTED).map(row).collect();
    let more = if runs.len() > MOST_LISTED { "\n…" } else { "" };
    Failure::usage(format!(
        "`{asked}` is the key of no run; predict needs one of its {} run(s)\n{}{more}",
        runs.len(),
        table(&["run", "category", "trial", "seed", "state"], &rows)
    ))
}

/// A bar on a terminal, a line a batch elsewhere.
fn show(bar: &Bar, done: usize, total: usize) {
    match bar.is_shown() {
        true => bar.show(done, total, ""),
        false => say(&format!("{done}/{total} images")),
    }
}

/// A row an image, then how many are what, and where everything lies.
fn summary(prediction: &Prediction, args: &PredictArgs) -> String {
    let Prediction { run, category, variant, seed, epoch, threshold, images, .. } = prediction;
    let rows: Vec<Vec<String>> = images
        .iter()
        .map(|image| {
            let relative = threshold.filter(|threshold| *threshold > 0.0).map(|threshold| image.score / threshold);
            vec![
                image.image.clone(),
                format!("{:.6}", image.score),
                relative.map(|relative| format!("{relative:.3}")).unwrap_or_default(),
                image.verdict.map(|verdict| verdict.name().to_owned()).unwrap_or_default(),
            ]
        })
        .collect();
    let count = |verdict| images.iter().filter(|image| image.verdict == Some(verdict)).count();
    let verdicts = match threshold {
        Some(threshold) => format!(
            "{} anomalous, {} normal by the held-out threshold {threshold:.6}",
            count(Verdict::Anomalous),
            count(Verdict::Normal)
        ),
        None => "nothing was held out, so there is no threshold".to_owned(),
    };
    format!(
        "{}\n{} image(s) by run {} ({category} · {variant} · seed {seed}, epoch {epoch}): {verdicts}\npredictions: {}",
        table(&["image", "score", "score / threshold", "verdict"], &rows),
        images.len(),
        Key::from_hex(run.clone()).short(),
        args.out.join("scores.json").display()
    )
}
