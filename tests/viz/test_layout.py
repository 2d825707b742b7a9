"""Running Graphviz: the one found, one that is broken, one that hangs, and none."""

import os
import subprocess
import sys
import time

import pytest

import viz
from tests.viz.graphs import chain, double, readme
from viz import layout
from viz.boxes import node_size
from viz.picture import label_sizes

posix_only = pytest.mark.skipif(os.name != "posix", reason="the stand-ins for dot are shell scripts")


def place(root, **options):
    view = viz.view(root)
    return layout.place(view, {node.id: node_size(node) for node in view.nodes}, label_sizes(view), **options)


def stand_in(tmp_path, script, name="dot"):
    """A program of our own in the place of dot."""
    path = tmp_path / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def only(monkeypatch):
    """Use these programs and no others."""
    return lambda *paths: monkeypatch.setattr(layout, "programs", lambda: list(paths))


def pure():
    return layout._pure_path()


def test_graphviz_pure_is_found_without_PATH(monkeypatch):
    monkeypatch.setenv("PATH", "")
    layout._pure_path.cache_clear()
    (program,) = layout.programs()
    assert program.stem == "graphviz-pure" and program.is_absolute()
    assert subprocess.run([program, "-V"], capture_output=True).returncode == 0


def test_every_dot_on_this_machine_lays_out_the_same_graph(only):
    for program in layout.programs():
        only(program)
        placed = place(readme())
        assert len(placed.nodes) == len(viz.view(readme()).nodes)


def test_a_picture_grows_to_the_right_or_downwards():
    across, down = place(double()), place(double(), direction="TB")
    assert across.nodes["n1"].x < across.nodes["n2"].x and across.width > across.height
    assert down.nodes["n1"].y < down.nodes["n2"].y and down.width < down.height


@posix_only
@pytest.mark.parametrize(
    "script",
    [
        "exit 3",
        "echo 'Error: no plugins' >&2; exit 0",
        "exit 0",
        'shift; echo "not json" > "$2"; exit 0',
        'echo "{}" > "$3"',
        "kill -9 $$",
    ],
)
def test_a_broken_dot_gives_way_to_the_next_program(tmp_path, only, script):
    only(stand_in(tmp_path, script), layout.Path(pure()))
    assert len(place(double()).nodes) == 2


@posix_only
def test_when_every_program_is_broken_one_sentence_says_why(tmp_path, only):
    only(stand_in(tmp_path, "echo 'Error: no fonts' >&2; exit 1"), tmp_path / "missing")
    with pytest.raises(viz.DrawError) as caught:
        place(double())
    assert "dot: Error: no fonts" in str(caught.value) and "pip install graphviz-pure" in str(caught.value)
    assert "\n" not in str(caught.value)


@posix_only
def test_a_dot_that_hangs_is_stopped_with_all_it_started(tmp_path, only):
    only(stand_in(tmp_path, f"sleep 60 & echo $! > {tmp_path}/child; wait"))
    began = time.perf_counter()
    with pytest.raises(layout.LayoutTimeout, match="did not finish this picture within 0.3 s"):
        place(double(), time_limit=0.3)
    assert time.perf_counter() - began < 5
    child = int((tmp_path / "child").read_text())
    for _ in range(50):
        if not alive(child):
            break
        time.sleep(0.02)
    assert not alive(child)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") if os.path.exists(f"/proc/{pid}/stat") else open(os.devnull) as stat:
        return stat.read().rpartition(")")[2].split()[:1] != ["Z"]


@posix_only
def test_a_dot_that_is_too_slow_is_tried_again_with_fast_settings(tmp_path, only):
    only(stand_in(tmp_path, f'if grep -q nslimit "$4"; then exec {pure()} "$@"; fi; exec sleep 60'))
    assert len(place(double(), time_limit=1.0).nodes) == 2


def test_long_edges_do_not_hang_dot():
    began = time.perf_counter()
    assert viz.draw(chain(400, uses=24)).svg().startswith("<?xml")
    assert time.perf_counter() - began < 10


def test_viz_is_imported_without_the_engine():
    code = "import sys, viz, viz.cli; sys.exit('numpy' in sys.modules or 'minitorch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=layout.Path(viz.__file__).parents[1]).returncode == 0
