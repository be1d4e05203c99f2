//! Runs every operation by name on numbers from a formula. This compares a backend with PyTorch's recorded values and with another
//! backend.

use serde::Deserialize;

use super::tape::record;
use super::{
    Activation, Backend, Conv2d, Features, Gradients, Norm, OpResult, Recorded, Resampling, Scalar, Tensor, Vector,
};

/// PyTorch's outputs and gradients, in float64, of small cases.
const RECORDED: &str = include_str!("../../tests/golden/operations.json");

/// A tensor whose values come from a formula.
#[derive(Debug, Clone, Deserialize)]
pub struct FormulaTensor {
    /// Role in the operation.
    #[serde(default)]
    pub name: String,
    /// Shape of the tensor.
    pub shape: Vec<usize>,
    /// Start of the formula.
    pub seed: u64,
    scale: Option<f32>,
    square_plus: Option<f32>,
}

impl FormulaTensor {
    /// Creates a tensor whose values are neither scaled nor squared.
    pub fn new(name: &str, shape: &[usize], seed: u64) -> Self {
        Self { name: name.to_owned(), shape: shape.to_vec(), seed, scale: None, square_plus: None }
    }

    /// Returns the tensor with every value times `scale`.
    pub fn scaled(self, scale: f32) -> Self {
        Self { scale: Some(scale), ..self }
    }

    /// Returns the tensor with `shift` plus the square of every value.
    pub fn squared_plus(self, shift: f32) -> Self {
        Self { square_plus: Some(shift), ..self }
    }

    /// Returns the values. Value k is ((1103515245·(k + seed) + 12345) mod 2³¹) / 2³⁰ − 1, then scaled or squared if requested.
    pub fn values(&self) -> Vec<f32> {
        let count = self.shape.iter().product::<usize>() as u64;
        (0..count)
            .map(|k| {
                let residue = (1_103_515_245 * (k + self.seed) + 12345) % (1 << 31);
                let value = (residue as f64 / f64::from(1 << 30) - 1.0) as f32 * self.scale.unwrap_or(1.0);
                self.square_plus.map_or(value, |shift| value * value + shift)
            })
            .collect()
    }
}

/// Settings of an operation. Each operation uses some of them.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct OperationSettings {
    input: Option<usize>,
    output: Option<usize>,
    kernel: Option<usize>,
    stride: Option<usize>,
    padding: Option<usize>,
    epsilon: Option<f32>,
    ceiling: Option<f64>,
}

/// Named values.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct NamedValues {
    /// Name of the tensor.
    pub name: String,
    /// Values, row-major.
    pub values: Vec<f32>,
}

/// An operation on given numbers.
#[derive(Debug, Clone, Deserialize)]
pub struct Case {
    /// Name of the operation, as in [`Backend`] or similar.
    pub operation: String,
    /// Special feature of the case.
    pub name: String,
    settings: OperationSettings,
    inputs: Vec<FormulaTensor>,
    /// Weights of the loss, which is the sum over the first output times these. `None` if the output is a scalar or has no gradient.
    weigh: Option<FormulaTensor>,
}

/// Results of an operation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Results {
    /// Outputs.
    pub outputs: Vec<NamedValues>,
    /// Gradients of inputs and parameters.
    pub gradients: Vec<NamedValues>,
}

/// A case with PyTorch's results.
#[derive(Debug, Clone, Deserialize)]
struct RecordedCase {
    #[serde(flatten)]
    case: Case,
    #[serde(flatten)]
    results: Results,
}

/// Error of a case: the largest difference of its tensors, relative to the largest value.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Name of the operation.
    pub operation: String,
    /// Name of the case.
    pub case: String,
    /// Largest error of its outputs.
    pub output: f64,
    /// Largest error of its gradients.
    pub gradient: f64,
}

impl Difference {
    fn between(case: &Case, ours: &Results, theirs: &Results) -> Self {
        let largest_error = |ours: &[NamedValues], theirs: &[NamedValues]| {
            // Both sides must have the same tensors.
            assert_eq!(ours.len(), theirs.len(), "{} {}", case.operation, case.name);
            ours.iter().zip(theirs).map(|(a, b)| relative_error(&a.values, &b.values)).fold(0.0, f64::max)
        };
        Self {
            operation: case.operation.clone(),
            case: case.name.clone(),
            output: largest_error(&ours.outputs, &theirs.outputs),
            gradient: largest_error(&ours.gradients, &theirs.gradients),
        }
    }

