"""The few SVG elements the pictures are made of, written as text. All lengths in pixels."""

from __future__ import annotations

from viz.layout import Point
from viz.metrics import mono_width, plain
from viz.theme import MONO, SANS
from viz.xml import html


def num(x: float) -> str:
    """A coordinate, short: `12`, `12.5`."""
    return f"{x:.2f}".rstrip("0").rstrip(".")


def text(
    x: float, y: float, content: str, size: float, fill: str, *, anchor: str = "", bold: bool = False,
    sans: bool = False, name: str = "",
) -> str:  # fmt: skip
    """One line of text with its baseline at `y`. Monospaced text is pinned to its measured length, so that it fits its
    box in whatever font the viewer has."""
    if not content:
        return ""
    parts = [f'<text x="{num(x)}" y="{num(y)}" font-size="{num(size)}" fill="{fill}"']
    parts.append(f'font-family="{SANS if sans else MONO}"')
    if name:
        parts.append(f'class="{name}"')
    if anchor:
        parts.append(f'text-anchor="{anchor}"')
    if bold:
        parts.append('font-weight="bold"')
    if not sans and len(content) > 1 and plain(content):
        parts.append(f'textLength="{num(mono_width(content, size))}" lengthAdjust="spacingAndGlyphs"')
    return f'{" ".join(parts)} xml:space="preserve">{html(content)}</text>'


def path(d: str, *, fill: str = "none", stroke: str = "none", width: float = 1.0, dash: str = "", name: str = "") -> str:
    """A path; `dash` is "", "dashed" or "dotted"."""
    attributes = [f'd="{d}" fill="{fill}"']
    if name:
        attributes.insert(0, f'class="{name}"')
    if stroke != "none":
        attributes.append(f'stroke="{stroke}" stroke-width="{num(width)}"')
    attributes += _dashes(dash, width)
    return f"<path {' '.join(attributes)}/>"


def _dashes(dash: str, width: float) -> list[str]:
    if not dash:
        return []
    pattern = f"{num(3.5 * max(width, 1.4))} {num(2.2 * max(width, 1.4))}" if dash == "dashed" else f"0.1 {num(3 * width)}"
    return [f'stroke-dasharray="{pattern}" stroke-linecap="{"butt" if dash == "dashed" else "round"}"']


def rect(
    x: float, y: float, width: float, height: float, *, fill: str, stroke: str = "none", dash: str = "", r: float = 0.0
) -> str:  # fmt: skip
    """A rectangle with a thin line, and corners of radius `r`."""
    attributes = [f'x="{num(x)}" y="{num(y)}" width="{num(width)}" height="{num(height)}" fill="{fill}"']
    attributes += [f'rx="{num(r)}"'] * bool(r)
    attributes += [f'stroke="{stroke}" stroke-width="{1 if r else 0.7}"'] * (stroke != "none")
    return f"<rect {' '.join([*attributes, *_dashes(dash, 1.0)])}/>"


def rounded(x: float, y: float, w: float, h: float, r: float, *, open_bottom: bool = False) -> str:
    """The outline of a rectangle with round corners; with `open_bottom` only the two upper ones."""
    r = min(r, w / 2, h / 2 if not open_bottom else h)
    turn = f"a{num(r)},{num(r)} 0 0 1 "
    top = f"M{num(x)},{num(y + r)}{turn}{num(r)},{num(-r)}H{num(x + w - r)}{turn}{num(r)},{num(r)}"
    if open_bottom:
        return f"{top}V{num(y + h)}H{num(x)}Z"
    return f"{top}V{num(y + h - r)}{turn}{num(-r)},{num(r)}H{num(x + r)}{turn}{num(-r)},{num(-r)}Z"


def polygon(points: list[Point]) -> str:
    """A closed outline through `points`."""
    return "M" + "L".join(f"{num(x)},{num(y)}" for x, y in points) + "Z"


def outline(kind: str, x: float, y: float, w: float, h: float, corner: float, *, band: bool = False) -> str:
    """The shape that tells one kind of node from another; with `band` only its upper part, for the title."""
    if kind == "input":  # a sheet with a folded corner
        return polygon([(x, y), (x + w - corner, y), (x + w, y + corner), (x + w, y + h), (x, y + h)])
    if kind == "parameter":  # cut corners
        bottom = [(x + w, y + h), (x, y + h)] if band else [
            (x + w, y + h - corner), (x + w - corner, y + h), (x + corner, y + h), (x, y + h - corner)
        ]  # fmt: skip
        return polygon([(x + corner, y), (x + w - corner, y), (x + w, y + corner), *bottom, (x, y + corner)])
    if kind == "module":  # a box with a double edge at the left
        return f"{rounded(x, y, w, h, corner, open_bottom=band)}{'' if band else f'M{num(x + 5)},{num(y)}V{num(y + h)}'}"
    if kind == "operation":
        return rounded(x, y, w, h, corner, open_bottom=band)
    return rounded(x, y, w, h, h / 2)  # constants, aliases and stubs: pills


def fold(x: float, y: float, w: float, corner: float) -> str:
    """The folded corner of an input."""
    return polygon([(x + w - corner, y), (x + w - corner, y + corner), (x + w, y + corner)])


def glyph(state: str, x: float, y: float, fill: str) -> str:
    """The sign of a state, about 10 pixels wide around (x, y): drawn, since a font may lack it, and always one path, so
    that a page can change one into another."""
    if state == "done":
        d = f"M{num(x - 4.5)},{num(y)}L{num(x - 1.2)},{num(y + 3.6)}L{num(x + 5)},{num(y - 4.2)}"
        return path(d, stroke=fill, width=2.2, name="glyph")
    if state == "current":
        return path(polygon([(x - 4, y - 5), (x + 5, y), (x - 4, y + 5)]), fill=fill, name="glyph")
    d = _circle(x, y, 4.2)
    if state == "ready":
        d += _circle(x, y, 1.3)
    elif state == "constant":
        d += f"M{num(x - 4)},{num(y + 4)}L{num(x + 4)},{num(y - 4)}"
    return path(d, stroke=fill, width=1.6, name="glyph")


def _circle(x: float, y: float, r: float) -> str:
    return f"M{num(x - r)},{num(y)}a{num(r)},{num(r)} 0 1 1 {num(2 * r)},0a{num(r)},{num(r)} 0 1 1 {num(-2 * r)},0Z"
