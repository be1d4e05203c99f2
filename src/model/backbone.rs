//! Shape of teacher and student.

use super::LevelSet;
use crate::settings::choices;

choices! {
    /// The network, which a weight file identifies by the number of its blocks.
    pub enum Architecture {
        /// ResNet-18 (He et al. 2016), stem to layer3.
        Resnet18 = "resnet18",
        /// ResNet-34, stem to layer3.
        Resnet34 = "resnet34",
    }
}

impl Architecture {
    /// Returns the name that the paper uses.
    pub fn title(self) -> &'static str {
        match self {
            Self::Resnet18 => "ResNet-18",
            Self::Resnet34 => "ResNet-34",
        }
    }

    /// Returns the number of basic blocks in layer1 to layer3.
    pub fn blocks(self) -> [usize; 3] {
        match self {
            Self::Resnet18 => [2, 2, 2],
            Self::Resnet34 => [3, 4, 6],
        }
    }
}

/// A network down to its coarsest selected level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backbone {
    /// Architecture of the network.
    pub architecture: Architecture,
    /// Channels of level 1 (64 in the paper). Each further level has twice as many.
    pub width: usize,
    /// The selected levels.
    pub levels: LevelSet,
}

impl Backbone {
    /// Creates the whole network for a base width.
    pub fn new(architecture: Architecture, width: usize) -> Self {
        Self { architecture, width, levels: LevelSet::ALL }
    }

    /// Returns names and shapes of the network's parameters and buffers, as in torchvision. They are known before the network is built.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        let mut tensors = Vec::new();
        let mut conv_norm = |conv: String, norm: String, shape: [usize; 4]| {
            tensors.push((conv + ".weight", shape.to_vec()));
            let parts = ["weight", "bias", "running_mean", "running_var"];
            tensors.extend(parts.map(|part| (format!("{norm}.{part}"), vec![shape[0]])));
        };
        conv_norm("conv1".to_owned(), "bn1".to_owned(), [self.width, 3, 7, 7]);
        let mut input = self.width;
        for (layer, blocks) in (1..=self.levels.coarsest()).zip(self.architecture.blocks()) {
            let output = self.width.saturating_mul(1 << (layer - 1));
            for block in 0..blocks {
                let name = |part: &str| format!("layer{layer}.{block}.{part}");
                conv_norm(name("conv1"), name("bn1"), [output, input, 3, 3]);
                conv_norm(name("conv2"), name("bn2"), [output, output, 3, 3]);
                if input != output {
                    conv_norm(name("downsample.0"), name("downsample.1"), [output, input, 1, 1]);
                }
                input = output;
            }
        }
        tensors
    }

    /// Returns the numbers and channels of the levels, finest first.
    pub fn channels(&self) -> impl Iterator<Item = (usize, usize)> {
        let width = self.width;
        self.levels.numbers().map(move |level| (level, width << (level - 1)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::Resnet;
    use crate::nn::{Init, Module};
    use crate::tensor::Native;

    #[test]
    fn the_tensors_of_a_network_are_those_that_it_has_when_it_is_built() {
        for (architecture, levels) in [(Architecture::Resnet18, vec![1, 2]), (Architecture::Resnet34, vec![1, 2, 3])] {
            let levels = LevelSet::of(&levels).expect("levels");
            let backbone = Backbone { levels, ..Backbone::new(architecture, 4) };
            let mut built = BTreeMap::new();
            let network = Resnet::<Native>::new(&Init { seed: 0, purpose: "test" }, &backbone);
            network.parameters(&mut |p| drop(built.insert(p.name.clone(), p.layout.file_shape())));
            network.buffers(&mut |b| drop(built.insert(b.name.clone(), vec![b.channels()])));
            assert_eq!(backbone.tensors().into_iter().collect::<BTreeMap<_, _>>(), built);
        }
    }
}
