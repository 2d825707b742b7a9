"""Tensor as Python sees it: what it is made from, how it mixes with NumPy and numbers, iteration, copies, text."""

from __future__ import annotations

import copy
import gc
import operator
import pickle
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Tensor, Value, nn, tensor
from minitorch.nn import functional as F

BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.floordiv, operator.mod]


# What it is made from


@pytest.mark.parametrize(
    "data",
    [2.0, 2, True, [1.0, 2.0], [1, 2], [[1, 2], [3, 4]], [1, 2.5], [True, False], [], [[]], (1.0, 2.0), np.float64(2), np.float32(2),
     np.int32(2), np.arange(3), np.arange(3.0), np.arange(3, dtype="float32"), np.zeros((2, 0)), np.array(1.5), range(3),
     [np.array([1]), np.array([2])], np.array([True]), [[True], [False]], np.arange(3, dtype="uint8")],
    ids=repr,
)  # fmt: skip
def test_dtype_and_shape_are_pytorchs(data: Any) -> None:
    torch = pytest.importorskip("torch")
    made, expected = tensor(data), torch.tensor(data)
    assert made.shape == tuple(expected.shape) and made.dtype.name == str(expected.dtype).split(".")[1]
    assert made.tolist() == expected.tolist()


def test_tensor_copies_and_the_constructor_shares() -> None:
    array = np.ones(3, "float32")
    copied, shared = tensor(array), Tensor(array)
    array[0] = 5.0
    assert copied.tolist() == [1.0, 1.0, 1.0] and shared.tolist() == [5.0, 1.0, 1.0]
    assert shared.numpy() is array


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("text", "holds numbers, not 'text' (str)"), ([[1], [1, 2]], "row 0 has shape (1,), row 1 (2,)"), ([None], "not None (NoneType)"),
        ({"a": 1}, "not {'a': 1} (dict)"), (object, "not <class 'object'> (type)"), (["a"], "not 'a' (str)"), (None, "not None"),
        (..., "not Ellipsis (ellipsis)"), ([[1.0], [...]], "not Ellipsis (ellipsis)"), (1j, "not 1j (complex)"),
        (np.array([None]), "not None (NoneType)"), (np.array(["a"]), "not 'a' (str)"), (2**70, "no whole-number dtype holds 1.181e+21"),
        (np.array([1], dtype=object), "not an array of dtype object; array.astype('float32') may make one"),
        (np.array(["2020"], "datetime64[D]"), "datetime.date(2020, 1, 1)"), ([tensor(1.0), tensor([2.0])], "row 0 has shape ()"),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_not_numbers_is_refused_in_one_sentence(data: Any, said: str) -> None:
    for make in (tensor, minitorch.as_tensor, Tensor):
        with pytest.raises((TypeError, ValueError)) as caught:
            make(data)
        assert said in str(caught.value) and "\n" not in str(caught.value)
    if isinstance(data, np.ndarray):
        with pytest.raises(TypeError, match="a tensor holds numbers"):
            tensor([1.0]) + data


def test_one_number_is_asked_for() -> None:
    for make in (lambda x: minitorch.full((2,), x), minitorch.arange):
        for x in (None, "a", ..., [1.0]):
            with pytest.raises(TypeError, match=r"expected one number, not .* \(\w+\)$"):
                make(x)


LISTS = [
    (lambda: minitorch.sum([1.0, 2.0]), "sum cannot take the list [1.0, 2.0] as 'input'; minitorch.tensor(...) makes a Tensor"),
    (lambda: minitorch.matmul([[1.0]], [[2.0]]), "matmul cannot take the list [[1.0]] as 'a'"),
    (lambda: F.softmax([1, 2], dim=0), "softmax cannot take the list [1, 2] as 'input'"),
    (lambda: nn.Softmax(0)([1, 2]), "softmax cannot take the list [1, 2] as 'input'"),
    (lambda: F.mse_loss([1.0], [2.0]), "mse_loss cannot take the list [1.0] as 'input'"),
    (lambda: F.linear(tensor([1.0]), "w"), "linear cannot take the str 'w' as 'weight'"),
    (lambda: minitorch.mean(None), "mean cannot take None as 'input'"),
    (lambda: minitorch.mean(2.0), "mean cannot take the float 2.0 as 'input'"),
    (lambda: minitorch.stack([1.0, 2.0]), "stack cannot take the float 1.0 as 'tensors[0]'"),
    (lambda: minitorch.hstack([[1.0], [2.0]]), "hstack cannot take the float 1.0 as 'tensors[0][0]'"),
    (lambda: minitorch.linalg.inv([[1.0]]), "expected a number, a Value or a Tensor, not list ([[1.0]])"),
    (lambda: minitorch.linalg.norm([1.0]), "norm cannot take the list [1.0] as 'A'"),
    (lambda: minitorch.exp([1.0]), "expected a number, a Value or a Tensor, not list ([1.0])"),
    (lambda: minitorch.isin([1.0], [2.0]), "expected a number, a Value or a Tensor, not list ([1.0])"),
    (lambda: tensor([[1.0]]).matmul([[2.0]]), "matmul cannot take the list [[2.0]] as 'b'"),
    (lambda: tensor([1.0]).dot([2.0]), "dot cannot take the list [2.0] as '"),
    (lambda: tensor([1.0]).gather(0, [0]), "gather cannot take the list [0] as 'index'"),
    (lambda: minitorch.poisson(tensor([1.0]), 3), "poisson cannot take the int 3 as 'generator'"),
]


