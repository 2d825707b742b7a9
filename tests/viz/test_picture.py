"""Saving, showing, and what happens when a picture cannot be drawn."""

import os
import struct
import xml.etree.ElementTree as ET

import pytest

import viz
from minitorch import Stepper, Value
from tests.viz.graphs import broadcast, chain, double, network, paused
from viz import layout, picture


@pytest.fixture
def no_dot(monkeypatch):
    monkeypatch.setattr(layout, "programs", lambda: [])


def test_the_suffix_decides(tmp_path):
    picture = viz.draw(double())
    assert ET.parse(picture.save(tmp_path / "x.svg")).getroot().tag.endswith("svg")
    assert picture.save(str(tmp_path / "x.dot")).read_text("utf-8") == picture.dot()
    assert picture.save(tmp_path / "X.PNG").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["X.PNG", "x.dot", "x.svg"]


@pytest.mark.parametrize("make", [double, network, lambda: paused(broadcast(), 3), lambda: paused(chain(3000, 300), 700)])
def test_every_program_draws_a_png(make, monkeypatch):
    monkeypatch.setattr(picture, "find_spec", lambda name: None)  # where there is no Pillow
    for program in layout.programs():
        monkeypatch.setattr(layout, "programs", lambda program=program: [program])
        width, height = struct.unpack(">II", viz.draw(make()).png()[16:24])
        assert 200 < width <= 11_600 and 100 < height <= 11_600


@pytest.mark.parametrize("name", ["x.gif", "x", "x.svg.doc"])
def test_another_suffix_is_an_error_that_names_the_ones_there_are(tmp_path, name):
    with pytest.raises(viz.DrawError, match=r"use one of \.svg, \.png, \.pdf, \.dot"):
        viz.draw(double()).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_an_error_without_traceback_of_ours(tmp_path):
    with pytest.raises(viz.DrawError, match="cannot write .*No such file"):
        viz.draw(double()).save(tmp_path / "nowhere" / "x.svg")


def test_without_dot_the_dot_file_is_written_and_one_sentence_says_so(tmp_path, no_dot):
    picture = viz.draw(double())
    with pytest.raises(viz.DrawError) as caught:
        picture.save(tmp_path / "x.pdf")
    message = str(caught.value)
    assert "no Graphviz found" in message and "pip install graphviz-pure" in message
    assert f"wrote {tmp_path / 'x.dot'} instead" in message and "\n" not in message
    assert (tmp_path / "x.dot").read_text("utf-8") == picture.dot()


def test_a_file_is_replaced_whole_and_keeps_usual_permissions(tmp_path, monkeypatch):
    target = tmp_path / "x.dot"
    target.write_text("old")

    def fails(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(viz.DrawError, match="No space left"):
        patch.setattr(os, "replace", fails)
        viz.draw(double()).save(target)
    assert target.read_text() == "old" and len(list(tmp_path.iterdir())) == 1
    viz.draw(double()).save(target)
    if os.name == "posix":
        mask = os.umask(0)
        os.umask(mask)
        assert target.stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_notebook_shows_the_picture_even_without_graphviz(no_dot):
    assert "b = a + a" in viz.draw(double())._repr_svg_()


def test_a_notebook_shows_the_picture_of_a_value():
    a = Value(1.0, name="a")
    b = (a + a).named("b")
    assert "b = a + a" in b._repr_svg_() and a._repr_svg_() is None
    stepper = Stepper(b)
    stepper.step()
    assert "step 1 of 2" in stepper._repr_svg_() and repr(stepper) == "<Stepper: step 1 of 2>"


def test_a_picture_says_what_it_is():
    assert repr(viz.draw(double())) == "<Picture: Graph of b, 2 boxes; .save('graph.svg') writes it>"


def test_a_wrong_direction_is_an_error():
    with pytest.raises(viz.DrawError, match="'LR'"):
        viz.draw(double(), direction="up")
