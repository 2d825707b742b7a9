"""Views as lines of Rich text. Everything goes through `Text`, never through markup: `x[i]` and `<b>` are good names here."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.text import Text

from repl import views
from repl.phrases import brief, count, in_product, total
from repl.screen import Screen
from viz.format import number

STYLES = {
    "label": "dim",
    "name": "bold",
    "code": "cyan",
    "gradient": "yellow",
    "title": "bold cyan",
    "hint": "dim italic",
    "quiet": "dim",
    "warning": "yellow",
    "error": "red",
    "good": "green",
    "plain": "",
}
LABEL = 9  # the column of labels, one space included
WIDEST_LABEL = 13
NARROW = 60
ENOUGH = 40  # columns, below which what yields room would rather have that of another column
YIELDS_TO = 10  # the least that is left of a column that makes room
STOP_LINES = 12

Part = str | tuple[str, str]


class Painter:
    """Makes lines for one screen."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.narrow = screen.width < NARROW
        self.console = Console(
            file=io.StringIO(),
            width=screen.width,
            color_system=None,
            markup=False,
            highlight=False,
            emoji=False,
            legacy_windows=False,
        )

    def line(self, *parts: Part) -> Text:
        """A line of plain strings and (string, style) pairs, in characters that the screen has."""
        text = Text()
        for part in parts:
            string, style = part if isinstance(part, tuple) else (part, "plain")
            text.append(self.screen.text(string), STYLES[style])
        return text

    def wrap(self, text: Text, indent: int = 0, most: int | None = None) -> list[Text]:
        """`text` in lines that fit, those after the first indented; at most `most`, the last then ends in an ellipsis."""
        width = self.screen.width
        if text.cell_len <= width and "\n" not in text.plain:
            return [text]
        first, rest = text.divide([min(indent, len(text))])
        lines = list(rest.wrap(self.console, max(width - indent, 8), no_wrap=False, tab_size=4))
        if most is not None and len(lines) > most:
            lines = lines[:most]
            lines[-1].truncate(max(width - indent - 4, 4))
            lines[-1].append(self.screen.text(" …"))
        for line in lines:
            line.rstrip()
        return [first + lines[0], *(Text(" " * indent) + line for line in lines[1:])] if lines else [first]

    def fact(self, label: str, *parts: Part, most: int | None = None, labels: int = LABEL) -> list[Text]:
        """A labelled line: `  rule      ∂e/∂a = b`; `labels` is the width of the column of labels."""
        column = 1 + labels if self.narrow else 2 + labels
        label = f"{' ' if self.narrow else '  '}{label}".ljust(column - 1) + " "
        return self.wrap(self.line((label, "label"), *parts), column, most)

    def ends(self, left: Sequence[Part], right: str) -> list[Text]:
        """One line with something at either end; what stands right goes below where there is no room."""
        start, end = self.line(*left), self.line((right, "label"))
        gap = self.screen.width - start.cell_len - end.cell_len
        if not right:
            return self.wrap(start, 2)
        if gap < 2:
            return [*self.wrap(start, 2), *self.wrap(self.line("  ") + end, 2)]
        return [start + Text(" " * gap) + end]


def render(view: views.View, screen: Screen) -> list[Text]:
    """The lines of a view."""
    return _RENDERERS[type(view)](Painter(screen), view)


def plain_text(shown: Sequence[views.View], screen: Screen) -> str:
    """Views as text without any escape byte, for pipes, files and tests."""
    lines = [line.plain.rstrip() for view in shown for line in render(view, screen)]
    return "".join(line + "\n" for line in lines)


def message(paint: Painter, view: views.Message) -> list[Text]:
    lead = "hint: " if view.tone == "hint" else ""
    return paint.wrap(paint.line((lead + view.text, view.tone)), 2)


def echo(paint: Painter, view: views.Echo) -> list[Text]:
    return [paint.line(line) for line in view.text.split("\n")]


def failure(paint: Painter, view: views.Failure) -> list[Text]:
    lines = []
    for frame, source in view.frames:
        lines += paint.wrap(paint.line(("  " + frame, "label")), 4)
        lines += [paint.line("    " + source)] if source else []
    lines += [paint.line("  " + line) for line in view.code]
    text = f"{view.error}: {view.message}" if view.message else view.error
    for number_, part in enumerate(text.split("\n")):
        lines += paint.wrap(paint.line((part, "error")), 0 if number_ else 2)
    return lines


