"""From the engine to a GraphView."""

import gc
import weakref

import numpy as np
import pytest

import minitorch
import viz
from minitorch import Stepper, Value, nn, tensor
from minitorch.nn import functional as F
from tests.viz.graphs import broadcast, chain, double, network, paused, readme, twice_double


def nodes(view):
    return {node.name: node for node in view.nodes if node.kind != "alias"}


def test_a_plus_a_has_two_edges_with_the_slots_a_and_b():
    view = viz.view(double())
    assert [(e.source, e.target, e.slot, e.label, e.local) for e in view.edges] == [
        ("n1", "n2", 0, "a", "×1.0"),
        ("n1", "n2", 1, "b", "×1.0"),
    ]
    assert [node.title for node in view.nodes] == ["a", "b = a + a"]


def test_a_gradient_that_has_not_arrived_is_absent_and_not_zero():
    root = twice_double()
    before, _ = viz.view(root), root.backward()
    after = viz.view(root)
    assert [node.gradient for node in before.nodes] == [None, None, None]
    assert [node.gradient.text for node in after.nodes] == ["4.0", "2.0", "1.0"]
    assert "no gradient has arrived" in before.subtitle and after.subtitle == ""
    assert any(mark.sample == "text:—" for mark in before.legend)


def test_local_derivatives_stand_on_the_edges():
    a, b = Value(2.0, name="a"), Value(-3.0, name="b")
    view = viz.view((a * b).named("c"))
    assert [edge.local for edge in view.edges] == ["×(-3.0)", "×2.0"]
    assert [edge.rule for edge in view.edges] == ["∂out/∂a = b", "∂out/∂b = a"]
    dead = viz.view(Value(-1.0, name="x").relu())
    assert dead.edges[0].dead and dead.edges[0].local == "×0.0"


def test_rules_of_other_operations_are_written_as_in_class():
    view = viz.view(network())
    rules = {(view.node(edge.source).name, edge.label): edge.local for edge in view.edges}
    assert rules["w1", "b"] == rules["w2", "b"] == "a.T @ grad"
    assert rules["h", "a"] == "grad @ b.T"
    scores = tensor(np.eye(2), requires_grad=True)
    (edge, _) = viz.view(F.cross_entropy(scores, tensor([0, 1]))).edges
    assert edge.local.startswith("softmax * share - ")


@pytest.mark.parametrize(
    ("made", "rule"),
    [
        (lambda x: x**2, "2 * a"),
        (lambda x: x**3, "3 * a ** 2"),
        (lambda x: x**-1, "-1 * a ** (-2)"),
        (lambda x: x**0.5, "0.5 * a ** (-0.5)"),
        (lambda x: x**1, "1"),
        (lambda x: x**0, "0"),
        (lambda x: x**x, "where(b == 0, 0, b * a ** (b - 1))"),
        (lambda x: x / 4, "1 / 4"),
        (lambda x: x * -2, "-2"),
        (lambda x: minitorch.maximum(x, 0), "where(a == 0, 0.5, a > 0)"),
        (lambda x: F.leaky_relu(x, 0.1), "where(x > 0, 1, 0.1)"),
        (lambda x: F.hardsigmoid(x), "where((x > -3) & (x < 3), 1 / 6, 0)"),
        (lambda x: F.softmax(x, dim=0), "out * (grad - sum(grad * out, axis=0, keepdims=True))"),
    ],
)
def test_numbers_that_are_no_part_of_the_graph_stand_in_the_rule(made, rule):
    edge = viz.view(made(tensor([3.0], requires_grad=True))).edges[0]
    assert edge.rule.partition(" = ")[2] == rule


def test_the_mask_of_dropout_reads_as_a_mask():
    minitorch.manual_seed(0)
    x = tensor(np.ones((4, 8), "float32"), requires_grad=True, name="x")
    view = viz.view(F.dropout(x, 0.5).named("y"))
    mask, node = nodes(view)["mask"], nodes(view)["y"]
    assert mask.kind == "constant" and mask.title.startswith("mask  0.0 or 2.0  zero ")
    assert node.title == "y = dropout(x, mask, p=0.5)"
    assert [edge.local for edge in view.edges if edge.label == "x"] == [f"×0 or ×2.0, {100 - int(mask.title[-3:-1])}% pass"]
    assert nodes(viz.view(x * np.ones((4, 8), "float32")))["array(4, 8)"].title == "array(4, 8)"  # its slot has no telling name


