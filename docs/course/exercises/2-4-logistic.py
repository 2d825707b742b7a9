"""Logistic regression from an empty loop

Two clouds of points. Write the score, the loss and the loop; 100 steps with the rate 0.5 part them well.
"""

import minitorch
from minitorch import no_grad, tensor
from minitorch.nn.functional import binary_cross_entropy_with_logits
from minitorch.testing import expect

minitorch.manual_seed(0)
y = (minitorch.arange(80) % 2).float()
x = minitorch.randn(80, 2) + y.reshape(80, 1) * tensor([3.0, 1.5])


def score(x, w, b):
    return ...


def learn(steps=100, rate=0.5):
    """Returns the weights, the bias, and the list of losses."""
    w = tensor([0.0, 0.0], requires_grad=True)
    b = tensor([0.0], requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = ...
        ...  # walk back, step inside no_grad, set the gradients back
        losses.append(loss.item())
    return w, b, losses


def share_right():
    w, b, _ = learn()
    with no_grad():
        return ((score(x, w, b) > 0) == (y > 0.5)).float().mean().item()


expect("the shape of the scores", lambda: tuple(score(x, tensor([1.0, 2.0]), tensor([0.5])).shape), (80,), mistakes=[
    ((80, 2), "`*` is element by element. The product that adds up is `@`."),
])  # fmt: skip
expect("the first loss", lambda: learn(1)[2][0], 0.6931472, within=1e-4,
       otherwise="With all weights 0 every probability is one half: the mean of -log(0.5).")
expect("the loss after 100 steps", lambda: learn()[2][-1], lambda loss: loss < 0.2, mistakes=[
    (lambda loss: abs(loss - 0.6931472) < 1e-4, "It has not moved. Does the step change w and b themselves (`p -= ...`)?"),
    (lambda loss: not loss < 10, "It explodes: step *against* the gradient, and set it back to None after each step."),
    (lambda loss: loss > 0.7, "It grows: step *against* the gradient."),
], otherwise="It learns, but not as it should: are the gradients set back to None after each step?")  # fmt: skip
expect("the share of points on the right side", share_right, lambda share: share > 0.93)
