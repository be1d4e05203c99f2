"""Records PyTorch's results for the operations of src/tensor: tests/golden/operations.json.

    python3 -m venv venv && venv/bin/pip install torch
    venv/bin/python benches/pytorch/record_operations.py [FILE]

Inputs are not stored. A formula that any language can reproduce exactly (`formula`) computes them from a shape and a seed in the file.
Every case contains the operation's outputs and the gradients of L = Σ y · r. Here y is the first output and r (`weigh`) is another
tensor of the formula. If y is a scalar, L = y. Everything is computed in float64 and written with nine digits.

Tensors have didact's memory order: activations (image, row, column, channel), a convolution's weights (kernel row, kernel
column, input, output), a transposed convolution's (input, kernel row, kernel column, output). The operations below convert them to
PyTorch's order as views, so that gradients have didact's order.
"""

import json
import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.nn.utils import clip_grad_norm_

ABOUT = (
    "PyTorch's values, recorded by benches/pytorch/record_operations.py in float64. "
    "Value k (from 0, row-major) of an input, or of weigh, is v = float32(((1103515245 * (k + seed) + 12345) % 2^31) / 2^30 - 1); "
    "then, in float32, v * scale if the input has `scale`, and v * v + square_plus if it has `square_plus`. "
    "Activations are NHWC, a convolution's weights (kernel row, kernel column, input, output), "
    "a transposed convolution's (input, kernel row, kernel column, output); outputs and gradients have the same order. "
    "Gradients are those of the sum of first output * weigh, or of the output itself if it is a scalar."
)


def formula(shape, seed, scale=None, square_plus=None):
    """Returns the tensor of a shape and a seed. Residues and quotient are exact; the result is rounded once, to float32."""
    residues = (1103515245 * (torch.arange(math.prod(shape)) + seed) + 12345) % 2**31
    values = (residues.double() / 2**30 - 1).float()
    if scale is not None:
        values = values * scale
    if square_plus is not None:
        values = values * values + square_plus
    return values.double().reshape(shape)


def tensor(name, shape, seed, **change):
    return {"name": name, "shape": list(shape), "seed": seed} | change


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def case(operation, name, function, settings, inputs, weigh=None, constant=()):
    """Runs `function`, which returns outputs by name, on the inputs. Inputs in `constant` have no gradient."""
    tensors = {i["name"]: formula(**{key: i[key] for key in i if key != "name"}) for i in inputs}
    variables = {n: t.requires_grad_() for n, t in tensors.items() if n not in constant}
    outputs = function(**tensors)
    gradients = []
    if variables:
        first = next(iter(outputs.values()))
        loss = first if weigh is None else (first * formula(first.shape, weigh)).sum()
        gradients = zip(variables, torch.autograd.grad(loss, list(variables.values())))
    written = {"operation": operation, "name": name, "settings": settings, "inputs": inputs}
    if weigh is not None:
        written["weigh"] = {"shape": list(first.shape), "seed": weigh}
    return written | {"outputs": listed(outputs.items()), "gradients": listed(gradients)}


def listed(named):
    # The sum changes -0 to 0.
    return [{"name": n, "values": [float(f"{v:.9g}") + 0.0 for v in t.flatten().tolist()]} for n, t in named]


def conv2d(name, image, output, kernel, stride, padding, bias):
    def function(x, weight, bias=None):
        return {"y": nhwc(F.conv2d(nchw(x), weight.permute(3, 2, 0, 1), bias, stride, padding))}

    channels = image[3]
    inputs = [tensor("x", image, 10), tensor("weight", (kernel, kernel, channels, output), 20)]
    if bias:
        inputs.append(tensor("bias", (output,), 30))
    settings = {"input": channels, "output": output, "kernel": kernel, "stride": stride, "padding": padding}
    return case("conv2d", name, function, settings, inputs, weigh=40)


def conv_transpose2x2(image, output):
    def function(x, weight, bias):
        return {"y": nhwc(F.conv_transpose2d(nchw(x), weight.permute(0, 3, 1, 2), bias, stride=2))}

    channels = image[3]
    inputs = [tensor("x", image, 10), tensor("weight", (channels, 2, 2, output), 20), tensor("bias", (output,), 30)]
    settings = {"input": channels, "output": output, "kernel": 2, "stride": 2}
    return case("conv_transpose2x2", "2x2 stride 2", function, settings, inputs, weigh=40)


