"""Images as a network sees them: in a grid, with the boxes, masks and points that it found, and the true ones.

    grid = image_grid(images, boxes=found, scores=scores, true_boxes=truth, titles=["a.jpg", ...])
    run.save_figure(grid, "faces.png")                         # in the folder of a run
    save(grid, path)                                           # anywhere else
    run.save_gif([image_grid(...) for each epoch], "faces.gif")

What was predicted has solid lines, what is true dashed ones, and both a dark rim: they show on light and dark images,
and on paper without colours. A line below the grid says what is what. Plots with axes are in `plots.py`.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from minitorch.core.files import write_whole
from samples.kit import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

# Classes, from 1 (0 is the background): Okabe and Ito's colours, which stay apart for colour-blind readers.
CLASSES = ("#56B4E9", "#E69F00", "#009E73", "#F0E442", "#D55E00", "#CC79A7", "#0072B2", "#999999")
FOUND, TRUE, RIM = "#FFB000", "#FFFFFF", "#000000"
INK, PAPER = "#0f172a", "#ffffff"
GAP, TEXT = 8, 12  # pixels between images; height of letters


def image_grid(
    images: Any,
    *,
    boxes: Sequence[Any] | None = None,
    scores: Sequence[Any] | None = None,
    labels: Sequence[Sequence[str]] | None = None,
    true_boxes: Sequence[Any] | None = None,
    masks: Sequence[Any] | None = None,
    true_masks: Sequence[Any] | None = None,
    points: Sequence[Any] | None = None,
    true_points: Sequence[Any] | None = None,
    names: Sequence[str] = (),
    titles: Sequence[str] | None = None,
    columns: int | None = None,
    size: int = 224,
) -> Image:
    """Images side by side in rows, with what was found on them and what is true. Same arguments, same size: a GIF's frame.

    Every argument but the last four holds one entry per image (of any number of boxes or points, None for none), as
    arrays or tensors on any device; places are in pixels of that image, (0, 0) its top left corner.

    Args:
        images: (n, channels, height, width) or (n, height, width), or a sequence of single images of any sizes; uint8
            from 0 to 255 or floats from 0 to 1 (what is beyond is cut off), with 1 or 3 channels. Pillow images too.
        boxes: per image (k, 4): left, top, right, bottom. `scores`, (k,), and `labels`, k words, are written on them.
        true_boxes: per image (k, 4), dashed.
        masks: per image (height, width): class numbers, 0 for background, or the probability of the one class there
            is, shown where it is at least 0.5. Laid over the image in the colour of the class.
        true_masks: the same, drawn as outlines.
        points: per image (k, 2): x, y; drawn as dots. `true_points` as rings around where they belong.
        names: the classes of the masks, the first for 1, written below the grid.
        titles: a line above each image.
        columns: how many images in a row (default: what leaves the fewest places empty).
        size: the longer side of every image in the picture, in pixels.

    Raises:
        ValueError: there are no images, their shape says nothing, or an argument does not have one entry per image.
    """
    from PIL import Image, ImageDraw

    pictures = [to_picture(image) for image in images]
    if not pictures:
        raise ValueError("image_grid needs at least one image")
    given = {"boxes": boxes, "scores": scores, "labels": labels, "true_boxes": true_boxes, "masks": masks,
             "true_masks": true_masks, "points": points, "true_points": true_points, "titles": titles}
    layers = {name: layer for name, layer in given.items() if layer is not None}
    for name, layer in layers.items():
        if len(layer) != len(pictures):
            raise ValueError(f"image_grid: {name} has {len(layer)} entries for {len(pictures)} images")
    cells = [draw_over(picture, size, {name: layer[k] for name, layer in layers.items() if name != "titles"})
             for k, picture in enumerate(pictures)]

    square = math.sqrt(len(cells))
    columns = columns or min(range(math.ceil(square), math.ceil(2 * square)), key=lambda count: -len(cells) % count, default=1)
    wide, high = max(cell.width for cell in cells), max(cell.height for cell in cells)
    above = TEXT + 6 if titles is not None else 0
    across = columns * (wide + GAP) + GAP
    down = -(-len(cells) // columns) * (above + high + GAP) + GAP
    lines = _in_lines(_key(layers, names), across - 2 * GAP)
    sheet = Image.new("RGB", (across, down + len(lines) * (TEXT + 8)), PAPER)
    pen = ImageDraw.Draw(sheet)
    for k, cell in enumerate(cells):
        left, top = GAP + k % columns * (wide + GAP), GAP + k // columns * (above + high + GAP)
        if titles is not None:
            pen.text((left, top), _cut(titles[k], wide), INK, font(TEXT))
        sheet.paste(cell, (left, top + above))
    for number, line in enumerate(lines):
        _draw_key(pen, line, down + number * (TEXT + 8))
    return sheet


def to_picture(image: Any) -> Image:
    """An RGB Pillow image of one image as `image_grid` takes them: (channels, height, width) or (height, width)."""
    from PIL import Image

    if isinstance(image, Image.Image):
        return image.convert("RGB")
    pixels = _array(image)
    if pixels.ndim == 2:
        pixels = pixels[None]
    if pixels.ndim != 3 or pixels.shape[0] not in (1, 3):
        raise ValueError(f"an image has shape (1 or 3, height, width) or (height, width), not {pixels.shape}")
    if pixels.dtype != np.uint8:
        pixels = np.round(np.clip(np.nan_to_num(pixels), 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(np.broadcast_to(pixels, (3, *pixels.shape[1:])).transpose(1, 2, 0).copy())


def draw_over(picture: Image, size: int, layers: Mapping[str, Any]) -> Image:
    """The picture with its longer side `size` pixels, and on it what `layers` (as `image_grid` names them) holds for it."""
    from PIL import Image, ImageDraw

    scale = size / max(picture.size)
    # Pixels of small images stay squares: they are what the network sees.
    smooth = Image.Resampling.NEAREST if scale >= 3 else Image.Resampling.LANCZOS
    drawn = picture.resize((round(picture.width * scale), round(picture.height * scale)), smooth)
    layers = {name: layer for name, layer in layers.items() if layer is not None}
    if "masks" in layers:
        drawn = _tinted(drawn, _classes(layers["masks"], drawn.size))
    if "true_masks" in layers:
        drawn = _outlined(drawn, _classes(layers["true_masks"], drawn.size))
    pen = ImageDraw.Draw(drawn)
    found = _rows(layers, "boxes", 4)
    for box in found:
        _rectangle(pen, (box * scale).tolist(), FOUND)
    for box in _rows(layers, "true_boxes", 4):
        _rectangle(pen, (box * scale).tolist(), TRUE, dashed=True)
    for box, words in zip(found, _words(layers, len(found))):  # over all boxes: none may hide another's words
        _label(pen, (box * scale).tolist(), words, drawn.size)
    for x, y in _rows(layers, "true_points", 2) * scale:
        _point(pen, x, y, ring=True)
    for x, y in _rows(layers, "points", 2) * scale:
        _point(pen, x, y)
    return drawn


def save(picture: Figure | Image | Sequence[Image], path: str | Path, seconds: float = 4.0) -> Path:
    """Write a picture as a PNG, or several as a GIF of about `seconds`; beside its name first, then under it.

    In the folder of a run, use `run.save_figure` and `run.save_gif`.
    """
    path = Path(path)
    write_whole(path, plots.gif(picture, seconds) if isinstance(picture, Sequence) else plots.png(picture))
    return path


def _array(thing: Any) -> NDArray[Any]:
    return thing.detach().cpu().numpy() if hasattr(thing, "detach") else np.asarray(thing)


def _rows(layers: Mapping[str, Any], name: str, width: int) -> NDArray[np.float64]:
    """The boxes or points of a layer, shape (k, width); k is 0 where there is none."""
    rows = _array(layers.get(name, ())).astype(float)
    if rows.size and (rows.ndim != 2 or rows.shape[1] != width):
        raise ValueError(f"image_grid: the {name} of an image have shape (k, {width}), not {rows.shape}")
    return rows.reshape(-1, width)


def _words(layers: Mapping[str, Any], count: int) -> list[str]:
    """What is written on each box: its label, its score, or both."""
    labels = [str(label) for label in layers.get("labels", ())] or [""] * count
    scores = [f"{score:.2f}" for score in _array(layers.get("scores", ())).reshape(-1).tolist()] or [""] * count
    if not len(labels) == len(scores) == count:
        raise ValueError(f"image_grid: {count} boxes, but {len(labels)} labels and {len(scores)} scores on one image")
    return [f"{label} {score}".strip() for label, score in zip(labels, scores)]


def _classes(mask: Any, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A mask as class numbers, as large as the picture: (height, width)."""
    from PIL import Image

    mask = _array(mask)
    mask = mask.reshape(mask.shape[-2:])
    if mask.dtype.kind == "f":
        mask = mask >= 0.5
    return np.asarray(Image.fromarray(mask.astype(np.uint8)).resize(size, Image.Resampling.NEAREST))


