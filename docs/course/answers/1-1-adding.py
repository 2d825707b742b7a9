"""Gradients of three small graphs

On paper: draw the graph, write the local derivative on every arrow, walk back. Put in numbers.
"""

from minitorch.testing import expect

# y = a * a + a at a = 3
dy_da = 3.0 + 3.0 + 1.0

# y = (a + b) * b at a = 2, b = 5
dy_da2 = 5.0
dy_db2 = (2.0 + 5.0) + 5.0

# y = relu(x) * 4 + x at x = -1 (relu(x) is x where x > 0, else 0)
dy_dx = 0.0 * 4.0 + 1.0

expect("a * a + a", dy_da, 7.0, mistakes=[
    (1.0, "That is what came along the last arrow. Three arrows leave a: their contributions add up."),
    (4.0, "a * a has two arrows, one for each factor."), (12.0, "That is y itself."), (6.0, "And the arrow of `+ a`?"),
])  # fmt: skip
expect("(a + b) * b, for a", dy_da2, 5.0, mistakes=[(7.0, "A product hands each factor the *other* factor.")])
expect("(a + b) * b, for b", dy_db2, 12.0, mistakes=[
    (7.0, "b is used in the sum, too."), (5.0, "b is a factor itself, too: two contributions."),
    (35.0, "Contributions of two ways are added, not multiplied."),
])  # fmt: skip
expect("relu(x) * 4 + x", dy_dx, 1.0, mistakes=[
    (5.0, "At -1 the relu is shut: nothing passes through it."), (0.0, "One of the two ways to x is shut; the other is not."),
    (4.0, "At -1 the relu is shut, and there is another way to x."),
])  # fmt: skip
