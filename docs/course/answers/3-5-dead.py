"""Bring it back to life

All 8 units of this network are dead for every example. Repair it in `repair`, by its biases alone: its weights must stay what
they are. Every unit should be above 0 for at least one of the examples.
"""

import minitorch
from minitorch import nn
from minitorch.testing import expect

minitorch.manual_seed(3)
x = minitorch.linspace(-2, 2, 30).reshape(30, 1)
net = nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 1))
nn.init.constant_(net[0].bias, -5.0)
weights = net[0].weight.tolist()


def repair(net):
    """Change the biases of the first layer, outside the graph."""
    nn.init.zeros_(net[0].bias)


def alive():
    """How many units are above 0 for some example."""
    with minitorch.no_grad():
        return int((net[0](x) > 0).any(0).sum().item())


repair(net)
net(x).sum().backward()
expect("units alive", alive, 8, mistakes=[(0, "All are dead: what must be added to a sum of about -5?")])
expect("the weights are what they were", net[0].weight.tolist() == weights, True, otherwise="Change the biases only.")
expect(
    "a gradient comes through to every unit", lambda: int((net[0].bias.grad != 0).sum().item()), 8,
    otherwise="Where a unit is flat for every example, its gradient is 0.",
)  # fmt: skip
