//! Tests of whole phases on two backends: equal curves, and checkpoints that move from one backend to the other.

use std::collections::BTreeMap;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::cause::Cause;
use crate::data::{FeatureSet, FeatureWriter, Image, LevelShape, SplitRule, stream};
use crate::model::{
    Architecture, Assembly, AutoEncoder, Backbone, CommonSettings, InnerNorm, LevelSet, Model, Placement, Skip,
    UnetSettings, Upsample,
};
use crate::nn::{OptimizerSettings, Padding, State};
use crate::tensor::cuda::{self, Cuda};
use crate::tensor::{Activation, Backend, Native};

const IMAGES: usize = 12;
const SIDE: usize = 32;
const WIDTH: usize = 8;

/// Writes images and features of noise.
fn feature_set(folder: &Path) {
    use rand::Rng;
    let mut stream = stream(1, "train-tests", 0, 0);
    let levels: Vec<LevelShape> = (0..3)
        .map(|level| {
            let side = (SIDE / 4) >> level;
            LevelShape { height: side, width: side, channels: WIDTH << level }
        })
        .collect();
    let mut writer = FeatureWriter::create(folder, SIDE, levels.clone()).expect("created");
    for index in 0..IMAGES {
        let rgb = (0..SIDE * SIDE * 3).map(|_| (stream.next_u32() >> 24) as u8).collect();
        let features: Vec<Vec<f32>> = levels
            .iter()
            .map(|level| (0..level.len()).map(|_| (stream.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0).collect())
            .collect();
        writer.append(&[(format!("{index}.png"), Image { side: SIDE, rgb })], &features).expect("written");
    }
    writer.finish().expect("finished");
}

/// Keeps what the stage reports. Requests a stop after `stop_after` epochs.
#[derive(Default)]
struct RecordingObserver {
    curves: BTreeMap<(String, u64), f64>,
    costs: BTreeMap<String, f64>,
    rewound_to: Option<u64>,
    epochs: usize,
    stop_after: Option<usize>,
}

impl Observer for RecordingObserver {
    fn metric(&mut self, name: &str, step: u64, value: f64) {
        self.curves.insert((name.to_owned(), step), value);
    }
    fn store_metrics(&mut self) -> Result<(), Cause> {
        Ok(())
    }
    fn keep_checkpoint(&mut self) -> Result<(), Cause> {
        Ok(())
    }

    fn rewind(&mut self, step: u64) {
        self.rewound_to = Some(step);
    }
    fn progress(&mut self, progress: Progress) {
        self.epochs = progress.done;
    }
    fn cost(&mut self, name: &str, value: f64) {
        self.costs.insert(name.to_owned(), value);
    }
    fn stop_requested(&self) -> bool {
        self.stop_after.is_some_and(|epochs| self.epochs >= epochs)
    }
}

/// Folders of one training: the features, and per phase its output and its partial checkpoints.
struct TrainingFolders(TempDir, Model, Threads);

impl TrainingFolders {
    fn new() -> Self {
        Self::of(model())
    }

    /// Creates the folders for training with these auto-encoders.
    fn of(model: impl Into<Model>) -> Self {
        let place = Self(TempDir::new().expect("a folder"), model.into(), Threads::new(1));
        for name in ["features", "pretrain", "joint", "pretrain.partial", "joint.partial"] {
            std::fs::create_dir(place.path(name)).expect("a folder");
        }
        feature_set(&place.path("features"));
        place
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn images<'s>(&self, split: &'s SplitRule) -> [TrainingFolder<'s>; 1] {
        [TrainingFolder { features: self.path("features"), split }]
    }

    fn run<R>(
        &self,
        phase: &str,
        observer: &mut RecordingObserver,
        work: impl FnOnce(&mut StageContext<'_>) -> R,
    ) -> R {
        work(&mut StageContext {
            out: &self.path(phase),
            partial: &self.path(&format!("{phase}.partial")),
            threads: &self.2,
            device_memory: None,
            observer,
        })
    }

    fn pretrain<B: Backend>(&self, observer: &mut RecordingObserver) -> Result<(), StageError> {
        self.pretrain_as::<B>(&PretrainSettings { epochs: 3, batch_size: 4, ..PretrainSettings::default() }, observer)
    }

    fn pretrain_as<B: Backend>(
        &self,
        settings: &PretrainSettings,
        observer: &mut RecordingObserver,
    ) -> Result<(), StageError> {
        let split = SplitRule::fifth(0);
        let input = PretrainInput { images: &self.images(&split), model: self.1.autoencoder(), settings, seed: 5 };
        self.run("pretrain", observer, |context| pretrain::<B>(&input, context))
    }

    fn joint<B: Backend>(
        &self,
        gradient: ReconstructionGradient,
        observer: &mut RecordingObserver,
    ) -> Result<(), StageError> {
        let loss = LossSettings { similarity: 2.0, reconstruction_gradient: gradient, ..LossSettings::default() };
        self.joint_as::<B>(&JointSettings { loss: Some(loss), ..brief() }, observer)
    }

    fn joint_as<B: Backend>(
        &self,
        settings: &JointSettings,
        observer: &mut RecordingObserver,
    ) -> Result<(), StageError> {
        let (split, pretrained) = (SplitRule::fifth(0), self.path("pretrain"));
        let input = JointInput {
            images: &self.images(&split),
            pretrain: pretrained.join("checkpoint.safetensors").exists().then_some(pretrained.as_path()),
            architecture: Architecture::Resnet18,
            model: &self.1,
            settings,
            oracle_epochs: 0,
            seed: 5,
        };
        self.run("joint", observer, |context| joint::<B>(&input, context))
    }
}

/// Returns three epochs of the recipe `seed`.
fn brief() -> JointSettings {
    JointSettings {
        epochs: 3,
        batch_size: 4,
        clip_norm: 0.5,
        student: OptimizerSettings::sgd(0.1, 0.9, 1e-4),
        ..JointSettings::of(Recipe::Seed)
    }
}

fn model() -> AutoEncoder {
    AutoEncoder::Unet(UnetSettings { skip: Skip::ConcatConv, depth: 1, ..UnetSettings::default() })
}

fn assert_alike(ours: &RecordingObserver, theirs: &RecordingObserver) {
    assert!(ours.curves.keys().eq(theirs.curves.keys()));
    assert!(!ours.curves.is_empty());
    for (point, value) in &ours.curves {
        let other = theirs.curves[point];
        assert!((value - other).abs() < 1e-3 * other.abs(), "{point:?}: {value} against {other}");
    }
}

#[test]
fn more_threads_change_no_bit() {
    let curves = |free: usize| {
        let (folders, mut observer) = (TrainingFolders::new(), RecordingObserver::default());
        folders.2.set_free(free);
        folders.pretrain::<Native>(&mut observer).expect("trains");
        folders.joint::<Native>(ReconstructionGradient::Both, &mut observer).expect("trains");
        assert_eq!(observer.costs.get("threads"), (free > 1).then_some(&(free as f64)));
        observer.curves
    };
    assert_eq!(curves(3), curves(1));
}

#[test]
fn pretraining_clips_only_gradients_above_the_limit() {
    let curves = |clip_norm| {
        let settings = PretrainSettings { epochs: 2, batch_size: 4, clip_norm, ..PretrainSettings::default() };
        let mut observer = RecordingObserver::default();
        TrainingFolders::new().pretrain_as::<Native>(&settings, &mut observer).expect("trains");
        observer.curves
    };
    let unclipped = curves(0.0);
    assert_eq!(curves(1e6), unclipped);
    // Adam's ε counts when gradients are this small, so that the first step is shorter.
    assert_ne!(curves(1e-9), unclipped);
}

#[test]
#[ignore = "needs a GPU, or the emulated one"]
fn both_phases_have_the_same_curves_on_cuda_and_the_cpu() {
    cuda::open_for_tests();
    for gradient in [ReconstructionGradient::Both, ReconstructionGradient::Autoencoder] {
        let (native, on_cuda) = (TrainingFolders::new(), TrainingFolders::new());
        let (mut ours, mut theirs) = (RecordingObserver::default(), RecordingObserver::default());
        native.pretrain::<Native>(&mut ours).expect("trains");
        on_cuda.pretrain::<Cuda>(&mut theirs).expect("trains");
        assert_alike(&ours, &theirs);
        native.joint::<Native>(gradient, &mut ours).expect("trains");
        on_cuda.joint::<Cuda>(gradient, &mut theirs).expect("trains");
        assert_alike(&ours, &theirs);
        assert!(ours.costs["milliseconds_per_step"] > 0.0 && theirs.costs["milliseconds_per_step"] > 0.0);
    }
}

#[test]
#[ignore = "needs a GPU, or the emulated one"]
fn every_kind_of_auto_encoder_has_the_same_curves_on_cuda_and_the_cpu() {
    cuda::open_for_tests();
    let levels = LevelSet::of(&[1, 3]).expect("levels");
    let usual = || UnetSettings { depth: 1, ..UnetSettings::default() };
    let on_levels = CommonSettings { levels, ..CommonSettings::default() };
    let headed = CommonSettings { placement: Placement::TeacherHead, ..CommonSettings::default() };
    let mut models = vec![
        AutoEncoder::Unet(UnetSettings {
            upsample: Upsample::Bilinear,
            norm: InnerNorm::None,
            activation: Activation::Gelu,
            padding: Padding::Reflect,
            common: on_levels,
            ..usual()
        }),
        AutoEncoder::Unet(UnetSettings { common: headed, ..usual() }),
    ];
    let is_unet = |model: &AutoEncoder| matches!(model, AutoEncoder::Unet(_));
    let others = [on_levels, CommonSettings { levels, ..headed }].map(AutoEncoder::of_every_kind);
    models.extend(others.into_iter().flatten().filter(|model| !is_unet(model)));
    for model in models {
        let (native, on_cuda) = (TrainingFolders::of(model.clone()), TrainingFolders::of(model));
        let (mut ours, mut theirs) = (RecordingObserver::default(), RecordingObserver::default());
        native.pretrain::<Native>(&mut ours).expect("trains");
        on_cuda.pretrain::<Cuda>(&mut theirs).expect("trains");
        assert_alike(&ours, &theirs);
        native.joint::<Native>(ReconstructionGradient::Both, &mut ours).expect("trains");
        on_cuda.joint::<Cuda>(ReconstructionGradient::Both, &mut theirs).expect("trains");
        assert_alike(&ours, &theirs);
        let loss = |epoch| ours.curves[&("loss".to_owned(), epoch)];
        assert!(loss(3) < loss(1), "{} {}", loss(1), loss(3));
    }
}

/// Returns a few epochs of reverse distillation.
fn reverse() -> JointSettings {
    JointSettings {
        epochs: 3,
        batch_size: 4,
        loss: None,
        autoencoder: None,
        images: TrainedImages::Train,
        selection: SelectionRule::HeldOutLoss,
        ..JointSettings::of(Recipe::ReverseDistillation)
    }
}

#[test]
fn a_decoder_learns_and_survives_a_stop() {
    let (whole, halted) = (TrainingFolders::of(Model::Decoder), TrainingFolders::of(Model::Decoder));
    let mut observer = RecordingObserver::default();
    whole.joint_as::<Native>(&reverse(), &mut observer).expect("trains");
    let at = |name: &str, epoch| observer.curves[&(name.to_owned(), epoch)];
    assert!(at("loss", 3) < at("loss", 1), "{} {}", at("loss", 1), at("loss", 3));
    // 1 − cos of three levels is at most 6, and ‖T^ − S^‖² at most 12.
    assert!(at("loss", 1) < 6.0 && at("held_out_loss", 3) < 12.0);
    for epochs in 1..3 {
        let mut observer = RecordingObserver { stop_after: Some(epochs), ..RecordingObserver::default() };
        assert!(matches!(halted.joint_as::<Native>(&reverse(), &mut observer), Err(StageError::Interrupted)));
    }
    halted.joint_as::<Native>(&reverse(), &mut RecordingObserver::default()).expect("trains");
    let last = |place: &TrainingFolders| std::fs::read(place.path("joint").join("last.safetensors")).expect("weights");
    assert!(last(&whole) == last(&halted));
}

#[test]
#[ignore = "needs a GPU, or the emulated one"]
fn a_decoder_has_the_same_curves_on_cuda_and_the_cpu() {
    cuda::open_for_tests();
    let (native, on_cuda) = (TrainingFolders::of(Model::Decoder), TrainingFolders::of(Model::Decoder));
    let (mut ours, mut theirs) = (RecordingObserver::default(), RecordingObserver::default());
    // Adam turns the rounding of small gradients into whole steps; the recorded step compares it.
    let settings = JointSettings { student: OptimizerSettings::sgd(1e-3, 0.9, 0.0), ..reverse() };
    native.joint_as::<Native>(&settings, &mut ours).expect("trains");
    on_cuda.joint_as::<Cuda>(&settings, &mut theirs).expect("trains");
    assert_alike(&ours, &theirs);
}

#[test]
#[ignore = "needs a GPU, or the emulated one"]
fn a_finished_checkpoint_is_scored_on_cuda_and_the_cpu() {
    cuda::open_for_tests();
    let place = TrainingFolders::new();
    place.joint::<Cuda>(ReconstructionGradient::Both, &mut RecordingObserver::default()).expect("trains");
    let state = State::load(&place.path("joint").join("selected.safetensors")).expect("a checkpoint");
    let set = FeatureSet::open(&place.path("features")).expect("features");
    let model = model().into();
    fn maps<B: Backend>(state: &State, set: &FeatureSet, model: &Model) -> Vec<f32> {
        let mut assembly = Assembly::<B>::new(0, &Backbone::new(Architecture::Resnet18, WIDTH), model);
        load_assembly(&mut assembly, state).expect("fits");
        let maps = distance_maps(&mut assembly, &Batches::streamed(set), &[0, 3, 7]).expect("maps");
        maps.into_iter().flat_map(|level| level.values).collect()
    }
    let (ours, theirs) = (maps::<Native>(&state, &set, &model), maps::<Cuda>(&state, &set, &model));
    assert!(ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() < 1e-4), "{ours:?} {theirs:?}");
}

#[test]
#[ignore = "needs a GPU, or the emulated one"]
fn a_phase_goes_on_from_its_own_kind_of_device_alone_on_cuda() {
    cuda::open_for_tests();
    let place = TrainingFolders::new();
    let stopped = |result| assert!(matches!(result, Err(StageError::Interrupted)));
    let both = ReconstructionGradient::Both;
    stopped(place.joint::<Cuda>(both, &mut RecordingObserver { stop_after: Some(1), ..RecordingObserver::default() }));
    let mut same = RecordingObserver { stop_after: Some(2), ..RecordingObserver::default() };
    stopped(place.joint::<Cuda>(both, &mut same));
    assert_eq!(same.rewound_to, Some(1));
    let mut other = RecordingObserver::default();
    place.joint::<Native>(both, &mut other).expect("trains");
    assert_eq!(other.rewound_to, Some(0));
}

#[test]
fn a_phase_starts_anew_if_others_computed_its_convolutions() {
    let place = TrainingFolders::new();
    let both = ReconstructionGradient::Both;
    let mut first = RecordingObserver { stop_after: Some(1), ..RecordingObserver::default() };
    assert!(matches!(place.joint::<Native>(both, &mut first), Err(StageError::Interrupted)));
    let checkpoint = place.path("joint.partial").join("last.safetensors");
    let mut state = State::load(&checkpoint).expect("a checkpoint");
    state.metadata.insert("convolutions".to_owned(), "cudnn: cuDNN 9.10.2 on a GPU".to_owned());
    state.save(&checkpoint).expect("writable");
    let mut other = RecordingObserver::default();
    place.joint::<Native>(both, &mut other).expect("trains");
    assert_eq!(other.rewound_to, Some(0));
}

#[test]
#[ignore = "needs a GPU, or the emulated one"]
fn batches_kept_on_cuda_are_those_that_are_read() {
    cuda::open_for_tests();
    let place = TrainingFolders::new();
    let set = FeatureSet::open(&place.path("features")).expect("features");
    let indices = [7, 0, 11, 3];
    let read = |batches: &Batches<'_, Cuda>| {
        let levels = (0..3).map(|level| batches.teacher(level, &indices).expect("memory"));
        let mut all: Vec<Vec<f32>> = levels.map(|level| Cuda::download(&level).expect("memory")).collect();
        all.push(Cuda::download(&batches.images(&indices).expect("memory")).expect("memory"));
        all
    };
    let streamed = read(&Batches::streamed(&set));
    assert_eq!(read(&Batches::kept(&set, None)), streamed);
    // Room for the first level only.
    assert_eq!(read(&Batches::kept(&set, Some(4 * 12 * 8 * 8 * 8))), streamed);
    assert_eq!(streamed[0], set.features(0, &indices));
}

