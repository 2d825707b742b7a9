"""Our SVG as pixels, with Pillow: the few elements that the pictures are made of, in the fonts of this machine.

So a PNG or a GIF is the same picture as the SVG. Letters that its fonts lack are left to Graphviz.
"""

from __future__ import annotations

import functools
import io
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from viz.errors import DrawError

FINER = 2  # drawn so much larger and then reduced, which makes edges smooth
MOST = 2000  # pixels of the longer side
PNG_ZOOM, PNG_SIDE, PNG_AREA = 2.0, 8000, 12e6  # a PNG is twice as large as the SVG, as far as its pixels allow
FONTS = {
    ("mono", False): ("DejaVuSansMono.ttf", "LiberationMono-Regular.ttf", "Menlo.ttc", "consola.ttf"),
    ("mono", True): ("DejaVuSansMono-Bold.ttf", "LiberationMono-Bold.ttf", "Menlo.ttc", "consolab.ttf"),
    ("sans", False): ("LiberationSans-Regular.ttf", "Arial.ttf", "arial.ttf", "DejaVuSans.ttf"),
    ("sans", True): ("LiberationSans-Bold.ttf", "Arial Bold.ttf", "arialbd.ttf", "DejaVuSans-Bold.ttf"),
}
_TOKEN = re.compile(r"[A-Za-z]|-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?")
Line = list[tuple[float, float]]


def pixels(svg: str, most: int = MOST, zoom: float = 1.0, area: float = math.inf) -> Any:
    """The Pillow image of one of our SVG documents. Raises DrawError where Pillow is not installed."""
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        raise DrawError("this needs Pillow: pip install 'minitorch-stepper[samples]'") from None
    root = ET.fromstring(svg)
    width, height = float(root.get("width", 0)), float(root.get("height", 0))
    scale = min(zoom, most / max(width, height), math.sqrt(area / (width * height)))
    image = Image.new("RGB", (math.ceil(width * scale * FINER), math.ceil(height * scale * FINER)), "white")
    _Painter(ImageDraw.Draw(image)).paint(root, scale * FINER, 0.0, 0.0)
    return image.reduce(FINER)


def png(svg: str) -> bytes:
    """The PNG of one of our SVG documents."""
    held = io.BytesIO()
    pixels(svg, PNG_SIDE, PNG_ZOOM, PNG_AREA).save(held, "PNG")
    return held.getvalue()


def can_write(svg: str) -> bool:
    """Whether the usual fonts have every letter: Latin, Greek, Cyrillic, arrows and signs."""
    return all(c < "\u0530" or "\u2000" <= c < "\u2c00" for c in set(svg))


class _Painter:
    """Draws elements at a scale and an offset."""

    def __init__(self, canvas: Any) -> None:
        self.canvas = canvas

    def paint(self, parent: ET.Element, scale: float, dx: float, dy: float) -> None:
        """Everything inside `parent`, in order."""
        for item in parent:
            kind = item.tag.rpartition("}")[2]
            if kind == "g":
                move, grow = _transform(item.get("transform", ""))
                self.paint(item, scale * grow, dx + move[0] * scale, dy + move[1] * scale)
            elif kind == "rect" and item.get("width") == "100%":
                self.canvas.rectangle((0, 0, 1 << 20, 1 << 20), fill=item.get("fill"))
            elif kind in ("path", "rect"):
                d = item.get("d") or _rectangle(item)
                lines = [[(x * scale + dx, y * scale + dy) for x, y in line] for line in outlines(d)]
                self._shape(item, lines, scale)
            elif kind == "text":
                self._text(item, scale, dx, dy)

    def _shape(self, item: ET.Element, lines: list[Line], scale: float) -> None:
        fill, stroke = item.get("fill", "none"), item.get("stroke", "none")
        for line in lines:
            if fill != "none" and len(line) > 2:
                self.canvas.polygon(line, fill=fill)
        if stroke == "none":
            return
        width = max(1, round(float(item.get("stroke-width", 1)) * scale))
        dashes = [max(float(part), 1.5) * scale for part in item.get("stroke-dasharray", "").split()]
        for line in lines:
            for piece in cut(line, dashes) if dashes else [line]:
                self.canvas.line(piece, fill=stroke, width=width, joint="curve")

    def _text(self, item: ET.Element, scale: float, dx: float, dy: float) -> None:
        family = "mono" if "Mono" in item.get("font-family", "") else "sans"
        font = _font(family, item.get("font-weight") == "bold", round(float(item.get("font-size", 12)) * scale))
        anchor = {"middle": "ms", "end": "rs"}.get(item.get("text-anchor", ""), "ls")
        at = (float(item.get("x", 0)) * scale + dx, float(item.get("y", 0)) * scale + dy)
        self.canvas.text(at, (item.text or "").translate(_INVISIBLE), fill=item.get("fill"), font=font, anchor=anchor)


