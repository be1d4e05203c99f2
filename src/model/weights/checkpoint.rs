//! Finds the dictionaries of tensors in a pickle from `torch.save`: a state dict, or a checkpoint that contains one.

use std::collections::{HashSet, VecDeque};

use super::budget;
use super::contents::{Contents, Dictionary, StoredTensor, View};
use super::pickle::{Handle, Heap, Node};

/// Finds the dictionaries, outermost first. The caller adds the storages.
pub(super) fn dictionaries(heap: &Heap<'_>, outermost: Handle) -> Result<Contents, String> {
    let mut contents = Contents::default();
    let mut seen = HashSet::from([outermost]);
    let mut queue = VecDeque::from([(outermost, Vec::<String>::new())]);
    let mut tensors = 0;
    while let Some((handle, path)) = queue.pop_front() {
        let entries = match heap.get(handle) {
            Node::Dict(entries) | Node::Object(_, entries) => entries,
            Node::Module(class) => {
                contents.module.get_or_insert_with(|| heap.class_name(*class));
                continue;
            }
            _ => continue,
        };
        let mut dictionary = Dictionary { path: path.clone(), ..Dictionary::default() };
        for (key, value) in entries {
            let Some(name) = key_name(heap, *key) else { continue };
            let tensor = match heap.get(*value) {
                Node::Tensor(arguments) => match heap.tensor(*arguments) {
                    Ok(tensor) => StoredTensor::Dense(View {
                        storage: tensor.storage,
                        offset: tensor.offset,
                        shape: tensor.shape,
                        strides: tensor.strides,
                    }),
                    Err(why) => StoredTensor::Unreadable(why),
                },
                Node::UnreadableTensor(why) => StoredTensor::Unreadable((*why).to_owned()),
                Node::Dict(_) | Node::Object(..) | Node::Module(_) => {
                    if path.len() < budget::NESTING && seen.insert(*value) {
                        if seen.len() > budget::DICTIONARIES {
                            return Err(format!(
                                "it holds more than {} dictionaries, which is the limit",
                                budget::DICTIONARIES
                            ));
                        }
                        queue.push_back((*value, path.iter().cloned().chain([name]).collect()));
                    }
                    continue;
                }
                _ => continue,
            };
            tensors += 1;
            if tensors > budget::TENSORS {
                return Err(format!("it holds more than {} tensors, which is the limit", budget::TENSORS));
            }
            dictionary.tensors.insert(name, tensor);
        }
        if !dictionary.tensors.is_empty() {
            contents.dictionaries.push(dictionary);
        }
    }
    if contents.dictionaries.is_empty() {
        return Err(match (&contents.module, heap.get(outermost)) {
            (Some(class), _) => module_refusal(class),
            (None, Node::Object(class, _)) => {
                format!(
                    "it holds an object of class `{}`, not a state dict: save its state_dict() instead",
                    heap.class_name(*class)
                )
            }
            _ => "it does not hold a state dict (a dictionary of tensors): save model.state_dict()".to_owned(),
        });
    }
    Ok(contents)
}

/// Returns the reason for refusing a module that was pickled with its class, and what to do.
pub(super) fn module_refusal(class: &str) -> String {
    format!(
        "it holds a whole module (`{class}`), which only the code of that class can read: save model.state_dict() instead"
    )
}

/// Returns a key as a name. The keys of optimisers are numbers.
fn key_name(heap: &Heap<'_>, key: Handle) -> Option<String> {
    match heap.get(key) {
        Node::Int(number) => Some(number.to_string()),
        _ => heap.text(key, budget::NAME_BYTES),
    }
}
