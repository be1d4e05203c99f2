//! Selects the tensors of the teacher from a file. Users save a network alone, in a checkpoint with an optimiser, in a wrapper that adds
//! a prefix to every name, or together with other networks.

use std::collections::BTreeMap;

use super::contents::{Contents, StoredTensor};
use super::input::printable;

/// Tensors of one network, by torchvision's names.
#[derive(Debug)]
pub(super) struct Selected {
    pub(super) tensors: BTreeMap<String, StoredTensor>,
    /// Keys and prefix that lead to them, e.g. `state_dict` and `module.`; empty without any.
    pub(super) location: String,
    /// Number of tensors in the same dictionary.
    pub(super) dictionary_size: usize,
}

/// A network with torchvision's names after a path of keys and a prefix.
#[derive(Debug, Clone, PartialEq)]
struct Candidate {
    dictionary: usize,
    prefix: String,
    rank: usize,
}

/// A tensor that every ResNet has, in addition to the stem.
const MARKER: &str = "layer1.0.conv1.weight";
const STEM: &str = "conv1.weight";

/// Keys and prefixes that mark the network itself.
const MAIN_NAMES: [&str; 26] = [
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "models",
    "net",
    "network",
    "module",
    "_orig_mod",
    "backbone",
    "encoder",
    "encoder_q",
    "online_network",
    "online_encoder",
    "online",
    "teacher",
    "feature_extractor",
    "features",
    "extractor",
    "resnet",
    "body",
    "base_model",
    "base_encoder",
    "weights",
    "params",
    "state",
];

/// Keys and prefixes that mark a copy: a momentum encoder, an average of weights, a student.
const COPY_NAMES: [&str; 22] = [
    "encoder_k",
    "momentum_encoder",
    "encoder_momentum",
    "encoder_m",
    "backbone_momentum",
    "momentum_backbone",
    "key_encoder",
    "target",
    "target_network",
    "target_encoder",
    "student",
    "ema",
    "model_ema",
    "ema_model",
    "state_dict_ema",
    "ema_state_dict",
    "module_ema",
    "net_ema",
    "params_ema",
    "averaged_model",
    "swa_model",
    "model_swa",
];

/// Picks the network. If no network has the names, picks the largest dictionary, so that the error can name what is missing.
///
/// # Errors
/// If the file holds several networks and no name marks one as the main network.
pub(super) fn select(contents: &mut Contents) -> Result<Selected, String> {
    let candidates = candidates(contents);
    let best = candidates.iter().map(|candidate| candidate.rank).min();
    let best_candidates: Vec<&Candidate> = candidates.iter().filter(|candidate| Some(candidate.rank) == best).collect();
    let (index, prefix) = match best_candidates.as_slice() {
        [] => (largest(contents), String::new()),
        [candidate] => (candidate.dictionary, candidate.prefix.clone()),
        several => {
            let names: Vec<String> = several
                .iter()
                .take(4)
                .map(|candidate| format!("`{}`", location(contents, candidate.dictionary, &candidate.prefix)))
                .collect();
            return Err(format!(
                "it holds {} networks (at {}): save only the teacher's state_dict()",
                several.len(),
                names.join(", ")
            ));
        }
    };
    let location = location(contents, index, &prefix);
    let dictionary = contents.dictionaries.get_mut(index).map(|found| std::mem::take(&mut found.tensors));
    let dictionary = dictionary.unwrap_or_default();
    let dictionary_size = dictionary.len();
    let renamed =
        dictionary.into_iter().filter_map(|(name, tensor)| Some((name.strip_prefix(&prefix)?.to_owned(), tensor)));
    let tensors = renamed.filter(|(name, _)| belongs_to_teacher(name)).collect();
    Ok(Selected { tensors, location, dictionary_size })
}

/// Returns whether a name belongs to a layer before layer4.
fn belongs_to_teacher(name: &str) -> bool {
    ["conv1.", "bn1.", "layer1.", "layer2.", "layer3."].iter().any(|start| name.starts_with(start))
}

fn candidates(contents: &Contents) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (index, dictionary) in contents.dictionaries.iter().enumerate() {
        for name in dictionary.tensors.keys() {
            let Some(prefix) = name.strip_suffix(MARKER).filter(|prefix| prefix.is_empty() || prefix.ends_with('.'))
            else {
                continue;
            };
            let stem = dictionary.tensors.get(&format!("{prefix}{STEM}"));
            // A network without a stem may be a decoder, whose layers have the same names.
            let has_stem = matches!(stem, Some(StoredTensor::Dense(view)) if matches!(view.shape[..], [_, 3, 7, 7]));
            let rank = rank(&dictionary.path, prefix) + if has_stem { 0 } else { 100 };
            found.push(Candidate { dictionary: index, prefix: prefix.to_owned(), rank });
        }
    }
    found
}

