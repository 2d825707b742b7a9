"""What Tab offers."""

from __future__ import annotations

from repl.completion import offers
from tests.repl.driver import REUSE, session


def texts(line: str, *lines: str, asked: bool = True) -> list[str]:
    return [offer.text for offer in offers(session(*(lines or REUSE)), line, asked)]


def test_commands_with_their_summaries() -> None:
    found = offers(session(), "rs")
    assert [offer.text for offer in found if offer.text == "rstep"] and found[0].remark
    assert texts("st", asked=False) == ["step", "start", "storage"]
    assert "stack" in texts("st")  # Python, once asked for
    assert texts(":st") == ["step", "start", "storage"]


def test_nodes_with_their_values() -> None:
    found = offers(session(*REUSE, "next"), "break ")
    assert [offer.text for offer in found[:3]] == ["e", "a", "b"]  # the current node and its inputs first
    assert found[0].remark == "-6.0"
    assert "op:mul" in texts("break op:") and "leaf" in texts("break le")


def test_python_names_and_attributes_without_evaluating() -> None:
    lines = (
        "class Trap:\n    loud = 3\n    @property\n    def boom(self): raise SystemExit('evaluated')\n"
        "    def __getattr__(self, name): raise SystemExit('evaluated')\n",
        "trap = Trap()",
    )
    assert texts("trap.b", *lines) == ["boom"]
    assert texts("trap.boom.", *lines) == []
    assert "loud" in texts("print trap.", *lines)
    assert "grad" in texts("L.gr") and "tanh" in texts("L.tan")
    assert "zeros" in texts("np.zer") and "Linear" in texts("nn.Lin")


def test_while_typing_python_nothing_pops_up() -> None:
    assert texts("a.", asked=False) == [] and texts("x = a", asked=False) == [] and texts("p", asked=False) == []


def test_help_offers_topics_and_commands() -> None:
    assert "keys" in texts("help k") and "step" in texts("help st")


def test_words_that_a_command_takes() -> None:
    assert texts("catch de") == ["dead"] and texts("rule no") == ["noorder", "nozero"]
    s = session("a = Value(1.0)", "L = a * a", "backward L", "set a = 2")
    assert [offer.text for offer in offers(s, "branch ")] == ["main", "what-if 1"]


def test_files_are_offered(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "walk.jsonl").write_text("")
    assert texts("replay wa") == ["walk.jsonl"]


NET = (
    "net = nn.Sequential(nn.Sequential(nn.Linear(2, 3), nn.Tanh()), nn.Linear(3, 1))",
    "L = net(tensor([[1.0, 2.0]])).sum()",
    "backward L",
)


def test_selectors_of_every_kind() -> None:
    assert "shape:(1,3)" in texts("find sh", *NET) and texts("find shape:(3,", *NET) == ["shape:(3,)", "shape:(3,2)"]
    assert "op:tanh" in texts("until op:t", *NET) and texts("list par", *NET) == ["param"]
    assert texts("goto @", *NET) == ["@", "@-1", "@+1"] and texts("inputs #", *NET) == ["#1"]
    assert "0.0.*" in texts("break 0.0", *NET) and "net.0.0.weight" in texts("hist net.0", *NET)
    assert texts("expand 0", *NET) == ["0", "0.0", "0.1"]


def test_numbers_of_what_was_set() -> None:
    s = session(*REUSE, "break e if grad > 0", "display a")
    found = offers(s, "delete ")
    assert [offer.text for offer in found] == ["1"] and found[0].remark == "break e if grad > 0"
    assert [offer.text for offer in offers(s, "undisplay ")] == ["1"]
    assert texts("info gr") == ["grads"] and texts("theme d") == ["dark"] and texts("depth a") == ["auto"]
