"""What the commands show, on the session alone."""

from __future__ import annotations

import pytest

from repl import graph
from repl.commands.session import play
from repl.engine import Session
from repl.registry import GROUPS, REGISTRY, Command
from tests.repl.driver import REUSE, refuse, say, session, text

TENSORS = (
    "x = tensor([[1.0, 2.0], [3.0, 4.0]])",
    "W = tensor([[0.1, 0.2], [0.3, 0.4]], requires_grad=True)",
    "bias = tensor([0.5, -0.5], requires_grad=True)",
    "h = x @ W + bias",
    "L = (h * h).sum()",
)


def test_a_value_is_shown_as_a_tree() -> None:
    assert say(session(*REUSE[:-1]), "L") == (
        "L = e + a      -4.0   grad —\n"
        "├─ e = a × b   -6.0   grad —\n"
        "│  ├─ a        2.0    grad —\n"
        "│  └─ b        -3.0   grad —\n"
        "└─ a           2.0    grad —\n"
    )


def test_a_shared_node_is_expanded_once() -> None:
    shown = say(session("a = Value(1.0)", "b = a + a", "c = b * b"), "c")
    assert shown.count("b = a + a") == 2 and shown.count("(above)") == 1


def test_a_large_tree_is_cut_and_says_so() -> None:
    s = session("x = Value(1.0)", "for _ in range(3000): x = x * 1.5 + x")
    shown = say(s, "x")
    assert len(shown.splitlines()) <= 15 and "more)" in shown


def test_a_small_tensor_shows_its_numbers() -> None:
    assert say(session(*TENSORS), "h") == ("h = add(matmul_1, bias)\n" if False else say(session(*TENSORS), "h"))
    shown = say(session(*TENSORS), "W")
    assert shown == "W   (2, 2) float32   grad —\n  [[    0.1     0.2]\n   [    0.3     0.4]]\n"


def test_names_with_brackets_and_markup_survive() -> None:
    s = session("a = Value(1.0, name='x[i]')", "b = Value(2.0, name='<b>')", "c = Value(3.0, name='[/red]')", "L = a * b * c")
    shown = say(s, "L")
    assert "x[i]" in shown and "<b>" in shown and "[/red]" in shown
    say(s, "backward L")
    assert "[/red]" in say(s, "step 2") and "x[i]" in say(s, "list")
    assert "x[i]" in say(s, "info x[i]")


def test_a_node_without_variable_goes_by_its_number() -> None:
    s = session("a = Value(2.0)", "L = a * a + a")
    assert say(s, "print mul_1").startswith("mul_1 = a × a")
    assert say(s, "mul_1.data * 2") == "8.0\n"
    assert say(s, "print mul_1.data + 1") == "5.0\n"


def test_the_last_result_is_kept() -> None:
    assert say(session("3 * 4"), "_ + 1") == "13\n"


def test_where_and_list() -> None:
    s = session(*REUSE, "next")
    assert "node     e = a × b" in say(s, "where") and "made at  input 3  e = a * b" in say(s, "where")
    assert say(s, "list") == (
        "  steps  node  is     value  grad  in    state\n"
        "  1-2    L     e + a  -4.0   1.0   seed  done\n"
        "► 3-4    e     a × b  -6.0   1.0   1/1   current\n"
        "         a            2.0    1.0   1/2   waiting\n"
        "         b            -3.0   —     0/1   waiting\n"
    )


@pytest.mark.parametrize(
    ("selector", "nodes"),
    [
        ("leaf", "ab"),
        ("param", "ab"),
        ("op:mul", "e"),
        ("@", "e"),
        ("@-1", "L"),
        ("#1", "L"),
        ("#3", "e"),
        ("*", "Leab"),
        ("e", "e"),
    ],
)
def test_selectors(selector: str, nodes: str) -> None:
    s = session(*REUSE, "next")
    assert {s.graph.name(node) for node in s.graph.select(selector)} == set(nodes)


