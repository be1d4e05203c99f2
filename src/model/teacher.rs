//! The frozen teacher from a weight file.

use super::Resnet18;
use super::weights::{WeightError, WeightFile};
use crate::nn::{Init, Module};
use crate::tensor::Backend;

/// ResNet-18 to layer3 with the file's weights, and its base width, read off `conv1.weight`.
///
/// Tensors beyond layer3 (layer4, fc) may be there or not.
pub fn load_teacher<B: Backend>(file: &WeightFile) -> Result<(Resnet18<B>, usize), WeightError> {
    let width = match file.tensors.get("conv1.weight").map(|tensor| tensor.shape.as_slice()) {
        Some(&[width, 3, 7, 7]) if width > 0 => width,
        // Any width would do: the error names the tensor and the paper's shape.
        _ => return Err(file.tensor("conv1.weight", &[64, 3, 7, 7]).err().unwrap_or_else(|| unreachable_shape(file))),
    };
    let mut teacher = Resnet18::<B>::new(&Init { seed: 0, purpose: "teacher" }, width);
    let mut outcome = Ok(());
    teacher.parameters_mut(&mut |parameter| match file.tensor(&parameter.name, &parameter.layout.file_shape()) {
        Ok(values) => parameter.set_from_file(values),
        Err(error) if outcome.is_ok() => outcome = Err(error),
        Err(_) => {}
    });
    teacher.buffers_mut(&mut |buffer| match file.tensor(&buffer.name, &[buffer.channels()]) {
        Ok(values) => buffer.value.copy_from(values),
        Err(error) if outcome.is_ok() => outcome = Err(error),
        Err(_) => {}
    });
    outcome.map(|()| (teacher, width))
}

/// `conv1.weight` is (0, 3, 7, 7): shaped like a stem, but empty.
fn unreachable_shape(file: &WeightFile) -> WeightError {
    WeightError::Format { path: file.source.clone(), reason: "its conv1.weight is empty".to_owned() }
}
