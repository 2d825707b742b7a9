"""PyTorch's own samples (its op_db) run through minitorch.

    python -m tests.minitorch.opdb            what passes, differs, is missing, for every function PyTorch has samples of
    python -m tests.minitorch.opdb NAME ...   the differences of some functions, sample by sample
    python -m tests.minitorch.opdb --update   enter what passes now into opdb_supported.txt (nothing is ever taken out)
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import Any
from unittest import mock

import numpy as np

import minitorch
from minitorch import Tensor
from minitorch.core.node import Node

from .checks import resolve

LIST = Path(__file__).with_name("opdb_supported.txt")
VALUE, GRADIENT = 1e-6, 1e-5
"""Tolerances, absolute and relative, of results and of gradients in float64."""

RANDOM = set("""
    bernoulli cauchy empty empty_like empty_permuted empty_strided exponential geometric log_normal multinomial new_empty
    new_empty_strided normal rand rand_like randint randint_like randn randn_like randperm uniform
    nn.functional.alpha_dropout nn.functional.dropout nn.functional.dropout2d nn.functional.dropout3d
    nn.functional.feature_alpha_dropout nn.functional.multi_head_attention_forward nn.functional.rrelu
""".split())
"""Functions whose results are drawn (or whatever was in memory): their shapes and dtypes are compared."""


def supported() -> dict[str, int]:
    """The maintained list: name of an op_db function -> how many of its samples use what minitorch does not support."""
    lines = LIST.read_text().splitlines() if LIST.exists() else []
    entries = (line.split() for line in lines if line and not line.startswith("#"))
    return {name: int(skipped) for name, skipped in entries}


@dataclass
class Outcome:
    """What became of one function's samples."""

    same: int = 0
    unsupported: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return bool(self.same) and not self.wrong


@functools.cache
def op_db() -> dict[str, list[Any]]:
    """PyTorch's functions by name; one name may have several variants."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_methods_invocations import op_db as entries
    found: dict[str, list[Any]] = {}
    for entry in entries:
        found.setdefault(entry.name, []).append(entry)
    return found


def find(name: str) -> Any:
    """minitorch's function (or method) for a name of op_db, None where there is none."""
    function = None if name.startswith("__") else resolve(minitorch, name)
    if not callable(function) and "." not in name:  # minitorch.double is a dtype, x.double() what is meant
        function = getattr(Tensor, name, None)
    return function if callable(function) else None


def wrapped(entry: Any) -> bool:
    """Whether op_db calls PyTorch's function through one of its own (to change the order of arguments, say)."""
    return isinstance(entry.op, FunctionType) and entry.op.__module__.endswith("common_methods_invocations")


def available(name: str) -> bool:
    """Whether there is anything to run for a name of op_db."""
    return find(name) is not None or any(map(wrapped, op_db()[name]))


def adapted(entry: Any) -> Any:
    """The function to call for an entry: minitorch's of that name; or op_db's very wrapper, with minitorch under the name
    of torch."""
    if wrapped(entry):
        wrapper = entry.op
        names = {**wrapper.__globals__, "torch": minitorch, "F": getattr(minitorch.nn, "functional", None)}
        return FunctionType(wrapper.__code__, names, wrapper.__name__, wrapper.__defaults__, wrapper.__closure__)
    return find(entry.name)


@contextmanager
def hurried() -> Iterator[None]:
    """PyTorch without what takes most of the time here: threads (samples are small, they only wait for each other), the stack
    trace it writes down for the GPU whenever it is seeded, which it is for every sample, and the search for its own test."""
    import torch
    from torch.testing._internal import common_utils
    from torch.testing._internal.opinfo import core

    torch.set_num_threads(1)
    with ExitStack() as stack:
        for module in (common_utils, core):
            if hasattr(module, "extract_test_fn"):
                stack.enter_context(mock.patch.object(module, "extract_test_fn", lambda: None))
        for device in (torch.cuda, torch.xpu, torch.mtia):
            stack.enter_context(mock.patch.object(device, "manual_seed_all", lambda seed: None))
        yield


