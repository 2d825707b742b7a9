"""A data set of words

Write the two methods, so that example number i is the i-th word as a list of 26 counts (how often each letter is in it), and
the length of the word. The word "abba" gives [2, 2, 0, ..., 0] and 4.
"""

import minitorch
from minitorch.testing import expect
from minitorch.utils.data import DataLoader, Dataset

WORDS = ["abba", "cab", "zebra", "a", "baobab"]


class Words(Dataset):
    def __init__(self, words):
        self.words = words

    def __len__(self):
        return len(self.words)

    def __getitem__(self, index):
        word = self.words[index]
        counts = [float(word.count(letter)) for letter in "abcdefghijklmnopqrstuvwxyz"]
        return minitorch.tensor(counts), len(word)


data = Words(WORDS)
expect("how many examples", lambda: len(data), 5)
expect("the length of word 2", lambda: data[2][1], 5)
expect("the a's, b's and c's of word 1", lambda: [float(count) for count in data[1][0]][:3], [1.0, 1.0, 1.0])
expect(
    "a batch of the first three", lambda: next(iter(DataLoader(data, batch_size=3)))[0].shape, (3, 26),
    otherwise="The counts should be a tensor of 26 numbers.",
)  # fmt: skip