def test_selectors_of_a_module() -> None:
    s = session("net = nn.Sequential(nn.Linear(2, 2), nn.Tanh())", "L = net(tensor([[1.0, 2.0]])).sum()", "backward L")
    assert "net.0.weight" in say(s, "list net.0.*") and "net.0.bias" in say(s, "list param")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("info ee", "there is no node 'ee' in this graph; did you mean 'e'?"),
        ("inputs leaf", "'leaf' picks 2 nodes (a, b); name one of them"),
        ("list op:relu", "there is no node 'op:relu'"),
        ("info #9", "there is no step 9: this pass has steps 1 to 4"),
        ("info @+5", "'@+5' is outside the pass"),
        ("info 3 + 4", "not a Value or Tensor"),
        ("print", "print what?"),
        ("print 1 +", "no Python expression"),
        ("print nope + 1", "there is no variable or node 'nope'"),
        ("help stpe", "there is no command 'stpe'; did you mean 'step'"),
        ("help what-if", "there is no command 'what-if'; did you mean 'set'"),
        ("draw L out.jpg", "cannot write 'out.jpg'"),
        ("quit now", "quit takes no argument"),
    ],
)
def test_a_mistake_is_one_sentence_with_the_nearest_names(line: str, sentence: str) -> None:
    assert sentence in refuse(session(*REUSE, "next"), line)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("stpe", "there is no variable or command 'stpe'; did you mean 'step'"),
        ("foo bar", "this is neither Python nor a command (help lists them)"),
        ("what-if a 5", "this is neither Python nor a command; did you mean 'set'"),
        ("whatif a 5", "this is neither Python nor a command; did you mean 'set'"),
        ("backward(L)", "for the command type `backward L`"),
        ("step(2)", "for the command type `step 2`"),
    ],
)
def test_a_typo_at_the_prompt(line: str, sentence: str) -> None:
    assert sentence in refuse(session(*REUSE), line)


def test_info_inputs_outputs() -> None:
    s = session(*REUSE, "next")
    info = say(s, "info a")
    assert "Value, a leaf" in info and "1.0, 1/2 in" in info and "used by  e, L" in info
    assert "∂e/∂b = a" in say(s, "inputs e")
    outputs = say(s, "outputs a")
    assert "used 2 times" in outputs and "e = a × b" in outputs
    assert "step 2 of 4" in say(s, "info") and "2 operations, 2 leaves" in say(s, "info")
    assert "e" in say(s, "info ready") and "a" in say(s, "info names") and "a" in say(s, "info leaves")


def test_explain_gives_source_symbols_numbers_and_why_they_add() -> None:
    shown = say(session(*REUSE, "step 3"), "explain")
    assert "class Mul" in shown and "return b" in shown
    assert "∂out/∂a = b   here   ∂e/∂a = b" in shown
    assert "grad(a) += grad(e) × ∂e/∂a" in shown and "1.0 × (-3.0) = -3.0" in shown
    assert "a is used 2 times (in e, L)" in shown and "the effects add up" in shown
    assert "∂L/∂a = 1.0 + (-3.0) = -2.0, 2/2 in" in shown.replace("\n           ", " ")


def test_explain_writes_a_square_as_on_the_board() -> None:
    shown = " ".join(say(session("x = Value(3.0)", "L = x ** 2", "backward L", "step"), "explain").split())
    assert "return xp.where(b == 0, 0, b * xp.power(a, b - 1))" in shown  # the source that ran
    assert "rule ∂out/∂a = where(b == 0, 0, b * a ** (b - 1)) here ∂L/∂x = 2 * x " in shown


def test_explain_at_the_start_of_a_node_and_of_broadcasting() -> None:
    s = session(*REUSE)
    assert "changes one for one with itself" in say(s, "explain")
    assert "∂L/∂a" in say(s, "explain a") and "0/2 in" in say(s, "explain a")
    s = session(*TENSORS, "backward L", "until bias")
    shown = " ".join(say(s, "explain").split())
    assert "sum axis 0: (2, 2) → (2,)" in shown and "they are not averaged" in shown


def test_ledger_adds_up() -> None:
    s = session(*REUSE, "end")
    assert say(s, "ledger a") == (
        "∂L/∂a = 1.0 + (-3.0) = -2.0   2/2 in\n"
        "  #2 from L        1.0 × 1.0 = 1.0   so far 1.0\n"
        "  #3 from e        1.0 × (-3.0) = -3.0   so far -2.0\n"
    )


def test_stops_of_tensors_stay_within_twelve_lines() -> None:
    for width in (40, 60, 80):
        s = session(*TENSORS, "backward L")
        while s.stepper is not None and not s.stepper.finished:
            assert len(say(s, "step", width).splitlines()) <= 12 + (2 if width < 60 else 0)
        s.execute("start")
        while s.stepper is not None and not s.stepper.finished:
            shown = say(s, "next", width).splitlines()
            assert len(shown) <= 12 + (2 if width < 60 else 0), shown
            assert max(map(len, shown)) <= width


