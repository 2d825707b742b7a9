"""The SVG: well formed, accessible, readable, nothing overlapping and nothing cut."""

import itertools
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import viz
from minitorch import nn, tensor
from tests.viz.graphs import broadcast, chain, double, network, paused, readme, twice_double
from tests.viz.test_dot import NAMES, product_of
from viz import layout
from viz.boxes import card_size, node_size
from viz.card import card, node_sentence
from viz.look import heat
from viz.picture import label_sizes
from viz.theme import THEMES
from viz.xml import clean

SVG = "{http://www.w3.org/2000/svg}"


def module_loss():
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    return nn.CrossEntropyLoss()(net(tensor([[1.0, 2.0, 3.0]] * 5)), tensor([0, 1, 1, 0, 1]))


PICTURES = {
    "double": double,
    "paused": lambda: paused(twice_double(), 3),
    "readme": readme,
    "network": network,
    "network paused": lambda: paused(network(), 2),
    "broadcast": lambda: paused(broadcast(), 3),
    "modules": module_loss,
    "part of a large graph": lambda: paused(chain(3000, 300), 700),
}


@pytest.fixture(params=PICTURES)
def picture(request):
    return viz.draw(PICTURES[request.param]())


def tree(picture):
    return ET.fromstring(picture.svg())


def groups(picture, kind):
    return [g for g in tree(picture).iter(f"{SVG}g") if kind in g.get("class", "").split()]


def test_the_picture_is_described_for_who_cannot_see_it(picture):
    root = tree(picture)
    assert root.get("role") == "img" and root.get("aria-labelledby") == "title desc"
    assert root.find(f"{SVG}title").text == picture.view.title
    assert root.find(f"{SVG}desc").text.startswith("A computation graph of ")
    sentences = {g.get("id"): g.find(f"{SVG}title").text for g in groups(picture, "node")}
    assert sentences == {node.id: node_sentence(node) for node in picture.view.nodes}


def test_every_node_and_every_use_of_a_node_is_drawn(picture):
    assert [g.get("id") for g in groups(picture, "node")] == [node.id for node in picture.view.nodes]
    assert [g.get("id") for g in groups(picture, "edge")] == [edge.id for edge in picture.view.edges]


def test_a_plus_a_has_two_edges():
    edges = groups(viz.draw(double()), "edge")
    titles = [g.find(f"{SVG}title").text for g in edges]
    assert titles == ["a is argument a of b, local derivative ×1.0", "a is argument b of b, local derivative ×1.0"]


def test_ids_are_unique_and_the_size_holds_everything(picture):
    root = tree(picture)
    ids = [item.get("id") for item in root.iter() if item.get("id")]
    assert len(ids) == len(set(ids))
    assert float(root.get("width")) > 0 and root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"


def test_the_legend_is_always_there(picture):
    (legend,) = groups(picture, "legend")
    words = {item.text for item in legend.iter(f"{SVG}text")}
    assert {mark.text for mark in picture.view.legend} <= words


def test_states_are_words_and_borders_and_not_colour_alone():
    view = viz.draw(paused(twice_double(), 3))
    by_id = {g.get("id"): g for g in groups(view, "node")}
    words, borders = {}, {}
    for id, g in by_id.items():
        words[id] = next(item.text for item in g.iter(f"{SVG}text") if item.get("class") == "state")
        outline = next(item for item in g.iter(f"{SVG}path") if item.get("class") == "outline")
        borders[id] = outline.get("stroke-width"), outline.get("stroke-dasharray")
    assert words == {"n1": "todo", "n2": "current", "n3": "done"}
    assert len(set(borders.values())) == 3


def boxes_of(picture):
    view = picture.view
    sizes = {node.id: node_size(node) for node in view.nodes}
    placed = layout.place(view, sizes, label_sizes(view), direction=picture.direction)
    return [*placed.nodes.items(), *((id, route.label) for id, route in placed.edges.items())], placed


def test_nothing_overlaps_and_nothing_is_outside(picture):
    boxes, placed = boxes_of(picture)
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        apart = abs(a.x - b.x) >= (a.width + b.width) / 2 - 1 or abs(a.y - b.y) >= (a.height + b.height) / 2 - 1
        assert apart, (one, other)
    for _, box in boxes:
        assert box.left >= -1 and box.top >= -1
        assert box.left + box.width <= placed.width + 1 and box.top + box.height <= placed.height + 1


