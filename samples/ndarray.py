"""How an array of many dimensions lies in memory, which has only one.

An array is a flat buffer and three small things: shape, strides and offset. The element [i, j, k] lies at

    offset + i * strides[0] + j * strides[1] + k * strides[2]

and nowhere else. So permuting, slicing, reversing, broadcasting and most reshapes move no element: they compute new strides
over the same buffer. Only `compact` copies, and a reshape that no strides can express. The same class runs on a Python list, on
NumPy's memory and, where there is a GPU, on CuPy's. (Strides count elements here; NumPy's count bytes.)

At the prompt of `minitorch`, `storage x` tells the same story of any tensor x, and names the nodes that share its buffer.

    minitorch run ndarray
    minitorch run ndarray --backend python --size 60       # how long a matrix product takes without NumPy
"""

from __future__ import annotations

import itertools
import math
import operator
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from samples.kit import Run, SampleError, Settings, option

Shape = tuple[int, ...]


@dataclass
class Config(Settings):
    backend: Literal["python", "numpy", "cupy"] = option("python", "whose memory the lesson is held in")
    size: int = option(48, "rows and columns of the matrices that are multiplied and timed", minimum=2, quick=12)
    views: int = option(300, "random views that are compared with NumPy's", minimum=0, quick=60)


# -- the array ---------------------------------------------------------------------------------------------------------


class Array:
    """An array over a flat buffer.

    Args:
        buffer: one-dimensional, of the backend's own kind.
        shape: the length of each axis.
        strides: how far apart, in elements of the buffer, neighbours along each axis lie; row by row when left out.
        offset: where the element [0, 0, ...] lies.
        backend: what computes on the buffer.
    """

    def __init__(self, buffer: Any, shape: Shape, strides: Shape | None = None, offset: int = 0, *, backend: Backend) -> None:
        self.buffer, self.shape, self.offset, self.backend = buffer, shape, offset, backend
        self.strides = row_major(shape) if strides is None else strides

    @classmethod
    def arange(cls, *shape: int, backend: Backend | None = None) -> Array:
        """The numbers 0, 1, 2, ... row by row."""
        backend = backend or Python()
        return cls(backend.buffer([float(k) for k in range(math.prod(shape))]), shape, backend=backend)

    def view(self, shape: Shape, strides: Shape, offset: int) -> Array:
        """Another array over the same buffer."""
        return Array(self.buffer, shape, strides, offset, backend=self.backend)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def places(self) -> Iterator[int]:
        """Where in the buffer the elements lie, in the order of the indices: the formula at the top of this file."""
        for index in itertools.product(*map(range, self.shape)):
            yield self.offset + sum(i * stride for i, stride in zip(index, self.strides))

    # Views: arithmetic on three tuples

    def __getitem__(self, key: Any) -> Array:
        """An element or a part: whole numbers take an axis away, slices keep it, None adds one, ... stands for the rest."""
        keys = list(key) if isinstance(key, tuple) else [key]
        if Ellipsis not in keys:
            keys.append(Ellipsis)
        at = keys.index(Ellipsis)
        used = sum(k is not None for k in keys) - 1
        if used > len(self.shape):
            raise IndexError(f"{used} indices for an array of {len(self.shape)} axes")
        keys[at : at + 1] = [slice(None)] * (len(self.shape) - used)
        shape, strides, offset, axis = [], [], self.offset, 0
        for k in keys:
            if k is None:
                shape.append(1)
                strides.append(0)
                continue
            length, stride = self.shape[axis], self.strides[axis]
            axis += 1
            if isinstance(k, slice):
                start, stop, step = k.indices(length)
                count = len(range(start, stop, step))
                offset += start * stride if count else 0
                shape.append(count)
                strides.append(stride * step)  # every second element is twice as far; a step of -1 walks backwards
            else:
                if not -length <= k < length:
                    raise IndexError(f"index {k} is outside an axis of length {length}")
                offset += (k % length) * stride
        return self.view(tuple(shape), tuple(strides), offset)

    def permute(self, *axes: int) -> Array:
        """The axes in another order: the same strides, in another order."""
        if sorted(axes) != list(range(len(self.shape))):
            raise ValueError(f"permute needs every axis from 0 to {len(self.shape) - 1} once, not {axes}")
        return self.view(tuple(self.shape[a] for a in axes), tuple(self.strides[a] for a in axes), self.offset)

    def broadcast_to(self, *shape: int) -> Array:
        """Repeated along new axes and along axes of length 1. A stride of 0 stays where it is: nothing is copied."""
        new = len(shape) - len(self.shape)
        if new < 0:
            raise ValueError(f"an array of shape {self.shape} has more axes than {shape}")
        strides = [0] * new
        for have, want, stride in zip(self.shape, shape[new:], self.strides):
            if have != want and have != 1:
                raise ValueError(f"an array of shape {self.shape} does not stretch to {shape}")
            strides.append(stride if have == want else 0)
        return self.view(shape, tuple(strides), self.offset)

    def reshape(self, *shape: int) -> Array:
        """The same elements in the same order under another shape: a view where strides can express it, else a copy."""
        if math.prod(shape) != self.size:
            raise ValueError(f"{self.size} elements do not fill the shape {shape}")
        strides = reshaped(self.shape, self.strides, shape)
        if strides is None:
            return self.compact().reshape(*shape)
        return self.view(shape, strides, self.offset)

    def compact(self) -> Array:
        """A copy in a buffer of its own, row by row: what fast loops want to read."""
        return Array(self.backend.gather(self), self.shape, backend=self.backend)

    @property
    def is_compact(self) -> bool:
        """Whether the elements fill the buffer, row by row."""
        wanted = row_major(self.shape)
        steps = all(have == want for have, want, n in zip(self.strides, wanted, self.shape) if n > 1)
        return self.offset == 0 and steps and len(self.buffer) == self.size

    # Arithmetic: two arrays are stretched to one shape, then the backend walks both

    def combine(self, other: Array, op: Callable[[Any, Any], Any]) -> Array:
        shape = broadcast_shape(self.shape, other.shape)
        a, b = self.broadcast_to(*shape), other.broadcast_to(*shape)
        return Array(self.backend.combine(a, b, op), shape, backend=self.backend)

    def __add__(self, other: Array) -> Array:
        return self.combine(other, operator.add)

    def __mul__(self, other: Array) -> Array:
        return self.combine(other, operator.mul)

    def sum(self, axis: int) -> Array:
        """Added up along one axis, which is moved to the end first (a permutation, so a view)."""
        axis %= len(self.shape)
        order = [a for a in range(len(self.shape)) if a != axis] + [axis]
        last = self.permute(*order)
        return Array(self.backend.sum_last(last), last.shape[:-1], backend=self.backend)

    def __matmul__(self, other: Array) -> Array:
        """(n, k) @ (k, m): the rows of one beside the columns of the other, multiplied, added up. No loop of its own."""
        if len(self.shape) != 2 or len(other.shape) != 2 or self.shape[1] != other.shape[0]:
            raise ValueError(f"@ needs shapes (n, k) and (k, m), not {self.shape} and {other.shape}")
        return (self[:, None, :] * other.permute(1, 0)[None]).sum(-1)

    def tolist(self) -> Any:
        """Nested lists; a plain number when there are no axes."""
        return nested(self.backend.numbers(self.backend.gather(self)), self.shape)

    def __repr__(self) -> str:
        return f"Array(shape={self.shape}, strides={self.strides}, offset={self.offset}, {self.backend.name})"


