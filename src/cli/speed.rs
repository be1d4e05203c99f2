//! `didact speed`: measures time and memory of training steps on a device.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::output::{print, size, table};
use super::parse::convolutions;
use super::worker::Runner;
use crate::cause::Cause;
use crate::data::{FeatureWriter, Image, LevelShape, SplitRule};
use crate::exit::Exit;
use crate::model::{Architecture, AutoEncoder, Model, UnetSettings};
use crate::nn::OptimizerSettings;
use crate::schedule::Device;
use crate::tensor::cuda::Cuda;
use crate::tensor::{Backend, Convolutions, Native, Numerics};
use crate::training::{
    JointInput, JointSettings, Observer, PretrainInput, PretrainSettings, Progress, Recipe, SelectionRule,
    StageContext, StageError, Threads, TrainingFolder, joint, pretrain,
};

/// Arguments of `didact speed`.
#[derive(Debug, clap::Args)]
pub(super) struct SpeedArgs {
    /// Device to measure: cpu, cuda:0, cuda:1, ….
    #[arg(long, default_value = "cpu")]
    device: Device,
    /// Use TensorFloat-32.
    #[arg(long)]
    tf32: bool,
    /// Who computes convolutions on a GPU: auto, own or cudnn.
    #[arg(long, default_value_t = Convolutions::Auto, value_name = "WHO", value_parser = convolutions)]
    convolutions: Convolutions,
    /// Images per step.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(2..))]
    batch: u16,
    /// Side of the images in pixels, a multiple of 16.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(64..=1024))]
    size: u16,
    /// Steps per phase.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..))]
    steps: u16,
}

/// Runs the verb.
pub(super) fn run(args: &SpeedArgs) -> Result<Exit, Failure> {
    Runner::open(args.device, if args.tf32 { Numerics::Tf32 } else { Numerics::F32 }, args.convolutions)?;
    let folder = std::env::temp_dir().join(format!("didact-speed-{}", std::process::id()));
    let rows = match args.device {
        Device::Cpu => measure::<Native>(args, &folder),
        Device::Cuda(_) => measure::<Cuda>(args, &folder),
    };
    // The folder contains only noise.
    let _ = std::fs::remove_dir_all(&folder);
    let rows = rows?;
    let numerics = if args.tf32 { "TF32" } else { "f32" };
    print(&format!("{}: {} images of {} px per step, {numerics}", args.device, args.batch, args.size))?;
    print(&table(&["phase", "ms per step", "images/s", "peak memory"], &rows))?;
    Ok(Exit::Done)
}

/// Measures each phase; returns one row per phase.
fn measure<B: Backend>(args: &SpeedArgs, folder: &Path) -> Result<Vec<Vec<String>>, StageError> {
    let (batch, side) = (usize::from(args.batch), usize::from(args.size));
    let features = folder.join("features");
    create(&features)?;
    // Four batches for training, one held out.
    write_noise(&features, 5 * batch, side)?;
    let unet = AutoEncoder::Unet(UnetSettings::default());
    let epochs = usize::from(args.steps).div_ceil(4);
    let adam = |learning_rate| OptimizerSettings::adam(learning_rate, 0.0);
    let of = |recipe, student| JointSettings { epochs, batch_size: batch, student, ..JointSettings::of(recipe) };
    let plain = JointSettings {
        selection: SelectionRule::HeldOutLoss,
        ..of(Recipe::StfpmOfficial, OptimizerSettings::sgd(0.01, 0.9, 1e-4))
    };
    let with_unets = of(Recipe::Seed, adam(1e-4));
    let reverse = of(Recipe::ReverseDistillation, adam(0.005));
    let pretraining = PretrainSettings { epochs, batch_size: batch, ..PretrainSettings::default() };
    let split = SplitRule::fifth(0);
    let images = [TrainingFolder { features, split: &split }];
    let joint_of = |name: &str, model: &Model, settings: &JointSettings| {
        phase::<B>(name, folder, |context| {
            let input = JointInput {
                images: &images,
                pretrain: None,
                architecture: Architecture::Resnet18,
                model,
                settings,
                oracle_epochs: 0,
                seed: 0,
            };
            joint::<B>(&input, context)
        })
    };
    // Do not measure the first run, in which the device translates its kernels.
    let with_unet = Model::from(unet.clone());
    joint_of("warm-up", &with_unet, &JointSettings { epochs: 1, ..with_unets.clone() })?;
    Ok(vec![
        joint_of("joint, ST-FPM", &Model::STFPM, &plain)?,
        joint_of("joint, three U-Nets, clipped", &with_unet, &with_unets)?,
        joint_of("joint, reverse distillation", &Model::Decoder, &reverse)?,
        phase::<B>("pretrain, three U-Nets", folder, |context| {
            let input = PretrainInput { images: &images, model: &unet, settings: &pretraining, seed: 0 };
            pretrain::<B>(&input, context)
        })?,
    ])
}

