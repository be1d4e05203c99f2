//! The frozen teacher from a weight file.

use std::collections::HashSet;

use super::weights::{WeightError, WeightFile};
use super::{Architecture, Backbone, BlockKind, LevelSet, Resnet};
use crate::nn::{Init, Module};
use crate::tensor::Backend;

/// Builds the network from the file's weights, down to the coarsest of `levels`. Returns it with its shape: `conv1.weight` gives the base
/// width, the number and the shape of the blocks the architecture.
///
/// Further tensors (layer4, fc) are optional.
pub fn load_teacher<B: Backend>(file: &WeightFile, levels: LevelSet) -> Result<(Resnet<B>, Backbone), WeightError> {
    let width = match file.tensors.get("conv1.weight").map(|tensor| tensor.shape.as_slice()) {
        Some(&[width, 3, 7, 7]) if width > 0 => width,
        None if file.tensors.contains_key("conv1.0.weight") => {
            let reason =
                "its stem has several convolutions (a ResNet-C, -D or -S): use the plain ResNet's weights".to_owned();
            return Err(WeightError::format(&file.source, reason));
        }
        // The width is unknown here: the error names the tensor and the paper's shape.
        _ => return Err(file.tensor("conv1.weight", &[64, 3, 7, 7]).err().unwrap_or_else(|| empty_stem(file))),
    };
    let backbone = Backbone { architecture: architecture(file, width)?, width, levels };
    check_tensors(file, &backbone)?;
    let mut teacher = Resnet::<B>::new(&Init { seed: 0, purpose: "teacher" }, &backbone);
    // The first error counts.
    let mut outcome = Ok(());
    let mut note = |written: Result<(), WeightError>| outcome = std::mem::replace(&mut outcome, Ok(())).and(written);
    teacher.parameters_mut(&mut |parameter| match file.tensor(&parameter.name, &parameter.layout.file_shape()) {
        Ok(values) => note(parameter.set_from_file(values).map_err(WeightError::from)),
        Err(error) => note(Err(error)),
    });
    teacher.buffers_mut(&mut |buffer| match file.tensor(&buffer.name, &[buffer.channels()]) {
        Ok(values) => note(B::overwrite(&mut buffer.value, values).map_err(WeightError::from)),
        Err(error) => note(Err(error)),
    });
    outcome.map(|()| (teacher, backbone))
}

/// Checks the file before the network is built: every tensor must exist, have the right shape and be finite. Refuses tensors of other
/// names in these layers: they would change what the layers compute, as in squeeze-and-excitation networks.
fn check_tensors(file: &WeightFile, backbone: &Backbone) -> Result<(), WeightError> {
    let whole = Backbone { levels: LevelSet::ALL, ..*backbone }.tensors();
    for (name, shape) in backbone.tensors() {
        file.tensor(&name, &shape)?;
    }
    let known: HashSet<&str> = whole.iter().map(|(name, _)| name.as_str()).collect();
    let held = file.tensors.keys().chain(file.unreadable.keys()).map(String::as_str);
    let foreign = held.into_iter().find(|name| !known.contains(name) && !name.ends_with(".num_batches_tracked"));
    match foreign {
        None => Ok(()),
        Some(name) => Err(WeightError::Foreign {
            path: file.source.clone(),
            name: name.chars().take(80).flat_map(char::escape_debug).collect(),
            architecture: backbone.architecture,
            hint: if name.contains(".se.") { " (one with squeeze and excitation)" } else { "" },
        }),
    }
}

