"""Attention: every place of a sequence reads from all others, from each as much as its key answers the query."""

from __future__ import annotations

import math
from typing import Any

from ..backend.gpus import beside
from ..core.apply import apply
from ..core.op import Op
from .activation import softmax
from .create import constant, zeros
from .dropout import dropout, kept
from .elementwise import where
from .join import cat
from .linalg import matmul
from .linear import linear
from .pad import pad
from .reduce import mean
from .shape import broadcast_to, permute, reshape, squeeze, transpose, unsqueeze


class Attention(Op):
    """softmax(scale · query @ keyᵀ + mask) @ value: for each query, the values mixed by how well their keys answer it.

    Shapes: query (..., places, size), key (..., sources, size), value (..., sources, features); mask broadcasts to
    (..., places, sources): numbers to add, or bools that say where to look. `causal` looks at no later place.
    """

    saves = True  # the weights (or what a backend's own kernel keeps); a rule that is itself differentiated computes them again

    def __init__(self, scale: float, causal: bool = False, dropout: float = 0.0, mask: Any = None) -> None:
        self.scale, self.causal, self.dropout, self._mask = scale, causal, dropout, mask

    def forward(self, xp, query, key, value, mask=None):
        whole = getattr(xp, "attention", None)  # a backend may have a kernel for all of it
        if whole is not None and mask is None and self._mask is None:
            found = whole(query, key, value, self.scale, self.causal)
            if found is not None:
                return found
        weights = self.weights(xp, query, key, mask)
        return xp.matmul(self.dropped(weights), value), weights

    def vjp(self, xp, grad, out, saved, needed, query, key, value, mask=None):
        weights = xp.kept(saved, self.weights, query, key, mask)
        grads = [None, None, None, None]
        if 2 in needed:
            grads[2] = xp.matmul(xp.swapaxes(self.dropped(weights), -1, -2), grad)
        if any(slot != 2 for slot in needed):
            flow = self.dropped(xp.matmul(grad, xp.swapaxes(value, -1, -2)))
            scores = grads[3] = weights * (flow - xp.sum(flow * weights, axis=-1, keepdims=True))
            grads[0] = xp.matmul(scores, key) * self.scale if 0 in needed else None
            grads[1] = xp.matmul(xp.swapaxes(scores, -1, -2), query) * self.scale if 1 in needed else None
        return grads

    def weights(self, xp: Any, query: Any, key: Any, mask: Any) -> Any:
        """How much each query takes from each value; each row adds up to 1, or to 0 where it may look nowhere."""
        scores = xp.matmul(query * self.scale, xp.swapaxes(key, -1, -2))
        return xp.masked_softmax(scores, mask, self.causal)

    def dropped(self, weights: Any) -> Any:
        return weights if self._mask is None else weights * self._mask


class MaskedSoftmax(Op):
    """softmax of scores + mask along the last axis, or of the scores where the mask is True; `causal` hides later places."""

    def __init__(self, causal: bool = False) -> None:
        self.causal = causal

    def forward(self, xp, scores, mask=None):
        return xp.masked_softmax(scores + 0, mask, self.causal)

    def vjp(self, xp, grad, out, needed, scores, mask=None):
        flow = out * (grad - xp.sum(grad * out, axis=-1, keepdims=True))
        return [flow, flow]


def scaled_dot_product_attention(
    query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False,
    scale: float | None = None, enable_gqa: bool = False,
) -> Any:  # fmt: skip
    """softmax(query @ keyᵀ · scale + attn_mask) @ value; `scale` is 1 / √size unless given.

    Shapes: query (..., places, size), key (..., sources, size), value (..., sources, features), result (..., places,
    features). `attn_mask` broadcasts to (..., places, sources): numbers are added to the scores, False hides. `is_causal`
    hides later sources. `enable_gqa`: each head of key and value (axis -3) serves several of the query's.
    """
    if query.ndim < 2 or query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ValueError(
            f"attention needs query (..., places, size), key (..., sources, size), value (..., sources, features); shapes are "
            f"{tuple(query.shape)}, {tuple(key.shape)}, {tuple(value.shape)}"
        )
    if is_causal and attn_mask is not None:
        raise ValueError("attention takes attn_mask or is_causal=True, not both")
    if enable_gqa:
        key, value = (_repeat_heads(x, query.shape[-3]) for x in (key, value))
    dropped = None
    if dropout_p:
        shape = (*_batch(query, key, value), query.shape[-2], key.shape[-2])
        dropped = kept(shape, query, dropout_p, 1 - dropout_p)
    op = Attention(1 / math.sqrt(query.shape[-1]) if scale is None else scale, is_causal, dropout_p, dropped)
    return apply(op, query, key, value) if attn_mask is None else apply(op, query, key, value, attn_mask)


def _batch(*tensors: Any) -> tuple[int, ...]:
    """The batch axes that tensors of (..., places, size) have together."""
    longest = max(x.ndim for x in tensors) - 2
    padded = [(1,) * (longest - (x.ndim - 2)) + tuple(x.shape[:-2]) for x in tensors]
    return tuple(max(sizes) for sizes in zip(*padded))


