"""Who goes first?

A backward pass for additions only, so every local derivative is 1. It finds all nodes behind the root, and then each node hands
its gradient to its inputs. It may do so only when all has arrived at it. Every node has a `stamp`, larger than those of its
inputs. One place to fill.
"""

import itertools

from minitorch.testing import expect

tick = itertools.count(1).__next__


class Num:
    def __init__(self, data, inputs=()):
        self.data, self.inputs, self.grad, self.stamp = data, inputs, 0.0, tick()

    def __add__(self, other):
        return Num(self.data + other.data, (self, other))


def backward(root):
    found, stack = [root], [root]
    while stack:
        for x in stack.pop().inputs:
            if x not in found:
                found.append(x)
                stack.append(x)
    root.grad = 1.0
    for node in ...:
        for x in node.inputs:
            x.grad += node.grad


def gradient_of_a(expression):
    a = Num(1.0)
    backward(expression(a))
    return a.grad


def two_ways(a):
    """b is used by d and by c: it has to wait for c."""
    b = a + a
    c = b + a
    return b + c


def chain(a):
    for _ in range(10):
        a = a + a
    return a


expect(
    "b = a + a; c = b + a; d = b + c",
    lambda: gradient_of_a(two_ways),
    5.0,
    mistakes=[
        (3.0, "b went on after its first arrival: in the order in which they were found, b comes before c."),
        (0.0, "The inputs went first, before anything had arrived at them: the newest is the first."),
    ],
)
expect("ten doublings", lambda: gradient_of_a(chain), 1024.0, otherwise="Each doubling doubles the gradient.")
expect("a itself: nothing to hand on", lambda: gradient_of_a(lambda a: a), 1.0)
