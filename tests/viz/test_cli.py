"""`minitorch draw`: results, messages and exit statuses."""

import argparse
import sys
import xml.etree.ElementTree as ET

import pytest

from viz import cli, layout


@pytest.fixture
def draw(tmp_path, monkeypatch, capsys):
    """Run `minitorch draw` in a folder of its own; returns (status, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        parser = argparse.ArgumentParser(prog="minitorch")
        cli.add_parser(parser.add_subparsers(required=True))
        args = parser.parse_args(["draw", *arguments])
        status = args.run(args)
        return status, *capsys.readouterr()

    return run


def svg_texts(path):
    return [item.text for item in ET.parse(path).getroot().iter() if item.tag.endswith("text")]


def test_an_expression_after_statements(draw, tmp_path):
    status, out, err = draw("-e", "a = Value(2.0); b = a + a; b", "-o", "out.svg")
    assert (status, out, err) == (0, "drew 'b': 2 boxes in out.svg\n", "")
    assert "b = a + a" in svg_texts(tmp_path / "out.svg")


@pytest.mark.parametrize("source", ["a = Value(2.0); b = a * a", "a = Value(2.0); b = a * a; b.backward()"])
def test_what_was_computed_last_when_no_value_ends_it(draw, tmp_path, source):
    status, out, _ = draw("-e", source, "-o", "out.svg")
    assert status == 0 and out.startswith("drew 'b', computed last: 2 boxes")


def test_an_expression_has_the_names_of_minitorch_and_keeps_those_of_python(draw, tmp_path):
    source = "net = nn.Linear(2, 1); x = tensor(np.ones((3, 2))); y = tanh(net(x)).sum(); sum([1, 2]); y.backward(); y"
    status, _, err = draw("-e", source, "-o", "out.dot")
    assert (status, err) == (0, "")
    assert "net.weight" in (tmp_path / "out.dot").read_text("utf-8")


def test_a_script_draws_what_it_computed_last(draw, tmp_path):
    (tmp_path / "s.py").write_text("from minitorch import Value\nx = Value(3.0)\ny = x * x\nz = y + 1\n")
    status, out, _ = draw("s.py", "-o", "out.svg")
    assert (status, out) == (0, "drew 'z', computed last (s.py:4): 4 boxes in out.svg\n")


def test_a_script_draws_the_name_that_is_asked_for(draw, tmp_path):
    (tmp_path / "s.py").write_text("from minitorch import Value\nx = Value(3.0)\nkept = [x * x, x + 1]\n")
    assert draw("s.py:kept[0]", "-o", "out.svg")[:2] == (0, "drew 'kept[0]' of s.py: 2 boxes in out.svg\n")
    titles = [item.text for item in ET.parse(tmp_path / "out.svg").getroot().iter() if item.tag.endswith("title")]
    assert any(title.endswith("made at s.py:3") for title in titles)


def test_a_script_runs_as_the_main_program_and_may_exit(draw, tmp_path):
    (tmp_path / "beside.py").write_text("factor = 2.0\n")
    (tmp_path / "s.py").write_text(
        "import sys\nfrom minitorch import Value\nfrom beside import factor\nassert __name__ == '__main__'\n"
        "assert sys.argv == ['s.py'] and __file__ == 's.py'\ny = Value(3.0) * factor\nsys.exit(0)\n"
    )
    path, main = list(sys.path), sys.modules["__main__"]
    assert draw("s.py", "-o", "out.svg")[0] == 0
    assert sys.path == path and sys.modules["__main__"] is main


def test_gradients_of_tensors_are_kept_for_the_picture(draw, tmp_path):
    (tmp_path / "s.py").write_text(
        "from minitorch import tensor\nw = tensor([1.0, 2.0], requires_grad=True)\ny = (w * w).sum()\ny.backward()\n"
    )
    assert draw("s.py", "-o", "out.svg")[0] == 0
    assert {"2.0", "4.0"} <= set(svg_texts(tmp_path / "out.svg"))


def test_a_script_that_raises_shows_its_own_frames_only(draw, tmp_path):
    (tmp_path / "s.py").write_text(
        "from minitorch import tensor\n\n\ndef f(x):\n    return x @ x\n\n\nf(tensor([[1.0, 2.0, 3.0]]))\n"
    )
    status, out, err = draw("s.py")
    assert (status, out) == (3, "")
    assert err.startswith("Traceback (most recent call last):\n") and err.count("  File ") == 2
    assert "return x @ x" in err and "minitorch/" not in err and "user_code" not in err
    assert not list(tmp_path.glob("*.svg"))


def test_an_expression_that_raises_shows_its_line(draw):
    status, _, err = draw("-e", "Value(1) / nothing")
    assert status == 3 and "    Value(1) / nothing\n" in err and err.endswith("name 'nothing' is not defined\n")


def test_a_script_that_is_not_python(draw, tmp_path):
    (tmp_path / "s.py").write_text("x = (\n")
    status, _, err = draw("s.py")
    assert status == 3 and "SyntaxError" in err and "viz" not in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-e", "1 + 1"], "-e gives 2 (int), which has no graph: draw a Value or a Tensor"),
        (["-e", "a = ("], "-e is not Python"),
        (["-e", ""], "-e is empty"),
        (["-e", "a = 1"], "-e computes no Value or Tensor"),
        (["missing.py"], "cannot read 'missing.py': No such file"),
        (["empty.py"], "empty.py keeps no computed Value or Tensor"),
        (["plain.py:y"], "plain.py has nothing called 'y' (name 'y' is not defined); Values and Tensors it keeps: x"),
        (["plain.py:n"], "plain.py:n is 3 (int), which has no graph"),
        (["plain.py", "-o", "out.bmp"], "-o out.bmp: the suffix must be one of .svg, .png, .pdf, .dot"),
        (["plain.py", "-o", "nowhere/out.svg"], "-o nowhere/out.svg: there is no folder 'nowhere'"),
        (["plain.py", "--digits", "0"], "--digits and --limit must be at least 1"),
        (["plain.py", "-e", "1"], "draw scripts or -e, not both"),
        (["-e", "1", "--watch"], "--watch looks at a script"),
        (["plain.py", "--depth", "-1"], "--hops and --depth must be at least 0"),
        (["plain.py", "--steps", "--at", "3"], "--at and --steps exclude each other"),
        (["plain.py", "--lesson", "x.html", "-o", "y.svg"], "--lesson names the file"),
        (["plain.py", "--lesson", "y.svg"], "--lesson y.svg: a lesson is an .html file"),
        (["plain.py", "--at", "1", "-o", "y.gif"], "y.gif shows every step, in boxes; leave --at out"),
        (["-e", "1", "--style", "circuit", "-o", "y.html"], "y.html shows every step, in boxes; leave --style out"),
    ],
)
def test_wrong_usage_is_one_sentence_and_status_2(draw, tmp_path, arguments, message):
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "plain.py").write_text("from minitorch import Value\nx = Value(1.0)\nn = 3\n")
    status, out, err = draw(*arguments)
    assert (status, out) == (2, "") and message in err and err.count("\n") == 1


def test_nothing_to_draw_is_usage(draw):
    assert draw() == (2, "", "minitorch draw: give scripts to draw, or an expression with -e\n")


CHAIN = "a = Value(2.0); b = a + a; c = b * b; c"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--at", "-2"], "drew 'c': 3 boxes in out.svg"),
        (["--theme", "dark", "--style", "circuit", "--digits", "2"], "drew 'c': 5 boxes in out.svg"),
        (["--around", "a", "--hops", "1"], "drew 'c': 2 boxes in out.svg\nShowing the 2 of 3 nodes at most 1 edge from a."),
        (["--path", "a", "b"], "drew 'c': 2 boxes in out.svg\nShowing the 2 of 3 nodes on the way from a to b."),
        (["--worksheet"], "wrote the worksheet of 'c' in out.svg, its answer key in out.key.svg"),
    ],
)
def test_what_is_drawn_and_how(draw, tmp_path, options, told):
    status, out, err = draw("-e", CHAIN, "-o", "out.svg", *options)
    assert (status, out, err) == (0, told + "\n", "")
    for path in tmp_path.glob("*.svg"):
        ET.parse(path)


def test_the_pass_at_a_step(draw, tmp_path):
    draw("-e", CHAIN, "-o", "out.txt", "--at", "3")
    assert "step 3 of 4 · arrived: b → a (as a)" in (tmp_path / "out.txt").read_text("utf-8")
    assert draw("-e", CHAIN, "--at", "9")[::2] == (1, "minitorch draw: --at 9 is outside this pass, whose steps are 0 to 4\n")


def test_one_picture_for_every_step_all_alike(draw, tmp_path):
    status, out, _ = draw("-e", CHAIN, "-o", "out.svg", "--steps")
    assert (status, out) == (0, "drew 'c': 5 pictures, out-000.svg to out-004.svg\n")
    roots = [ET.parse(path).getroot() for path in sorted(tmp_path.glob("out-*.svg"))]
    assert len(roots) == 5 and len({root.get("viewBox") for root in roots}) == 1


def test_a_lesson_takes_the_notes_beside_the_script(draw, tmp_path):
    (tmp_path / "s.py").write_text("from minitorch import Value\na = Value(3.0)\nb = a * a\n")
    (tmp_path / "s.notes.md").write_text("# Squares\n\n## end\nIt is 2a.\n")
    status, out, _ = draw("s.py", "--lesson", "s.html")
    assert (status, out) == (0, "wrote the lesson of 'b', computed last (s.py:3): 2 steps in s.html\n")
    text = (tmp_path / "s.html").read_text("utf-8")
    assert "<title>Squares</title>" in text and "It is 2a." in text


def test_many_scripts_in_one_call(draw, tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(f"from minitorch import Value\n{name} = Value(3.0) * 2\n")
    (tmp_path / "pictures").mkdir()
    assert draw("one.py", "two.py", "-o", "pictures", "--format", "dot")[0] == 0
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["one.dot", "two.dot"]
    (tmp_path / "two.py").write_text("1 / 0\n")
    status, out, err = draw("two.py", "one.py", "--format", "json")
    assert status == 3 and "ZeroDivisionError" in err and "one.json" in out  # the others are drawn all the same


@pytest.mark.parametrize("suffix", ["svg", "png", "dot", "json", "txt", "gif", "html"])
def test_every_format(draw, tmp_path, suffix):
    assert draw("-e", CHAIN, "--format", suffix)[0] == 0
    assert (tmp_path / f"graph.{suffix}").stat().st_size > 100


def test_watching_draws_again_what_was_saved(tmp_path, monkeypatch, capsys):
    from viz import watch

    script = tmp_path / "s.py"
    script.write_text("1")
    monkeypatch.setattr(watch.time, "sleep", lambda _: script.write_text(script.read_text() + "1"))
    seen = []
    watch.watch([script], seen.append, looks=3)
    assert seen == [script] * 3 and "watching" in capsys.readouterr().out


def test_without_dot_status_1_and_the_dot_file(draw, tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "programs", lambda: [])
    status, out, err = draw("-e", "Value(2.0) * 3", "-o", "out.pdf")
    assert (status, out) == (1, "") and "wrote out.dot instead" in err
    assert (tmp_path / "out.dot").exists()


def test_what_was_simplified_is_said(draw):
    source = "x = Value(1.0)\nfor i in range(700): x = x + 1"
    status, out, _ = draw("-e", source, "-o", "out.svg")
    assert status == 0 and "Showing the 13 of 701 nodes nearest to x." in out


def test_a_message_of_the_engine_does_not_name_variables_of_ours(draw):
    status, _, err = draw("-e", "tensor([1.0, 2.0], requires_grad=True) * 2", "--at", "1")
    assert status == 1 and "this tensor has shape (2,)" in err
