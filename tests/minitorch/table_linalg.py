"""The table's entries for products, norms and matrices, beyond the first ones in `optable.py`."""

from __future__ import annotations

import numpy as np

from .opentry import call, given, kink, op, t

# Products

op("dot", call(t(3), t(3)), call(t(0), t(0)))
op("mv", call(t(2, 3), t(3)), numpy=np.matmul)
op("mm", call(t(2, 3), t(3, 4)), call(t(2, 0), t(0, 3)), numpy=np.matmul)
op("bmm", call(t(2, 3, 4), t(2, 4, 5)), numpy=np.matmul)
op("outer", call(t(2), t(3)))
op("inner", call(t(2, 3), t(4, 3)), call(t(3), t(3)), call(t(), t(3)))
op("addmm", call(t(2, 4), t(2, 3), t(3, 4)), call(t(4), t(2, 3), t(3, 4), beta=0.5, alpha=2.0), numpy=None)
op("addmm", call(t(4), t(2, 3), t(3, 4), beta=0), numpy=None, torch=None)  # no gradient, where PyTorch has one of 0
op("addmv", call(t(2), t(2, 3), t(3)), call(t(), t(2, 3), t(3), beta=0.5, alpha=2.0), numpy=None)
op("addr", call(t(2, 3), t(2), t(3)), call(t(3), t(2), t(3), beta=0.5, alpha=2.0), numpy=None)
op("addbmm", call(t(3, 5), t(2, 3, 4), t(2, 4, 5)), call(t(5), t(2, 3, 4), t(2, 4, 5), beta=0.5, alpha=2.0), numpy=None)
op("baddbmm", call(t(2, 3, 5), t(2, 3, 4), t(2, 4, 5)), call(t(5), t(2, 3, 4), t(2, 4, 5), beta=0.5, alpha=2.0), numpy=None)
op(
    "einsum",
    call("ij,jk->ik", t(2, 3), t(3, 4)), call("bij,bjk->bik", t(2, 3, 4), t(2, 4, 5)), call("ij->ji", t(2, 3)), call("ij->", t(2, 3)),
    call("ii->i", t(3, 3)), call("ii", t(3, 3)), call("i,j", t(2), t(3)), call("...ij,...jk", t(2, 1, 3, 4), t(5, 4, 2)),
    call("bn,anm,bm->ba", t(2, 3), t(4, 3, 5), t(2, 5)), call("i,ij,j", t(2), t(2, 3), t(3)), call("ij,j->i", t(2, 3), t(1)),
    call("ij,kl->ik", t(2, 3), t(4, 5)), call("b...->...", t(2, 3, 4)), call(" a b , b -> a ", t(2, 3), t(3)), call("i->i", t(0)),
    numpy=None, method=False,
)  # fmt: skip
op("einsum", call(t(2, 3), [0, 1], t(3, 4), [1, 2], [0, 2]), method=False)
op(
    "tensordot",
    call(t(2, 3, 4), t(3, 4, 5)), call(t(2, 3), t(3, 4), 1), call(t(2, 3), t(4), 0), call(t(2, 3, 4), t(4, 2), dims=([2, 0], [0, 1])),
    numpy=None, method=False,
)  # fmt: skip
op("kron", call(t(2, 3), t(3, 2)), call(t(2), t(2, 2)), call(t(), t(2)), call(t(2, 1, 2), t(2, 2)))
op("cross", call(t(4, 3), t(4, 3)), call(t(3, 4), t(3, 4), 0), call(t(3), t(3), dim=-1), numpy=None)
op("cross", call(t(3, 4), t(3, 4)), numpy=None, torch=None)  # PyTorch warns that it picks an axis
op("linalg.cross", call(t(4, 3), t(1, 3)), call(t(3, 4), t(3, 4), dim=0), numpy=None)
op("chain_matmul", call(t(2, 3), t(3, 4), t(4, 2)), numpy=None)
op("linalg.multi_dot", call([t(2, 3), t(3, 4), t(4)]), numpy=None)
op("linalg.vecdot", call(t(2, 3), t(2, 3)), call(t(2, 3), t(2, 3), dim=0), numpy=None)
op("linalg.diagonal", call(t(2, 3, 4)), call(t(3, 4), offset=1), numpy=None)
op("linalg.matmul", call(t(2, 3), t(3, 4)), numpy=np.matmul)

