"""apply: run an operation on nodes, numbers and arrays, and record it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..backend import BACKENDS, numpy, scalar
from ..backend.gpus import SEVERAL, at_home, elsewhere
from . import location, node
from .data import numeric
from .device import device_of, moved
from .dtypes import FLOAT32, FLOAT64, get_default_dtype, promoted
from .modes import state, watched
from .node import Node, new, tick
from .op import Op


def apply(op: Op, *inputs: Any) -> Any:
    """Run `op` on nodes, numbers and arrays, and record it where an input carries a gradient.

    Returns a Value when every input is a number, else a Tensor. Raises ValueError naming both shapes and operands
    when shapes do not fit, TypeError for an input that is no number, RuntimeError when devices are mixed.
    """
    xp: Any = scalar
    needs = mixed = False
    dtype = None
    raws = []
    for x in inputs:
        if isinstance(x, Node):
            raw = x.raw
            x._read = True
            if x.requires_grad:
                needs = True
        elif isinstance(x, (float, int)) and x.__class__ is not np.float64:
            raws.append(x)
            continue
        else:
            raw = constant(x)
            if raw is not x:  # a NumPy scalar, now a plain number
                inputs = (*inputs[: len(raws)], raw, *inputs[len(raws) + 1 :])
                raws.append(raw)
                continue
        kind = raw.__class__
        if kind is not float:
            backend = BACKENDS.get(kind if kind is not tuple else raw[0].__class__, scalar)
            if xp is not backend:
                if xp is not scalar:
                    if backend is not scalar and backend.device != xp.device:
                        return apply(op, *brought_together(op, inputs))
                else:
                    xp = backend
                    dtype = raw.dtype if kind is not tuple else None
            elif raw.dtype is not dtype:
                mixed = True
        raws.append(raw)
    if xp is scalar:
        if op.makes_tensor:
            xp = numpy
    else:
        if xp is not numpy and SEVERAL and (gpu := gpu_of(inputs, op)) is not None:
            with gpu:
                return apply(op, *inputs)
        if (mixed or dtype is not FLOAT32 and dtype is not FLOAT64) and op.promotes:
            raws = promoted(raws, op.promotes == "float", op.apart)
    try:
        if op.costly:
            out = state.quiet(op.run, xp, *raws)  # type: ignore[attr-defined]  # the costly ones are Elementwise
        else:
            out = state.quiet(op.forward, xp, *raws)
    except (ValueError, RuntimeError, AttributeError) as error:
        out = recover(op, inputs, xp, raws, error)
    saved = None
    if op.saves:
        out, saved = out
    needs = needs and state.recording
    if xp is scalar or op.makes_value:
        if out.__class__ is not float:
            out = float(out)
        made: Any = new(node.VALUE)
        made._flow = None
    else:
        made = new(node.TENSOR)
        if (out.__class__ is not xp.ndarray or out.dtype is FLOAT64 is not dtype) and not op.bundle:
            out = settle(op, xp, out, raws)
        made._cell = share_cell(out, inputs) if op.view else None
        made.requires_grad = needs
    made._grad = None
    made.raw = out
    made.stamp = tick()
    if op.saves:
        made._saved = saved
    if needs:
        made.op = op
        made.inputs = inputs
    else:
        made.op = None
        made.inputs = ()
    if watched and not state.plain:
        annotate(made)
        if state.anomaly:
            check_nan(op, out, raws)
    return made


def recover(op: Op, inputs: tuple[Any, ...], xp: Any, raws: list[Any], error: Exception) -> Any:
    """The result of an operation called inside another one's forward; otherwise what went wrong, in the user's terms."""
    if isinstance(error, RuntimeError) and str(error).startswith("cannot enter context"):
        return op.forward(xp, *raws)  # NumPy is quiet already
    if isinstance(error, ValueError):
        raise misfit(op, inputs, raws, error) from None
    if isinstance(error, AttributeError) and xp is scalar and (error.obj is scalar or type(error.obj) is float):
        raise TypeError(f"{op.name} needs a tensor, not a single number: minitorch.stack([...]) makes one of Values") from None
    raise error


def settle(op: Op, xp: Any, out: Any, raws: list[Any]) -> Any:
    """The result as an array (NumPy's reductions return scalars), and not wider than its inputs called for:
    as in PyTorch, integers and Python numbers never turn a result into float64 (unless the operation has a `dtype`)."""
    if out.__class__ not in BACKENDS:  # an array of another backend has been moved there
        out = xp.asarray(out)
    if out.dtype is FLOAT64 and not hasattr(op, "dtype") and not any(_is_double(raw) for raw in raws):
        out = out.astype(get_default_dtype())
    return out


def _is_double(raw: Any) -> bool:
    return any(map(_is_double, raw)) if raw.__class__ is tuple else getattr(raw, "dtype", FLOAT32) == FLOAT64


def annotate(node: Node) -> None:
    """Remember what a looker wants to know: the module, and the source line."""
    if node.op is None:
        return
    if state.scope:
        node._scope = state.scope
    if state.inspecting or state.anomaly:
        node._where = location.caller()


def check_nan(op: Op, out: Any, raws: list[Any]) -> None:
    """RuntimeError when `op` made a nan out of inputs without one (see `modes.detect_anomaly`)."""
    if has_nan(out) and not any(has_nan(raw) for raw in raws):
        where = location.caller()
        at = f" at {where[0]}:{where[1]}" if where else ""
        given = ", ".join(f"{label} of shape {tuple(np.shape(raw))}" for label, raw in zip(op.labels(len(raws)), raws))
        raise RuntimeError(f"{op.name}{at} made the first nan, from inputs without one ({given})")


@at_home
def has_nan(raw: Any) -> bool:
    """Whether a raw value holds a nan."""
    if isinstance(raw, (tuple, list)):
        return any(has_nan(part) for part in raw)
    if hasattr(raw, "dtype"):
        return raw.dtype.kind == "f" and (raw != raw).any().item()
    return isinstance(raw, float) and raw != raw


def share_cell(out: Any, inputs: tuple[Any, ...]) -> list[int] | None:
    """One version cell for an array and its view, so that an edit of either is noticed through both."""
    base = inputs[0]
    if not isinstance(base, node.TENSOR) or out.base is None:
        return None
    if out.base is not base.raw and out.base is not base.raw.base:
        return None  # the "view" had to copy
    if base._cell is None:
        base._cell = [0]
    return base._cell


def constant(x: Any) -> Any:
    """A plain number or array as an operation's constant input; anything else is a TypeError that says so."""
    if x.__class__ in BACKENDS:
        return numeric(x)
    if isinstance(x, (np.generic, np.bool_)):
        return x.item()
    if isinstance(x, (bool, int, float)):
        return x
    raise TypeError(f"expected a number, a Value or a Tensor, not {type(x).__name__} ({x!r:.60})")


def backend_among(raws: Iterable[Any]) -> Any:
    """The namespace for a function of `raws`: that of the arrays among them, `scalar` where all are numbers."""
    return next((BACKENDS[raw.__class__] for raw in raws if raw.__class__ in BACKENDS), scalar)


def misfit(op: Op, inputs: tuple[Any, ...], raws: list[Any], error: ValueError | str) -> ValueError:
    """A complaint about shapes, with the operands by name and shape: the sentence `error`, or else what the operation says it
    needs, or else NumPy's."""
    labels = op.labels(len(inputs))
    parts = []
    for label, x, raw in zip(labels, inputs, raws):
        name = location.variable_name(x) if isinstance(x, Node) else None
        shown = f"'{name}'" if name else f"input {label}"
        parts.append(f"{shown} of shape {tuple(np.shape(raw))}")
    why = error if isinstance(error, str) else op.requires or str(error).strip()
    return ValueError(f"{op.name} cannot take {' and '.join(parts)}: {why}")


def brought_together(op: Op, inputs: tuple[Any, ...]) -> list[Any]:
    """The inputs of an operation that got some of two devices: tensors of one number follow the others, as in PyTorch.
    RuntimeError where larger ones would have to."""
    raws: list[Any] = [x.raw if isinstance(x, Node) else x for x in inputs]
    arrays = [raw for raw in raws if type(raw) in BACKENDS]
    places = [device_of(raw) for raw in arrays if raw.ndim or device_of(raw) != "cpu"]
    if len(set(places)) != 1 or any(isinstance(raw, tuple) for raw in raws):
        raise mixed_devices(op, inputs)
    movable: list[Any] = [x if type(raw) in BACKENDS else None for x, raw in zip(inputs, raws)]
    return [
        given if x is None else x.to(places[0]) if isinstance(x, Node) else moved(x, places[0])  # type: ignore[attr-defined]
        for given, x in zip(inputs, movable)
    ]


def gpu_of(inputs: tuple[Any, ...], op: Op | str) -> Any:
    """The GPU for an operation, or a function of that name, if it is not the current one. RuntimeError where its inputs are
    on several."""
    raws = [x.raw if isinstance(x, Node) else x for x in inputs]
    parts = (part for raw in raws for part in (raw if raw.__class__ is tuple else (raw,)))
    arrays: list[Any] = [part for part in parts if part.__class__ in BACKENDS and part.__class__ is not np.ndarray]
    if any(part.device != arrays[0].device for part in arrays):
        raise mixed_devices(op, inputs)
    return elsewhere(arrays[0]) if arrays else None


def mixed_devices(op: Op | str, inputs: tuple[Any, ...]) -> RuntimeError:
    """The sentence for inputs on different devices: each by its name, or slot and shape, and how to bring them together."""
    found: list[tuple[str, str, Any]] = []
    title, labels = (op, ("input", "other")) if isinstance(op, str) else (op.name, op.labels(len(inputs)))
    for label, x in zip(labels, inputs):
        raw: Any = x.raw if isinstance(x, Node) else x
        parts: tuple[Any, ...] = raw if isinstance(raw, tuple) else (raw,)
        for part in parts:
            if type(part) in BACKENDS:
                name = location.variable_name(x) if isinstance(x, Node) else None
                shown = f"'{name}'" if name else f"input {label} of shape {tuple(part.shape)}"
                learned = isinstance(x, Node) and x.is_leaf and x.requires_grad  # nobody's variable: a module has it
                found.append((shown, name or ("model" if learned else label), device_of(part)))
    listed = " and ".join(f"{shown} on {device}" for shown, _, device in found)
    apart = next(x for x in found if x[2] != found[0][2])
    (_, moves, _), (_, _, to) = sorted((found[0], apart), key=lambda x: x[2] != "cpu")  # rather to the GPU than back
    return RuntimeError(f"{title} mixes devices: {listed}; bring them together: {moves}.to('{to}')")


def function(op: type[Op]) -> Callable[..., Any]:
    """The user's function for a parameterless operation: `exp = function(Exp)`."""
    pytorchs = ("input", "other") if op.slots == ("a", "b") else ("input", *op.slots[1:]) if op.slots[0] == "x" else op.slots
    shared, slots = op.shared, ", ".join(pytorchs)
    namespace: dict[str, Any] = {"apply": apply, "shared": shared}
    # Written out, not *args: the right signature in help(), and a wrong number of arguments fails in the user's line.
    source = f"def {op.name}({slots}):\n    return apply(shared, {slots})\n"
    exec(compile(source, __file__, "exec"), namespace)  # under this file's name, so that it counts as part of the package
    made = namespace[op.name]
    made.__doc__, made.__module__, made.__qualname__ = op.__doc__, op.__module__, op.name
    return made
