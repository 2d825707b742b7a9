"""Optimizer: what all of them share. Groups of parameters with their settings, the state of each parameter, the loop."""

from __future__ import annotations

import copy
import difflib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from operator import is_
from threading import get_ident
from typing import Any

import numpy as np

from ..backend import BACKENDS
from ..backend.gpus import SEVERAL, at_home, beside
from ..backend.threads import shared
from ..core.device import device_of, host
from ..core.modes import enable_grad
from ..core.node import Node
from ..core.tensor import Tensor
from ..core.value import Value
from .bunch import Bunch, bunches

Array = Any
"""A NumPy or CuPy array. Updates call NumPy's functions with `out=`; for CuPy's arrays CuPy answers them."""

REQUIRED: Any = object()
"""The default of a setting that has none."""

PIECE = 1 << 17
"""Elements updated at a time: the passes over a piece find it in the processor's cache, and threads share the pieces."""


class Optimizer:
    """Moves parameters against their gradients: `step()` after `loss.backward()`, `zero_grad()` before the next one.

    `params` is an iterable of tensors (Values will do), or of dicts with settings of their own:
    `[{"params": a, "lr": 0.1}, {"params": b}]`. A subclass states `begin`, the state a parameter starts with, and
    `update`, which edits one parameter in place.
    """

    param_groups: list[dict[str, Any]]
    state: defaultdict[Node, dict[str, Any]]

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any], hints: Mapping[str, Any] | None = None) -> None:
        _check_hints(type(self).__name__, hints or {}, defaults)
        self.defaults = defaults
        self.state = defaultdict(dict)
        self.param_groups = []
        self.moved = False
        """step() was called; a scheduler that steps first says so."""
        self._pieces: dict[Node, tuple[Array, list[Any]]] = {}
        self._work: dict[Any, list[Array]] = {}
        self._plans: dict[int, tuple[list[Any], list[Bunch], list[Any]]] = {}
        if isinstance(params, Node):
            raise TypeError(f"{type(self).__name__} takes an iterable of tensors, not a single one: put it in a list")
        groups = list(params)
        if not groups:
            raise ValueError(f"{type(self).__name__} got no parameters: was the generator used up, or the model empty?")
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    # What a subclass states

    def begin(self, group: dict[str, Any], zeros: Callable[[], Array]) -> dict[str, Any]:
        """The state of a parameter before its first step; `zeros()` makes an array like the parameter."""
        return {}

    def advance(self, group: dict[str, Any], state: dict[str, Any]) -> None:
        """Bring the plain numbers in `state` to this step (`state["step"]` already is)."""

    def update(self, *args: Any, **kwargs: Any) -> None:
        """`update(group, step, work, p, g, **state)`: edit the array `p` and those of its state in place.

        `g` is the gradient, not to be edited; `work` holds two arrays like p to compute in. All may be a piece of the
        whole, so no element may depend on another.
        """
        raise NotImplementedError

    def check(self, group: dict[str, Any]) -> None:
        """ValueError for a setting that makes no sense."""
        for name in ("lr", "eps", "weight_decay", "momentum", "rho", "alpha", "lr_decay", "momentum_decay"):
            value = group.get(name, 0)
            if not value >= 0:
                raise ValueError(f"{type(self).__name__}: {name} must be 0 or more, not {value}")
        for i, beta in enumerate(group.get("betas", ())):
            if not 0 <= beta < 1:
                raise ValueError(f"{type(self).__name__}: betas[{i}] must be at least 0 and below 1, not {beta}")

    # What its user calls

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient, once. A `closure` computes the loss and its gradients first;
        step returns what it returns."""
        loss = None
        self.moved = True
        if closure is not None:
            with enable_grad():
                loss = closure()
        with np.errstate(all="ignore"):
            for number, group in enumerate(self.param_groups):
                params = [p for p in group["params"] if p._grad is not None]
                if not SEVERAL:
                    self._step(number, group, params)
                    continue
                for alike in _by_device(params):
                    with beside(alike[0].raw):
                        self._step(number, group, alike)
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients; with `set_to_none=False` zeros, and momentum moves on."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad = p.grad * 0.0 if isinstance(p, Value) else _zeros(p)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with settings of their own; what the dict leaves out comes from the optimizer's."""
        name = type(self).__name__
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise TypeError(f"{name}: a group is a dict with 'params', not {type(param_group).__name__}")
        given = param_group["params"]
        params: list[Any] = [given] if isinstance(given, Node) else list(given)
        group = {**self.defaults, **param_group}
        if params and isinstance(params[0], tuple):  # from named_parameters()
            group["param_names"] = [path for path, _ in params]
            params = [p for _, p in params]
        group["params"] = params
        known = {id(p) for g in self.param_groups for p in g["params"]}
        for p in params:
            if not isinstance(p, Node):
                raise TypeError(f"{name} moves tensors, and one of its parameters is a {type(p).__name__}")
            if p.op is not None:
                raise ValueError(f"{name} cannot move a tensor that {p.op.name} computed: a parameter is a leaf")
            if id(p) in known:
                raise ValueError(f"{name} got a parameter twice")
            known.add(id(p))
        for setting, value in group.items():
            if value is REQUIRED:
                raise ValueError(f"{name} needs {setting}, as an argument or in every group")
        self.check(group)
        self.param_groups.append(group)

    def state_dict(self) -> dict[str, Any]:
        """Settings and state for `load_state_dict` and `minitorch.save`; parameters are numbered in their order."""
        numbers = {p: i for i, p in enumerate(p for g in self.param_groups for p in g["params"])}
        return {
            "state": {numbers[p]: dict(state) for p, state in self.state.items() if state},
            "param_groups": [{**g, "params": [numbers[p] for p in g["params"]]} for g in self.param_groups],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a `state_dict()` of an optimizer over the same parameters, in the same order. Arrays are copied.

        ValueError where groups or shapes differ; nothing is changed then.
        """
        saved = state_dict["param_groups"]
        have, want = [len(g["params"]) for g in saved], [len(g["params"]) for g in self.param_groups]
        if have != want:
            raise ValueError(f"the state dict has groups of {have} parameters, this {type(self).__name__} groups of {want}")
        numbered = [(n, p) for s, g in zip(saved, self.param_groups) for n, p in zip(s["params"], g["params"])]
        fresh: defaultdict[Node, dict[str, Any]] = defaultdict(dict)
        for n, p in numbered:
            state = state_dict["state"].get(n, state_dict["state"].get(str(n)))
            if state:
                fresh[p] = {name: _loaded(name, x, p, n) for name, x in state.items() if x is not None}
                fresh[p].setdefault("step", 1)  # PyTorch's SGD does not count
        self.state = fresh
        self._pieces, self._plans = {}, {}
        for mine, theirs in zip(self.param_groups, saved):
            mine.update(copy.deepcopy({k: v for k, v in theirs.items() if k != "params"}))

    # How a step is taken

    def _step(self, number: int, group: dict[str, Any], params: list[Any]) -> None:
        """Move the parameters of a group that have a gradient: the small ones together, the others each for itself."""
        planned, together, alone = self._plans.get(number, ([], [], []))
        same = len(planned) == len(params) and all(map(is_, planned, params))
        if not same or not all(bunch.holds(self.state) for bunch in together):
            for p in params:
                self._begin(group, p)
            together, alone = bunches(params, self.state)
            self._plans[number] = params, together, alone
            for p in (p for bunch in together for p in bunch.params):
                self._pieces.pop(p, None)  # its state lies elsewhere now
        for bunch in together:
            bunch.move(partial(self.advance, group), partial(self.update, group))
        for p in alone:
            self._move(group, p)

    def _begin(self, group: dict[str, Any], p: Any) -> dict[str, Any]:
        state = self.state[p]
        if not state:
            self._pieces.pop(p, None)
            state["step"] = 0
            for name, made in self.begin(group, lambda: np.zeros_like(p.raw)).items():
                state[name] = made if made.__class__ is float else Tensor(made)
        return state

    def _move(self, group: dict[str, Any], p: Any) -> None:
        state = self._begin(group, p)
        state["step"] += 1
        self.advance(group, state)
        if isinstance(p, Value):
            array = np.array(p.raw)
            self.update(group, state["step"], [np.empty(()), np.empty(())], array, np.array(float(p.grad)), **_plain(state))
            p.data = float(array)
            return
        held, pieces = self._pieces.get(p, (None, None))
        if held is not p.raw or pieces is None:
            pieces = self._cut(p.raw, state)
            self._pieces[p] = (p.raw, pieces)
        grad = p.grad.raw
        if len(pieces) > 1:
            grad = grad.reshape(-1)
        numbers = {name: x for name, x in state.items() if isinstance(x, float)}

        def part(start: int, stop: int) -> None:
            work = self._work_for(p.raw)
            for where, array, views in pieces[start:stop]:
                room = [w[: array.size].reshape(array.shape) for w in work]
                self.update(group, state["step"], room, array, grad[where], **views, **numbers)

        shared(len(pieces), p.raw.size // 4 if p.raw.__class__ is np.ndarray else 0, part)
        p.touch()

    def _cut(self, array: Array, state: dict[str, Any]) -> list[Any]:
        """(where, parameter, state) for each piece of a parameter, as views of the arrays."""
        views = {name: x.raw for name, x in state.items() if isinstance(x, Tensor)}
        if array.size <= PIECE or not array.flags.c_contiguous:
            return [(..., array, views)]
        pieces = []
        for start in range(0, array.size, PIECE):
            where = slice(start, min(start + PIECE, array.size))
            flat = {name: view.reshape(-1)[where] for name, view in views.items()}
            pieces.append((where, array.reshape(-1)[where], flat))
        return pieces

    def _work_for(self, array: Array) -> list[Array]:
        """Two arrays to compute in, as large as a piece, or as the array, the same for all parameters that a thread moves: so
        they stay in the cache."""
        kind = type(array), array.dtype, get_ident(), device_of(array) if SEVERAL else None
        size = min(array.size, PIECE) if array.flags.c_contiguous else array.size
        if kind not in self._work or self._work[kind][0].size < size:
            self._work[kind] = [np.empty_like(array, shape=(size,)) for _ in range(2)]
        return self._work[kind]

    def __repr__(self) -> str:
        lines = []
        for number, group in enumerate(self.param_groups):
            settings = ", ".join(f"{k}={v}" for k, v in group.items() if k not in ("params", "param_names"))
            count = len(group["params"])
            lines.append(f"  group {number}: {count} parameter{'s' * (count != 1)}, {settings}")
        return "\n".join([f"{type(self).__name__} (", *lines, ")"])


def regularized(group: dict[str, Any], w: Array, p: Array, g: Array) -> Array:
    """The gradient to follow: turned round by `maximize`, with the pull of `weight_decay` (L2) added. Computed in `w`."""
    decay = 0 if group.get("decoupled_weight_decay") else group["weight_decay"]
    if decay:
        np.multiply(p, decay, out=w)
        return np.subtract(w, g, out=w) if group["maximize"] else np.add(w, g, out=w)
    return np.negative(g, out=w) if group["maximize"] else g


def _by_device(params: list[Any]) -> list[list[Any]]:
    """The parameters in lists of those that lie on one device."""
    found: dict[Any, list[Any]] = {}
    for p in params:
        found.setdefault(device_of(p.raw) if isinstance(p, Tensor) else "cpu", []).append(p)
    return list(found.values())


@at_home
def _zeros(p: Tensor) -> Tensor:
    return Tensor(BACKENDS[type(p.raw)].zeros_like(p.raw))


def _plain(state: dict[str, Any]) -> dict[str, Any]:
    return {name: x.raw if isinstance(x, Tensor) else x for name, x in state.items() if name != "step"}


def _loaded(name: str, x: Any, p: Any, number: int) -> Any:
    """A saved entry of a parameter's state as this optimizer keeps it: a count, a number, or an array of its own."""
    array = host(x.raw if isinstance(x, Node) else x)
    if name in ("step", "mu_product"):
        return int(array) if name == "step" else float(array)
    if array.shape != np.shape(p.raw):
        raise ValueError(f"the saved {name} of parameter {number} has shape {array.shape}, the parameter {np.shape(p.raw)}")
    dtype = np.float64 if isinstance(p, Value) else p.dtype
    backend: Any = BACKENDS.get(type(p.raw), np)
    with beside(p.raw):
        return Tensor(backend.asarray(array.astype(dtype)))


def _check_hints(name: str, hints: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """PyTorch's arguments about how to compute: those without an effect on the numbers are accepted."""
    for hint, value in hints.items():
        if hint in ("capturable", "differentiable"):
            if value:
                raise NotImplementedError(f"{name}({hint}=True) is not supported; leave it out")
        elif hint not in ("foreach", "fused"):
            near = difflib.get_close_matches(hint, defaults, 1)
            raise TypeError(f"{name} has no argument '{hint}'" + (f"; did you mean '{near[0]}'?" if near else ""))
