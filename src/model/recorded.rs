//! PyTorch's features of networks and steps of reverse distillation, in `tests/golden/networks.json`, and the tests of features.

use serde::Deserialize;

use super::{Architecture, Backbone, Resnet};
use crate::nn::{Init, Mode, Module};
use crate::tensor::reference::FormulaTensor;
use crate::tensor::{Backend, Native, cuda};

const RECORDED: &str = include_str!("../../tests/golden/networks.json");

/// A few of PyTorch's numbers on a tensor.
#[derive(Debug, Deserialize)]
pub(crate) struct Summary {
    /// Name of the parameter or running statistic; empty for features.
    #[serde(default)]
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    mean: f64,
    l2: f64,
    samples: Vec<Sample>,
}

#[derive(Debug, Deserialize)]
struct Sample {
    place: usize,
    value: f64,
}

impl Summary {
    /// Compares values in PyTorch's order. `share` of the root mean square is the accepted error of a value.
    pub(crate) fn assert_like(&self, values: &[f32], share: f64, what: &str) {
        let what = format!("{what} {}", self.name);
        assert_eq!(values.len(), self.shape.iter().product::<usize>(), "{what}");
        let l2 = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len() as f64;
        let accepted = share * self.l2 / (values.len() as f64).sqrt();
        assert!((l2 - self.l2).abs() < share * self.l2, "{what}: norm {l2}, not {}", self.l2);
        assert!((mean - self.mean).abs() < accepted, "{what}: mean {mean}, not {}", self.mean);
        for Sample { place, value } in &self.samples {
            let ours = f64::from(values[*place]);
            assert!((ours - value).abs() < accepted, "{what} at {place}: {ours}, not {value}");
        }
    }
}

/// Features of a network in evaluation mode.
#[derive(Debug, Deserialize)]
struct RecordedFeatures {
    architecture: Architecture,
    width: usize,
    /// NCHW.
    images: Vec<usize>,
    seed: u64,
    levels: Vec<Summary>,
}

/// A training step of reverse distillation.
#[derive(Debug, Deserialize)]
pub(crate) struct RecordedStep {
    pub(crate) architecture: Architecture,
    pub(crate) width: usize,
    /// The teacher's features, NCHW, before their negative values become 0.
    pub(crate) teacher: Vec<FormulaTensor>,
    /// Loss of each level, finest first.
    pub(crate) losses: Vec<f64>,
    pub(crate) gradients: Vec<Summary>,
    /// Parameters and running statistics after the step.
    pub(crate) after: Vec<Summary>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Recorded {
    features: Vec<RecordedFeatures>,
    pub(crate) steps: Vec<RecordedStep>,
}

pub(crate) fn recorded() -> Recorded {
    serde_json::from_str(RECORDED).expect("the golden file is JSON")
}

/// Sets every tensor of a network by the formula of the golden file.
pub(crate) fn fill<B: Backend>(network: &mut dyn Module<B>) {
    let mut names = Vec::new();
    network.parameters(&mut |parameter| names.push(parameter.name.clone()));
    network.buffers(&mut |buffer| names.push(buffer.name.clone()));
    names.sort();
    let values = |name: &str, shape: &[usize]| {
        let place = names.iter().position(|other| other == name).expect("a name of the network");
        let of = FormulaTensor::new("", shape, 1_000_003 * (place as u64 + 1));
        let of = match shape {
            [_, rest @ ..] if rest.len() == 3 => of.scaled((6.0 / rest.iter().product::<usize>() as f64).sqrt() as f32),
            _ if name.ends_with("running_mean") => of.scaled(0.1),
            _ => of.squared_plus(0.5),
        };
        of.values()
    };
    network.parameters_mut(&mut |parameter| {
        parameter.set_from_file(&values(&parameter.name, &parameter.layout.file_shape())).expect("memory");
    });
    network.buffers_mut(&mut |buffer| {
        let (name, channels) = (buffer.name.clone(), buffer.channels());
        B::overwrite(&mut buffer.value, &values(&name, &[channels])).expect("memory");
    });
}

/// Reorders values of the shape (images, channels, height, width) so that the channels of a pixel stand together.
pub(crate) fn nhwc(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let [_, channels, height, width] = *shape else { panic!("four sides") };
    transposed(values, channels, height * width)
}

/// Transposes each matrix of so many rows and columns.
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let of = |matrix: &[f32]| -> Vec<f32> {
        (0..columns).flat_map(|column| (0..rows).map(move |row| matrix[row * columns + column])).collect()
    };
    values.chunks_exact(rows * columns).flat_map(of).collect()
}

fn features_equal_pytorchs<B: Backend>() {
    for RecordedFeatures { architecture, width, images, seed, levels } in recorded().features {
        let mut network = Resnet::<B>::new(&Init { seed: 0, purpose: "test" }, &Backbone::new(architecture, width));
        fill(&mut network);
        let values = nhwc(&FormulaTensor::new("", &images, seed).values(), &images);
        let batch = B::upload(values, (images[0], images[2], images[3], images[1])).expect("memory");
        let found = network.forward(batch, Mode::Evaluate).expect("memory");
        assert_eq!(found.len(), levels.len());
        for (level, (found, expected)) in found.iter().zip(&levels).enumerate() {
            let (_, height, width, channels) = *found.shape();
            let values = transposed(&B::download(found).expect("memory"), height * width, channels);
            expected.assert_like(&values, 1e-4, &format!("{architecture}, level {}", level + 1));
        }
    }
}

#[test]
fn features_of_bottlenecks_equal_pytorchs_on_the_cpu() {
    features_equal_pytorchs::<Native>();
}

#[test]
#[ignore = "needs a GPU, or the emulated one"]
fn features_of_bottlenecks_equal_pytorchs_on_cuda() {
    cuda::open_for_tests();
    features_equal_pytorchs::<cuda::Cuda>();
}