def test_the_rule_of_a_very_large_array_stands_in_brackets_behind_the_cross(monkeypatch):
    monkeypatch.setattr("viz.locals.LARGEST", 1)
    x = tensor(np.ones(3), requires_grad=True)
    assert [viz.view(y).edges[0].local for y in (x**2, x * x, x.tanh())] == ["×(2 * a)", "×b", "×(1 - out * out)"]


def test_inputs_parameters_constants_and_the_output_are_told_apart():
    layer = nn.Linear(3, 2)
    view = viz.view(((layer(tensor(np.ones((4, 3)), name="x")) * 2.0).sum()).named("y"), variables={"layer": layer})
    kinds = {node.name: node.kind for node in view.nodes}
    assert kinds["x"] == "input" and kinds["layer.weight"] == "parameter" and kinds["2.0"] == "constant"
    assert [node.name for node in view.nodes if node.output] == ["y"]
    samples = {mark.sample for mark in view.legend}
    assert {"node:input", "node:parameter", "node:constant", "node:operation", "node:output"} <= samples
    assert not nodes(view)["2.0"].wants_gradient


def test_the_legend_explains_what_occurs_and_nothing_else():
    assert {mark.sample for mark in viz.view(double()).legend} == {
        "node:operation", "node:input", "node:output", "edge:local", "text:—",
    }  # fmt: skip


def test_a_paused_pass_shows_what_has_arrived():
    view = viz.view(paused(twice_double(), 3))
    a, b, c = view.nodes
    assert (a.state, b.state, c.state) == ("todo", "current", "done")
    assert (a.arrivals, b.arrivals, c.arrivals) == ((1, 2), (2, 2), None)
    assert (a.ledger, b.ledger, c.ledger) == ("2.0 + …", "1.0 + 1.0 = 2.0", "")
    assert (a.gradient.text, b.gradient.text, c.gradient.text) == ("2.0", "2.0", "1.0")
    assert (a.steps, b.steps, c.steps) == (None, (3, 4), (1, 2))
    assert [(e.step, e.state, e.product) for e in view.edges] == [
        (3, "last", "2.0 × 1.0 = 2.0"),
        (4, "next", "2.0 × 1.0 = ?"),
        (1, "done", ""),
        (2, "done", ""),
    ]
    assert view.subtitle == "step 3 of 4 · arrived: b → a (as a) · next: b → a (as b)"


@pytest.mark.parametrize("make", [twice_double, readme, network, broadcast])
def test_the_picture_at_every_step_agrees_with_the_stepper(make):
    stepper = Stepper(make())
    ids = [node.id for node in viz.view(stepper.root).nodes]
    for position in range(len(stepper) + 1):
        stepper.goto(position)
        view = viz.view(stepper)
        assert [node.id for node in view.nodes] == ids
        states = [edge.state for edge in view.edges if edge.carries]
        assert states.count("last") == (position > 0) and states.count("next") == (position < len(stepper))
        assert states.count("done") == max(position - 1, 0)
        assert sum(node.state == "current" for node in view.nodes) == (position < len(stepper))
        arrived = sum(node.arrivals[0] for node in view.nodes if node.arrivals)
        assert arrived == position
        assert sorted(edge.step for edge in view.edges if edge.step) == list(range(1, len(stepper) + 1))
    assert view.subtitle.endswith("finished")


def test_a_broadcast_gradient_says_how_it_is_summed():
    view = viz.view(broadcast())
    assert [edge.reduction for edge in view.edges] == ["", "sum axis 0: (3, 4) → (4,)", ""]
    stepper = paused(broadcast(), 3)
    last = [edge for edge in viz.view(stepper).edges if edge.state == "last"]
    assert [(edge.reduction, edge.product) for edge in last] == [("sum axis 0: (3, 4) → (4,)", "→ (4,) all 3.0")]


def test_the_ledger_of_a_tensor_names_who_contributed():
    x = tensor(np.ones(20), requires_grad=True, name="x")
    view = viz.view(paused(((x * x).named("s") + x).named("r").sum(), 5))
    assert nodes(view)["x"].ledger == "from r + from s + from s"


def test_a_long_ledger_is_cut_in_the_middle():
    a = Value(1.0, name="a")
    total = a + a
    for _ in range(8):
        total = total + a
    stepper = Stepper(total)
    stepper.run()
    assert nodes(viz.view(stepper))["a"].ledger == "1.0 + 1.0 + … + 1.0 = 10.0"


