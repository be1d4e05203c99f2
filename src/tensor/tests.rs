//! Compares the gradient of every operation with numeric differences, and values with plain definitions, for each backend.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rand::Rng;

use super::reference::{compare_with_backend, compare_with_pytorch};
use super::{
    Activation, Backend, Conv2d, Features, Gradients, Native, Norm, Recorded, Resampling, Scalar, Tensor, Vector, cuda,
};
use crate::data::stream;

type Shape = (usize, usize, usize, usize);

fn noise(purpose: &str, count: usize) -> Vec<f32> {
    let mut stream = stream(3, purpose, 0, 0);
    (0..count).map(|_| (stream.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
}

fn features<B: Backend>(values: Vec<f32>, shape: Shape) -> Features<B> {
    B::upload(values, shape).expect("memory")
}

fn vector<B: Backend>(values: Vec<f32>) -> Vector<B> {
    let length = values.len();
    B::upload(values, (length,)).expect("memory")
}

fn to_host<S, B: Backend, T>(tensor: &Tensor<S, B, T>) -> Vec<f32> {
    B::download(tensor).expect("the device works")
}

fn rectified<B: Backend, T: super::Tape>(x: Features<B, T>) -> super::OpResult<Features<B, T>> {
    B::activate(x, Activation::Relu)
}

/// A function of activations and parameters to a loss.
type Loss<'f, B> = dyn Fn(Vec<Features<B, Recorded>>, &[Vector<B>]) -> Scalar<B, Recorded> + 'f;

/// Compares the gradients of every input and parameter with central differences at a few positions.
fn check<B: Backend>(inputs: &[(Vec<f32>, Shape)], parameters: &[Vec<f32>], loss: &Loss<'_, B>) {
    let evaluate = |inputs: &[(Vec<f32>, Shape)], parameters: &[Vec<f32>]| -> f64 {
        let tensors = inputs.iter().map(|(v, s)| features::<B>(v.clone(), *s).put_tape(Default::default())).collect();
        let vectors: Vec<_> = parameters.iter().map(|v| vector::<B>(v.clone())).collect();
        f64::from(to_host(&loss(tensors, &vectors))[0])
    };
    let tensors: Vec<Features<B>> = inputs.iter().map(|(v, s)| features::<B>(v.clone(), *s)).collect();
    let vectors: Vec<_> = parameters.iter().map(|v| vector::<B>(v.clone())).collect();
    let traced = tensors.iter().map(|t| t.clone().put_tape(Default::default())).collect();
    let mut gradients = B::backward(loss(traced, &vectors)).expect("memory");
    let mut analytic: Vec<Vec<f32>> = tensors.iter().map(|t| B::gradient(&mut gradients, t).expect("memory")).collect();
    analytic.extend(vectors.iter().map(|v| B::gradient(&mut gradients, v).expect("memory")));

    let step = 5e-3_f32;
    for (argument, analytic) in analytic.iter().enumerate() {
        let scale = analytic.iter().fold(0.0_f32, |m, g| m.max(g.abs())).max(1e-3);
        let stride = (analytic.len() / 17).max(1);
        for position in (0..analytic.len()).step_by(stride) {
            let shifted_loss = |by: f32| {
                let (mut inputs, mut parameters) = (inputs.to_vec(), parameters.to_vec());
                match argument.checked_sub(inputs.len()) {
                    None => inputs[argument].0[position] += by,
                    Some(parameter) => parameters[parameter][position] += by,
                }
                evaluate(&inputs, &parameters)
            };
            let numeric = ((shifted_loss(step) - shifted_loss(-step)) / f64::from(2.0 * step)) as f32;
            assert!(
                (numeric - analytic[position]).abs() < 0.03 * scale,
                "argument {argument}, position {position}: numeric {numeric}, analytic {}, scale {scale}",
                analytic[position]
            );
        }
    }
}

/// Returns a loss that weights every output differently.
fn against_target<B: Backend>(y: Features<B, Recorded>) -> Scalar<B, Recorded> {
    let shape = *y.shape();
    let target = features::<B>(noise("target", shape.0 * shape.1 * shape.2 * shape.3), shape);
    B::mean_squared_error(y, target).expect("memory")
}

fn input(shape: Shape) -> (Vec<f32>, Shape) {
    (noise("input", shape.0 * shape.1 * shape.2 * shape.3), shape)
}

fn convolution(input: usize, output: usize, kernel: usize, stride: usize) -> Conv2d {
    Conv2d { input, output, kernel, stride, padding: kernel / 2, input_gradient: true }
}

fn check_conv<B: Backend>(shape: Shape, conv: Conv2d) {
    let parameters = [noise("weight", conv.weights()), noise("bias", conv.output)];
    check::<B>(&[input(shape)], &parameters, &|mut x, p| {
        against_target::<B>(B::conv2d(x.remove(0), &p[0], Some(&p[1]), conv).expect("memory"))
    });
}

fn convolution_gradients<B: Backend>() {
    for (kernel, stride) in [(3, 1), (3, 2), (1, 1), (1, 2), (7, 2)] {
        check_conv::<B>((2, 9, 8, 3), convolution(3, 5, kernel, stride));
    }
    check_conv::<B>((1, 40, 40, 2), convolution(2, 3, 3, 1));
}

fn transposed_convolution_gradients<B: Backend>() {
    let parameters = [noise("weight", 3 * 4 * 5), noise("bias", 5)];
    check::<B>(&[input((2, 3, 4, 3))], &parameters, &|mut x, p| {
        against_target::<B>(B::conv_transpose2x2(x.remove(0), &p[0], Some(&p[1]), 5).expect("memory"))
    });
}

fn batch_norm_gradients<B: Backend>() {
    let parameters = [noise("weight", 4), noise("bias", 4)];
    check::<B>(&[input((3, 5, 4, 4))], &parameters, &|mut x, p| {
        let norm = Norm { weight: &p[0], bias: &p[1], epsilon: 1e-5 };
        against_target::<B>(B::batch_norm_train(x.remove(0), &norm, false).expect("memory").0)
    });
}

fn elementwise_pooling_and_concat_gradients<B: Backend>() {
    check::<B>(&[input((2, 6, 5, 3))], &[], &|mut x, _| against_target::<B>(B::max_pool(x.remove(0)).expect("memory")));
    check::<B>(&[input((2, 3, 3, 2))], &[], &|mut x, _| {
        against_target::<B>(rectified::<B, _>(x.remove(0)).expect("memory"))
    });
    let other = (noise("other", 36), (2, 3, 3, 2));
    check::<B>(&[input((2, 3, 3, 2)), other.clone()], &[], &|mut x, _| {
        let b = x.remove(1);
        against_target::<B>(B::add(x.remove(0), b).expect("memory"))
    });
    let factor = features::<B>(noise("factor", 36), (2, 3, 3, 2));
    check::<B>(&[input((2, 3, 3, 2))], &[], &|mut x, _| {
        against_target::<B>(B::scale(x.remove(0), &factor).expect("memory"))
    });
    check::<B>(&[input((2, 3, 3, 4)), other], &[], &|mut x, _| {
        let b = x.remove(1);
        against_target::<B>(B::concat(x.remove(0), b).expect("memory"))
    });
}

/// All kinds of resampling.
const RESAMPLINGS: [Resampling; 6] = [
    Resampling::Nearest,
    Resampling::Bilinear,
    Resampling::Reflect(1),
    Resampling::Reflect(2),
    Resampling::Replicate(1),
    Resampling::Replicate(3),
];

fn activation_gradients_and_values<B: Backend>() {
    for activation in [Activation::Relu, Activation::LeakyRelu, Activation::Gelu] {
        check::<B>(&[input((2, 3, 3, 2))], &[], &|mut x, _| {
            against_target::<B>(B::activate(x.remove(0), activation).expect("memory"))
        });
    }
    // PyTorch's leaky_relu, and its gelu with approximate="tanh".
    let x = || features::<B>(vec![-2.0, -0.5, 0.0, 1.5], (1, 2, 2, 1));
    let assert_near = |activation, expected: [f32; 4]| {
        let y = to_host(&B::activate(x(), activation).expect("memory"));
        assert!(y.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{y:?}");
    };
    assert_near(Activation::Relu, [0.0, 0.0, 0.0, 1.5]);
    assert_near(Activation::LeakyRelu, [-0.02, -0.005, 0.0, 1.5]);
    assert_near(Activation::Gelu, [-0.045_402, -0.154_286, 0.0, 1.399_571_6]);
}

fn resampling_gradients<B: Backend>() {
    for map in RESAMPLINGS {
        for shape in [(2, 5, 4, 3), (1, 3, 6, 2)] {
            check::<B>(&[input(shape)], &[], &|mut x, _| {
                against_target::<B>(B::resample(x.remove(0), map).expect("memory"))
            });
        }
    }
    let x = || features::<B>(vec![1.0, 2.0, 3.0, 4.0], (1, 2, 2, 1));
    let of = |map| to_host(&B::resample(x(), map).expect("memory"));
    assert_eq!(of(Resampling::Nearest), [1., 1., 2., 2., 1., 1., 2., 2., 3., 3., 4., 4., 3., 3., 4., 4.]);
    // torch.nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    let bilinear = [1., 1.25, 1.75, 2., 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3., 3.25, 3.75, 4.];
    assert_eq!(of(Resampling::Bilinear), bilinear);
    assert_eq!(of(Resampling::Reflect(1)), [4., 3., 4., 3., 2., 1., 2., 1., 4., 3., 4., 3., 2., 1., 2., 1.]);
    assert_eq!(of(Resampling::Replicate(1)), [1., 1., 2., 2., 1., 1., 2., 2., 3., 3., 4., 4., 3., 3., 4., 4.]);
}

fn nan_is_not_hidden<B: Backend>() {
    let shape = (1, 2, 2, 1);
    let with_nan = || features::<B>(vec![1.0, f32::NAN, -1.0, 0.0], shape);
    for activation in [Activation::LeakyRelu, Activation::Gelu] {
        assert!(to_host(&B::activate(with_nan(), activation).expect("memory"))[1].is_nan());
    }
    assert!(to_host(&B::resample(with_nan(), Resampling::Bilinear).expect("memory"))[3].is_nan());
    assert!(to_host(&rectified::<B, _>(with_nan()).expect("memory"))[1].is_nan());
    assert!(to_host(&B::max_pool(with_nan()).expect("memory"))[0].is_nan());
    assert!(to_host(&B::similarity(&features::<B>(vec![1.0; 4], shape), with_nan()).expect("memory"))[0].is_nan());
}

fn similarity_gradient_and_value<B: Backend>() {
    let teacher = features::<B>(noise("teacher", 2 * 3 * 3 * 5), (2, 3, 3, 5));
    check::<B>(&[input((2, 3, 3, 5))], &[], &|mut x, _| B::similarity(&teacher, x.remove(0)).expect("memory"));
    // Parallel vectors are equal at any length. The distance of opposite vectors is 4.
    let twice = features::<B>(to_host(&teacher).iter().map(|v| 2.0 * v).collect(), (2, 3, 3, 5));
    let loss = B::similarity(&teacher, twice).expect("memory");
    assert!(to_host(&loss)[0].abs() < 1e-10);
    let opposite = features::<B>(to_host(&teacher).iter().map(|v| -v).collect(), (2, 3, 3, 5));
    let map = B::distance_map(&teacher, &opposite).expect("memory");
    assert_eq!(*map.shape(), (2, 9));
    assert!(to_host(&map).iter().all(|d| (d - 4.0).abs() < 1e-5));
}

/// Compares whole feature maps, each flattened to one vector, with the definition in 64 bits. One length allows packs of four.
fn similarity_of_long_vectors<B: Backend>() {
    for channels in [4097, 9000] {
        let shape = (3, 1, 1, channels);
        let (t, s) = (noise("teacher", 3 * channels), noise("student", 3 * channels));
        let (mut distances, mut gradient) = (Vec::new(), Vec::new());
        for (t, s) in t.chunks(channels).zip(s.chunks(channels)) {
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
            let (t_norm, s_norm) = (dot(t, t).sqrt(), dot(s, s).sqrt());
            let cosine = dot(t, s) / (t_norm * s_norm);
            distances.push(2.0 - 2.0 * cosine);
            // The derivative of 2 − 2⟨t̂, ŝ⟩, of which the loss is the mean over three vectors.
            gradient.extend(
                t.iter()
                    .zip(s)
                    .map(|(t, s)| 2.0 / 3.0 / s_norm * (cosine * f64::from(*s) / s_norm - f64::from(*t) / t_norm)),
            );
        }
        let (teacher, student) = (features::<B>(t, shape), features::<B>(s, shape));
        let map = to_host(&B::distance_map(&teacher, &student).expect("memory"));
        for (ours, expected) in map.iter().zip(&distances) {
            assert!((f64::from(*ours) - expected).abs() < 2e-6, "{ours} against {expected}");
        }
        let loss = B::similarity(&teacher, student.clone().put_tape(Default::default())).expect("memory");
        assert!((f64::from(to_host(&loss)[0]) - distances.iter().sum::<f64>() / 3.0).abs() < 2e-6);
        let mut gradients = B::backward(loss).expect("memory");
        let largest = gradient.iter().fold(0.0_f64, |largest, g| largest.max(g.abs()));
        for (ours, expected) in B::gradient(&mut gradients, &student).expect("memory").iter().zip(&gradient) {
            assert!((f64::from(*ours) - expected).abs() < 1e-5 * largest, "{ours} against {expected}");
        }
        let equal = to_host(&B::distance_map(&teacher, &teacher).expect("memory"));
        assert!(equal.iter().all(|d| (0.0..1e-10).contains(d)), "{equal:?}");
    }
}

/// Computes a convolution by its definition.
fn plain_convolution(x: &[f32], shape: Shape, weight: &[f32], conv: &Conv2d) -> Vec<f32> {
    let (images, height, width, channels) = shape;
    let mut y = Vec::new();
    for n in 0..images {
        for oy in 0..conv.output_side(height) {
            for ox in 0..conv.output_side(width) {
                for o in 0..conv.output {
                    let mut sum = 0.0_f64;
                    for ky in 0..conv.kernel {
                        for kx in 0..conv.kernel {
                            let at = |out: usize, k: usize, side: usize| {
                                (out * conv.stride + k).checked_sub(conv.padding).filter(|&i| i < side)
                            };
                            let (Some(iy), Some(ix)) = (at(oy, ky, height), at(ox, kx, width)) else { continue };
                            for c in 0..channels {
                                let w = weight[((ky * conv.kernel + kx) * channels + c) * conv.output + o];
                                sum += f64::from(x[((n * height + iy) * width + ix) * channels + c]) * f64::from(w);
                            }
                        }
                    }
                    y.push(sum as f32);
                }
            }
        }
    }
    y
}

/// Returns random shapes of images and of a convolution over them.
fn shapes() -> impl Strategy<Value = (Shape, Conv2d)> {
    let image = (1_usize..4, 3_usize..14, 3_usize..14, 1_usize..6);
    (image, 1_usize..9, 0_usize..3, 1_usize..3)
        .prop_map(|(shape, output, odd, stride)| (shape, convolution(shape.3, output, 2 * odd + 1, stride)))
}

fn convolutions_agree_with_their_definition<B: Backend>() {
    TestRunner::new(ProptestConfig::with_cases(40))
        .run(&shapes(), |(shape, conv)| {
            let (x, _) = input(shape);
            let weight = noise("weight", conv.weights());
            let y = B::conv2d(features::<B>(x.clone(), shape), &vector::<B>(weight.clone()), None, conv);
            for (ours, plain) in to_host(&y.expect("memory")).iter().zip(plain_convolution(&x, shape, &weight, &conv)) {
                prop_assert!((ours - plain).abs() < 1e-4, "{} against {}", ours, plain);
            }
            Ok(())
        })
        .expect("equal");
}

fn batch_norm_normalises_and_reports_unbiased_statistics<B: Backend>() {
    let shape = (2, 2, 2, 1);
    let x = features::<B>((1..=8).map(|v| v as f32).collect(), shape);
    let norm = Norm { weight: &vector::<B>(vec![2.0]), bias: &vector::<B>(vec![1.0]), epsilon: 0.0 };
    let (y, statistics) = B::batch_norm_train(x.clone(), &norm, false).expect("memory");
    let rectified = to_host(&B::batch_norm_train(x.clone(), &norm, true).expect("memory").0);
    assert_eq!(rectified, to_host(&y).into_iter().map(|y| y.max(0.0)).collect::<Vec<f32>>());
    let of = (&statistics.mean, &vector::<B>(vec![5.25]));
    for relu in [false, true] {
        let frozen = to_host(&B::batch_norm_frozen(&x, &norm, of, relu).expect("memory"));
        let expected = if relu { rectified.clone() } else { to_host(&y) };
        assert!(frozen.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5), "{frozen:?} {expected:?}");
    }
    assert_eq!(to_host(&statistics.mean), [4.5]);
    assert!((to_host(&statistics.variance)[0] - 6.0).abs() < 1e-6);
    // (8 − 4.5) / √5.25 · 2 + 1
    assert!((to_host(&y)[7] - (2.0 * 3.5 / 5.25_f32.sqrt() + 1.0)).abs() < 1e-6);
}

fn gradients_are_clipped_to_a_global_norm<B: Backend>() {
    let parameters = [vector::<B>(vec![1.0, 2.0]), vector::<B>(vec![3.0])];
    let clipped = |ceiling: f64| {
        let mut gradients = Gradients::<B>::default();
        for (parameter, values) in parameters.iter().zip([vec![3.0, 0.0], vec![4.0]]) {
            gradients.set(parameter, B::upload_buffer(values).expect("memory")).expect("memory");
        }
        let parts = parameters.each_ref().map(|parameter| vec![parameter.clone()]);
        let norms = B::clip_gradients(&mut gradients, &parts, ceiling).expect("memory");
        let of_parts: Vec<f32> = norms.parts.iter().map(|norm| to_host(norm)[0]).collect();
        assert_eq!(of_parts, [3.0, 4.0]);
        let after: Vec<f32> = parameters.iter().flat_map(|p| B::gradient(&mut gradients, p).expect("memory")).collect();
        (to_host(&norms.all)[0], after)
    };
    assert_eq!(clipped(0.0), (5.0, vec![3.0, 0.0, 4.0]));
    assert_eq!(clipped(6.0), (5.0, vec![3.0, 0.0, 4.0]));
    let (norm, after) = clipped(1.0);
    assert_eq!(norm, 5.0);
    assert!(after.iter().zip([0.6, 0.0, 0.8]).all(|(a, b)| (a - b).abs() < 1e-6), "{after:?}");
}

fn outputs_and_gradients_equal_pytorchs<B: Backend>() {
    for difference in compare_with_pytorch::<B>() {
        assert!(difference.largest() < 1e-5, "{difference:?}");
    }
}

/// Runs the tests above for one backend. `prepare` runs before each.
macro_rules! tests_of_backend {
    ($module:ident: $backend:ty, $prepare:block, #[$attribute:meta]; $($test:ident)*) => {
        mod $module {
            $(#[test]
            #[$attribute]
            fn $test() {
                $prepare
                super::$test::<$backend>();
            })*
        }
    };
}

macro_rules! tests_of_backends {
    ($($module:ident: $backend:ty, $prepare:block, #[$attribute:meta];)*) => {
        $(tests_of_backend!($module: $backend, $prepare, #[$attribute];
            convolution_gradients
            transposed_convolution_gradients
            batch_norm_gradients
            elementwise_pooling_and_concat_gradients
            activation_gradients_and_values
            resampling_gradients
            nan_is_not_hidden
            similarity_gradient_and_value
            similarity_of_long_vectors
            convolutions_agree_with_their_definition
            batch_norm_normalises_and_reports_unbiased_statistics
            gradients_are_clipped_to_a_global_norm
            outputs_and_gradients_equal_pytorchs
        );)*
    };
}

tests_of_backends! {
    native: crate::tensor::Native, {}, #[cfg(test)];
    on_cuda: crate::tensor::cuda::Cuda, { crate::tensor::cuda::open_for_tests() }, #[ignore = "needs a GPU, or the emulated one"];
}

#[test]
#[ignore = "needs a GPU, or the emulated one"]
fn cuda_agrees_with_the_cpu() {
    cuda::open_for_tests();
    for difference in compare_with_backend::<cuda::Cuda, Native>() {
        assert!(difference.largest() < 1e-4, "{difference:?}");
    }
}

#[test]
fn results_are_the_same_bits_for_any_number_of_threads() {
    for channels in [8, 32] {
        let conv = convolution(channels, channels + 8, 3, 1);
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| {
                let (values, shape) = input((5, 33, 31, channels));
                let x = features::<Native>(values, shape);
                let weight = vector::<Native>(noise("weight", conv.weights()));
                let y = Native::conv2d(x.clone().put_tape(Recorded::default()), &weight, None, conv).expect("memory");
                let gamma = vector::<Native>(noise("weight", conv.output));
                let norm = Norm { weight: &gamma, bias: &gamma, epsilon: 1e-5 };
                let (y, _) = Native::batch_norm_train(y, &norm, true).expect("memory");
                let mut gradients = Native::backward(against_target::<Native>(y)).expect("memory");
                let dw = Native::gradient(&mut gradients, &weight).expect("memory");
                let dx = Native::gradient(&mut gradients, &x).expect("memory");
                (dw, dx)
            })
        };
        let with_one_thread = run(1);
        assert_eq!(with_one_thread, run(2));
        assert_eq!(with_one_thread, run(7));
    }
}
