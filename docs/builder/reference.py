"""The reference, from what it describes: docstrings, the registry of commands, the table of marks. Nothing can drift.

A page says where: `<!-- made: api minitorch.optim -->` is replaced by the entries of that module.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

from docs.builder.page import Page

MARKER = re.compile(r"^<!-- made: (\w+)(?: ([\w. ]+))? -->$", re.MULTILINE)
_SECTION = re.compile(r"^(Args|Raises|Returns|Attributes|Yields|Shapes):$")
_ENTRY = re.compile(r"^(\*{0,2}\w[\w, .*]*): (.*)$")
# Classes whose methods are part of what one reads about them; of the others (a layer, a loss), what they are made with.
WITH_METHODS = ("Value", "Tensor", "Stepper", "Contribution", "Module", "Optimizer", "LRScheduler", "Picture", "Function")


def filled(page: Page, text: str) -> str:
    """The text of a page with what is made in place of the markers."""
    return MARKER.sub(lambda found: MAKERS[found[1]](*(found[2] or "").split()), text)


# The API


def api(*modules: str) -> str:
    """The public names of modules: signature and docstring."""
    return "\n".join(line for name in modules for line in _module(importlib.import_module(name)))


def _module(module: Any) -> Iterator[str]:
    names = getattr(module, "__all__", None) or [name for name in dir(module) if not name.startswith("_")]
    told = {name: getattr(module, name) for name in sorted(names, key=str.lower) if _is_told(getattr(module, name), module)}
    classes = {name: thing for name, thing in told.items() if inspect.isclass(thing)}
    functions = {name: thing for name, thing in told.items() if name not in classes}
    for heading, things in (("Classes", classes), ("Functions", functions)):
        if things and classes and functions:
            yield f"## {heading}\n"
        for name, thing in things.items():
            yield f"### `{name}` {{#{name}}}\n\n```{{ .python .signature }}\n{name}{signature(thing)}\n```\n"
            yield markdown(inspect.getdoc(thing) or "")
            if name in WITH_METHODS:
                yield _methods(thing)


def _is_told(thing: Any, module: Any) -> bool:
    if inspect.ismodule(thing) or not callable(thing):
        return False
    return hasattr(module, "__all__") or getattr(thing, "__module__", "") == module.__name__


def _methods(kind: type) -> str:
    """The methods and attributes of a class in a table, each with the first line about it."""
    rows = ["| | |", "| --- | --- |"]
    for name in sorted(dir(kind), key=str.lower):
        thing = inspect.getattr_static(kind, name)
        about = (inspect.getdoc(getattr(kind, name, None)) or "").partition("\n\n")[0]
        if name.startswith("_") or not about or getattr(object, name, None) is getattr(kind, name, None):
            continue
        if isinstance(thing, property) or hasattr(thing, "__get__") and not callable(getattr(kind, name, None)):
            shown = f".{name}"
        elif callable(getattr(kind, name, None)):
            shown = f".{name}{signature(getattr(kind, name), method=True)}"
        else:
            continue
        rows.append(f"| `{shown}` | {_escaped(' '.join(about.split())).replace('|', '&#124;')} |".replace("\\|", "&#124;"))
    return "\n".join(rows) + "\n" if len(rows) > 2 else ""


def signature(thing: Any, method: bool = False) -> str:
    """`(input, dim, dtype=None)`: the parameters with their defaults, without types, which the text tells."""
    try:
        parameters = list(inspect.signature(thing).parameters.values())
    except (TypeError, ValueError):
        return "(...)"
    if method and parameters and parameters[0].name in ("self", "cls"):
        parameters = parameters[1:]
    plain = [one.replace(annotation=inspect.Parameter.empty, default=_short(one.default)) for one in parameters]
    return str(inspect.Signature(plain)).replace("|", "/")


class _Shown:
    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _short(default: Any) -> Any:
    """A default as the reader would write it."""
    if default is inspect.Parameter.empty or isinstance(default, (int, float, str, bytes, tuple, type(None))):
        return default
    return _Shown(getattr(default, "__name__", None) or ("..." if " at 0x" in repr(default) else repr(default)))


def markdown(docstring: str) -> str:
    """A docstring as markdown: its sections (Args, Raises, ...) as lists, its symbols as they stand."""
    lines: list[str] = []
    section = False
    for line in docstring.split("\n"):
        heading, entry = _SECTION.match(line), _ENTRY.match(line.strip())
        if heading is not None:
            section = True
            lines += ["", f"**{heading[1]}**", ""]
        elif section and line.startswith("    ") and not line.startswith("     ") and entry is not None:
            lines.append(f"- `{entry[1]}`: {_escaped(entry[2])}")
        elif section and line.strip() and line.startswith("    "):
            lines.append(("  " if lines[-1].startswith(("-", "  ")) else "- ") + _escaped(line.strip()))
        else:
            section = section and not line.strip()
            is_code = line.startswith("    ") or line.startswith(">>>")
            lines.append(("    " + line.strip() if line.startswith(">>>") else line) if is_code else _escaped(line))
    return "\n".join(lines).strip() + "\n"


def _escaped(text: str) -> str:
    """Stars, underscores and angle brackets outside backticks mean themselves."""
    parts = text.replace("``", "`").split("`")
    plain = (re.sub(r"([*_\[\]])", r"\\\1", part).replace("<", "&lt;") for part in parts[::2])
    return "`".join(next(plain) if at % 2 == 0 else part for at, part in enumerate(parts))


# The terminal


def commands() -> str:
    """Every command of the prompt, group by group, at work."""
    import repl.commands  # noqa: F401  enters the commands
    from repl.registry import GROUPS, REGISTRY

    lines = []
    for group in GROUPS:
        lines.append(f"## {group.capitalize()}\n")
        for found in REGISTRY.group(group):
            short = ", ".join(f"`{name}`" for name in found.abbreviations)
            lines.append(f"### `{found.usage}` {{#{found.name}}}\n")
            lines.append(_escaped(found.summary) + (f" Short: {short}." if short else "") + "\n")
            lines.append(markdown(found.details))
            lines.append("```text\n" + _played(found) + "```\n")
    return "\n".join(lines)


def _played(found: Any) -> str:
    from repl.commands.session import play
    from repl.render import plain_text
    from repl.screen import Screen

    told = ""
    for line, result, own in play(found):
        told += "".join(f"{'... ' if number else '>>> '}{part}\n" for number, part in enumerate(line.split("\n")))
        told += plain_text(result.views, Screen()) if own else ""
    return told


def selectors() -> str:
    """What picks nodes."""
    from repl.graph import SELECTORS

    return _table(("SEL", "picks"), SELECTORS)


def keys() -> str:
    """The keys of the terminal."""
    from repl.commands.session import KEYS

    return _table(("key", "or", "does"), KEYS, code=2)


def python() -> str:
    """How commands and Python share a prompt."""
    from repl.commands.session import PYTHON

    return _table(("you type", "it is"), PYTHON)


def _table(head: tuple[str, ...], rows: Any, code: int = 1) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in rows:
        cells = [f"`{cell}`" if at < code and cell else cell if code > 1 else _escaped(cell) for at, cell in enumerate(row)]
        lines.append("| " + " | ".join(cell.replace("|", "&#124;") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


# Pictures


def marks() -> str:
    """Every mark that a legend can explain, drawn."""
    from viz.graphview import MARKS, Mark
    from viz.legend import draw_sample
    from viz.theme import LIGHT

    lines = ["| mark | means |", "| --- | --- |"]
    lines += [f"| {draw_sample(Mark(sample, text), LIGHT)} | {text} |" for sample, text in MARKS.items()]
    return "\n".join(lines) + "\n"


MAKERS: dict[str, Callable[..., str]] = {
    "api": api, "commands": commands, "selectors": selectors, "keys": keys, "python": python, "marks": marks,
}  # fmt: skip
