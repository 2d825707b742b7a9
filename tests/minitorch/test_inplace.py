"""Edits in place: `out += x`, `x[...] = v`, under no_grad and on plain tensors; which old numbers a gradient still needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch import Tensor, no_grad, tensor


def leaf(*numbers: float) -> Tensor:
    return tensor(list(numbers), dtype="float64", requires_grad=True)


# out += x


def test_on_a_recorded_tensor_it_is_arithmetic() -> None:
    x = leaf(1.0, 2.0)
    out = first = x * 1.0
    out += x
    out *= 3.0
    out -= 1.0
    out /= 2.0
    out **= 2.0
    assert out is not first and first.tolist() == [1.0, 2.0]
    out.sum().backward()
    # ((2x · 3 - 1) / 2)² → 2 · ((6x - 1) / 2) · 3
    assert x.grad.tolist() == [3 * (6 - 1), 3 * (12 - 1)]


def test_on_a_leaf_under_no_grad_it_edits() -> None:
    w = leaf(1.0, 2.0)
    array, same = w.raw, w
    with no_grad():
        w += 1.0
        w *= 2.0
        w -= tensor([1.0, 1.0])
        w /= 1.0
    assert w is same and w.raw is array and w.tolist() == [3.0, 5.0] and w.requires_grad and w.is_leaf


def test_on_a_plain_tensor_it_edits() -> None:
    total = tensor([0.0, 0.0])
    held = total
    for _ in range(3):
        total += tensor([1.0, 2.0])
    assert held is total and total.tolist() == [3.0, 6.0]
    total += leaf(1.0, 1.0)  # from here on it is a result
    assert total.requires_grad and held.tolist() == [3.0, 6.0]


def test_it_keeps_shape_and_kind_of_number() -> None:
    with pytest.raises((ValueError, RuntimeError), match=r"\(2,\).*\(3, 2\)"):
        out = tensor([1.0, 2.0])
        out += tensor(np.ones((3, 2)))
    counts = tensor([1, 2])
    with pytest.raises((RuntimeError, TypeError), match="int64"):
        counts += 0.5
    counts += 2
    assert counts.tolist() == [3, 4] and counts.dtype == "int64"
    small = tensor([1.0])
    small += tensor([1.0], dtype="float64")
    assert small.dtype == "float32" and small.tolist() == [2.0]


def test_a_numpy_array_is_not_edited_by_a_tensor() -> None:
    array = np.array([1.0, 1.0])
    with pytest.raises(TypeError):  # NumPy would lose the graph
        array += leaf(1.0, 2.0)
    assert (array + leaf(1.0, 2.0)).requires_grad


# x[...] = v


def test_a_buffer_filled_row_by_row() -> None:
    x = leaf(1.0, 2.0, 3.0)
    buffer = tensor(np.zeros((3, 2)))
    same = buffer
    for i in range(3):
        buffer[i] = x[i] * (i + 1)
    assert buffer is same and buffer.requires_grad and buffer.tolist() == [[1, 1], [4, 4], [9, 9]]
    (buffer * tensor([1.0, 10.0], dtype="float64")).sum().backward()
    assert x.grad.tolist() == [11.0, 22.0, 33.0]


def test_what_was_overwritten_gets_no_gradient() -> None:
    x, v = leaf(1.0, 2.0, 3.0), leaf(10.0)
    y = x * 2
    y[1:2] = v
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 2.0] and v.grad.tolist() == [1.0]


def test_numbers_arrays_masks_and_values_may_be_written() -> None:
    x = leaf(1.0, -2.0, 3.0)
    y = x * 1
    y[y < 0] = 0.0
    y[[0]] = np.array([5.0])
    y[-1] = minitorch.Value(7.0)
    assert y.tolist() == [5.0, 0.0, 7.0]
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0]


def test_the_second_derivative_of_a_write() -> None:
    x, v = leaf(1.0, 2.0), leaf(3.0)
    y = x * x
    y[0:1] = v * v
    (dx, dv) = minitorch.grad((y * y).sum(), [x, v], create_graph=True)
    second = minitorch.grad(dx.sum() + dv.sum(), [x, v])
    assert dx.tolist() == [0.0, 32.0] and dv.tolist() == [108.0]  # 4x³, 4v³
    assert [g.tolist() for g in second] == [[0.0, 48.0], [108.0]]


def test_a_value_already_read_is_not_overwritten() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2
    z = (y * y).sum()
    with pytest.raises(RuntimeError, match=r"'y' was already read by mul.*y = y\.clone\(\)"):
        y[0] = 5.0
    assert y.tolist() == [2.0, 4.0]
    z.backward()
    assert x.grad.tolist() == [8.0, 16.0]
    y = x * 2
    z = y * y
    del z  # nobody needs the old numbers any more
    y[0] = 5.0
    assert y.tolist() == [5.0, 4.0]


def test_a_leaf_is_not_overwritten_while_recording() -> None:
    w = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"'w' is a leaf.*no_grad.*w = w\.clone\(\)"):
        w[0] = 3.0
    with no_grad():
        w[0] = 3.0
    assert w.tolist() == [3.0, 2.0] and w.is_leaf and w.requires_grad


@pytest.mark.parametrize("look", [lambda x: x[0:1], lambda x: x.detach(), lambda x: x.reshape(2, 1)])
def test_a_recorded_write_that_others_would_not_see_is_refused(look: Any) -> None:
    w = leaf(1.0)
    buffer = tensor([0.0, 0.0])
    other = look(buffer)
    with pytest.raises(RuntimeError, match=r"'buffer' shares its memory.*buffer = buffer\.clone\(\)"):
        buffer[0] = w[0]
    del other
    buffer[0] = w[0]
    assert buffer.requires_grad and buffer.tolist() == [1.0, 0.0]


def test_writing_into_a_view_reaches_its_base() -> None:
    base = tensor(np.zeros((2, 3)))
    base[0][1] = 5.0
    row = base[1]
    row[:] = 7.0
    row[0] += 1.0
    assert base.tolist() == [[0.0, 5.0, 0.0], [8.0, 7.0, 7.0]]
    vector = tensor([1.0, 2.0])
    for element in vector:
        element += 10.0
    assert vector.tolist() == [11.0, 12.0]


def test_writing_into_a_recorded_view_is_not_lost() -> None:
    x = leaf(1.0, 2.0, 3.0, 4.0)
    y = x * 2
    row = y[0:2]
    with pytest.raises(RuntimeError, match="'row' is a view.*write into that one"):
        row[0] = 9.0


# Stale inputs


@pytest.mark.parametrize("edit", ["+=", "[]=", "data", "view", "detach", "base"])
def test_an_edited_input_is_named(edit: str) -> None:
    w, x = leaf(1.0, 2.0), tensor([3.0, 4.0], dtype="float64")
    out = (w * x).sum()
    with no_grad():
        if edit == "+=":
            x += 1.0
        elif edit == "[]=":
            x[0] = 1.0
        elif edit == "data":
            x.data = tensor([1.0, 1.0], dtype="float64")
        elif edit == "view":
            part = x[0:1]
            part += 1.0
        elif edit == "detach":
            x.detach()[1] = 0.0
        else:
            x.reshape(2, 1)[0] = 0.0
    with pytest.raises(RuntimeError, match=r"'x', read by mul.*edited in place.*clone"):
        out.backward()
    assert w.grad is None
    with pytest.raises(RuntimeError, match="'x', read by mul"):
        minitorch.Stepper(out).run()


def test_an_edited_base_spoils_its_views() -> None:
    w, base = leaf(1.0, 2.0), tensor(np.ones((2, 2)))
    row = base[0]
    out = (w * row).sum()
    with no_grad():
        base *= 2.0
    with pytest.raises(RuntimeError, match="'row', read by mul"):
        out.backward()


def test_an_edited_result_is_named() -> None:
    x = leaf(1.0, 2.0)
    y = x.exp()
    with no_grad():
        y += 1.0
    with pytest.raises(RuntimeError, match="result of exp"):
        y.sum().backward()


def test_what_nobody_reads_may_be_edited() -> None:
    w, x = leaf(1.0, 2.0), leaf(3.0, 4.0)
    out = (w + x).sum() + (w * 2.0).sum() + w.reshape(2, 1).sum()
    with no_grad():
        w += 1.0
        x[0] = 100.0
    out.backward()
    assert w.grad.tolist() == [4.0, 4.0] and x.grad.tolist() == [1.0, 1.0]


def test_a_step_between_two_backwards_is_named() -> None:
    """The classic: retain_graph, a step of the optimizer, backward again."""
    w = leaf(1.0, 2.0)
    loss = (w * w).sum()
    loss.backward(retain_graph=True)
    with no_grad():
        w -= 0.1 * w.grad
    with pytest.raises(RuntimeError, match="'w', read by mul"):
        loss.backward()


def test_the_same_message_under_create_graph_and_grad() -> None:
    w = leaf(1.0)
    out = w * w
    with no_grad():
        w += 1.0
    for call in (lambda: minitorch.grad(out, w), lambda: minitorch.grad(out, w, create_graph=True)):
        with pytest.raises(RuntimeError, match="'w', read by mul"):
            call()


def test_the_line_is_told_where_it_is_known() -> None:
    w = leaf(1.0)
    with minitorch.inspect():
        out = w * w
    with no_grad():
        w += 1.0
    with pytest.raises(RuntimeError, match=r"test_inplace\.py:\d+"):
        out.backward()


def test_an_index_is_read_when_it_is_used() -> None:
    x, index = leaf(1.0, 2.0, 3.0), tensor([0, 1])
    mask = np.array([True, False, True])
    out = x[index].sum() * 2 + x[mask].sum() * 3
    index += 1
    mask[:] = True
    out.backward()
    assert x.grad.tolist() == [5.0, 2.0, 3.0]


def test_detach_shares_memory_and_clone_does_not() -> None:
    x = leaf(1.0, 2.0)
    shared, own = x.detach(), x.clone().detach()
    shared[0] = 9.0
    assert x.tolist() == [9.0, 2.0] and own.tolist() == [1.0, 2.0]
    assert not shared.requires_grad and shared.is_leaf
    x.data[1] = 7.0
    assert x.tolist() == [9.0, 7.0]
    x.data = np.array([1.0, 1.0])
    assert x.tolist() == [1.0, 1.0] and x.dtype == "float64"


def test_a_broadcast_view_is_not_edited() -> None:
    wide: Any = tensor([1.0]).broadcast_to((3,))
    with pytest.raises((ValueError, RuntimeError)):
        wide += 1.0
    assert wide.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(("name", "args"), [("unsqueeze", (0,)), ("squeeze", ()), ("transpose", (0, 1)), ("t", ())])
def test_a_shape_changed_in_place(name: str, args: tuple[int, ...]) -> None:
    numbers = np.arange(3.0).reshape(1, 3)
    x = tensor(numbers)
    expected = getattr(tensor(numbers), name)(*args)
    assert getattr(x, name + "_")(*args) is x
    assert x.shape == expected.shape and x.tolist() == expected.tolist()

    leaf = tensor(numbers, requires_grad=True)
    y = leaf * 2
    getattr(y, name + "_")(*args)
    (y * expected).sum().backward()
    assert leaf.grad.tolist() == (2 * numbers).tolist()


def test_who_read_it_in_its_old_shape_says_so() -> None:
    mask = tensor([[1.0, 0.0]])
    y = (tensor([[2.0, 3.0]], requires_grad=True) * mask).sum()
    mask.t_()
    with pytest.raises(RuntimeError, match="edited"):
        y.backward()