def test_every_text_ends_inside_its_box(picture):
    _, placed = boxes_of(picture)
    for node, g in zip(picture.view.nodes, groups(picture, "node")):
        box = placed.nodes[node.id]
        for item in g.iter(f"{SVG}text"):
            x, length, anchor = float(item.get("x")), float(item.get("textLength", 0)), item.get("text-anchor", "start")
            left = x - length * {"start": 0, "middle": 0.5, "end": 1}[anchor]
            assert box.left <= left and left + length <= box.left + box.width, item.text
            assert box.top <= float(item.get("y")) <= box.top + box.height


def test_the_arrows_of_two_equal_edges_are_apart_and_in_order():
    _, placed = boxes_of(viz.draw(double()))
    first, second = (placed.edges[id] for id in ("n2e0", "n2e1"))
    assert first.label.y < second.label.y and second.end[-1][1] - first.end[-1][1] > 10


def expect_names(names):
    picture = viz.draw(product_of(names), variables={})
    root = tree(picture)
    texts = [item.text or "" for item in root.iter(f"{SVG}text")]
    titles = [item.text or "" for item in root.iter(f"{SVG}title")]
    for name in filter(str.strip, map(clean, names)):  # an empty name is none: such a node is called leaf_1
        assert any(title.startswith(f"{name}, input") for title in titles), name
        if len(name) <= 20:
            assert any(" ".join(name.split()) in text for text in texts), name


def test_names_of_all_kinds_survive():
    expect_names(NAMES)


@settings(max_examples=25)
@given(st.lists(st.text(max_size=30) | st.sampled_from(NAMES), min_size=1, max_size=4, unique_by=clean))
def test_any_name_survives(names):
    expect_names(names)


def test_a_right_to_left_name_stays_in_its_place():
    titles = [node.title for node in viz.draw(product_of(["שלום"]), variables={}).view.nodes]
    assert titles[1] == "\u2068שלום\u2069" and titles[2].startswith("\u200e")


def test_a_long_name_does_not_make_a_long_box():
    node = viz.draw(product_of(["a" * 500]), variables={}).view.nodes[1]
    assert card_size(card(node)).width < 400 and node.name == "a" * 500


def luminance(colour: str) -> float:
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(text: str, fill: str) -> float:
    light, dark = sorted((luminance(text), luminance(fill)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", THEMES)
def test_text_has_a_contrast_of_at_least_four_and_a_half(name):
    theme = THEMES[name]
    pairs = [(theme.text, theme.page), (theme.soft, theme.page), (theme.soft, theme.cluster), (theme.bad, theme.page)]
    pairs += [(theme.accent_text, theme.accent_fill), (theme.accent_text, theme.page), (theme.text, theme.accent_fill)]
    pairs += [(theme.page, theme.accent), (theme.accent, theme.page), (theme.soft, theme.accent_fill)]
    for ink in theme.inks.values():
        pairs += [(ink.word, ink.band), (theme.text, ink.band), (theme.soft, ink.fill), (theme.text, ink.fill)]
    pairs += [(theme.text, heat(level, theme)) for level in (*(i / 8 for i in range(-8, 9)), None)]
    pairs += [(theme.bad, ink.fill) for ink in theme.inks.values()]
    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []


def test_lines_are_thicker_and_darker_for_what_moves():
    (last,) = (g for g in groups(viz.draw(paused(twice_double(), 3)), "edge") if "last" in g.get("class"))
    widths = [float(item.get("stroke-width", 0)) for item in last.iter(f"{SVG}path")]
    assert max(widths) > 3
    assert any(item.text == "2.0 × 1.0 = 2.0" for item in last.iter(f"{SVG}text"))


def test_the_same_picture_gives_the_same_bytes():
    assert viz.draw(readme()).svg() == viz.draw(readme()).svg()


def test_pictures_in_one_page_do_not_restyle_each_other():
    assert not re.search(r"<style", viz.draw(double()).svg())
