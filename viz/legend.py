"""The legend of an SVG picture: each mark that occurs, drawn small, with its meaning."""

from __future__ import annotations

from viz.boxes import SMALL
from viz.graphview import Mark
from viz.look import state_border
from viz.marks import fold, glyph, num, outline, path, polygon, rounded, text
from viz.metrics import mono_width, sans_width
from viz.theme import Theme

ROW = 24.0
GAP = 26.0  # between entries
SPACE = 22.0  # between graph and legend


def draw_legend(marks: tuple[Mark, ...], width: float, theme: Theme) -> tuple[list[str], float]:
    """The entries, flowing left to right within `width`, and the height they take."""
    if not marks:
        return [], 0.0
    lines = [path(f"M0,{num(SPACE)}H{num(width)}", stroke=theme.rule)]
    x, y = 0.0, SPACE + 12
    for mark in marks:
        sample_width = _sample_width(mark.sample)
        entry = sample_width + 8 + sans_width(mark.text, SMALL)
        if x and x + entry > width:
            x, y = 0.0, y + ROW
        lines += _sample(mark.sample, x, y, sample_width, theme)
        lines.append(text(x + sample_width + 8, y + 13, mark.text, SMALL, theme.soft, sans=True))
        x += entry + GAP
    return lines, y + ROW


def draw_sample(mark: Mark, theme: Theme) -> str:
    """One mark alone, drawn small, as an SVG element."""
    width = _sample_width(mark.sample)
    size = f'width="{num(width + 4)}" height="22" viewBox="-2 -2 {num(width + 4)} 22"'
    drawn = "".join(filter(None, _sample(mark.sample, 0.0, 0.0, width, theme)))
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">{drawn}</svg>'


def _sample_width(sample: str) -> float:
    family, _, key = sample.partition(":")
    if family == "text":
        return mono_width(key, SMALL)
    return {"node": 30.0, "state": 22.0, "edge": 46.0}[family]


def _sample(sample: str, x: float, y: float, width: float, theme: Theme) -> list[str]:
    family, _, key = sample.partition(":")
    if family == "node":
        return _node_sample(key, x, y, width, theme)
    if family == "state":
        return _state_sample(key, x, y, width, theme)
    if family == "edge":
        return _edge_sample(key, x, y, width, theme)
    return [text(x, y + 13, key, SMALL, theme.text)]


def _node_sample(kind: str, x: float, y: float, w: float, theme: Theme) -> list[str]:
    ink = theme.inks[kind]
    if kind == "output":
        outer = path(rounded(x, y, w, 18, 7), fill=theme.page, stroke=ink.border)
        return [outer, path(rounded(x + 3, y + 3, w - 6, 12, 4), fill=ink.band, stroke=ink.border)]
    dash = {"alias": "dashed", "stub": "dotted"}.get(kind, "")
    fill = ink.fill if kind == "stub" else ink.band
    lines = [path(outline(kind, x, y + 1, w, 16, 5), fill=fill, stroke=ink.border, width=1.3, dash=dash)]
    if kind == "input":
        lines.append(path(fold(x, y + 1, w, 5), fill=ink.fill, stroke=ink.border))
    return lines


def _state_sample(state: str, x: float, y: float, w: float, theme: Theme) -> list[str]:
    line, width, dash = state_border(state, theme.line, theme)
    colour = theme.accent_text if state == "current" else theme.soft
    box = path(rounded(x, y, w, 18, 4), fill=theme.page, stroke=line, width=width, dash=dash)
    return [box, glyph(state, x + w / 2, y + 9, colour)]


def _edge_sample(key: str, x: float, y: float, w: float, theme: Theme) -> list[str]:
    if key == "local":
        pill = path(rounded(x, y, w, 18, 9), fill=theme.page, stroke=theme.rule)
        return [
            pill,
            text(x + 7, y + 13, "a", SMALL, theme.text, bold=True),
            text(x + 17, y + 13, "×3", SMALL, theme.text),
        ]
    line, width, dash = {
        "last": (theme.accent, 3.4, ""),
        "next": (theme.accent, 2.4, "dashed"),
        "dead": (theme.line, 1.5, "dashed"),
    }[key]
    tip, base = (x + w, x + w - 11) if key == "dead" else (x, x + 11)
    shaft = path(f"M{num(x + w if tip == x else x)},{num(y + 9)}H{num(base)}", stroke=line, width=width, dash=dash)
    return [shaft, path(polygon([(tip, y + 9), (base, y + 4), (base, y + 14)]), fill=line)]
