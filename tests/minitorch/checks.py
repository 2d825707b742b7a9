"""What the table's tests do with an entry: run it on any kind of number, differentiate it, compare."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import minitorch
from minitorch import Tensor, Value
from minitorch.core.node import Node

from .opentry import SAME, Entry, Sample
from .strict import StrictArray, strict

Function = Callable[..., Any]


def resolve(package: Any, name: str) -> Any:
    """`package.name` for a dotted name, None where there is no such thing."""
    for part in name.split("."):
        package = getattr(package, part, None)
    return package


def ours(entry: Entry) -> Function:
    function = resolve(minitorch, entry.name)
    assert function is not None, f"minitorch has no {entry.name}"
    return function


def torchs(entry: Entry, torch: Any) -> Function | None:
    """PyTorch's function for an entry."""
    if entry.torch is None:
        return None
    if callable(entry.torch):
        return entry.torch(torch)
    if entry.torch != SAME:
        found = resolve(torch, entry.torch)
        assert found is not None, f"torch has no {entry.torch}"
        return found
    return resolve(torch, entry.name) or resolve(torch.nn.functional, entry.name)


@contextmanager
def about(sample: object) -> Iterator[None]:
    """Say which sample failed."""
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"{sample}: {error}") from error


def flat(out: Any) -> list[Any]:
    """The results of a call, as a list."""
    if isinstance(out, (tuple, list)):
        return [part for x in out for part in flat(x)]
    return [out]


def host(x: Any) -> np.ndarray:
    """The numbers of a node (or of a torch tensor, a raw value) as a NumPy array."""
    if isinstance(x, Node):
        x = x.raw
    if isinstance(x, StrictArray):
        return x.get()
    return x.detach().numpy() if hasattr(x, "detach") else np.asarray(x)


def rng(entry: Entry, sample: Sample) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(f"{entry.name} {sample!r}".encode()))


def tensors(sample: Sample, arrays: list[np.ndarray], dtype: str = "float64", wrap: Any = np.array) -> list[Tensor]:
    """A tensor for each array (floats in `dtype`), asking for a gradient where the sample does."""
    made = []
    for spec, array in zip(sample.tensors(), arrays):
        floats = array.dtype.kind == "f"
        made.append(Tensor(wrap(array.astype(dtype) if floats else array), requires_grad=spec.differentiable))
    return made


def outputs(entry: Entry, sample: Sample, inputs: list[Any]) -> list[Any]:
    """The results of one call. What is drawn is the same every time, so that chance can be differentiated past."""
    minitorch.manual_seed(0)
    return flat(sample.call(ours(entry), inputs))


def weights(draw: np.random.Generator, results: list[Any]) -> list[np.ndarray]:
    """Numbers to weigh the elements of results with: gradients to start a backward pass from."""
    return [np.asarray(draw.uniform(0.5, 1.5, np.shape(host(x)))).astype(host(x).dtype) for x in results]


def gradients(results: list[Any], starts: list[Any], inputs: list[Any], create_graph: bool = False) -> list[Any]:
    """The gradients of the recorded ones among `results` at `inputs`, None where there is none; starts are arrays or tensors."""
    # A function may hand an input back as it is (dropout outside training), and no pass can start at a leaf.
    results = [x * 1.0 if x.op is None and x.requires_grad else x for x in results]
    recorded = [(x, start) for x, start in zip(results, starts) if x.op is not None]
    if not recorded or not inputs:
        return [None] * len(inputs)
    roots = [x for x, _ in recorded]
    wrapped = [
        start if isinstance(start, Node) else Tensor(strict(start) if type(x.raw) is StrictArray else start)
        for x, start in recorded
    ]
    return list(minitorch.grad(roots, inputs, wrapped, create_graph=create_graph, allow_unused=True))


def active(inputs: list[Any]) -> list[Any]:
    return [x for x in inputs if x.requires_grad]