def batch_norm(image, epsilon=1e-5):
    def train(x, weight, bias):
        # With a momentum of 1 the running statistics become those of the batch, with the unbiased variance.
        mean, variance = torch.zeros_like(weight), torch.ones_like(weight)
        y = F.batch_norm(nchw(x), mean, variance, weight, bias, training=True, momentum=1.0, eps=epsilon)
        return {"y": nhwc(y), "mean": mean, "variance": variance}

    def frozen(x, weight, bias, running_mean, running_variance):
        return {"y": nhwc(F.batch_norm(nchw(x), running_mean, running_variance, weight, bias, eps=epsilon))}

    channels = image[3:]
    inputs = [tensor("x", image, 10), tensor("weight", channels, 20), tensor("bias", channels, 30)]
    running = [tensor("running_mean", channels, 50), tensor("running_variance", channels, 60, square_plus=0.5)]
    everything = [i["name"] for i in inputs + running]
    yield case("batch_norm_train", "own statistics", train, {"epsilon": epsilon}, inputs, weigh=40)
    yield case("batch_norm_frozen", "given statistics", frozen, {"epsilon": epsilon}, inputs + running, constant=everything)


def similarity(teacher, student):
    t, s = (F.normalize(features, dim=3) for features in (teacher, student))
    return {"loss": (t - s).square().sum(3).mean()}


def clip(g1, g2):
    parameters = [torch.zeros_like(g).requires_grad_() for g in (g1, g2)]
    for parameter, gradient in zip(parameters, (g1, g2)):
        parameter.grad = gradient.clone()
    norm = clip_grad_norm_(parameters, max_norm=1.0)
    return {"norm": norm, "g1": parameters[0].grad, "g2": parameters[1].grad}


def cases():
    # Seeds are multiples of ten: neighbouring seeds would give almost equal tensors.
    yield conv2d("3x3 stride 1", (2, 9, 8, 3), 5, kernel=3, stride=1, padding=1, bias=True)
    yield conv2d("3x3 stride 2", (2, 9, 8, 3), 5, kernel=3, stride=2, padding=1, bias=True)
    yield conv2d("1x1 stride 1", (2, 9, 8, 4), 6, kernel=1, stride=1, padding=0, bias=True)
    yield conv2d("1x1 stride 2", (2, 9, 8, 4), 6, kernel=1, stride=2, padding=0, bias=False)
    yield conv2d("7x7 stride 2", (1, 16, 16, 3), 4, kernel=7, stride=2, padding=3, bias=False)
    yield conv2d("3x3 of 16 channels", (2, 6, 7, 16), 8, kernel=3, stride=1, padding=1, bias=False)
    yield conv_transpose2x2((2, 3, 4, 6), 5)
    yield from batch_norm((3, 5, 4, 6))
    yield case("relu", "relu", lambda x: {"y": x.relu()}, {}, [tensor("x", (2, 3, 3, 4), 10)], weigh=40)
    yield case(
        "max_pool",
        "3x3 stride 2",
        lambda x: {"y": nhwc(F.max_pool2d(nchw(x), 3, stride=2, padding=1))},
        {"kernel": 3, "stride": 2, "padding": 1},
        [tensor("x", (2, 7, 6, 3), 10)],
        weigh=40,
    )
    a, b = tensor("a", (2, 3, 3, 4), 10), tensor("b", (2, 3, 3, 4), 20)
    wider = tensor("b", (2, 3, 3, 6), 20)
    # Two unscaled tensors of the formula have only two different values.
    scaled = tensor("b", (2, 3, 3, 4), 20, scale=0.5)
    yield case("add", "sum", lambda a, b: {"y": a + b}, {}, [a, b], weigh=40)
    yield case("concat", "channels", lambda a, b: {"y": torch.cat((a, b), 3)}, {}, [a, wider], weigh=40)
    features = [tensor("teacher", (2, 3, 4, 5), 10), tensor("student", (2, 3, 4, 5), 20)]
    yield case("similarity", "student's gradient", similarity, {}, features, constant=["teacher"])
    yield case("mean_squared_error", "both gradients", lambda a, b: {"loss": F.mse_loss(a, b)}, {}, [a, scaled])
    gradients = [tensor("g1", (10,), 10, scale=3.0), tensor("g2", (7,), 20, scale=3.0)]
    yield case("clip", "above the ceiling", clip, {"ceiling": 1.0}, gradients, constant=["g1", "g2"])


def main():
    here = Path(__file__).resolve()
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else here.parents[2] / "tests/golden/operations.json"
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases())
    version = torch.__version__.split("+")[0]
    file.write_text(f'{{"about":{json.dumps(ABOUT)},\n"torch":{json.dumps(version)},\n"cases":[\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
