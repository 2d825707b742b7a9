"""why, predict, check."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitorch import Value
from minitorch.core import paths
from repl import elements
from tests.repl.driver import REUSE, refuse, say, session

MATRIX = (
    "x = tensor([[1.0, 2.0]])",
    "W = tensor([[0.5, -1.0], [0.25, 1.0]], requires_grad=True)",
    "L = (x @ W).tanh().sum()",
    "backward L",
)


def test_why_is_a_sum_over_paths() -> None:
    assert say(session(*REUSE), "why a") == (
        "∂L/∂a = -3.0 + 1.0 = -2.0\n  product  factors       path\n     -3.0  1.0 × (-3.0)  L → e → a\n      1.0  1.0           L → a\n"
    )
    s = session("a = Value(1.0)", "b = a + a", "c = b + b", "backward c")
    assert say(s, "why a").count("c → b → a") == 4


def test_why_of_an_element() -> None:
    s = session(*MATRIX)
    shown = say(s, "why W[0,1]")
    assert "∂L/∂W[0,1] = 0.42" in shown and "W[0,1]" in say(s, "why W[0,1]", width=120).splitlines()[-1]
    assert "has 4 elements; name one, as `why W[0,0]`" in refuse(s, "why W")
    assert "is outside it" in refuse(s, "why W[5,5]")
    assert "∂L/∂W[1,1]" in say(s, "why W[-1,-1]")


NET = (
    "generator = minitorch.manual_seed(3)",
    "x, y = minitorch.randn(2, 3, dtype=np.float64), tensor([0, 1])",
    "W = minitorch.randn(3, 2, dtype=np.float64).requires_grad_()",
    "V = minitorch.randn(2, 2, dtype=np.float64).requires_grad_()",
    "h = (x @ W).relu() + 0.1 * (x @ W)",
    "L = nn.functional.cross_entropy(nn.functional.softmax(h @ V, dim=1) + h, y)",
    "backward L",
)


def test_the_search_through_large_tensors_finds_the_paths_that_there_are() -> None:
    s = session(*NET)
    assert s.stepper is not None and s.branches is not None
    root, node = s.namespace["L"], s.namespace["W"]
    flows = s.branches.current.gradients()
    trails, complete = elements.largest(s.graph, flows, root, node, (1, 0), 100)
    assert complete and sum(trail.product for trail in trails) == pytest.approx(float(flows[node][1, 0]), rel=1e-9)
    for trail in trails:
        assert trail.product == pytest.approx(np.prod([hop.local for hop in trail.hops]))
        assert trail.hops[-1].node is root and trail.hops[0].node.inputs[trail.hops[0].slot] is node
    few, complete = elements.largest(s.graph, flows, root, node, (1, 0), 3)
    assert not complete and [t.product for t in few] == pytest.approx([t.product for t in trails[:3]])


def test_why_searches_where_the_tensors_are_too_large_to_take_apart() -> None:
    s = session(
        "generator = minitorch.manual_seed(0)",
        "net = nn.Sequential(nn.Linear(60, 50), nn.ReLU(), nn.Linear(50, 10))",
        "L = nn.CrossEntropyLoss()(net(minitorch.randn(8, 60)), minitorch.arange(8))",
        "backward L",
    )
    shown = say(s, "why net.0.weight[3,7]", width=120)
    assert "∂L/∂net.0.weight[3,7] = " in shown and "relu_1[" in shown and "factors" in shown
    assert "the largest that a search found; all others add" in " ".join(shown.split())
    narrow = say(s, "why net.0.weight[3,7]", width=60)
    assert "factors" not in narrow and "→ linear_2[" in narrow
    assert "the largest" not in say(s, "why linear_2[0,0]")
    say(s, "net[0].bias.data.fill_(-100.0)")
    say(s, "L = nn.CrossEntropyLoss()(net(minitorch.randn(8, 60)), minitorch.arange(8))")
    say(s, "backward L")
    assert say(s, "why net.0.weight[3,7]") == "∂L/∂net.0.weight[3,7] = 0.0: on every path a factor is 0\n"


def test_why_bounds_what_it_lists() -> None:
    s = session("x = Value(1.0)", "for _ in range(40): x = x + x * 0.5", "backward x")
    s.namespace["y"] = s.stepper.order[-1].inputs[0] if s.stepper else None
    shown = say(s, "why y")
    assert "1,099,511,627,776 paths" in shown and len(shown.splitlines()) <= 12


def test_why_where_there_is_no_path() -> None:
    s = session("a = Value(1.0)", "b = Value(2.0)", "L = a * 2.0 + b", "M = a * 3.0", "backward L")
    assert "no part in the pass" in refuse(s, "why M")
    assert "why what" in refuse(s, "why")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), st.sampled_from("+*t")), min_size=1, max_size=12))
def test_why_totals_are_the_gradient(program: list[tuple[int, int, str]]) -> None:
    nodes = [Value(0.5, name="a"), Value(-1.25, name="b")]
    for i, j, op in program:
        x, y = nodes[i % len(nodes)], nodes[j % len(nodes)]
        nodes.append(x + y if op == "+" else x * y if op == "*" else x.tanh())
    nodes[-1].backward()
    for leaf in nodes[:2]:
        assert paths.why(nodes[-1], leaf).total == pytest.approx(leaf.grad or 0.0, rel=1e-12, abs=1e-12)


def test_predict_asks_compares_and_steps() -> None:
    s = session(*REUSE)
    asked = say(s, "predict")
    assert "what does L hand on to e?" in asked and s.stepper is not None and s.stepper.position == 0
    assert "right: 1.0   (1 of 1 right)" in say(s, "predict 1")
    assert "not quite: you said 3, it is 1.0   (1 of 2 right)" in say(s, "predict 3")
    assert "right: -3.0" in say(s, "predict b.data * 1.0")
    say(s, "end")
    assert "nothing left to predict" in refuse(s, "predict")


def test_predict_an_array() -> None:
    s = session(*MATRIX)
    assert "`predict ARRAY`" in say(s, "predict")
    assert "right" in say(s, "predict np.ones((1, 2))")
    assert "neither a number nor an array" in refuse(s, "predict 'x'")


def test_check_measures() -> None:
    s = session(*MATRIX, "step")
    shown = say(s, "check W")
    assert shown.count("agrees") == 4 and "DIFFERS" not in shown
    assert say(s, "check W[1,0]").count("agrees") == 1
    assert "∂L/∂tanh_1" in say(s, "check")
    assert "no gradient flows" in refuse(s, "check x")
    assert "root" in say(s, "check L")
    s = session(*REUSE)
    assert say(s, "check a").count("agrees") == 1 and s.namespace["a"].grad is None


def test_check_finds_a_wrong_algorithm() -> None:
    s = session("a = Value(1.0)", "b = a + a", "c = b + b", "backward c", "rule assign")
    assert "DIFFERS" in say(s, "check a")