    /// Returns the larger of both errors.
    pub fn largest(&self) -> f64 {
        self.output.max(self.gradient)
    }
}

/// Returns the largest difference, relative to the largest value. It is infinite if a difference is NaN.
fn relative_error(ours: &[f32], theirs: &[f32]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let scale = theirs.iter().fold(0.0_f64, |m, v| m.max(f64::from(v.abs())));
    let differences = ours.iter().zip(theirs).map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs());
    let largest = differences.fold(0.0, |m: f64, d| if d.is_nan() { f64::INFINITY } else { m.max(d) });
    if largest == 0.0 { 0.0 } else { largest / scale }
}

/// Compares a backend with PyTorch's recorded values.
pub fn compare_with_pytorch<B: Backend>() -> Vec<Difference> {
    #[derive(Deserialize)]
    struct File {
        cases: Vec<RecordedCase>,
    }
    let File { cases } = serde_json::from_str(RECORDED).expect("valid recorded operations");
    cases
        .iter()
        .map(|recorded| Difference::between(&recorded.case, &run::<B>(&recorded.case), &recorded.results))
        .collect()
}

/// Compares a backend with another, on the shapes of the models and on odd ones.
pub fn compare_with_backend<B: Backend, Other: Backend>() -> Vec<Difference> {
    cases().iter().map(|case| Difference::between(case, &run::<B>(case), &run::<Other>(case))).collect()
}

/// Start of the numbers of each input.
const SEEDS: [u64; 4] = [10, 20, 30, 40];

fn conv(name: &str, [images, height, width]: [usize; 3], conv: Conv2d) -> Case {
    let out = [images, conv.output_side(height), conv.output_side(width), conv.output];
    Case {
        operation: "conv2d".to_owned(),
        name: name.to_owned(),
        settings: OperationSettings {
            input: Some(conv.input),
            output: Some(conv.output),
            kernel: Some(conv.kernel),
            stride: Some(conv.stride),
            padding: Some(conv.padding),
            ..OperationSettings::default()
        },
        inputs: vec![
            FormulaTensor::new("x", &[images, height, width, conv.input], SEEDS[0]),
            FormulaTensor::new("weight", &[conv.weights()], SEEDS[1]),
            FormulaTensor::new("bias", &[conv.output], SEEDS[2]),
        ],
        weigh: Some(FormulaTensor::new("", &out, SEEDS[3])),
    }
}