def class_colour(number: int) -> tuple[int, int, int]:
    """The colour of a class, from 1 on: eight of their own, then the same eight ever darker."""
    turn, place = divmod(number - 1, len(CLASSES))
    red, green, blue = (round(int(CLASSES[place][i : i + 2], 16) * 0.6**turn) for i in (1, 3, 5))
    return red, green, blue


def _tinted(picture: Image, classes: NDArray[np.uint8]) -> Image:
    from PIL import Image

    pixels = np.asarray(picture).astype(float)
    inside = classes > 0
    pixels[inside] = 0.5 * pixels[inside] + 0.5 * np.array([class_colour(k) for k in range(1, 256)])[classes[inside] - 1]
    return Image.fromarray(pixels.round().astype(np.uint8))


def _outlined(picture: Image, classes: NDArray[np.uint8]) -> Image:
    """The borders between classes: a white line with a dark one beside it."""
    from PIL import Image

    pixels = np.array(picture)
    edge = np.zeros(classes.shape, bool)
    edge[1:] |= classes[1:] != classes[:-1]
    edge[:, 1:] |= classes[:, 1:] != classes[:, :-1]
    wide = np.pad(edge, 1)  # and not np.roll: what lies at one side of the picture is not near the other
    near = edge | wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]
    pixels[near], pixels[edge] = 0, 255
    return Image.fromarray(pixels)


