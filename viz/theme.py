"""Colours and fonts of the pictures. Every text colour has a contrast of at least 4.5:1 on the fill it is used on."""

from __future__ import annotations

from dataclasses import dataclass

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
    """One look. States add a border (see `svg.py`, `dot.py`) in `accent` or `quiet` to the ink of the kind."""

    page: str
    text: str
    soft: str
    line: str
    rule: str
    accent: str
    accent_fill: str
    accent_text: str
    quiet: str
    positive: str
    negative: str
    bad: str
    cluster: str
    cluster_line: str
    inks: dict[str, Ink]


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
    positive="#0877bd",
    negative="#f59322",
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
    },
)
