"""Two parts with every class

The examples are sorted by class: 30 of class 0, then 30 of class 1, then 30 of class 2. Take 60 to train on and 30 for
validation, so that no example is in both and every class is in both about as often as in the whole.
"""

import minitorch
from minitorch.testing import expect

minitorch.manual_seed(0)
labels = [0] * 30 + [1] * 30 + [2] * 30


def split(count):
    """The indices of the training part, and of the validation part."""
    order = minitorch.randperm(count).tolist()
    return order[:60], order[60:]


train, validation = split(len(labels))
expect("how many to train on", len(train), 60)
expect("how many for validation", len(validation), 30)
expect("how many are in both", len(set(train) & set(validation)), 0, otherwise="An example that was learnt proves nothing.")
expect(
    "the classes in the validation part", sorted({labels[k] for k in validation}), [0, 1, 2],
    otherwise="Sorted data must be shuffled before they are cut.",
)  # fmt: skip
