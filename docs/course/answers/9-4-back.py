"""A step back that survives infinity

A ledger to which contributions are added, one step at a time. `back` takes the last one away, so that everything is as it was
before, bit for bit: also after an infinity, also the difference between nothing and 0. As written it subtracts. Mend both
methods.
"""

import math

from minitorch.testing import expect


class Ledger:
    def __init__(self):
        self.total = None  # nothing has arrived
        self.done = []

    def step(self, contribution):
        self.done.append(self.total)
        self.total = contribution if self.total is None else self.total + contribution

    def back(self):
        self.total = self.done.pop()


def after(*contributions, back):
    """What stands in a ledger after these contributions and so many steps back."""
    ledger = Ledger()
    for one in contributions:
        ledger.step(one)
    for _ in range(back):
        ledger.back()
    return "nothing" if ledger.total is None else repr(ledger.total)


expect("two there, one back", lambda: after(1.0, 2.0, back=1), "1.0")
expect(
    "rounding",
    lambda: after(0.1, 0.7, back=1),
    "0.1",
    mistakes=[("0.09999999999999998", "0.1 + 0.7 - 0.7 is not 0.1. Keep what was there, and put it back.")],
)
expect(
    "infinity",
    lambda: after(1.0, math.inf, back=1),
    "1.0",
    mistakes=[("nan", "Infinity minus infinity is nan. Keep what was there, and put it back.")],
)
expect(
    "back to the start",
    lambda: after(5.0, 1.0, back=2),
    "nothing",
    mistakes=[("0.0", "Before the first contribution nothing had arrived: None, and not 0.")],
)
