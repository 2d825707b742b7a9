"""save, load, record, replay, alias, option."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from repl.engine import Session
from repl.main import main
from repl.record import difference
from repl.script import NotFound, find
from tests.repl.driver import REUSE, positions, refuse, say, session


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_save_and_load() -> None:
    s = session(*REUSE, "def f(x):\n    return x * 2", "step")
    assert say(s, "save walk.bwd") == "wrote 7 lines to walk.bwd\n"
    other = Session()
    shown = say(other, "load walk.bwd")
    assert "step  L = e + a" in shown and other.namespace["f"](2) == 4
    assert other.stepper is not None and other.stepper.position == 1
    assert "cannot read 'nothing'" in refuse(other, "load nothing")
    Path("self.bwd").write_text("load self.bwd\n")
    assert "loaded within itself" in say(other, "load self.bwd")
    assert "cannot write" in refuse(other, "save missing/x.bwd")


def test_record_replay_verify() -> None:
    s = session(*REUSE[:-1], "record walk.jsonl", "backward L", "step", "set a = 5", "diff", "expect a == 5", "end")
    assert not s.execute("nonsense at all").ok
    assert say(s, "record stop") == "recorded in walk.jsonl\n"
    lines = [json.loads(line) for line in Path("walk.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines[0] == {"format": "minitorch-session", "version": 1, "before": list(REUSE[:-1])}
    assert [one["line"] for one in lines[1:3]] == ["backward L", "step"]
    shown = say(Session(), "replay walk.jsonl")
    assert "> step\nstep  L = e + a  →  e" in shown and "what-if 1: a = 5.0" in shown
    assert "all 7 lines give what they gave" in say(Session(), "replay --verify walk.jsonl")


def test_verify_finds_what_changed() -> None:
    say(session(*REUSE[:-1], "record walk.jsonl", "backward L", "end"), "record stop")
    path = Path("walk.jsonl")
    path.write_text(path.read_text(encoding="utf-8").replace("Value(-3.0)", "Value(-4.0)"), encoding="utf-8")
    result = Session().execute("replay --verify walk.jsonl")
    assert not result.ok and result.exit_code == 1
    assert "`end`" in refuse(Session(), "replay --verify walk.jsonl")


TRAIN = """\
import sys
from minitorch import Value

w = Value(float(sys.argv[1]))
for t in (2.0, 3.0, 4.0):
    error = w - t
    loss = error * error
    loss.backward()
