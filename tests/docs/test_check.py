"""`minitorch check`: what a learner sees of an exercise, right and wrong."""

from __future__ import annotations

import numpy as np
import pytest

from minitorch import Value, tensor
from minitorch.testing import asked, expect
from repl import check
from repl.main import main

EXERCISE = '''"""The gradient of a

More words.
"""
from minitorch.testing import expect

def slope(x):
    return {slope}

gradient = {gradient}
expect("the gradient of a", gradient, 4.0, mistakes=[(2.0, "a is used twice."), (lambda g: g < 0, "The sign.")])
expect("the slope at 3", lambda: slope(3.0), 6.0, within=1e-3, otherwise="Look at the rule.")
'''


@pytest.fixture
def exercise(tmp_path):
    def write(gradient="...", slope="..."):
        path = tmp_path / "0-1-slope.py"
        path.write_text(EXERCISE.format(gradient=gradient, slope=slope), encoding="utf-8")
        return str(path)

    return write


def test_a_solved_exercise(exercise, capsys):
    assert main(["check", exercise("4", "2 * x")]) == 0
    assert capsys.readouterr().out == "The gradient of a\n✓ the gradient of a\n✓ the slope at 3\n2 of 2 answers right\n"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({}, "✗ the gradient of a: not filled in yet"),
        ({"gradient": "2.0"}, "✗ the gradient of a: 2 is not it. a is used twice."),
        ({"gradient": "-7.0"}, "✗ the gradient of a: -7 is not it. The sign."),
        ({"gradient": "5"}, "✗ the gradient of a: 5 is not it\n"),
        ({"slope": "x"}, "✗ the slope at 3: 3 is not it. Look at the rule."),
        ({"slope": "x * ..."}, "✗ the slope at 3: not filled in yet"),
        ({"slope": "1 / (x - 3)"}, "✗ the slope at 3: ZeroDivisionError: "),
        ({"gradient": "2 * ..."}, "✗ the file: not filled in yet"),
    ],
)
def test_a_mistake_is_named(exercise, capsys, answers, said):
    assert main(["check", exercise(**answers)]) == 1
    out = capsys.readouterr().out
    assert said in out
    assert "Traceback" not in out and "testing.py" not in out


def test_what_raised_is_shown_with_the_learners_line(exercise, capsys):
    assert main(["check", exercise("nope")]) == 3
    out = capsys.readouterr().out
    assert "gradient = nope" in out and "NameError" in out and "Traceback" not in out
    assert main(["check", exercise("1", "1 / 0")]) == 1
    assert "0-1-slope.py:8 in slope: return 1 / 0" in capsys.readouterr().out


def test_several_files_give_the_worst_code(exercise, tmp_path, capsys):
    solved = exercise("4", "2 * x")
    other = tmp_path / "other.py"
    other.write_text("x = 1\n")
    assert main(["check", solved, str(other)]) == 2
    told = capsys.readouterr()
    assert "0-1-slope.py: The gradient of a" in told.out
    assert "expects nothing" in told.err
    assert main(["check", str(tmp_path / "none.py")]) == 2


def test_an_exercise_shows_its_lines_in_plain_python_too(capsys):
    assert expect("two", 2, 2.0)
    assert not expect("three", 4, 3.0)
    assert capsys.readouterr().out == "✓ two\n✗ three: 4 is not it\n"


@pytest.mark.parametrize(
    ("got", "wanted", "right"),
    [
        (Value(2.0), 2.0, True), (tensor([1.0, 2.0]), [1.0, 2.0], True), ([1, Value(2.0)], np.array([1.0, 2.0]), True),
        (tensor([1.0, 2.0]), 1.0, False), (float("nan"), float("nan"), True), ("b", "b", True), ("2.0", 2.0, False),
        (2.0000001, 2.0, True), (2.1, 2.0, False), (["c", "b"], ["c", "b"], True), (True, True, True), ((2, 3), (2, 3), True),
    ],
)  # fmt: skip
def test_results_of_every_kind_are_compared(got, wanted, right):
    with asked() as told:
        assert expect("it", got, wanted) is right
    assert [one.right for one in told] == [right]


def test_a_wrong_result_is_shown_short(capsys):
    expect("it", [0.1 + 0.2, Value(1.0)], [1.0, 1.0])
    expect("it", ("a", 2), ("b", 2))
    expect("it", tensor([[1.0] * 30] * 30), 1.0)
    told = capsys.readouterr().out.splitlines()
    assert told[:2] == ["✗ it: [0.3, 1] is not it", "✗ it: ('a', 2) is not it"]
    assert len(told[2]) < 90


def test_an_endless_loop_stopped_by_ctrl_c_is_no_traceback(tmp_path):
    path = tmp_path / "loop.py"
    path.write_text("raise KeyboardInterrupt\n")
    told, raised = check.carry_out(str(path))
    assert not told and raised.error == "KeyboardInterrupt"
