"""Every entry of the operation table, held to every check (the list is at the top of `opentry.py`)."""

from __future__ import annotations

import inspect
import itertools
import warnings
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Tensor
from minitorch.core.node import ancestors
from minitorch.core.op import Op

from .checks import (
    about,
    active,
    as_value,
    check_gradient,
    check_second_gradient,
    gradients,
    host,
    ours,
    outputs,
    resolve,
    rng,
    same,
    scalar_points,
    strided,
    tensors,
    torchs,
    weights,
)
from .opentry import SAME, Entry, Sample
from .optable import TABLE
from .strict import StrictArray, strict


def entries(*, keep: Any = lambda entry: True) -> Any:
    return pytest.mark.parametrize("entry", [entry for entry in TABLE if keep(entry)], ids=repr)


def one_thread(torch: Any) -> Any:
    """PyTorch on one thread: on samples as small as these, threads only wait for each other."""
    torch.set_num_threads(1)
    return torch


def smooth(entry: Entry) -> list[Sample]:
    return [sample for sample in entry.samples if sample.smooth]


@entries(keep=lambda entry: (resolve(np, entry.name) if entry.numpy == SAME else entry.numpy) is not None)
def test_forward_is_numpys(entry: Entry) -> None:
    reference = resolve(np, entry.name) if entry.numpy == SAME else entry.numpy
    for sample in entry.samples:
        with about(sample):
            arrays = sample.arrays(entry.name)
            (found,) = outputs(entry, sample, tensors(sample, arrays))
            expected = np.asarray(sample.call(reference, arrays))
            same(found, expected.astype(host(found).dtype), rtol=entry.tolerance, atol=entry.tolerance)


@entries()
def test_any_layout_and_either_float_give_the_same_and_leave_inputs_alone(entry: Entry) -> None:
    for sample in entry.samples:
        with about(sample), warnings.catch_warnings():
            warnings.simplefilter("error")
            arrays = sample.arrays(entry.name)
            draw = rng(entry, sample)
            inputs = tensors(sample, arrays)
            results = outputs(entry, sample, inputs)
            starts = weights(draw, results)
            grads = gradients(results, starts, active(inputs))
            for dtype, tolerance in (("float64", entry.tolerance), ("float32", 1e-4)):
                others = tensors(sample, arrays, dtype, strided)
                again = outputs(entry, sample, others)
                for a, b in zip(results, again):
                    if host(a).dtype.kind == "f" and dtype == "float32" and not entry.double:
                        a = Tensor(host(a).astype("float32"))
                    same(a, b, rtol=tolerance, atol=tolerance, what=f"{dtype} result")
                for array, x in zip(arrays, others):
                    np.testing.assert_array_equal(array.astype(x.dtype), host(x), "the input was changed")
                if not entry.differentiable:
                    continue
                began = [s.astype(host(b).dtype) for s, b in zip(starts, again)]
                for x, a, b in zip(active(others), grads, gradients(again, began, active(others))):
                    same(None if a is None else host(a).astype(dtype), b, tolerance, tolerance, f"{dtype} gradient")
                    assert b is None or b.shape == x.shape


@entries(keep=lambda entry: entry.differentiable)
def test_gradient(entry: Entry) -> None:
    for sample in smooth(entry):
        with about(sample):
            check_gradient(entry, sample)


@entries(keep=lambda entry: entry.differentiable and entry.twice)
def test_gradient_of_the_gradient(entry: Entry) -> None:
    for sample in smooth(entry):
        with about(sample):
            check_second_gradient(entry, sample)


@entries(keep=lambda entry: entry.strict)
def test_strict_device(entry: Entry) -> None:
    for sample in entry.samples:
        with about(sample):
            arrays = sample.arrays(entry.name)
            seen = []
            for wrap in (np.array, strict):
                inputs = tensors(sample, arrays, wrap=wrap)
                results = outputs(entry, sample, inputs)
                if wrap is strict and inputs:
                    for x in results:
                        assert type(x.raw) is StrictArray, f"the result came back as {type(x.raw).__name__}"
                        assert x.device == "strict"
                starts = weights(rng(entry, sample), results)
                grads = gradients(results, starts, active(inputs))
                if entry.differentiable and entry.twice:
                    graph = outputs(entry, sample, inputs)
                    recorded = [g for g in gradients(graph, starts, active(inputs), create_graph=True) if g is not None]
                    twice = [(g * g).sum() for g in recorded]
                    grads += gradients(twice, [np.ones(()) for _ in twice], active(inputs))
                seen.append([host(x) for x in (*results, *grads) if x is not None])
            for plain, onto in zip(*seen, strict=True):
                same(plain, onto, rtol=1e-10, atol=1e-12)  # CuPy may add up in another order


