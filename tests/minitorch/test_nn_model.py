"""nn.Model: a recorded graph as a function."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch
from minitorch import Value, nn


def test_a_recorded_graph_runs_on_other_inputs_and_batches() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    x = minitorch.zeros(1, 3).requires_grad_()
    model = nn.Model(x, net(x))
    batch = minitorch.randn(5, 3)
    np.testing.assert_array_equal(model(batch).detach().numpy(), net(batch).detach().numpy())


def test_parameters_are_shared_and_trained() -> None:
    layer = nn.Linear(2, 1)
    x = minitorch.ones(1, 2).requires_grad_()
    model = nn.Model(x, layer(x))
    assert {id(p) for p in model.parameters()} == {id(layer.weight), id(layer.bias)}
    optimizer = minitorch.optim.SGD(model.parameters(), lr=0.1)
    data, target = minitorch.randn(8, 2), minitorch.ones(8, 1)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = ((model(data) - target) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
    np.testing.assert_array_equal(model(data).detach().numpy(), layer(data).detach().numpy())


def test_several_inputs_and_outputs_and_values() -> None:
    a, b = Value(2.0), Value(3.0)
    product, total = nn.Model([a, b], [a * b, a + b])(Value(5.0), Value(7.0))
    assert (product.data, total.data) == (35.0, 12.0)
    w = Value(4.0)
    y = nn.Model(a, a * w + a)(Value(10.0))
    y.backward()
    assert y.data == 50.0 and w.grad == 10.0


def test_recorded_draws_and_nodes_are_kept() -> None:
    x = minitorch.ones(1, 1000).requires_grad_()
    y = nn.Dropout(0.5)(x)
    model = nn.Model(x, y)
    before = y.detach().numpy().copy()
    first, second = model(minitorch.ones(1, 1000)), model(minitorch.ones(1, 1000))
    np.testing.assert_array_equal(first.detach().numpy(), second.detach().numpy())
    np.testing.assert_array_equal(y.detach().numpy(), before)


def test_mistakes() -> None:
    x = minitorch.ones(2)
    w = minitorch.ones(2).requires_grad_()
    with pytest.raises(ValueError, match="does not depend on its inputs"):
        nn.Model(x, w * 2)
    with pytest.raises(TypeError, match="takes 1 input, not 2"):
        nn.Model(w, w * 2)(x, x)
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    x = minitorch.zeros(2, 3).requires_grad_()
    with pytest.raises(ValueError, match=r"dropout cannot take .*; the model was recorded with input of shape \(2, 3\), and its"):
        nn.Model(x, net(x))(minitorch.ones(5, 3))


def test_batch_norm_and_dropout_recorded_in_eval_take_any_batch() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
    net(minitorch.randn(8, 3))
    net.eval()
    x = minitorch.zeros(2, 3).requires_grad_()
    model = nn.Model(x, net(x))
    batch, before = minitorch.randn(5, 3), net[1].running_mean.numpy().copy()
    np.testing.assert_array_equal(model(batch).detach().numpy(), net(batch).detach().numpy())
    np.testing.assert_array_equal(net[1].running_mean.numpy(), before)
    assert [name for name, _ in model.named_parameters()] == [
        "0_weight", "0_bias", "1_weight", "1_bias", "3_weight", "3_bias",
    ]  # fmt: skip


def test_results_of_one_operation_and_a_graph_that_was_freed() -> None:
    cell = nn.LSTMCell(3, 2)
    x = minitorch.zeros(1, 3).requires_grad_()
    h, c = cell(x)
    model = nn.Model(x, [h, c])
    (h.sum() + c.sum()).backward()
    other = minitorch.randn(1, 3)
    for mine, its in zip(model(other), cell(other)):
        np.testing.assert_array_equal(mine.detach().numpy(), its.detach().numpy())


class Half(minitorch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 0.5

    @staticmethod
    def backward(ctx, grad):
        return grad * 0.5


def test_a_function_of_ones_own_is_refused_by_name() -> None:
    x = minitorch.ones(2).requires_grad_()
    with pytest.raises(ValueError, match="comes through Half, a Function of its own"):
        nn.Model(x, Half.apply(x))
