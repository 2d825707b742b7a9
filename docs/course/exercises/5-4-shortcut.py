"""Through forty layers

The gradient does not reach the first of these forty layers. Change one line of `network`, so that it does. The layers and their
weights stay what they are.
"""

import minitorch
from minitorch import nn
from minitorch.testing import expect


def network(layers, x):
    for layer in layers:
        x = minitorch.tanh(layer(x))
    return x


def first_gradient():
    """The size of the gradient of the first layer's weights."""
    minitorch.manual_seed(0)
    layers = [nn.Linear(8, 8) for _ in range(40)]
    network(layers, minitorch.randn(16, 8)).mean().backward()
    return layers[0].weight.grad.norm().item()


def arrives(size):
    return 1e-3 < size < 1e3


expect(
    "the gradient of the first layer", first_gradient, arrives,
    mistakes=[
        (lambda size: size <= 1e-3, "It vanishes: nothing leads around the layers."),
        (lambda size: size >= 1e3, "It explodes: is anything added twice?"),
    ],
)  # fmt: skip
expect(
    "what a layer with weights 0 computes from 3", lambda: network([minitorch.zeros_like], minitorch.tensor([3.0])).item(), 3.0,
    otherwise="A block that does nothing should hand on its input.",
)  # fmt: skip
