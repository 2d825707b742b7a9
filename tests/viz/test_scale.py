"""Large graphs: closed modules, parts of a graph, and the layout that needs no Graphviz."""

import itertools

import numpy as np
import pytest

import viz
from minitorch import Stepper, Value, inspect, nn, tensor
from tests.viz.graphs import chain, mlp, network, readme, twice_double
from tests.viz.lesson_graphs import gan, nets
from viz import layout, ranked
from viz.boxes import node_size
from viz.extent import Extent
from viz.modules import levels, merged
from viz.picture import label_sizes


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x):
        return x + self.down(self.up(self.norm(x)).relu())


class Tower(nn.Module):
    def __init__(self, count, width=4):
        super().__init__()
        self.blocks = nn.ModuleList([Block(width) for _ in range(count)])
        self.head = nn.Linear(width, 1)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def tower(count):
    return Tower(count)(tensor(np.ones((2, 4)), name="x")).sum().named("y")


def named(view):
    return [node.name for node in view.nodes if node.kind == "module"]


def densenet():
    outs = [Value(1.0, name="x")]
    for _ in range(24):
        x = sum(outs[1:], outs[0])
        for _ in range(5):
            x = x.tanh()
        outs.append(x)
    return outs[-1]


def test_the_levels_of_a_path():
    assert levels("encoder.3.attn.0.q") == ["encoder.3", "encoder.3.attn.0", "encoder.3.attn.0.q"]
    assert levels("0.1") == ["0", "0.1"] and levels("") == []
    layers = frozenset({"stem", "blocks.0.body"})
    assert levels("stem.1", layers) == ["stem", "stem.1"]
    assert levels("blocks.0.body.2", layers) == ["blocks.0", "blocks.0.body", "blocks.0.body.2"]


def test_a_stack_of_layers_closes_as_one_module_and_a_list_of_blocks_block_by_block():
    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))

        def forward(self, x):
            return x + self.body(x)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
            self.blocks = nn.Sequential(Residual(), Residual())

        def forward(self, x):
            return self.blocks(self.stem(x))

    x = tensor(np.ones((2, 4), "float32"))
    whole, numbered = Net()(x).sum(), nn.Sequential(nn.Linear(4, 4), Residual(), Residual())(x).sum()
    assert named(viz.draw(whole, depth=0).view) == ["stem", "blocks.0 … blocks.1"]
    assert named(viz.draw(whole, depth=1).view) == ["blocks.0.body", "blocks.1.body"]
    assert named(viz.draw(whole, depth=2).view) == []
    assert named(viz.draw(whole, depth=2, collapse=["blocks"]).view) == ["blocks"]
    assert named(viz.draw(numbered, depth=0).view) == ["1 … 2"]
    assert named(viz.draw(numbered, depth=1).view) == ["1.body", "2.body"]


def test_equal_modules_in_a_row_are_one_box_with_a_count():
    view = viz.draw(tower(12), depth=0).view
    (box,) = (node for node in view.nodes if node.kind == "module")
    assert (box.name, box.repeats, box.inside[0]) == ("blocks.0 … blocks.11", 12, "60 operations")
    assert named(viz.draw(tower(3), depth=0, repeats=False).view) == ["blocks.0", "blocks.1", "blocks.2"]


@pytest.mark.parametrize(("opened", "remark"), [("blocks.0", "1 of 12 equal ones"), ("blocks.11", "12 of 12 equal ones")])
def test_one_of_many_equal_modules_stands_open_and_says_so(opened, remark):
    view = viz.draw(tower(12), depth=0, expand=[opened]).view
    boxes = [node for node in view.nodes if node.kind == "module"]
    assert [box.repeats for box in boxes if box.repeats > 1] == [11]
    frames = {cluster.label for cluster in view.clusters}
    assert f"module {opened} ({remark})" in frames


def test_modules_that_differ_are_not_called_equal():
    net = Tower(4)
    net.blocks[2] = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
    view = viz.draw(net(tensor(np.ones((2, 4)))).sum(), depth=0).view
    assert named(view) == ["blocks.0 … blocks.1", "blocks.2", "blocks.3"]


