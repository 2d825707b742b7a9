"""Hotter and colder

A model gives three characters the scores 2, 1 and 0. Turn scores into probabilities: divide them by the temperature, then
take e to the power of each, and divide by the sum of these.
"""

import math

from minitorch.testing import expect


def probabilities(scores, temperature):
    powers = [math.exp(score / temperature) for score in scores]
    return [power / sum(powers) for power in powers]


scores = [2.0, 1.0, 0.0]
expect("they add up to", lambda: sum(probabilities(scores, 1.0)), 1.0)
expect(
    "at temperature 1", lambda: probabilities(scores, 1.0)[0], math.exp(2) / (math.exp(2) + math.e + 1),
    mistakes=[(2 / 3, "The scores themselves were shared out: take e to the power of them first.")],
)  # fmt: skip
expect(
    "the likeliest at temperature 0.1, almost sure", lambda: probabilities(scores, 0.1)[0], lambda p: 0.9999 < p <= 1.0,
    mistakes=[(lambda p: p < 0.5, "Colder should be surer: divide by the temperature, do not multiply.")],
)  # fmt: skip
expect("the likeliest at temperature 100, almost a third", lambda: round(probabilities(scores, 100.0)[0], 2), 0.34)
