"""What stops a pass besides a plain breakpoint, and what is printed on the way."""

from __future__ import annotations

import pytest

from repl.engine import Session
from tests.repl.driver import REUSE, positions, refuse, say, session

RELU = ("x = tensor([[1.0, -2.0], [3.0, -4.0]], requires_grad=True)", "L = minitorch.relu(x).sum()", "backward L")


def test_a_temporary_breakpoint_stops_once() -> None:
    s = session(*REUSE, "tbreak e")
    assert positions(s, ["continue", "start", "continue"]) == [2, 0, 4]
    assert "no breakpoints" in say(s, "break")


def test_condition_enable_disable() -> None:
    s = session(*REUSE, "break *", "condition 1 grad < 0")
    assert positions(s, ["continue"]) == [3]
    say(s, "disable 1")
    assert "disabled" in say(s, "break")
    assert positions(s, ["start", "continue"]) == [0, 4]
    say(s, "enable")
    assert positions(s, ["start", "continue"]) == [0, 3]
    assert "condition" not in say(s, "condition 1") and positions(s, ["start", "continue"]) == [0, 2]
    assert "takes the number" in refuse(s, "condition x > 1")
    assert "there is no breakpoint 9" in refuse(s, "condition 9 step > 1")


def test_break_at_a_line_of_the_program() -> None:
    s = session(*REUSE)
    assert positions(s, ["break input 3:1", "continue"]) == [0, 2]
    assert "no node yet" in say(Session(), "break train.py:12")


def test_shapes_pick_nodes() -> None:
    s = session(*RELU)
    assert "relu_1" in say(s, "list shape:(*,2)") and "sum" not in say(s, "list shape:(2,2)").split("relu(x)")[0]


@pytest.mark.parametrize(
    ("lines", "kind", "sentence"),
    [
        (("a = Value(0.0)", "L = a.sqrt() * 3.0"), "inf", "turned"),
        (("a = Value(0.0)", "L = a.sqrt() * 0.0"), "nan", "turned 0.0 into nan"),
        (("a = Value(2.0)", "L = (a * 0.0) + a"), "zero", "nothing of 1.0 gets through mul_1 = a × 0.0"),
        (("a = Value(2.0)", "L = a * 5000.0"), "explode", "has norm 5e+03, more than 1000"),
        (("a = Value(2.0)", "L = a * 20.0"), "explode 10", "more than 10"),
        (("a = Value(2.0)", "L = a * 1e-8"), "vanish", "norm 1e-08, less than 1e-06"),
        (RELU[:2], "dead", "1 of 2 units of relu_1 are flat for every input"),
        (("a = Value(-2.0)", "L = a.relu() * 2.0"), "dead", "relu_1 is flat here"),
    ],
)
def test_catch(lines: tuple[str, ...], kind: str, sentence: str) -> None:
    s = session(*lines, "backward L", f"catch {kind}")
    assert sentence in " ".join(say(s, "continue").split())


def test_catch_nan_blames_the_forward_operation_at_once() -> None:
    s = session("x = tensor([1.0, -1.0], requires_grad=True)", "h = x.log()", "L = (h * 2.0).sum()", "backward L")
    shown = " ".join(say(s, "catch nan").split())
    assert "h = log(x) made the first one, made at input 2, `h = x.log()`, from x [1.0, -1.0]" in shown


def test_catch_stale_and_mistakes() -> None:
    s = session(*REUSE, "end", "backward L", "catch stale")
    assert "a.grad = -2.0 is left from an earlier pass" in say(s, "continue")
    s = session("w = Value(0.5)", "(w * 3.0).backward()", "L = w * 3.0", "backward L", "catch stale")
    assert "w.grad = 3.0 is left from an earlier pass" in say(s, "continue")  # at the last step, too
    assert "vanish" in say(s, "catch")
    assert "catch knows nan" in refuse(s, "catch fire")
    assert "takes no limit" in refuse(s, "catch nan 3")
    assert "is a number" in refuse(s, "catch explode much")


def test_watch_stops_on_change() -> None:
    s = session(*REUSE, "watch a")
    assert "watch 1: a changed: —  →  1.0" in say(s, "continue")
    assert "watch 1: a changed: 1.0  →  -2.0" in say(s, "continue")
    assert positions(s, ["delete", "start", "watch step > 1", "continue"]) == [3, 0, 0, 2]
    assert "did you mean" in refuse(s, "watch aa") or "no node" in refuse(s, "watch aa")
    assert "could not be asked: ZeroDivisionError" in say(session(*REUSE, "watch 1 / (step - 1)"), "continue")


def test_displays_are_shown_at_every_stop() -> None:
    s = session(*REUSE, "display a", "display step * 2")
    shown = say(s, "step 2")
    assert "1:       grad(a) = 1.0" in shown and "2:       step * 2 = 4" in shown
    assert "grad(a)" not in say(s, "undisplay 1") and "grad(a) = " not in say(s, "where")
    assert "step * 2" in say(s, "display")
    assert "there is no display 7" in refuse(s, "undisplay 7")
    say(s, "undisplay")
    assert "nothing is displayed" in say(s, "display")


def test_a_display_that_fails_says_so_and_stops_nothing() -> None:
    assert "NameError" in say(session(*REUSE, "display nonsense + 1"), "step")


def test_trace_prints_and_goes_on() -> None:
    s = session(*REUSE, "trace *")
    shown = say(s, "continue")
    assert "trace 1: e = a × b   value -6.0   grad 1.0   step 2" in shown and "end of the pass" in shown
    s = session("x = Value(1.0)", "for _ in range(100): x = x * 1.5", "backward x", "trace op:mul")
    assert "59 lines of traces left out" in say(s, "continue")
