"""Command or Python: the rule, case by case."""

from __future__ import annotations

import pytest

import repl.commands  # noqa: F401  fills the registry
from repl.blocks import blocks, needs_more
from repl.dispatch import dispatch
from repl.registry import REGISTRY, CommandError
from tests.repl.driver import REUSE, session, text


def kind(line: str, variables: tuple[str, ...] = (), nodes: tuple[str, ...] = ()) -> str:
    found = dispatch(line, REGISTRY, variables, nodes)
    return found.command.name if found.command else found.kind


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("step", "step"),
        ("  step 3", "step"),
        ("s", "step"),
        ("c", "continue"),
        ("n 2", "next"),
        ("?", "help"),
        ("? step", "help"),
        ("print a + b", "print"),
        ("print -x", "print"),
        ("backward (a - b) ** 2", "backward"),
        ("break op:relu if grad > 1", "break"),
        ("draw L out.svg", "draw"),
        ("draw ./out.svg", "draw"),
        ("list @", "list"),
        ("step = 3", "python"),
        ("step += 3", "python"),
        ("step == 3", "python"),
        ("s, t = 1, 2", "python"),
        ("s : int = 1", "python"),
        ("step(3)", "python"),
        ("print(3)", "python"),
        ("print (3)", "python"),
        ("list [1]", "python"),
        ("step.x", "python"),
        ("step[0]", "python"),
        ("a = Value(1.0)", "python"),
        ("del x", "python"),
        ("import os", "python"),
        ("!step", "python"),
        ("", "blank"),
        ("   ", "blank"),
    ],
)
def test_what_a_line_is(line: str, expected: str) -> None:
    assert kind(line) == expected


@pytest.mark.parametrize("name", ["c", "n", "s", "step", "list", "w"])
def test_a_variable_wins_and_the_hint_says_how_to_reach_the_command(name: str) -> None:
    found = dispatch(name, REGISTRY, (name,))
    assert found.kind == "python" and f"`:{name}`" in found.hint
    assert kind(f":{name}", (name,)) != "python"


def test_plain_python_with_such_a_variable_needs_no_hint() -> None:
    assert dispatch("c + 1", REGISTRY, ("c",)).hint == ""
    assert dispatch("n 3", REGISTRY, ("n",)).hint != ""  # no Python: it was meant as a command


def test_what_cannot_be_python_is_the_command_though_a_variable_has_its_name() -> None:
    for line in ("step 3", "step @", "list all", "print x"):
        assert kind(line, ("step", "list", "print")) == line.split()[0]
    for line in ("step", "step + (", "step if x else (1,", "step in (", "step - 3", "step = 3", "step.real"):
        assert kind(line, ("step",)) == "python"


def test_an_abbreviation_yields_to_a_node_of_its_name() -> None:
    found = dispatch("c", REGISTRY, (), ("c",))
    assert found.command is REGISTRY.find("print") and "`:c`" in found.hint
    assert kind("step", (), ("step",)) == "step"


def test_an_unknown_forced_command_names_the_nearest() -> None:
    with pytest.raises(CommandError, match="no command 'stepp'; did you mean 'step'"):
        dispatch(":stepp", REGISTRY, ())


def test_every_name_is_used_once_and_no_command_shadows_a_statement() -> None:
    names = [name for command in REGISTRY for name in command.names]
    assert len(names) == len(set(names))
    assert not {"del", "import", "from", "with", "for", "if"} & set(names)


def is_command(line: str) -> bool:
    return dispatch(line, REGISTRY, ()).kind == "command"


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):",
        "def f(x):\n    return x",
        "for i in x:",
        "x = [",
        "x = (1 +",
        "'''text",
        "@decorator",
        "if a:\n    b\nelse:",
    ],
)
def test_enter_goes_on(text: str) -> None:
    assert needs_more(text, is_command)


@pytest.mark.parametrize(
    "text",
    ["x = 1", "step", "def f(x): return x", "def f(x):\n    return x\n", "f(a,\n  b)", "x = )", "", "a = 1\nstep", "!x"],
)
def test_enter_carries_out(text: str) -> None:
    assert not needs_more(text, is_command)


def test_blocks_of_a_paste() -> None:
    paste = "a = 1\n\ndef f(x):\n    y = x\n\n# remark\n    return y\n\nif a:\n    b = 2\nelse:\n    b = 3\n"
    paste += "step 2\nx = [\n1,\n]\nstep"
    assert list(blocks(paste.split("\n"), is_command)) == [
        "a = 1",
        "def f(x):\n    y = x\n\n# remark\n    return y",
        "if a:\n    b = 2\nelse:\n    b = 3",
        "step 2",
        "x = [\n1,\n]",
        "step",
    ]


def test_a_command_with_a_slip_and_an_argument_is_recognised() -> None:
    for line in ("stpe 3", "backwrd L", "brek a if grad > 0"):
        shown = text(session(*REUSE).execute(line))
        assert "neither Python nor a command; did you mean" in " ".join(shown.split()) and "SyntaxError" not in shown
    assert "SyntaxError" in text(session(*REUSE).execute("for i in"))