@hurried()
def run(name: str) -> Outcome:
    """Compare every sample of a function: of float64, or of int64 for functions of integers."""
    import torch

    outcome = Outcome()
    for entry in op_db()[name]:
        dtype = torch.float64 if torch.float64 in entry.dtypes else torch.int64
        if dtype not in entry.dtypes:
            continue
        torch.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            differentiable = dtype.is_floating_point and entry.supports_autograd and dtype in entry.backward_dtypes
            for sample in entry.sample_inputs("cpu", dtype, requires_grad=differentiable):
                compare(entry, sample, adapted(entry), outcome)
    return outcome


def compare(entry: Any, sample: Any, function: Any, outcome: Outcome) -> None:
    """One sample: results, then gradients from random weights."""
    label = f"{entry.formatted_name}({shown((sample.input, *sample.args))}{', ' if sample.kwargs else ''}{shown(sample.kwargs)})"
    theirs_in = (sample.input, sample.args, sample.kwargs)
    try:
        ours_in = to_ours(theirs_in)
        expected = sample.output_process_fn_grad(entry.op(sample.input, *sample.args, **sample.kwargs))
        minitorch.manual_seed(0)
        found = sample.output_process_fn_grad(function(ours_in[0], *ours_in[1], **ours_in[2]))
    except (NotImplementedError, Unsupported) as error:
        outcome.unsupported.append(f"{label}: {error}")
        return
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            outcome.wrong.append(f"{label}: {type(error).__name__} {error}")
        else:
            outcome.unsupported.append(f"{label}: {error}")
        return
    except Exception as error:
        outcome.wrong.append(f"{label}: {type(error).__name__} {error}")
        return
    try:
        drawn = entry.name in RANDOM or sample.kwargs.get("dropout_p", 0.0) > 0.0
        same_values(found, expected, not drawn)
        if not drawn:
            same_gradients(found, expected, ours_in, theirs_in)
        outcome.same += 1
    except Exception as error:
        text = " ".join(str(error).split())
        outcome.wrong.append(f"{label}: {type(error).__name__} {text[:300]}")


def same_values(found: Any, expected: Any, numbers: bool) -> None:
    ours, theirs = list(leaves(found)), list(leaves(expected))
    assert len(ours) == len(theirs), f"{len(ours)} results, not {len(theirs)}"
    for a, b in zip(ours, theirs):
        if not hasattr(b, "detach"):
            assert a == b, f"{a} is not {b}"
            continue
        left, right = np.asarray(a.raw if isinstance(a, Node) else a), b.numpy(force=True)
        assert left.shape == right.shape, f"shape {left.shape}, not {right.shape}"
        assert left.dtype == right.dtype, f"dtype {left.dtype}, not {right.dtype}"
        if numbers:
            np.testing.assert_allclose(left, right, VALUE, VALUE)


def same_gradients(found: Any, expected: Any, ours_in: Any, theirs_in: Any) -> None:
    import torch

    pairs = [(a, b) for a, b in zip(leaves(found), leaves(expected)) if hasattr(b, "detach") and b.requires_grad]
    wanted = [(a, b) for a, b in zip(leaves(ours_in), leaves(theirs_in)) if hasattr(b, "detach") and b.requires_grad]
    for a, b in pairs:
        if not (isinstance(a, Node) and a.requires_grad):  # allowed where PyTorch's gradient is 0 everywhere
            nothing = torch.autograd.grad(b.sum(), [x for _, x in wanted], retain_graph=True, allow_unused=True)
            assert not any(g is not None and g.any() for g in nothing), "the result carries no gradient"
    pairs = [(a, b) for a, b in pairs if isinstance(a, Node) and a.requires_grad]
    pairs = [(a, b) for a, b in pairs if a.op is not None]
    if not pairs or not wanted:
        return
    draw = np.random.default_rng(0)
    starts = [draw.uniform(0.5, 1.5, tuple(b.shape)) for _, b in pairs]
    theirs = torch.autograd.grad(
        [b for _, b in pairs], [b for _, b in wanted], [torch.tensor(s, dtype=b.dtype) for s, (_, b) in zip(starts, pairs)],
        allow_unused=True,
    )  # fmt: skip
    ours = minitorch.grad(
        [a for a, _ in pairs], [a for a, _ in wanted],
        [Tensor(np.asarray(s, a.dtype)) for s, (a, _) in zip(starts, pairs)], allow_unused=True,
    )  # fmt: skip
    for a, b, (x, _) in zip(ours, theirs, wanted):
        left = np.zeros(x.shape) if a is None else np.asarray(a.raw)
        right = np.zeros(x.shape) if b is None else b.to_dense().numpy(force=True)
        assert left.shape == right.shape, f"gradient of shape {left.shape}, not {right.shape}"
        np.testing.assert_allclose(left, right, GRADIENT, GRADIENT, err_msg="gradient")


