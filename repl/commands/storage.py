"""How an array lies in memory: the story that the sample `ndarray` tells, about any tensor of the session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.core.node import Node
from repl import phrases
from repl.commands.inspect import MATRIX
from repl.commands.look import node_or_current
from repl.graph import Graph
from repl.registry import CommandError, command
from repl.views import Facts, View
from viz.format import host, number

if TYPE_CHECKING:
    from repl.engine import Session

AXES = "ijklmnpq"
TRIED = 100_000  # candidate solutions to the question whether two arrays overlap
WRITTEN = 16  # elements of a buffer that are written out


@command("storage", "st", group="look", usage="storage [NODE]", example=(*MATRIX, "V = W.T", "storage V"), argument="node")
def storage(session: Session, argument: str) -> View:
    """How an array lies in memory.

    An array is a flat buffer and three small things: the element [i, j] is number `offset + i × strides[0] + j × strides[1]`
    of the buffer. So a transpose, a slice or a stretched axis moves no element: it is a view, other strides over the same
    buffer, and the nodes that share it are named. Strides count elements here (NumPy's count bytes). Alone: of the current
    node. `minitorch run ndarray` builds such an array.
    """
    node, graph = node_or_current(session, argument)
    raw = node.raw
    if not hasattr(raw, "strides"):
        raise CommandError(f"{graph.name(node)} is one number and has no storage; `storage` is for tensors")
    buffer, offset = _buffer(raw)
    strides = tuple(step // raw.itemsize for step in raw.strides)
    facts = [
        ("shape", f"{phrases.shape_text(raw.shape)} {raw.dtype}"),
        ("strides", f"{phrases.shape_text(strides)} elements{_remarks(raw.shape, strides)}"),
        ("offset", f"{offset} in a buffer of {phrases.count(buffer.size, 'element')}, {buffer.nbytes:,} bytes"),
    ]
    if raw.ndim and raw.size:
        facts.append(("element", _element(raw, strides, offset)))
    if raw.flags.c_contiguous and not offset and buffer.size == raw.size:
        compact = "yes: its elements fill the buffer, row by row"
    elif raw.flags.c_contiguous:
        compact = "no: its elements lie row by row, but are only a part of the buffer"
    else:
        compact = "no: read row by row, its elements do not follow one another in the buffer"
    facts.append(("compact", compact))
    shared = _sharing(node, graph, session)
    more = f" and {len(shared) - 6} more" if len(shared) > 6 else ""
    facts.append(
        (
            "shared",
            f"with {', '.join(shared[:6])}{more}: an edit of one in place is seen by all" if shared else "with no other node",
        )
    )
    if buffer.size <= WRITTEN and host(buffer) is buffer:
        facts.append(("buffer", " ".join(number(x, 3) for x in buffer.ravel(order="K"))))
        places = offset + sum((index * step for index, step in zip(np.indices(raw.shape), strides)), np.zeros(raw.shape, int))
        facts.append(("read at", " ".join(map(str, places.reshape(-1)))))
    return Facts(phrases.definition(node, graph.name), tuple(facts))


def _buffer(raw: Any) -> tuple[Any, int]:
    """The array that owns the memory, and where in it the first element of `raw` lies, in elements."""
    owner = raw
    while getattr(owner, "base", None) is not None and hasattr(owner.base, "nbytes"):
        owner = owner.base
    if owner is raw:
        return owner, 0
    address = [array.__array_interface__["data"][0] for array in (raw, owner)]
    return owner, (address[0] - address[1]) // raw.itemsize


def _remarks(shape: tuple[int, ...], strides: tuple[int, ...]) -> str:
    """What strides that are not those of rows say about their axes."""
    told = []
    for axis, length, step in zip(AXES, shape, strides):
        if step == 0 and length > 1:
            told.append(f"{axis} is stretched: its {length} places are one")
        elif step < 0:
            told.append(f"{axis} runs backwards")
    return f" ({'; '.join(told)})" if told else ""


def _element(raw: Any, strides: tuple[int, ...], offset: int) -> str:
    """The formula, and the last element as an example of it."""
    axes = ", ".join(AXES[: raw.ndim])
    terms = " + ".join(f"{axis} × {step}" for axis, step in zip(AXES, strides))
    last = tuple(length - 1 for length in raw.shape)
    numbers = " + ".join(f"{index} × {step}" for index, step in zip(last, strides))
    at = offset + sum(index * step for index, step in zip(last, strides))
    return (
        f"[{axes}] is number {offset} + {terms} of the buffer\n"
        f"[{', '.join(map(str, last))}] is number {offset} + {numbers} = {at}: {number(host(raw)[last], 4)}"
    )


def _sharing(node: Node, graph: Graph, session: Session) -> list[str]:
    """The other nodes whose numbers lie in the same memory."""
    others = {id(x): (graph.name(x), x) for x in graph.nodes}
    others.update({id(x): (name, x) for name, x in session.variables.items() if isinstance(x, Node)})
    return [
        name for name, x in others.values() if x is not node and isinstance(x.raw, np.ndarray) and _overlap(x.raw, node.raw)
    ]


def _overlap(a: np.ndarray, b: Any) -> bool:
    """Whether two arrays have an element in common. Which may be hard to tell (it is integer programming): then perhaps."""
    if not np.may_share_memory(a, b):
        return False
    try:
        return np.shares_memory(a, b, max_work=TRIED)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True