pub(super) fn cases() -> Vec<Case> {
    let geometry = |input, output, kernel, stride| Conv2d {
        input,
        output,
        kernel,
        stride,
        padding: kernel / 2,
        input_gradient: true,
    };
    let mut cases = vec![
        conv("the stem", [2, 64, 64], geometry(3, 64, 7, 2)),
        conv("layer 1", [2, 16, 16], geometry(64, 64, 3, 1)),
        conv("into layer 2", [2, 16, 16], geometry(64, 128, 3, 2)),
        conv("shortcut of layer 2", [2, 16, 16], geometry(64, 128, 1, 2)),
        conv("layer 3", [1, 8, 8], geometry(256, 256, 3, 1)),
        conv("a skip's projection", [2, 16, 16], geometry(64, 32, 1, 1)),
        conv("odd, many channels", [2, 19, 14], geometry(24, 40, 3, 1)),
        conv("odd, one image", [1, 13, 7], geometry(5, 11, 3, 1)),
        conv("odd, stride 2", [3, 11, 9], geometry(7, 3, 5, 2)),
        conv_norm("the stem", [2, 64, 64], geometry(3, 64, 7, 2), false),
        conv_norm("a block's end", [2, 16, 16], geometry(64, 64, 3, 1), true),
        conv_norm("into layer 2", [2, 16, 16], geometry(64, 128, 3, 2), false),
        conv_norm("a shortcut's projection", [2, 16, 16], geometry(64, 128, 1, 2), false),
        conv_norm("odd, one image", [1, 13, 7], geometry(5, 11, 3, 1), true),
    ];
    let mut add = |operation: &str,
                   name: &str,
                   settings: OperationSettings,
                   shapes: &[(&str, &[usize])],
                   out: Option<&[usize]>| {
        cases.push(Case {
            operation: operation.to_owned(),
            name: name.to_owned(),
            settings,
            inputs: shapes
                .iter()
                .zip(SEEDS)
                .map(|((name, shape), seed)| FormulaTensor::new(name, shape, seed))
                .collect(),
            weigh: out.map(|shape| FormulaTensor::new("", shape, 50)),
        });
    };
    let none = OperationSettings::default();
    let up = OperationSettings { input: Some(128), output: Some(64), ..none };
    let shapes: [(&str, &[usize]); 3] = [("x", &[2, 8, 8, 128]), ("weight", &[128 * 4 * 64]), ("bias", &[64])];
    add("conv_transpose2x2", "an expansion", up, &shapes, Some(&[2, 16, 16, 64]));
    let norm = OperationSettings { epsilon: Some(1e-5), ..none };
    let shapes: [(&str, &[usize]); 3] = [("x", &[8, 32, 32, 64]), ("weight", &[64]), ("bias", &[64])];
    add("batch_norm_train", "layer 1", norm, &shapes, Some(&[8, 32, 32, 64]));
    add("relu", "layer 1", none, &[("x", &[2, 32, 32, 64])], Some(&[2, 32, 32, 64]));
    for activation in ["leaky_relu", "gelu"] {
        add(activation, "an inner stage", none, &[("x", &[2, 16, 16, 128])], Some(&[2, 16, 16, 128]));
    }
    for map in ["nearest", "bilinear"] {
        add(map, "an expansion", none, &[("x", &[2, 8, 8, 128])], Some(&[2, 16, 16, 128]));
        add(map, "odd", none, &[("x", &[1, 5, 3, 7])], Some(&[1, 10, 6, 7]));
    }
    for border in ["reflect", "replicate"] {
        add(border, "a border", none, &[("x", &[2, 16, 16, 64])], Some(&[2, 18, 18, 64]));
        add(border, "odd", none, &[("x", &[1, 5, 2, 7])], Some(&[1, 7, 4, 7]));
    }
    add("max_pool", "the stem", none, &[("x", &[2, 32, 32, 64])], Some(&[2, 16, 16, 64]));
    add("max_pool", "odd", none, &[("x", &[1, 9, 12, 5])], Some(&[1, 5, 6, 5]));
    add("add", "a shortcut", none, &[("a", &[2, 16, 16, 64]), ("b", &[2, 16, 16, 64])], Some(&[2, 16, 16, 64]));
    add("concat", "a skip", none, &[("a", &[2, 16, 16, 32]), ("b", &[2, 16, 16, 32])], Some(&[2, 16, 16, 64]));
    add("concat", "odd", none, &[("a", &[1, 5, 3, 4]), ("b", &[1, 5, 3, 7])], Some(&[1, 5, 3, 11]));
    add("similarity", "level 3", none, &[("teacher", &[4, 16, 16, 256]), ("student", &[4, 16, 16, 256])], None);
    add("mean_squared_error", "level 1", none, &[("a", &[2, 64, 64, 64]), ("b", &[2, 64, 64, 64])], None);
    add(
        "clip",
        "two parameters",
        OperationSettings { ceiling: Some(1.0), ..none },
        &[("g1", &[5000]), ("g2", &[64])],
        None,
    );
    cases
}

/// Returns a case of convolution and batch norm, with or without a shortcut. It has ReLU if the convolution is padded.
fn conv_norm(name: &str, [images, height, width]: [usize; 3], geometry: Conv2d, shortcut: bool) -> Case {
    let mut case = conv(name, [images, height, width], geometry);
    "conv_norm".clone_into(&mut case.operation);
    case.inputs.truncate(2);
    case.inputs.push(FormulaTensor::new("gamma", &[geometry.output], SEEDS[2]));
    case.inputs.push(FormulaTensor::new("beta", &[geometry.output], SEEDS[3]));
    if shortcut {
        let shape = &case.weigh.as_ref().expect("weights of the loss").shape;
        case.inputs.push(FormulaTensor::new("shortcut", &shape.clone(), 60));
    }
    case
}

