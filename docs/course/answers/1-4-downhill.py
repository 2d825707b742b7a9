"""The lowest place

Find where (x - 1)**2 + 10 * (y + x)**2 is lowest. Write the loop: build the graph, walk back, step. The rate is given.
"""

from minitorch import Value
from minitorch.testing import expect


def f(x, y):
    return (x - 1) ** 2 + 10 * (y + x) ** 2


def lowest(rate=0.04, steps=300):
    x, y = Value(3.0), Value(2.0)
    for _ in range(steps):
        f(x, y).backward()
        for one in (x, y):
            one.data -= rate * one.grad
            one.grad = None
    return x.data, y.data


expect("the place", lowest, (1.0, -1.0), within=1e-3, mistakes=[
    (lambda place: place == (3.0, 2.0), "Still at the start. In each round: f(x, y).backward(), then move x.data and y.data."),
    (lambda place: any(abs(one) > 1e3 or one != one for one in place), "It flies away: step *against* the gradient, and set it "
     "back to None after each step, for it adds up from walk to walk."),
    (lambda place: abs(place[0] - 1) < 0.5, "Near, but not there: are the gradients set back to None after each step?"),
], otherwise="Somewhere else: are both gradients set back after each step, and do both numbers move?")  # fmt: skip
