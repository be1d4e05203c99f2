//! Tests of every combination of parts: shapes, names, gradients and cost.

use std::collections::BTreeSet;

use rand::Rng;

use super::*;
use crate::data::stream;
use crate::nn::{Init, Input, Mode, Module, Padding};
use crate::tensor::{Activation, Backend, DeviceError, Features, Native, OpResult, Recorded, cuda};

const SKIPS: [Skip; 4] = [Skip::None, Skip::Add, Skip::Concat, Skip::ConcatConv];
const UPSAMPLES: [Upsample; 3] = [Upsample::Transposed, Upsample::Bilinear, Upsample::Nearest];
const NORMS: [InnerNorm; 2] = [InnerNorm::Batch, InnerNorm::None];
const ACTIVATIONS: [Activation; 3] = [Activation::Relu, Activation::LeakyRelu, Activation::Gelu];
const PADDINGS: [Padding; 3] = [Padding::Zero, Padding::Reflect, Padding::Replicate];

/// Returns all U-Nets of a depth.
fn unets(depth: usize) -> Vec<UnetSettings> {
    let mut all = Vec::new();
    for skip in SKIPS {
        for upsample in UPSAMPLES {
            for norm in NORMS {
                for activation in ACTIVATIONS {
                    for padding in PADDINGS {
                        let common = CommonSettings { width: 0.5, ..CommonSettings::default() };
                        all.push(UnetSettings { skip, depth, upsample, norm, activation, padding, common });
                    }
                }
            }
        }
    }
    all
}