fn convolution(settings: OperationSettings) -> Conv2d {
    let number = |value: Option<usize>| value.expect("a convolution's settings");
    Conv2d {
        input: number(settings.input),
        output: number(settings.output),
        kernel: number(settings.kernel),
        stride: number(settings.stride),
        padding: number(settings.padding),
        input_gradient: true,
    }
}

/// The tensors of a case on the backend's device.
struct CaseTensors<B: Backend> {
    /// Activations, in order.
    features: Vec<(String, Features<B>)>,
    /// Flat tensors, in order.
    vectors: Vec<(String, Vector<B>)>,
}

fn create_tensors<B: Backend>(inputs: &[FormulaTensor]) -> OpResult<CaseTensors<B>> {
    let mut tensors = CaseTensors { features: Vec::new(), vectors: Vec::new() };
    for made in inputs {
        let (name, values) = (made.name.clone(), made.values());
        match (made.name.as_str(), made.shape.as_slice()) {
            // didact stores kernels flat.
            ("weight", _) | (_, [_]) => {
                let length = values.len();
                tensors.vectors.push((name, B::upload(values, (length,))?));
            }
            (_, &[n, h, w, c]) => tensors.features.push((name, B::upload(values, (n, h, w, c))?)),
            (_, other) => panic!("{name} has {} axes", other.len()),
        }
    }
    Ok(tensors)
}

/// Runs a case.
///
/// # Panics
/// If the device runs out of memory, or if the case is invalid: this function only serves checks.
pub fn run<B: Backend>(case: &Case) -> Results {
    try_run::<B>(case).unwrap_or_else(|error| panic!("{} {}: {error:?}", case.operation, case.name))
}

fn try_run<B: Backend>(case: &Case) -> OpResult<Results> {
    let tensors = create_tensors::<B>(&case.inputs)?;
    let settings = case.settings;
    let taped = |index: usize| tensors.features[index].1.clone().put_tape(Recorded::default());
    let vector = |index: usize| &tensors.vectors[index].1;
    let optional_vector =
        |name: &str| tensors.vectors.iter().find(|(vector_name, _)| vector_name == name).map(|(_, vector)| vector);
    let epsilon = settings.epsilon.unwrap_or(1e-5);
    let y = match case.operation.as_str() {
        "conv2d" => B::conv2d(taped(0), vector(0), optional_vector("bias"), convolution(settings))?,
        "conv_transpose2x2" => {
            B::conv_transpose2x2(taped(0), vector(0), optional_vector("bias"), settings.output.expect("channels"))?
        }
        "batch_norm_train" => {
            let norm = Norm { weight: vector(0), bias: vector(1), epsilon };
            let (y, statistics) = B::batch_norm_train(taped(0), &norm, false)?;
            let mut results = results_of_weighted_sum::<B>(case, &tensors, y)?;
            results.outputs.push(values("mean", &statistics.mean)?);
            results.outputs.push(values("variance", &statistics.variance)?);
            return Ok(results);
        }
        "batch_norm_frozen" => {
            let statistics = (vector(2), vector(3));
            let norm = Norm { weight: vector(0), bias: vector(1), epsilon };
            let y = B::batch_norm_frozen(&tensors.features[0].1, &norm, statistics, false)?;
            return Ok(Results { outputs: vec![values("y", &y)?], gradients: Vec::new() });
        }
        "conv_norm" => {
            let conv = convolution(settings);
            let norm = Norm { weight: vector(1), bias: vector(2), epsilon };
            let shortcut = (tensors.features.len() > 1).then(|| taped(1));
            let relu = conv.padding > 0;
            let (y, statistics) = B::conv_norm_train(taped(0), vector(0), conv, &norm, shortcut, relu)?;
            let mut results = results_of_weighted_sum::<B>(case, &tensors, y)?;
            let frozen = B::conv_norm_frozen(
                &tensors.features[0].1,
                vector(0),
                conv,
                &norm,
                (&statistics.mean, &statistics.variance),
                tensors.features.get(1).map(|(_, shortcut)| shortcut),
                relu,
            )?;
            results.outputs.push(values("frozen", &frozen)?);
            results.outputs.push(values("mean", &statistics.mean)?);
            results.outputs.push(values("variance", &statistics.variance)?);
            return Ok(results);
        }
        "relu" => B::activate(taped(0), Activation::Relu)?,
        "leaky_relu" => B::activate(taped(0), Activation::LeakyRelu)?,
        "gelu" => B::activate(taped(0), Activation::Gelu)?,
        "nearest" => B::resample(taped(0), Resampling::Nearest)?,
        "bilinear" => B::resample(taped(0), Resampling::Bilinear)?,
        "reflect" => B::resample(taped(0), Resampling::Reflect(1))?,
        "replicate" => B::resample(taped(0), Resampling::Replicate(1))?,
        "max_pool" => B::max_pool(taped(0))?,
        "add" => B::add(taped(0), taped(1))?,
        "concat" => B::concat(taped(0), taped(1))?,
        "similarity" => {
            let loss = B::similarity(&tensors.features[0].1, taped(1))?;
            return results_of_loss::<B>(&tensors.features[1..], loss);
        }
        "mean_squared_error" => {
            let loss = B::mean_squared_error(taped(0), taped(1))?;
            return results_of_loss::<B>(&tensors.features, loss);
        }
        "clip" => return clipped::<B>(&tensors, settings.ceiling.expect("a ceiling")),
        other => panic!("unknown operation `{other}`"),
    };
    results_of_weighted_sum::<B>(case, &tensors, y)
}

