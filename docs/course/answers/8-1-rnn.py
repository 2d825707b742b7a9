"""A recurrent network with a loop

`nn.RNN` reads a text of shape (length, numbers per token) and keeps a state. Write its loop: the new state is the tanh of
the token times `w`, plus the old state times `u`, plus the bias `b`. The first state is 0. Return the last state.
"""

import minitorch
from minitorch import nn
from minitorch.testing import expect


def read(x, w, u, b):
    """x: (length, 3), w: (3, 4), u: (4, 4), b: (4,). Returns the last state, (4,)."""
    state = minitorch.zeros(4)
    for token in x:
        state = minitorch.tanh(token @ w + state @ u + b)
    return state


minitorch.manual_seed(0)
theirs = nn.RNN(3, 4)
x = minitorch.randn(6, 3)
w, u, b = theirs.weight_ih_l0.T, theirs.weight_hh_l0.T, theirs.bias_ih_l0 + theirs.bias_hh_l0
_, last = theirs(x)

expect(
    "the last state", lambda: read(x, w, u, b), last[0].detach(), within=1e-5,
    mistakes=[
        (minitorch.tanh(x[-1] @ w + b).detach(), "Only the last token was read: the old state must go into the new one."),
        (minitorch.tanh(x @ w + b).detach(), "These are all states, each without the one before."),
    ],
    otherwise="Compare one step: `read(x[:1], w, u, b)`.",
)  # fmt: skip
expect("one token", lambda: read(x[:1], w, u, b), minitorch.tanh(x[0] @ w + b).detach(), within=1e-5)
