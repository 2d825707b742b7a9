"""Schedulers: PyTorch's rates, step for step, alone, together and one after the other."""

from __future__ import annotations

import warnings

import pytest

import minitorch
from minitorch import optim
from minitorch.optim import lr_scheduler as ours

CASES = {
    "step": lambda L, o: L.StepLR(o, 3, 0.5),
    "multistep": lambda L, o: L.MultiStepLR(o, [2, 5, 5, 9], 0.3),
    "exponential": lambda L, o: L.ExponentialLR(o, 0.9),
    "cosine": lambda L, o: L.CosineAnnealingLR(o, 5, 0.01),
    "restarts": lambda L, o: L.CosineAnnealingWarmRestarts(o, 3, 2, 0.01),
    "restarts-1": lambda L, o: L.CosineAnnealingWarmRestarts(o, 4),
    "linear": lambda L, o: L.LinearLR(o, 0.2, 0.7, 6),
    "linear-to-0": lambda L, o: L.LinearLR(o, 1.0, 0.0, 6),
    "constant": lambda L, o: L.ConstantLR(o, 0.25, 4),
    "polynomial": lambda L, o: L.PolynomialLR(o, 8, 2.0),
    "onecycle": lambda L, o: L.OneCycleLR(o, 0.5, total_steps=25),
    "onecycle-3": lambda L, o: L.OneCycleLR(o, [0.5, 0.2], epochs=5, steps_per_epoch=5, three_phase=True, pct_start=0.4),
    "onecycle-linear": lambda L, o: L.OneCycleLR(o, 0.5, 25, anneal_strategy="linear", cycle_momentum=False),
    "lambda": lambda L, o: L.LambdaLR(o, [lambda e: 0.9**e, lambda e: 1 / (e + 1)]),
    "multiplicative": lambda L, o: L.MultiplicativeLR(o, lambda e: 0.8),
    "sequential": lambda L, o: L.SequentialLR(
        o, [L.LinearLR(o, 0.1, total_iters=4), L.CosineAnnealingLR(o, 10), L.ExponentialLR(o, 0.5)], [4, 12]
    ),
    "sequential-step": lambda L, o: L.SequentialLR(o, [L.ConstantLR(o, 0.1, 2), L.StepLR(o, 3)], [3]),
    "chained": lambda L, o: L.ChainedScheduler([L.LinearLR(o, 0.5, total_iters=3), L.ExponentialLR(o, 0.9)], optimizer=o),
    "together": lambda L, o: [L.CosineAnnealingLR(o, 10), L.StepLR(o, 4)],
}


def two_groups(library, kind):
    module = optim if library is minitorch else library.optim
    a, b = (library.ones(1, requires_grad=True) for _ in "ab")
    return getattr(module, kind)([{"params": [a]}, {"params": [b], "lr": 0.03}], lr=0.1)


def history(library, scheduler_module, make, kind, steps=24):
    optimizer = two_groups(library, kind)
    made = make(scheduler_module, optimizer)
    schedulers = made if isinstance(made, list) else [made]
    seen = []
    for _ in range(steps):
        seen += [(g["lr"], g.get("momentum", g.get("betas"))) for g in optimizer.param_groups]
        seen.append(schedulers[-1].get_last_lr())
        optimizer.step()
        for s in schedulers:
            s.step()
    return seen


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("case", CASES)
def test_rates_equal_pytorch(case, kind):
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = history(torch, torch.optim.lr_scheduler, CASES[case], kind)
    mine = history(minitorch, ours, CASES[case], kind)
    for step, (a, b) in enumerate(zip(mine, theirs)):
        assert flat(a) == pytest.approx(flat(b), rel=1e-9, abs=1e-15), f"entry {step}"


def flat(x):
    return [y for part in x for y in flat(part)] if isinstance(x, (list, tuple)) else [x]


@pytest.mark.parametrize("mode, threshold_mode", [("min", "rel"), ("max", "abs"), ("max", "rel"), ("min", "abs")])
def test_plateau_equals_pytorch(mode, threshold_mode):
    torch = pytest.importorskip("torch")
    metrics = [1.0, 0.9, 0.91, 0.9, 0.92, 0.93, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 2.0, 2.0, 2.0, 2.0, 2.0]
    rates = []
    for library, module in ((minitorch, ours), (torch, torch.optim.lr_scheduler)):
        optimizer = two_groups(library, "SGD")
        s = module.ReduceLROnPlateau(
            optimizer, mode, 0.5, 2, threshold=0.05, threshold_mode=threshold_mode, cooldown=1, min_lr=[0.02, 0.001]
        )
        rates.append([])
        for m in metrics:
            s.step(library.tensor(m))
            rates[-1] += s.get_last_lr()
    assert rates[0] == pytest.approx(rates[1])


@pytest.mark.parametrize("case", ["step", "cosine", "onecycle", "sequential", "restarts", "lambda"])
def test_a_schedule_goes_on_from_its_state_dict(case):
    optimizer = two_groups(minitorch, "SGD")
    scheduler = CASES[case](ours, optimizer)
    for _ in range(7):
        optimizer.step()
        scheduler.step()
    fresh = two_groups(minitorch, "SGD")
    resumed = CASES[case](ours, fresh)
    fresh.load_state_dict(optimizer.state_dict())
    resumed.load_state_dict(scheduler.state_dict())
    for _ in range(7):
        optimizer.step(), fresh.step()
        scheduler.step(), resumed.step()
        assert resumed.get_last_lr() == scheduler.get_last_lr()
        assert fresh.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]


def test_going_on_from_last_epoch_needs_an_initial_rate():
    with pytest.raises(KeyError, match="load the optimizer's state dict first"):
        ours.StepLR(two_groups(minitorch, "SGD"), 2, last_epoch=3)


def test_stepping_before_the_optimizer_is_said():
    scheduler = ours.StepLR(two_groups(minitorch, "SGD"), 2)
    with pytest.warns(UserWarning, match="call optimizer.step"):
        scheduler.step()


def test_refusals():
    optimizer = two_groups(minitorch, "SGD")
    with pytest.raises(TypeError, match="needs an optimizer, not Tensor"):
        ours.StepLR(minitorch.ones(1), 2)
    with pytest.raises(ValueError, match="no momentum to cycle"):
        ours.OneCycleLR(two_groups(minitorch, "Adagrad"), 0.1, 10)
    with pytest.raises(ValueError, match="2 schedulers need 1 milestones"):
        ours.SequentialLR(optimizer, [ours.ConstantLR(optimizer), ours.ConstantLR(optimizer)], [])
    with pytest.raises(ValueError, match="one and the same optimizer"):
        ours.ChainedScheduler([ours.ConstantLR(optimizer)], two_groups(minitorch, "SGD"))
    one_cycle = ours.OneCycleLR(optimizer, 0.1, 2)
    optimizer.step()
    one_cycle.step(), one_cycle.step()
    with pytest.raises(ValueError, match="made for 2 steps"):
        one_cycle.step()
