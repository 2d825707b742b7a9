"""Hooks of modules: functions called before and after forward, and when gradients arrive at a module's outputs and inputs."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

from ..autograd import Function
from ..core.tensor import Tensor


class Hook(NamedTuple):
    """A registered hook."""

    kind: str
    call: Callable[..., Any]
    with_kwargs: bool = False
    always: bool = False
    """Called also when forward raised (its output is None then)."""


def call_with_hooks(module: Any, hooks: dict[int, Hook], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run `module.forward` with its hooks around it."""
    chosen = list(hooks.values())
    for hook in (h for h in chosen if h.kind == "forward_pre"):
        args, kwargs = _before(module, hook, args, kwargs)
    watch = _Watch(module, chosen) if any(h.kind.startswith("backward") for h in chosen) else None
    if watch:
        args = watch.inputs(args)
    finished, out = False, None
    try:
        out = module.forward(*args, **kwargs)
        finished = True
    finally:
        for hook in (h for h in chosen if h.kind == "forward" and (finished or h.always)):
            changed = hook.call(module, args, kwargs, out) if hook.with_kwargs else hook.call(module, args, out)
            out = out if changed is None else changed
    return watch.outputs(out) if watch else out


def _before(module: Any, hook: Hook, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if hook.with_kwargs:
        changed = hook.call(module, args, kwargs)
        if changed is None:
            return args, kwargs
        if not (isinstance(changed, tuple) and len(changed) == 2):
            raise RuntimeError("a forward pre-hook with kwargs returns None or a pair (args, kwargs)")
        return changed
    changed = hook.call(module, args)
    if changed is None:
        return args, kwargs
    return changed if isinstance(changed, tuple) else (changed,), kwargs


class _Watch:
    """Backward hooks of one call of a module: two operations that pass their inputs on, one where the module begins and
    one where it ends, through which its gradients have to pass."""

    def __init__(self, module: Any, hooks: list[Hook]) -> None:
        self.module = module
        self.before = [h.call for h in hooks if h.kind == "backward_pre"]
        self.after = [h.call for h in hooks if h.kind == "backward"]
        self.grad_output: tuple[Any, ...] = ()
        self.arguments: list[int | None] = []  # for each argument, its place among the gradients of ModuleInput
        self.results: list[int | None] = []

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, their tensors passed through the operation at the beginning."""
        self.arguments = _places(args)
        return tuple(self._passed(ModuleInput, args, self.arguments))

    def outputs(self, out: Any) -> Any:
        """What forward returned, its tensors passed through the operation at the end."""
        parts = out if isinstance(out, (tuple, list)) else [out]
        self.results = _places(parts)
        passed = self._passed(ModuleOutput, parts, self.results)
        return type(out)(passed) if isinstance(out, (tuple, list)) else passed[0]

    def _passed(self, through: type[Function], parts: Any, places: list[int | None]) -> list[Any]:
        chosen = [x for x, place in zip(parts, places) if place is not None]
        if not chosen:
            return list(parts)
        passed = through.apply(self, *chosen)
        return [x if place is None else passed[place] for x, place in zip(parts, places)]

    def left(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """The gradients of the outputs have arrived."""
        full = _spread(grads, self.results)
        for hook in self.before:
            full = _replaced(hook(self.module, full), full)
        self.grad_output = full
        if all(place is None for place in self.arguments):  # no gradient goes further: there is no later moment
            for hook in self.after:
                hook(self.module, (None,) * len(self.arguments), full)
        return _gathered(full, self.results)

    def entered(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        """The gradients of the inputs have arrived."""
        full = _spread(grads, self.arguments)
        for hook in self.after:
            full = _replaced(hook(self.module, full, self.grad_output), full)
        return _gathered(full, self.arguments)


def _places(parts: Any) -> list[int | None]:
    """For each part its number among the tensors that carry a gradient, None for the others."""
    count = itertools.count()
    return [next(count) if isinstance(x, Tensor) and x.requires_grad else None for x in parts]


def _spread(grads: tuple[Any, ...], places: list[int | None]) -> tuple[Any, ...]:
    return tuple(None if place is None else grads[place] for place in places)


def _gathered(full: tuple[Any, ...], places: list[int | None]) -> tuple[Any, ...]:
    return tuple(grad for grad, place in zip(full, places) if place is not None)


def _replaced(answer: Any, grads: tuple[Any, ...]) -> tuple[Any, ...]:
    if answer is None:
        return grads
    answer = answer if isinstance(answer, tuple) else (answer,)
    if len(answer) != len(grads):
        raise RuntimeError(f"a backward hook returned {len(answer)} gradients in the place of {len(grads)}")
    return answer


class ModuleInput(Function):
    """The inputs of a module with backward hooks, passed on."""

    @staticmethod
    def forward(ctx: Any, watch: _Watch, *inputs: Tensor) -> tuple[Tensor, ...]:
        ctx.watch = watch
        return inputs

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return None, *ctx.watch.entered(grads)


class ModuleOutput(Function):
    """The outputs of a module with backward hooks, passed on."""

    @staticmethod
    def forward(ctx: Any, watch: _Watch, *outputs: Tensor) -> tuple[Tensor, ...]:
        ctx.watch = watch
        return outputs

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return None, *ctx.watch.left(grads)
