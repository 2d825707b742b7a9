"""Branches: set, rule, branch, diff, reset, undo, redo."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minitorch import Value
from minitorch.core import backward as engine
from repl import branches, graph
from repl.engine import Session
from tests.repl.driver import REUSE, positions, refuse, say, session

TWICE = ("a = Value(1.0)", "b = a + a", "c = b + b", "backward c")
TENSOR = ("W = tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)", "h = W @ W", "L = (h * h).sum()", "backward L")


def test_set_forks_a_branch_and_the_variables_follow() -> None:
    s = session(*REUSE)
    shown = say(s, "set a.data = 5")
    assert "what-if 1: a = 5.0 (was 2.0); 2 nodes computed again, L = -10.0 (was -4.0)" in " ".join(shown.split())
    assert s.namespace["L"].data == -10.0 and s.namespace["b"].data == -3.0
    say(s, "branch main")
    assert s.namespace["L"].data == -4.0 and s.namespace["a"].data == 2.0
    assert "there is no branch 'x'" in refuse(s, "branch x")
    say(s, "branch 1")
    assert "back to main; 1 branch dropped" in say(s, "reset")
    assert s.namespace["L"].data == -4.0


def test_each_branch_keeps_its_position_and_gives_its_own_grad() -> None:
    s = session(*REUSE, "next", "set a = 5")
    assert positions(s, ["where", "end", "branch main", "branch 1"]) == [2, 4, 2, 4]
    assert s.namespace["b"].grad == 5.0
    say(s, "branch main")
    assert s.namespace["b"].grad is None
    say(s, "end")
    assert s.namespace["b"].grad == 2.0


def test_diff_shows_values_and_gradients() -> None:
    shown = say(session(*REUSE, "set a = 5"), "diff")
    assert "3 values and 1 gradient differ" in shown
    assert [line.split() for line in shown.splitlines() if line.split()[0] == "b"] == [["b", "-3.0", "same", "2.0", "5.0"]]
    assert "nothing to compare" in refuse(session(*REUSE), "diff")
    assert "every value and every gradient is the same" in say(session(*REUSE, "set a = 2"), "diff")


def test_elements_and_expressions_can_be_set() -> None:
    s = session(*TENSOR, "set W[0,1] = W[1,1] + 3")
    assert s.namespace["W"].tolist() == [[1.0, 7.0], [3.0, 4.0]]
    assert s.namespace["L"].item() == np.square(np.array([[1.0, 7.0], [3.0, 4.0]]) @ [[1.0, 7.0], [3.0, 4.0]]).sum()
    say(s, "set h = 1")  # an interior node becomes a leaf
    assert s.namespace["L"].item() == 4.0
    assert "no part in the pass" in refuse(s, "set W = 3")
    say(s, "reset")
    assert "shape" in refuse(s, "set W = np.ones(3)")
    assert "where this pass begins" in refuse(s, "set L = 3")
    assert "set takes a node" in refuse(s, "set W")
    assert "out of bounds" in refuse(s, "set W[7,7] = 3")
    assert "no part in the pass" in refuse(session(*TENSOR, "other = Value(1.0)"), "set other = 3")


def test_parameters_of_a_module_are_set_by_path() -> None:
    s = session("net = nn.Linear(2, 1)", "L = net(tensor([[1.0, 2.0]])).sum()", "backward L", "set net.weight = 1")
    assert "net.weight" in say(s, "list param")
    assert s.namespace["net"].weight.tolist() != [[1.0, 1.0]]


def test_what_left_the_graph_is_named() -> None:
    s = session("w = tensor([1.0, 2.0], requires_grad=True)", "k = w.detach()", "L = (w * k).sum()", "backward L")
    assert "k left the graph" in say(s, "set w = 3")


def test_what_the_program_read_out_of_the_graph_is_named() -> None:
    s = session(
        "a = Value(2.0)",
        "b = a * 3",
        "if b > 2: c = b * b\nelse: c = b",
        "scale = float(b)",
        "L = c * scale",
        "float(b) + 1",
        "backward L",
    )
    shown = " ".join(say(s, "set a = 0.1", width=200).split())
    assert "read out of the graph, and not asked again: b > … at input 3, `if b > 2: c = b * b`; b.item() at input 4" in shown
    assert "input 6" not in shown  # read when L was there already
    s = session("w = tensor([1.0, -2.0], requires_grad=True)", "h = w * 3", "i = h.argmax()", "L = h.sum()", "backward L")
    assert "argmax(h) at input 3" in say(s, "set w = 3", width=120)
    assert "hint" not in say(session(*TENSOR), "set W = 2")


def test_what_was_read_by_way_of_other_nodes_is_named() -> None:
    s = session("a = Value(2.0)", "b = a * 3", "if (b - 1) > 0: c = b * b\nelse: c = b", "L = c + 1", "float(L + 1)", "backward L")
    shown = " ".join(say(s, "set a = 0.1", width=200).split())
    assert "not asked again: b > …, after sub, at input 3, `if (b - 1) > 0: c = b * b`" in shown and "input 5" not in shown
    s = session(
        "w = tensor([1.0, -2.0], requires_grad=True)", "scale = (w * w).mean().item()", "L = (w / scale).sum()", "backward L"
    )
    assert "w.item(), after mean, at input 2" in say(s, "set w = 3", width=200)
    lines = "for _ in range(2):\n    loss = (w * w).sum()\n    loss.backward()\n    print(loss.item())"
    s = session("w = tensor([1.0, -2.0], requires_grad=True)", lines, "L = (w * 2).sum()", "backward L")
    assert "read out" not in say(s, "set w = 3")  # of graphs that are done with


def test_wrong_rules_are_stepped_and_compared() -> None:
    s = session(*TWICE)
    assert "wrong on purpose" in say(s, "rule noorder")
    assert "1.0 + 1.0 + 2.0 + 2.0 = 6.0" in say(s, "end") and s.namespace["a"].grad is None
    assert "a            1.0     same        4.0      6.0" in say(s, "diff")
    assert "1.0 + 1.0 = 1.0" in say(s, "rule assign") + say(s, "end")
    say(s, "rule right")
    say(s, "end")
    assert s.namespace["a"].grad == 4.0
    assert "no rule 'x'" in refuse(s, "rule x")
    assert "► right" in say(s, "rule")
    say(s, "rule nozero")
    say(s, "end")
    assert "nozero" in say(s, "branch") and s.namespace["a"].grad is None


def test_nozero_starts_from_what_an_earlier_pass_left_and_not_from_its_own() -> None:
    s = session("w = Value(0.5)", "(w * 3.0).backward()", "L = w * 3.0", "backward L", "end")
    assert s.namespace["w"].grad == 6.0
    say(s, "rule nozero")
    assert s.namespace["w"].grad == 3.0 and "w  3.0 + 3.0 = 6.0" in say(s, "end")
    assert "w            0.5    same        3.0     6.0" in say(s, "diff")
    say(s, "rule right")
    assert s.namespace["w"].grad == 6.0
    assert "w            0.5    same        3.0     6.0" in say(s, "diff nozero")


def test_undo_and_redo_of_edits() -> None:
    s = session(*REUSE, "break e", "set a = 5", "display b")
    assert say(s, "undo") == "undone: display b\n" and not s.stops.displays
    assert say(s, "undo") == "undone: set a = 5\n" and s.namespace["a"].data == 2.0
    say(s, "undo")
    assert "no breakpoints" in say(s, "break")
    assert "no edit to undo" in refuse(s, "undo")
    say(s, "redo")
    assert say(s, "redo") == "done again: set a = 5\n" and s.namespace["a"].data == 5.0
    say(s, "delete 1")
    assert "nothing to do again" in refuse(s, "redo")
    say(s, "undo")
    assert "e" in say(s, "break")


def test_listing_is_no_edit() -> None:
    assert "no edit" in refuse(session(*REUSE, "break", "branch", "rule", "display"), "undo")


WALK = st.lists(
    st.sampled_from(
        [
            "step", "next", "rstep", "rnext", "step 3", "goto 0", "end", "start", "set a = 3", "set b = -1.5", "set e = 2",
            "undo", "redo", "reset", "branch main", "branch 1", "rule assign", "rule noorder", "rule right", "break e",
            "continue", "rcontinue", "restart", "check", "why a", "diff",
        ]
    ),
    max_size=14,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(WALK)
def test_any_walk_then_the_end_leaves_the_gradients_of_backward(walk: list[str]) -> None:
    s = session(*REUSE[:-1])
    a, b = s.namespace["a"], s.namespace["b"]
    s.execute("backward L")
    main = s.branches
    for line in walk:
        s.execute(line)
    if s.branches is not main:  # `restart` took another branch's nodes up
        return
    assert s.branches is not None
    s.switch(s.branches.all[0])
    s.execute("end")
    x, y = Value(2.0), Value(-3.0)
    (x * y + x).backward()
    assert (a.grad, b.grad) == (x.grad, y.grad)


@settings(max_examples=25, deadline=None)
@given(st.floats(-3, 3), st.floats(-3, 3))
def test_set_is_the_graph_built_afresh(a: float, b: float) -> None:
    s = session(*REUSE)
    for name, number in (("a", a), ("b", b)):
        assert s.execute(f"set {name} = {number!r}").ok
    s.execute("end")
    x, y = Value(a), Value(b)
    root = x * y + x
    root.backward()
    assert s.namespace["L"].data == root.data
    assert (s.namespace["a"].grad, s.namespace["b"].grad) == (x.grad, y.grad)


def test_a_pass_begun_from_a_branch_keeps_its_numbers() -> None:
    s = session(*REUSE, "set a = 5", "backward L", "end")
    assert s.namespace["b"].grad == 5.0 and isinstance(s, Session)


def test_a_large_graph_is_neither_named_nor_searched_for_a_small_change(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ("a, b = Value(2.0), Value(0.5)", "x = a", "for i in range(40): x = x * 0.9 + a", "y = (x * 0.01 + b * 3).tanh() * x",
             "backward y")  # fmt: skip
    told = ("set b = 1", "where", "end", "list all", "info x", "diff", "branch main", "find op:tanh", "branch 1", "set a = 3", "diff",
            "undo", "rule assign", "branch", "reset", "where")  # fmt: skip
    small = session(*lines)
    expected = [say(small, line) for line in told]
    for module in (graph, branches):
        monkeypatch.setattr(module, "LARGE", 5)
    large = session(*lines)
    assert [say(large, line) for line in told] == expected

    def looked_through(*_: object) -> None:
        raise AssertionError("the whole graph")

    large = session(*lines)
    for module, function in ((graph, "names"), (graph, "behind"), (engine, "recorded"), (branches, "ancestors")):
        monkeypatch.setattr(module, function, looked_through)
    monkeypatch.setattr("repl.engine.behind", looked_through)
    assert "what-if 1: b = 1.0 (was 0.5); 4 nodes computed again, y = " in " ".join(say(large, "set b = 1").split())
    for line in ("step", "undo", "step", "redo", "end"):
        say(large, line)
    assert large.namespace["b"].raw == 1.0 and large.namespace["b"].grad > 0


def test_an_edited_leaf_can_be_set() -> None:
    s = session("a = Value(2.0)", "b = a * a", "L = b + 1", "a.data = 5.0", "backward L")
    assert "2 nodes computed again, L = 50.0" in " ".join(say(s, "set a = 7").split())
    say(s, "end")
    assert s.namespace["a"].grad == 14.0


def test_an_edit_in_place_is_noticed() -> None:
    s = session(*TENSOR)
    assert "W changed in place" in say(s, "W.data[0, 0] = 9.0")
    assert "changed" not in say(s, "1 + 1")
    s = session(*REUSE)
    assert "a changed in place" in say(s, "a.data = 7.0") and "`set a = ...`" in say(s, "b.data += 1").replace("set b", "set a")