def _repeat_heads(x: Any, heads: int) -> Any:
    """Every head of x (..., heads, places, size) several times in a row, `heads` in all."""
    *batch, have, places, size = x.shape
    if heads % have:
        raise ValueError(f"attention: {have} heads of key and value cannot serve {heads} of the query evenly")
    wide = broadcast_to(unsqueeze(x, -3), (*batch, have, heads // have, places, size))
    return reshape(wide, (*batch, heads, places, size))


def multi_head_attention_forward(
    query: Any, key: Any, value: Any, embed_dim_to_check: int, num_heads: int, in_proj_weight: Any, in_proj_bias: Any,
    bias_k: Any, bias_v: Any, add_zero_attn: bool, dropout_p: float, out_proj_weight: Any, out_proj_bias: Any,
    training: bool = True, key_padding_mask: Any = None, need_weights: bool = True, attn_mask: Any = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Any = None, k_proj_weight: Any = None, v_proj_weight: Any = None,
    average_attn_weights: bool = True, is_causal: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """What nn.MultiheadAttention computes: query, key and value projected, split into heads, each attending for itself, and
    the heads' results joined and projected again.

    Shapes: query (places, n, embed), key and value (sources, n, ...), or all without n. Returns the result (places, n, embed)
    and, with `need_weights`, the weights (n, places, sources), averaged over the heads or (n, heads, places, sources).
    """
    if query.ndim == 2:
        padding = None if key_padding_mask is None else unsqueeze(key_padding_mask, 0)
        out, weights = multi_head_attention_forward(
            unsqueeze(query, 1), unsqueeze(key, 1), unsqueeze(value, 1), embed_dim_to_check, num_heads, in_proj_weight,
            in_proj_bias, bias_k, bias_v, add_zero_attn, dropout_p, out_proj_weight, out_proj_bias, training, padding,
            need_weights, attn_mask, use_separate_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight,
            average_attn_weights, is_causal,
        )  # fmt: skip
        return squeeze(out, 1), None if weights is None else squeeze(weights, 0)
    places, n, embed = query.shape
    if embed != embed_dim_to_check or embed % num_heads:
        raise ValueError(
            f"attention of size {embed_dim_to_check} in {num_heads} heads needs queries of that size, a multiple of the heads, "
            f"not {tuple(query.shape)}"
        )
    if is_causal and attn_mask is None:
        raise RuntimeError("is_causal says what attn_mask holds; give it too: Transformer.generate_square_subsequent_mask(n)")
    if query is key and key is value and not use_separate_proj_weight:  # one product for all three
        all_three = linear(query, in_proj_weight, in_proj_bias)
        q, k, v = (all_three[..., i * embed : (i + 1) * embed] for i in range(3))
    else:
        weights = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else _thirds(in_proj_weight)
        q, k, v = (linear(x, w, b) for x, w, b in zip((query, key, value), weights, _thirds(in_proj_bias)))
    extra = 0
    if bias_k is not None:
        k, v = (cat([x, broadcast_to(b, (1, n, embed))]) for x, b in ((k, bias_k), (v, bias_v)))
        extra += 1
    q, k, v = (_heads(x, num_heads) for x in (q, k, v))
    if add_zero_attn:
        nothing = zeros(n, num_heads, 1, embed // num_heads, dtype=q.dtype, device=q.device)
        k, v = cat([k, nothing], 2), cat([v, nothing], 2)
        extra += 1
    mask = _merged(attn_mask, key_padding_mask, n, num_heads, extra, q)
    dropout_p = dropout_p if training else 0.0
    chances = None
    if need_weights:
        scores = matmul(q * (1 / math.sqrt(embed // num_heads)), transpose(k, -1, -2))
        chances = softmax(scores if mask is None else scores + mask, -1)
        chances = dropout(chances, dropout_p) if dropout_p else chances
        mixed = matmul(chances, v)
        chances = mean(chances, 1) if average_attn_weights else chances
    else:
        mixed = scaled_dot_product_attention(q, k, v, mask, dropout_p)
    joined = reshape(permute(mixed, (2, 0, 1, 3)), (places, n, embed))
    return linear(joined, out_proj_weight, out_proj_bias), chances


def _thirds(x: Any) -> tuple[Any, ...]:
    if x is None:
        return None, None, None
    size = x.shape[0] // 3
    return x[:size], x[size : 2 * size], x[2 * size :]


def _heads(x: Any, heads: int) -> Any:
    """(places, n, embed) as (n, heads, places, embed / heads)."""
    places, n, embed = x.shape
    return permute(reshape(x, (places, n, heads, embed // heads)), (1, 2, 0, 3))


def _merged(attn_mask: Any, padding: Any, n: int, heads: int, extra: int, like: Any) -> Any:
    """Both masks as numbers to add to the scores (n, heads, places, sources); `extra` sources at the end are open to all."""
    total = None
    if attn_mask is not None:
        total = _numbers(attn_mask, extra, like)
        if attn_mask.ndim == 3:
            total = reshape(total, (n, heads, *total.shape[1:]))
    if padding is not None:
        hidden = _numbers(padding, extra, like)
        hidden = reshape(hidden, (n, 1, 1, hidden.shape[-1]))
        total = hidden if total is None else total + hidden
    return total


def _numbers(mask: Any, extra: int, like: Any) -> Any:
    """A mask whose True hides, or whose numbers are added, as numbers to add."""
    if mask.dtype.kind == "b":
        with beside(mask.raw):
            nothing = constant((mask.raw * 0).astype(like.dtype))
        mask = where(mask, -math.inf, nothing)
    return pad(mask, (0, extra)) if extra else mask