fn values<S, B: Backend, T>(name: &str, tensor: &Tensor<S, B, T>) -> OpResult<NamedValues> {
    Ok(NamedValues { name: name.to_owned(), values: B::download(tensor)? })
}

/// Returns a loss whose gradient with respect to `y` is the given one. Its value does not matter.
fn weighted<B: Backend>(y: Features<B, Recorded>, gradient: B::Buffer) -> OpResult<Scalar<B, Recorded>> {
    let (y, tape) = y.split_tape();
    let loss = Tensor::new(B::filled(0.0, 1)?, ());
    Ok(record(loss, tape, move |_, gradients| gradients.give(y.handle(), gradient)))
}

/// Returns the output and the gradients of its weighted sum.
fn results_of_weighted_sum<B: Backend>(
    case: &Case,
    tensors: &CaseTensors<B>,
    y: Features<B, Recorded>,
) -> OpResult<Results> {
    let outputs = vec![values("y", &y)?];
    let weigh = case.weigh.as_ref().expect("weights of the loss");
    let weights = B::upload_buffer(weigh.values())?;
    let mut gradients = B::backward(weighted(y, weights)?)?;
    let mut found = features_gradients::<B>(&tensors.features, &mut gradients)?;
    for (name, vector) in &tensors.vectors {
        found.push(NamedValues { name: name.clone(), values: B::gradient(&mut gradients, vector)? });
    }
    Ok(Results { outputs, gradients: found })
}

/// Returns a loss and its gradients.
fn results_of_loss<B: Backend>(inputs: &[(String, Features<B>)], loss: Scalar<B, Recorded>) -> OpResult<Results> {
    let outputs = vec![values("loss", &loss)?];
    let gradients = features_gradients::<B>(inputs, &mut B::backward(loss)?)?;
    Ok(Results { outputs, gradients })
}

fn features_gradients<B: Backend>(
    inputs: &[(String, Features<B>)],
    gradients: &mut Gradients<B>,
) -> OpResult<Vec<NamedValues>> {
    let gradient = |(name, tensor): &(String, Features<B>)| {
        Ok(NamedValues { name: name.clone(), values: B::gradient(gradients, tensor)? })
    };
    inputs.iter().map(gradient).collect()
}

/// Returns the inputs, used as gradients, after clipping.
fn clipped<B: Backend>(tensors: &CaseTensors<B>, ceiling: f64) -> OpResult<Results> {
    let mut gradients = Gradients::<B>::default();
    for (_, vector) in &tensors.vectors {
        gradients.set(vector, B::upload_buffer(B::download(vector)?)?)?;
    }
    let parameters: Vec<Vector<B>> = tensors.vectors.iter().map(|(_, vector)| vector.clone()).collect();
    let norms = B::clip_gradients(&mut gradients, &[parameters], ceiling)?;
    let mut outputs = vec![values("norm", &norms.all)?];
    for (name, vector) in &tensors.vectors {
        outputs.push(NamedValues { name: name.clone(), values: B::gradient(&mut gradients, vector)? });
    }
    Ok(Results { outputs, gradients: Vec::new() })
}
