"""The graph: nodes, the two kinds of number that are nodes, and the backward pass over them."""