class Unsupported(Exception):
    """A sample asks for what minitorch does not have at all: complex numbers, sparse or quantized tensors."""


def to_ours(x: Any) -> Any:
    """Arguments for PyTorch as arguments for minitorch."""
    import torch

    if isinstance(x, torch.Tensor):
        if x.is_complex() or x.layout != torch.strided or x.is_quantized or x.dtype == torch.bfloat16:
            raise Unsupported(f"no {x.dtype} {x.layout}")
        return Tensor(x.detach().clone().numpy(), requires_grad=x.requires_grad)
    if isinstance(x, torch.Size):
        return tuple(x)
    if isinstance(x, torch.dtype):
        name = str(x).split(".")[1]
        if not hasattr(np, name):
            raise Unsupported(f"no {x}")
        return np.dtype(name)
    if isinstance(x, (torch.device, torch.Generator, torch.layout, torch.memory_format, complex)):
        if isinstance(x, torch.device) and x.type == "cpu":
            return "cpu"
        raise Unsupported(f"no {type(x).__name__}")
    if isinstance(x, torch.nn.Module):
        raise Unsupported("a PyTorch module as an argument")
    if callable(x) and getattr(torch.nn.functional, getattr(x, "__name__", ""), None) is x:
        return getattr(minitorch.nn.functional, x.__name__)
    if isinstance(x, dict):
        usual = (torch.preserve_format, torch.strided)  # what minitorch has no argument for, because there is nothing else
        return {key: to_ours(value) for key, value in x.items() if not any(value is default for default in usual)}
    if isinstance(x, (list, tuple)):
        return type(x)([to_ours(part) for part in x])
    return x


def leaves(x: Any) -> Iterator[Any]:
    if isinstance(x, dict):
        x = list(x.values())
    if isinstance(x, (list, tuple)):
        for part in x:
            yield from leaves(part)
    else:
        yield x


def shown(x: Any) -> str:
    if hasattr(x, "detach"):
        return f"{str(x.dtype).split('.')[1]}{list(x.shape)}"
    if isinstance(x, dict):
        return ", ".join(f"{key}={shown(value)}" for key, value in x.items())
    if isinstance(x, (list, tuple)):
        return ", ".join(map(shown, x)) if isinstance(x, tuple) else f"[{', '.join(map(shown, x))}]"
    return repr(x)


def main(words: list[str]) -> None:
    update = "--update" in words
    chosen = [word for word in words if not word.startswith("--")]
    known, kept = supported(), dict(supported())
    for name in chosen or sorted(op_db()):
        outcome = run(name) if available(name) else Outcome()
        if not outcome.same and all("has no attribute" in line for line in outcome.wrong) and not outcome.unsupported:
            print(f"missing    {name}")
            continue
        state = "same" if outcome.good else "DIFFERS" if outcome.wrong else "unsupported"
        print(f"{state:10} {name}: {outcome.same} same, {len(outcome.unsupported)} unsupported, {len(outcome.wrong)} wrong")
        for line in (outcome.wrong + outcome.unsupported) if chosen else outcome.wrong[:1] * (name in known or not update):
            print(f"           {line}")
        if outcome.good:
            kept[name] = min(len(outcome.unsupported), known.get(name, len(outcome.unsupported)))
    if update:
        head = LIST.read_text().split("\n\n")[0] if LIST.exists() else HEAD
        LIST.write_text(head + "\n\n" + "".join(f"{name} {kept[name]}\n" for name in sorted(kept)))
        print(f"{len(kept)} functions, {len(kept) - len(known)} new")


HEAD = """# Functions held against PyTorch's own samples (op_db), and how many of those samples use an argument that is not supported.
# `python -m tests.minitorch.opdb --update` adds what has come to pass. Numbers go down, names stay."""


if __name__ == "__main__":
    main(sys.argv[1:])