def nested(numbers: list[float], shape: Shape) -> Any:
    """A flat list cut into lists of lists."""
    if not shape:
        return numbers[0]
    each = math.prod(shape[1:])
    return [nested(numbers[k * each : (k + 1) * each], shape[1:]) for k in range(shape[0])]


def row_major(shape: Shape) -> Shape:
    """Strides of an array that lies row by row: the last axis has 1, each other the size of all behind it."""
    return tuple(math.prod(shape[k + 1 :]) for k in range(len(shape)))


def broadcast_shape(a: Shape, b: Shape) -> Shape:
    """The shape two arrays are stretched to. ValueError where they do not fit."""
    shape = []
    for n, m in itertools.zip_longest(reversed(a), reversed(b), fillvalue=1):
        if n != m and 1 not in (n, m):
            raise ValueError(f"shapes {a} and {b} do not fit together")
        shape.append(m if n == 1 else n)
    return tuple(reversed(shape))


def reshaped(shape: Shape, strides: Shape, new: Shape) -> Shape | None:
    """Strides of the same elements under a new shape, or None when only a copy has them.

    Axes that lie in memory like one long axis (each stride is the next one's length times its stride) form a run. The new axes
    must divide the runs: each group of new axes that holds as many elements as a run lies in it row by row.
    """
    if 0 in shape:
        return row_major(new)
    runs: list[list[int]] = []  # [elements, stride of the last axis]
    for n, stride in zip(shape, strides):
        if n == 1:
            continue  # an axis of length 1 is never stepped along
        if runs and runs[-1][1] == n * stride:
            runs[-1] = [runs[-1][0] * n, stride]
        else:
            runs.append([n, stride])
    made: list[int] = []
    for n in reversed(new):
        if n == 1:
            made.append(made[-1] if made else 1)
            continue
        if runs[-1][0] % n:
            return None
        made.append(runs[-1][1])
        runs[-1] = [runs[-1][0] // n, runs[-1][1] * n]
        if runs[-1][0] == 1:
            runs.pop()
    return tuple(reversed(made))


# -- the backends: all that is done with the numbers themselves --------------------------------------------------------


class Backend(Protocol):
    """What an Array needs of the memory it lies in."""

    name: str

    def buffer(self, numbers: list[float]) -> Any: ...
    def gather(self, a: Array) -> Any: ...
    def combine(self, a: Array, b: Array, op: Callable[[Any, Any], Any]) -> Any: ...
    def sum_last(self, a: Array) -> Any: ...
    def numbers(self, buffer: Any) -> list[float]: ...


class Python:
    """A list of floats, and loops that can be read."""

    name = "python"

    def buffer(self, numbers: list[float]) -> list[float]:
        return list(numbers)

    def gather(self, a: Array) -> list[float]:
        return [a.buffer[k] for k in a.places()]

    def combine(self, a: Array, b: Array, op: Callable[[Any, Any], Any]) -> list[float]:
        return [op(a.buffer[i], b.buffer[j]) for i, j in zip(a.places(), b.places())]

    def sum_last(self, a: Array) -> list[float]:
        n, numbers = a.shape[-1], self.gather(a)
        return [sum(numbers[k * n : (k + 1) * n], 0.0) for k in range(math.prod(a.shape[:-1]))]

    def numbers(self, buffer: list[float]) -> list[float]:
        return buffer


class Vector:
    """NumPy's memory, or CuPy's: the same strides, times the bytes of an element, told to `as_strided`."""

    def __init__(self, name: str) -> None:
        self.name = name
        try:
            self.xp: Any = __import__(name)
            self.xp.zeros(1) + 1
        except Exception as error:  # CuPy raises its own kinds where there is no GPU
            raise SampleError(f"--backend {name} cannot be used here ({type(error).__name__}); use --backend numpy") from None

    def buffer(self, numbers: list[float]) -> Any:
        return self.xp.array(numbers, dtype=self.xp.float64)

    def strided(self, a: Array) -> Any:
        if not a.size:
            return self.xp.zeros(a.shape)
        bytes_each = a.buffer.itemsize
        return self.xp.lib.stride_tricks.as_strided(a.buffer[a.offset :] if a.offset else a.buffer, a.shape,
                                                    tuple(stride * bytes_each for stride in a.strides))

    def gather(self, a: Array) -> Any:
        return self.xp.ascontiguousarray(self.strided(a)).reshape(-1)

    def combine(self, a: Array, b: Array, op: Callable[[Any, Any], Any]) -> Any:
        return op(self.strided(a), self.strided(b)).reshape(-1)

    def sum_last(self, a: Array) -> Any:
        return self.strided(a).sum(-1).reshape(-1)

    def numbers(self, buffer: Any) -> list[float]:
        return list(buffer.tolist())


# -- the lesson --------------------------------------------------------------------------------------------------------


def main(config: Config, run: Run) -> None:
    backend: Backend = Python() if config.backend == "python" else Vector(config.backend)
    a = Array.arange(3, 4, backend=backend)
    run.print(f"a = Array.arange(3, 4): the buffer holds 0 to 11, {config.backend}\n")
    lesson: list[tuple[str, Array]] = [
        ("a", a), ("a[1]", a[1]), ("a[:, 2]", a[:, 2]), ("a[::2, 1:3]", a[::2, 1:3]), ("a[::-1]", a[::-1]),
        ("a.permute(1, 0)", a.permute(1, 0)), ("a.reshape(2, 6)", a.reshape(2, 6)), ("a.reshape(2, 2, 3)", a.reshape(2, 2, 3)),
        ("a[0].broadcast_to(3, 4)", a[0].broadcast_to(3, 4)), ("a.permute(1, 0).reshape(12)", a.permute(1, 0).reshape(12)),
        ("a[:, 1:3].compact()", a[:, 1:3].compact()),
    ]
    rows = [(text, str(view.shape), str(view.strides), str(view.offset), "yes" if view.buffer is a.buffer else "copied",
             shortened(view.tolist())) for text, view in lesson]
    run.table(("", "shape", "strides", "offset", "same buffer", "elements"), rows)

    agreed = sum(compare_once(seed) for seed in range(config.seed, config.seed + config.views))
    run.print(f"\nrandom chains of views: {agreed} of {config.views} have NumPy's own shape, strides, offset and elements")
    run.log(views=config.views, agreed=agreed)

    n = config.size
    timed = []
    for other in dict.fromkeys(["python", "numpy", config.backend]):
        matrix = Array.arange(n, n, backend=Python() if other == "python" else Vector(other))
        took = {text: seconds(work) for text, work in (
            ("a @ a", lambda m=matrix: m @ m), ("compact", lambda m=matrix: m.permute(1, 0).compact()),
            ("permute", lambda m=matrix: m.permute(1, 0)))}
        timed.append((other, *(f"{1e6 * s:,.1f}" for s in took.values())))
        run.log(backend=other, **{f"{text}_seconds": s for text, s in took.items()})
    run.table(("backend", "a @ a (µs)", "copy of the transpose (µs)", "transpose as a view (µs)"), timed,
              title=f"\n{n} x {n}: a view costs the same however large the array is")
    if config.plots:
        plot(lesson, run)


def shortened(numbers: Any) -> str:
    text = str(numbers).replace(".0", "")
    return text if len(text) <= 40 else text[:37] + "..."


def seconds(work: Callable[[], object]) -> float:
    """The fastest of five."""
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def compare_once(seed: int) -> bool:
    """One random chain of views, ours beside NumPy's: the same shape, strides, offset and elements?"""
    import random

    import numpy as np

    rng = random.Random(seed)
    shape = tuple(rng.randint(1, 4) for _ in range(rng.randint(1, 4)))
    ours, base = Array.arange(*shape), np.arange(math.prod(shape), dtype=np.float64)
    theirs = base.reshape(shape)
    for _ in range(rng.randint(1, 5)):
        kind = rng.choice(("slice", "permute", "broadcast"))
        if kind == "permute":
            axes = rng.sample(range(theirs.ndim), theirs.ndim)
            ours, theirs = ours.permute(*axes), theirs.transpose(axes)
        elif kind == "slice":
            key = tuple(slice(None, None, rng.choice((1, 2, -1))) if n > 1 else slice(None) for n in theirs.shape)
            ours, theirs = ours[key], theirs[key]
        elif theirs.ndim < 5:
            wide = (rng.randint(1, 3), *theirs.shape)
            ours, theirs = ours.broadcast_to(*wide), np.broadcast_to(theirs, wide)
    return same_view(ours, theirs, base)


def same_view(ours: Array, theirs: Any, base: Any) -> bool:
    """Whether a view of ours and one of NumPy's over `base` lie alike. Strides of axes of length 1 mean nothing."""
    offset = (theirs.__array_interface__["data"][0] - base.__array_interface__["data"][0]) // base.itemsize
    steps = all(s * base.itemsize == t for s, t, n in zip(ours.strides, theirs.strides, theirs.shape) if n > 1)
    return ours.shape == theirs.shape and steps and ours.offset == offset and ours.tolist() == theirs.tolist()


def plot(lesson: Sequence[tuple[str, Array]], run: Run) -> None:
    """The buffer under each view: which elements it reads, and in which order."""
    from samples.kit import plots

    figure, axes = plots.figure(9.0, 0.52 * len(lesson) + 0.8)
    for row, (_, view) in enumerate(lesson):
        order: dict[int, list[int]] = {}
        for k, place in enumerate(view.places()):
            order.setdefault(place, []).append(k)
        for place in range(len(view.buffer)):
            read = order.get(place, [])
            shade = 0.15 + 0.6 * read[0] / max(view.size - 1, 1) if read else 0
            own = view.buffer is not lesson[0][1].buffer
            axes.add_patch(box(place, row, (plots.ORANGE if own else plots.BLUE) if read else "white", shade))
            label = str(read[0]) if len(read) == 1 else f"{read[0]}…" if read else ""
            axes.text(place + 0.5, row + 0.5, label, ha="center", va="center", fontsize=8)
        strides = ", ".join(map(str, view.strides))
        axes.text(12.2, row + 0.5, f"strides ({strides}), offset {view.offset}", va="center", fontsize=8, family="monospace")
    axes.set(xlim=(0, 18), ylim=(len(lesson), 0), title="what each view reads first (0), second (1), ...; orange: copied")
    axes.set_yticks([row + 0.5 for row in range(len(lesson))], [text for text, _ in lesson], family="monospace", fontsize=8)
    axes.set_xticks([])
    axes.grid(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    run.save_figure(figure, "buffer.png")


def box(x: int, y: int, colour: str, alpha: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x + 0.04, y + 0.1), 0.92, 0.8, facecolor=colour, alpha=alpha or 1, edgecolor="#b0b0b0", linewidth=0.8)
