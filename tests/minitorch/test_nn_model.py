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
    with pytest.raises(TypeError, match="takes 1 inputs, not 2"):
        nn.Model(w, w * 2)(x, x)
