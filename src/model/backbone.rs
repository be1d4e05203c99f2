//! Shape of teacher and student.

use super::LevelSet;
use super::block::{BlockKind, Shape};
use crate::settings::choices;
use crate::tensor::Conv2d;

choices! {
    /// The network, which a weight file identifies by the number and the shape of its blocks.
    pub enum Architecture {
        /// ResNet-18 (He et al. 2016), stem to layer3.
        Resnet18 = "resnet18",
        /// ResNet-34, stem to layer3.
        Resnet34 = "resnet34",
        /// ResNet-50, stem to layer3: bottleneck blocks, four times the channels.
        Resnet50 = "resnet50",
        /// WideResNet-50-2 (Zagoruyko and Komodakis 2016), stem to layer3: the blocks of ResNet-50 are twice as wide inside.
        WideResnet50x2 = "wide-resnet50-2",
    }
}

impl Architecture {
    /// Returns the name that the paper uses.
    pub fn title(self) -> &'static str {
        match self {
            Self::Resnet18 => "ResNet-18",
            Self::Resnet34 => "ResNet-34",
            Self::Resnet50 => "ResNet-50",
            Self::WideResnet50x2 => "WideResNet-50-2",
        }
    }

    /// Returns the number of blocks in layer1 to layer3.
    pub fn blocks(self) -> [usize; 3] {
        match self {
            Self::Resnet18 => [2, 2, 2],
            Self::Resnet34 | Self::Resnet50 | Self::WideResnet50x2 => [3, 4, 6],
        }
    }

    /// Returns the number of blocks in layer4, which a teacher does not need. A decoder's embedding has as many.
    pub(super) fn blocks_of_layer4(self) -> usize {
        match self {
            Self::Resnet18 => 2,
            Self::Resnet34 | Self::Resnet50 | Self::WideResnet50x2 => 3,
        }
    }

    /// Returns the kind of the blocks.
    pub fn block(self) -> BlockKind {
        match self {
            Self::Resnet18 | Self::Resnet34 => BlockKind::Basic,
            Self::Resnet50 => BlockKind::Bottleneck { inner: 1 },
            Self::WideResnet50x2 => BlockKind::Bottleneck { inner: 2 },
        }
    }
}

/// A network down to its coarsest selected level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backbone {
    /// Architecture of the network.
    pub architecture: Architecture,
    /// Channels of the stem, and planes of layer1 (64 in the papers). Each further layer has twice as many planes.
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
        let kind = self.architecture.block();
        for number in 1..=3 {
            let Some((mut shape, blocks)) = self.layer(number) else { continue };
            for block in 0..blocks {
                for (conv, bn, Conv2d { input, output, kernel, .. }) in kind.convolutions(shape) {
                    let name = |part: &str| format!("layer{number}.{block}.{part}");
                    conv_norm(name(&conv), name(&bn), [output, input, kernel, kernel]);
                }
                shape = shape.next(kind);
            }
        }
        tensors
    }

    /// Returns the shape of the first block of a layer (from 1), and the number of blocks. `None` if no level needs the layer.
    pub(super) fn layer(&self, number: usize) -> Option<(Shape, usize)> {
        let blocks = *self.architecture.blocks().get(number.checked_sub(1)?)?;
        let input = if number == 1 { self.width } else { self.channels_of(number - 1) };
        let shape = Shape { input, planes: self.planes_of(number), stride: if number == 1 { 1 } else { 2 } };
        (number <= self.levels.coarsest()).then_some((shape, blocks))
    }

    /// Returns the planes of the blocks of a level (from 1): W, 2W, 4W for a base width W.
    pub(super) fn planes_of(&self, level: usize) -> usize {
        self.width.saturating_mul(1 << (level - 1))
    }

    /// Returns the channels of a level (from 1): 64, 128, 256 in ResNet-18 and ResNet-34, and 256, 512, 1024 with bottleneck blocks.
    pub fn channels_of(&self, level: usize) -> usize {
        self.planes_of(level).saturating_mul(self.architecture.block().expansion())
    }

    /// Returns the numbers and channels of the levels, finest first.
    pub fn channels(&self) -> impl Iterator<Item = (usize, usize)> {
        let backbone = *self;
        self.levels.numbers().map(move |level| (level, backbone.channels_of(level)))
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
        for (index, architecture) in Architecture::ALL.into_iter().enumerate() {
            // Fewer levels for every second network.
            let levels: Vec<usize> = (1..=3 - index % 2).collect();
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
