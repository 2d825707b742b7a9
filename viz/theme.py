"""Colours and fonts of the pictures. Every text colour has a contrast of at least 4.5:1 on the fill it is used on."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

# Monospace throughout the boxes: digits keep their place from step to step, and one width per character lets a box be
# measured without asking for fonts, so a picture looks the same on the machine of the teacher and of the student.
MONO = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', 'Courier New', monospace"
SANS = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif"


@dataclass(frozen=True, slots=True)
class Ink:
    """How one kind of box is coloured: its outline, its body, its title band, and the word on that band."""

    border: str
    fill: str
    band: str
    word: str


@dataclass(frozen=True, slots=True)
class Theme:
    """One look. States add a border (see `look.py`) in `accent` or `quiet` to the ink of the kind.

    `cells` are the fills of thumbnails, from the most negative over zero to the most positive; `nan` is the fill of a NaN.
    """

    page: str
    text: str
    soft: str
    line: str
    rule: str
    accent: str
    accent_fill: str
    accent_text: str
    quiet: str
    cells: tuple[str, ...]
    nan: str
    bad: str
    cluster: str
    cluster_line: str
    inks: dict[str, Ink]


LEVELS = 8  # shades of a thumbnail on either side of zero


def ramp(negative: str, zero: str, positive: str) -> tuple[str, ...]:
    """Fills from `negative` over `zero` to `positive`; small numbers are told from zero sooner than in proportion."""
    shades = []
    for level in range(-LEVELS, LEVELS + 1):
        share, end = (abs(level) / LEVELS) ** 0.8, positive if level > 0 else negative
        pairs = ((int(zero[i : i + 2], 16), int(end[i : i + 2], 16)) for i in (1, 3, 5))
        shades.append("#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs))
    return tuple(shades)


LIGHT = Theme(
    page="#ffffff",
    text="#0f172a",
    soft="#475569",
    line="#64748b",
    rule="#cbd5e1",
    accent="#b45309",
    accent_fill="#fff3d6",
    accent_text="#8a3c06",
    quiet="#94a3b8",
    cells=ramp("#f8ae59", "#ffffff", "#4699ce"),
    nan="#f5d0fe",
    bad="#a21caf",
    cluster="#f8fafc",
    cluster_line="#94a3b8",
    inks={
        "operation": Ink("#475569", "#ffffff", "#eef2f7", "#475569"),
        "input": Ink("#1d4ed8", "#ffffff", "#e3edff", "#1e40af"),
        "parameter": Ink("#6d28d9", "#ffffff", "#efe8ff", "#5b21b6"),
        "constant": Ink("#64748b", "#f1f5f9", "#f1f5f9", "#475569"),
        "alias": Ink("#64748b", "#ffffff", "#ffffff", "#475569"),
        "stub": Ink("#64748b", "#ffffff", "#ffffff", "#475569"),
        "output": Ink("#0f766e", "#ffffff", "#d9f5ef", "#115e59"),
        "module": Ink("#334155", "#f8fafc", "#e2e8f0", "#334155"),
        "gate": Ink("#475569", "#e2e8f0", "#e2e8f0", "#334155"),
    },
)

DARK = Theme(
    page="#0f172a",
    text="#f1f5f9",
    soft="#cbd5e1",
    line="#94a3b8",
    rule="#475569",
    accent="#fbbf24",
    accent_fill="#4a3208",
    accent_text="#fcd34d",
    quiet="#64748b",
    cells=ramp("#9a4a12", "#1e293b", "#0b639c"),
    nan="#86198f",
    bad="#f0abfc",
    cluster="#141e33",
    cluster_line="#64748b",
    inks={
        "operation": Ink("#94a3b8", "#1a2438", "#2a3850", "#cbd5e1"),
        "input": Ink("#7aa7ff", "#1a2438", "#1d3563", "#c3d9ff"),
        "parameter": Ink("#b79cff", "#1a2438", "#3a2a66", "#ddd0ff"),
        "constant": Ink("#94a3b8", "#2a3448", "#2a3448", "#cbd5e1"),
        "alias": Ink("#94a3b8", "#1a2438", "#1a2438", "#cbd5e1"),
        "stub": Ink("#94a3b8", "#1a2438", "#1a2438", "#cbd5e1"),
        "output": Ink("#5eead4", "#1a2438", "#134a45", "#b8f5ea"),
        "module": Ink("#cbd5e1", "#1f2a40", "#3b4a63", "#e2e8f0"),
        "gate": Ink("#94a3b8", "#3b4a63", "#3b4a63", "#e2e8f0"),
    },
)

# For a laser printer: black on white, bands of light grey; what moves is told by thick lines alone.
PRINT = replace(
    LIGHT,
    text="#000000",
    soft="#333333",
    line="#444444",
    rule="#bbbbbb",
    accent="#000000",
    accent_fill="#e2e2e2",
    accent_text="#000000",
    quiet="#777777",
    cells=ramp("#f2bd85", "#ffffff", "#86b4d6"),
    nan="#dddddd",
    bad="#000000",
    cluster="#ffffff",
    cluster_line="#777777",
    inks={
        kind: Ink("#222222", "#ffffff", "#ffffff" if kind in ("alias", "stub") else "#eeeeee", "#333333") for kind in LIGHT.inks
    },
)

THEMES = {"light": LIGHT, "dark": DARK, "print": PRINT}


def variables(theme: Theme) -> dict[str, str]:
    """The colours of a theme as CSS custom properties, `--page` and so on; `VARIABLES` refers to them."""
    found: dict[str, str] = {}
    for field in fields(Theme):
        colour = getattr(theme, field.name)
        if field.name == "cells":
            found.update((f"--cell-{i}", shade) for i, shade in enumerate(colour))
        elif field.name == "inks":
            found.update(
                (f"--{kind}-{part.name}", getattr(ink, part.name)) for kind, ink in colour.items() for part in fields(Ink)
            )
        else:
            found[f"--{field.name.replace('_', '-')}"] = colour
    return found


def _by_name() -> Theme:
    names = {field.name: f"var(--{field.name.replace('_', '-')})" for field in fields(Theme)}
    cells = tuple(f"var(--cell-{i})" for i in range(2 * LEVELS + 1))
    inks = {kind: Ink(*(f"var(--{kind}-{part.name})" for part in fields(Ink))) for kind in LIGHT.inks}
    return Theme(**{**names, "cells": cells, "inks": inks})  # type: ignore[arg-type]


VARIABLES = _by_name()
"""The theme of a page that can change its colours: every colour is a CSS variable."""