/// Returns the priority of a network; lower is better. The order: torchvision's names alone, known keys and prefixes, unknown ones,
/// copies.
fn rank(path: &[String], prefix: &str) -> usize {
    let words = || path.iter().flat_map(|key| key.split('.')).chain(prefix.split('.')).filter(|word| !word.is_empty());
    if words().any(|word| COPY_NAMES.contains(&word)) {
        3
    } else if words().any(|word| !MAIN_NAMES.contains(&word)) {
        2
    } else {
        usize::from(words().next().is_some())
    }
}

fn largest(contents: &Contents) -> usize {
    let sizes = contents.dictionaries.iter().map(|dictionary| dictionary.tensors.len()).enumerate();
    // Of equally large dictionaries, take the first.
    sizes.max_by_key(|(index, size)| (*size, usize::MAX - index)).map_or(0, |(index, _)| index)
}

fn location(contents: &Contents, index: usize, prefix: &str) -> String {
    let path = contents.dictionaries.get(index).map(|dictionary| dictionary.path.join("."));
    let path = path.filter(|path| !path.is_empty()).into_iter();
    printable(&path.chain((!prefix.is_empty()).then(|| prefix.to_owned())).collect::<Vec<_>>().join("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::weights::contents::{Dictionary, View};

    /// Returns dictionaries with networks after these prefixes.
    fn contents(dictionaries: &[(&str, &[&str])]) -> Contents {
        let tensor = |shape: &[usize]| {
            StoredTensor::Dense(View { storage: 0, offset: 0, shape: shape.to_vec(), strides: vec![1; shape.len()] })
        };
        let dictionary = |(path, prefixes): &(&str, &[&str])| Dictionary {
            path: path.split('.').filter(|key| !key.is_empty()).map(str::to_owned).collect(),
            tensors: prefixes
                .iter()
                .flat_map(|prefix| {
                    [(STEM, [4, 3, 7, 7]), (MARKER, [4, 4, 3, 3]), ("fc.weight", [9, 4, 1, 1])]
                        .map(|(name, shape)| (format!("{prefix}{name}"), tensor(&shape)))
                })
                .collect(),
        };
        Contents { dictionaries: dictionaries.iter().map(dictionary).collect(), ..Contents::default() }
    }

    fn picked(dictionaries: &[(&str, &[&str])]) -> Result<String, String> {
        select(&mut contents(dictionaries)).map(|selected| {
            assert_eq!(selected.tensors.keys().collect::<Vec<_>>(), [STEM, MARKER]);
            selected.location
        })
    }

    #[test]
    fn any_single_prefix_is_found_and_reported() {
        for prefix in ["", "module.", "model.", "backbone.", "module.encoder_q.", "teacher.", "my_own.wrapper.of.it."] {
            assert_eq!(picked(&[("", &[prefix])]).as_deref(), Ok(prefix));
            let location = if prefix.is_empty() { "state_dict".to_owned() } else { format!("state_dict.{prefix}") };
            assert_eq!(picked(&[("state_dict", &[prefix])]), Ok(location));
        }
    }

    #[test]
    fn the_main_network_is_selected_and_not_a_copy() {
        assert_eq!(picked(&[("", &["module.encoder_k.", "module.encoder_q."])]).as_deref(), Ok("module.encoder_q."));
        assert_eq!(picked(&[("student", &[""]), ("teacher", &["backbone."])]).as_deref(), Ok("teacher.backbone."));
        assert_eq!(picked(&[("state_dict", &[""]), ("state_dict_ema", &[""])]).as_deref(), Ok("state_dict"));
        assert_eq!(picked(&[("state_dict_ema", &[""])]).as_deref(), Ok("state_dict_ema"));
        assert_eq!(picked(&[("optimizer.mine", &[""]), ("model", &[""])]).as_deref(), Ok("model"));
        assert_eq!(picked(&[("", &["", "backbone."])]).as_deref(), Ok(""));
        let message = picked(&[("", &["left.", "right."])]).expect_err("either may be meant");
        assert!(message.contains("2 networks") && message.contains("`left.`, `right.`"), "{message}");
    }
}