fn weights_move_and_survive_a_stop<B: Backend>() {
    let rules = [
        LossWeighting::Uncertainty { weighting_rate: 0.1 },
        LossWeighting::Dwa { weighting_temperature: 2.0 },
        LossWeighting::GradNorm { weighting_alpha: 1.5, weighting_rate: 0.1 },
        LossWeighting::UwSo { weighting_temperature: 2.0 },
    ];
    for weighting in rules {
        let settings = JointSettings { loss: Some(LossSettings { weighting, ..LossSettings::default() }), ..brief() };
        let (whole, halted) = (TrainingFolders::new(), TrainingFolders::new());
        let mut observer = RecordingObserver::default();
        whole.joint_as::<B>(&settings, &mut observer).expect("trains");
        let weights = |epoch| {
            ["weight_similarity", "weight_reconstruction"].map(|name| observer.curves[&(name.to_owned(), epoch)])
        };
        assert_ne!(weights(3), weights(1), "{weighting:?}");
        for epochs in 1..3 {
            let mut observer = RecordingObserver { stop_after: Some(epochs), ..RecordingObserver::default() };
            assert!(matches!(halted.joint_as::<B>(&settings, &mut observer), Err(StageError::Interrupted)));
        }
        halted.joint_as::<B>(&settings, &mut RecordingObserver::default()).expect("trains");
        let last =
            |place: &TrainingFolders| std::fs::read(place.path("joint").join("last.safetensors")).expect("weights");
        assert!(last(&whole) == last(&halted), "{weighting:?}");
    }
}

