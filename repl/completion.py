"""What Tab offers: commands, nodes with their values, Python names and attributes. Nothing is evaluated to find out."""

from __future__ import annotations

import builtins
import inspect
import keyword
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minitorch.core.node import Node
from minitorch.core.wrong import RULES
from repl import catches, phrases
from repl.phrases import shape_text, short
from repl.registry import REGISTRY, CommandError

if TYPE_CHECKING:
    from repl.engine import Session

MOST_NODES = 200
LOOKED_AT = 2000  # nodes, for the operations, shapes and lines there are
WORDS = {
    "info": {"breaks": "what stops", "ready": "nodes whose gradient is complete", "names": "your variables",
             "leaves": "what nothing was computed from", "params": "leaves that get a gradient",
             "grads": "norms of weights and gradients", "module": "each module, with dead units",
             "memory": "what all this takes"},
    "list": {"all": "every node"},
    "record": {"stop": "end the recording"},
    "replay": {"--verify": "run it again and compare"},
    "option": {"memory": "bytes for the way back"},
    "depth": {"auto": "as many levels as stay readable"},
    "view": {"off": "the picture follows no longer"},
}  # fmt: skip
_PATH = re.compile(r"[A-Za-z_][\w.]*$")
_SELECTOR = re.compile(r"(?:shape:\([\d,* ]*|[\w.:@#\[\]'*?/+-]*)$")


@dataclass(frozen=True)
class Offer:
    """One completion: the text, how many characters before the cursor it replaces, and a remark."""

    text: str
    replaces: int
    remark: str = ""


def offers(session: Session, before: str, asked: bool = True) -> list[Offer]:
    """What could follow the text before the cursor.

    Args:
        before: the text up to the cursor.
        asked: the user pressed Tab. While typing, only commands and their arguments are offered, not all of Python.
    """
    line = before.rsplit("\n", 1)[-1]
    if "\n" in before or line.startswith("!"):
        return list(_python(session, line)) if asked else []
    word = line.lstrip().removeprefix(":")
    if " " not in word.strip() and not word.endswith(" "):
        found = list(_commands(word)) if word.isidentifier() or not word else []
        if asked and not line.lstrip().startswith(":"):
            found += _python(session, line)
        return found if asked or len(word) > 1 else []
    try:
        parsed = session.dispatch(line)
    except CommandError:
        return []
    if parsed.kind != "command" or parsed.command is None:
        return list(_python(session, line)) if asked else []
    last = line.rsplit(" ", 1)[-1]
    words = [offer for offer in _words(session, parsed.command.name, last) if line.count(" ") == 1 or offer.text.isdigit()]
    return words + list(_arguments(session, parsed.command.argument, line))


def _commands(word: str) -> Iterator[Offer]:
    for command in REGISTRY:
        if command.name.startswith(word):
            yield Offer(command.name, len(word), command.summary)


def _arguments(session: Session, kind: str, line: str) -> Iterator[Offer]:
    if kind == "topic":
        word = line.rsplit(" ", 1)[-1]
        topics = [("keys", "the keys"), ("selectors", "how to pick nodes"), ("python", "commands and Python")]
        yield from (Offer(topic, len(word), remark) for topic, remark in topics if topic.startswith(word))
        yield from _commands(word)
    elif kind == "module":
        yield from _modules(session, line.rsplit(" ", 1)[-1])
    elif kind == "file":
        yield from files(line.rsplit(" ", 1)[-1])
    elif kind == "node":
        found = _SELECTOR.search(line)
        yield from _nodes(session, found[0] if found else "")
    elif kind == "expression":
        found = _PATH.search(line)
        word = found[0] if found else ""
        nodes = list(_nodes(session, word))
        yield from nodes
        known = {offer.text for offer in nodes}
        yield from (offer for offer in _python(session, line) if offer.text not in known)


def _words(session: Session, name: str, word: str) -> Iterator[Offer]:
    """The words that a command takes."""
    known: Mapping[str, str] = {}
    match name:
        case "catch":
            known = {kind: catches.KINDS[kind].summary for kind in catches.KINDS}
        case "rule":
            known = {**RULES, "right": "the algorithm as it should be"}
        case "branch" | "diff" if session.branches is not None:
            known = {branch.name: ", ".join(branch.changes) for branch in session.branches.all}
        case "condition" | "enable" | "disable" | "delete":
            known = {str(point.number): f"{point.kind} {point.describe()}" for point in session.stops.points}
        case "undisplay":
            known = {str(shown.number): shown.of.text for shown in session.stops.displays}
        case "alias":
            known = session.aliases
        case "theme":
            from viz.theme import THEMES

            known = dict.fromkeys(THEMES, "colours of pictures")
        case _:
            known = WORDS.get(name, {})
    yield from (Offer(text, len(word), remark) for text, remark in known.items() if text.startswith(word))


