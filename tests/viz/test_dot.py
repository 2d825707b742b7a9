"""GraphView to DOT, held to golden files: DOT and plain data are compared, coordinates never are.

`UPDATE_GOLDEN=1 pytest tests/viz/test_dot.py` writes them anew; look at the difference before you keep it.
"""

import json
import os
import re
import xml.etree.ElementTree as ET
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import viz
from minitorch import Value
from tests.viz.graphs import broadcast, double, paused, readme, twice_double
from viz import dot
from viz.layout import run_dot
from viz.xml import clean

GOLDEN = Path(__file__).parent / "golden"
# Of operations whose rules will hardly be written otherwise: the rules are part of the picture.
GRAPHS = {
    "double": double,
    "paused": lambda: paused(twice_double(), 3),
    "broadcast": lambda: paused(broadcast(), 3),
}
NAMES = [
    '<b>&"|{}\\', "x[i]", "שלום", "مرحبا", "", "a" * 500, "it's <i>", "\\N\\G\\n", "&lt;amp;", "日本語", "trail\\", "]]>",
    "tab\there", "bell\x07", "lone \ud800", "e\u0301", "--", "%s {0}", "\U0001f525",
]  # fmt: skip


def check(path: Path, text: str) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text("utf-8") == text


@pytest.mark.parametrize("name", GRAPHS)
def test_the_view_is_the_golden_one(name):
    view = viz.view(GRAPHS[name]())
    check(GOLDEN / f"{name}.json", json.dumps(asdict(view), ensure_ascii=False, indent=1) + "\n")


@pytest.mark.parametrize("name", GRAPHS)
def test_the_dot_is_the_golden_one(name):
    check(GOLDEN / f"{name}.dot", viz.draw(GRAPHS[name](), variables={}).dot())


def test_a_plus_a_is_two_statements():
    text = viz.draw(double()).dot()
    assert re.findall(r"^  (\w+) -> (\w+) ", text, re.M) == [("n1", "n2")] * 2


def test_equal_graphs_give_equal_bytes():
    assert viz.draw(readme()).dot() == viz.draw(readme()).dot()


def product_of(names):
    """A graph with one node of each name."""
    root = Value(1.0, name="root")
    for name in names:
        root = root * Value(2.0).named(name)
    return root


def drawn_texts(text: str) -> tuple[list[str], list[str]]:
    """The texts and the tooltips that Graphviz makes of DOT."""
    tree = run_dot(text, "svg", ET.fromstring)
    titles = [value for item in tree.iter() for key, value in item.attrib.items() if key.endswith("}title")]
    return [item.text or "" for item in tree.iter() if item.tag.endswith("}text")], titles


def expect_names(names):
    picture = viz.draw(product_of(names), variables={}, limit=10_000)
    texts, tooltips = drawn_texts(picture.dot())
    for name in filter(str.strip, map(clean, names)):
        if len(name) <= 20:
            assert any(" ".join(name.split()) in text for text in texts), name
        assert any(" ".join(f"{name}, input".split()) in " ".join(tip.split()) for tip in tooltips), name


def test_names_of_all_kinds_come_through_graphviz_unharmed():
    expect_names(NAMES)


@settings(max_examples=25)
@given(st.lists(st.text(max_size=12) | st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
def test_any_name_comes_through_graphviz_unharmed(names):
    expect_names(names)


@given(st.text())
def test_quoted_strings_are_closed_where_they_should_be(name):
    text = dot.quoted(name)
    assert re.fullmatch(r'"([^"\\]|\\.)*"', text, re.S)
