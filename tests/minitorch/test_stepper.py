"""The stepper: the loop of backward, forward and back, bit for bit."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from minitorch import Stepper, Tensor, Value, tensor
from minitorch.core import backward as engine
from minitorch.core.node import ancestors
from minitorch.core.replay import replay

from .programs import OWN_STEPS, Program, build_tensors, build_values, numbers, programs

moves = st.sampled_from(["step", "next", "rstep", "rnext", "goto", "set"])
walks = st.lists(st.tuples(moves, st.integers(0, 1000)), max_size=25)


def bits(x: Any) -> Any:
    """Something equal only for the same bits (of a nan, whose sign the processor chooses, for any nan)."""
    if x is None:
        return None
    if isinstance(x, list):  # one gradient for each of several results
        return [bits(part) for part in x]
    if isinstance(x, (Tensor, Value)):
        x = x.raw
    if isinstance(x, (float, int)):
        return struct.pack("d", x) if x == x else "nan"
    return x.shape, str(x.dtype), np.where(x == x, x, np.asarray(np.nan, x.dtype)).tobytes()


def snapshot(stepper: Stepper, nodes: list[Any]) -> list[Any]:
    """All that can be asked of a stepper, of every node."""
    return [
        (bits(stepper.flow(n)), stepper.arrivals(n), stepper.state(n), [c.index for c in stepper.ledger(n)], bits(n.grad))
        for n in nodes
    ] + [stepper.peek(), stepper.finished, stepper.last.index if stepper.last else None]


def walk_and_compare(root: Any, leaves: list[Any], walk: list[tuple[str, int]], limit: int | None = None) -> None:
    nodes = list(ancestors(root))
    stepper = Stepper(root, limit=limit)
    seen = [snapshot(stepper, nodes)]
    while stepper.step() is not None:
        assert stepper.position == len(seen)
        seen.append(snapshot(stepper, nodes))
    assert stepper.position == len(stepper) == len(seen) - 1
    for move, number in [("goto", 0), *walk]:
        before = stepper.position
        if move == "set":
            aside(root, leaves, number)
        elif move == "goto":
            stepper.goto(number % len(seen))
            assert stepper.position == number % len(seen)
        else:
            moved = getattr(stepper, move)()
            count = len(moved) if isinstance(moved, list) else int(moved is not None)
            assert stepper.position == before + (count if move in ("step", "next") else -count)
        assert snapshot(stepper, nodes) == seen[stepper.position]
    stepper.run()
    assert snapshot(stepper, nodes) == seen[-1]
    at_end = {leaf: bits(leaf.grad) for leaf in leaves}
    flows = {node: bits(stepper.flow(node)) for node in nodes}
    stepper.goto(0)
    assert all(leaf.grad is None for leaf in leaves)

    root.backward(retain_graph=True)
    assert {leaf: bits(leaf.grad) for leaf in leaves} == at_end
    if isinstance(root, Value):
        assert {node: bits(node.grad) for node in nodes} == flows


def aside(root: Any, leaves: list[Any], number: int) -> None:
    """A leaf set to other numbers, a walk through what is computed from them, and the branch left (`set` and `undo`)."""
    leaf = leaves[number % len(leaves)]
    branch = replay(root, {leaf: leaf.raw * 0.5 + 0.25}).get(root)
    if branch is not None:
        other = Stepper(branch)
        other.goto(number % (len(other) + 1))
        other.goto(0)


@given(programs, st.lists(numbers, min_size=1, max_size=3), walks)
def test_any_walk_over_values_restores_every_bit(program: Program, leaves: list[float], walk: Any) -> None:
    root, start = build_values(program, leaves)
    walk_and_compare(root, start, walk)


@given(programs, walks, st.sampled_from(["float64", "float32"]), st.sampled_from([None, 0, 100, 1000]))
def test_any_walk_over_tensors_restores_every_bit(program: Program, walk: Any, dtype: str, limit: int | None) -> None:
    minitorch.manual_seed(0)
    root, leaves = build_tensors(program, dtype, steps=OWN_STEPS)
    walk_and_compare(root, leaves, walk, limit)


@given(programs)
def test_the_end_is_what_backward_does_to_held_gradients(program: Program) -> None:
    root, leaves = build_tensors(program)
    for leaf in leaves:
        if isinstance(leaf, Tensor):
            leaf.grad = tensor(np.full(leaf.shape, 0.1), dtype="float64")
    held = [leaf.grad for leaf in leaves]
    before = [bits(grad) for grad in held]
    stepper = Stepper(root)
    stepper.run()
    stepped = [bits(leaf.grad) for leaf in leaves]
    stepper.rstep()
    assert all(leaf.grad is grad for leaf, grad in zip(leaves, held)) and [bits(grad) for grad in held] == before
    root.backward()
    assert [bits(leaf.grad) for leaf in leaves] == stepped


@given(programs, st.booleans())
def test_contributions_say_what_happened(program: Program, of_values: bool) -> None:
    root = build_values(program, [0.5, -1.25])[0] if of_values else build_tensors(program)[0]
    stepper = Stepper(root)
    expected = sum(len(edges(node)) for node in stepper.order)
    assert len(stepper) == expected
    for index in range(len(stepper)):
        node, slot = stepper.peek()
        assert node is stepper.node and node is not None
        before = stepper.flow(node.inputs[slot])
        done = stepper.step()
        assert done == stepper.last == stepper.ledger(done.input)[-1]
        assert (done.index, done.node, done.slot) == (index, node, slot) and done.input is node.inputs[slot]
        assert done.label == node.op.labels(len(node.inputs))[slot]
        assert done.rule == node.op.formula(slot) and " = " in done.rule
        assert bits(done.incoming) == bits(stepper.flow(node))
        assert bits(done.before) == bits(before) and bits(done.after) == bits(stepper.flow(done.input))
        with np.errstate(all="ignore"):
            check_numbers(done)


def edges(node: Any) -> list[int]:
    return [
        slot
        for slot, x in enumerate(node.inputs)
        if isinstance(x, (Value, Tensor)) and x.requires_grad and node.op.differentiable(slot)
    ]


def check_numbers(done: Any) -> None:
    assert (done.local is not None) == done.node.op.elementwise
    if done.local is not None:
        assert np.array_equal(done.product, done.incoming * done.local, equal_nan=True)
    shape = np.shape(done.input.raw)
    assert np.shape(done.contribution) == shape
    assert (done.reduction is None) == (np.shape(done.product) == shape)
    if done.reduction is None:
        np.testing.assert_allclose(done.contribution, done.product)
    else:
        assert done.reduction.startswith("sum ax") and done.reduction.endswith(f"{np.shape(done.product)} → {shape}")
        np.testing.assert_allclose(np.sum(done.contribution), np.sum(done.product), rtol=1e-9, atol=1e-12)
    if done.before is None:
        assert bits(done.after) == bits(done.contribution)
    else:
        # An index that names an element twice adds twice, which may round differently from adding the sum.
        np.testing.assert_allclose(done.after, done.before + done.contribution, rtol=1e-14, atol=1e-14)


@given(programs, walks, st.sampled_from([None, 100]))
def test_a_recorded_pass_gives_the_same_gradients_and_the_same_second_ones(program: Program, walk: Any, limit: int | None) -> None:
    (root, leaves), (again, others) = build_tensors(program), build_tensors(program)
    stepper = Stepper(root, limit=limit, create_graph=True)
    for move, number in walk:
        if move == "goto":
            stepper.goto(number % (len(stepper) + 1))
        elif move != "set":
            getattr(stepper, move)()
        assert not isinstance(stepper.flow(root), (Tensor, Value))
    stepper.run()
    again.backward(create_graph=True)
    assert [bits(x.grad) for x in leaves] == [bits(x.grad) for x in others]
    for one, many in ((leaves, root), (others, again)):
        second = sum((x.grad * x.grad).sum() if isinstance(x, Tensor) else x.grad * x.grad for x in one if x.grad is not None)
        for x in one:
            x.grad = None
        (second + many * 1.0).backward()
    assert [bits(x.grad) for x in leaves] == [bits(x.grad) for x in others]


class Interrupted(list[Any]):
    """A list that Ctrl-C interrupts when it has grown to a certain length."""

    def append(self, x: Any) -> None:
        if len(self) == self.most:
            raise KeyboardInterrupt
        super().append(x)

    most = 0


@given(programs, st.integers(0, 60), st.sampled_from([None, 100_000]), st.sampled_from(["before", "received"]))
def test_ctrl_c_anywhere_leaves_the_pass_at_a_whole_contribution(program: Any, at: int, limit: int | None, where: str) -> None:
    root, leaves = build_tensors(program)
    stepper = Stepper(root, limit=limit)
    kept = Interrupted()
    kept.most = at
    setattr(stepper._history, where, kept)
    try:
        stepper.run()
    except KeyboardInterrupt:
        assert stepper.position == at
    kept.most = 1_000_000
    here = stepper.position
    flows = [bits(stepper.flow(node)) for node in ancestors(root)]
    stepper.goto(0)
    stepper.goto(here)
    assert [bits(stepper.flow(node)) for node in ancestors(root)] == flows
    stepper.run()
    stepped = [bits(x.grad) for x in leaves]
    stepper.goto(0)
    root.backward()
    assert [bits(x.grad) for x in leaves] == stepped


# By hand


def test_an_error_of_a_rule_or_a_hook_leaves_the_stepper_where_it_was() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    mood = ["bad rule", "bad hook"]

    class Moody(minitorch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            if mood:
                raise ArithmeticError(mood.pop(0))
            return grad * 2

    def hook(grad: Any) -> None:
        if mood:
            raise ArithmeticError(mood.pop(0))

    x.register_hook(hook)
    stepper = Stepper((Moody.apply(x) * 3).sum())
    stepper.next()
    stepper.next()
    with pytest.raises(ArithmeticError, match="bad rule"):
        stepper.step()
    assert stepper.position == 2 and stepper.flow(x) is None
    with pytest.raises(ArithmeticError, match="bad hook"):  # the rule is well, the gradient cannot be given out
        stepper.run()
    assert x.grad is None and not stepper.finished
    stepper.run()
    assert x.grad.tolist() == [6.0, 6.0]


@pytest.mark.parametrize("limit", [None, 0])
def test_hooks_are_called_once_whatever_the_walk(limit: int | None) -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    calls: list[str] = []
    y.register_hook(lambda grad: calls.append("y") or grad * len(calls))
    x.register_hook(lambda grad: calls.append("x") or grad + 1)
    stepper = Stepper((y * y).sum(), limit=limit)
    stepper.run()
    stepper.goto(1)
    stepper.rstep()
    stepper.run()
    assert calls == ["y", "x"] and x.grad.tolist() == [3 * 6.0 + 1, 3 * 12.0 + 1]
    assert stepper.last is not None and stepper.last.incoming.tolist() == [6.0, 12.0]


def test_a_look_at_what_was_let_go_computes_it_again() -> None:
    w = tensor(np.full((4, 4), 0.3), requires_grad=True)
    h = tensor(np.eye(4))
    for _ in range(6):
        h = (h @ w).tanh()
    free, capped = Stepper(h.sum()), Stepper(h.sum(), limit=0)
    free.run()
    capped.run()
    assert [bits(x) for x in capped.terms(w)] == [bits(x) for x in free.terms(w)]
    for one, other in zip(free.applied, capped.applied):
        for what in ("incoming", "local", "product", "contribution", "before", "after", "reduction"):
            assert np.array_equal(getattr(one, what), getattr(other, what)) or getattr(one, what) is getattr(other, what), what


def test_checkpoints_hold_what_was_waiting_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    w = tensor(np.random.default_rng(0).normal(size=(8, 8)) * 0.4, requires_grad=True)  # 512 bytes, read 40 times
    h = tensor(np.eye(8))
    for _ in range(40):
        h = (h @ w).tanh()
    root = h.sum()
    nodes = list(ancestors(root))
    free, capped = Stepper(root), Stepper(root, limit=12_000)
    free.run()
    capped.run()
    assert free.nbytes > 30_000 and capped.nbytes <= 12_000
    calls: list[Any] = []
    pulled = engine.pulled
    monkeypatch.setattr(engine, "pulled", lambda *args: calls.append(args) or pulled(*args))
    n = len(free)
    for position in [n - 30, n // 2, n - 1, n // 4, n, 5, n // 3, n, *range(n - 1, n - 60, -1)]:
        free.goto(position)
        capped.goto(position)
        assert [bits(capped.flow(x)) for x in nodes] == [bits(free.flow(x)) for x in nodes]
    capped.goto(n)
    calls.clear()
    capped.goto(n - 40)  # gone from the history
    assert 0 < len(calls) < 30, "from a checkpoint; from the start it is 54"


@given(programs, st.integers(0, 1000))
def test_a_checkpoint_at_any_position_is_enough(program: Program, where: int) -> None:
    minitorch.manual_seed(0)
    root, _ = build_tensors(program, steps=OWN_STEPS)
    free, capped = Stepper(root), Stepper(root, limit=10**9)
    kept, nodes = capped._history, list(ancestors(root))
    mark = where % len(free)
    capped.goto(mark)
    kept._mark(capped._flow, capped._inputs, capped._places)
    capped.run()
    kept.start, kept.before, kept.received = kept.end, [], []  # everything let go
    capped.goto(mark)
    free.goto(mark)
    assert kept.start == mark and [bits(capped.flow(x)) for x in nodes] == [bits(free.flow(x)) for x in nodes]


TEN_MILLION = """
import hashlib, random
import minitorch
from minitorch import Stepper, nn

