"""What nodes are called: given names, variables, then mul_3; unique, and the same every time they are shown."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch import Value, nn, tensor
from minitorch.core.location import variable_name
from minitorch.core.naming import frame_variables, names
from minitorch.core.node import ancestors

from .programs import Program, build_values, programs


def test_a_given_name_wins_then_a_variable_then_a_number() -> None:
    a, b = Value(1.0, name="alpha"), Value(2.0)
    c = a * b
    d = (c + 1.0) * (c * 2.0)
    shown = names(d, {"a": a, "b": b, "root": d})
    assert [shown[n] for n in ancestors(d)] == ["alpha", "b", "mul_1", "add_1", "mul_2", "root"]


def test_numbers_stick_to_their_nodes() -> None:
    a = Value(1.0, name="a")
    first, second, third = a * 2, a * 3, a * 4
    assert names(second)[second] == "mul_1"
    shown = names(first + second + third)
    assert (shown[first], shown[second], shown[third]) == ("mul_2", "mul_1", "mul_3")
    assert names(third)[third] == "mul_3"
    named = names(third, {"t": third})
    assert named[third] == "t" and names(third)[third] == "mul_3"


def test_named_returns_the_node_and_may_change() -> None:
    a = Value(2.0).named("a")
    x = tensor([1.0]).named("x")
    assert (a.name, x.name) == ("a", "x") and Value(1.0).name is None
    a.name = "b"
    assert names(a * 1.0)[a] == "b" and "name='b'" in repr(a)


def test_the_shortest_variable_is_taken() -> None:
    a = Value(1.0)
    assert names(a + 1, {"weight": a, "w": a, "_": a, "v": a})[a] == "v"


def test_contents_of_containers_and_modules() -> None:
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    shown = names(a + b + c, {"xs": [a, 7], "d": {"k": b}, "pair": (c,)})
    assert (shown[a], shown[b], shown[c]) == ("xs[0]", "d['k']", "pair[0]")
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    out = model(tensor([[1.0, 2.0]])).sum()
    shown = names(out, {"model": model})
    assert shown[model[0].weight] == "model.0.weight" and shown[model[0].bias] == "model.0.bias"


def test_one_name_given_twice_is_told_apart() -> None:
    a, b, c = Value(1.0, name="x"), Value(2.0, name="x"), Value(3.0)
    shown = names(a * b + c, {"x": c})
    assert len(set(shown.values())) == len(shown) and shown[a] == "x"
    assert all(name == "x" or name.startswith(("x_", "mul_", "add_")) for name in shown.values())


def test_a_variable_may_look_like_a_number() -> None:
    mul_1 = Value(1.0)
    y = mul_1 * 2
    shown = names(y, {"mul_1": mul_1})
    assert shown[mul_1] == "mul_1" and shown[y] == "mul_2"


@given(programs, st.lists(st.sampled_from(["a", "b", "mul_1", "add_2", "leaf_1"]), max_size=6))
def test_names_are_unique_and_stable(program: Program, given_names: list[str]) -> None:
    root, _ = build_values(program, [0.5, -1.0])
    nodes = ancestors(root)
    variables: dict[str, Any] = {name: nodes[i % len(nodes)] for i, name in enumerate(given_names)}
    shown = names(root, variables)
    assert set(shown) == set(nodes) and len(set(shown.values())) == len(nodes)
    assert names(root, variables) == shown == names(nodes, variables)


def test_many_nodes_of_one_name_are_named_in_time() -> None:
    x = Value(1.0, name="h")
    for _ in range(3000):
        x = (x * 0.5).named("h")
    assert len(set(names(x).values())) == 3001


def test_variables_of_the_caller() -> None:
    mine = Value(1.0)
    assert variable_name(mine) == "mine" and variable_name(Value(2.0)) is None
    assert variable_name(Value(2.0, name="given")) == "given"

    def ask(depth: int) -> dict[str, Any]:
        hidden = 1  # noqa: F841
        return frame_variables(depth)

    seen = ask(1)
    assert seen["mine"] is mine and "Value" in seen and "hidden" not in seen


def test_where_a_node_was_made() -> None:
    a, x = Value(1.0), tensor([1.0], requires_grad=True)
    assert (a * 2).made_at is None and (x * 2).made_at is None
    with minitorch.inspect():
        b, y, z = a * 2, x * 2, a.exp() + a.tanh() + a.relu() - (-a)
    for node in (b, y, *(n for n in ancestors(z) if n.op)):
        assert node.made_at is not None and node.made_at[0] == __file__
    assert b.made_at is not None and z.made_at is not None and y.made_at == b.made_at == z.made_at