print("trained", w.grad)
"""


def recorded(*lines: str, options: tuple[str, ...] = ()) -> None:
    """Record lines typed while train.py is being debugged."""
    Path("train.py").write_text(TRAIN)
    typed = [part for line in lines for part in ("-c", line)]
    assert main(["debug", "--batch", *options, "train.py", *typed, "--", "1.0"]) in (0, 130)


def test_a_recording_of_a_script_runs_the_script_again(capsys: pytest.CaptureFixture[str]) -> None:
    recorded("step", "record walk.jsonl", "print w", "end", "next", "t", "why error", "abort")
    capsys.readouterr()
    s = session("x = 3")
    assert say(s, "replay --verify walk.jsonl") == "walk.jsonl: all 6 lines give what they gave in train.py\n"
    assert capsys.readouterr().out == ""  # what the script prints is not ours
    assert "w   1.0" in say(s, "replay walk.jsonl") and s.namespace["x"] == 3


def test_verify_names_the_line_that_a_changed_script_changes() -> None:
    recorded("record walk.jsonl", "step 2", "print loss", "quit")
    Path("train.py").write_text(TRAIN.replace("w - t", "w - 2.0 * t"))
    assert "line 1, `step 2`" in refuse(Session(), "replay --verify walk.jsonl")
    Path("train.py").write_text("import sys\nsys.exit('no data')\n")
    assert "`step 2`: the script ended before it (no data)" in refuse(Session(), "replay --verify walk.jsonl")
    Path("train.py").unlink()
    assert "it was recorded in train.py: there is no file" in refuse(Session(), "replay --verify walk.jsonl")
    inside = Session(script="own.py")  # as `with minitorch.debug()` opens it
    say(inside, "record inside.jsonl")
    say(inside, "record stop")
    assert "own.py opened the debugger itself" in refuse(Session(), "replay --verify inside.jsonl")


def test_a_recording_of_the_nth_pass_keeps_its_condition() -> None:
    recorded("record walk.jsonl", "t", "list", "quit", options=("--when", "step == 3"))
    assert json.loads(Path("walk.jsonl").read_text(encoding="utf-8").splitlines()[0])["script"]["when"] == "step == 3"
    assert "all 3 lines" in say(Session(), "replay --verify walk.jsonl")


def test_verify_leaves_the_draws_of_the_session_alone() -> None:
    say(session("record walk.jsonl", "minitorch.manual_seed(1); minitorch.rand(2)"), "record stop")
    s = session(
        "generator = minitorch.manual_seed(7)", "a = minitorch.rand(3).tolist()", "generator = minitorch.manual_seed(7)"
    )
    say(s, "replay --verify walk.jsonl")
    say(s, "b = minitorch.rand(3).tolist()")
    assert s.namespace["a"] == s.namespace["b"]


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("loss 0.1234", "loss 0.1235", True), ("loss 0.123", "loss 0.133", False), ("3 nodes", "4 nodes", False),
        ("<f at 0x7f00>", "<f at 0x8a11>", True), ("nan", "nan", True), ("1.0", "1.0 or", False),
    ],
)  # fmt: skip
def test_texts_are_compared_by_what_their_digits_show(a: str, b: str, same: bool) -> None:
    assert (difference([{"text": a}], [{"text": b}]) == "") is same


def test_recording_mistakes() -> None:
    s = session("record one.jsonl")
    assert "already recording" in refuse(s, "record two.jsonl")
    say(s, "record stop")
    assert "nothing is recorded" in refuse(s, "record stop")
    assert "cannot write" in refuse(s, "record missing/x")
    Path("other.txt").write_text("hello\n")
    assert "is no recording" in refuse(s, "replay other.txt")
    assert "cannot read" in refuse(s, "replay nothing")


def test_aliases() -> None:
    s = session(*REUSE, "alias two step 2", "alias look print")
    assert positions(s, ["two"]) == [2]
    assert "2.0" in say(s, "look a") and "step 2" in say(s, "alias")
    say(s, "two = 7")
    assert say(s, "two") == "7\n"
    assert "is a command already" in refuse(s, "alias step next")
    assert "stands for a command" in refuse(s, "alias foo bar")
    say(s, "alias look")
    assert "no alias 'look'" in refuse(s, "alias look")


def test_the_memory_option_caps_the_way_back() -> None:
    s = session("W = tensor(np.ones((8, 8)) / 9, requires_grad=True)", "y = W", "for _ in range(6): y = (y @ W).tanh() + y")
    say(s, "option memory 1 KB")
    assert "memory  1,000 bytes" in say(s, "option")
    assert positions(s, ["backward y.sum()", "end", "rnext 3", "start", "end"])[1:] == [
        len(s.stepper),
        len(s.stepper) - 5,
        0,
        len(s.stepper),
    ]  # type: ignore[arg-type]
    assert "limit" in say(s, "info memory")
    say(s, "option memory none")
    assert "such as 500 MB" in refuse(s, "option memory much")
    assert "no option 'x'" in refuse(s, "option x 3")


def test_where_the_current_directory_was_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.py").write_text("def f():\n    raise ValueError('no')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    s = session("import broken", f"record {tmp_path / 'walk.jsonl'}")
    here.rmdir()
    assert f"{tmp_path / 'broken.py'}:2inf" in refuse(s, "broken.f()").replace(" ", "")  # however it was wrapped
    assert "recorded in" in say(s, "record stop")
    assert "cannot write" in refuse(s, "save lesson.bwd")
    with pytest.raises(NotFound, match=r"no file 'train.py' here \(a directory that was deleted\)"):
        find("train.py")
