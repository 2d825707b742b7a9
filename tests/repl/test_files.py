"""save, load, record, replay, alias, option."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from repl.engine import Session
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
