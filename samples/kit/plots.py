"""Plots of the samples: matplotlib without a window, one look for all, and animations through Pillow."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from PIL.Image import Image

# Colours that stay apart for colour-blind readers (Okabe and Ito, 2008).
BLUE, ORANGE, GREEN, RED, PURPLE, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#707070"

LOOK = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "grid.color": "#e6e6e6",
    "font.size": 9,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "image.cmap": "viridis",
}


def figure(
    width: float = 6.4, height: float = 4.0, columns: int = 1, dpi: int = 110, rows: int = 1
) -> tuple[Figure, Any]:
    """A figure in the look of the samples, and its axes (a list of them when there are several columns, and a list of such rows
    when there are several of those).

    Args:
        width, height: inches.
        columns: how many axes side by side.
        rows: how many of those one below the other.
        dpi: pixels per inch.
    """
    import matplotlib
    from cycler import cycler
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(LOOK)
    matplotlib.rcParams["axes.prop_cycle"] = cycler(color=[BLUE, ORANGE, GREEN, RED, PURPLE, GREY])
    result = Figure(figsize=(width, height), dpi=dpi)
    FigureCanvasAgg(result)  # Agg by itself: no window system, and pyplot keeps no list of open figures
    axes = result.subplots(rows, columns, squeeze=False)
    if rows > 1:
        return result, [list(row) for row in axes]
    return result, axes[0, 0] if columns == 1 else list(axes[0])


def png(picture: Figure | Image) -> bytes:
    """A figure, or an image as `pictures.image_grid` makes them, as a PNG file."""
    from matplotlib.figure import Figure

    content = io.BytesIO()
    if isinstance(picture, Figure):
        picture.savefig(content, format="png")
    else:
        picture.save(content, format="png")
    return content.getvalue()


def animate(figure: Figure, moving: Sequence[Any], show: Callable[[int], None], steps: Sequence[int]) -> list[Image]:
    """Pictures of a figure in which only a few things move; the rest is drawn once, which is ten times faster.

    Args:
        figure: as `figure()` made it.
        moving: the artists (lines, texts) that change.
        show: puts them where they are at one step.
        steps: what `show` is called with, one picture each.
    """
    import numpy as np
    from PIL import Image

    canvas: Any = figure.canvas
    for artist in moving:
        artist.set_animated(True)
    canvas.draw()
    background = canvas.copy_from_bbox(figure.bbox)
    pictures = []
    for step in steps:
        canvas.restore_region(background)
        show(step)
        for artist in moving:
            artist.axes.draw_artist(artist)
        pictures.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()))
    for artist in moving:
        artist.set_animated(False)
    return pictures


def gif(frames: Sequence[Image], seconds: float) -> bytes:
    """An endless animation of `frames` lasting about `seconds`; the last frame stays for a second more."""
    from PIL import Image

    # One palette for all frames keeps colours from flickering; it is made from the first, the middle and the last.
    chosen = [frames[0], frames[len(frames) // 2], frames[-1]]
    sheet = Image.new("RGB", (frames[0].width, 3 * frames[0].height))
    for k, frame in enumerate(chosen):
        sheet.paste(frame, (0, k * frame.height))
    palette = sheet.quantize(256, method=Image.Quantize.MEDIANCUT)
    pictures = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    each = max(20, round(1000 * seconds / len(frames) / 10) * 10)  # GIF counts in hundredths of a second
    content = io.BytesIO()
    pictures[0].save(content, format="GIF", save_all=True, append_images=pictures[1:], loop=0,
                     duration=[each] * (len(frames) - 1) + [each + 1000], optimize=False)
    return content.getvalue()


def plane(axes: Any, shade: Any, extent: tuple[float, float, float, float]) -> AxesImage:
    """What a classifier of two classes says of a part of the plane: orange 0, white undecided, purple 1; pale, so that points
    in the full colours stand out.

    Args:
        axes: where to draw.
        shade: numbers 0 to 1, shape (rows, columns), the lowest row first.
        extent: x from, to, y from, to.
    """
    from matplotlib.colors import LinearSegmentedColormap

    colours = LinearSegmentedColormap.from_list("two classes", ["#f3c877", "#fdf3e1", "#ffffff", "#f7e8f0", "#dda2c3"])
    axes.grid(False)
    axes.set(xlim=extent[:2], ylim=extent[2:])
    image: AxesImage = axes.imshow(shade, cmap=colours, vmin=0, vmax=1, extent=extent, origin="lower", interpolation="bilinear",
                                   aspect="auto")
    return image


def two_classes(axes: Any, points: Any, classes: Any, size: float = 20) -> list[PathCollection]:
    """The points of each class, shape (n, 2), in the colours of `plane`."""
    colours = {False: "#b97800", True: "#a3487d"}
    return [axes.scatter(*points[classes == kind].T, s=size, color=colour, edgecolors="white", linewidth=0.6, zorder=3)
            for kind, colour in colours.items()]


def curves(lines: Sequence[Mapping[str, float]]) -> Figure:
    """Loss and, where there are classes, accuracy over the epochs of a run.

    Args:
        lines: what the run wrote to metrics.jsonl, a mapping per epoch.
    """
    kinds = [kind for kind in ("loss", "accuracy") if any(key.endswith("_" + kind) for line in lines for key in line)]
    result, axes = figure(4.8 * len(kinds), 3.4, columns=len(kinds))
    for axis, kind in zip(axes if len(kinds) > 1 else [axes], kinds):
        for part, colour in (("train", BLUE), ("val", ORANGE), ("test", GREEN)):
            points = [(line["epoch"], line[f"{part}_{kind}"]) for line in lines if f"{part}_{kind}" in line]
            if points:
                axis.plot(*zip(*points), color=colour, marker="o" if len(points) < 30 else "", markersize=3, label=part)
        axis.set_title(kind)
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.legend()
    return result


def confusion(counts: Any, names: Sequence[str]) -> Figure:
    """A confusion matrix: how many examples of each class (row) were given which class (column).

    Shades tell the mistakes apart; the diagonal, which would outshine them, is left white.
    """
    import numpy as np

    classes = len(names)
    result, axes = figure(1.6 + 0.46 * classes, 1.2 + 0.42 * classes)
    mistakes = np.where(np.eye(classes, dtype=bool), 0, counts)
    axes.imshow(mistakes, cmap="Oranges", vmax=max(1, mistakes.max() * 1.3))
    for row in range(classes):
        for column in range(classes):
            if counts[row, column]:
                axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=7,
                          weight="bold" if row == column else "normal")
    turn = {"rotation": 45, "ha": "right"} if max(map(len, names)) > 3 else {}
    axes.set_xticks(range(classes), names, **turn)
    axes.set_yticks(range(classes), names)
    axes.set(xlabel="answer", ylabel="truth",
             title=f"{np.trace(counts):,} of {counts.sum():,} right")
    axes.grid(False)
    return result
