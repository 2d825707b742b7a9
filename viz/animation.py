"""A backward pass as an animated GIF: one layout, one picture for every step."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path

from minitorch.core.node import Node
from minitorch.core.stepper import Stepper
from viz.build import LIMIT, WHOLE
from viz.drawing import callers_variables, stepper_of
from viz.errors import DrawError
from viz.extent import Extent
from viz.format import DIGITS
from viz.frames import Frames
from viz.picture import written
from viz.raster import pixels
from viz.svg import header_width, render
from viz.theme import LIGHT, Theme

MOST_PICTURES = 300
EACH, LAST = 900, 3000  # milliseconds


def animate(
    of: Node | Stepper,
    path: str | os.PathLike[str],
    *,
    variables: Mapping[str, object] | None = None,
    digits: int = DIGITS,
    limit: int = LIMIT,
    direction: str = "auto",
    theme: Theme = LIGHT,
    extent: Extent = WHOLE,
) -> int:
    """Write the GIF of a backward pass to `path`; returns the number of its pictures.

    Raises DrawError where Pillow is not installed, for a pass of more than 300 steps, and where the file cannot be written.
    """
    variables = callers_variables() if variables is None else variables
    stepper = stepper_of(of)
    if len(stepper) >= MOST_PICTURES:
        raise DrawError(
            f"a GIF of {len(stepper):,} steps is too long (at most {MOST_PICTURES}): draw a part, or write a lesson (.html)"
        )
    frames = Frames(stepper, variables=variables, digits=digits, limit=limit, extent=extent)
    pictures = list(frames.pictures(direction))
    width = max(header_width(view) for view, _ in pictures)
    images = [pixels(render(view, placed, theme=theme, least=width)).quantize(64, method=2) for view, placed in pictures]
    held = io.BytesIO()
    images[0].save(
        held,
        "GIF",
        save_all=True,
        append_images=images[1:],
        loop=0,
        duration=[EACH] * (len(images) - 1) + [LAST],
        optimize=False,
    )
    written(Path(path), held.getvalue())
    return len(images)
