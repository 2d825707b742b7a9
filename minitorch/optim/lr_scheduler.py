"""Learning rates that change as training goes on: `scheduler.step()` after `optimizer.step()`, once per epoch or batch.

The formulas and the rates are PyTorch's. A scheduler works on `optimizer.param_groups[...]["lr"]`, from the rate that each
group had when the first scheduler was made (`group["initial_lr"]`).
"""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .optimizer import Optimizer


class LRScheduler:
    """The base: counts steps in `last_epoch`, and sets the rates that `get_lr()` gives. The first step is taken at once.

    A subclass defines `get_lr`, returning a rate for each group; it may read the present ones from the groups.
    `last_epoch` other than -1 goes on from there, with an optimizer whose groups were loaded.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(self).__name__} needs an optimizer, not {type(optimizer).__name__}")
        self.optimizer = optimizer
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"group {number} has no 'initial_lr' to go on from: load the optimizer's state dict first, "
                    "or start with last_epoch=-1"
                )
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._begin()

    def _begin(self) -> None:
        """The step that sets the first rates."""
        self._step_count = 0
        self._initial = True
        self.step()
        self._initial = False

    def get_lr(self) -> list[float]:
        """The rate of each group at `last_epoch`."""
        raise NotImplementedError(f"{type(self).__name__} needs a method get_lr(self)")

    def closed_lr(self) -> list[float]:
        """The rate of each group at `last_epoch` from the initial ones alone, where there is such a formula."""
        return self.get_lr()

    def get_last_lr(self) -> list[float]:
        """The rates now in use, one for each group."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Go to the next rate; with `epoch`, to the rate of that step."""
        if self._step_count == 1 and not self.optimizer.moved:
            warnings.warn(
                "scheduler.step() was called before optimizer.step(), so the first learning rate is never used; "
                "call optimizer.step() first",
                stacklevel=2,
            )
        self._step_count += 1
        self._go(epoch)

    def _go(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        rates = self.get_lr() if epoch is None else self.closed_lr()
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        self._last_lr = self._rates()

    def _rates(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule is. Functions given to it are not part of this."""
        return {name: x for name, x in vars(self).items() if name != "optimizer" and not _holds_functions(x)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict()` of the same kind of scheduler."""
        vars(self).update(state_dict)


_LRScheduler = LRScheduler  # its older name, in older code


def _holds_functions(x: Any) -> bool:
    return callable(x) or isinstance(x, list) and any(callable(item) for item in x)


class FactorLR(LRScheduler):
    """Schedules that are a factor of the initial rate, `factor(epoch)`.

    A step multiplies the present rate by factor(epoch) / factor(epoch - 1), so that several schedulers can act on one
    optimizer, each with its own factor.
    """

    acts_when_resumed = False
    """With last_epoch other than -1, the first step changes the rate already."""

    def factor(self, epoch: int) -> float:
        """The rate at `epoch`, for an initial rate of 1."""
        raise NotImplementedError

    def get_lr(self) -> list[float]:
        now = self.factor(self.last_epoch)
        if self.last_epoch == 0:
            ratio = now
        elif self._initial and not self.acts_when_resumed:
            ratio = 1.0
        else:
            before = self.factor(self.last_epoch - 1)
            ratio = 1.0 if now == before else now / before
        return [rate * ratio for rate in self._rates()]

    def closed_lr(self) -> list[float]:
        return [base * self.factor(self.last_epoch) for base in self.base_lrs]


class StepLR(FactorLR):
    """Times `gamma` every `step_size` steps."""

    acts_when_resumed = True

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, epoch: int) -> float:
        return float(self.gamma ** (epoch // self.step_size))


class MultiStepLR(FactorLR):
    """Times `gamma` at each of the `milestones`."""

    acts_when_resumed = True

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.milestones, self.gamma = sorted(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, epoch: int) -> float:
        return float(self.gamma ** bisect_right(self.milestones, epoch))


class ExponentialLR(FactorLR):
    """Times `gamma` at every step."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def factor(self, epoch: int) -> float:
        return float(self.gamma**epoch)


class ConstantLR(FactorLR):
    """Times `factor` for the first `total_iters` steps, then the initial rate."""

    acts_when_resumed = True

    def __init__(
        self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if not 0 <= factor <= 1:
            raise ValueError(f"ConstantLR: factor is between 0 and 1, not {factor}")
        self.start_factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, epoch: int) -> float:
        return self.start_factor if epoch < self.total_iters else 1.0


class LinearLR(FactorLR):
    """From `start_factor` to `end_factor` times the initial rate, in a straight line over `total_iters` steps."""

    def __init__(
        self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
            raise ValueError(
                f"LinearLR: start_factor is above 0 and at most 1, end_factor between 0 and 1, not {start_factor}, {end_factor}"
            )
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def factor(self, epoch: int) -> float:
        return self.start_factor + (self.end_factor - self.start_factor) * min(epoch, self.total_iters) / self.total_iters


class PolynomialLR(FactorLR):
    """Down to 0 over `total_iters` steps, as (1 - epoch / total_iters) to the power `power`."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def factor(self, epoch: int) -> float:
        return float((1 - min(epoch, self.total_iters) / self.total_iters) ** self.power)


class _ByFunction(LRScheduler):
    """Schedules that ask a function, one for all groups or one for each."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1) -> None:
        groups = len(optimizer.param_groups)
        self.lr_lambdas: list[Callable[[int], float]] = (
            list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * groups
        )
        if len(self.lr_lambdas) != groups:
            raise ValueError(f"{type(self).__name__} needs a function for each of {groups} groups, not {len(self.lr_lambdas)}")
        super().__init__(optimizer, last_epoch)


class LambdaLR(_ByFunction):
    """The initial rate times lr_lambda(epoch)."""

    def get_lr(self) -> list[float]:
        return [base * f(self.last_epoch) for base, f in zip(self.base_lrs, self.lr_lambdas)]


class MultiplicativeLR(_ByFunction):
    """Times lr_lambda(epoch) at every step."""

    def get_lr(self) -> list[float]:
        rates = self._rates()
        return rates if self._initial else [rate * f(self.last_epoch) for rate, f in zip(rates, self.lr_lambdas)]


class CosineAnnealingLR(LRScheduler):
    """Down to `eta_min` over `T_max` steps along half a cosine wave, and on along the wave (Loshchilov and Hutter, 2017)."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def _wave(self, epoch: int) -> float:
        return (1 + math.cos(math.pi * epoch / self.T_max)) / 2

    def get_lr(self) -> list[float]:
        if self._initial:
            return self._rates()
        low, now = self.eta_min, self._wave(self.last_epoch)
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # from the bottom there is no ratio upwards
            return [rate + (base - low) * now for base, rate in zip(self.base_lrs, self._rates())]
        return [low + (rate - low) * now / self._wave(self.last_epoch - 1) for rate in self._rates()]

    def closed_lr(self) -> list[float]:
        return [self.eta_min + (base - self.eta_min) * self._wave(self.last_epoch) for base in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a cosine wave down to `eta_min` over T_0 steps, then again from the top, each time T_mult times as long
    (Loshchilov and Hutter, 2017). `step(epoch)` takes fractions, for a step with every batch."""

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        if T_0 < 1 or T_mult < 1:
            raise ValueError(f"CosineAnnealingWarmRestarts: T_0 and T_mult are 1 or more, not {T_0} and {T_mult}")
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        self.T_i, self.T_cur = T_0, float(last_epoch)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        wave = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * wave for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go to the next rate; with `epoch`, possibly a fraction, to the rate at that point."""
        self._step_count += 1
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        else:
            if epoch < 0:
                raise ValueError(f"the epoch is 0 or more, not {epoch}")
            self.T_cur, self.T_i = epoch, self.T_0
            while self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        self.last_epoch = math.floor(epoch) - 1
        self._go()


class OneCycleLR(LRScheduler):
    """Up from max_lr / div_factor to max_lr, and down to a `final_div_factor`-th of the start, once over `total_steps`;
    the momentum goes the other way (Smith and Topin, 2018). One step with every batch."""

    def __init__(
        self, optimizer: Optimizer, max_lr: float | Sequence[float], total_steps: int | None = None, epochs: int | None = None,
        steps_per_epoch: int | None = None, pct_start: float = 0.3, anneal_strategy: str = "cos", cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85, max_momentum: float | Sequence[float] = 0.95, div_factor: float = 25.0,
        final_div_factor: float = 1e4, three_phase: bool = False, last_epoch: int = -1,
    ) -> None:  # fmt: skip
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR needs total_steps, or epochs and steps_per_epoch")
            total_steps = epochs * steps_per_epoch
        if total_steps < 1 or not 0 <= pct_start <= 1 or anneal_strategy not in ("cos", "linear"):
            raise ValueError("OneCycleLR: total_steps is 1 or more, pct_start from 0 to 1, anneal_strategy 'cos' or 'linear'")
        self.total_steps, self.anneal_strategy = total_steps, anneal_strategy
        up, last = pct_start * total_steps - 1, total_steps - 1
        # (last step, rate from, rate to, momentum from, momentum to), as settings of a group
        rise = (up, "initial_lr", "max_lr", "max_momentum", "base_momentum")
        if three_phase:
            fall = (2 * pct_start * total_steps - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum")
            self.phases = [rise, fall, (last, "initial_lr", "min_lr", "max_momentum", "max_momentum")]
        else:
            self.phases = [rise, (last, "max_lr", "min_lr", "base_momentum", "max_momentum")]
        self.cycle_momentum = cycle_momentum
        self.momentum_name = "betas" if "betas" in optimizer.defaults else "momentum"
        if cycle_momentum and self.momentum_name not in optimizer.defaults:
            raise ValueError(f"{type(optimizer).__name__} has no momentum to cycle: pass cycle_momentum=False")
        if last_epoch == -1:
            self._prepare(optimizer, max_lr, base_momentum, max_momentum, div_factor, final_div_factor)
        super().__init__(optimizer, last_epoch)

    def _prepare(
        self, optimizer: Optimizer, max_lr: Any, base_momentum: Any, max_momentum: Any, div: float, final_div: float
    ) -> None:
        groups = optimizer.param_groups
        for number, group in enumerate(groups):
            high, low_m, high_m = (_one_of(x, number, len(groups)) for x in (max_lr, base_momentum, max_momentum))
            group["initial_lr"], group["max_lr"], group["min_lr"] = high / div, high, high / div / final_div
            if self.cycle_momentum:
                group["base_momentum"], group["max_momentum"] = low_m, high_m

    def get_lr(self) -> list[float]:
        if self.last_epoch > self.total_steps:
            raise ValueError(f"OneCycleLR was made for {self.total_steps} steps, and this is step {self.last_epoch}")
        start = 0.0
        for phase in self.phases:
            end, from_lr, to_lr, from_m, to_m = phase
            if self.last_epoch <= end or phase is self.phases[-1]:
                break
            start = end
        part = (self.last_epoch - start) / (end - start)
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(self._between(group[from_lr], group[to_lr], part))
            if self.cycle_momentum:
                momentum = self._between(group[from_m], group[to_m], part)
                group[self.momentum_name] = (momentum, group["betas"][1]) if self.momentum_name == "betas" else momentum
        return rates

    def _between(self, start: float, end: float, part: float) -> float:
        if self.anneal_strategy == "linear":
            return start + (end - start) * part
        return end + (start - end) * (1 + math.cos(math.pi * part)) / 2


def _one_of(x: Any, number: int, count: int) -> Any:
    """`x` itself, or its entry for group `number` when it is a list with one for each."""
    if not isinstance(x, (list, tuple)):
        return x
    if len(x) != count:
        raise ValueError(f"a list needs a number for each of the {count} groups, not {len(x)}")
    return x[number]


class ReduceLROnPlateau(LRScheduler):
    """Times `factor` when what is given to `step(metrics)` has not got better for more than `patience` steps.

    Better: smaller (mode "min") or larger ("max") than the best by `threshold`, a fraction of it ("rel") or a number ("abs").
    """

    def __init__(
        self, optimizer: Optimizer, mode: str = "min", factor: float = 0.1, patience: int = 10, threshold: float = 1e-4,
        threshold_mode: str = "rel", cooldown: int = 0, min_lr: float | Sequence[float] = 0, eps: float = 1e-8,
    ) -> None:  # fmt: skip
        if factor >= 1:
            raise ValueError(f"ReduceLROnPlateau: factor is below 1, not {factor}")
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(f"ReduceLROnPlateau: mode is 'min' or 'max', threshold_mode 'rel' or 'abs', not {mode!r}, "
                             f"{threshold_mode!r}")  # fmt: skip
        self.optimizer = optimizer
        self.mode, self.factor, self.patience, self.threshold = mode, factor, patience, threshold
        self.threshold_mode, self.cooldown, self.eps = threshold_mode, cooldown, eps
        self.min_lrs = [_one_of(min_lr, i, len(optimizer.param_groups)) for i in range(len(optimizer.param_groups))]
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0
        self._last_lr = self._rates()

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Note how it went (a loss or a score) and reduce the rates if it is time."""
        current = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(current):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            for group, lowest in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
                reduced = max(group["lr"] * self.factor, lowest)
                if group["lr"] - reduced > self.eps:
                    group["lr"] = reduced
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = self._rates()

    def _is_better(self, current: float) -> bool:
        sign = 1 if self.mode == "max" else -1
        if self.threshold_mode == "rel":
            return sign * current > sign * self.best * (1 + sign * self.threshold)
        return sign * current > sign * self.best + self.threshold


class SequentialLR(LRScheduler):
    """One scheduler after the other: the next takes over at each of the `milestones`, starting at its own beginning."""

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int], last_epoch: int = -1
    ) -> None:
        _check_parts(type(self).__name__, optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(f"SequentialLR: {len(schedulers)} schedulers need {len(schedulers) - 1} milestones between them, "
                             f"not {len(milestones)}")  # fmt: skip
        self.optimizer, self.schedulers, self.milestones = optimizer, list(schedulers), list(milestones)
        self.last_epoch = last_epoch + 1
        # Each scheduler has set its first rate when it was made; only the first of them should have.
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        for scheduler in self.schedulers:
            _undo_first(scheduler)
        self.schedulers[0]._begin()
        self._last_lr = self._rates()

    def step(self) -> None:  # type: ignore[override]
        """Go to the next rate."""
        self.last_epoch += 1
        which = bisect_right(self.milestones, self.last_epoch)
        scheduler = self.schedulers[which]
        if which > 0 and self.milestones[which - 1] == self.last_epoch:
            scheduler._go(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule and each of its parts are."""
        state = {name: x for name, x in vars(self).items() if name not in ("optimizer", "schedulers")}
        return {**state, "schedulers": [s.state_dict() for s in self.schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict()` of the same schedulers."""
        vars(self).update({name: x for name, x in state_dict.items() if name != "schedulers"})
        for scheduler, state in zip(self.schedulers, state_dict["schedulers"], strict=True):
            scheduler.load_state_dict(state)


class ChainedScheduler(SequentialLR):
    """Several schedulers at once: each changes the rate that the one before has set."""

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        if schedulers:
            optimizer = optimizer or schedulers[0].optimizer
        _check_parts(type(self).__name__, optimizer, schedulers)
        assert optimizer is not None
        self.optimizer, self.schedulers = optimizer, list(schedulers)
        self._last_lr = self._rates()

    def step(self) -> None:  # type: ignore[override]
        """Go to the next rate."""
        for scheduler in self.schedulers:
            scheduler.step()
        self._last_lr = self._rates()


def _check_parts(name: str, optimizer: Any, schedulers: Sequence[LRScheduler]) -> None:
    if not schedulers:
        raise ValueError(f"{name} needs at least one scheduler")
    for scheduler in schedulers:
        if isinstance(scheduler, ReduceLROnPlateau):
            raise ValueError(f"{name} cannot contain ReduceLROnPlateau, whose step() needs the metrics")
        if scheduler.optimizer is not optimizer:
            raise ValueError(f"{name} needs schedulers of one and the same optimizer")


def _undo_first(scheduler: LRScheduler) -> None:
    """Take back the count of the step that a scheduler took when it was made."""
    if isinstance(scheduler, SequentialLR):
        for part in scheduler.schedulers:
            _undo_first(part)
    else:
        scheduler.last_epoch -= 1