def test_a_freed_graph_says_so_and_how_to_keep_it():
    loss = network()
    loss.backward()
    with pytest.raises(viz.DrawError, match=r"graph of 'loss' was freed by backward.*retain_graph=True"):
        viz.draw(loss)
    kept = network()
    kept.backward(retain_graph=True)
    assert viz.draw(kept).dot()


def test_only_a_node_or_a_stepper_has_a_graph():
    with pytest.raises(TypeError, match="not float"):
        viz.view(1.0)


def test_names_come_from_the_variables_of_the_caller():
    first = Value(1.0)
    second = first * first
    assert [node.name for node in viz.draw(second).view.nodes] == ["first", "second"]
    assert [node.title for node in viz.draw(second, variables={}).view.nodes] == ["leaf_1", "mul_1 = leaf_1 × leaf_1"]


def test_the_same_graph_gives_the_same_view_also_after_a_training_step():
    root = readme()
    root.backward()
    before = viz.view(root)
    assert viz.view(root) == before
    leaf = next(x for x in root.inputs[0].inputs if isinstance(x, Value))
    while not leaf.is_leaf:
        leaf = next(x for x in leaf.inputs if isinstance(x, Value))
    leaf.data = leaf.data - 0.1
    after = viz.view(root)
    assert [node.id for node in after.nodes] == [node.id for node in before.nodes]


def test_an_edge_whose_numbers_were_edited_shows_the_rule():
    a, b = Value(2.0, name="a"), Value(3.0, name="b")
    c = a * b
    a.data = 5.0
    assert [edge.local for edge in viz.view(c).edges] == ["×3.0", "×a"]


def test_modules_are_frames():
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    view = viz.view(net(tensor(np.ones((2, 3)))).sum(), variables={"net": net})
    assert [cluster.label for cluster in view.clusters] == ["module 0", "module 2"]
    members = [{view.node(id).name.partition("_")[0] for id in cluster.nodes} for cluster in view.clusters]
    assert members == [{"net.0.weight", "net.0.bias", "linear"}, {"net.2.weight", "net.2.bias", "linear"}]


def test_indices_and_settings_are_part_of_the_formula():
    x = tensor(np.ones((2, 3)), requires_grad=True, name="x")
    y = x[0, 1] + x.sum(axis=1)[0]
    titles = {node.title.partition(" = ")[2] for node in viz.view(y).nodes}
    assert {"x[0, 1]", "sum(x, axis=1)"} <= titles


def test_a_square_is_written_behind_what_is_squared():
    x = Value(3.0, name="x")
    assert {node.title for node in viz.view((x.square()).named("u")).nodes} == {"x", "u = x²"}


def test_a_leaf_used_in_many_places_is_drawn_again():
    view = viz.view(chain(100, uses=10))
    aliases = [node for node in view.nodes if node.kind == "alias"]
    assert [alias.title for alias in aliases] == ["w"] * 9
    (original,) = (node for node in view.nodes if node.name == "w" and node.kind == "input")
    assert {alias.of for alias in aliases} == {original.id}
    assert "w is drawn again (dashed) at 9 further uses" in view.notes[0]


def test_a_long_skip_connection_becomes_an_alias():
    x = Value(1.0, name="x").tanh().named("start")
    y = x
    for _ in range(20):
        y = y.tanh()
    view = viz.view((y + x).named("end"))
    assert [node.title for node in view.nodes if node.kind == "alias"] == ["start"]


def test_a_large_graph_is_cut_down_to_what_is_near_and_says_so():
    view = viz.view(chain(20_000, uses=2_000))
    assert len(view.nodes) < 100
    assert view.notes[0].startswith("Showing the 14 of 20,002 nodes nearest to ")
    stubs = [node for node in view.nodes if node.kind == "stub"]
    assert len(stubs) == 1 and stubs[0].title.startswith("… ")


def test_a_large_paused_graph_shows_where_the_pass_stands():
    stepper = paused(chain(20_000, uses=2_000), 5_000)
    view = viz.view(stepper)
    assert len(view.nodes) < 200 and sum(node.state == "current" for node in view.nodes) == 1


def test_a_picture_does_not_keep_the_graph_alive():
    root = double()
    picture, gone = viz.draw(root, variables={}), weakref.ref(root)
    gc.disable()
    try:
        del root
        assert gone() is None
    finally:
        gc.enable()
    assert "b = a + a" in picture.dot()