@entries(keep=lambda entry: entry.torch is not None)
def test_pytorch_gives_the_same(entry: Entry) -> None:
    torch = one_thread(pytest.importorskip("torch"))
    theirs = torchs(entry, torch)
    if theirs is None:
        pytest.skip(f"PyTorch has no {entry.name}")
    compared = 0
    for sample, dtype in itertools.product(entry.samples, ("float64", "float32")):
        with about(f"{dtype} {sample}"):
            tolerance = entry.tolerance if dtype == "float64" else 2e-5
            arrays = sample.arrays(entry.name)
            draw = rng(entry, sample)
            inputs = tensors(sample, arrays, dtype)
            peers = [torch.tensor(host(x), requires_grad=x.requires_grad) for x in inputs]
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    expected = sample.call(theirs, peers)
            except TypeError:  # PyTorch is stricter about Python numbers in the place of tensors
                continue
            compared += 1
            results = outputs(entry, sample, inputs)
            expected = list(expected) if isinstance(expected, (tuple, list)) else [expected]
            assert len(results) == len(expected)
            for a, b in zip(results, expected):
                same(a, b, tolerance, tolerance, "result")
                if entry.differentiable:
                    assert a.requires_grad == b.requires_grad
            starts = weights(draw, results)
            recorded = [(b, torch.tensor(s)) for b, s in zip(expected, starts) if b.requires_grad]
            if not (entry.differentiable and recorded):
                continue
            wanted = [p for p in peers if p.requires_grad]
            theirs_too = torch.autograd.grad([b for b, _ in recorded], wanted, [s for _, s in recorded], allow_unused=True)
            for a, b in zip(gradients(results, starts, active(inputs)), theirs_too):
                same(a, b, tolerance, tolerance, "gradient")
    assert compared


@entries(keep=lambda entry: entry.method and "." not in entry.name)
def test_method_where_pytorch_has_one(entry: Entry) -> None:
    torch = one_thread(pytest.importorskip("torch"))
    if not hasattr(torch.Tensor, entry.name):
        pytest.skip(f"torch.Tensor has no {entry.name}")
    for sample in entry.samples:
        if not (sample.tensors() and sample.args and sample.args[0] is sample.tensors()[0]):
            continue
        with about(sample):
            inputs = tensors(sample, sample.arrays(entry.name))
            function = outputs(entry, sample, inputs)
            method = sample.call(lambda x, *args, **kwargs: getattr(x, entry.name)(*args, **kwargs), inputs)
            for a, b in zip(function, method if isinstance(method, tuple) else (method,), strict=True):
                same(a, b)


@entries(keep=lambda entry: entry.ints)
def test_ints_and_bools_as_pytorch(entry: Entry) -> None:
    torch = one_thread(pytest.importorskip("torch"))
    theirs = torchs(entry, torch)
    for sample, dtype in itertools.product(entry.samples, ("int64", "int32", "uint8", "bool")):
        if not any(spec.differentiable for spec in sample.tensors()):
            continue
        with about(f"{dtype} {sample}"):
            draw = rng(entry, sample)
            arrays = [
                np.asarray(draw.integers(1, 4, a.shape)).astype(dtype) if a.dtype.kind == "f" else a
                for a in sample.arrays(entry.name)
            ]
            try:
                expected = sample.call(theirs, [torch.tensor(a) for a in arrays])
            except (RuntimeError, IndexError, TypeError):  # PyTorch has no such function on these
                continue
            results = outputs(entry, sample, [Tensor(a) for a in arrays])
            for a, b in zip(results, expected if isinstance(expected, tuple) else (expected,), strict=True):
                same(a, b, rtol=1e-6, atol=1e-6, what="result")
                assert not a.requires_grad


@entries(keep=lambda entry: entry.scalar)
def test_values_agree_with_tensors(entry: Entry) -> None:
    samples = [sample for sample in entry.samples if all(spec.shape == () for spec in sample.tensors())]
    number_samples = [sample for sample in entry.samples if len(sample.tensors()) < len(entry.samples[0].tensors())]
    for sample in [*samples[:1], *number_samples]:
        for numbers in scalar_points(entry, sample):
            with about(f"{sample} at {numbers}"):
                compare_scalar(entry, sample, numbers)


@entries(keep=lambda entry: entry.scalar and entry.special)
def test_values_are_ieee(entry: Entry) -> None:
    sample = next(s for s in entry.samples if all(spec.shape == () for spec in s.tensors()))
    for numbers in special_points(entry, sample):
        with about(numbers):
            compare_scalar(entry, sample, numbers, twice=False)


