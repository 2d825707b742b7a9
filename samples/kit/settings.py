"""Settings of a sample: one dataclass, from which the options of the command line and their help are made.

    @dataclass
    class MoonsSettings(Settings):
        epochs: int = option(100, "passes over the points", minimum=1, quick=5)
        activation: Literal["relu", "tanh"] = option("relu", "what a hidden neuron applies")

gives `--epochs`, `--activation` (one of two choices), the options every sample has, and `--help` with the defaults.
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import math
import re
import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from samples.kit.errors import UsageError

NOT_GIVEN: Any = object()


def option(default: Any, help: str, *, minimum: float | None = None, quick: Any = NOT_GIVEN) -> Any:
    """A field of a Settings class.

    Args:
        default: the value when the option is not given.
        help: one line for `--help`.
        minimum: smallest value allowed, for numbers.
        quick: the value under `--quick`, unless the option itself is given.
    """
    return dataclasses.field(default=default, metadata={"help": help, "minimum": minimum, "quick": quick})


@dataclass
class Settings:
    """What every sample can be told."""

    seed: int = option(0, "seed of all random numbers", minimum=0)
    quick: bool = option(False, "a small version that takes a few seconds")
    device: Literal["cpu", "cuda"] = option("cpu", "where the numbers are: main memory or the GPU")
    plots: bool = option(True, "draw plots at the end")
    runs: str = option("runs", "folder that receives this run's own folder")
    resume: str | None = option(None, "a run to go on with, in its own folder and with its settings: the folder, its name, or "
                                      "'last'")


S = TypeVar("S", bound=Settings)


def parse(settings: type[S], argv: Sequence[str], prog: str, summary: str) -> S:
    """Read a command line into a settings object; arguments and errors as in `arguments`."""
    return settings(**with_quick(settings, arguments(settings, argv, prog, summary)))


def arguments(
    settings: type[Settings], argv: Sequence[str], prog: str, summary: str, predicts: str | None = None
) -> dict[str, Any]:
    """The settings that a command line gives, by name; those it does not mention are left out.

    Args:
        settings: the sample's dataclass.
        argv: the words after the sample's name.
        prog: how the program was called, for help and messages ("minitorch run moons").
        summary: the sample in one line, for help.
        predicts: what the sample's `predict` takes, "FILE" or "TEXT"; None for a sample without one. With one, "predict", a
            list of those, and "from", a run, may be among the settings.

    Raises:
        UsageError: an unknown option or a bad value.
        SystemExit: after printing `--help`.
    """
    parser = Parser(prog=prog, description=summary, allow_abbrev=False, argument_default=NOT_GIVEN)
    kinds = get_type_hints(settings)
    own = parser.add_argument_group("settings of this sample")
    common = parser.add_argument_group("settings of every sample")
    shared = {field.name for field in dataclasses.fields(Settings)}
    for field in dataclasses.fields(settings):
        add_option(common if field.name in shared else own, field, kinds[field.name])
    if predicts:
        asked = parser.add_argument_group("asking what was trained, instead of training")
        asked.add_argument("--predict", nargs="+", metavar=predicts,
                           help=f"what the trained network says to {'these files' if predicts == 'FILE' else 'this'}")
        asked.add_argument("--from", metavar="RUN", help="the run that trained it: its folder, its name, or 'last' "
                                                         "(default: the newest finished one)")
    return {name: value for name, value in vars(parser.parse_args(argv)).items() if value is not NOT_GIVEN}


def with_quick(settings: type[Settings], given: dict[str, Any]) -> dict[str, Any]:
    """`given`, and under `--quick` the small values of what it leaves out."""
    small = {field.name: field.metadata["quick"] for field in dataclasses.fields(settings)
             if field.metadata["quick"] is not NOT_GIVEN}
    return small | given if given.get("quick") else given


def from_json(settings: type[Settings], saved: dict[str, Any]) -> dict[str, Any]:
    """What a run wrote to settings.json, as arguments of its dataclass (JSON has no tuples)."""
    known = {field.name for field in dataclasses.fields(settings)}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in saved.items() if name in known}


def add_option(group: Any, field: dataclasses.Field[Any], kind: Any) -> None:
    """Add one field as an option, read according to its type."""
    flag = "--" + field.name.replace("_", "-")
    text = field.metadata["help"]
    default = shown(field.default)
    if kind is bool:
        action: Any = argparse.BooleanOptionalAction if field.default else "store_true"
        group.add_argument(flag, dest=field.name, action=action, default=NOT_GIVEN, help=text.replace("%", "%%"))
        return
    if default:
        text += f" (default: {default})"
    if field.metadata["quick"] is not NOT_GIVEN:
        text += f" (--quick: {shown(field.metadata['quick'])})"
    choices = get_args(without_none(kind)) if get_origin(without_none(kind)) is Literal else None
    metavar = "{" + ",".join(map(str, choices)) + "}" if choices else metavar_of(kind)
    group.add_argument(flag, dest=field.name, type=lambda word: read(word, kind, flag, field.metadata["minimum"]),
                       metavar=metavar, help=text.replace("%", "%%"))


def read(word: str, kind: Any, flag: str, minimum: float | None) -> Any:
    """One word of the command line as a value of the field's type.

    Raises:
        UsageError: naming the option, what it takes and what it got.
    """
    kind = without_none(kind)
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        for choice in choices:
            if word == str(choice):
                return choice
        raise UsageError(f"{flag} takes {listing(choices)}, not '{word}'")
    if get_origin(kind) is tuple:
        return tuple(read(part.strip(), get_args(kind)[0], flag, minimum) for part in word.split(","))
    if kind is str:
        return word
    what = {int: "a whole number", float: "a number"}[kind]
    bound = "" if minimum is None else f" of at least {minimum:g}"
    try:
        value = kind(word)
    except ValueError:
        value = None
    if value is None or not math.isfinite(value) or (minimum is not None and value < minimum):
        raise UsageError(f"{flag} takes {what}{bound}, not '{word}'")
    return value


def without_none(kind: Any) -> Any:
    """`str | None` -> `str`."""
    if get_origin(kind) in (Union, types.UnionType):
        return next(part for part in get_args(kind) if part is not type(None))
    return kind


def metavar_of(kind: Any) -> str:
    kind = without_none(kind)
    return "N,N,..." if get_origin(kind) is tuple else {int: "N", float: "X"}.get(kind, "TEXT")


def shown(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)


def listing(words: Sequence[Any]) -> str:
    """('a', 'b', 'c') -> "a, b or c"."""
    *rest, last = map(str, words)
    return f"{', '.join(rest)} or {last}" if rest else last


class Parser(argparse.ArgumentParser):
    """argparse, except that a mistake raises one sentence instead of printing the usage and leaving."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        found, unknown = self.parse_known_args(bind_negative_numbers(list(args)), namespace)
        if unknown:
            word = unknown[0].split("=")[0]
            flags = [flag for action in self._actions for flag in action.option_strings if flag.startswith("--")]
            near = difflib.get_close_matches(word, flags, n=2)
            hint = f"did you mean {listing(near)}?" if near else f"see {self.prog} --help"
            raise UsageError(f"{self.prog} has no option {word}; {hint}" if word.startswith("-")
                             else f"{self.prog} takes only options, not '{word}'; see {self.prog} --help")
        return found

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}")


def bind_negative_numbers(argv: list[str]) -> list[str]:
    """["--start", "-1.5,2"] -> ["--start=-1.5,2"]: argparse would take the number for an option."""
    bound: list[str] = []
    for word in argv:
        if bound and re.match(r"-[\d.]", word) and re.match(r"--[^=]+$", bound[-1]):
            bound[-1] += "=" + word
        else:
            bound.append(word)
    return bound
