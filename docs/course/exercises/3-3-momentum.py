"""SGD with momentum, by hand

Momentum keeps a velocity for every parameter. At each step the velocity becomes `momentum` times itself plus the gradient, and
the parameter moves by `lr` times the velocity, downhill. The first velocity is 0.
"""

import minitorch
from minitorch import nn, optim
from minitorch.testing import expect


def step(place, velocity, gradient, lr, momentum):
    """One step; returns the new place and the new velocity."""
    velocity = ...
    return place - ..., velocity


def mine(steps):
    place, velocity = 1.0, 0.0
    for _ in range(steps):
        gradient = 2 * place  # of the loss place²
        place, velocity = step(place, velocity, gradient, lr=0.1, momentum=0.9)
    return place


def theirs(steps):
    place = nn.Parameter(minitorch.tensor([1.0], dtype=minitorch.float64))
    optimizer = optim.SGD([place], lr=0.1, momentum=0.9)
    for _ in range(steps):
        optimizer.zero_grad()
        (place**2).sum().backward()
        optimizer.step()
    return place.item()


expect("after one step", lambda: mine(1), theirs(1), mistakes=[(1.2, "That is uphill: the step goes against the gradient.")])
expect(
    "after three steps", lambda: mine(3), theirs(3),
    mistakes=[
        (0.512, "That is plain SGD: the velocity is not kept, or not used."),
        (lambda got: isinstance(got, float), "The first step is right: does the velocity come back from `step`?"),
    ],
)  # fmt: skip
