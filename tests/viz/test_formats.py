"""Text, JSON, PDF, circuits, worksheets, animations, and gradients that an earlier pass left."""

import io
import json
import shutil
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import viz
from minitorch import Stepper, Value, nn, tensor
from tests.viz.graphs import broadcast, chain, double, network, paused, readme, twice_double
from tests.viz.test_dot import NAMES, product_of
from viz import layout, raster
from viz.frames import Frames
from viz.picture import Picture
from viz.svg import render
from viz.theme import THEMES, VARIABLES, variables
from viz.xml import clean


def test_the_tree_of_text():
    assert viz.draw(paused(twice_double(), 3)).text() == (
        "Backward pass of c\n"
        "step 3 of 4 · arrived: b → a (as a) · next: b → a (as b)\n"
        "c = b + b  [output]  value 4.0  grad 1.0  ● done\n"
        "├─ a ×1.0: b = a + a  value 2.0  grad 2.0  (1.0 + 1.0 = 2.0)  2/2 in  ► current\n"
        "│  ├─ a 2.0 × 1.0 = 2.0: a  value 1.0  grad 2.0  (2.0 + …)  1/2 in  · todo\n"
        "│  └─ b 2.0 × 1.0 = ?: a (above)\n"
        "└─ b ×1.0: b (above)\n"
    )


def test_a_long_chain_is_not_indented_further_and_further():
    x = Value(1.0)
    for _ in range(400):
        x = x.tanh()
    assert max(map(len, viz.draw(x, limit=1000).text().splitlines())) < 120


@pytest.mark.parametrize("make", [readme, network, lambda: paused(broadcast(), 3)])
def test_json_holds_the_whole_view(make):
    picture = viz.draw(make())
    data = json.loads(picture.json())
    assert data["format"] == 1 and [node["id"] for node in data["nodes"]] == [node.id for node in picture.view.nodes]


def test_names_of_all_kinds_survive_in_text_and_json():
    picture = viz.draw(product_of(NAMES), variables={})
    data, text = json.loads(picture.json()), picture.text()
    assert set(filter(None, NAMES)) <= {node["name"] for node in data["nodes"]}
    for name in filter(str.strip, map(clean, NAMES)):
        assert len(name) > 20 or " ".join(name.split()) in text
    assert "\x07" not in text


class Page(HTMLParser):
    """The names in the boxes of a lesson page, and how many scripts it has."""

    def __init__(self, text):
        super().__init__()
        self.names, self.scripts, self.inside = [], 0, False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.scripts += tag == "script"
        self.inside = tag == "text" and dict(attributes).get("class", "").split()[:1] == ["name"]
        self.names += [""] * self.inside

    def handle_data(self, data):
        if self.inside:
            self.names[-1] += data

    def handle_endtag(self, tag):
        self.inside = False


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(max_size=30) | st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
@example(NAMES)
def test_any_name_survives_in_every_format(names):
    root = product_of(names)
    picture = viz.draw(root, variables={})
    titles = {node.title for node in picture.view.nodes}
    with TemporaryDirectory() as folder:
        data = json.loads(picture.save(Path(folder, "x.json")).read_text("utf-8"))
        text = picture.save(Path(folder, "x.txt")).read_text("utf-8")
        page = Page(viz.lesson(root, Path(folder, "x.html"), variables={}).read_text("utf-8"))
    assert set(filter(None, names)) <= {node["name"] for node in data["nodes"]}
    assert all(title in text for title in titles)
    assert page.scripts == 2 and titles <= set(page.names)
    if find_spec("PIL"):
        assert min(raster.pixels(picture.svg()).size) > 100


@pytest.mark.skipif(not shutil.which("dot"), reason="needs the system's Graphviz")
def test_pdf(tmp_path):
    assert viz.draw(network()).save(tmp_path / "x.pdf").read_bytes().startswith(b"%PDF")


def test_a_circuit_has_operations_of_their_own():
    view = viz.draw(twice_double(), style="circuit").view
    assert [(node.title, node.kind) for node in view.nodes] == [
        ("a", "input"), ("+", "gate"), ("b", "operation"), ("+", "gate"), ("c", "operation"),
    ]  # fmt: skip
    assert [(edge.source, edge.target, edge.label) for edge in view.edges[:2]] == [("n1", "n2o", "a"), ("n1", "n2o", "b")]
    assert "the operation itself" in viz.draw(twice_double(), style="circuit").svg()
    with pytest.raises(viz.DrawError, match="no style 'round'"):
        viz.draw(double(), style="round")


