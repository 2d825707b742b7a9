"""A network as pictures: by module, and as a lesson page of one small forward and backward."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import minitorch

if TYPE_CHECKING:
    from minitorch import Tensor, nn
    from samples.kit.run import Run


def show(run: Run, model: nn.Module, loss: Callable[[Any], Tensor], depth: int = 0) -> None:
    """Draw a network: network.svg, its modules closed below `depth` levels, and network.html, a lesson to step through.

    It is done to a copy in main memory, and random numbers drawn meanwhile are given back: training goes the same with and
    without pictures. What cannot be drawn is no reason to stop; it is said, and the sample goes on.

    Args:
        loss: of that copy for an image or two; small ones, for every number of the graph is in the page.
    """
    import viz

    before = minitorch.get_rng_state()
    twin = copy.deepcopy(model).cpu().train()
    root = loss(twin)
    minitorch.set_rng_state(before)
    names: dict[str, object] = {**dict(twin.named_children()), **dict(twin.named_parameters()), "loss": root}
    for name, save in (("network.svg", lambda path: viz.draw(root, depth=depth, variables=names).save(path)),
                       ("network.html", lambda path: viz.lesson(root, path, variables=names))):
        try:
            save(run.folder / name)
        except viz.DrawError as error:
            run.print(f"{name} is not drawn: {error}")
            continue
        run.path(name)
