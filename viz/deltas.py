"""SVG groups made small, and the difference between two states of one group.

A page holds the picture once and, for each step, what changes in it. Looks become classes (`fill`, `stroke` and the rest
would be most of the file), so a change is a class, a text or, where parts come or go, a few elements.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from viz.xml import html

LOOKS = (
    "fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "font-size", "font-family", "font-weight",
    "text-anchor",
)  # fmt: skip
DROPPED = ("textLength", "lengthAdjust", "{http://www.w3.org/XML/1998/namespace}space")
ALPHABET = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Element:
    """One element without children: tag, attributes, text."""

    tag: str
    attributes: tuple[tuple[str, str], ...]
    text: str

    def markup(self) -> str:
        """As it is written in the page."""
        attributes = "".join(f' {key}="{html(value)}"' for key, value in self.attributes)
        return f"<{self.tag}{attributes}>{html(self.text)}</{self.tag}>" if self.text else f"<{self.tag}{attributes}/>"

    def data(self) -> list[Any]:
        """As it is written in a change."""
        return [self.tag, dict(self.attributes), self.text]


@dataclass(frozen=True, slots=True)
class Group:
    """A node, an edge, a frame or a legend: its id, its classes, and its elements."""

    id: str
    classes: str
    elements: tuple[Element, ...]

    def markup(self, attributes: str = "") -> str:
        """As it is written in the page."""
        id = f' id="{self.id}"' if self.id else ""
        return f'<g{id} class="{self.classes}"{attributes}>{"".join(one.markup() for one in self.elements)}</g>'


@dataclass
class Sheet:
    """The classes that stand for looks: the same look is the same class, in every group."""

    names: dict[str, str] = field(default_factory=dict)

    def group(self, lines: Sequence[str]) -> Group:
        """A group from its SVG text, its looks made classes, without its title (the page's script makes one)."""
        root = ET.fromstring("\n".join(lines))
        elements = [self._element(item) for item in root if item.tag != "title"]
        return Group(root.get("id", ""), root.get("class", ""), tuple(elements))

    def rules(self) -> str:
        """The style sheet."""
        return "".join(f".{name}{{{look}}}" for look, name in self.names.items())

    def _element(self, item: ET.Element) -> Element:
        look = ";".join(
            f"{key}:{value}{'px' if key == 'font-size' else ''}" for key, value in item.attrib.items() if key in LOOKS
        )
        classes = item.get("class", "")
        if look:
            classes = f"{classes} {self.names.setdefault(look, self._fresh())}".strip()
        kept = {key: _short(value) for key, value in item.attrib.items() if key not in (*LOOKS, *DROPPED, "class")}
        pairs = (*(("class", classes),) * bool(classes), *kept.items())
        return Element(item.tag, pairs, item.text or "")

    def _fresh(self) -> str:
        tens, ones = divmod(len(self.names), len(ALPHABET))
        return f"s{ALPHABET[ones]}{tens or ''}"


def _short(value: str) -> str:
    """Coordinates to a tenth of a pixel."""
    return re.sub(r"-?\d+\.\d{2,}", lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), value)


def change(old: Group, new: Group) -> list[Any]:
    """What turns `old` into `new`, flat: `[id, classes or 0, index, key, value, index, key, value, ...]`.

    The key is "t" for the text of the element number `index`, "c" for its class, else the name of an attribute. Where the
    number or the kinds of elements differ, the key is "+" and the value `[count, element, ...]`: elements in place of `count`
    from `index` on. Entries are applied in order.
    """
    entries: list[Any] = [old.id, 0 if old.classes == new.classes else new.classes]
    before, after = list(old.elements), list(new.elements)
    head = 0
    while head < min(len(before), len(after)) and before[head].tag == after[head].tag:
        head += 1
    if len(before) != len(after) or head < len(before):
        tail = 0
        while tail < min(len(before), len(after)) - head and before[-1 - tail].tag == after[-1 - tail].tag:
            tail += 1
        stop = len(after) - tail
        entries += [head, "+", [len(before) - tail - head, *(one.data() for one in after[head:stop])]]
        before[head : len(before) - tail] = after[head:stop]
    for index, (one, other) in enumerate(zip(before, after)):
        if one.text != other.text:
            entries += [index, "t", other.text]
        had, has = dict(one.attributes), dict(other.attributes)
        for key in {**had, **has}:
            if had.get(key) != has.get(key):
                entries += [index, "c" if key == "class" else key, has.get(key, "")]
    return entries


def shared(changes: Sequence[list[Any]]) -> list[list[Any]]:
    """What many changes have in common (a box that is done looks like every other), each once: `index, key, value, ...`.

    A change then ends in the number of what it shares. Entries other than "+", which stays in front, are in any order.
    """
    entries = [[tuple(one[i : i + 3]) for i in range(2, len(one), 3)] for one in changes]
    times = Counter(entry for one in entries for entry in one if entry[1] != "+")
    usual = [tuple(entry for entry in one if entry[1] != "+" and times[entry] > 2) for one in entries]
    together = Counter(usual)
    numbers: dict[tuple[tuple[Any, ...], ...], int] = {}
    for change, one, common in zip(changes, entries, usual):
        if common and together[common] > 1:
            own = [entry for entry in one if entry[1] == "+" or entry not in common]
            change[2:] = [*chain.from_iterable(own), numbers.setdefault(common, len(numbers))]
    return [list(chain.from_iterable(common)) for common in numbers]


@dataclass
class Strings:
    """Long strings that occur again and again in changes, each kept once; a change names it by its number."""

    numbers: dict[str, int] = field(default_factory=dict)

    def shortened(self, entries: list[Any], start: int = 2) -> list[Any]:
        """`entries`, which begin at `start`, with a number for each long value."""
        return [self._number(one) if i > start and (i - start) % 3 == 2 and isinstance(one, str) and len(one) > 20 else one
                for i, one in enumerate(entries)]  # fmt: skip

    def _number(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))