def test_patterns_open_and_close_modules():
    assert named(viz.draw(tower(3), depth=0, expand=["blocks.1"]).view) == ["blocks.0", "blocks.2"]
    assert named(viz.draw(tower(3), collapse=["blocks.1"]).view) == ["blocks.1"]
    assert named(viz.draw(tower(3), depth=9).view) == []


def test_two_models_that_call_one_another_are_two_frames_with_their_names():
    generator, critic = nets()
    loss = gan(generator, critic)
    view = viz.draw(loss, variables={"G": generator, "D": critic}).view
    frames = {cluster.id: cluster for cluster in view.clusters}
    inside = {(cluster.label, frames[cluster.parent].label if cluster.parent else "") for cluster in view.clusters}
    models = {("module D", ""), ("module G", "")}
    assert inside == models | {(f"module {i}", f"module {net}") for net in "GD" for i in "02"}
    homes = {node.name: node.scope for node in view.nodes if node.kind == "operation"}
    assert (homes["relu_1"], homes["leaky_relu_1"], homes["loss"]) == ("G.1", "D.1", "")
    (relu,) = (node.id for node in view.nodes if node.name == "relu_1")
    assert [cluster.label for cluster in view.clusters if relu in cluster.nodes] == ["module G"]
    assert named(viz.draw(loss, variables={"G": generator, "D": critic}, depth=0).view) == ["G", "D"]
    assert named(viz.draw(loss, variables={}, depth=0).view) == ["Sequential_1", "Sequential_2"]


def test_a_large_network_is_drawn_with_its_modules_closed_and_says_so():
    picture = viz.draw(tower(60))
    assert named(picture.view) == ["blocks.0 … blocks.59"]
    assert picture.view.notes[0].startswith("665 nodes: modules are closed")
    assert picture.svg()


def test_numbered_siblings_are_merged_in_the_order_of_their_numbers():
    x = Value(1.0)
    inside = {f"a.{i}": [x + 1.0, x * 2.0] for i in (10, 9, 8, 0)} | {"b": [x]}
    assert merged(inside) == [["a.0"], ["a.8", "a.9", "a.10"], ["b"]]


def test_a_closed_module_follows_the_backward_pass():
    stepper = Stepper(tower(3))
    states = []
    for position in (0, len(stepper) // 2, len(stepper)):
        stepper.goto(position)
        view = viz.view(stepper, extent=Extent(depth=0))
        states += [(node.state, node.arrivals[0] == node.arrivals[1]) for node in view.nodes if node.kind == "module"]
    assert states == [("todo", False), ("current", False), ("done", True)]


def test_a_lesson_with_closed_modules(tmp_path):
    page = viz.lesson(tower(3), tmp_path / "x.html", extent=Extent(depth=0), variables={}).read_text("utf-8")
    assert "blocks.0 … blocks.2" in page and "gradients in" in page


def test_many_scalars_are_drawn_as_the_lines_that_made_them():
    with inspect():
        weights, total = [Value(0.1 * i) for i in range(8)], Value(0.0)
        for _ in range(5_600):
            row = Value(1.0)
            for w in weights:
                row = row * w + 1.0
            total = total + row.tanh()
    view = viz.draw(total).view
    lines = [node for node in view.nodes if node.kind == "module"]
    assert [node.inside[0] for node in lines] == ["row = row * w + 1.0", "total = total + row.tanh()"]
    assert "what one source line computed is one box" in view.notes[0] and len(view.nodes) < 20


@pytest.mark.parametrize("make", [lambda: chain(1000, uses=24), densenet], ids=["chain", "densenet"])
def test_what_hangs_dot_is_drawn(make):
    assert viz.draw(make(), limit=2000).svg()


# Parts


def test_around_a_node():
    view = viz.draw(readme(), around="add_1", hops=1).view
    shown = {node.name for node in view.nodes if node.kind in ("operation", "input")}
    assert len(shown) == 4 and {"a", "b", "add_1"} < shown
    assert view.notes == ("Showing the 4 of 27 nodes at most 1 edge from add_1.",)


def test_a_path_and_the_ancestors_of_a_node():
    a = Value(2.0, name="a")
    b = Value(3.0, name="b")
    c = (a * b).named("c")
    d = (c.tanh() + b).named("d")
    other = (d * a).named("e")
    names = [n.name for n in viz.draw(other, path=("c", "d"), variables={}).view.nodes if n.kind == "operation"]
    assert names == ["c", "tanh_1", "d"]
    assert [n.name for n in viz.draw(other, ancestors=c, variables={}).view.nodes] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"around": "ad_1"}, "no node is called 'ad_1'; did you mean 'add_1'"),
        ({"path": ("g", "a")}, "'a' does not depend on 'g': there is no path to draw"),
        ({"ancestors": Value(1.0)}, "not part of this graph"),
        ({"theme": "pink"}, "there is no theme 'pink': use one of light, dark, print"),
    ],
)
def test_a_part_that_is_not_there_is_one_sentence(options, message):
    with pytest.raises(viz.DrawError, match=message):
        viz.draw(readme(), **options)


