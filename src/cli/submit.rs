//! `didact submit`: writes a submission of MVTec AD 2 and checks it for completeness.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::bar::Bar;
use super::failure::Failure;
use super::global::Global;
use super::one_device::OneDevice;
use super::output::{announce_moved_files, print, table};
use super::worker::Runner;
use crate::data::AD2_OBJECTS;
use crate::exit::Exit;
use crate::outputs::{ForeignFiles, OutputPlace};
use crate::predict::{Completeness, FinishedRun, Split, check};
use crate::schedule::Device;
use crate::stages::Key;
use crate::store::{Access, ComparedRun, Store};
use crate::terminal::say;

/// Arguments of `didact submit`.
#[derive(Debug, clap::Args)]
pub(super) struct SubmitArgs {
    /// Finished runs, one for each object: first digits of their keys, or a trial (SWEEP:T07) for all its runs.
    #[arg(required_unless_present = "check", value_name = "RUN")]
    runs: Vec<String>,
    /// Folder of the submission.
    ///
    /// Objects of earlier calls stay there, so that the objects can be written one after another.
    #[arg(long, value_name = "DIR", required_unless_present = "check")]
    out: Option<PathBuf>,
    /// Check the submission in this folder instead of writing one.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["runs", "out", "seed", "force"])]
    check: Option<PathBuf>,
    /// Folder that holds the objects with their private images [default: that of each run's data set].
    #[arg(long, value_name = "ROOT")]
    data: Option<PathBuf>,
    /// Seed of the runs, if a trial has several.
    #[arg(long)]
    seed: Option<i64>,
    /// Move existing files that no submission wrote to `replaced` in DIR.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    on: OneDevice,
}

/// Runs the verb.
pub(super) async fn run(args: &SubmitArgs, global: &Global) -> Result<Exit, Failure> {
    if let Some(folder) = &args.check {
        return conclude(folder, &check(folder, |_| args.data.clone())?);
    }
    // clap requires the folder unless a folder is checked.
    let folder = args.out.as_deref().ok_or_else(|| Failure::usage("name a folder with --out DIR"))?;
    let store = Store::open(&global.store, Access::Read).await?;
    let runs = chosen(&store, args).await?;
    let artifacts = global.artifacts()?;
    let mut finished = Vec::new();
    for run in runs.values() {
        finished.push(FinishedRun::open(store.run_stages(&run.id).await?, &artifacts)?);
    }
    let roots: BTreeMap<&str, PathBuf> =
        finished.iter().filter_map(|run| Some((run.run.category.as_str(), root_of(args, run)?))).collect();
    let device = args.on.choose()?;
    for run in &finished {
        let object = run.run.category.as_str();
        let root = roots.get(object).ok_or_else(|| Failure::usage(format!("{object}: {NO_ROOT}")))?;
        write(run, root, OutputPlace { folder, foreign: ForeignFiles::forced(args.force) }, device, args)?;
    }
    // Objects without a run lie next to the others.
    let any = roots.values().next();
    conclude(folder, &check(folder, |object| roots.get(object).or(any).cloned())?)
}

/// Error message for a run whose data set has no folder.
const NO_ROOT: &str = "the run's data set has no folder: name the folder of the private images with --data ROOT";

fn root_of(args: &SubmitArgs, run: &FinishedRun) -> Option<PathBuf> {
    args.data.clone().or_else(|| run.data_root().map(Path::to_owned))
}

/// Returns the run of each object, by the object's name.
async fn chosen(store: &Store, args: &SubmitArgs) -> Result<BTreeMap<String, ComparedRun>, Failure> {
    let mut runs: BTreeMap<String, Vec<ComparedRun>> = BTreeMap::new();
    for name in &args.runs {
        let named = store.named_runs(&store.find(name).await?).await?;
        for run in named.into_iter().filter(|run| args.seed.is_none_or(|seed| run.seed == seed)) {
            let of_object = runs.entry(run.category.clone()).or_default();
            if !of_object.iter().any(|known| known.id == run.id) {
                of_object.push(run);
            }
        }
    }
    if runs.is_empty() {
        let seed = args.seed.map(|seed| format!(" with seed {seed}")).unwrap_or_default();
        return Err(Failure::usage(format!("{} has no run{seed}", args.runs.join(", "))));
    }
    if let Some(other) = runs.keys().find(|category| !AD2_OBJECTS.contains(&category.as_str())) {
        let objects = AD2_OBJECTS.join(", ");
        return Err(Failure::usage(format!("{other} is not an object of MVTec AD 2; its objects are {objects}")));
    }
    if let Some((object, several)) = runs.iter().find(|(_, runs)| runs.len() > 1) {
        let row =
            |run: &ComparedRun| vec![short(&run.id), run.title.clone(), run.seed.to_string(), run.state.to_string()];
        let rows: Vec<Vec<String>> = several.iter().map(row).collect();
        return Err(Failure::usage(format!(
            "{object} has {} runs; name one trial (SWEEP:T07) and its seed (--seed), or one run of each object\n{}",
            several.len(),
            table(&["run", "trial", "seed", "state"], &rows)
        )));
    }
    Ok(runs.into_iter().filter_map(|(object, runs)| Some((object, runs.into_iter().next()?))).collect())
}

fn short(key: &str) -> String {
    Key::from_hex(key.to_owned()).short().to_owned()
}

/// Writes the maps of a run's object.
fn write(
    run: &FinishedRun,
    root: &Path,
    place: OutputPlace<'_>,
    device: Device,
    args: &SubmitArgs,
) -> Result<(), Failure> {
    let object = run.run.category.as_str();
    let runner = Runner::open(device, run.numerics(), args.on.convolutions)?;
    let bar = Bar::new(0, "{pos}/{len} {msg}, about {eta} left");
    let shown = bar.is_shown();
    let written = (runner.submit)(run, root, place, &mut |done, total| match shown {
        true => bar.show(done, total, object),
        false => say(&format!("{object}: {done}/{total} images")),
    });
    bar.close();
    written?.iter().for_each(announce_moved_files);
    Ok(())
}

/// Prints what was found, and what to do next.
fn conclude(folder: &Path, found: &Completeness) -> Result<Exit, Failure> {
    let Completeness { sound, expected, problems } = found;
    for problem in problems {
        print(problem)?;
    }
    let folder = folder.display();
    if !problems.is_empty() {
        let of = if sound < expected { format!(" of {expected}") } else { String::new() };
        print(&format!("{folder} is incomplete: {sound}{of} images have both files as the server wants them"))?;
        return Ok(Exit::Data);
    }
    print(&format!(
        "{folder} is complete: maps of {expected} images of {} objects in {}\n\
         pack it: tar -czf submission.tar.gz -C {folder} anomaly_images anomaly_images_thresholded",
        AD2_OBJECTS.len(),
        Split::ALL.map(Split::name).join(" and ")
    ))?;
    Ok(Exit::Done)
}
