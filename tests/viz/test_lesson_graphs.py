"""The ten graphs of the lessons at a projector's size: with every layout, nothing overlaps, is cut or turns back."""

import itertools
import re
import xml.etree.ElementTree as ET

import pytest

import minitorch
import viz
from minitorch import Stepper
from tests.viz.lesson_graphs import GRAPHS
from viz import layout, ranked
from viz.boxes import node_size
from viz.picture import label_sizes
from viz.wording import WIDEST_TITLE

LAYOUTS = {program.name: [program] for program in layout.programs()} | {"none": []}


@pytest.fixture(params=GRAPHS, scope="module")
def view(request):
    minitorch.manual_seed(0)
    stepper = Stepper(GRAPHS[request.param]())
    stepper.goto(len(stepper) // 2)
    return viz.view(stepper, variables={})


def sizes(view):
    return {node.id: node_size(node) for node in view.nodes}, label_sizes(view)


@pytest.mark.parametrize("programs", LAYOUTS.values(), ids=LAYOUTS)
def test_every_box_has_its_place(view, programs, monkeypatch):
    monkeypatch.setattr(layout, "programs", lambda: programs)
    boxes = sizes(view)
    direction = ranked.fitting(view, *boxes)
    placed = ranked.arrange(view, *boxes, direction=direction)
    assert bool(placed.note) == (not programs)
    everything = [*placed.nodes.values(), *(route.label for route in placed.edges.values())]
    for a, b in itertools.combinations(everything, 2):
        assert abs(a.x - b.x) >= (a.width + b.width) / 2 - 1 or abs(a.y - b.y) >= (a.height + b.height) / 2 - 1
    for box in everything:
        assert box.left >= -1 and box.left + box.width <= placed.width + 1
        assert box.top >= -1 and box.top + box.height <= placed.height + 1
    ahead = direction == "TB"
    for route in placed.edges.values():
        start, end = route.start[0][ahead], route.start[-1][ahead]
        if end - start < layout.SHORT:
            assert all(start - 1 <= point[ahead] <= end + 1 for point in route.start)


def test_it_is_readable_on_a_projector(view):
    width = float(ET.fromstring(viz.Picture(view).svg()).get("width"))
    scale = min(1.0, ranked.SCREEN.width / width)
    assert 15 * scale >= 7.5  # pixels of the names, where the picture is as wide as the screen
    for node in view.nodes:
        assert len(re.sub("[\u200e\u2068\u2069]", "", node.title)) <= WIDEST_TITLE
