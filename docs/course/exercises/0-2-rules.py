"""Four derivatives by the rules

On paper first. Then write each one as Python, for any x: `return 3 * x**2`, not a number. (`math.exp`, `math.cos` are there.)
"""

import math

from minitorch.testing import expect


def power(x):  # the derivative of x**3
    return ...


def polynomial(x):  # the derivative of 2 * x**2 - 5 * x + 7
    return ...


def product(x):  # the derivative of x * exp(x)
    return ...


def chain(x):  # the derivative of sin(3 * x)
    return ...


at = [-1.0, 0.5, 2.0]


def everywhere(f):
    return lambda: [f(x) for x in at]


def like(f):
    right = [f(x) for x in at]
    return lambda got: all(abs(one - other) < 1e-9 for one, other in zip(got, right))


expect("x**3", everywhere(power), [3 * x**2 for x in at], mistakes=[
    (like(lambda x: 3 * x**3), "The power goes down by one."),
    (like(lambda x: x**2), "The old power comes down as a factor."),
])  # fmt: skip
expect("2 x**2 - 5 x + 7", everywhere(polynomial), [4 * x - 5 for x in at], mistakes=[
    (like(lambda x: 4 * x - 5 + 7), "A constant does not change: its derivative is 0."),
    (like(lambda x: 4 * x - 5 * x), "The derivative of 5 x is 5."),
    (like(lambda x: 2 * x - 5), "The factor 2 stays: twice the derivative of x**2."),
])  # fmt: skip
expect("x * exp(x)", everywhere(product), [math.exp(x) + x * math.exp(x) for x in at], mistakes=[
    (like(math.exp), "That is u' times v'. A product has two strips: u' v + u v'."),
    (like(lambda x: x * math.exp(x)), "That is one strip, u v'. The other is u' v."),
])  # fmt: skip
expect("sin(3 x)", everywhere(chain), [3 * math.cos(3 * x) for x in at], mistakes=[
    (like(lambda x: math.cos(3 * x)), "The outside is right. Multiply by how fast 3 x changes."),
    (like(lambda x: 3 * math.cos(x)), "The cosine is taken at what goes into the sine."),
])  # fmt: skip
