"""A training loop that learns

The loop below is not right: one line is missing, and one stands in the wrong place. Put it in order.
"""

import minitorch
from minitorch import nn, optim
from minitorch.testing import expect


def train():
    """Fit a line to y = 3x + 1; returns the layer and the loss of every step."""
    minitorch.manual_seed(0)
    x = minitorch.linspace(-1, 1, 21).reshape(21, 1)
    y = 3 * x + 1
    layer, criterion = nn.Linear(1, 1), nn.MSELoss()
    optimizer = optim.SGD(layer.parameters(), lr=0.2)
    losses = []
    for _ in range(100):
        loss = criterion(layer(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return layer, losses


layer, losses = train()
expect(
    "the last loss, below the first", losses[-1], lambda last: last < losses[0],
    otherwise="Nothing moves: which line moves the parameters?",
)  # fmt: skip
expect(
    "the last loss, near 0", losses[-1], lambda last: last < 1e-6,
    otherwise="Print `losses`: what does zero_grad() do, and when must it?",
)  # fmt: skip
expect("the slope is found", layer.weight.item(), 3.0, within=1e-3, otherwise="It is 3; get the loop right, and it comes.")
