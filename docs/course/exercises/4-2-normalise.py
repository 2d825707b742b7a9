"""Close the leak

The numbers below are normalised so that the training part should have mean 0 and deviation 1. But the mean and the deviation
are taken from all numbers, those of the test included. Change `numbers_for` so that nothing of the test is used.
"""

import minitorch
from minitorch.testing import expect

minitorch.manual_seed(0)
train = 5 + 2 * minitorch.randn(1000)
test = 9 + 2 * minitorch.randn(200)  # they are larger: life is not like the lesson


def numbers_for(train, test):
    """The mean and the deviation for the normalisation of both."""
    everything = minitorch.cat([train, test])
    return everything.mean(), everything.std()


mean, deviation = numbers_for(train, test)
expect(
    "the mean of the training part", round(((train - mean) / deviation).mean().item(), 3), 0.0,
    otherwise="It should be 0: which numbers does the mean come from?",
)  # fmt: skip
expect("the deviation of the training part", ((train - mean) / deviation).std(), 1.0, within=1e-3)
expect(
    "the mean of the test, which is no 0", round(((test - mean) / deviation).mean().item(), 1), 2.0, within=0.15,
    mistakes=[(0.0, "The test was normalised by itself: nobody will know its mean in life.")],
    otherwise="The test gets the training part's numbers, and stays as different as it is.",
)  # fmt: skip
