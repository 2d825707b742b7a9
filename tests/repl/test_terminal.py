"""A real terminal (a pty): typing, keys, pasting, Ctrl-C, Ctrl-D, narrow and dumb screens. Waits for text, never for time."""

from __future__ import annotations

import os
import re
import signal
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from repl import launch, terminal
from repl.plain import PlainReader
from repl.screen import Screen
from viz.theme import DARK

pexpect = pytest.importorskip("pexpect")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")

ROOT = Path(__file__).parents[2]
F1, F5, F10, F11 = "\x1bOP", "\x1b[15~", "\x1b[21~", "\x1b[23~"
SHIFT_F10, SHIFT_F11, ALT_N = "\x1b[21;2~", "\x1b[23;2~", "\x1bn"
TAB, UP, RIGHT = "\t", "\x1b[A", "\x1b[C"
WHERE = "\x1b[6n"  # where is your cursor?
CTRL_C, CTRL_D = "\x03", "\x04"
ESCAPE = re.compile(r"\x1b\[[\d;?]*[A-Za-z]|\x1b[=>]|\r")
COLOUR = re.compile(r"\x1b\[[\d;]*\b(3[0-7]|4[0-7]|9[0-7]|10[0-7])m")


def heed_ctrl_c() -> None:
    """In the child: a shell that started the tests in the background has told them to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Talk:
    """A child at a pty. `seen` is all it wrote, `text` the same without escape sequences.

    With `answers`, the terminal tells where its cursor is when it is asked, without which there is no toolbar.
    """

    def __init__(
        self, home: Path, *arguments: str, columns: int = 80, command: str = "", answers: bool = False, **env: str
    ) -> None:
        settings = {**os.environ, "HOME": str(home), "TERM": "xterm", "PYTHONPATH": str(ROOT)}
        if not answers:
            settings["PROMPT_TOOLKIT_NO_CPR"] = "1"
        for name in ("NO_COLOR", "COLUMNS", "XDG_STATE_HOME"):
            settings.pop(name, None)
        words = [sys.executable, "-m", "repl", *arguments] if not command else ["sh", "-c", command]
        self.child = pexpect.spawn(
            words[0], words[1:], env={**settings, **env}, dimensions=(30, columns), encoding="utf-8", timeout=20, cwd=str(home),
            preexec_fn=heed_ctrl_c,
        )  # fmt: skip
        self.seen = ""
        self._from = 0

    @property
    def text(self) -> str:
        return ESCAPE.sub("", self.seen)

    def wait(self, *expected: str) -> None:
        """Read until each of these texts has come, in this order."""
        for one in expected:
            while (at := self.text.find(one, self._from)) < 0:
                try:
                    self._read()
                except (pexpect.TIMEOUT, pexpect.EOF):
                    pytest.fail(f"waited for {one!r}, got:\n{self.text[self._from :]}")
            self._from = at + len(one)

    def _read(self) -> None:
        new = self.child.read_nonblocking(4096, timeout=20)
        self.seen += new
        for _ in range(new.count(WHERE)):
            self.child.send("\x1b[3;1R")

    def say(self, keys: str, *expected: str) -> None:
        """Type, and wait for each of these texts in turn."""
        self.child.send(keys)
        self.wait(*expected)

    def ends(self) -> int:
        """Wait for the end; returns the exit code."""
        try:
            while True:
                self._read()
        except pexpect.EOF:
            pass
        self.child.close()
        code: int = self.child.exitstatus
        return code


def test_a_session(tmp_path: Path) -> None:
    talk = Talk(tmp_path)
    talk.say("", "`help` shows how.")
    talk.say("a = Value(2.0)\r")
    talk.say("c = a * a\r")
    talk.say("c\r", "c = a × a", "hint: c is your variable")
    talk.say("backward c\r", "2 steps through 1 node", "step 0/2")
    talk.say(F11, "numbers", "2.0")
    talk.say("\r", "end of the pass")  # a blank line repeats the step
    talk.say(SHIFT_F11, "taken back", "changed")
    talk.say("half a line" + CTRL_C, "half a line")
    talk.say("a.require\t", "s_grad")
    talk.say("\r", "True")
    talk.say("rnext\r", "back at the start")
    talk.say(ALT_N, "end of the pass")
    talk.say("stpe\r", "did you mean 'step'")
    talk.say("abc" + CTRL_D + CTRL_C, "abc")  # Ctrl-D leaves on an empty line only
    talk.say(CTRL_D)
    assert talk.ends() == 0
    assert "Traceback" not in talk.seen
    history = tmp_path / ".local" / "state" / "minitorch" / "history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert "+c = a * a" in history.read_text() and "rstep" not in history.read_text()


def test_every_key_of_the_debugger(tmp_path: Path) -> None:
    talk = Talk(
        tmp_path,
        "--no-history",
        "-c",
        "a = Value(2.0)",
        "-c",
        "b = (a * a).tanh()",
        "-c",
        "backward b",
        columns=120,
        answers=True,
    )
    talk.say("", "step 0/3", "memory 0 B", "F5/Alt-c continue")
    talk.say("half" + F10, "step 1/3")  # what stood in the line stays there
    talk.say(F10, "end of the pass", "memory 144 B")
    talk.say(SHIFT_F10, "step 1/3")
    talk.say(SHIFT_F10, "back at the start")
    talk.say(F11, "step 1/3")
    talk.say(SHIFT_F11, "back at the start")
    talk.say(F5, "end of the pass")
    talk.say(F1, "help COMMAND shows one at work")
    talk.say(CTRL_C, "half")
    talk.say(CTRL_D)
    assert talk.ends() == 0 and "Traceback" not in talk.seen


def test_completion_and_suggestions(tmp_path: Path) -> None:
    talk = Talk(tmp_path, "-c", "apple = Value(2.0)", "-c", "b = apple * 3", "-c", "backward b")
    talk.say("", "step 0/1")
    talk.say("break app", "2.0")  # the menu, with the value beside the name
    talk.say(TAB + "\r\r", "breakpoint 1: apple")  # Enter takes what was chosen, and then runs the line
    talk.say("break ap", "apple")  # from the history, in grey
    talk.say(RIGHT + "\r", "breakpoint 2: apple")
    talk.say(UP + "\r", "breakpoint 3: apple")
    talk.say(CTRL_D)
    assert talk.ends() == 0 and "Traceback" not in talk.seen


def test_a_window_that_grows_and_shrinks(tmp_path: Path) -> None:
    talk = Talk(tmp_path, "-c", "a = Value(2.0)", "-c", "backward a * a + a", columns=100)
    talk.say("", "step 0/4", "shows how", "(0/4")
    talk.child.setwinsize(30, 40)
    begun = len(talk.text)
    talk.say("list\r", "in 0/3", "(0/4")  # cells one by one, where columns do not fit
    talk.say("step\r", "changed", "next")
    shown = [line for line in talk.text[begun:].split("\n") if not line.startswith(("(", " step"))]
    assert max(map(len, shown)) <= 40 + len("list")
    talk.child.setwinsize(30, 100)
    talk.say("list\r", "steps  node", "state")
    talk.say(CTRL_D)
    assert talk.ends() == 0 and "Traceback" not in talk.seen


def test_a_terminal_that_goes_away_ends_the_session(tmp_path: Path) -> None:
    talk = Talk(tmp_path, "-c", "a = Value(2.0)")
    talk.say("", "shows how.")
    talk.child.close(force=True)
    assert not talk.child.isalive()


def test_undo_at_the_prompt(tmp_path: Path) -> None:
    talk = Talk(tmp_path, "--no-history", "-c", "w = tensor([1.0, 2.0], requires_grad=True)")
    talk.say("", "shows how.")
    talk.say("w.data[0] = 9.0\rundo\r", "undone: w.data[0] = 9.0")
    talk.say("w.tolist()\r", "[1.0, 2.0]")
    talk.say("redo\rw.tolist()\r", "[9.0, 2.0]")
    talk.say(CTRL_D)
    assert talk.ends() == 0


NET = """
net = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2), nn.Tanh()), nn.Linear(2, 1))
L = (net(tensor([[1.0, 2.0]])) ** 2).sum()
backward L
"""


def test_pictures_and_modules_at_the_prompt(tmp_path: Path) -> None:
    (tmp_path / "net.bwd").write_text(NET, encoding="utf-8")
    talk = Talk(tmp_path, "--no-history", "-x", "net.bwd", BROWSER="true", DISPLAY="")
    talk.say("", "shows how.")
    talk.say("view\r", "L is shown in ")
    talk.say("depth 0\r", "modules are one box each")
    talk.say("expand 1\r", "1 stands open in pictures")
    talk.say("theme dark\r", "pictures are dark")
    talk.say("draw now.svg\r", "into now.svg, at step 0/")
    drawn = (tmp_path / "now.svg").read_text(encoding="utf-8")
    assert DARK.page in drawn
    talk.say("step 6\rfinish\r", "left 1.0")
    talk.say("rfinish\r", "came into 1.0 here")
    talk.say("undo\rundo\rundo\r", "undone: theme dark", "undone: expand 1", "undone: depth 0")
    talk.say("redo\r", "done again: depth 0")
    talk.say("rule assign\r", "wrong on purpose")
    talk.say("rule right\rpredict\r", "hand on to")
    talk.say("list shape:(2,2)\r", "net.1.0.weight")
    talk.say("storage net.0.weight\r", "strides")
    talk.say("view off\r")
    talk.say(CTRL_D)
    assert talk.ends() == 0


def test_blocks_typed_and_pasted(tmp_path: Path) -> None:
    talk = Talk(tmp_path, "--no-history")
    talk.say("", "`help` shows how.")
    talk.say("def f(x):\r", "...")
    talk.say("return x + 41\r\r")  # the indentation comes by itself
    talk.say("f(1)\r", "42")
    talk.say("\x1b[200~b = Value(3.0)\ndef g(x):\n    y = x * b\n\n    return y\n\nbackward g(b)\nstep\n\x1b[201~\r")
    talk.wait("backward mul_1", "b  3.0, 1/2 in")
    talk.say("quit\r")
    assert talk.ends() == 0
    assert not (tmp_path / ".local").exists()


def test_ctrl_c_stops_a_long_continue_and_keeps_the_pass(tmp_path: Path) -> None:
    talk = Talk(tmp_path, "-c", "x = Value(1.0)", "-c", "for _ in range(100000): x = x * 1.00001", "-c", "backward x")
    talk.say("", "step 0/100000", "(0/100000")
    talk.say("break * if step == 5 and print('under way')\r", "breakpoint 1")
    talk.say("continue\r", "\nunder way")
    talk.say(CTRL_C, "stopped by Ctrl-C")
    talk.say("where\r", "of x, step")
    talk.say("end\r", "end of the pass")
    talk.say("print('under way'); sum(0 for _ in iter(int, 1))\r", "\nunder way")
    talk.say(CTRL_C, "KeyboardInterrupt: stopped by Ctrl-C")
    talk.say(CTRL_D)
    assert talk.ends() == 0


def test_forty_columns_and_no_colour(tmp_path: Path) -> None:
    talk = Talk(tmp_path, columns=40, NO_COLOR="1")
    talk.say("", "`help` shows")
    talk.say("a = Value(2.0)\rbackward a * a\r", "step 0/2")
    talk.say("step\r", "changed", "next")
    talk.say("list\r", "state")
    talk.child.setwinsize(30, 80)
    talk.say("list\r", "steps  node   is")
    talk.say(CTRL_D)
    assert talk.ends() == 0
    assert not COLOUR.search(talk.seen)


def test_a_dumb_terminal_gets_plain_lines(tmp_path: Path) -> None:
    talk = Talk(tmp_path, TERM="dumb")
    talk.say("", ">>> ")
    talk.say("def f(x):\r", "... ")
    talk.say("    return x + 41\r", "... ")
    talk.say("\r", ">>> ")
    talk.say("f(1)\r", "42")
    talk.say("half" + CTRL_C, ">>> ")
    talk.say(CTRL_D)
    assert talk.ends() == 0
    assert "\x1b" not in talk.seen


def test_an_ascii_terminal_gets_ascii(tmp_path: Path) -> None:
    talk = Talk(tmp_path, PYTHONIOENCODING="ascii", PYTHONUTF8="0", TERM="dumb")
    talk.say("", ">>> ")
    talk.say("a = Value(2.0, name='\\u03b1')\r", ">>> ")
    talk.say("backward a * a\r", "step 0/2")
    talk.say("step\r", "chain    grad(\\u03b1) += grad(mul_1) * dmul_1/d\\u03b1")
    talk.say(CTRL_D)
    assert talk.ends() == 0


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    talk = Talk(tmp_path, XDG_STATE_HOME="/proc/nowhere")
    talk.say("", "shows how.")
    talk.say("40 + 2\r", "42")
    talk.say(CTRL_D)
    assert talk.ends() == 0
    assert "Traceback" not in talk.seen


def test_a_debugged_script_keeps_its_own_standard_streams(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        "import sys\nfrom minitorch import Value\nw = Value(float(sys.stdin.readline()))\n"
        "for t in sys.stdin:\n    ((w - float(t)) ** 2).backward()\n    print('grad', w.grad)\n"
    )
    command = f"printf '1\\n2\\n3\\n' | {sys.executable} -m repl debug train.py > out.txt"
    talk = Talk(tmp_path, command=command)
    talk.say("", "step 0/2")
    talk.say(F10, "step 1/2")
    talk.say("print w\r", "w   1.0")
    talk.say("end\r", "continue lets train.py go on")
    talk.say("next\r", "goes on to its next backward()", "step 0/2")
    talk.say("quit\r", "goes on without the debugger")
    assert talk.ends() == 0
    assert (tmp_path / "out.txt").read_text() == "grad -2.0\ngrad -6.0\n"


def test_the_demo_is_paused_inside_a_pass(tmp_path: Path) -> None:
    talk = Talk(tmp_path, "demo")
    talk.say("", "class Net", "minitorch-demo.svg", "Your turn", "(6/13")
    talk.say(F11, "step 7/13")
    talk.say(CTRL_D)
    assert talk.ends() == 0
    assert any(path.name.startswith("minitorch-demo") for path in tmp_path.iterdir())


class NoConsoleScreenBufferError(Exception):
    """As prompt_toolkit raises it on Windows, under git-bash or in an IDE."""


def test_a_console_that_prompt_toolkit_cannot_drive(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise NoConsoleScreenBufferError

    monkeypatch.setattr(terminal, "create_output", fail)
    monkeypatch.setattr(launch, "is_terminal", lambda stream: True)
    monkeypatch.delenv("TERM", raising=False)
    assert isinstance(launch.reader_on(None, sys.stdout, False, None, False), PlainReader)


def test_inside_an_event_loop_the_plain_reader_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    monkeypatch.setattr(launch, "is_terminal", lambda stream: True)

    async def inside() -> object:
        return launch.reader_on(None, sys.stdout, False, None, False)

    assert isinstance(asyncio.run(inside()), PlainReader)


def test_screens(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stream:
        encoding = "cp1252"

        def isatty(self) -> bool:
            return True

    stream: Any = Stream()
    assert Screen.of(stream, env={"COLUMNS": "120"}) == Screen(120, True, True)
    assert not Screen.of(stream, env={"NO_COLOR": "1"}).color and not Screen.of(stream, color=False, env={}).color
    assert Screen.of(stream, env={"NO_COLOR": ""}).color and not Screen.of(stream, env={"TERM": "dumb"}).color
    assert Screen.of(stream, width=3, env={}).width == 24
