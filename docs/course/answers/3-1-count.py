"""How many numbers a network learns

Count them on paper first: a layer from n to m numbers has n · m weights and m biases. An activation has nothing to learn.
"""

from minitorch import nn
from minitorch.testing import expect

net = nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 10))

first_layer = 784 * 32 + 32  # the numbers that the first layer learns
whole_network = first_layer + 32 * 32 + 32 + 32 * 10 + 10

expect("the first layer", first_layer, 25_120, mistakes=[(784 * 32, "Each of the 32 neurons has a bias, too.")])
expect(
    "the whole network", whole_network, sum(p.numel() for p in net.parameters()),
    mistakes=[
        (784 * 32 + 32 * 32 + 32 * 10, "These are the weights: the biases are missing."),
        (25_120 + 32 * 10 + 10, "There is a layer from 32 to 32 numbers in the middle."),
    ],
)  # fmt: skip
