"""An order that works

The graph: b = a * a, c = b + a, d = b * c, L = d + c. In which order may the nodes hand on what they have got? Begin with
"L". A node may hand on when *everybody who uses it* has handed on before.
"""

from minitorch.testing import expect

USERS = {"a": "bc", "b": "cd", "c": "dL", "d": "L", "L": ""}

order = ["L", ...]  # five letters


def complete(order):
    return sorted(map(str, order)) == sorted(USERS)


def too_early(order):
    """The first node that hands on before one of its users has."""
    for at, node in enumerate(order):
        for user in USERS[node]:
            if user not in order[:at]:
                return node
    return None


if ... in order:
    order = ...

expect("the order", order, lambda order: complete(order) and too_early(order) is None, mistakes=[
    (lambda order: not complete(order), "Each of L, d, c, b and a stands in it once."),
    (lambda order: order[0] != "L", "The walk begins where the 1 is put in: at L."),
    (lambda order: too_early(order) == "c", "c is used by d as well as by L: it has to wait for both."),
    (lambda order: too_early(order) == "b", "b is used by c as well as by d: it has to wait for both."),
    (lambda order: too_early(order) == "a", "a is used by b and by c: it comes last."),
])  # fmt: skip