# Norms

_NORMS = (2, 1, 3, 0.5, 2.5, float("inf"), -float("inf"))
op(
    "linalg.vector_norm",
    *(call(t(3, 4), p) for p in _NORMS), *(call(t(2, 3, 4), p, 1) for p in _NORMS), call(t(2, 3), 2, (0, 1), True),
    call(t(2, 3), dim=-1), call(t()), kink(given([0.0, 0.0])), kink(given([0.0, 0.0]), 3), kink(given([1.0, 0.0]), 1.5), numpy=None,
)  # fmt: skip
op("linalg.vector_norm", kink(given([1.0, 0.0, -2.0]), 0), numpy=None, torch=None)  # a gradient of 0, where PyTorch has none
op(
    "linalg.matrix_norm",
    *(call(t(3, 4), p) for p in ("fro", "nuc", 2, -2, 1, -1, float("inf"), -float("inf"))), call(t(3, 4, 2), 1, (0, 1), True),
    call(t(2, 3, 4), "nuc", (-1, 0), True), call(t(2, 3, 4)), numpy=None, tolerance=1e-8,
)  # fmt: skip
op(
    "linalg.norm",
    call(t(3, 4)), call(t(3), 1), call(t(3, 4), "fro"), call(t(3, 4), 2, 1), call(t(2, 3, 4), dim=(0, 1)), call(t(2, 3, 4), 1, (0, 2)),
    call(t(2, 3, 4)), numpy=None,
)  # fmt: skip
op("norm", call(t(3, 4)), call(t(3, 4), 1), call(t(3, 4), 2, 0, True), call(t(3, 4), "nuc"), call(t(3), p=float("inf")), numpy=None)
op("dist", call(t(3, 4), t(3, 4)), call(t(3), t(3), 1), call(t(3, 4), t(4), 3), numpy=None)

# Matrices

_GOOD = given([[3.0, 0.5, 0.2], [0.1, 2.0, -0.4], [0.3, 0.2, 1.5]])
_BATCH = given([[[3.0, 0.5], [0.1, 2.0]], [[1.0, 2.0], [-2.0, 0.5]]])
_POSITIVE = given([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]])
op("inverse", call(_GOOD), call(_BATCH), numpy=np.linalg.inv)
op("linalg.inv", call(_GOOD), call(_BATCH))
op("det", call(_GOOD), call(_BATCH), call(t(0, 0)), numpy=np.linalg.det)
op("det", call(given([[1.0, 2.0], [2.0, 4.0]])), call(given([[0.0, 0.0], [1.0, 2.0]])), numpy=None, torch=None)  # PyTorch: 0
op("linalg.det", call(_GOOD))
op("logdet", call(_GOOD), call(_BATCH), numpy=None)
op("slogdet", call(_GOOD), call(_BATCH), numpy=None, torch=None)
op("linalg.slogdet", call(_GOOD), numpy=None, torch=None)
op("linalg.solve", call(_GOOD, t(3, 2)), call(_GOOD, t(3)), call(_BATCH, t(2, 2)), call(_BATCH, t(2, 2, 3)), call(_GOOD, t(2, 3), left=False), numpy=None)
op("cholesky", kink(_POSITIVE), numpy=None)  # what a nudge does to one of two equal elements means nothing
op("linalg.cholesky", kink(_POSITIVE, upper=True), numpy=None)
op("matrix_power", *(call(_GOOD, n) for n in (-2, -1, 1, 2, 5)), call(_BATCH, 3), numpy=np.linalg.matrix_power)
op("linalg.matrix_power", call(_GOOD, 3))
op("linalg.svdvals", call(t(3, 4)), call(t(2, 4, 3)), numpy=None, tolerance=1e-8)
