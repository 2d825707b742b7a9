"""Random numbers: the generator everything draws from, and tensors of random numbers.

The streams are NumPy's (PCG64), not PyTorch's: the same seed gives other numbers than there, from the same distributions.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from ..core.device import host
from ..core.dtypes import get_default_dtype
from .create import constant, like, place
from .shape import sizes

__all__ = [
    "Generator", "bernoulli", "default_generator", "get_rng_state", "initial_seed", "manual_seed", "multinomial", "normal",
    "poisson", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "seed", "set_rng_state",
]  # fmt: skip


class Generator:
    """A stream of random numbers. Unseeded, it starts from the operating system's entropy."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        self._seed: int | None = None
        self._rng: Any = None

    @property
    def rng(self) -> np.random.Generator:
        """NumPy's generator behind this stream; made when first used (importing numpy.random takes its time)."""
        if self._rng is None:
            self._rng = np.random.default_rng(self._seed)
        return self._rng

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream again from `seed`; returns the generator."""
        self._seed = int(seed) % 2**64
        self._rng = None
        return self

    def seed(self) -> int:
        """Start the stream from a seed nobody chose; returns it."""
        self.manual_seed(int(np.random.SeedSequence().generate_state(1, np.uint64)[0]))
        return self.initial_seed()

    def initial_seed(self) -> int:
        """The seed the stream started from."""
        if self._seed is None:
            if self._rng is not None:
                raise RuntimeError("this generator was never seeded; call manual_seed(n) for a stream that can be repeated")
            self.seed()
        assert self._seed is not None
        return self._seed

    def get_state(self) -> Any:
        """Where the stream is now, as a tensor of bytes for `set_state`."""
        state = self.rng.bit_generator.state
        words = [state["state"]["state"], state["state"]["inc"], state["has_uint32"], state["uinteger"]]
        return constant(np.frombuffer(b"".join(w.to_bytes(16, "little") for w in words), np.uint8).copy())

    def set_state(self, state: Any) -> Generator:
        """Go on from where `get_state` was asked. ValueError for anything else. Returns the generator."""
        data = np.asarray(state.raw if hasattr(state, "raw") else state, np.uint8).tobytes()
        if len(data) != 64:
            raise ValueError(f"a generator's state is the 64 bytes that get_state() gave, not {len(data)}")
        words = [int.from_bytes(data[i : i + 16], "little") for i in range(0, 64, 16)]
        self.rng.bit_generator.state = {
            "bit_generator": "PCG64", "state": {"state": words[0], "inc": words[1]},
            "has_uint32": words[2], "uinteger": words[3],
        }  # fmt: skip
        return self


default_generator = Generator()
"""What every random function, shuffle, dropout and initial weight draws from unless told otherwise."""


_thread = threading.local()


def rng(generator: Generator | None = None) -> np.random.Generator:
    """NumPy's generator of `generator`, else of this thread's own (see `use`), else of the default one."""
    if generator is None:
        generator = getattr(_thread, "generator", default_generator)
    return generator.rng


def use(generator: Generator) -> None:
    """Make `generator` the one that this thread draws from: what a loader's worker draws is then its own affair."""
    _thread.generator = generator