@pytest.mark.parametrize(("call", "said"), LISTS, ids=[said.split()[0] for _, said in LISTS])
def test_lists_in_place_of_tensors_are_named(call: Any, said: str) -> None:
    with pytest.raises(TypeError) as caught:
        call()
    assert str(caught.value).startswith(said)


SQUARE = tensor([[1.0, 2.0], [3.0, 4.0]])
MISTAKEN = [
    (lambda: minitorch.stack(SQUARE, SQUARE), TypeError, "stack takes the tensors as one list: stack([a, b])"),
    (lambda: minitorch.cat(SQUARE), TypeError, "cat takes the tensors as one list: cat([a, b])"),
    (lambda: SQUARE.sum(dim="a"), TypeError, "an axis is a whole number, not str"),
    (lambda: SQUARE.softmax(1.0), TypeError, "an axis is a whole number, not float"),
    (lambda: minitorch.zeros(2.5), TypeError, "a size is a whole number, not float"),
    (lambda: SQUARE.reshape("a"), TypeError, "a size is a whole number, not str"),
    (lambda: SQUARE @ tensor([1.0, 2.0, 3.0]), ValueError, "matmul cannot take input a of shape (2, 2) and input b of shape (3,)"),
    (lambda: tensor([1.0]) @ minitorch.zeros(5, 3, 2), ValueError, "matmul cannot take input a of shape (1,) and input b of shape (5, 3, 2)"),
]


@pytest.mark.parametrize(("call", "kind", "said"), MISTAKEN, ids=[said[:40] for *_, said in MISTAKEN])
def test_mistaken_axes_sizes_and_shapes_are_said_as_they_were_given(call: Any, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value).startswith(said)


def test_other_mistakes_stay_what_they_are() -> None:
    with pytest.raises(AttributeError, match="no attribute 'softmax'"):
        F.triplet_margin_with_distance_loss(
            *(tensor([1.0]),) * 3, distance_function=lambda a, b: a.numpy().softmax(0)
        )
    with pytest.raises(TypeError, match="positional argument"):
        minitorch.sum()


def test_functions_can_be_pickled() -> None:
    for function in (minitorch.sum, minitorch.inverse, minitorch.linalg.inv, F.softmax, minitorch.softmax, F.dropout):
        assert pickle.loads(pickle.dumps(function)) is function


def test_whole_numbers_become_floats_where_only_floats_make_sense() -> None:
    scores, classes = tensor([[1, 2], [3, 1]]), tensor([0, 1])
    assert F.cross_entropy(scores, classes).item() == F.cross_entropy(scores.float(), classes).item()
    np.testing.assert_allclose(F.rms_norm(scores, (2,)).tolist(), F.rms_norm(scores.float(), (2,)).tolist(), 1e-6)
    assert F.dropout(scores).dtype == F.alpha_dropout(scores, training=True).dtype == minitorch.float32


def test_graphs_are_not_lost_unasked() -> None:
    x = tensor([1.0], requires_grad=True)
    for data in ([x, x], [Value(1.0)], Value(1.0), [[x]]):
        with pytest.raises(TypeError, match="stack"):
            tensor(data)
    for call in (x.numpy, lambda: np.asarray(x), lambda: np.array(x)):
        with pytest.raises(RuntimeError, match="detach"):
            call()
    assert np.asarray(x.detach()).tolist() == [1.0] and np.array(tensor([1, 2]), dtype="float32").dtype == "float32"


