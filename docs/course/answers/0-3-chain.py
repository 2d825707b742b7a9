"""The chain rule, box by box

y = v**2, v = u + 1, u = 3 * x, at x = 2. Compute forward first (u, v, y), then the local derivatives, then walk back from y.
Put in numbers.
"""

from minitorch.testing import expect

u = 6.0
v = 7.0
y = 49.0

dy_dv = 14.0  # how fast y changes with v
dv_du = 1.0
du_dx = 3.0

dy_dx = dy_dv * dv_du * du_dx

expect("u, v and y", [u, v, y], [6.0, 7.0, 49.0], otherwise="From the inside out: u = 3 · 2, then v, then y.")
expect("∂y/∂v", dy_dv, 14.0, mistakes=[
    (4.0, "Take it at v = 7, at what goes into the square, not at x."),
    (7.0, "The derivative of v² is 2 v."), (49.0, "That is y itself."),
])  # fmt: skip
expect("∂v/∂u", dv_du, 1.0, mistakes=[(7.0, "That is v itself. If u grows by 1, by how much does u + 1 grow?"),
                                       (2.0, "Adding 1 moves v, it does not make it change faster.")])
expect("∂u/∂x", du_dx, 3.0, mistakes=[(6.0, "That is u itself.")])
expect("∂y/∂x", dy_dx, 42.0, mistakes=[
    (18.0, "You added the rates. Along a chain they multiply, like gears."),
    (14.0, "The last gear is missing: times ∂u/∂x."),
    (12.0, "∂y/∂v has to be taken at v = 7."),
])  # fmt: skip
