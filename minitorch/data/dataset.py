"""Data sets: things with a length whose items can be asked for by number."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Generic, TypeVar

import numpy as np

from ..backend import backend_of
from ..backend.gpus import at_home
from ..core.tensor import Tensor
from ..ops import random
from ..ops.random import Generator

T_co = TypeVar("T_co", covariant=True)


@at_home
def _picked(tensor: Tensor, where: np.ndarray) -> Tensor:
    """The items of a tensor at some indices, which go to its device."""
    return Tensor(tensor.raw[backend_of(tensor.raw).asarray(where)])


class Dataset(Generic[T_co]):
    """A subclass defines `__getitem__(index)` and `__len__()`. One that defines `__getitems__(indices)` too is asked for
    a batch at a time."""

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(f"{type(self).__name__} needs a method __getitem__(self, index)")

    def __add__(self, other: Dataset[Any]) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co]):
    """Data that comes as a stream: a subclass defines `__iter__` and nobody asks for an item by number."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__} needs a method __iter__(self)")


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors side by side: item i is (a[i], b[i], ...). Batches are cut out of the whole arrays at once."""

    def __init__(self, *tensors: Tensor) -> None:
        if not tensors:
            raise ValueError("TensorDataset needs at least one tensor")
        if len({len(t) for t in tensors}) > 1:
            raise ValueError(f"TensorDataset needs tensors of equal length, not {', '.join(str(len(t)) for t in tensors)}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def batch(self, indices: Sequence[int]) -> list[Tensor]:
        """The items at `indices`, already stacked."""
        where = np.asarray(indices)
        return [_picked(t, where) for t in self.tensors]

    def __len__(self) -> int:
        return len(self.tensors[0])


class Subset(Dataset[Any]):
    """The items of another data set at `indices`."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset[Any]):
    """Data sets one after the other."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset needs at least one data set")
        for d in self.datasets:
            if isinstance(d, IterableDataset):
                raise TypeError("ConcatDataset cannot number the items of an IterableDataset; use ChainDataset")
        self.cumulative_sizes = list(accumulate(len(d) for d in self.datasets))

    def __getitem__(self, index: int) -> Any:
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(f"there is no item {index} among {len(self)}")
        which = bisect.bisect_right(self.cumulative_sizes, number)
        return self.datasets[which][number - (self.cumulative_sizes[which - 1] if which else 0)]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


class ChainDataset(IterableDataset[Any]):
    """Streams one after the other."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[Any]:
        for dataset in self.datasets:
            yield from dataset


class StackDataset(Dataset[Any]):
    """Data sets side by side: item i is (a[i], b[i], ...), or a dict when they are given by name."""

    def __init__(self, *datasets: Any, **named: Any) -> None:
        if bool(datasets) == bool(named):
            raise ValueError("StackDataset takes data sets either in order or by name")
        self.datasets: Any = named or datasets
        parts = list(named.values()) or list(datasets)
        if len({len(d) for d in parts}) > 1:
            raise ValueError(f"StackDataset needs data sets of equal length, not {', '.join(str(len(d)) for d in parts)}")
        self._length = len(parts[0])

    def __getitem__(self, index: int) -> Any:
        if isinstance(self.datasets, dict):
            return {name: d[index] for name, d in self.datasets.items()}
        return tuple(d[index] for d in self.datasets)

    def __len__(self) -> int:
        return self._length


def random_split(dataset: Any, lengths: Sequence[float], generator: Generator | None = None) -> list[Subset]:
    """Divide a data set at random into parts of the given lengths, or fractions that add up to 1."""
    total = len(dataset)
    if abs(sum(lengths) - 1) < 1e-6 and all(0 <= n <= 1 for n in lengths):
        counts = [int(total * fraction) for fraction in lengths]
        for i in range(total - sum(counts)):  # what rounding left over goes round
            counts[i % len(counts)] += 1
    else:
        counts = [int(n) for n in lengths]
    if sum(counts) != total:
        raise ValueError(f"the lengths add up to {sum(counts)}, and the data set has {total} items")
    order = random.rng(generator).permutation(total).tolist()
    ends = list(accumulate(counts))
    return [Subset(dataset, order[end - count : end]) for end, count in zip(ends, counts)]