def _rectangle(pen: ImageDraw, box: Sequence[float], colour: str, dashed: bool = False) -> None:
    left, top, right, bottom = (round(side) for side in box)
    left, right, top, bottom = min(left, right), max(left, right), min(top, bottom), max(top, bottom)
    if not dashed:
        pen.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline=RIM, width=4)
        pen.rectangle((left, top, right, bottom), outline=colour, width=2)
        return
    for line, fill, end in ((4, RIM, 1), (2, colour, 0)):  # between the dashes shows what lies below: often another box
        for start in range(left, right, 12):
            for y in (top, bottom):
                pen.line((max(start - end, left), y, min(start + 5 + end, right), y), fill, line)
        for start in range(top, bottom, 12):
            for x in (left, right):
                pen.line((x, max(start - end, top), x, min(start + 5 + end, bottom)), fill, line)


def _point(pen: ImageDraw, x: float, y: float, ring: bool = False) -> None:
    if ring:
        pen.ellipse((x - 4, y - 4, x + 4, y + 4), outline=RIM, width=2)
        pen.ellipse((x - 3, y - 3, x + 3, y + 3), outline=TRUE)
    else:
        pen.ellipse((x - 2, y - 2, x + 2, y + 2), fill=FOUND, outline=RIM)


def _label(pen: ImageDraw, box: Sequence[float], words: str, size: tuple[int, int]) -> None:
    """Words above a box, or inside it where there is no room above; never beyond the image."""
    if not words:
        return
    left, top, _, _ = (round(side) for side in box)
    width, height = round(pen.textlength(words, font(TEXT - 2))) + 5, TEXT + 2
    left = max(0, min(left - 1, size[0] - width))
    top = top - height if top >= height else max(top, 0)
    pen.rectangle((left, top, left + width, top + height), fill=FOUND, outline=RIM)
    pen.text((left + 3, top + 1), words, INK, font(TEXT - 2))


@functools.cache
def font(size: int) -> Any:
    """The letters of the plots: DejaVu Sans, which matplotlib brings along."""
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(os.path.join(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), size)


def _cut(text: str, width: int) -> str:
    """As much of one line of text as fits into `width` pixels."""
    text = " ".join(text.split())
    if font(TEXT).getlength(text) <= width:
        return text
    while text and font(TEXT).getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"


Sign = tuple[str, str, "str | tuple[int, int, int]"]
"""An entry of the key: how it is drawn, what it means, the colour of a filled one."""


def _key(layers: Mapping[str, Any], names: Sequence[str]) -> list[Sign]:
    """What the marks of a grid mean."""
    signs = {"boxes": ("box", "found"), "true_boxes": ("dashed box", "true"), "points": ("dot", "found"),
             "true_points": ("ring", "true"), "true_masks": ("outline", "true outline")}
    key: list[Sign] = [(*sign, RIM) for name, sign in signs.items() if name in layers]
    if "masks" in layers:
        key += [("fill", name, class_colour(k)) for k, name in enumerate(names or ["found"], start=1)]
    return key


def _in_lines(key: Sequence[Sign], width: int) -> list[list[Sign]]:
    lines: list[list[Sign]] = []
    room = 0.0
    for sign in key:
        needed = 24 + font(TEXT).getlength(sign[1]) + 12
        if needed > room:
            lines.append([])
            room = width
        lines[-1].append(sign)
        room -= needed
    return lines


def _draw_key(pen: ImageDraw, line: Sequence[Sign], top: int) -> None:
    left, middle = float(GAP), top + 7
    for kind, words, colour in line:
        place = (left, middle - 5, left + 18, middle + 5)
        if kind == "fill":
            pen.rectangle(place, fill=colour, outline=RIM)
        elif kind == "box":
            _rectangle(pen, place, FOUND)
        elif kind in ("dashed box", "outline"):
            _rectangle(pen, place, TRUE, dashed=kind == "dashed box")
        else:
            _point(pen, left + 9, middle, ring=kind == "ring")
        pen.text((left + 24, top), words, INK, font(TEXT))
        left += 24 + font(TEXT).getlength(words) + 12
