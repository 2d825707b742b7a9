"""How wide a text will be, without asking a font.

Boxes are set in a monospaced font, 0.6 em a character in every one of the fonts asked for. Prose (legend, notes) is
set in Helvetica or one of the many fonts with its widths. What neither has comes from another font: East Asian
characters and emoji take about 1.05 em, marks that combine with their neighbour none.
"""

from __future__ import annotations

import functools
import unicodedata

ADVANCE = 0.602
# Widths of the printable ASCII characters in Helvetica, in thousandths of the font size (Adobe font metrics).
_HELVETICA = dict(
    zip(
        map(chr, range(32, 127)),
        [278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278]
        + [556] * 10
        + [278, 278, 584, 584, 584, 556, 1015]
        + [667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833]
        + [722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611]
        + [278, 278, 278, 469, 556, 333]
        + [556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833]
        + [556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500]
        + [334, 260, 334, 584],
    )
)


def mono_width(text: str, size: float) -> float:
    """Width of `text` in a monospaced font of `size`, in the unit of `size`."""
    return size * (ADVANCE * len(text) if plain(text) else sum(_mono_advance(character) for character in text))


def plain(text: str) -> bool:
    """Whether every character has the one width of a monospaced font (so that a writer may pin the length)."""
    if text.isascii() and text.isprintable():
        return True
    return all(" " <= character <= "\u024f" or character in "×∂—…·→←►◄●○∑√≤≥" for character in text)


@functools.lru_cache(maxsize=4096)  # the same few words stand in every box
def sans_width(text: str, size: float, bold: bool = False) -> float:
    """Width of prose in a Helvetica-like font of `size`."""
    advances = (_HELVETICA.get(c, 1000 if _full(c) or c in "—…→←" else 600) for c in text)
    return size * sum(advances) / 1000 * (1.08 if bold else 1.0)


def _mono_advance(character: str) -> float:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0.0
    return 1.05 if _full(character) else ADVANCE if plain(character) else 0.75


def _full(character: str) -> bool:
    return unicodedata.east_asian_width(character) in ("W", "F") or ord(character) > 0xFFFF