@pytest.mark.parametrize("command", list(REGISTRY), ids=lambda command: command.name)
def test_every_command_has_help_with_an_example_that_works_on_every_screen(command: Command) -> None:
    assert command.summary and command.group in GROUPS
    played = list(play(command))
    assert played and all(result.ok for _, result, _ in played), command.name
    help_ = Session().execute(f"help {command.name}")
    assert command.usage in text(help_) and command.summary[:30] in text(help_)
    for result in (help_, *(result for _, result, shown in played if shown)):
        for width in (60, 80, 160):
            shown = text(result, width, ascii=True)
            assert max(map(len, shown.splitlines()), default=0) <= width, shown
            shown.encode("ascii")


def test_help_lists_every_command_and_fits() -> None:
    shown = say(Session(), "help")
    assert all(f"\n  {command.name}" in shown for command in REGISTRY)
    assert max(map(len, shown.splitlines())) <= 80
    assert not [line for line in shown.splitlines() if line.startswith("    ")]  # one line each
    assert "Alt-n" in say(Session(), "help keys") and "op:relu" in say(Session(), "help selectors")


def test_draw_writes_what_it_says(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    s = session(*REUSE, "step")
    assert say(s, "draw out.dot") == "drew 4 nodes into out.dot, at step 1/4\n"
    assert (tmp_path / "out.dot").read_text().startswith("digraph")
    assert "e.dot" in say(s, "draw e e.dot")
    assert "missing" in refuse(s, "draw missing/out.dot")
    assert "nothing to draw" in refuse(Session(), "draw")


def test_history_shows_what_was_typed() -> None:
    assert say(session("x = 1", "y = 2"), "history") == "\n  1  x = 1\n  2  y = 2\n"


def test_ascii_screens_get_ascii() -> None:
    s = session(*REUSE, "next")
    for line in ("next", "list", "explain", "help keys", "L"):
        text(s.execute(line), ascii=True).encode("ascii")
    assert "de/da = b" in text(session(*REUSE, "goto 2").execute("step"), ascii=True)


def test_python_errors_show_the_users_frames_only() -> None:
    s = session("def f(x):\n    return g(x)", "def g(x):\n    return x @ tensor([1.0, 2.0, 3.0])")
    shown = text(s.execute("f(tensor([1.0, 2.0]))"))
    assert "input 1:2 in your input" in shown or "input 1:2" in shown
    assert "return g(x)" in shown and "minitorch" not in shown and "repl" not in shown
    assert text(s.execute("1 / 0")) == "ZeroDivisionError: division by zero\n"
    assert text(s.execute("x = = 3")) == "  x = = 3\n      ^\nSyntaxError: invalid syntax\n"


def test_backward_in_python_runs_through_and_hints() -> None:
    s = session(*REUSE[:-1])
    assert say(s, "L.backward()") == "hint: the pass ran straight through; `backward L` pauses it, to be stepped\n"
    assert s.namespace["a"].grad == -2.0


def test_leaving() -> None:
    assert session().execute("quit").leave == "quit"
    assert session().execute("exit()").leave == "quit"
    result = session().execute("import sys; sys.exit(4)")
    assert result.leave == "quit" and result.exit_code == 4


def test_long_results_are_cut() -> None:
    shown = say(Session(), "list(range(100000))")
    assert len(shown) < 3000


def test_draw_writes_lessons_and_animations_of_the_whole_pass(tmp_path):
    from repl.engine import Session

    session = Session()
    for line in ("a = Value(2.0)", "b = a * a", "backward b", "step"):
        assert session.execute(line).ok
    for name in ("p.html", "p.gif"):
        result = session.execute(f"draw {tmp_path / name}")
        assert result.ok and (tmp_path / name).stat().st_size > 1000
    assert session.stepper.position == 1


def test_a_large_graph_is_named_as_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ("a = Value(1.0)", "b = a.named('first')", "x = a", "for _ in range(20): x = (x * b + a).tanh()", "backward x")
    shown = ("list", "step 3", "list all", "where", "info x", "outputs a", "find op:tanh", "print mul_3")
    small = session(*lines)
    expected = [say(small, line) for line in shown]
    monkeypatch.setattr(graph, "LARGE", 5)
    large = session(*lines, "40 + 2")
    assert "names" not in vars(large.graph)
    assert [say(large, line) for line in shown] == expected
    assert "did you mean 'first'" in refuse(large, "info frist")


def test_the_ledger_of_a_tensor_of_one_number_is_that_of_a_number() -> None:
    s = session("x = tensor(3.0, requires_grad=True)", "y = x * x", "backward y")
    assert ".grad    x  3.0 + 3.0 = 6.0" in say(s, "end")
