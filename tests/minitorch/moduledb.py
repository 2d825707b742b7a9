"""PyTorch's own samples of its modules (module_db) run through minitorch: weights loaded by name, then outputs and gradients
with respect to inputs and parameters, in training and in evaluation.

    python -m tests.minitorch.moduledb [NAME ...]     what passes, differs, is missing
"""

from __future__ import annotations

import functools
import sys
import warnings
from typing import Any

import numpy as np

import minitorch
from minitorch import nn

from . import opdb
from .checks import resolve

DRAWN = ("Dropout", "RReLU")
"""Modules that draw numbers in training."""


@functools.cache
def module_db() -> dict[str, list[Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_modules import module_db as entries
    found: dict[str, list[Any]] = {}
    for entry in entries:
        found.setdefault(entry.module_cls.__name__, []).append(entry)
    return found


@opdb.hurried()
def run(name: str) -> opdb.Outcome:
    """Compare every sample of a module, in both modes."""
    import torch

    outcome = opdb.Outcome()
    for entry in module_db()[name]:
        for training in (True, False):
            torch.manual_seed(0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                samples = entry.module_inputs_func(
                    entry, device="cpu", dtype=torch.float64, requires_grad=True, training=training
                )
                for sample in samples:
                    compare(entry.module_cls, sample, training, outcome)
    return outcome


def compare(theirs: Any, sample: Any, training: bool, outcome: opdb.Outcome) -> None:
    import torch

    make, call = sample.constructor_input, sample.forward_input
    if call is None:
        return
    words = opdb.shown((*make.args, *make.kwargs.items()))
    label = f"{theirs.__name__}({words})({opdb.shown(call.args)}) {'training' if training else 'eval'}"
    try:
        arguments = opdb.to_ours((make.args, make.kwargs))
        peer = theirs(*make.args, **make.kwargs).to(torch.float64).train(training)
        model = resolve(nn, theirs.__name__)(*arguments[0], **arguments[1]).to(minitorch.float64).train(training)
        model.load_state_dict({key: opdb.to_ours(value) for key, value in peer.state_dict().items()})
        given = opdb.to_ours((call.args, call.kwargs))
        args, kwargs = as_leaves((call.args, call.kwargs))
        expected = peer(*args, **kwargs)
        found = model(*given[0], **given[1])
        drawn = training and theirs.__name__.startswith(DRAWN) or getattr(peer, "dropout", 0.0) and training
        opdb.same_values(found, expected, not drawn)
        if not drawn:
            mine, others = dict(model.named_parameters()), dict(peer.named_parameters())
            assert mine.keys() == others.keys(), f"parameters {sorted(mine)}, not {sorted(others)}"
            opdb.same_gradients(found, expected, (given, list(mine.values())), (args, kwargs, list(others.values())))
            for (key, a), (_, b) in zip(model.named_buffers(), peer.named_buffers(), strict=True):
                np.testing.assert_allclose(a.raw, b.numpy(), opdb.VALUE, opdb.VALUE, err_msg=f"buffer {key}")
        outcome.same += 1
    except (NotImplementedError, opdb.Unsupported) as error:
        outcome.unsupported.append(f"{label}: {error}")
    except Exception as error:
        text = " ".join(str(error).split())
        outcome.wrong.append(f"{label}: {type(error).__name__} {text[:300]}")


def as_leaves(x: Any) -> Any:
    """The same tensors, each by itself: some samples compute one argument from another."""
    if hasattr(x, "detach"):
        return x.detach().clone().requires_grad_(x.requires_grad)
    if isinstance(x, dict):
        return {key: as_leaves(value) for key, value in x.items()}
    return type(x)([as_leaves(part) for part in x]) if isinstance(x, (list, tuple)) else x


def main(names: list[str]) -> None:
    for name in names or sorted(module_db()):
        if resolve(nn, name) is None:
            print(f"missing    {name}")
            continue
        outcome = run(name)
        state = "same" if outcome.good else "DIFFERS" if outcome.wrong else "unsupported"
        print(f"{state:10} {name}: {outcome.same} same, {len(outcome.unsupported)} unsupported, {len(outcome.wrong)} wrong")
        for line in (outcome.wrong + outcome.unsupported) if names else (outcome.wrong + outcome.unsupported)[:2]:
            print(f"           {line}")


if __name__ == "__main__":
    main(sys.argv[1:])