def high_water():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024

def digest():
    return [hashlib.sha1(p.grad.raw.tobytes()).hexdigest() for p in params]

minitorch.manual_seed(0)
first, again, last = nn.Linear(100, 3000), nn.Linear(3000, 3000), nn.Linear(3000, 300)
params = [p for layer in (first, again, last) for p in layer.parameters()]
assert sum(p.numel() for p in params) > 10_000_000
h = first(minitorch.randn(2, 100)).relu()
for _ in range(8):  # one matrix of 36 MB, eight times
    h = again(h).tanh()
loss = last(h).square().sum()
start = high_water()
stepper = Stepper(loss, limit=60_000_000)
stepper.run()
given = digest()
for k in (len(stepper) // 2, 3):
    stepper.goto(k)
    stepper.rstep()
    stepper.step()
stepper.run()
assert digest() == given and stepper.nbytes <= 60_000_000
print(high_water() - start)
stepper.goto(0)
assert all(p.grad is None for p in params)
del stepper
loss.backward()
assert digest() == given
"""


def test_ten_million_parameters_are_walked_in_bounded_memory() -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("the memory of a process is read from /proc")
    run = subprocess.run([sys.executable, "-c", TEN_MILLION], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert run.returncode == 0, run.stderr
    # 40 MB of gradients, twice, the limit of 60 and room to work in: about 190. Without a limit it is 580.
    assert float(run.stdout) < 350


def test_the_walk_of_the_first_example() -> None:
    a = Value(1.0, name="a")
    b = a + a
    c = b + b
    stepper = Stepper(c)
    assert (len(stepper), stepper.position, stepper.last, stepper.finished) == (4, 0, None, False)
    assert stepper.order == [c, b] and stepper.root is c
    assert stepper.flow(c) == 1.0 and stepper.flow(b) is None and stepper.flow(a) is None
    assert [stepper.state(n) for n in (c, b, a)] == ["current", "todo", "todo"]
    assert stepper.arrivals(b) == (0, 2)

    first = stepper.step()
    assert first is not None and (first.node, first.slot, first.label, first.input) == (c, 0, "a", b)
    assert (first.incoming, first.local, first.product, first.contribution, first.before, first.after) == (1, 1, 1, 1, None, 1)
    assert first.rule == "∂out/∂a = 1" and first.reduction is None
    assert stepper.arrivals(b) == (1, 2) and stepper.state(b) == "todo" and stepper.state(c) == "current"

    (second,) = stepper.next()
    assert (second.before, second.after, second.label) == (1.0, 2.0, "b")
    assert [stepper.state(n) for n in (c, b, a)] == ["done", "current", "todo"]
    assert list(stepper.ledger(b)) == [first, second] and a.grad is None and b.grad is None

    assert [x.after for x in stepper.next()] == [2.0, 4.0]
    assert stepper.finished and stepper.node is None and stepper.peek() is None and stepper.step() is None
    assert stepper.next() == [] and [stepper.state(n) for n in (c, b, a)] == ["done"] * 3
    assert (a.grad, b.grad, c.grad) == (4.0, 2.0, 1.0)

    assert stepper.rstep().index == 3 and a.grad is None and stepper.flow(a) == 2.0  # type: ignore[union-attr]
    assert [x.index for x in stepper.rnext()] == [2] and stepper.node is b
    assert [x.index for x in stepper.rnext()] == [1, 0] and stepper.node is c
    assert stepper.rnext() == [] and stepper.rstep() is None and stepper.position == 0
    for outside in (-1, 5):
        with pytest.raises(IndexError, match=f"{outside}.*0 to 4"):
            stepper.goto(outside)
    assert stepper.position == 0


def test_reductions_are_told() -> None:
    x = tensor(np.ones((3, 4)), requires_grad=True)
    b = tensor(np.ones(4), requires_grad=True)
    v = Value(2.0)
    stepper = Stepper(((x + b) * v).sum())
    by_input = {}
    stepper.run()
    for done in stepper.applied:
        by_input[done.input] = done
    assert by_input[b].reduction == "sum axis 0: (3, 4) → (4,)"
    assert by_input[v].reduction == "sum axes (0, 1): (3, 4) → ()" and by_input[v].contribution == 24.0
    assert by_input[x].reduction is None
    keep = tensor(np.ones((3, 1)), requires_grad=True)
    stepper = Stepper(x * keep, np.ones((3, 4)))
    stepper.run()
    (done,) = stepper.ledger(keep)
    assert done.reduction == "sum axis 1: (3, 4) → (3, 1)" and done.contribution.tolist() == [[4.0]] * 3


def test_slices_are_shown_whole() -> None:
    x = tensor([1.0, 2.0, 3.0], requires_grad=True)
    stepper = Stepper(x[1] * 5.0 + x[0:2].sum())
    stepper.run()
    shown = [done.contribution.tolist() for done in stepper.ledger(x)]
    assert sorted(shown) == [[0.0, 5.0, 0.0], [1.0, 1.0, 0.0]]
    assert x.grad.tolist() == [1.0, 6.0, 0.0]


def test_interior_tensors_get_grad_when_looked_at() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    with minitorch.inspect():
        y = x * 2
        stepper = Stepper(y.sum())
        stepper.run()
        assert y.grad.tolist() == [1.0, 1.0]
        stepper.goto(0)
        assert y.grad is None and x.grad is None


def test_a_gradient_to_start_from() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    stepper = Stepper(x * 3, [1.0, 10.0])
    stepper.run()
    assert x.grad.tolist() == [3.0, 30.0]
    with pytest.raises(RuntimeError, match="shape"):
        Stepper(x * 3)
    v = Value(2.0)
    Stepper(v * v, 0.5).run()
    assert v.grad == 2.0


def test_constants_are_told_apart() -> None:
    x, fixed = tensor([1.0], requires_grad=True), tensor([2.0])
    mask = tensor([True])
    out = minitorch.where(mask, x * fixed, fixed)
    stepper = Stepper(out)
    assert stepper.state(fixed) == stepper.state(mask) == "constant"
    assert stepper.arrivals(fixed) == (0, 0) and stepper.flow(fixed) is None
    assert stepper.state(Value(1.0)) == "constant"


def test_it_refuses_what_backward_refuses() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    for root, message in ((x, "leaf"), (tensor([1.0]), "requires_grad"), (x * 2, "shape")):
        with pytest.raises(RuntimeError, match=message):
            Stepper(root)


def test_an_edit_between_two_steps_is_named() -> None:
    w = Value(2.0)
    out = (w * w) * 3.0
    stepper = Stepper(out)
    stepper.step()
    w.data = 5.0
    for move in (stepper.step, stepper.run):
        with pytest.raises(RuntimeError, match="'w', read by mul, was edited"):
            move()
        assert stepper.position == 1 and stepper.flow(w) is None


def test_an_edit_after_going_back_is_named_too() -> None:
    w = Value(2.0)
    stepper = Stepper(w * w)
    stepper.step()
    stepper.rstep()
    w.data = 5.0
    with pytest.raises(RuntimeError, match="'w', read by mul, was edited"):
        stepper.step()


def test_a_graph_freed_between_two_steps_is_named() -> None:
    x = tensor([1.0, 2.0], requires_grad=True)
    out = (x * x).sum()
    stepper = Stepper(out)
    stepper.step()
    out.backward()
    with pytest.raises(RuntimeError, match="freed"):
        stepper.step()
    assert stepper.position == 1


def test_a_root_that_hands_nothing_on() -> None:
    v = Value(1.5)
    for root in (minitorch.floor(v), minitorch.sign(v)):
        stepper = Stepper(root)
        stepper.run()
        stepped = v.grad, root.grad
        stepper.goto(0)
        v.grad = root.grad = None
        root.backward()
        assert (v.grad, root.grad) == stepped


class Half(minitorch.autograd.Function):
    """A user's function that has nothing to say about its second input."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        return x + y

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return None, grad


def test_a_users_function_may_be_silent_about_an_input() -> None:
    x, y = tensor([1.0, 2.0], requires_grad=True), tensor([1.0, 2.0], requires_grad=True)
    hidden = x * 2
    out = Half.apply(hidden, y).sum()
    stepper = Stepper(out)
    stepper.run()
    assert x.grad is None and y.grad.tolist() == [1.0, 1.0]
    silent = list(stepper.ledger(hidden))
    assert len(silent) == 1 and silent[0].contribution is None and silent[0].after is None
    stepper.goto(0)
    assert y.grad is None
    out.backward()
    assert x.grad is None and y.grad.tolist() == [1.0, 1.0]


def test_a_hundred_thousand_values_pause_at_once() -> None:
    x = a = Value(1.0)
    for _ in range(100_000):
        x = x + a
    stepper = Stepper(x)
    assert len(stepper) == 200_000 and stepper.position == 0
    stepper.step()
    assert stepper.arrivals(a) == (0, 100_001)
    stepper.next()
    assert stepper.flow(a) == 1.0


def test_a_limit_lets_arrays_go_and_walks_again():
    x = minitorch.ones(4, 8).requires_grad_()
    weights = [(minitorch.randn(8, 8) * 0.3).requires_grad_() for _ in range(6)]
    y = x
    for w in weights:
        y = (y @ w).tanh() + y * 0.5
    root = y.sum()
    free, capped = Stepper(root), Stepper(root, limit=1000)
    free.run()
    assert free.nbytes > 1000
    free.goto(0)
    capped.run()
    assert capped.nbytes <= 1000
    assert [c.index for c in capped.applied] == list(range(len(capped)))
    while capped.position:
        undone = capped.rstep()
        free.goto(capped.position)
        for node in [x, *weights, root]:
            one, other = capped.flow(node), free.flow(node)
            assert (one is None) == (other is None) and (one is None or (one == other).all())
        assert undone is not None and undone.after is not None
    assert all(w.grad is None for w in weights)
    capped.run()
    given = [w.grad.numpy().copy() for w in weights]
    for w in weights:
        w.grad = None
    root.backward()
    assert all((a == w.grad.numpy()).all() for a, w in zip(given, weights))
