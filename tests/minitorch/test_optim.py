"""Optimizers: step for step PyTorch's numbers, groups, state, and what they refuse."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import minitorch
from minitorch import Value, nn, optim
from minitorch.backend import blend

CASES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"momentum": 0.8, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"maximize": True, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"betas": (0.7, 0.9), "weight_decay": 0.1, "eps": 1e-3}),
    ("Adam", {"amsgrad": True, "lr": 0.3}),
    ("Adam", {"maximize": True}),
    ("Adam", {"decoupled_weight_decay": True, "weight_decay": 0.2}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.3, "amsgrad": True}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.9, "centered": True, "weight_decay": 0.1}),
    ("Adagrad", {}),
    ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.5, "weight_decay": 0.1}),
    ("Adadelta", {}),
    ("Adadelta", {"rho": 0.8, "weight_decay": 0.1, "lr": 0.5, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"weight_decay": 0.1, "lr": 0.1}),
    ("NAdam", {}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {}),
    ("RAdam", {"weight_decay": 0.1, "lr": 0.1, "betas": (0.8, 0.9)}),
    ("Rprop", {}),
    ("Rprop", {"etas": (0.6, 1.4), "step_sizes": (1e-4, 0.02)}),
]


def quadratic(parameters, targets):
    """A loss whose gradient changes sign and size as the parameters move."""
    total = 0.0
    for p, t in zip(parameters, targets):
        total = total + ((p - t) ** 2 * (p - t).sin()).sum() + (p * p).sum() * 0.1
    return total


@pytest.mark.parametrize("name, settings", CASES, ids=lambda x: str(x))
def test_twenty_steps_equal_pytorch(name, settings):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    starts = [rng.normal(size=shape) for shape in [(3, 4), (5,), ()]]
    targets = [rng.normal(size=s.shape) for s in starts]
    ours = [minitorch.tensor(s, requires_grad=True, dtype=minitorch.float64) for s in starts]
    theirs = [torch.tensor(s, requires_grad=True, dtype=torch.float64) for s in starts]
    settings = {"lr": 0.05, **settings} if name != "Adadelta" else settings
    mine, reference = getattr(optim, name)(ours, **settings), getattr(torch.optim, name)(theirs, **settings)
    for step in range(20):
        for opt, params, ts in (
            (mine, ours, [minitorch.tensor(t) for t in targets]),
            (reference, theirs, [torch.tensor(t) for t in targets]),
        ):
            opt.zero_grad()
            # A parameter without a gradient keeps its place and its count of steps.
            quadratic(params[: 2 if step == 3 else 3], ts).backward()
            opt.step()
        for a, b in zip(ours, theirs):
            # PyTorch keeps NAdam's product of momenta in float32.
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", ["SGD", "Adam", "NAdam", "RMSprop"])
def test_large_parameters_move_in_pieces_to_the_same_numbers(name, monkeypatch):
    rng = np.random.default_rng(0)
    start, grads = rng.normal(size=(7, 11)), rng.normal(size=(3, 7, 11))
    settings = {"momentum": 0.9} if name in ("SGD", "RMSprop") else {}

    def trained():
        p = minitorch.tensor(start, requires_grad=True)
        opt = getattr(optim, name)([p], lr=0.1, weight_decay=0.1, **settings)
        for g in grads:
            p.grad = minitorch.tensor(g)
            opt.step()
        return p.detach().numpy()

    whole = trained()
    monkeypatch.setattr("minitorch.optim.optimizer.PIECE", 10)
    np.testing.assert_array_equal(trained(), whole)


@pytest.mark.parametrize("settings", [{}, {"weight_decay": 0.1}, {"momentum": 0.9, "dampening": 0.3}], ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_pass_over_large_arrays_moves_them_as_numpys_do(dtype, settings, monkeypatch):
    rng = np.random.default_rng(0)
    start, grads = rng.normal(size=(90, 101)), rng.normal(size=(3, 90, 101))

    def trained():
        p = minitorch.tensor(start, dtype=dtype, requires_grad=True)
        opt = (optim.SGD if "momentum" in settings else optim.Adam)([p], lr=0.1, **settings)
        for g in grads:
            p.grad = minitorch.tensor(g.T.copy().T, dtype=dtype)  # not row by row: NumPy's passes
            opt.step()
            p.grad = minitorch.tensor(g, dtype=dtype)
            opt.step()
        return p.detach().numpy()

    quick = trained()
    monkeypatch.setattr(blend, "LEAST", 10**9)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(quick, trained(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("count", [10, blend.LEAST + 1])
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_large_parameters_of_every_kind_move_as_small_ones(count, name):
    def moved(start, gradient, lr=0.5):
        p = minitorch.from_numpy(start).requires_grad_(True)
        p.grad = minitorch.from_numpy(gradient)
        getattr(optim, name)([p], lr=lr).step()
        return p

    ones = np.ones(count, "float32")
    swapped = ones.astype(ones.dtype.newbyteorder())
    np.testing.assert_allclose(moved(swapped.copy(), swapped).raw.astype("float32"), 0.5, rtol=1e-5)
    hidden = ones.copy()
    hidden[3] = np.nan
    assert np.isnan(moved(ones.copy(), hidden, lr=0.0).raw).sum() == 1  # nan times 0
    numbers = ones.tobytes()
    with pytest.raises(ValueError, match="read-only"):
        moved(np.frombuffer(numbers, "float32"), ones)
    assert numbers == ones.tobytes()


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_a_gradient_from_before_a_parameter_grew_is_an_error(name):
    p = minitorch.ones(2 * blend.LEAST, requires_grad=True)
    p.grad = minitorch.ones(*p.shape)
    p.data = minitorch.ones(3 * blend.LEAST)
    with pytest.raises(ValueError, match="broadcast"):
        getattr(optim, name)([p], lr=0.1).step()
    assert (p.raw == 1).all()


@pytest.mark.parametrize("name", ["SGD", "Adam", "Rprop", "Adadelta"])
def test_values_can_be_parameters(name):
    a, b = Value(3.0), Value(-2.0)
    t = minitorch.tensor([3.0, -2.0], dtype="float64", requires_grad=True)
    scalar, whole = getattr(optim, name)([a, b], lr=0.1), getattr(optim, name)([t], lr=0.1)
    for _ in range(5):
        scalar.zero_grad(), whole.zero_grad()
        (a * a + b * b * b).backward()
        (t[0] ** 2 + t[1] ** 3).backward()
        scalar.step(), whole.step()
    np.testing.assert_allclose([a.data, b.data], t.detach().numpy(), rtol=1e-12)


def test_groups_take_the_defaults_they_leave_out():
    w, b = (minitorch.ones(2, requires_grad=True) for _ in "wb")
    opt = optim.SGD([{"params": [w], "lr": 1.0}, {"params": b}], lr=0.1, weight_decay=0.0)
    w.grad = b.grad = minitorch.ones(2)
    opt.step()
    assert w.tolist() == [0.0, 0.0] and b.tolist() == pytest.approx([0.9, 0.9])
    opt.add_param_group({"params": minitorch.ones(1, requires_grad=True), "momentum": 0.5})
    assert [g["momentum"] for g in opt.param_groups] == [0, 0, 0.5]
    assert "group 2: 1 parameter, lr=0.1, momentum=0.5" in repr(opt)


def test_named_parameters_are_accepted():
    model = nn.Linear(2, 1)
    opt = optim.Adam(model.named_parameters())
    assert opt.param_groups[0]["param_names"] == ["weight", "bias"]


def test_zero_grad_forgets_or_zeroes():
    p = minitorch.ones(2, requires_grad=True)
    opt = optim.SGD([p])
    (p * 2).sum().backward()
    opt.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0, 0]
    opt.zero_grad()
    assert p.grad is None


def test_a_closure_computes_the_loss_with_the_graph_on():
    p = minitorch.ones(2, requires_grad=True)
    opt = optim.SGD([p], lr=0.1)

    def closure():
        opt.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with minitorch.no_grad():
        assert opt.step(closure).item() == 2.0
    assert p.tolist() == pytest.approx([0.8, 0.8])


def test_a_step_is_noticed_by_a_graph_that_read_the_parameter():
    p = minitorch.ones(2, requires_grad=True)
    loss = (p * p).sum()
    p.grad = minitorch.ones(2)
    optim.SGD([p]).step()
    with pytest.raises(RuntimeError, match="edited in place"):
        loss.backward()


def test_the_step_follows_a_parameter_whose_numbers_were_replaced():
    p = minitorch.ones(3, requires_grad=True)
    opt = optim.Adam([p], lr=0.1)
    p.grad = minitorch.ones(3)
    opt.step()
    p.data = minitorch.zeros(3)
    opt.step()
    assert p.tolist() == pytest.approx([-0.1] * 3, rel=1e-3)


@pytest.mark.parametrize("name", ["SGD", "Adam", "NAdam", "RMSprop", "Adagrad"])
def test_training_goes_on_from_a_state_dict(name):
    settings = {"momentum": 0.9} if name == "SGD" else {}
    rng = np.random.default_rng(0)
    grads = [minitorch.tensor(g) for g in rng.normal(size=(6, 4))]

    def fresh(at=None):
        p = minitorch.tensor(np.ones(4) if at is None else at, requires_grad=True)
        return p, getattr(optim, name)([p], lr=0.1, **settings)

    p, opt = fresh()
    q = other = None
    for step, g in enumerate(grads):
        if step == 3:
            q, other = fresh(p.detach().numpy())
            other.param_groups[0]["lr"] = 99.0
            other.load_state_dict(opt.state_dict())
        p.grad = g
        opt.step()
        if q is not None:
            q.grad = g
            other.step()
    np.testing.assert_array_equal(q.detach().numpy(), p.detach().numpy())


def test_state_dict_has_pytorchs_names_and_numbers():
    p, q = (minitorch.ones(2, requires_grad=True) for _ in "pq")
    opt = optim.Adam([p, q])
    q.grad = minitorch.ones(2)
    opt.step()
    state = opt.state_dict()
    assert set(state["state"]) == {1}
    assert set(state["state"][1]) == {"step", "exp_avg", "exp_avg_sq"}
    assert state["param_groups"][0]["params"] == [0, 1]


def test_a_state_dict_that_does_not_fit_changes_nothing():
    p = minitorch.ones(2, requires_grad=True)
    opt = optim.Adam([p], lr=0.5)
    with pytest.raises(ValueError, match=r"groups of \[2\] parameters, this Adam groups of \[1\]"):
        opt.load_state_dict(optim.Adam([minitorch.ones(1), minitorch.ones(1)]).state_dict())
    other = minitorch.ones(3, requires_grad=True)
    wider = optim.Adam([other])
    other.grad = minitorch.ones(3)
    wider.step()
    with pytest.raises(ValueError, match=r"exp_avg of parameter 0 has shape \(3,\), the parameter \(2,\)"):
        opt.load_state_dict(wider.state_dict())
    assert opt.param_groups[0]["lr"] == 0.5


def test_an_optimizer_of_ones_own_is_written_as_in_pytorch():
    class Signed(optim.Optimizer):
        def __init__(self, params, lr=0.1):
            super().__init__(params, {"lr": lr})

        @minitorch.no_grad()
        def step(self):
            for group in self.param_groups:
                for p in group["params"]:
                    self.state[p]["steps"] = self.state[p].get("steps", 0) + 1
                    p -= group["lr"] * p.grad.sign()

    p = minitorch.ones(2, requires_grad=True)
    opt = Signed([p])
    (p * minitorch.tensor([2.0, -3.0])).sum().backward()
    opt.step()
    assert p.tolist() == pytest.approx([0.9, 1.1]) and opt.state_dict()["state"][0]["steps"] == 1


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda p: optim.SGD([]), "got no parameters"),
        (lambda p: optim.SGD(p), "put it in a list"),
        (lambda p: optim.SGD([p, p]), "twice"),
        (lambda p: optim.SGD([p * 2]), "computed|mul"),
        (lambda p: optim.SGD([1.0]), "moves tensors, and one of its parameters is a float"),
        (lambda p: optim.SGD([p], lr=-1), "lr must be 0 or more, not -1"),
        (lambda p: optim.Adam([p], betas=(0.9, 1.0)), r"betas\[1\]"),
        (lambda p: optim.SGD([p], nesterov=True), "momentum above 0"),
        (lambda p: optim.Adam([p], weigth_decay=0.1), "did you mean 'weight_decay'"),
        (lambda p: optim.Adam([p], capturable=True), "not supported"),
    ],
)
def test_refusals_say_what_to_do(make, message):
    with pytest.raises((ValueError, TypeError, NotImplementedError), match=message):
        make(minitorch.ones(2, requires_grad=True))


def test_hints_about_how_to_compute_are_accepted():
    optim.AdamW([minitorch.ones(2, requires_grad=True)], fused=True, foreach=False)


@pytest.mark.parametrize("name, settings", CASES, ids=lambda x: str(x))
def test_on_a_device_the_same_numbers(name, settings):
    from .strict import StrictArray, strict

    start, grads = np.random.default_rng(0).normal(size=(5, 3)), np.random.default_rng(1).normal(size=(4, 5, 3))

    def trained(wrap):
        p = minitorch.Tensor(wrap(start.copy()), requires_grad=True)
        opt = getattr(optim, name)([p], **settings)
        for g in grads:
            p.grad = minitorch.Tensor(wrap(g))
            opt.step()
        return p

    there = trained(strict)  # updates call NumPy's functions with `out=`; CuPy answers them for its arrays
    assert type(there.raw) is StrictArray
    np.testing.assert_allclose(there.raw.get(), trained(np.array).detach().numpy(), rtol=1e-12)


def test_small_parameters_keep_their_identity_and_state_when_moved_together():
    """Many small parameters share arrays inside an optimizer; nothing of that may show."""
    rng = np.random.default_rng(5)
    numbers = [rng.normal(size=shape).astype("float32") for shape in [(3,), (2, 4), (5,), (1, 1)]]

    def run(size, spoil):
        params = [minitorch.nn.Parameter(minitorch.tensor(x)) for x in numbers]
        arrays = [p.raw for p in params]
        optimizer = minitorch.optim.Adam(params, lr=0.1)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(minitorch.optim.bunch, "SMALL", size)
            for step, moving in enumerate(["0", "1", "01", "0", "0123", "23", "0123", "123"]):
                for i, p in enumerate(params):
                    frozen = str(i) not in moving
                    p.grad = None if frozen else minitorch.tensor(np.cos(p.raw + step))
                if spoil and step == 4:
                    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
                    optimizer, params = copy.deepcopy((optimizer, params))
                    arrays = [p.raw for p in params]
                    params[0].data = params[0].data + 1
                    arrays[0] = params[0].raw
                optimizer.step()
        assert all(p.raw is array for p, array in zip(params, arrays))
        states = [{k: np.array(getattr(x, "raw", x)) for k, x in optimizer.state[p].items()} for p in params]
        return [p.raw.copy() for p in params], states

    for spoil in (False, True):
        (alone, its), (together, theirs) = run(0, spoil), run(100, spoil)
        for a, b in zip(alone, together):
            np.testing.assert_array_equal(a, b)
        for one, other in zip(its, theirs):
            assert one.keys() == other.keys()
            for name in one:
                np.testing.assert_array_equal(one[name], other[name])