def tree(paint: Painter, view: views.Tree) -> list[Text]:
    heads = [paint.line((b.prefix, "label"), (b.name, "name"), *_made(paint, b)) for b in view.branches]
    values = [paint.line(_value(b)) for b in view.branches]
    left, middle = max(h.cell_len for h in heads), max(v.cell_len for v in values)
    root = view.branches[0]
    tails = [paint.line(*_gradient(b), (_more(b), "hint")) for b in view.branches]
    aligned = left + middle + max(tail.cell_len for tail in tails) + 6 <= paint.screen.width
    lines = []
    for b, head, value, tail in zip(view.branches, heads, values, tails):
        if aligned:
            lines.append(
                head + Text(" " * (left - head.cell_len + 3)) + value + Text(" " * (middle - value.cell_len + 3)) + tail
            )
            lines[-1].rstrip()
        else:
            lines += paint.wrap(head + Text("  ") + value + Text("  ") + tail, min(len(b.prefix) + 2, 10))
        if b is root and view.array is not None:
            lines += [paint.line(line) for line in _array(view.array, paint.screen.width)]
    return lines + ([paint.line((view.footer, "hint"))] if view.footer else [])


def _more(b: views.Branch) -> str:
    return "" if not b.more else "  (above)" if b.more == "above" else f"  (from {b.more} more)"


def _made(paint: Painter, b: views.Branch) -> list[Part]:
    return [(f" = {b.made}", "plain")] if b.made else []


def _value(b: views.Branch) -> Part:
    text = brief(b.value)
    if not b.shape or b.shape.startswith("()"):
        return text
    shape, _, kind = b.shape.rpartition(" ")
    return f"{shape} {kind}" if not b.prefix else f"{shape} {text.removeprefix(shape).strip()}"


def _gradient(b: views.Branch) -> list[Part]:
    if isinstance(b.gradient, str):
        return []
    counted = f" {b.arrivals[0]}/{b.arrivals[1]} in" if b.arrivals and b.arrivals[0] < b.arrivals[1] else ""
    return [("grad ", "label"), (brief(b.gradient), "gradient"), (counted, "label")]


def _array(array: np.ndarray, width: int) -> list[str]:
    text = np.array2string(
        array, max_line_width=max(width - 2, 20), precision=4, suppress_small=True, threshold=100, formatter=_FORMATTER
    )
    return ["  " + line for line in text.split("\n")]


_FORMATTER: Any = {"float_kind": lambda x: number(x).rjust(7)}


def stop(paint: Painter, view: views.Stop) -> list[Text]:
    """Where we are, the rule in symbols, then in numbers, the ledger, what changed, what comes next: at most 12 lines."""
    lines = paint.ends(_headline(view), _where(view))
    for reason in view.reasons:
        lines += paint.wrap(paint.line("  ", (reason, "warning")), 4, most=3)
    edges = [line for edge in view.edges for line in _edge(paint, edge, view)]
    if view.how in ("step", "next") and len(view.edges) < view.moved:
        edges += paint.fact("", (f"… and {count(view.moved - len(view.edges), 'step')} before", "hint"))
    ledgers = [line for ledger in view.ledgers for line in _ledger(paint, ledger, view.how, first=ledger is view.ledgers[0])]
    tail = _coming(paint, view)
    room = STOP_LINES - len(lines) - len(tail)
    if view.how == "back" or view.how == "end" and len(edges) + len(ledgers) > room:
        edges = []  # what is taken back was shown when it was applied; at the end, the results matter most
    room -= len(edges)
    if len(ledgers) + view.left_out > room:
        kept = max(room - 1, 0)
        more = len(ledgers[kept:]) + view.left_out
        ledgers = ledgers[:kept] + paint.fact("", (f"… {more} more (ledger NODE)", "hint"))
    return [*lines, *edges, *ledgers, *tail]


def _headline(view: views.Stop) -> list[Part]:
    made = f"{view.node} = {view.made}" if view.made else view.node
    targets = "  →  " + ", ".join(dict.fromkeys(edge.target for edge in view.edges)) if view.edges else ""
    match view.how:
        case "start":
            return [(f"backward {view.root}", "title"), f"  {view.advice}"]
        case "end":
            return [("end of the pass", "title"), f"  {view.advice}"]
        case "step" | "next" | "at":
            return [(view.how, "title"), f"  {made}{targets}"]
        case _:
            return [("taken back", "title"), f"  {made}{targets}"]


def _where(view: views.Stop) -> str:
    place = () if view.how == "end" else (view.scope, view.place)
    return " · ".join(part for part in (*place, f"step {view.position}/{view.length}") if part)