def manual_seed(seed: int) -> Generator:
    """Seed the default generator: the same seed gives the same numbers from here on. Returns it."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Seed the default generator with a number nobody chose; returns it."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed the default generator started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    """Where the default generator is now, for `set_rng_state`."""
    return default_generator.get_state()


def set_rng_state(state: Any) -> None:
    """Go on from where `get_rng_state` was asked."""
    default_generator.set_state(state)


def uniform(shape: tuple[int, ...], dtype: Any, generator: Generator | None = None) -> np.ndarray:
    """An array of uniform numbers in [0, 1)."""
    dtype = np.dtype(dtype)
    if dtype in (np.float32, np.float64):
        return rng(generator).random(shape, dtype)
    if dtype.kind != "f":
        raise RuntimeError(f"random fractions need a dtype of floats, not {dtype}; for whole numbers use randint")
    # Drawn coarser, so that rounding to few digits never gives 1.
    digits = np.finfo(dtype).nmant + 1
    return (rng(generator).integers(0, 2**digits, shape) / 2**digits).astype(dtype)


def standard_normal(shape: tuple[int, ...], dtype: Any, generator: Generator | None = None) -> np.ndarray:
    """An array of normal numbers, mean 0 and deviation 1."""
    dtype = np.dtype(dtype)
    if dtype in (np.float32, np.float64):
        return np.asarray(rng(generator).standard_normal(shape, dtype))
    if dtype.kind != "f":
        raise RuntimeError(f"normal numbers need a dtype of floats, not {dtype}; for whole numbers use randint")
    return np.asarray(rng(generator).standard_normal(shape)).astype(dtype)


def rand(
    *size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """Uniform numbers in [0, 1), of shape `size`."""
    return place(np.asarray(uniform(sizes(size), dtype or get_default_dtype(), generator)), device, requires_grad)


def randn(
    *size: Any, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """Normal numbers, mean 0 and standard deviation 1, of shape `size`."""
    return place(standard_normal(sizes(size), dtype or get_default_dtype(), generator), device, requires_grad)


def randint(
    low: int, high: Any = None, size: Any = None, *, generator: Generator | None = None, dtype: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """Whole numbers from `low` (0 when left out) up to but not `high`: `randint(10, (3,))`, `randint(2, 10, (3,))`."""
    if size is None:
        if not isinstance(high, (tuple, list)):
            raise TypeError("randint needs a size: randint(high, size) or randint(low, high, size)")
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if high <= low:
        raise ValueError(f"randint draws from {low} up to but not {high}: there is nothing in between")
    drawn = np.asarray(rng(generator).integers(low, high, sizes((size,))))
    return place(drawn.astype(dtype or np.int64), device, requires_grad)


def randperm(
    n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """The numbers 0 to n - 1 in random order."""
    return place(rng(generator).permutation(n).astype(dtype or np.int64, copy=False), device, requires_grad)


def rand_like(input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, generator: Any = None) -> Any:
    """Uniform numbers in [0, 1), in the shape and dtype of `input`."""
    shape, dtype, device = like(input, dtype, device)
    return rand(shape, dtype=dtype, device=device, requires_grad=requires_grad, generator=generator)


def randn_like(input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, generator: Any = None) -> Any:
    """Normal numbers, mean 0 and standard deviation 1, in the shape and dtype of `input`."""
    shape, dtype, device = like(input, dtype, device)
    return randn(shape, dtype=dtype, device=device, requires_grad=requires_grad, generator=generator)


def randint_like(
    input: Any, low: int, high: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """Whole numbers from `low` (0 when only one is given) up to but not `high`, in the shape and dtype of `input`."""
    shape, dtype, device = like(input, dtype, device)
    return randint(low, high, shape, dtype=dtype, device=device, requires_grad=requires_grad)


def normal(mean: Any = 0.0, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None, dtype: Any = None) -> Any:
    """Normal numbers of mean `mean` and deviation `std`, either a tensor or a number; `size` where both are numbers."""
    if size is None and not hasattr(mean, "raw") and not hasattr(std, "raw"):
        raise TypeError("normal needs a size when mean and std are numbers: normal(0.0, 1.0, (3, 4))")
    m, s = (host(x.raw) if hasattr(x, "raw") else x for x in (mean, std))
    if np.any(np.asarray(s) < 0):
        raise ValueError("normal needs a standard deviation of 0 or more")
    shape = sizes((size,)) if size is not None else np.broadcast_shapes(np.shape(m), np.shape(s))
    given = [x.dtype for x in (m, s) if getattr(x, "dtype", None) is not None and x.dtype.kind == "f"]
    kind = dtype or (given or [get_default_dtype()])[0]
    device = next((x.device for x in (mean, std) if hasattr(x, "device")), None)
    return place(np.asarray(standard_normal(shape, kind, generator) * s + m).astype(kind, copy=False), device)


def bernoulli(input: Any, *, generator: Generator | None = None) -> Any:
    """1 with the probability that `input` says at each place, else 0; shape and dtype as `input`."""
    chance = host(input.raw)
    if not ((chance >= 0) & (chance <= 1)).all():
        raise ValueError("bernoulli needs probabilities, between 0 and 1")
    drawn = np.asarray(uniform(chance.shape, np.float64, generator) < chance).astype(chance.dtype)
    return place(drawn, input.device)


def poisson(input: Any, generator: Generator | None = None) -> Any:
    """Counts from Poisson distributions with the rates in `input`; shape and dtype as `input`."""
    return place(np.asarray(rng(generator).poisson(host(input.raw))).astype(input.raw.dtype), input.device)


def multinomial(input: Any, num_samples: int, replacement: bool = False, *, generator: Generator | None = None) -> Any:
    """`num_samples` positions drawn with the weights in `input`, shape (n,) or (rows, n); gives (..., num_samples) int64.

    Weights need not add up to 1. Without `replacement` no position comes twice in a row of the result.
    """
    weights = np.asarray(host(input.raw), np.float64)
    if weights.ndim not in (1, 2):
        raise ValueError(f"multinomial needs weights of shape (n,) or (rows, n), not {weights.shape}")
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise RuntimeError("multinomial needs weights that are 0 or more, not negative, inf or nan")
    rows = weights.reshape(-1, weights.shape[-1])
    if not (rows.sum(1) > 0).all():
        raise RuntimeError("multinomial needs a weight above 0 in every row")
    if replacement:
        steps = rows.cumsum(1)
        draws = uniform((len(rows), num_samples), np.float64, generator) * steps[:, -1:]
        found = np.stack([np.searchsorted(s, d, side="right") for s, d in zip(steps, draws)])
    else:
        available = (rows > 0).sum(1).min()
        if num_samples > available:
            raise RuntimeError(f"cannot draw {num_samples} different positions where only {available} have a weight above 0")
        # The first of exponential clocks to ring: clock i, running at the speed of weight i, is first in proportion to it.
        with np.errstate(divide="ignore"):
            clocks = rng(generator).exponential(size=rows.shape) / rows
        found = clocks.argsort(1)[:, :num_samples]
    return place(found.reshape(*weights.shape[:-1], num_samples).astype(np.int64), input.device)
