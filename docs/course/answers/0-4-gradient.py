"""The gradient of many inputs, by nudges

`gradient(f, place)` returns a list: for each input, how fast `f` changes with it while the others stay as they are.
`place` stays as it was. Then say how often `f` is computed for 1000 inputs, with nudges to both sides.
"""

from minitorch.testing import expect


def gradient(f, place, h=1e-5):
    found = []
    for i in range(len(place)):
        right, left = list(place), list(place)
        right[i] += h
        left[i] -= h
        found.append((f(right) - f(left)) / (2 * h))
    return found


evaluations_for_1000_inputs = 2000


def f(place):
    a, b, c = place
    return (a * b + c) ** 2


start = [2.0, -3.0, 10.0]

expect("the gradient of (a b + c)²", lambda: gradient(f, start), [-24.0, 16.0, 8.0], within=1e-6, mistakes=[
    (lambda got: len(got) != 3, "One number for each input."),
    (lambda got: max(abs(one - got[0]) for one in got) < 1e-3, "Nudge one input at a time, each from the same place."),
    (lambda got: abs(got[0] + 24) < 1e-3 and abs(got[1] - 16) < 1e-3, "The last one is off: nudged from the right place?"),
    (lambda got: abs(got[0] + 24) < 1e-3, "The first is right. Is the nudge taken back before the next one?"),
])  # fmt: skip
expect("the place is left as it was", lambda: gradient(f, start) and start, [2.0, -3.0, 10.0],
       otherwise="Nudge a copy: list(place).")
expect("evaluations for 1000 inputs", evaluations_for_1000_inputs, 2000, mistakes=[
    (1000, "To both sides: two for each."), (1001, "That is one side, and the middle once. To both sides: two for each."),
    (2, "Two for each input, and there are 1000."),
])  # fmt: skip
