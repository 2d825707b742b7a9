"""From a list of items to a batch: tensors and numbers stacked, tuples, lists and dicts taken apart and put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..backend import BACKENDS
from ..backend.gpus import beside
from ..core.tensor import Tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """A batch of the items: arrays and tensors stacked along a new first axis, Python numbers as a tensor, texts as a list,
    and the parts of tuples, lists and dicts each collated by themselves. ValueError where items do not fit together."""
    first = batch[0]
    if isinstance(first, Tensor):
        return Tensor(_stacked([x.raw for x in batch]))
    if isinstance(first, np.ndarray):
        return Tensor(_stacked(batch))
    if isinstance(first, (bool, int, np.bool_, np.integer)):
        return Tensor(np.asarray(batch))
    if isinstance(first, float):
        return Tensor(np.asarray(batch, np.float64))
    if isinstance(first, np.floating):
        return Tensor(np.asarray(batch))
    if isinstance(first, (str, bytes)):
        return list(batch)
    if isinstance(first, Mapping):
        return {key: default_collate([item[key] for item in batch]) for key in first}
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(default_collate(part) for part in zip(*batch)))
    if isinstance(first, (tuple, list)):
        if any(len(item) != len(first) for item in batch):
            raise ValueError(f"items of {len(first)} and of other numbers of parts do not make a batch; give a collate_fn")
        return [default_collate(part) for part in zip(*batch)]
    raise TypeError(
        f"items of type {type(first).__name__} do not make a batch: return tensors, arrays, numbers, texts, or tuples and "
        "dicts of them, or give DataLoader a collate_fn"
    )


def _stacked(arrays: Sequence[Any]) -> Any:
    shapes = {a.shape for a in arrays}
    if len(shapes) > 1:
        raise ValueError(
            f"items of different shapes do not make a batch: {', '.join(map(str, sorted(shapes)))}; "
            "bring them to one size first, or give DataLoader a collate_fn"
        )
    with beside(arrays[0]):
        return np.stack(arrays) if isinstance(arrays[0], np.ndarray) else BACKENDS[type(arrays[0])].stack(arrays)


def default_convert(item: Any) -> Any:
    """An item on its own (a DataLoader without batches): arrays become tensors, the rest stays."""
    if isinstance(item, np.ndarray) and item.dtype.kind in "fiub":
        return Tensor(item)
    if isinstance(item, Mapping):
        return {key: default_convert(x) for key, x in item.items()}
    if isinstance(item, tuple) and hasattr(item, "_fields"):
        return type(item)(*map(default_convert, item))
    if isinstance(item, (tuple, list)):
        return [default_convert(x) for x in item]
    return item
