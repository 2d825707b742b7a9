"""The CuPy backend's own kernels on a card: the comparisons of `tests/minitorch/test_cupy.py`, with CuPy in the double's place."""

from __future__ import annotations

import numpy as np
import pytest

from minitorch import cuda
from minitorch.core.device import backend_on
from tests.minitorch import test_cupy
from tests.minitorch.test_cupy import (  # noqa: F401  (they run here too)
    test_a_formula_is_one_kernel_forward_and_one_back,
    test_a_step_is_one_kernel_for_all_parameters,
    test_a_step_of_a_gru_is_one_kernel_and_a_product,
    test_a_step_of_an_lstm_is_one_kernel_and_a_product,
    test_cross_entropy_is_a_kernel_forward_and_few_back,
    test_dropout_draws_from_the_one_stream,
    test_masks_are_philoxs,
    test_normalization,
    test_other_products_are_cupys,
    test_products_in_the_arrays_dtype_and_as_exact_as_asked,
    test_products_of_many_matrices,
    test_softmax_in_rows,
    test_targets_to_be_ignored_cost_no_look,
    test_the_debugger_sees_local_derivatives_all_the_same,
    test_the_gradient_of_a_bias,
    test_the_gradient_of_attention_is_products_and_a_kernel,
    test_what_is_no_formula_of_floats_is_left_to_cupy,
)

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not cuda.is_available(), reason="there is no GPU here")]


@pytest.fixture(autouse=True)
def on_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = backend_on("cuda")
    monkeypatch.setattr(test_cupy, "xp", backend)
    monkeypatch.setattr(test_cupy, "strict", lambda x: backend.asarray(np.asarray(x)))
    monkeypatch.setattr(test_cupy, "started", lambda kernels: True)  # nobody counts them there
    monkeypatch.setattr(test_cupy, "asked", lambda products: True)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_every_kernel_starts(dtype: str) -> None:
    test_cupy.run_them_all(dtype)
    cuda.synchronize()