def _nodes(session: Session, word: str) -> Iterator[Offer]:
    """Nodes by name: the current one and its neighbours in the pass first."""
    graph, stepper = session.graph, session.stepper
    near: list[Node] = []
    if stepper is not None and stepper.node is not None:
        near = [stepper.node, *(x for x in stepper.node.inputs or () if isinstance(x, Node) and x in graph)]
    if len(graph.nodes) > LOOKED_AT:
        near += [*graph.nodes[: -LOOKED_AT - 1 : -1], *(graph.leaves[:LOOKED_AT])]
        near += [x for x in session.variables.values() if isinstance(x, Node) and x in graph]
        names = {graph.name(node): node for node in near}
    else:
        names = {**{graph.name(node): node for node in near}, **dict(sorted(graph.by_name.items()))}
    shown = 0
    for name, node in names.items():
        if name.startswith(word) and shown < MOST_NODES:
            shown += 1
            yield Offer(name, len(word), short(node.raw, 24))
    for selector, remark in _selectors(session, word):
        if word and selector.startswith(word) and selector not in names:
            yield Offer(selector, len(word), remark)


def _selectors(session: Session, word: str) -> Iterator[tuple[str, str]]:
    """What picks nodes otherwise than by name."""
    graph, stepper = session.graph, session.stepper
    yield from (("leaf", "every leaf"), ("param", "every leaf that gets a gradient"))
    near = graph.nodes[-LOOKED_AT:]
    if word.startswith("op"):
        yield from ((f"op:{name}", "made by it") for name in sorted({node.op.name for node in near if node.op}))
    if word.startswith("sh"):
        shapes = sorted({getattr(node.raw, "shape", ()) for node in near}, key=lambda shape: (len(shape), shape))
        yield from ((f"shape:{shape_text(shape).replace(' ', '')}", "of that shape") for shape in shapes if shape)
    if stepper is not None and word.startswith("@"):
        yield from (("@", "the current node"), ("@-1", "the one before it"), ("@+1", "the one after it"))
    if stepper is not None and word.startswith("#"):
        yield f"#{stepper.position + 1}", "sends the next contribution"
    places = dict.fromkeys(place for node in near if (place := phrases.place(node)).startswith(word) and ".py:" in place)
    yield from ((place, "made at that line") for place in places)
    yield from ((f"{module}.*", "in that module") for module in graph.modules)


def _modules(session: Session, word: str) -> Iterator[Offer]:
    yield from (Offer(path, len(word), "module") for path in session.graph.modules if path.startswith(word))


def _python(session: Session, line: str) -> Iterator[Offer]:
    """Python names, or the attributes of what a dotted path leads to."""
    found = _PATH.search(line)
    path = found[0] if found else ""
    if not path and line.strip():
        return
    *owners, stem = path.split(".")
    if owners:
        owner = _follow(session.namespace, owners)
        if owner is not None:
            yield from _attributes(owner, stem)
        return
    names = session.namespace
    for name in sorted(names):
        if stem and name.startswith(stem) and (stem.startswith("_") or not name.startswith("_")):
            yield Offer(name, len(stem), _remark(names[name]))
    for name in sorted({*keyword.kwlist, *dir(builtins)}):
        if len(stem) > 1 and name.startswith(stem) and name not in names and not name.startswith("_"):
            yield Offer(name, len(stem), "Python")


def _follow(names: Mapping[str, Any], path: list[str]) -> Any:
    """The object at the end of a dotted path, looked up without running any code of it; None where that is not possible."""
    owner = names.get(path[0])
    for name in path[1:]:
        owner = inspect.getattr_static(owner, name, None)
        if isinstance(owner, (property, staticmethod, classmethod)) or inspect.isdatadescriptor(owner):
            return None
    return owner


def _attributes(owner: Any, stem: str) -> Iterator[Offer]:
    own = vars(owner) if inspect.ismodule(owner) else getattr(owner, "__dict__", {})
    names = {*own} if inspect.ismodule(owner) else {*own, *dir(type(owner)), *(dir(owner) if isinstance(owner, type) else ())}
    for name in sorted(names):
        if name.startswith(stem) and (stem.startswith("_") or not name.startswith("_")):
            yield Offer(name, len(stem), _remark(inspect.getattr_static(owner, name, None)))


def _remark(value: Any) -> str:
    """A few words on an object, from its type alone (of a number, itself)."""
    if isinstance(value, Node):
        return short(value.raw, 24)
    if isinstance(value, (bool, int, float, str)):
        return repr(value)[:24]
    if isinstance(value, property):
        return "attribute"
    if inspect.isroutine(value) or isinstance(value, (staticmethod, classmethod)):
        return "function" if inspect.isfunction(value) or inspect.isbuiltin(value) else "method"
    if isinstance(value, type):
        return "class"
    return "module" if inspect.ismodule(value) else type(value).__name__


def files(stem: str) -> Iterator[Offer]:
    """Pictures and folders that a path could lead to."""
    folder, name = os.path.split(stem)
    try:
        entries = sorted(os.listdir(folder or "."))
    except OSError:
        return
    for entry in entries:
        if entry.startswith(name) and not entry.startswith("."):
            yield Offer(entry, len(name))
