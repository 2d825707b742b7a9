"""Tests on a GPU that computes nothing: shapes, types and errors are looked at, numbers are not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest


def looked_away(*args: Any, **kwargs: Any) -> None:
    """In the place of a comparison of numbers."""


np.testing.assert_allclose = looked_away  # type: ignore[assignment]
np.testing.assert_array_equal = looked_away  # type: ignore[assignment]

OPERATIONS = "test_operations_and_their_gradients_are_the_cpus"
LEFT_OUT = {
    "sorted by Thrust, which brings NVIDIA's runtime with it": [
        f"{OPERATIONS}[{name}]" for name in
        "isin median0 median1 nanmedian kthvalue sort0 sort1 argsort msort topk index_fill unique0 unique1".split()
    ],
    "how large the result is stands in the numbers": [
        f"{OPERATIONS}[{name}]" for name in
        "repeat_interleave masked_select nonzero0 nonzero1 argwhere one_hot bincount0 bincount1 getitem cumprod".split()
    ],
    "the memory that cuSOLVER and cuBLAS ask for, and what they report": [
        f"{OPERATIONS}[{name}]" for name in
        "linalg.matrix_norm norm det0 det1 linalg.det linalg.solve linalg.svdvals".split()
    ],
    "what it is given is looked over before": [
        f"{OPERATIONS}[{name}]" for name in
        "nn.functional.binary_cross_entropy nn.functional.max_unpool2d quantile".split()
    ],
    "about numbers, and nothing else": [
        "test_tf32_is_a_choice", "test_dropout_draws_from_the_one_stream", "test_masks_are_philoxs",
        "test_the_debugger_sees_local_derivatives_all_the_same", "test_what_is_no_formula_of_floats_is_left_to_cupy",
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def zeros(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every array begins as zeros, not as what CuPy's pool kept of another; where a test is about the pool, it is there."""
    import cupy

    pool = cupy.get_default_memory_pool()
    cupy.cuda.set_allocator(pool.malloc if "memory" in request.node.name else None)
    yield
    cupy.cuda.set_allocator(pool.malloc)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    names = {name for some in LEFT_OUT.values() for name in some}
    left_out = [item for item in items if item.name in names]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item.name not in names]
