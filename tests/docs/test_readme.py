"""What the README shows is what the program does today: its picture, its recording, and what the samples reached."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from docs.builder import recording, results
from docs.builder.page import DOCS
from repl.engine import Session
from repl.render import plain_text
from repl.screen import Screen
from viz.output import paused
from viz.user_code import evaluate

PICTURE = "a = Value(2.0); b = Value(-3.0); c = Value(10.0); s = a * b + c; L = s * s; L"  # with `minitorch draw --at 3 -e`


def words(svg):
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_the_picture_is_drawn_as_today():
    import viz

    found = evaluate(PICTURE)
    today = viz.draw(paused(found.root, 3), variables=found.variables).svg()
    committed = (DOCS / "picture.svg").read_text(encoding="utf-8")
    assert sorted(words(committed)) == sorted(words(today)), f"minitorch draw --at 3 -o docs/picture.svg -e '{PICTURE}'"


def test_the_recording_shows_what_the_terminal_says_today():
    shown = {re.sub(r"\s+", "", row) for row in words(recording.FILE.read_text(encoding="utf-8"))}
    session = Session()
    session.width = recording.COLUMNS
    for line in recording.LINES:
        for result in session.execute_all(line):
            for row in plain_text(result.views, Screen(width=recording.COLUMNS)).splitlines():
                assert re.sub(r"\s+", "", row) in shown, f"{row!r} is not in the recording: python -m docs record"


def test_a_recording_shows_one_frame_at_a_time():
    row = (("a < b", "cyan", True),)
    svg = recording.drawn([recording.Frame((row,), 1.0, (0, 0)), recording.Frame((row, ()), 3.0, (2, 1))])
    assert svg.count("a &lt; b") == 1 and svg.count('href="#r0"') == 2
    assert "f0{0.000%{visibility:visible}25.000%,100%{visibility:hidden}}" in svg
    assert "f1{0%{visibility:hidden}25.000%{visibility:visible}}" in svg


def test_the_table_of_samples_has_what_was_measured():
    text = results.README.read_text(encoding="utf-8")
    assert text == results.filled(text), "python -m docs results"
    assert results.measured()["xor"].startswith("train accuracy 1.0000, ")