@entries(keep=lambda entry: entry.scalar and entry.special and entry.torch is not None)
def test_specials_are_pytorchs(entry: Entry) -> None:
    torch = one_thread(pytest.importorskip("torch"))
    theirs = torchs(entry, torch)
    sample = next(s for s in entry.samples if all(spec.shape == () for spec in s.tensors()))
    columns = [np.array(column) for column in zip(*special_points(entry, sample))]
    inputs = tensors(sample, columns)
    peers = [torch.tensor(host(x), requires_grad=x.requires_grad) for x in inputs]
    (result,) = outputs(entry, sample, inputs)
    expected = sample.call(theirs, peers)
    same(result, expected, entry.tolerance, what=f"result at {columns}")
    if entry.differentiable:
        start = np.ones(result.shape)
        grads = gradients([result], [start], active(inputs))
        theirs_too = torch.autograd.grad(expected, [p for p in peers if p.requires_grad], torch.tensor(start))
        for a, b in zip(grads, theirs_too):
            wrong = ~np.isclose(host(a), host(b), rtol=entry.tolerance, equal_nan=True)
            told = [
                (*(c[i].item() for c in columns), host(a)[i].item(), host(b)[i].item())
                for i in np.nonzero(wrong)[0]
                if entry.omit_gradient is None or not entry.omit_gradient(*(c[i].item() for c in columns))
            ]
            assert not told, f"at (inputs..., ours, PyTorch's): {told}"


def special_points(entry: Entry, sample: Sample) -> list[tuple[Any, ...]]:
    choices = [entry.special if spec.differentiable else (True, False) for spec in sample.tensors()]
    points = itertools.product(*choices)
    return [point for point in points if entry.omit is None or not entry.omit(*point)]


def compare_scalar(entry: Entry, sample: Sample, numbers: Any, twice: bool = True) -> None:
    """One call on Values and on 0-d tensors: result, gradients and second derivatives."""
    inputs = tensors(sample, [np.asarray(n) for n in numbers])
    values = [as_value(n) for n in numbers]
    (tensor,) = outputs(entry, sample, inputs)
    value = sample.call(ours(entry), values)
    assert type(value) is minitorch.Value and type(value.raw) is float, f"{value!r} of {type(value.raw).__name__}"
    close(value.raw, host(tensor).item(), "result")
    leaves = [v for v in values if isinstance(v, minitorch.Value)]
    if not leaves:
        return
    from_values = minitorch.grad(value, leaves, create_graph=twice, allow_unused=True)
    from_tensors = minitorch.grad(tensor, active(inputs), create_graph=twice, allow_unused=True)
    for a, b in zip(from_values, from_tensors, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert type(a) is minitorch.Value and type(a.raw) is float, f"gradient {a!r}"
            close(a.raw, host(b).item(), "gradient")
            if twice and b.requires_grad:
                second = minitorch.grad(a, leaves, retain_graph=True, allow_unused=True)
                expected = minitorch.grad(b, active(inputs), retain_graph=True, allow_unused=True)
                for c, d in zip(second, expected):
                    close(c.raw if c is not None else 0.0, host(d).item() if d is not None else 0.0, "second derivative")


def close(a: float, b: float, what: str) -> None:
    np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13, err_msg=what)


# The table is complete


ANSWERS = {"allclose", "broadcast_shapes", "equal"}
"""Functions that return a bool or a shape; see test_compare.py and test_opdb.py."""


def test_every_public_function_has_an_entry() -> None:
    named = {inspect.unwrap(ours(entry)) for entry in TABLE}  # an alias needs no entry of its own
    found = {name: inspect.unwrap(getattr(minitorch.ops, name)) for name in minitorch.ops.__all__}
    missing = sorted(name for name, function in found.items() if function not in named and name not in ANSWERS)
    assert not missing, f"enter them in optable.py: {', '.join(missing)}"


def test_every_operation_is_reached_by_a_sample() -> None:
    seen: set[type[Op]] = set()
    for entry in TABLE:
        for sample in entry.samples:
            inputs = tensors(sample, sample.arrays(entry.name))
            results = [x for x in outputs(entry, sample, inputs) if x.requires_grad]
            points = active(inputs)
            for _ in range(3 if entry.twice else 1):  # the results, their gradients, the gradients of those
                for root in results:
                    seen |= {type(node.op) for node in ancestors(root) if node.op is not None}
                starts = [Tensor(start, requires_grad=True) for start in weights(rng(entry, sample), results)]
                points = [*points, *starts]
                results = [g for g in gradients(results, starts, points, create_graph=True) if g is not None and g.op]
    home = {cls for cls in Op.registry.values() if cls.__module__.startswith("minitorch.")}
    families = {base for cls in seen for base in cls.__mro__}  # what only others are derived from needs no sample of its own
    missing = sorted(cls.name for cls in home - families - OTHERWISE)
    assert not missing, f"no sample of the table runs {', '.join(missing)}"


OTHERWISE = {
    minitorch.ops.index.SetItem, minitorch.ops.index.Pick, minitorch.ops.shape.ToValue, minitorch.ops.shape.ToDevice,
    minitorch.ops.classes.CrossEntropyOfCounted,
}  # fmt: skip
"""Operations no function makes here: `x[...] = v` (test_inplace.py), the results of a bundle, the gradient of a Value in a
tensor operation (both test_graph.py), a move to another device (test_device.py), and cross_entropy of targets on a GPU, which
nobody has looked at (test_cupy.py)."""
