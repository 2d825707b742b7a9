"""Batches copied to a GPU while it computes with the one before."""

from __future__ import annotations

import collections
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..core.device import backend_on, device, is_pinned, pinned, working_on
from ..core.tensor import Tensor


class PrefetchToDevice:
    """The batches of `loader` on `device`: `for x, y in PrefetchToDevice(loader, "cuda"):`.

    While the program computes with one batch, the next `ahead` are being copied, on a stream of their own and from pinned
    memory (`DataLoader(pin_memory=True)` pins in its workers; what is not pinned, is pinned here). Tensors inside lists,
    tuples and dicts move, the rest stays. On the CPU it hands the batches on as they are.
    RuntimeError, with the way out, where there is no such device.
    """

    def __init__(self, loader: Iterable[Any], device: Any = "cuda", ahead: int = 1) -> None:
        if ahead < 1:
            raise ValueError(f"PrefetchToDevice copies at least 1 batch ahead, not {ahead}")
        backend_on(device)
        self.loader, self.device, self.ahead = loader, device, ahead

    def __len__(self) -> int:
        return len(self.loader)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        if device(self.device).type != "cuda":
            return (mapped(batch, lambda x: x.to(self.device)) for batch in self.loader)
        return self._copied()

    def _copied(self) -> Iterator[Any]:
        copies = _Copies(self.device)
        waiting: collections.deque[Any] = collections.deque()
        try:
            for batch in self.loader:
                waiting.append(copies.begin(batch))
                if len(waiting) > self.ahead:
                    yield copies.finish(*waiting.popleft())
            while waiting:
                yield copies.finish(*waiting.popleft())
        finally:
            copies.stream.synchronize()  # also of copies that nobody wants any more, so that their memory can go


class _Copies:
    """Copies to a GPU on a stream of their own, each with the event that says it is done."""

    def __init__(self, device: Any) -> None:
        self.cupy, self.device = importlib.import_module("cupy"), device
        with working_on(device):
            self.stream = self.cupy.cuda.Stream(non_blocking=True)
        self.sources: collections.deque[tuple[Any, list[Any]]] = collections.deque()

    def begin(self, batch: Any) -> tuple[Any, Any]:
        """(the batch on the GPU, its numbers still on their way; the event of their arrival)."""
        sources: list[Any] = []

        def copy(x: Tensor) -> Tensor:
            if x.raw.__class__ is self.cupy.ndarray:
                return x
            source = x.raw if is_pinned(x.raw) and x.raw.flags.c_contiguous else pinned(x.raw)
            made = self.cupy.empty(source.shape, source.dtype)
            made.set(source, stream=self.stream)
            sources.append(source)
            return Tensor(made)

        with working_on(self.device):
            # The memory for the copies may be that of a batch which the program has let go of, while operations it has asked
            # for still wait to read it: those come first.
            self.stream.wait_event(self.cupy.cuda.get_current_stream().record())
            with self.stream:
                moved = mapped(batch, copy)
            event = self.stream.record()
        self.sources.append((event, sources))
        return moved, event

    def finish(self, batch: Any, event: Any) -> Any:
        """The batch, for operations asked for from now on: they wait for its copy, the program does not."""
        with working_on(self.device):
            self.cupy.cuda.get_current_stream().wait_event(event)
        while self.sources and self.sources[0][0].done:  # pinned memory must not serve another before it has been read
            self.sources.popleft()
        return batch


def mapped(batch: Any, move: Callable[[Any], Any]) -> Any:
    """A batch with `move` done to its tensors, in the same lists, tuples and dicts."""
    if isinstance(batch, Tensor):
        return move(batch)
    if isinstance(batch, Mapping):
        return {key: mapped(x, move) for key, x in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(mapped(x, move) for x in batch))
    if isinstance(batch, (list, tuple)):
        return type(batch)(mapped(x, move) for x in batch)
    return batch
