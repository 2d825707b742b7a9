"""undo and redo of what Python did at the prompt."""

from __future__ import annotations

import numpy as np
import pytest

from repl.engine import Session
from tests.repl.driver import REUSE, refuse, say, session

TENSOR = ("W = tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)", "L = (W * W).sum()")
STATE = {
    "a.data = 0.5": "a.data",
    "a.grad = 3.0": "a.grad",
    "a = 7": "a",
    "del a": "'a' in globals()",
    "W.data[0, 1] = 9.0": "W.tolist()",
    "W.data = W.data * 2": "W.tolist()",
    "L.backward()": "W.grad",
    "with no_grad(): W -= 1": "(W.tolist(), W._cell)",
    "W.requires_grad_(False)": "W.requires_grad",
    "items.append(4); items[0] = 3": "items",
    "settings['lr'] = 0.5": "settings",
    "array[1] = 7": "array.tolist()",
    "for p in net.parameters(): p.data.fill_(0.25)": "[p.tolist() for p in net.parameters()]",
    "step_by_sgd()": "[p.tolist() for p in net.parameters()]",
}


@pytest.mark.parametrize("line", STATE)
def test_a_line_of_python_is_undone_and_done_again(line: str) -> None:
    s = session(
        "a = Value(2.0)",
        *TENSOR,
        "items = [1, 2]",
        "settings = {'lr': 0.1}",
        "array = np.arange(3.0)",
        "net = nn.Linear(2, 1)",
        "def step_by_sgd():\n    net(tensor([1.0, 2.0])).sum().backward()\n    optim.SGD(net.parameters(), 0.1).step()\n",
    )
    before = say(s, STATE[line])
    say(s, line)
    after = say(s, STATE[line])
    assert after != before
    assert say(s, "undo").startswith(f"undone: {line}")
    assert say(s, STATE[line]) == before
    assert say(s, "redo").startswith(f"done again: {line}")
    assert say(s, STATE[line]) == after
    say(s, "undo")
    assert "no edit to undo" in refuse(s, "undo")


def test_new_names_and_looking_are_no_edits() -> None:
    s = session(*REUSE, "c = a * 3", "a + b", "print(a)", "def f(): pass", "[x for x in (1, 2)]")
    assert "no edit to undo" in refuse(s, "undo")


def test_undo_tells_what_it_put_back() -> None:
    s = session(*TENSOR, "b = 1", "W.data += 1; b = 2")
    assert say(s, "undo") == "undone: W.data += 1; b = 2   (W, b as before)\n"


def test_python_and_commands_are_undone_in_turn() -> None:
    s = session(*REUSE, "break e", "a.data = 9.0", "set b = 4", "depth 2")
    for line in ("depth 2", "set b = 4", "a.data = 9.0", "break e"):
        assert say(s, "undo").startswith(f"undone: {line}")
    assert s.namespace["a"].data == 2.0 and s.namespace["L"].data == -4.0 and not s.stops.points
    for _ in range(4):
        say(s, "redo")
    assert s.namespace["a"].data == 9.0 and s.namespace["b"].data == 4.0 and s.look.depth == 2


def test_an_undone_edit_leaves_the_pass_as_it_was() -> None:
    s = session(*TENSOR, "backward L", "W.data[0, 0] = 9.0", "undo", "end")
    assert s.namespace["W"].grad.tolist() == [[2.0, 4.0], [6.0, 8.0]]
    assert "changed in place" in say(s, "W.data[0, 0] = 9.0") and "`undo` puts it back" in say(s, "W.data[0, 0] = 8.0")


def test_what_undo_keeps_is_capped() -> None:
    s = session("W = tensor(np.zeros(1000))", "option memory 20 KB", *(f"W.data += {i}" for i in range(1, 9)))
    assert len(s.edits.done) < 8
    for _ in range(len(s.edits.done)):
        say(s, "undo")
    assert "no edit" in refuse(s, "undo") and s.namespace["W"][0].item() > 0


def test_a_nan_is_no_edit() -> None:
    s = session("x = tensor(np.array([np.nan, 1.0]))", "v = Value(float('nan'))", "str(3)")
    assert "no edit" in refuse(s, "undo")
    assert np.isnan(Session().namespace["np"].nan)
