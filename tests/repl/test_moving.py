"""The movements, forward and back, on the session alone."""

from __future__ import annotations

import signal
import threading

import pytest

from minitorch import Value
from tests.repl.driver import REUSE, positions, refuse, say, session


def test_a_pass_begins_paused() -> None:
    s = session(*REUSE)
    assert s.stepper is not None and s.stepper.position == 0
    assert s.namespace["a"].grad is None


def test_step_shows_symbols_numbers_ledger_change_and_what_is_next() -> None:
    s = session(*REUSE, "step 3")
    assert say(s, "rstep") and say(s, "step") == (
        "step  e = a × b  →  a                                         input 3 · step 3/4\n"
        "  rule     ∂e/∂a = b\n"
        "  chain    grad(a) += grad(e) × ∂e/∂a\n"
        "  numbers          += 1.0 × (-3.0) = -3.0\n"
        "  ledger   a  1.0 + (-3.0) = -2.0, 2/2 in\n"
        "  changed  grad(a): 1.0  →  -2.0\n"
        "  next     e = a × b  →  b\n"
    )


def test_next_finishes_the_node_and_the_end_gives_grad() -> None:
    s = session(*REUSE)
    assert positions(s, ["next", "next"]) == [2, 4]
    assert s.namespace["a"].grad == -2.0 and s.namespace["b"].grad == 2.0
    assert "complete" in refuse(s, "step")


def test_back_and_forth() -> None:
    s = session(*REUSE)
    moves = ["step", "step", "rstep", "next", "next", "rnext", "rnext", "end", "start", "goto 3", "rnext", "goto e", "goto L"]
    assert positions(s, moves) == [1, 2, 1, 2, 4, 2, 0, 4, 0, 3, 2, 2, 0]
    assert s.namespace["a"].grad is None
    assert "start of the pass" in refuse(s, "rstep")


def test_more_steps_than_are_left_lead_to_the_end() -> None:
    assert positions(session(*REUSE), ["step 99", "rstep 99", "next 99"]) == [4, 0, 4]


def test_the_end_counts_the_leaves_it_has_no_room_for() -> None:
    s = session("xs = [Value(float(i)) for i in range(40)]", "L = sum(xs)", "backward L")
    shown = say(s, "end")
    listed = sum(" 1.0" in line for line in shown.splitlines())
    assert "40 leaves got their .grad" in shown and 0 < listed < 40 and f"… {40 - listed} more (ledger NODE)" in shown


def test_a_blank_line_repeats_the_last_movement_only() -> None:
    s = session(*REUSE)
    assert s.execute("").views == []
    assert positions(s, ["step", "", "list", "", "x = 1", ""]) == [1, 2, 2, 3, 3, 4]


def test_counts_must_be_counts() -> None:
    s = session(*REUSE)
    assert refuse(s, "step x") == "step takes a count, like `step 3`, not 'x'"
    assert "takes no argument" in refuse(s, "continue 3")
    assert refuse(s, "goto 9") == "there is no step 9: this pass has 0 (its start) to 4 (its end)"


def test_without_a_pass_the_sentence_says_how_to_start_one() -> None:
    assert refuse(session(*REUSE[:-1]), "step") == "no backward pass is paused; start one with `backward L`"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("backward", "for example `backward L`"),
        ("backward a", "'a' is a leaf"),
        ("backward 3", "a backward pass starts at a Value or a Tensor"),
        ("backward nope", "no variable or node 'nope'"),
        ("backward tensor([1.0, 2.0], requires_grad=True) * 2", "reduce it first"),
        ("backward a +", "no Python expression"),
    ],
)
def test_what_cannot_be_walked_is_refused_in_a_sentence(line: str, sentence: str) -> None:
    assert sentence in refuse(session(*REUSE), line)


def test_breakpoints_stop_continue_both_ways() -> None:
    s = session(*REUSE, "break e")
    assert positions(s, ["continue", "continue", "rcontinue", "rcontinue"]) == [2, 4, 2, 0]


def test_a_breakpoint_at_a_leaf_waits_for_its_last_contribution() -> None:
    assert positions(session(*REUSE, "break a"), ["continue"]) == [3]


def test_a_condition_decides_and_its_error_stops() -> None:
    s = session(*REUSE, "break * if grad < 0")
    assert positions(s, ["continue"]) == [3]
    s = session(*REUSE, "break e if nonsense > 1")
    assert "could not be asked: NameError" in say(s, "continue")


def test_breakpoints_listed_deleted_and_kept_for_the_next_pass() -> None:
    s = session(*REUSE, "break e", "break op:add if norm > 3")
    assert "1  break  e" in say(s, "break") and "norm > 3" in say(s, "info breaks")
    assert "did you mean 'e'" in refuse(s, "break ee")
    assert "no Python expression" in refuse(s, "break e if )")
    assert "deleted breakpoint 2" in say(s, "delete 2")
    assert refuse(s, "delete 7") == "there is no breakpoint 7; there are 1"
    say(s, "backward L")
    assert positions(s, ["continue"]) == [2]
    say(s, "delete")
    assert "no breakpoints" in say(s, "break")