def _edge(paint: Painter, edge: views.Edge, view: views.Stop) -> list[Text]:
    """The rule, the chain rule in symbols, the same in numbers; of more than two edges at once, the numbers only."""
    if len(view.edges) > 2:
        return paint.fact(f"→ {edge.target}", *_numbers(edge), most=1)
    scalar = isinstance(edge.contribution, float)
    lines = paint.fact("rule", (edge.rule, "code"), most=1) if edge.elementwise else []
    lines += paint.fact("chain", edge.symbols, most=1)
    if scalar:
        lead = "" if paint.narrow else f"{' ' * edge.symbols.find('+=')}+= "  # under the += of the line above
        return lines + paint.fact("numbers", lead, *_numbers(edge), most=2)
    if len(view.edges) == 1:
        lines += paint.fact("incoming", brief(edge.incoming), most=1)
        lines += paint.fact("× local", in_product(edge.local), most=1) if edge.elementwise else []
        if edge.reduction:
            lines += paint.fact("product", (brief(edge.product), "gradient"), most=1)
            lines += paint.fact("reduced", edge.reduction, most=1)
    return lines + paint.fact("result", (brief(edge.contribution), "gradient"), most=1)


def _numbers(edge: views.Edge) -> list[Part]:
    if edge.elementwise:
        return [f"{brief(edge.incoming)} × {in_product(edge.local)} = ", (brief(edge.contribution), "gradient")]
    return [f"{brief(edge.incoming)}  →  ", (brief(edge.contribution), "gradient")]


def _ledger(paint: Painter, ledger: views.Ledger, how: str, first: bool) -> list[Text]:
    label = "" if not first else {"end": ".grad", "start": "seed"}.get(how, "ledger")
    if how == "start":
        return paint.fact(label, f"grad({ledger.node}) = {ledger.symbol} = ", (brief(ledger.total), "gradient"), most=1)
    full = ledger.arrived == ledger.expected
    counted = f"{ledger.arrived}/{ledger.expected} in"
    waiting = "" if full else "waiting for more" if ledger.arrived else "nothing arrived yet"
    value: Part = (total(ledger.terms, ledger.total, left_out=ledger.left_out), "gradient")
    parts: list[Part] = [(ledger.node, "name"), "  "]
    if how == "end":
        parts.append(value)
        if brief(ledger.held) != brief(ledger.total):
            parts.append((f"   with what it held: {brief(ledger.held)}", "warning"))
    elif isinstance(ledger.total, float):
        parts += [value, f", {counted}", (f", {waiting}" if waiting else "", "label")]
    else:  # arrays are long: what must not be cut stands first
        parts += [
            counted,
            (f", {waiting}" if waiting else "", "label"),
            ": " if ledger.arrived else "",
            value if ledger.arrived else "",
        ]
    return paint.fact(label, *parts, most=1)


def _coming(paint: Painter, view: views.Stop) -> list[Text]:
    lines = []
    if view.edges and view.how in ("step", "back") and view.moved == 1:
        edge = view.edges[-1]
        old, new = (edge.before, edge.after) if view.how == "step" else (edge.after, edge.before)
        lines += paint.fact("changed", f"grad({edge.target}): {brief(old)}  →  {brief(new)}", most=1)
    return lines + paint.fact("next", view.coming, most=2 if paint.narrow or view.how == "end" else 1)


def ledger(paint: Painter, view: views.Ledger) -> list[Text]:
    """Every arrival at a node, one a line, with the running sum."""
    counted = f"{view.arrived}/{view.expected} in"
    lines = paint.wrap(
        paint.line(
            (view.symbol, "title"), " = ", (total(view.terms, view.total, 12, view.left_out), "gradient"), f"   {counted}"
        ),
        2,
    )
    for edge in view.edges:
        if view.left_out and edge is view.edges[-1]:
            lines += paint.wrap(paint.line((f"  … {count(view.left_out, 'contribution')} left out", "hint")), 4)
        upstream = f"#{edge.number} from {edge.node}"
        running = f"   so far {brief(edge.after)}" if len(view.edges) > 1 and not paint.narrow else ""
        lines += paint.wrap(
            paint.line(
                (f"  {upstream:<16} ", "label"),
                *_numbers(edge),
                f"  {edge.reduction}" if edge.reduction else "",
                (running, "label"),
            ),
            4,
        )
    return lines


