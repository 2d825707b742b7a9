"""A model whose loss becomes nan in its third pass: deep inside, the logarithm of a negative number."""

import minitorch
from minitorch import nn


class Gate(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(minitorch.tensor([0.5, 1.5]))

    def forward(self, x):
        scale = x * self.weight
        return minitorch.log(scale) + x


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(Gate() for _ in range(4)))

    def forward(self, x):
        return self.blocks(x).tanh()


model = Model()
for batch in range(5):
    x = minitorch.tensor([3.0, 4.0]) - 1.5 * batch
    loss = model(x).sum()
    loss.backward()
    print("batch", batch)
