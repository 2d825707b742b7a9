"""draw, view, and how pictures look."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import pytest

from tests.repl.driver import REUSE, refuse, say, session

NET = (
    "net = nn.Sequential(nn.Sequential(nn.Linear(2, 3), nn.Tanh()), nn.Linear(3, 1))",
    "L = net(tensor([[1.0, 2.0]])).sum()",
    "backward L",
)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_depth_expand_and_collapse_hold_for_pictures() -> None:
    s = session(*NET)
    whole = s.execute("draw whole.json").views[0].nodes  # type: ignore[union-attr]
    assert "one box each" in say(s, "depth 0")
    closed = s.execute("draw closed.json").views[0].nodes  # type: ignore[union-attr]
    say(s, "expand net.0")
    opened = s.execute("draw opened.json").views[0].nodes  # type: ignore[union-attr]
    say(s, "collapse 0")
    assert closed < opened == whole
    assert s.execute("draw again.json").views[0].nodes == closed  # type: ignore[union-attr]
    assert "closed   0" in say(s, "depth") and "as stay readable" in say(s, "depth auto")
    say(s, "undo")
    assert s.look.depth == 0
    say(s, "expand")
    assert s.look.collapse == ()
    assert "no module 'net.7'" in refuse(s, "expand net.7")
    assert "levels, or auto" in refuse(s, "depth deep")


def test_themes_are_seen_in_the_picture() -> None:
    s = session(*REUSE)
    say(s, "draw light.svg")
    assert say(s, "theme dark") == "pictures are dark\n"
    say(s, "draw dark.svg")
    assert Path("light.svg").read_bytes() != Path("dark.svg").read_bytes()
    assert "no theme 'pink'" in refuse(s, "theme pink")


def test_a_viewed_picture_follows_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: not opened.append(url))
    monkeypatch.setenv("BROWSER", "firefox")
    s = session(*REUSE)
    assert "L is shown in the browser" in say(s, "view")
    assert s.live is not None and opened == [s.live.page.as_uri()]
    assert s.live.picture.name in s.live.page.read_text(encoding="utf-8")
    drawn = [s.live.picture.read_bytes()]
    for line in ("step", "set a = 5", "theme dark"):
        say(s, line)
        drawn.append(s.live.picture.read_bytes())
    assert len(set(drawn)) == 4
    before = s.live.picture.stat().st_mtime_ns
    say(s, "1 + 1")
    assert s.live.picture.stat().st_mtime_ns == before
    say(s, "view off")
    say(s, "step")
    assert s.live is None and "nothing is viewed" in refuse(s, "view off")


def test_without_a_screen_the_page_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    shown = say(session(*REUSE), "view", width=300)
    assert "open it in a browser" in shown and "view.html" in shown