_INVISIBLE = dict.fromkeys((0x200E, 0x2068, 0x2069))


@functools.cache
def _font(family: str, bold: bool, size: int) -> Any:
    """The first of the fonts that this machine has; matplotlib brings one of them along."""
    from PIL import ImageFont

    for name in FONTS[family, bold]:
        for place in (name, *_matplotlibs(name)):
            try:
                return ImageFont.truetype(place, max(size, 1))
            except OSError:
                continue
    return ImageFont.load_default(max(size, 1))


def _matplotlibs(name: str) -> Iterator[str]:
    from importlib.util import find_spec

    spec = find_spec("matplotlib")
    if spec is not None and spec.origin:
        yield str(Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / name)


def _transform(text: str) -> tuple[tuple[float, float], float]:
    move = re.search(r"translate\(([-\d.]+)[ ,]+([-\d.]+)\)", text)
    grow = re.search(r"scale\(([-\d.]+)\)", text)
    return ((float(move[1]), float(move[2])) if move else (0.0, 0.0)), float(grow[1]) if grow else 1.0


def _rectangle(item: ET.Element) -> str:
    from viz.marks import rounded

    x, y, w, h = (float(item.get(key, 0)) for key in ("x", "y", "width", "height"))
    return rounded(x, y, w, h, float(item.get("rx", 0)))


@functools.lru_cache(maxsize=20_000)  # from step to step, most paths stay
def outlines(d: str) -> list[Line]:
    """The polylines of a path of ours: M, L, H, V, C, Z, and relative l, h, a (arcs of circles, clockwise)."""
    lines: list[Line] = []
    tokens = _TOKEN.findall(d)
    i, command = 0, ""
    x = y = 0.0

    def take(count: int) -> list[float]:
        nonlocal i
        found = [float(token) for token in tokens[i : i + count]]
        i += count
        return found

    while i < len(tokens):
        if tokens[i].isalpha():
            command = tokens[i]
            i += 1
        if command == "Z":
            lines[-1].append(lines[-1][0])
            x, y = lines[-1][0]
            continue
        before = (x, y)
        if command == "M":
            x, y = take(2)
            lines.append([])
            command = "L"
        elif command == "L":
            x, y = take(2)
        elif command == "H":
            (x,) = take(1)
        elif command == "V":
            (y,) = take(1)
        elif command == "l":
            x, y = (a + b for a, b in zip(before, take(2)))
        elif command == "h":
            x += take(1)[0]
        elif command == "C":
            points = take(6)
            lines[-1] += _bezier(before, points)
            x, y = points[4:]
            continue
        elif command == "a":
            r, _, _, _, _, to_x, to_y = take(7)
            lines[-1] += _arc(before, r, to_x, to_y)
            x, y = x + to_x, y + to_y
            continue
        lines[-1].append((x, y))
    return lines


def _bezier(start: tuple[float, float], points: list[float]) -> Line:
    (x0, y0), (x1, y1, x2, y2, x3, y3) = start, points
    found = []
    for step in range(1, 17):
        t = step / 16
        a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        found.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))
    return found


def _arc(start: tuple[float, float], r: float, dx: float, dy: float) -> Line:
    """A clockwise arc of a circle, of at most half of it, to a point (dx, dy) further on."""
    length = math.hypot(dx, dy)
    if r <= 0 or length == 0:
        return [(start[0] + dx, start[1] + dy)]
    reach = math.sqrt(max(r * r - length * length / 4, 0.0))
    cx, cy = start[0] + dx / 2 - dy / length * reach, start[1] + dy / 2 + dx / length * reach
    first = math.atan2(start[1] - cy, start[0] - cx)
    turn = (math.atan2(start[1] + dy - cy, start[0] + dx - cx) - first) % (2 * math.pi)
    return [(cx + r * math.cos(first + turn * k / 8), cy + r * math.sin(first + turn * k / 8)) for k in range(1, 9)]


def cut(line: Line, dashes: list[float]) -> list[Line]:
    """The pieces of a dashed line: lengths of dash and gap in turn."""
    pieces: list[Line] = [[line[0]]]
    number, left = 0, dashes[0]
    for (x, y), (to_x, to_y) in zip(line, line[1:]):
        length = math.hypot(to_x - x, to_y - y)
        at = 0.0
        while length - at > left:
            at += left
            point = (x + (to_x - x) * at / length, y + (to_y - y) * at / length)
            if number % 2 == 0:
                pieces[-1].append(point)
            else:
                pieces.append([point])
            number += 1
            left = dashes[number % len(dashes)]
        left -= length - at
        if number % 2 == 0:
            pieces[-1].append((to_x, to_y))
    return [piece for piece in pieces if len(piece) > 1]
