"""Close the leak

This attention looks into the future. Change `attention` so that place k sees the places 0 to k only, and every row of its
shares still adds up to 1.
"""

import math

import minitorch
from minitorch.nn import functional as F
from minitorch.testing import expect


def attention(query, key, value):
    """query, key, value: (length, d). Returns what each place is told, (length, d), and the shares, (length, length)."""
    scores = query @ key.T / math.sqrt(query.shape[1])
    later = minitorch.ones(*scores.shape).triu(1).bool()  # true where the column is a later place than the row
    shares = scores.masked_fill(later, -math.inf).softmax(1)
    return shares @ value, shares


minitorch.manual_seed(0)
query, key, value = minitorch.randn(5, 8), minitorch.randn(5, 8), minitorch.randn(5, 8)
right = F.scaled_dot_product_attention(query[None], key[None], value[None], is_causal=True)[0]

expect(
    "how much place 0 sees of place 4", lambda: attention(query, key, value)[1][0, 4], 0.0,
    otherwise="A score of -math.inf becomes a share of 0.",
)  # fmt: skip
expect(
    "what the shares of each place add up to", lambda: attention(query, key, value)[1].sum(1), minitorch.ones(5), within=1e-5,
    otherwise="Mask the scores, before softmax, and not the shares.",
)  # fmt: skip
expect("what the places are told", lambda: attention(query, key, value)[0], right, within=1e-5)