#[test]
fn weights_of_losses_move_and_survive_a_stop() {
    weights_move_and_survive_a_stop::<Native>();
}

#[test]
#[ignore = "needs a GPU, or the emulated one"]
fn weights_of_losses_move_and_survive_a_stop_on_cuda() {
    cuda::open_for_tests();
    weights_move_and_survive_a_stop::<Cuda>();
}

#[test]
fn gradients_that_are_weighed_apart_add_up_to_those_of_the_sum() {
    // Weights that never move, once as gradient norms and once without.
    let still = LossWeighting::GradNorm { weighting_alpha: 0.0, weighting_rate: 0.0 };
    let curves = [LossWeighting::Fixed, still].map(|weighting| {
        let settings = JointSettings { loss: Some(LossSettings { weighting, ..LossSettings::default() }), ..brief() };
        let mut observer = RecordingObserver::default();
        TrainingFolders::new().joint_as::<Native>(&settings, &mut observer).expect("trains");
        observer.curves.retain(|(name, _), _| !name.starts_with("weight_"));
        observer
    });
    assert_alike(&curves[0], &curves[1]);
}

#[test]
fn published_codes_train_with_their_own_factor_and_take_their_own_epoch() {
    let of = |recipe| {
        let place = TrainingFolders::of(AutoEncoder::None);
        let mut observer = RecordingObserver::default();
        // Without momentum, decay and auto-encoders, one step is enough: the gradient is the factor of the loss.
        let student = OptimizerSettings::sgd(1e-3, 0.0, 0.0);
        let settings = JointSettings {
            epochs: 2,
            batch_size: 6,
            student,
            loss: None,
            autoencoder: None,
            ..JointSettings::of(recipe)
        };
        place.joint_as::<Native>(&settings, &mut observer).expect("trains");
        let summary = JointSummary::read(&place.path("joint")).expect("written");
        let factor = observer.curves[&("loss".to_owned(), 1)] / observer.curves[&("loss_similarity".to_owned(), 1)];
        let selected = State::load(&place.path("joint").join("selected.safetensors"));
        assert!(selected.is_ok(), "{recipe:?}");
        (factor, summary.selected_epoch)
    };
    assert_eq!(of(Recipe::StfpmOfficial).0, 1.0);
    // Twelve images in two batches of six; nine of them in batches of six and three.
    let (factor, selected) = of(Recipe::Hcw00);
    assert!((factor - 3.0).abs() < 1e-6 && selected == 2, "{factor}");
    assert_eq!(of(Recipe::Anomalib26).1, 2);
    let factor = of(Recipe::Xiahaifeng).0;
    assert!((0.5..1.0).contains(&factor), "{factor}");
}