fn noise<B: Backend>(purpose: &str, shape: (usize, usize, usize, usize)) -> Features<B> {
    let mut stream = stream(7, purpose, 0, 0);
    let count = shape.0 * shape.1 * shape.2 * shape.3;
    let values = (0..count).map(|_| (stream.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0).collect();
    B::upload(values, shape).expect("memory")
}

#[test]
fn every_unet_keeps_the_shape_and_trains_every_parameter() {
    let shape = (2, 8, 8, 6);
    for settings in unets(2) {
        let mut unet = Unet::<Native>::new(&Init { seed: 0, purpose: "autoencoder" }, "level1", 6, &settings);
        let x = noise::<Native>("x", shape);
        let evaluated = unet.forward(x.clone(), Input::Constant, Mode::Evaluate).expect("memory");
        assert_eq!(*evaluated.shape(), shape, "{settings:?}");
        let y = unet.forward(x.clone().put_tape(Recorded::default()), Input::Trained, Mode::Train);
        let loss = Native::mean_squared_error(y.expect("memory"), noise::<Native>("target", shape)).expect("memory");
        let mut gradients = Native::backward(loss).expect("memory");
        let (mut names, mut count) = (BTreeSet::new(), 0);
        unet.parameters(&mut |parameter| {
            let gradient = Native::gradient(&mut gradients, &parameter.value).expect("memory");
            assert!(gradient.iter().all(|v| v.is_finite()), "{settings:?} {}", parameter.name);
            // A bias before batch norm changes nothing.
            let idle = settings.norm == InnerNorm::Batch && parameter.name.ends_with("bias");
            assert!(idle || gradient.iter().any(|v| *v != 0.0), "{settings:?} {}", parameter.name);
            names.insert(parameter.name.clone());
            count += 1;
        });
        assert_eq!(names.len(), count, "{settings:?}: two parameters of one name");
        assert!(unet.multiply_accumulates(8) > 0);
    }
}

/// Checks the gradient by central differences along itself: the loss must change by its squared length.
fn gradient_is_right<B: Backend>(settings: &UnetSettings) {
    let shape = (2, 4, 4, 4);
    let (x, target) = (noise::<B>("x", shape), noise::<B>("target", shape));
    let mut unet = Unet::<B>::new(&Init { seed: 1, purpose: "autoencoder" }, "level1", 4, settings);
    let loss = |unet: &mut Unet<B>| {
        let x = x.clone().put_tape(Recorded::default());
        let y = unet.forward(x, Input::Constant, Mode::TrainUntracked).expect("memory");
        B::mean_squared_error(y, target.clone()).expect("memory")
    };
    let mut gradients = B::backward(loss(&mut unet)).expect("memory");
    let mut slopes: Vec<Vec<f32>> = Vec::new();
    unet.parameters(&mut |p| slopes.push(B::gradient(&mut gradients, &p.value).expect("memory")));
    let square: f64 = slopes.iter().flatten().map(|&v| f64::from(v).powi(2)).sum();
    let step = 2e-3 / square.sqrt();
    let moved = |by: f64| {
        let mut unet = unet.clone();
        let mut slopes = slopes.iter();
        unet.parameters_mut(&mut |parameter| {
            let slope = slopes.next().expect("one a parameter");
            let values: Vec<f32> =
                parameter.to_memory().expect("memory").iter().zip(slope).map(|(v, s)| v + by as f32 * s).collect();
            B::overwrite(&mut parameter.value, &values).expect("memory");
        });
        B::number(&loss(&mut unet)).expect("memory")
    };
    let numeric = (moved(step) - moved(-step)) / (2.0 * step);
    assert!((numeric - square).abs() < 0.02 * square, "{settings:?}: numeric {numeric}, analytic {square}");
}

#[test]
fn gradients_of_every_unet_are_right() {
    for settings in unets(1) {
        gradient_is_right::<Native>(&settings);
    }
}

#[test]
#[ignore = "needs a GPU, or the emulated one"]
fn gradients_of_unets_are_right_on_cuda() {
    cuda::open_for_tests();
    // A sample of all combinations, in which each pair of values occurs.
    for settings in unets(1).iter().step_by(7) {
        gradient_is_right::<cuda::Cuda>(settings);
    }
}

fn backbone(architecture: Architecture, levels: &[usize]) -> Backbone {
    Backbone { levels: LevelSet::of(levels).expect("levels"), ..Backbone::new(architecture, 8) }
}

fn assembled(levels: &[usize], model: &Model) -> Assembly<Native> {
    Assembly::new(0, &backbone(Architecture::Resnet18, levels), model)
}

fn every_model() -> Vec<Model> {
    let mut models = vec![AutoEncoder::None];
    for levels in [LevelSet::ALL, LevelSet::of(&[2]).expect("a level"), LevelSet::of(&[2, 3]).expect("levels")] {
        for placement in [Placement::Student, Placement::TeacherHead] {
            let common = CommonSettings { levels, placement, ..CommonSettings::default() };
            models.push(AutoEncoder::Unet(UnetSettings { depth: 1, common, ..UnetSettings::default() }));
            let is_unet = |model: &AutoEncoder| matches!(model, AutoEncoder::Unet(_));
            models.extend(AutoEncoder::of_every_kind(common).into_iter().filter(|model| !is_unet(model)));
        }
    }
    models.into_iter().map(Model::from).chain([Model::Decoder]).collect()
}

#[test]
fn every_assembly_measures_every_level_that_is_compared() {
    let of_resnet18 = every_model().into_iter().map(|model| (Architecture::Resnet18, model));
    let unet = AutoEncoder::Unet(UnetSettings { depth: 1, ..UnetSettings::default() });
    let of_bottlenecks = [Architecture::Resnet50, Architecture::WideResnet50x2].into_iter().flat_map(|architecture| {
        [Model::STFPM, unet.clone().into(), Model::Decoder].map(|model| (architecture, model))
    });
    for (architecture, model) in of_resnet18.chain(of_bottlenecks) {
        for levels in [&[1, 2, 3][..], &[2, 3], &[1, 3], &[2]] {
            let backbone = backbone(architecture, levels);
            let mut assembly = Assembly::new(0, &backbone, &model);
            let shape = |(level, channels): (usize, usize)| (2, 16 >> level, 16 >> level, channels);
            let teacher: Vec<Features<Native>> =
                backbone.channels().map(|level| noise::<Native>("teacher", shape(level))).collect();
            let images = || Ok::<_, DeviceError>(noise::<Native>("images", (2, 32, 32, 3)));
            let distances = assembly.distances(images, &teacher).expect("memory");
            let found: Vec<usize> = distances.iter().map(Vec::len).collect();
            let expected: Vec<usize> = levels.iter().map(|level| 2 * (16 >> level) * (16 >> level)).collect();
            assert_eq!(found, expected, "{model:?} {levels:?}");
            assert!(distances.iter().flatten().all(|d| d.is_finite() && *d >= 0.0));
        }
    }
}

#[test]
fn each_part_costs_what_it_adds() {
    let cost = |levels: &[usize], model: &Model| assembled(levels, model).complexity(32);
    let plain = cost(&[1, 2, 3], &Model::STFPM);
    let with_autoencoders = |model: &Model| *model.autoencoder() != AutoEncoder::None;
    for model in every_model().into_iter().filter(with_autoencoders) {
        let more = cost(&[1, 2, 3], &model);
        assert!(more.parameters > plain.parameters && more.multiply_accumulates > plain.multiply_accumulates);
    }
    let two = cost(&[1, 2], &Model::STFPM);
    assert!(two.parameters < plain.parameters && two.multiply_accumulates < plain.multiply_accumulates);
    // A bottleneck of a quarter of the channels at each level: C·C/4 weights each way, C/4 + C biases.
    let added = cost(&[1, 2, 3], &AutoEncoder::Linear(LinearSettings::default()).into()).parameters - plain.parameters;
    assert_eq!(added, [8, 16, 32].iter().map(|c| c * c / 2 + c / 4 + c).sum::<usize>());
}

#[test]
fn a_levels_initial_values_do_not_depend_on_the_others() {
    let named = |model: AutoEncoder| {
        let mut values = Vec::new();
        assembled(&[1, 2, 3], &model.into()).parameters(&mut |parameter| {
            if parameter.name.starts_with("level2.") {
                values.push(parameter.to_file());
            }
        });
        values
    };
    let usual = UnetSettings::default();
    let level_2 = CommonSettings { levels: LevelSet::of(&[2]).expect("a level"), ..CommonSettings::default() };
    let alone = UnetSettings { common: level_2, ..usual };
    let (all, alone) = (named(AutoEncoder::Unet(usual)), named(AutoEncoder::Unet(alone)));
    assert!(!all.is_empty());
    assert_eq!(all, alone);
}

#[test]
fn a_decoder_trains_every_parameter_without_the_image() {
    for architecture in Architecture::ALL {
        for levels in [&[1, 2, 3][..], &[1, 3], &[2]] {
            let backbone = backbone(architecture, levels);
            let mut student = Student::<Native>::new(0, &backbone, &Model::Decoder);
            let shape = |(level, channels): (usize, usize)| (2, 16 >> level, 16 >> level, channels);
            let teacher: Vec<Features<Native>> =
                backbone.channels().map(|level| noise::<Native>("teacher", shape(level))).collect();
            let no_image = || -> OpResult<Features<Native>> { panic!("a decoder reads no image") };
            let rebuilt = student.forward::<Recorded, _>(no_image, &teacher, Mode::Train).expect("memory");
            let losses = rebuilt.into_iter().zip(&teacher);
            let mut losses = losses.map(|(s, t)| (Native::similarity(t, s).expect("memory"), 1.0));
            let first = losses.next().expect("levels");
            let loss = Native::weighted_sum(first, losses).expect("memory");
            let mut gradients = Native::backward(loss).expect("memory");
            let (mut names, mut count) = (BTreeSet::new(), 0);
            student.parameters(&mut |parameter| {
                let gradient = Native::gradient(&mut gradients, &parameter.value).expect("memory");
                assert!(
                    gradient.iter().all(|v| v.is_finite()) && gradient.iter().any(|v| *v != 0.0),
                    "{}",
                    parameter.name
                );
                names.insert(parameter.name.clone());
                count += 1;
            });
            assert_eq!(names.len(), count, "two parameters of one name");
        }
    }
}

#[test]
fn the_costs_of_networks_are_those_of_their_papers_shapes() {
    let cost = |architecture, model: &Model| {
        Assembly::<Native>::new(0, &Backbone::new(architecture, 64), model).complexity(256)
    };
    // ResNet-18 to layer3: 14.65 G multiply-accumulates for eight images of 256 px.
    let stfpm = cost(Architecture::Resnet18, &Model::STFPM);
    assert_eq!(8 * stfpm.multiply_accumulates / 10_000_000, 1465);
    // torchvision's whole ResNet-50 has 25,557,032 parameters: 14,964,736 in layer4 and 2,049,000 in the classifier.
    assert_eq!(cost(Architecture::Resnet50, &Model::STFPM).parameters, 25_557_032 - 14_964_736 - 2_049_000);
    // Every convolution has a batch norm. An embedding of two blocks; stages of two blocks, the first with two transposed convolutions.
    let decoder = cost(Architecture::Resnet18, &Model::Decoder).parameters;
    let norm = |channels: usize| 2 * channels;
    let conv = |input: usize, output: usize, taps: usize| input * output * taps + norm(output);
    let fusion = conv(64, 128, 9) + 2 * conv(128, 256, 9);
    let embedding = conv(768, 512, 9) + conv(768, 512, 1) + 3 * conv(512, 512, 9);
    let stage = |planes: usize| 2 * conv(2 * planes, planes, 4) + 3 * conv(planes, planes, 9);
    assert_eq!(decoder, fusion + embedding + stage(256) + stage(128) + stage(64));
}
