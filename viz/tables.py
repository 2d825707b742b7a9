"""A module as a table for notebooks: its parts, their parameters, and how many numbers they learn."""

from __future__ import annotations

from typing import Any

from viz.format import content, shape_text
from viz.xml import html

STYLE = "text-align:left;padding:.15em .8em;border-bottom:1px solid #94a3b8"


def module_table(module: Any) -> str:
    """The HTML of a table with one row for each part that has parameters of its own: its path, its kind, each parameter with
    shape and range, its gradient (— where none has arrived), and how many numbers these are."""
    rows, total = [], 0
    for path, part in module.named_modules():
        own = list(part.named_parameters(recurse=False))
        if not own:
            continue
        count = sum(int(parameter.raw.size) for _, parameter in own)
        total += count
        texts = [f"{name} {shape_text(parameter.raw.shape)}: {_range(parameter.raw)}" for name, parameter in own]
        grads = ["—" if parameter.grad is None else _range(parameter.grad.raw) for _, parameter in own]
        rows.append(_row([path or "(itself)", type(part).__name__, "\n".join(texts), "\n".join(grads), f"{count:,}"]))
    head = _row(["module", "kind", "parameters", "gradient", "numbers"], "th")
    foot = _row([type(module).__name__, "", "", "", f"{total:,}"], "th")
    return f'<table style="border-collapse:collapse;font-size:90%">{head}{"".join(rows)}{foot}</table>'


def _range(array: Any) -> str:
    shown = content(array, 3)
    return shown.text.split("  ")[0] + (f" ({shown.alarm})" if shown.alarm else "")


def _row(cells: list[str], tag: str = "td") -> str:
    inside = ("<br/>".join(html(line) for line in cell.split("\n")) for cell in cells)
    return "<tr>" + "".join(f'<{tag} style="{STYLE}">{cell}</{tag}>' for cell in inside) + "</tr>"
