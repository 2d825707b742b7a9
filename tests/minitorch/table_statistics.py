"""The table's entries for counting, looking up and statistics."""

from __future__ import annotations

import numpy as np

from .opentry import call, given, kink, op, t

_CLASSES = given([[0, 2], [1, 0]])
op("one_hot", call(_CLASSES), call(_CLASSES, 4), call(given(1), num_classes=3), numpy=None, differentiable=False)
op("bincount", call(given([0, 3, 1, 3])), call(given([0, 3]), minlength=6), numpy=None, differentiable=False)
op("bincount", call(given([0, 3, 3]), given([0.5, 1.0, 2.0])), numpy=np.bincount, differentiable=False)
_PLAIN = given([3, 1, 2, 1])
op("unique", call(_PLAIN), call(given([[1.5, 0.5], [0.5, 0.5]])), differentiable=False)
op("unique", call(_PLAIN, return_inverse=True, return_counts=True), call(given([[1, 2], [1, 2]]), dim=0), numpy=None, differentiable=False)
_STEPS = given([1.0, 2.0, 2.0, 4.0])
op(
    "searchsorted",
    call(_STEPS, given([0.0, 2.0, 5.0])), call(_STEPS, given([2.0]), right=True), call(_STEPS, given([2.0]), side="right"),
    call(given([[1.0, 2.0], [3.0, 4.0]]), given([[1.5, 9.0, 0.0], [3.0, 3.5, 4.5]])), call(_STEPS, given(3.0), out_int32=True),
    numpy=None, differentiable=False, method=False,
)  # fmt: skip
op("bucketize", call(given([0.0, 2.0, 5.0]), _STEPS), call(given([2.0]), _STEPS, right=True), numpy=None, differentiable=False, method=False)
for name in ("cummax", "cummin"):
    op(name, call(t(5), 0), call(t(3, 4), -1), call(t(), 0), kink(given([1.0, 1.0, 0.0, 1.0]), 0), numpy=None)
for name in ("tril_indices", "triu_indices"):
    op(name, call(3, 4), call(3, 4, 1), call(3, 2, -1), numpy=None, differentiable=False, method=False)
op(
    "quantile",
    call(t(7), 0.3), call(t(3, 5), given([0.1, 0.77], grad=False), dim=1), call(t(3, 5), 0.5, 0, True), call(t(2, 3), 0.4, keepdim=True),
    *(call(t(6), 0.35, interpolation=kind) for kind in ("lower", "higher", "midpoint", "nearest")), numpy=None,
)  # fmt: skip
op("cov", call(t(3, 5)), call(t(5)), call(t(2, 5), correction=0), call(t(2, 3), fweights=given([1, 2, 3])), numpy=None)
op("cov", call(t(2, 3), aweights=given([0.5, 2.0, 1.0], grad=False)), numpy=None)
op("corrcoef", call(t(3, 5)), numpy=None)
op("cdist", call(t(4, 3), t(5, 3)), call(t(2, 4, 3), t(2, 5, 3), 1.0), numpy=None, method=False)
op("trapezoid", call(t(5)), call(t(3, 4), dx=0.5, dim=0), call(t(3, 4), given([0.0, 1.0, 1.5, 4.0], grad=False)), numpy=None, method=False)
op("block_diag", call(t(2, 2), t(3), t(1, 2)), numpy=None, method=False)
op("cartesian_prod", call(t(2), t(3)), call(t(2)), numpy=None, method=False)
