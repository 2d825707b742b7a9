"""Average precision

`right` says of each box, from the highest score down, whether it found a face that was not found before. There are `faces` of
them. Work out the area under precision over recall. At each recall counts the best precision that is reached there *or further
on*.
"""

from minitorch.testing import expect


def average_precision(right, faces):
    precision, recall, hits = [], [], 0
    for n, hit in enumerate(right, start=1):
        hits += hit
        precision.append(hits / n)
        recall.append(hits / faces)
    area, before = 0.0, 0.0
    for k in range(len(right)):
        area += (recall[k] - before) * max(precision[k:])
        before = recall[k]
    return area


right = [True, False, False, True, True]
expect("all right, all found", lambda: average_precision([True, True], 2), 1.0)
expect(
    "all right, half of them found",
    lambda: average_precision([True, True], 4),
    0.5,
    mistakes=[(1.0, "Recall is hits over all faces there are, not over those found.")],
)
expect(
    "false ones in between",
    lambda: average_precision(right, 3),
    1 / 3 + 1 / 3 * 3 / 5 + 1 / 3 * 3 / 5,
    mistakes=[
        (1 / 3 + 1 / 3 * 2 / 4 + 1 / 3 * 3 / 5, "At a recall of 2/3 the precision is 2/4, but further on it is better: 3/5."),
        (1.0, "The best precision of all was before that recall: look at it and further on."),
    ],
)
expect("false ones at the end cost nothing", lambda: average_precision([True, True, False, False], 2), 1.0)
expect("a false one at the top costs much", lambda: average_precision([False, True, True], 2), 2 / 3)