def test_dtypes_by_any_name() -> None:
    for name in ("float32", minitorch.float32, np.float32, np.dtype("float32")):
        assert tensor([1, 2], dtype=name).dtype == minitorch.float32
    assert tensor([1.5], dtype="int64").tolist() == [1]
    assert tensor([0.0, 2.0], dtype="bool").tolist() == [False, True]


# Numbers and NumPy around it


@pytest.mark.parametrize("sign", BINARY, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_numbers_on_either_side_are_pytorchs(sign: Any, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = tensor([3, 5], dtype=dtype), torch.tensor([3, 5], dtype=getattr(torch, dtype))
    for number in (2, 2.5, True):
        for call in (lambda x: sign(x, number), lambda x: sign(number, x)):  # noqa: B023
            try:
                expected = call(theirs)
            except (RuntimeError, TypeError):
                continue
            found = call(ours)
            assert found.dtype.name == str(expected.dtype).split(".")[1]
            np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-6)


@pytest.mark.parametrize("sign", [*BINARY, operator.matmul], ids=lambda f: f.__name__)
def test_arrays_on_either_side_give_tensors(sign: Any) -> None:
    x, array = tensor([3.0, 5.0], dtype="float64", requires_grad=True), np.array([2.0, 4.0])
    for left, right in ((x, array), (array, x)):
        found = sign(left, right)
        assert type(found) is Tensor and found.requires_grad
        np.testing.assert_allclose(found.detach().numpy(), sign(np.asarray(getattr(left, "raw", left)), np.asarray(getattr(right, "raw", right))))


def test_comparisons_give_bools_and_no_graph() -> None:
    x = tensor([1.0, 2.0, 3.0], requires_grad=True)
    for found, expected in (
        (x > 2, [0, 0, 1]), (x >= 2, [0, 1, 1]), (2 < x, [0, 0, 1]), (x == 2, [0, 1, 0]), (x != np.array([1, 0, 3]), [0, 1, 0]),
        (~(x > 2), [1, 1, 0]), ((x > 1) & (x < 3), [0, 1, 0]), ((x < 2) | (x > 2), [1, 0, 1]), (x < Value(2.0), [1, 0, 0]),
        (np.array([9.0, 0.0, 9.0]) > x, [1, 0, 1]),
    ):  # fmt: skip
        assert type(found) is Tensor and found.dtype == "bool" and not found.requires_grad
        assert found.tolist() == [bool(n) for n in expected]
    assert (x == None) is False and (x != "a") is True  # noqa: E711
    assert x in [x] and {x: 1}[x] == 1


def test_as_one_number() -> None:
    assert float(tensor(2.5)) == 2.5 and int(tensor([3])) == 3 and bool(tensor([[1.0]])) and f"{tensor(2.5):.2f}" == "2.50"
    assert [10, 20, 30][tensor(1)] == 20 and list(range(tensor(3))) == [0, 1, 2]
    x = tensor([1.0, 2.0])
    for call in (x.item, lambda: float(x), lambda: bool(x)):
        with pytest.raises(ValueError, match=r"\(2,\)"):
            call()


def test_as_a_sequence() -> None:
    x = tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    a, b = x
    assert len(x) == 2 and a.tolist() == [1.0, 2.0] and [r.tolist() for r in reversed(list(x))] == [[3.0, 4.0], [1.0, 2.0]]
    (a * b).sum().backward()
    assert x.grad.tolist() == [[3.0, 4.0], [1.0, 2.0]]
    for call in (lambda: len(tensor(1.0)), lambda: list(tensor(1.0))):
        with pytest.raises(TypeError, match="0-d"):
            call()


# Attributes


def test_what_it_tells_about_itself() -> None:
    x = tensor(np.zeros((2, 3)), requires_grad=True)
    assert (x.shape, x.size(), x.size(-1), x.ndim, x.dim(), x.numel()) == ((2, 3), (2, 3), 3, 2, 2, 6)
    assert x.dtype == minitorch.float64 and x.device == "cpu" and x.is_leaf and x.grad is None and x.name is None
    assert x.T.shape == (3, 2) and x.mT.shape == (3, 2)
    n, m = x.shape
    assert (n, m) == (2, 3)


def test_gradients_are_set_only_where_they_fit() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    x.grad = tensor([1.0, 1.0])
    x.grad = None
    with pytest.raises((ValueError, RuntimeError), match=r"\(3,\).*\(2,\)"):
        x.grad = tensor([1.0, 1.0, 1.0])
    with pytest.raises(TypeError, match="ndarray"):
        x.grad = np.ones(2)  # type: ignore[assignment]


def test_requires_grad_changes_on_leaves() -> None:
    x = tensor([1.0])
    assert x.requires_grad_() is x and x.requires_grad
    x.requires_grad = False
    assert not (x * 2).requires_grad
    y = tensor([1.0], requires_grad=True) * 2
    with pytest.raises(RuntimeError, match="detach"):
        y.requires_grad_(False)


def test_text() -> None:
    assert repr(tensor([1.0, 2.5])) == "tensor([1. , 2.5])"
    assert repr(tensor(3)) == "tensor(3)" and "dtype=float64" in repr(tensor(1.0, dtype="float64"))
    x = tensor([1.0], requires_grad=True)
    assert "requires_grad=True" in repr(x) and "mul" in repr(x * 2)
    assert len(repr(tensor(np.zeros((1000, 1000))))) < 1000
    assert "\n" in repr(tensor(np.zeros((2, 2)))) and str(x) == repr(x)


def test_plain_copies() -> None:
    x = tensor([1.0], requires_grad=True)
    twin, restored = copy.copy(x), pickle.loads(pickle.dumps(x))
    for made, shares in ((twin, True), (restored, False), (copy.deepcopy(x), False)):
        assert type(made) is Tensor and made.requires_grad and np.shares_memory(made.raw, x.raw) is shares
    v = Value(2.0, name="v")
    values = [v, copy.copy(v), pickle.loads(pickle.dumps(v)), copy.deepcopy(v)]
    assert {value.name for value in values} == {"v"}
    out = x * twin * restored * minitorch.stack(values).sum()
    nodes = minitorch.core.node.ancestors(out)
    assert sum(node.is_leaf for node in nodes) == 7
    parameter = pickle.loads(pickle.dumps(minitorch.nn.Parameter(tensor([1.0]))))
    assert type(parameter) is minitorch.nn.Parameter and parameter.requires_grad


def test_0d_tensors_stay_tensors() -> None:
    x = tensor(2.0, requires_grad=True)
    for out in (x * 2, x.sum(), x.exp(), x[...], x.reshape(()), x.mean(), -x, x**2, x.max(), x.clone(), x + np.float32(1), x.sum(0)):
        assert type(out) is Tensor and type(out.raw) is np.ndarray and out.shape == ()
        (g,) = minitorch.grad(out, x)
        assert type(g.raw) is np.ndarray and g.shape == () and g.dtype == "float32"


def test_numpy_scalars_never_widen() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    for number in (np.float64(2.0), np.float32(2.0), np.int64(2), 2.0, 2, np.array(2.0)):
        for sign in BINARY[:5]:
            assert sign(x, number).dtype == "float32" and sign(number, x).dtype == "float32"


def test_a_tensor_is_freed_with_its_last_name() -> None:
    gc.collect()
    gc.disable()
    try:
        import weakref

        x = tensor([1.0], requires_grad=True)
        x.register_hook(lambda g: g)
        y = x * 2
        refs = [weakref.ref(x), weakref.ref(y)]
        del x, y
        assert [ref() for ref in refs] == [None, None]
    finally:
        gc.enable()


def test_gradient_of_a_dtype_change() -> None:
    x = tensor([1.5, 2.5], requires_grad=True)
    half = x.to("float16")
    (half * half).sum().backward()
    assert half.dtype == "float16" and x.grad.dtype == "float32" and x.grad.tolist() == [3.0, 5.0]


def test_grad_fn_walks_the_graph_as_pytorchs_does() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    y = x * 2 + tensor([1.0, 1.0])
    assert x.grad_fn is None and tensor([1.0]).grad_fn is None
    assert repr(y.grad_fn) == "<AddBackward0>"
    (product, number), (constant, _) = y.grad_fn.next_functions
    assert (product.name(), number, constant) == ("MulBackward0", 0, None)
    assert product == y.grad_fn.next_functions[0][0]
    leaf = product.next_functions[0][0]
    assert leaf.name() == "AccumulateGrad" and leaf.variable is x and leaf.next_functions == ()
    with pytest.raises(AttributeError, match="AccumulateGrad"):
        _ = product.variable
    y.sum().backward()
    assert y.grad_fn.next_functions == ()


def test_detach_in_place_makes_a_leaf() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    assert y.detach_() is y and y.is_leaf and not y.requires_grad and y.tolist() == [2.0, 4.0]


def test_softmax_of_whole_numbers_is_of_floats() -> None:
    assert tensor([1, 2]).softmax(0).dtype == np.float32
    assert tensor([1, 2]).log_softmax(0).tolist() == tensor([1.0, 2.0]).log_softmax(0).tolist()
