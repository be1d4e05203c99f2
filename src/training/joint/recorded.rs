//! A training step of reverse distillation, compared with PyTorch's.

use std::collections::BTreeMap;

use super::Joint;
use crate::data::{FeatureSet, FeatureWriter, Image, LevelShape};
use crate::model::recorded::{RecordedStep, fill, nhwc, recorded};
use crate::model::{Assembly, Backbone, Corruption, Model};
use crate::nn::{Module, Optimizer};
use crate::tensor::{Backend, Native, cuda};
use crate::training::corruption::At;
use crate::training::driver::Phase;
use crate::training::weighting::Weighting;
use crate::training::{Batches, JointSettings, LossWeighting, Recipe};

/// Writes the teacher's features of the recorded step, with black images that the decoder must not need.
fn write_features(folder: &std::path::Path, step: &RecordedStep) {
    let levels: Vec<LevelShape> = step
        .teacher
        .iter()
        .map(|level| LevelShape { height: level.shape[2], width: level.shape[3], channels: level.shape[1] })
        .collect();
    let side = 4 * levels[0].height;
    let mut writer = FeatureWriter::create(folder, side, levels.clone()).expect("created");
    let values: Vec<Vec<f32>> = step.teacher.iter().map(|level| nhwc(&level.values(), &level.shape)).collect();
    for image in 0..step.teacher[0].shape[0] {
        let of_image = |(level, values): (&LevelShape, &Vec<f32>)| -> Vec<f32> {
            values[image * level.len()..][..level.len()].iter().map(|value| value.max(0.0)).collect()
        };
        let features: Vec<Vec<f32>> = levels.iter().zip(&values).map(of_image).collect();
        let black = Image { side, rgb: vec![0; side * side * 3] };
        writer.append(&[(format!("{image}.png"), black)], &features).expect("written");
    }
    writer.finish().expect("finished");
}

/// Returns every parameter's gradient or value and every running statistic by name, in PyTorch's order.
fn values<B: Backend>(network: &dyn Module<B>) -> BTreeMap<String, Vec<f32>> {
    let mut values = BTreeMap::new();
    network.parameters(&mut |p| drop(values.insert(p.name.clone(), p.to_file().expect("memory"))));
    network.buffers(&mut |b| drop(values.insert(b.name.clone(), B::download(&b.value).expect("memory"))));
    values
}

fn steps_equal_pytorchs<B: Backend>() {
    for step in recorded().steps {
        let folder = tempfile::tempdir().expect("a folder");
        write_features(folder.path(), &step);
        let set = FeatureSet::open(folder.path()).expect("features");
        let mut assembly = Assembly::<B>::new(0, &Backbone::new(step.architecture, step.width), &Model::Decoder);
        fill(&mut assembly.student);
        let settings =
            JointSettings { loss: None, autoencoder: None, ..JointSettings::of(Recipe::ReverseDistillation) };
        let mut joint = Joint {
            batches: Batches::kept(&set, None),
            held_out: &[],
            settings: &settings,
            corruption: Corruption::Plain,
            seed: 0,
            assembly,
            weighting: Weighting::new(LossWeighting::Fixed),
            student_optimizer: Optimizer::new(settings.student),
            autoencoder_optimizer: None,
        };
        let what = step.architecture.name();
        let at = At { epoch: 0, step: 0, steps: 1 };
        let indices: Vec<usize> = (0..set.len()).collect();
        let before = joint.assembly.clone();
        let (mut gradients, numbers) = joint.gradients(&indices, at).expect("a step");
        let loss = B::number(&numbers["loss"]).expect("memory");
        let expected: f64 = step.losses.iter().sum();
        assert!((loss - expected).abs() < 1e-5 * expected, "{what}: loss {loss}, not {expected}");
        let mut found = BTreeMap::new();
        joint.assembly.parameters(&mut |parameter| {
            let gradient = B::gradient(&mut gradients, &parameter.value).expect("memory");
            found.insert(parameter.name.clone(), parameter.layout.to_file(&gradient));
        });
        for gradient in &step.gradients {
            gradient.assert_like(&found[&gradient.name], 1e-3, &format!("{what}, gradient of"));
        }

        // The first pass has moved the running statistics: the step starts from the same networks again.
        joint.assembly = before;
        joint.step(&indices, at).expect("a step");
        let found = values::<B>(&joint.assembly);
        for after in &step.after {
            after.assert_like(&found[&after.name], 1e-4, &format!("{what}, after the step"));
        }
    }
}

#[test]
fn steps_of_reverse_distillation_equal_pytorchs_on_the_cpu() {
    steps_equal_pytorchs::<Native>();
}

#[test]
#[ignore = "needs a GPU, or the emulated one"]
fn steps_of_reverse_distillation_equal_pytorchs_on_cuda() {
    cuda::open_for_tests();
    steps_equal_pytorchs::<cuda::Cuda>();
}
