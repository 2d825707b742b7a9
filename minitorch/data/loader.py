"""DataLoader: a data set in batches."""

from __future__ import annotations

import collections
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..core.device import gpu_missing
from ..ops import random
from ..ops.random import Generator
from .ahead import mapped
from .collate import default_collate, default_convert
from .dataset import IterableDataset, Subset, TensorDataset
from .sampler import BatchSampler, RandomSampler, SequentialSampler

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

_END = object()


class WorkerInfo(NamedTuple):
    """Which worker of how many is asking, for an IterableDataset that gives each its share."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


_worker = threading.local()


def get_worker_info() -> WorkerInfo | None:
    """In a DataLoader's worker thread: who it is. Elsewhere None."""
    return getattr(_worker, "info", None)


class DataLoader:
    """Iterate over `dataset` in batches of `batch_size` (None: item by item), in order or shuffled anew in every pass.

    `collate_fn` makes a batch of a list of items. `num_workers` threads prepare up to `prefetch_factor` batches each
    ahead of the one in use (threads, not processes: NumPy and Pillow run beside one another, and nothing is copied
    between them). An error in a data set comes out of the loop, as it was raised. `pin_memory` puts batches where a GPU can
    fetch them by itself (see `PrefetchToDevice`); without a GPU it changes nothing.
    """

    def __init__(
        self, dataset: Any, batch_size: int | None = 1, shuffle: bool | None = None, sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[list[int]] | None = None, num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None, pin_memory: bool = False, drop_last: bool = False,
        timeout: float = 0, worker_init_fn: Callable[[int], Any] | None = None, *, generator: Generator | None = None,
        prefetch_factor: int | None = None, persistent_workers: bool = False,
    ) -> None:  # fmt: skip
        if num_workers < 0:
            raise ValueError(f"num_workers is 0 or more, not {num_workers}")
        if prefetch_factor is not None and (num_workers == 0 or prefetch_factor < 1):
            raise ValueError("prefetch_factor is 1 or more, and needs num_workers above 0: nobody else fetches ahead")
        stream = isinstance(dataset, IterableDataset)
        if stream and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError("an IterableDataset comes in its own order: leave out shuffle, sampler and batch_sampler")
        if sampler is not None and shuffle:
            raise ValueError("a sampler decides the order itself: leave out shuffle")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError("a batch_sampler decides the batches itself: leave out batch_size, shuffle, sampler, drop_last")
        if batch_size is None and drop_last:
            raise ValueError("drop_last is about batches; with batch_size=None there are none")
        if sampler is None and not stream:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None and not stream:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)  # type: ignore[arg-type]
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.sampler, self.batch_sampler = sampler, batch_sampler
        self.num_workers, self.prefetch_factor, self.timeout = num_workers, prefetch_factor or 2, timeout
        self.worker_init_fn, self.generator, self.pin_memory = worker_init_fn, generator, pin_memory
        self.collate_fn = collate_fn or (default_convert if batch_size is None else default_collate)
        self._cut = _cutter(dataset) if collate_fn is None and batch_size is not None else None

    def __len__(self) -> int:
        if isinstance(self.dataset, IterableDataset):
            count = len(self.dataset)  # type: ignore[arg-type]
            if self.batch_size is None:
                return count
            return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        if self.num_workers:
            return self._from_workers()
        if isinstance(self.dataset, IterableDataset):
            return self._stream()
        return map(self._fetch, self.batch_sampler if self.batch_size is not None else self.sampler)  # type: ignore[arg-type]

    def _fetch(self, which: Any) -> Any:
        """The batch of the items numbered `which` (without batches: the one item), pinned if so asked."""
        return self._pinned(self._taken(which))

    def _pinned(self, batch: Any) -> Any:
        if not self.pin_memory or gpu_missing():
            return batch
        return mapped(batch, lambda x: x if x.is_cuda else x.pin_memory())

    def _taken(self, which: Any) -> Any:
        if self._cut is not None:
            return self._cut(which)
        if self.batch_size is None:
            return self.collate_fn(self.dataset[which])
        if hasattr(self.dataset, "__getitems__"):
            return self.collate_fn(self.dataset.__getitems__(which))
        return self.collate_fn([self.dataset[i] for i in which])

    def _stream(self) -> Iterator[Any]:
        """The batches of an IterableDataset."""
        items = iter(self.dataset)
        if self.batch_size is None:
            yield from (self._pinned(self.collate_fn(item)) for item in items)
            return
        while batch := list(itertools.islice(items, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self._pinned(self.collate_fn(batch))

    def _from_workers(self) -> Iterator[Any]:
        """The batches in order, prepared by threads that take turns: batch k is worker k % n's, with its own stream of
        random numbers, so that what comes out does not depend on who is fast."""
        from concurrent.futures import ThreadPoolExecutor  # here: importing it costs more than all of this package

        count = self.num_workers
        base = int(random.rng(self.generator).integers(2**62))
        workers = [
            ThreadPoolExecutor(1, f"DataLoader-{i}", self._start_worker, (WorkerInfo(i, count, base + i, self.dataset),))
            for i in range(count)
        ]
        try:
            yield from self._shared_stream(workers) if isinstance(self.dataset, IterableDataset) else self._turns(workers)
        finally:
            for worker in workers:
                worker.shutdown(wait=False, cancel_futures=True)

    def _start_worker(self, info: WorkerInfo) -> None:
        _worker.info = info
        random.use(Generator().manual_seed(info.seed))

    def _turns(self, workers: list[ThreadPoolExecutor]) -> Iterator[Any]:
        jobs = iter(self.batch_sampler if self.batch_size is not None else self.sampler)  # type: ignore[arg-type]
        started = [self._init(worker, i) for i, worker in enumerate(workers)]
        turn = itertools.cycle(workers)
        waiting: collections.deque[Future[Any]] = collections.deque()
        for future in started:
            self._result(future)
        for job in itertools.islice(jobs, len(workers) * self.prefetch_factor):
            waiting.append(next(turn).submit(self._fetch, job))
        while waiting:
            batch = self._result(waiting.popleft())
            for job in itertools.islice(jobs, 1):
                waiting.append(next(turn).submit(self._fetch, job))
            yield batch

    def _shared_stream(self, workers: list[ThreadPoolExecutor]) -> Iterator[Any]:
        """Every worker goes through the stream (get_worker_info tells it which share is its own)."""
        for future in [self._init(worker, i) for i, worker in enumerate(workers)]:
            self._result(future)
        streams = collections.deque((worker, self._stream()) for worker in workers)
        waiting: collections.deque[Any] = collections.deque()
        for _ in range(self.prefetch_factor):
            waiting.extend((worker, stream, worker.submit(next, stream, _END)) for worker, stream in streams)
        while waiting:
            worker, stream, future = waiting.popleft()
            batch = self._result(future)
            if batch is not _END:
                waiting.append((worker, stream, worker.submit(next, stream, _END)))
                yield batch

    def _init(self, worker: ThreadPoolExecutor, number: int) -> Future[Any]:
        return worker.submit(self.worker_init_fn or (lambda _: None), number)

    def _result(self, future: Future[Any]) -> Any:
        from concurrent.futures import TimeoutError

        try:
            return future.result(self.timeout or None)
        except TimeoutError:
            if future.done():
                raise  # the data set's own
            raise RuntimeError(f"no batch came within DataLoader's timeout of {self.timeout} seconds") from None


def _cutter(dataset: Any) -> Callable[[Any], Any] | None:
    """For tensors side by side, also part of them: the function that cuts a batch out of the whole arrays at once."""
    if isinstance(dataset, TensorDataset) and type(dataset).__getitem__ is TensorDataset.__getitem__:
        return dataset.batch
    if type(dataset) is Subset:
        inner = _cutter(dataset.dataset)
        if inner is not None:
            indices = np.asarray(dataset.indices)
            return lambda which: inner(indices[which])
    return None