def test_a_worksheet_and_its_key():
    root = readme()
    sheet, key = viz.worksheet(root, ["gradients", "locals"])
    assert {node.gradient.text for node in sheet.nodes if node.gradient and not node.output} == {"_______"}
    assert {edge.local for edge in sheet.edges} == {"× ____", ""} and not any(edge.dead for edge in sheet.edges)
    assert root.grad is None and all(leaf.gradient for leaf in key.nodes if leaf.kind == "input")
    root.backward()
    assert {n.id: n.gradient for n in key.nodes} == {n.id: n.gradient for n in viz.view(root).nodes}
    values, _ = viz.worksheet(root, ["values"])
    assert {n.value.text for n in values.nodes if n.kind == "operation"} == {"_______"}
    with pytest.raises(viz.DrawError, match="gradients, values, locals blank, not 'everything'"):
        viz.worksheet(root, ["everything"])


def test_a_gradient_of_an_earlier_pass_is_marked():
    a = Value(2.0, name="a")
    (a * 3.0).backward()
    second = (a * 5.0).named("second")
    view = viz.view(second)
    assert [node.stale for node in view.nodes if node.name == "a"] == ["from an earlier backward()"]
    assert any(mark.sample == "text:stale" for mark in view.legend)
    assert [node.stale for node in viz.view(Stepper(second)).nodes if node.name == "a"] == ["holds 3.0 from before"]
    second.backward()
    assert not any(node.stale for node in viz.view(second).nodes)


def test_every_theme_draws_and_is_a_set_of_css_variables():
    names = set(variables(VARIABLES))
    for name, theme in THEMES.items():
        assert set(variables(theme)) == names
        assert theme.page in viz.draw(readme(), theme=name).svg() and theme.page in viz.draw(readme(), theme=name).dot()


def test_an_animation_has_a_picture_for_every_step(tmp_path):
    image = pytest.importorskip("PIL.Image")
    assert viz.animate(twice_double(), tmp_path / "x.gif", variables={}) == 5
    with image.open(tmp_path / "x.gif") as found:
        assert found.n_frames == 5 and found.info["duration"] == 900


def test_the_pixels_are_those_of_the_picture():
    image = pytest.importorskip("PIL.Image")
    found = image.open(io.BytesIO(raster.png(viz.draw(double(), theme="dark").svg())))
    assert found.convert("RGB").getpixel((1, 1)) == (15, 23, 42) and len(found.convert("RGB").getcolors(1 << 24)) > 50


def test_the_outline_of_a_path():
    assert raster.outlines("M1,2H5V4L0,0Z") == [[(1, 2), (5, 2), (5, 4), (0, 0), (1, 2)]]
    ((_, *arc),) = raster.outlines("M0,0a2,2 0 0 1 2,2")
    assert arc[-1] == pytest.approx((2, 2)) and arc[3] == pytest.approx((2**0.5, 2 - 2**0.5))
    assert raster.cut([(0, 0), (10, 0)], [3, 2]) == [[(0, 0), (3, 0)], [(5, 0), (8, 0)]]


def test_without_pillow_the_way_out_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(viz.DrawError, match=r"pip install 'minitorch-stepper\[samples\]'"):
        viz.animate(double(), tmp_path / "x.gif")


def test_a_png_is_the_svg_twice_as_large_where_pillow_has_its_letters():
    image = pytest.importorskip("PIL.Image")
    drawn = viz.draw(twice_double())
    found = image.open(io.BytesIO(drawn.png()))
    assert found.size == tuple(2 * round(float(ET.fromstring(drawn.svg()).get(side))) for side in ("width", "height"))
    assert raster.can_write(drawn.svg())
    for name in ("\u05e9", "\u4e2d", "\U0001d518"):
        assert not raster.can_write(viz.draw(Value(1.0, name=name) + 1.0).svg())
    assert max(image.open(io.BytesIO(raster.png(viz.draw(chain(300)).svg()))).size) <= raster.PNG_SIDE


def test_a_png_without_graphviz_is_drawn_by_pillow(monkeypatch):
    pytest.importorskip("PIL")
    monkeypatch.setattr(layout, "programs", lambda: [])
    assert viz.draw(double()).png().startswith(b"\x89PNG")


def test_the_pictures_of_all_steps_have_one_layout():
    pictures = list(Frames(Stepper(network())).pictures())
    assert len({tuple(placed.nodes.items()) for _, placed in pictures}) == 1
    for view, placed in pictures:
        assert Picture(view).view.legend == pictures[0][0].legend and render(view, placed)


def test_a_module_as_a_table():
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 1))
    table = ET.fromstring(viz.module_table(net))
    rows = [[cell.text for cell in row] for row in table]
    assert [row[0] for row in rows] == ["module", "0", "2", "Sequential"] and rows[-1][-1] == "11"
    assert rows[1][3] == "—" and rows[1][2].startswith("weight (2, 3): ")
    net(tensor(np.ones((1, 3)))).sum().backward()
    assert [cell.text for cell in ET.fromstring(viz.module_table(net))[1]][3] != "—"
