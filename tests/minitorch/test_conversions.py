"""Other dtypes, NumPy, DLPack, Python numbers, and tensors made like another."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch
from minitorch import tensor


def test_dtypes_by_their_names():
    x = tensor([[1.5, 0.0], [-2.7, 3.0]])
    assert x.bool().tolist() == [[True, False], [True, True]]
    assert x.int().tolist() == [[1, 0], [-2, 3]] and x.int().dtype == minitorch.int32
    assert (x.half().dtype, x.double().dtype, x.long().dtype) == (minitorch.float16, minitorch.float64, minitorch.int64)
    assert x.type() == "float32" and x.type(minitorch.float64).dtype == x.type_as(x.double()).dtype == minitorch.float64
    assert x.float() is x


def test_a_gradient_comes_back_through_a_dtype():
    x = tensor([1.0, 2.0], requires_grad=True)
    (x.double() * 3).sum().backward()
    assert x.grad.dtype == minitorch.float32 and x.grad.tolist() == [3.0, 3.0]


def test_memory_is_shared_with_numpy_and_through_dlpack():
    x = tensor([1.0, 2.0])
    x.numpy()[0] = 5
    np.from_dlpack(x)[1] = 7
    assert x.tolist() == [5.0, 7.0]
    array = np.ones(3, np.float32)
    y = minitorch.from_dlpack(array)
    array[0] = 4
    assert y.tolist() == [4.0, 1.0, 1.0]
    with pytest.raises(TypeError, match="speaks DLPack, not list"):
        minitorch.from_dlpack([1.0])


def test_dlpack_with_torch_both_ways():
    torch = pytest.importorskip("torch")
    x = tensor([1.0, 2.0])
    theirs = torch.from_dlpack(x)
    theirs[0] = 9
    assert minitorch.from_dlpack(theirs).tolist() == x.tolist() == [9.0, 2.0]


@pytest.mark.parametrize("leave", [lambda x: x.numpy(), np.asarray, lambda x: x.__dlpack__()])
def test_nothing_leaves_a_graph_unasked(leave):
    with pytest.raises(RuntimeError, match=r"in a graph.*\.detach\(\)"):
        leave(tensor([1.0], requires_grad=True))
    assert tensor([1.0], requires_grad=True).numpy(force=True).tolist() == [1.0]


def test_tensors_like_another():
    x = tensor([[1.0, 2.0]], dtype=minitorch.float64)
    assert [t.dtype for t in (x.new_zeros(2), x.new_ones((2, 3)), x.new_full((2,), 3), x.new_tensor([1, 2]))] == ["float64"] * 4
    assert x.new_ones(2, 3).tolist() == [[1.0] * 3] * 2 and x.new_empty(4, dtype=minitorch.int64).dtype == "int64"


def test_how_it_lies_in_memory():
    x = minitorch.zeros(2, 3)
    assert (x.stride(), x.T.stride(), x.stride(0), x.element_size(), x.nbytes) == ((3, 1), (1, 3), 3, 4, 24)
    assert x.is_floating_point() and minitorch.is_tensor(x) and minitorch.numel(x) == 6 and not x.is_cuda


def test_random_numbers_in_place():
    minitorch.manual_seed(0)
    x = minitorch.zeros(10_000)
    assert abs(x.normal_(3, 2).mean().item() - 3) < 0.1 and abs(x.std().item() - 2) < 0.1
    assert x.uniform_(-1, 1).amin().item() >= -1 and abs(x.mean().item()) < 0.05
    assert abs(x.bernoulli_(0.25).mean().item() - 0.25) < 0.05
    assert minitorch.ones(3).masked_fill_(tensor([True, False, True]), 0).tolist() == [0.0, 1.0, 0.0]