def check_gradient(entry: Entry, sample: Sample) -> None:
    """First order: the gradient along a random direction at each input, against central differences."""
    draw = rng(entry, sample)
    arrays = sample.arrays(entry.name)
    inputs = tensors(sample, arrays)
    results = outputs(entry, sample, inputs)
    starts = weights(draw, results)
    found = dict(zip(active(inputs), gradients(results, starts, active(inputs))))

    def total(values: list[np.ndarray]) -> float:
        with minitorch.no_grad():
            outs = outputs(entry, sample, tensors(sample, values))
        return sum(float(np.sum(host(x) * v)) for x, v in zip(outs, starts) if host(x).dtype.kind == "f")

    for number, x in enumerate(inputs):
        if x.requires_grad:
            if found[x] is not None:
                assert found[x].shape == x.shape and found[x].dtype == x.dtype
            along_direction(total, arrays, number, found[x], draw)


def along_direction(
    total: Callable[[list[np.ndarray]], float], arrays: list[np.ndarray], number: int, found: Any, draw: np.random.Generator
) -> None:
    """Compare `found`, the gradient of `total` at array `number`, with a central difference in a random direction."""
    direction = np.asarray(draw.normal(size=arrays[number].shape))
    step = 3e-6
    sides = []
    for sign in (1, -1):
        moved = list(arrays)
        moved[number] = arrays[number] + sign * step * direction
        sides.append(total(moved))
    numeric = (sides[0] - sides[1]) / (2 * step)
    exact = 0.0 if found is None else float(np.sum(host(found) * direction))
    np.testing.assert_allclose(exact, numeric, rtol=1e-5, atol=1e-6, err_msg=f"gradient of input {number}")


def check_second_gradient(entry: Entry, sample: Sample) -> None:
    """Second order: the gradient of a weighed sum of gradients, also with respect to the gradients it started from."""
    draw = rng(entry, sample)
    arrays = sample.arrays(entry.name)
    inputs = tensors(sample, arrays)
    results = outputs(entry, sample, inputs)
    starts = weights(draw, results)
    folds = [np.asarray(draw.uniform(0.5, 1.5, x.shape)) for x in active(inputs)]

    first = [Tensor(start, requires_grad=start.dtype.kind == "f") for start in starts]
    found = gradients(results, first, active(inputs), create_graph=True)
    for gradient, x in zip(found, active(inputs)):
        if gradient is not None:
            assert gradient.shape == x.shape and gradient.dtype == x.dtype
    terms = [(g * w).sum() for g, w in zip(found, folds) if g is not None]
    if not terms:
        return
    everything = [*inputs, *first]
    wanted = [x for x in everything if x.requires_grad]
    whole = sum(terms[1:], terms[0])
    second = dict(zip(wanted, gradients([whole], [np.ones(())], wanted)))

    def total(values: list[np.ndarray]) -> float:
        points = tensors(sample, values[: len(arrays)])
        outs = outputs(entry, sample, points)
        parts = gradients(outs, values[len(arrays) :], active(points))
        return sum(float(np.sum(host(g) * w)) for g, w in zip(parts, folds) if g is not None)

    for number, x in enumerate(everything):
        if x.requires_grad:
            along_direction(total, [*arrays, *starts], number, second[x], draw)


def strided(array: np.ndarray) -> np.ndarray:
    """The same elements, every second of a larger array, axes reversed in memory."""
    big = np.zeros(tuple(2 * n for n in reversed(array.shape)), array.dtype)
    view = big[(slice(None, None, 2),) * array.ndim + (...,)].T
    view[...] = array
    return view


def same(a: Any, b: Any, rtol: float = 0.0, atol: float = 0.0, what: str = "") -> None:
    """Equal shapes and dtypes, and values within the tolerance (nan equals nan)."""
    if a is None or b is None:
        assert a is None and b is None, f"{what}: {a} and {b}"
        return
    left, right = host(a), host(b)
    assert left.shape == right.shape, f"{what} has shape {left.shape}, not {right.shape}"
    assert left.dtype == right.dtype, f"{what} is {left.dtype}, not {right.dtype}"
    np.testing.assert_allclose(left, right, rtol=rtol, atol=atol, err_msg=what)


def scalar_points(entry: Entry, sample: Sample, count: int = 6) -> list[list[Any]]:
    """Numbers for the tensors of a sample, `count` times: what Values and 0-d tensors are compared on."""
    return [
        [spec.fill(zlib.crc32(f"{entry.name} {i} {k}".encode()), ()).item() for i, spec in enumerate(sample.tensors())]
        for k in range(count)
    ]


def as_value(number: Any) -> Any:
    return Value(number) if isinstance(number, float) else number
