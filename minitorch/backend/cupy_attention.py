"""Attention by cuDNN, on CuPy's arrays of float16: the weights are never written down. Where it is not available, or does not
take a case, the answer is None, and attention is composed of products and a softmax (`ops.attention`); then its gradient is
composed here, with the softmax's in one kernel."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import cupy

from . import cupy_cudnn
from .cupy_cudnn import PLANS, Layout, Plan, Sizes, built, result, tensor
from .cupy_linear import matmul
from .cupy_softmax import softmax_back
from .gpu_flags import flags

QUERY, KEY, VALUE, OUT, ROWS, GRAD, GRAD_QUERY, GRAD_KEY, GRAD_VALUE = range(1, 10)
"""The numbers by which a plan's arrays are handed over."""


class Rows(NamedTuple):
    """What is kept for the gradient instead of the weights: log(sum(exp)) of each row of scores, (n, heads, places, 1)."""

    logsumexp: Any


def attention(query: Any, key: Any, value: Any, scale: float, causal: bool) -> tuple[Any, Rows] | None:
    """(softmax(scale · query @ keyᵀ) @ value, what its gradient needs) for arrays of (n, heads, places, size)."""
    arrays = query, key, value
    if any(x.ndim != 4 or x.dtype != "float16" or not x.size or x.shape[:2] != query.shape[:2] for x in arrays):
        return None
    if not (flags.cudnn and cupy_cudnn.is_available()):
        return None
    plan = _forward(*(x.shape for x in arrays), scale, causal, query.device.id)
    if plan is None:
        return None
    out = cupy.empty((*query.shape[:3], value.shape[3]), query.dtype)
    rows = cupy.empty((*query.shape[:3], 1), "float32")
    plan.run({**dict(zip((QUERY, KEY, VALUE), map(_in_rows, arrays))), OUT: out, ROWS: rows})
    return out, Rows(rows)


def attention_rule(
    op: Any, grad: Any, out: Any, saved: Any, needed: Any, query: Any, key: Any, value: Any, mask: Any = None
) -> list[Any] | None:
    """The gradients with respect to query, key, value and mask."""
    if not isinstance(saved, Rows):
        return _composed(op, grad, saved, needed, query, key, value)
    arrays = [_in_rows(x) for x in (query, key, value)]
    plan = _backward(*(x.shape for x in arrays), op.scale, op.causal, query.device.id)
    if plan is None:
        raise RuntimeError(
            "cuDNN computes this attention, but not its gradient: set minitorch.backends.cudnn.enabled = False before it"
        )
    grads = [cupy.empty(x.shape, x.dtype) for x in arrays]
    given = dict(zip((QUERY, KEY, VALUE, OUT, ROWS, GRAD), (*arrays, _in_rows(out), saved.logsumexp, _in_rows(grad))))
    plan.run({**given, **dict(zip((GRAD_QUERY, GRAD_KEY, GRAD_VALUE), grads))})
    return [*grads, None]


def _composed(op: Any, grad: Any, weights: Any, needed: Any, query: Any, key: Any, value: Any) -> list[Any] | None:
    """As `Attention.vjp`; None where the weights were not kept."""
    if weights is None:
        return None
    grads: list[Any] = [None, None, None, None]
    if 2 in needed:
        grads[2] = matmul(op.dropped(weights).swapaxes(-1, -2), grad)
    if any(slot != 2 for slot in needed):
        scores = grads[3] = softmax_back(weights, op.dropped(matmul(grad, value.swapaxes(-1, -2))))
        grads[0] = matmul(scores, key) * op.scale if 0 in needed else None
        grads[1] = matmul(scores.swapaxes(-1, -2), query) * op.scale if 1 in needed else None
    return grads


def _in_rows(x: Any) -> Any:
    """x, or its copy, where cuDNN can read it row after row."""
    return x if x.flags.c_contiguous and not x.data.ptr % cupy_cudnn.ALIGNED else x.copy("C")


@functools.lru_cache(PLANS)
def _forward(query: Sizes, key: Sizes, value: Sizes, scale: float, causal: bool, device: int) -> Plan | None:
    def described(graph: Any) -> None:
        q, k, v = _inputs(graph, query, key, value)
        out, rows = graph.sdpa(q=q, k=k, v=v, attn_scale=scale, generate_stats=True, **_hidden(causal))
        result(OUT, out, Layout((*query[:3], value[3])), "float16")
        result(ROWS, rows, Layout((*query[:3], 1)), "float32")

    return built(described, "float16")


@functools.lru_cache(PLANS)
def _backward(query: Sizes, key: Sizes, value: Sizes, scale: float, causal: bool, device: int) -> Plan | None:
    def described(graph: Any) -> None:
        made = Layout((*query[:3], value[3]))
        q, k, v = _inputs(graph, query, key, value)
        out, grad = (tensor(graph, number, made, "float16") for number in (OUT, GRAD))
        rows = tensor(graph, ROWS, Layout((*query[:3], 1)), "float32")
        grads = graph.sdpa_backward(q=q, k=k, v=v, o=out, dO=grad, stats=rows, attn_scale=scale, **_hidden(causal))
        for number, x, shape in zip((GRAD_QUERY, GRAD_KEY, GRAD_VALUE), grads, (query, key, value)):
            result(number, x, Layout(shape), "float16")

    return built(described, "float16")


def _inputs(graph: Any, *shapes: Sizes) -> list[Any]:
    return [tensor(graph, number, Layout(shape), "float16") for number, shape in zip((QUERY, KEY, VALUE), shapes)]


def _hidden(causal: bool) -> dict[str, Any]:
    """Which sources a place does not look at: with `causal` those that come later, counted from the first of both."""
    if not causal:
        return {}
    return {"diagonal_alignment": cupy_cudnn.library().diagonal_alignment.TOP_LEFT, "diagonal_band_right_bound": 0}