fn create(folder: &Path) -> Result<(), StageError> {
    std::fs::create_dir_all(folder).map_err(StageError::writing(folder))
}

/// Writes images and features of noise, with the shapes of a teacher of width 64.
fn write_noise(folder: &Path, images: usize, side: usize) -> Result<(), StageError> {
    let noise =
        |count: usize, from: usize| (from..from + count).map(|i| ((i * 2_654_435_761) % 1000) as f32 / 500.0 - 1.0);
    let levels: Vec<LevelShape> = (0..3)
        .map(|level| LevelShape { height: (side / 4) >> level, width: (side / 4) >> level, channels: 64 << level })
        .collect();
    let mut writer = FeatureWriter::create(folder, side, levels.clone()).map_err(StageError::artifact)?;
    for index in 0..images {
        let rgb = noise(side * side * 3, index).map(|v| (127.0 * (v + 1.0)) as u8).collect();
        let features: Vec<Vec<f32>> = levels.iter().map(|level| noise(level.len(), index).collect()).collect();
        writer.append(&[(format!("{index}.png"), Image { side, rgb })], &features).map_err(StageError::artifact)?;
    }
    writer.finish().map_err(StageError::artifact)
}

/// Runs a phase in separate folders; returns the row with its costs.
fn phase<B: Backend>(
    name: &str,
    folder: &Path,
    work: impl FnOnce(&mut StageContext<'_>) -> Result<(), StageError>,
) -> Result<Vec<String>, StageError> {
    let folders: [PathBuf; 2] = ["out", "partial"].map(|part| folder.join(format!("{name}.{part}")));
    folders.iter().try_for_each(|folder| create(folder))?;
    let mut costs = Costs::default();
    B::reset_memory();
    work(&mut StageContext {
        out: &folders[0],
        partial: &folders[1],
        threads: &Threads::new(crate::schedule::cores()),
        device_memory: None,
        observer: &mut costs,
    })?;
    let cost = |name: &str| costs.0.get(name).copied();
    let shown = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1}"));
    Ok(vec![
        name.to_owned(),
        shown(cost("milliseconds_per_step")),
        shown(cost("images_per_second")),
        B::memory().map_or("-".to_owned(), |memory| size(memory.peak)),
    ])
}

/// An observer that keeps costs and ignores everything else.
#[derive(Default)]
struct Costs(BTreeMap<String, f64>);

impl Observer for Costs {
    fn metric(&mut self, _: &str, _: u64, _: f64) {}
    fn store_metrics(&mut self) -> Result<(), Cause> {
        Ok(())
    }
    fn keep_checkpoint(&mut self) -> Result<(), Cause> {
        Ok(())
    }
    fn rewind(&mut self, _: u64) {}
    fn progress(&mut self, _: Progress) {}
    fn cost(&mut self, name: &str, value: f64) {
        self.0.insert(name.to_owned(), value);
    }
    fn stop_requested(&self) -> bool {
        false
    }
}
