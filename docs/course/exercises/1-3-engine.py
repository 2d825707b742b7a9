"""Your own engine

Thirty lines that can do what this module is about. Three places are open: what a product hands to each factor, how a
contribution is received, and in which order the nodes come.
"""

import minitorch
from minitorch.testing import expect


class Number:
    born = 0

    def __init__(self, data, inputs=(), locals=()):
        Number.born += 1
        self.stamp = Number.born  # a result is always younger than what it was computed from
        self.data, self.inputs, self.locals, self.grad = data, inputs, locals, 0.0

    def __add__(self, other):
        return Number(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        return Number(self.data * other.data, (self, other), (..., ...))  # the local derivatives

    def backward(self):
        self.grad = 1.0
        for node in in_order(self):
            for source, local in zip(node.inputs, node.locals):
                source.grad = ...  # with node.grad and local


def nodes_behind(root):
    found = {root}
    waiting = [root]
    while waiting:
        for source in waiting.pop().inputs:
            if source not in found:
                found.add(source)
                waiting.append(source)
    return found


def in_order(root):
    return ...  # nodes_behind(root), sorted so that nobody hands on too early


def gradients(number, formula, *places):
    leaves = [number(place) for place in places]
    formula(*leaves).backward()
    return [leaf.grad for leaf in leaves]


def like(formula, *places):
    return gradients(minitorch.Value, formula, *places)


def product(a, b):
    return a * b


def once_each(a, b, c):
    return a * b + c


def doubled(a):
    b = a + a
    return b + b


def tangled(a, b):
    s = a * b
    t = s + a
    return t * s + t * t


expect("a * b", lambda: gradients(Number, product, 2.0, 5.0), like(product, 2.0, 5.0), mistakes=[
    ([2.0, 5.0], "A product swaps: each factor gets the *other* one."),
    ([0.0, 0.0], "Nothing arrives: is the contribution stored in source.grad?"),
])  # fmt: skip
expect("a * b + c", lambda: gradients(Number, once_each, 2.0, 5.0, 1.0), like(once_each, 2.0, 5.0, 1.0), mistakes=[
    ([0.0, 0.0, 1.0], "The oldest node came first. It had nothing to hand on yet."),
    (lambda got: got[2] != 1.0, "A sum hands on what arrived at it: node.grad times the local derivative, 1."),
])  # fmt: skip
expect("b = a + a, c = b + b", lambda: gradients(Number, doubled, 1.0), [4.0], mistakes=[
    ([1.0], "What arrives second wipes out the first: add it to what is there."),
    ([6.0], "A node handed on before all had arrived, and then again."),
    ([2.0], "Half is missing. Is every use of a node counted?"),
])  # fmt: skip
expect("everything at once", lambda: gradients(Number, tangled, 2.0, 3.0), like(tangled, 2.0, 3.0),
       otherwise="If the three above are right: look at the order once more. Youngest first?")
