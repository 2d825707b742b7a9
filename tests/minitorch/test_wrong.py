"""The wrong algorithms give the wrong numbers that every learner has seen, and leave no trace."""

from __future__ import annotations

import pytest

from minitorch import Stepper, Value, tensor
from minitorch.core.wrong import RULES, WrongStepper


def shared() -> tuple[Value, Value, Value]:
    a = Value(1.0)
    b = a + a
    return a, b, b + b


@pytest.mark.parametrize(("rule", "expected"), [("assign", 1.0), ("noorder", 6.0), ("nozero", 4.0)])
def test_the_example_of_every_lesson(rule, expected):
    a, _, c = shared()
    wrong = WrongStepper(c, rule)
    wrong.run()
    assert wrong.flow(a) == expected
    assert a.grad is None


def test_without_zeroing_a_second_pass_passes_the_first_ones_gradients_on_again():
    a, b, c = shared()
    c.backward()
    wrong = WrongStepper(c, "nozero")
    wrong.run()
    assert (wrong.flow(b), wrong.flow(a)) == (4.0, 12.0)  # right: 2 and 4 more, so 8 in a
    assert (b.grad, a.grad) == (2.0, 4.0)


@pytest.mark.parametrize("rule", RULES)
def test_a_wrong_pass_steps_back_as_exactly_as_a_right_one(rule):
    x = tensor([1.0, 2.0], requires_grad=True)
    y = (x * x + x).sum()
    wrong = WrongStepper(y, rule)
    seen = [[wrong.flow(node) for node in wrong.order]]
    for _ in range(len(wrong)):
        wrong.step()
        seen.append([wrong.flow(node) for node in wrong.order])
    for before in reversed(seen[:-1]):
        wrong.rstep()
        assert all(old is now for old, now in zip(before, [wrong.flow(node) for node in wrong.order]))


def test_on_a_chain_all_rules_are_right():
    a = Value(0.5)
    y = (a * 2).tanh().exp()
    right = Stepper(y)
    right.run()
    for rule in ("assign", "noorder"):
        wrong = WrongStepper(y, rule)
        wrong.run()
        assert wrong.flow(a) == right.flow(a)


def test_recursion_over_too_many_paths_and_unknown_rules_are_refused():
    y = Value(1.0)
    for _ in range(40):
        y = y + y
    with pytest.raises(ValueError, match="follows every path"):
        WrongStepper(y, "noorder")
    with pytest.raises(ValueError, match="choose one of assign, noorder, nozero"):
        WrongStepper(y, "mean")