def table(paint: Painter, view: views.Table) -> list[Text]:
    """Aligned columns; below 60 columns, or where they do not fit, one `heading value` line per cell."""
    lines = paint.wrap(paint.line(view.summary), 2) if view.summary else []
    rows = [[paint.screen.text(cell) for cell in row] for row in view.rows]
    header = [paint.screen.text(cell) for cell in view.header]
    widths = [max(Text(row[i]).cell_len for row in [header, *rows]) for i in range(len(header))]
    excess = sum(widths) + 2 * len(widths) - paint.screen.width
    if excess > 0 and view.spare is not None and view.yields is not None and widths[view.yields] - excess < ENOUGH:
        for row in (header, *rows):
            row[view.spare] = ""
        excess -= widths[view.spare] + 2
        widths[view.spare] = 0
    if excess > 0 and view.yields is not None and widths[view.yields] - excess >= YIELDS_TO:
        widths[view.yields] -= excess
        for row in rows:
            row[view.yields] = _cut(row[view.yields], widths[view.yields], paint.screen.text("…"))
        excess = 0
    if excess <= 0:
        lines.append(_row(header, widths, view.right, "  ", "label"))
        for index, row in enumerate(rows):
            here = index == view.current
            lines.append(_row(row, widths, view.right, paint.screen.text("► ") if here else "  ", "name" if here else "plain"))
    else:
        for index, row in enumerate(rows):
            cells = [f"{head} {cell}".strip() for head, cell in zip(header, row) if cell]
            lines += paint.wrap(paint.line(("► " if index == view.current else "  ", "title"), "  ".join(cells)), 4)
    return lines + (paint.wrap(paint.line((view.footer, "hint")), 2) if view.footer else [])


def _cut(cell: str, width: int, ellipsis: str) -> str:
    return cell if Text(cell).cell_len <= width else cell[: width - len(ellipsis)] + ellipsis


def _row(cells: Sequence[str], widths: Sequence[int], right: Sequence[int], lead: str, style: str) -> Text:
    text = Text(lead)
    for number_, (cell, width) in enumerate(zip(cells, widths)):
        if not width:
            continue
        gap = " " * (width - Text(cell).cell_len)
        text.append(gap + cell if number_ in right else cell + gap, STYLES[style])
        text.append("  ")
    text.rstrip()
    return text


def facts(paint: Painter, view: views.Facts) -> list[Text]:
    lines = paint.wrap(paint.line((view.title, "title")), 2) if view.title else []
    labels = max(LABEL, min(1 + max(len(label) for label, _ in view.facts), WIDEST_LABEL))
    for label, text in view.facts:
        for number_, part in enumerate(text.split("\n")):
            lines += paint.fact(label if number_ == 0 else "", part, labels=labels)
    return lines + (paint.wrap(paint.line((view.footer, "hint")), 2) if view.footer else [])


def help_(paint: Painter, view: views.Help) -> list[Text]:
    short = f"   short: {', '.join(view.names[1:])}" if view.names[1:] else ""
    lines = paint.wrap(paint.line((view.usage, "title"), (short, "label")), 2)
    lines += paint.wrap(paint.line(view.summary))
    for paragraph in view.details.split("\n\n"):
        lines += [Text(), *paint.wrap(paint.line(" ".join(paragraph.split())))] if paragraph else []
    if view.played:
        lines += [Text(), paint.line(("Example", "label"))]
    for line, shown in view.played:
        lines += paint.wrap(paint.line(("  > ", "label"), (line, "code")), 6)
        inner = Screen(max(paint.screen.width - 4, 24), paint.screen.color, paint.screen.ascii)
        lines += [Text("    ") + text for one in shown for text in render(one, inner)]
    return lines


def overview(paint: Painter, view: views.Overview) -> list[Text]:
    lines: list[Text] = []
    commands = [command for _, group in view.groups for command in group]
    column, shorts = max(len(usage) for usage, _, _ in commands) + 2, max(len(short) for _, short, _ in commands) + 2
    for group, members in view.groups:
        lines.append(paint.line((group, "title")))
        for usage, short, summary in members:
            summary = summary.rstrip(".")
            if paint.narrow:
                lines += paint.wrap(
                    paint.line("  ", (usage, "name"), f" ({short})  " if short else "  ", (summary, "label")), 4
                )
            else:
                start = paint.line("  ", (usage.ljust(column), "name"), (short.ljust(shorts), "label"), summary)
                lines += paint.wrap(start, column + shorts + 2)
    return lines + (paint.wrap(paint.line((view.footer, "quiet"))) if view.footer else [])


def drawing(paint: Painter, view: views.Drawing) -> list[Text]:
    return paint.wrap(
        paint.line("drew ", (count(view.nodes, "node"), "plain"), " into ", (view.path, "name"), (view.note, "label")), 2
    )


_RENDERERS: dict[type, Callable[[Painter, Any], list[Text]]] = {
    views.Message: message,
    views.Echo: echo,
    views.Failure: failure,
    views.Tree: tree,
    views.Stop: stop,
    views.Ledger: ledger,
    views.Table: table,
    views.Facts: facts,
    views.Help: help_,
    views.Overview: overview,
    views.Drawing: drawing,
}