def test_until_a_node_or_a_condition() -> None:
    s = session(*REUSE)
    assert positions(s, ["until e", "start", "until grad < 0", "start", "until step >= 2"]) == [2, 0, 3, 0, 2]
    assert "no node 'nope'" in refuse(s, "until nope")


def test_goto_a_leaf_is_refused_with_the_way_out() -> None:
    assert "`until a` stops" in refuse(session(*REUSE), "goto a")


def test_restart_computes_the_expression_afresh_and_takes_the_gradients_back() -> None:
    s = session(*REUSE, "end", "a = Value(5.0)", "e = a * b", "L = e + a")
    old = s.stepper.order[-1].inputs[0] if s.stepper else None
    say(s, "restart")
    assert positions(s, ["end"]) == [4] and s.namespace["a"].grad == -2.0
    assert isinstance(old, Value) and old.grad is None


def test_a_second_pass_warns_of_what_the_leaves_hold() -> None:
    s = session(*REUSE, "end")
    assert "a.grad = -2.0, b.grad = 2.0 from an earlier pass: this one adds to it" in say(s, "backward L")
    assert "with what it held: -4.0" in say(s, "end")


def test_leaving_a_pass_halfway_says_so() -> None:
    assert "left the pass of L at 1/4; it gave out no .grad" in say(session(*REUSE, "step"), "backward e")


def test_finish_leaves_the_module() -> None:
    lines = (
        "net = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1))",
        "L = net(tensor([[1.0, 2.0]])).sum() * 2.0",
        "backward L",
    )
    s = session(*lines)
    assert "outside any module" in refuse(s, "finish")
    s = session(*lines, "until op:linear")
    scope = s.stepper.node.scope if s.stepper and s.stepper.node else ""
    shown = say(s, "finish")
    assert scope and f"left {scope}" in shown


def test_two_models_are_told_apart() -> None:
    s = session(
        "draw = nn.Sequential(nn.Linear(2, 2), nn.Tanh())",
        "judge = nn.Sequential(nn.Linear(2, 2), nn.Tanh())",
        "L = judge(draw(tensor([[1.0, 2.0]]))).sum()",
        "backward L",
        "until op:linear",
    )
    assert "judge.0" in say(s, "where") and "left judge.0" in say(s, "finish")  # and not also the 0 of the other
    assert "tanh_1" in (listed := say(s, "list draw.1*")) and "tanh_2" not in listed


def test_ctrl_c_stops_a_long_movement_at_the_next_step() -> None:
    s = session(
        "x = Value(1.0)",
        "for _ in range(20000): x = x * 1.0001",
        "backward x",
        "break * if calls.append(1) or len(calls) == 50 and stop()",
    )
    s.namespace["calls"] = []
    s.namespace["stop"] = lambda: signal.raise_signal(signal.SIGINT)
    assert threading.current_thread() is threading.main_thread()
    assert "stopped by Ctrl-C" in say(s, "continue")
    assert s.stepper is not None and 40 < s.stepper.position < 60
    before = signal.getsignal(signal.SIGINT)
    s.namespace["stop"] = lambda: None
    assert positions(s, ["continue"]) == [20000]
    assert signal.getsignal(signal.SIGINT) is before


def test_an_exception_in_a_rule_is_a_sentence() -> None:
    s = session(
        "class Bad(minitorch.autograd.Function):\n"
        "    @staticmethod\n    def forward(ctx, x): return x * 2\n"
        "    @staticmethod\n    def backward(ctx, grad): raise ValueError('broken rule')\n",
        "L = Bad.apply(tensor(1.0, requires_grad=True))",
        "backward L",
    )
    assert "broken rule" in refuse(s, "step")


def test_rfinish_goes_back_to_where_the_pass_came_into_the_module() -> None:
    s = session(
        "inner = nn.Sequential(nn.Linear(2, 3), nn.Tanh())",
        "net = nn.Sequential(inner, nn.Linear(3, 1))",
        "L = net(tensor([[1.0, 2.0]])).sum()",
        "backward L",
        "end",
    )
    assert positions(s, ["rfinish", "rfinish", "rfinish"]) == [5, 4, 1]  # 0.0 begins at step 5, 0.1 at 4, 1 at 1
    assert "outside any module" in refuse(s, "rfinish")
    assert "nothing to take back" in refuse(session("a = Value(1.0)", "L = a * a", "backward L"), "rfinish")
    s = session("net = nn.Sequential(nn.Linear(2, 2))", "L = net(tensor([[1.0, 2.0]])).sum()", "backward L", "end")
    assert positions(s, ["break leaf", "rfinish"]) == [3, 2]
