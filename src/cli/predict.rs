//! `didact predict`: scores new images with a finished run.

use std::path::PathBuf;

use super::bar::Bar;
use super::failure::Failure;
use super::global::Global;
use super::one_device::OneDevice;
use super::output::{announce_moved_files, print, table};
use super::worker::Runner;
use crate::exit::Exit;
use crate::outputs::{ForeignFiles, OutputPlace};
use crate::predict::{FinishedRun, ImageVerdict, Prediction, find};
use crate::stages::Key;
use crate::store::{Access, ComparedRun, Named, Store};
use crate::terminal::say;
use crate::text::counted;

/// Maximum number of runs that an error lists.
const MAX_LISTED: usize = 50;

/// Arguments of `didact predict`.
#[derive(Debug, clap::Args)]
pub(super) struct PredictArgs {
    /// First digits of the key of a finished run; a sweep name lists the runs of that sweep.
    run: String,
    /// Images, folders (searched at any depth), or patterns such as 'test/*/00*.png'.
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// Folder for `<image>-map.png`, `<image>-overlay.png` and `scores.json`.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Move existing files that no prediction wrote to `replaced` in DIR.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    on: OneDevice,
}

/// Runs the verb.
pub(super) async fn run(args: &PredictArgs, global: &Global) -> Result<Exit, Failure> {
    let device = args.on.choose()?;
    let store = Store::open(&global.store, Access::Read).await?;
    let run = match store.find(&args.run).await? {
        Named::Run(id) => store.run_stages(&id).await?,
        other => return Err(not_a_run(&args.run, &store.named_runs(&other).await?)),
    };
    let finished = FinishedRun::open(run, &global.artifacts()?)?;
    let runner = Runner::open(device, finished.numerics(), args.on.convolutions)?;
    let found = find(&args.images, &args.out);
    let total = found.images.len();
    let place = OutputPlace { folder: &args.out, foreign: ForeignFiles::forced(args.force) };
    let bar = Bar::new(total, "{pos}/{len} images, about {eta} left");
    let prediction = (runner.predict)(&finished, found, place, &mut |done| show(&bar, done, total));
    bar.close();
    let (prediction, aside) = prediction?;
    aside.iter().for_each(announce_moved_files);
    for image in &prediction.unreadable {
        say(&format!("error: {image}"));
    }
    for image in &prediction.unwritten {
        say(&format!("error: {image}"));
    }
    print(&summary(&prediction, args))?;
    Ok(match (prediction.unreadable.is_empty(), prediction.unwritten.is_empty()) {
        (_, false) => Exit::Store,
        (false, true) => Exit::Data,
        (true, true) => Exit::Done,
    })
}

/// Creates the failure for a name that is not a run's key; lists the runs that belong to the name.
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
    let rows: Vec<Vec<String>> = runs.iter().take(MAX_LISTED).map(row).collect();
    let more = if runs.len() > MAX_LISTED { "\n…" } else { "" };
    Failure::usage(format!(
        "`{asked}` is not the key of a run; name one of its {}\n{}{more}",
        counted(runs.len(), "run"),
        table(&["run", "category", "trial", "seed", "state"], &rows)
    ))
}

/// Shows progress: a bar on a terminal, otherwise one line per batch.
fn show(bar: &Bar, done: usize, total: usize) {
    match bar.is_shown() {
        true => bar.show(done, total, ""),
        false => say(&format!("{done}/{total} images")),
    }
}

/// Formats one row per image, the number of images per verdict, and the path of the scores.
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
            count(ImageVerdict::Anomalous),
            count(ImageVerdict::Normal)
        ),
        None => "no images were held out, so there is no threshold".to_owned(),
    };
    format!(
        "{}\n{} scored by run {} ({category} · {variant} · seed {seed}, epoch {epoch}): {verdicts}\npredictions: {}",
        table(&["image", "score", "score / threshold", "verdict"], &rows),
        counted(images.len(), "image"),
        Key::from_hex(run.clone()).short(),
        args.out.join("scores.json").display()
    )
}
