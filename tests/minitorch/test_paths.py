"""The gradient as a sum over paths: total, count, and the largest ones."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import pytest
from hypothesis import given

from minitorch import Value, tensor
from minitorch.core.node import ancestors
from minitorch.core.paths import why

from .programs import Program, build_values, numbers, programs


@st.composite
def scalar_graphs(draw: st.DrawFn) -> tuple[list[Value], Value]:
    """A few leaves, and a result made from them with reuse."""
    leaves = [Value(draw(st.floats(-2, 2))) for _ in range(draw(st.integers(1, 3)))]
    nodes = list(leaves)
    for _ in range(draw(st.integers(1, 12))):
        a, b = draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes))
        nodes.append(draw(st.sampled_from([a + b, a * b, a - b, a.tanh(), b.relu(), a * 0.5])))
    return leaves, nodes[-1]


def all_paths(root: Value, node: Value, product: float = 1.0) -> list[float]:
    """Every path, by recursion: the definition."""
    if root is node:
        return [product]
    if root.op is None:
        return []
    found = []
    for slot, x in enumerate(root.inputs):
        if isinstance(x, Value):
            raws = [i.raw if isinstance(i, Value) else i for i in root.inputs]
            from minitorch.backend import scalar

            ((_, _, local),) = root.op.pull(scalar, 1.0, root.raw, None, (slot,), raws)
            found += all_paths(x, node, product * local)
    return found


@given(scalar_graphs())
def test_total_count_and_largest_paths_are_those_of_the_definition(graph):
    leaves, root = graph
    if root.op is None:
        return
    root.backward()
    for leaf in leaves:
        products = all_paths(root, leaf)
        if len(products) > 2000:
            continue
        answer = why(root, leaf, limit=5)
        assert answer.count == len(products)
        assert answer.total == pytest.approx(leaf.grad or 0.0, rel=1e-9, abs=1e-12)
        largest = sorted(map(abs, products), reverse=True)[:5]
        assert [abs(path.product) for path in answer.paths] == pytest.approx(largest, rel=1e-9, abs=1e-300)
        assert all(path.product == pytest.approx(math.prod(e.local for e in path.edges)) for path in answer.paths)


def test_more_paths_than_atoms_are_counted_and_the_largest_found():
    x = Value(0.5)
    y = x
    for _ in range(200):
        y = y * 0.25 + y.tanh() * 0.5
    answer = why(y, x, limit=3)
    assert answer.count == 2**200
    y.backward()
    assert answer.total == pytest.approx(x.grad, rel=1e-9)
    assert len(answer.paths) == 3


def test_a_tensor_on_the_way_is_refused_by_name():
    v = Value(2.0)
    with pytest.raises(TypeError, match="'mul' is or reads a tensor: unfold the graph"):
        why((v * tensor([1.0, 2.0])).sum(), v)


def test_a_node_that_the_root_does_not_depend_on_has_no_paths():
    a, b = Value(1.0), Value(2.0)
    answer = why(a * 2, b)
    assert (answer.count, answer.total, answer.paths) == (0, 0.0, ())


@given(programs, st.lists(numbers, min_size=1, max_size=3))
def test_the_total_is_the_gradient_of_any_graph(program: Program, leaves: list[float]) -> None:
    root, start = build_values(program, leaves)
    root.backward()
    for node in ancestors(root):
        answer = why(root, node, limit=3)
        if node.grad is None or not math.isfinite(node.grad) or not math.isfinite(answer.total):
            continue
        # A sum of large paths of either sign may lose digits: compared with the largest.
        size = max([1.0, *(abs(path.product) for path in answer.paths if math.isfinite(path.product))])
        assert answer.total == pytest.approx(node.grad, rel=1e-9, abs=1e-9 * size)
        assert answer.rest + sum(path.product for path in answer.paths) == pytest.approx(answer.total, rel=1e-9, abs=1e-9 * size)
        assert (answer.count == 0) == (not answer.paths) and len(answer.paths) == min(3, answer.count)