/// Returns the architecture with the same blocks as the file: their number, whether they are bottlenecks, and how wide these are inside.
fn architecture(file: &WeightFile, width: usize) -> Result<Architecture, WeightError> {
    let blocks = [1, 2, 3].map(|layer| {
        let named = |block: &usize| {
            let start = format!("layer{layer}.{block}.");
            file.tensors.range(start.clone()..).next().is_some_and(|(name, _)| name.starts_with(&start))
        };
        (0..).take_while(named).count()
    });
    let basic = !file.tensors.contains_key("layer1.0.conv3.weight");
    let has_same_blocks = |architecture: &Architecture| {
        (architecture.block() == BlockKind::Basic) == basic && architecture.blocks() == blocks
    };
    let candidates: Vec<Architecture> = Architecture::ALL.iter().copied().filter(has_same_blocks).collect();
    let Some(&first) = candidates.first() else {
        return Err(WeightError::Blocks { path: file.source.clone(), blocks, basic });
    };
    let shape = |name: &str| file.tensors.get(name).map(|tensor| tensor.shape.as_slice());
    if let (false, Some(&[outputs, inputs, ..])) = (basic, shape("layer1.0.conv2.weight"))
        && inputs < outputs
    {
        let reason = "its 3×3 convolutions have groups (a ResNeXt): use the plain ResNet's weights";
        return Err(WeightError::format(&file.source, reason));
    }
    match shape("layer1.0.conv1.weight") {
        Some(found) if !basic => {
            let is_as_wide = |architecture: &Architecture| found.first() == Some(&architecture.block().inner(width));
            let inner_width = || WeightError::InnerWidth { path: file.source.clone(), found: found.to_vec(), width };
            candidates.into_iter().find(is_as_wide).ok_or_else(inner_width)
        }
        // If it is missing, the check of all tensors says so.
        _ => Ok(first),
    }
}

/// Returns the error for a `conv1.weight` of (0, 3, 7, 7), which has the shape of a stem but is empty.
fn empty_stem(file: &WeightFile) -> WeightError {
    WeightError::format(&file.source, "its conv1.weight is empty")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::WeightSource;
    use crate::model::weights::WeightTensor;
    use crate::nn::State;
    use crate::tensor::Native;

    /// Writes and opens a weight file of a random network.
    fn written(architecture: Architecture, folder: &std::path::Path) -> WeightFile {
        let network = Resnet::<Native>::new(&Init { seed: 3, purpose: "test" }, &Backbone::new(architecture, 4));
        let mut state = State::default();
        state.add_module("", &network).expect("memory");
        let path = folder.join(format!("{}.safetensors", architecture.name()));
        state.save(&path).expect("written");
        WeightFile::open(&WeightSource::File(path)).expect("weights")
    }

    fn refusal(file: &WeightFile) -> String {
        load_teacher::<Native>(file, LevelSet::ALL).expect_err("unusable weights").to_string()
    }

    #[test]
    fn the_blocks_of_a_file_say_which_network_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        for architecture in Architecture::ALL {
            let mut file = written(architecture, folder.path());
            let (teacher, backbone) = load_teacher::<Native>(&file, LevelSet::ALL).expect("a teacher");
            assert_eq!(backbone, Backbone::new(architecture, 4));
            let two = LevelSet::of(&[2]).expect("a level");
            let (shorter, _) = load_teacher::<Native>(&file, two).expect("a teacher");
            assert!(shorter.parameter_count() < teacher.parameter_count());
            file.tensors.retain(|name, _| !name.starts_with("layer2.1."));
            let told = refusal(&file);
            assert!(
                told.contains("layer1 to layer3 have")
                    && told.contains("3, 4, 6 (ResNet-50 or WideResNet-50-2) of three"),
                "{told}"
            );
        }
    }

    #[test]
    fn bottlenecks_of_other_networks_are_refused_by_their_tensors() {
        let folder = tempfile::tempdir().expect("a folder");
        let shaped = |shape: &[usize]| WeightTensor { shape: shape.to_vec(), data: vec![0.0; shape.iter().product()] };
        let mut file = written(Architecture::Resnet50, folder.path());
        file.tensors.insert("layer1.0.conv1.weight".to_owned(), shaped(&[12, 4, 1, 1]));
        let told = refusal(&file);
        let expected = "expected [4, 4, 1, 1] (ResNet-50) or [8, 4, 1, 1] (WideResNet-50-2)";
        assert!(told.contains("`layer1.0.conv1.weight` has shape [12, 4, 1, 1]") && told.contains(expected), "{told}");
        file.tensors.remove("layer1.0.conv1.weight");
        assert!(refusal(&file).contains("no tensor `layer1.0.conv1.weight` (expected shape [4, 4, 1, 1])"));

        let mut file = written(Architecture::WideResnet50x2, folder.path());
        file.tensors.insert("layer2.3.conv3.weight".to_owned(), shaped(&[32, 8, 1, 1]));
        let told = refusal(&file);
        assert!(told.contains("`layer2.3.conv3.weight` has shape [32, 8, 1, 1], expected [32, 16, 1, 1]"), "{told}");
        file.tensors.insert("layer1.0.conv2.weight".to_owned(), shaped(&[8, 1, 3, 3]));
        assert!(refusal(&file).contains("a ResNeXt"));
    }
}