# The layout of our own

GRAPHS = {"double": twice_double, "readme": readme, "network": network, "mlp": mlp, "tower": lambda: tower(3)}


@pytest.mark.parametrize("direction", ["LR", "TB"])
@pytest.mark.parametrize("name", GRAPHS)
def test_nothing_overlaps_in_our_own_layout(name, direction):
    view = viz.view(GRAPHS[name]())
    placed = ranked.place(view, {node.id: node_size(node) for node in view.nodes}, label_sizes(view), direction=direction)
    boxes = [*placed.nodes.values(), *(route.label for route in placed.edges.values())]
    for a, b in itertools.combinations(boxes, 2):
        assert abs(a.x - b.x) >= (a.width + b.width) / 2 - 1 or abs(a.y - b.y) >= (a.height + b.height) / 2 - 1
    for box in boxes:
        assert box.left >= -1 and box.top >= -1
        assert box.left + box.width <= placed.width + 1 and box.top + box.height <= placed.height + 1
    forward = [(route.start[0], route.end[-1]) for route in placed.edges.values()]
    assert all(b[direction == "TB"] > a[direction == "TB"] for a, b in forward)


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_our_own_layout_frames_the_modules_that_stand_alone(direction):
    view = viz.view(tower(3))
    placed = ranked.place(view, {node.id: node_size(node) for node in view.nodes}, label_sizes(view), direction=direction)
    drawn = [cluster for cluster in view.clusters if cluster.id in placed.clusters]
    assert len(drawn) >= 3
    parents = {cluster.id: cluster.parent for cluster in view.clusters}
    for cluster in drawn:
        frame, members = placed.clusters[cluster.id], set(cluster.nodes)
        members |= {id for other in view.clusters if parents[other.id] == cluster.id for id in other.nodes}
        assert frame.left >= 0 and frame.top >= 0 and frame.left + frame.width <= placed.width + 1
        for id, box in placed.nodes.items():
            apart = abs(box.x - frame.x) >= (box.width + frame.width) / 2 or abs(box.y - frame.y) >= (box.height + frame.height) / 2
            assert apart == (id not in members)


def test_without_graphviz_there_is_a_picture_that_says_so(monkeypatch):
    monkeypatch.setattr(layout, "programs", lambda: [])
    svg = viz.draw(readme()).svg()
    assert "Laid out without Graphviz" in svg and "pip install graphviz-pure" in svg
    assert svg == viz.draw(readme()).svg()


def test_a_graphviz_that_is_too_slow_gives_way(monkeypatch):
    def slow(*_, **__):
        raise layout.LayoutTimeout("slow")

    monkeypatch.setattr(layout, "place", slow)
    assert "Graphviz was too slow for this picture" in viz.draw(readme()).svg()


def test_in_frames_within_frames_everything_still_runs_forward():
    view = viz.view(tower(3))
    assert any(cluster.parent for cluster in view.clusters)
    placed = layout.place(view, {node.id: node_size(node) for node in view.nodes}, label_sizes(view))
    for edge in view.edges:
        assert placed.nodes[edge.source].x < placed.edges[edge.id].label.x < placed.nodes[edge.target].x
