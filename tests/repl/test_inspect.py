"""find, source, path, hist, heat, storage, zoom, and what `info` says about training."""

from __future__ import annotations

import numpy as np
import pytest

from samples.ndarray import Array
from tests.repl.driver import REUSE, refuse, say, session, text

MATRIX = (
    "x = tensor([[1.0, 2.0]])",
    "W = tensor([[0.5, -1.0], [0.25, 1.0]], requires_grad=True)",
    "y = x @ W",
    "L = y.tanh().sum()",
    "backward L",
)
NET = (
    "generator = minitorch.manual_seed(0)",
    "net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))",
    "L = nn.CrossEntropyLoss()(net(minitorch.randn(5, 3)), tensor([0, 1, 0, 1, 1]))",
    "backward L",
)


def test_find_by_selector_and_by_condition() -> None:
    s = session(*REUSE, "end")
    assert "a" in say(s, "find grad < 0") and " b " not in say(s, "find grad < 0")
    assert "a × b" in say(s, "find op:mul")
    assert say(s, "find grad > 100") == "no node\n"
    assert "could not be asked of any node: NameError" in refuse(s, "find nonsense > 1")
    assert "no node 'op:relu'" in refuse(s, "find op:relu")


def test_source_shows_the_lines_around() -> None:
    shown = say(session(*REUSE), "source e")
    assert "e, made at input 3" in shown and "► 1      e = a * b" in shown
    assert "remembers no line" in refuse(session(*REUSE), "source a")


def test_path_follows_the_largest_contribution() -> None:
    shown = say(session(*REUSE), "path a")
    assert [line.split()[0] for line in shown.splitlines()[1:]] == ["L", "e", "a"] and "of 2" in shown
    assert "linear" in say(session(*NET), "path net.0.weight")
    assert "no gradient flows" in refuse(session(*MATRIX), "path x")


@pytest.mark.parametrize("width", [60, 80, 160])
def test_histograms_and_maps_fit(width: int) -> None:
    s = session(*NET, "end")
    s.width = width
    for line in ("hist net.0.weight", "heat net.0.weight", "heat minitorch.randn(50, 300)", "info grads", "info module"):
        result = s.execute(line)
        assert result.ok
        assert max(map(len, text(result, width).splitlines())) <= width
        text(result, width, ascii=True).encode("ascii")


def test_hist_counts_everything() -> None:
    s = session(*MATRIX, "end")
    shown = say(s, "hist W")
    assert "grad(W)" in shown and "█" in shown
    assert "(9,) inf 1  1.0 … 8.0" in say(s, "hist np.array([*range(1, 9), np.inf])")
    assert "no array of numbers" in refuse(s, "hist 'x'")


def test_heat_marks_sign_zero_and_what_is_not_finite() -> None:
    s = session("m = np.array([[3.0, -3.0, 0.0], [np.nan, np.inf, 0.5]])")
    assert say(s, "heat m").splitlines()[-2:] == ["█≡·", "?!░"]


def test_storage_tells_strides_and_sharing() -> None:
    s = session(*MATRIX, "V = W.T", "part = W[1]", "left, right = W[:, 0], W[:, 1]", "wide = W[:1].expand(3, 2)")
    shown = say(s, "storage V")
    assert "[i, j] is number 0 + i × 1 + j × 2" in shown and "with W" in shown
    assert "[1, 1] is number 0 + 1 × 1 + 1 × 2 = 3: 1.0" in shown and "read at  0 2 1 3" in shown
    assert "offset   2 in a buffer of 4 elements" in say(s, "storage part")
    assert "left" not in say(s, "storage right").partition("shared")[2]  # they lie in each other, and share no element
    assert "i is stretched: its 3 places are one" in say(s, "storage wide")
    assert "is one number" in refuse(session(*REUSE), "storage e")


@pytest.mark.parametrize("view", ["[1:, ::2]", "[::-1]", "[:, 1]", "[1:2]"])
def test_storage_and_the_sample_ndarray_tell_the_same_story(view: str) -> None:
    array = eval(f"Array.arange(3, 4){view}", {"Array": Array})
    s = session("x = tensor(np.arange(12.0).reshape(3, 4))", f"y = tensor(np.arange(12.0).reshape(3, 4){view})")
    s.namespace["y"].raw = eval(f"s.namespace['x'].raw{view}")  # a step of -1, too, which tensors leave to flip
    shown = say(s, "storage y", width=200)
    assert f"shape    {array.shape}" in shown and f"strides  {array.strides} elements" in shown
    assert f"offset   {array.offset} in a buffer of 12" in shown
    assert f"read at  {' '.join(map(str, array.places()))}\n" in shown


@pytest.mark.parametrize(
    "line",
    ["print", "list", "info", "inputs", "outputs", "source", "hist", "heat", "find", "explain", "ledger", "break", "tbreak",
     "trace", "watch", "display", "storage", "until", "goto", "check", "zoom", "draw"],
)  # fmt: skip
def test_every_command_that_takes_a_node_takes_every_selector(line: str, tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    s = session(
        "w = tensor([3.0, 4.0], requires_grad=True)",
        "h = (w * 2).tanh().sum(0, keepdim=True)",
        "L = h.sum()",
        "backward L",
    )
    for selector in ("h", "op:tanh", "shape:(1)", "tanh*", "#2", "@+1"):
        result = s.execute(f"{line} {selector}")
        assert result.ok, (selector, text(result))
        say(s, "unzoom" if s.outside else "start")


def test_zoom_steps_through_the_scalars_and_comes_back() -> None:
    s = session(*MATRIX, "next 2", "zoom y")
    shown = say(s, "end")
    for element, gradient in (("W[0,0]", "0.42"), ("W[1,1]", "0.8399")):
        assert f"{element}  {gradient}" in shown
    assert "x[0,1] × W[1,0]" in say(s, "list all")
    say(s, "unzoom")
    assert s.stepper is not None and s.stepper.position == 2
    assert "nothing is zoomed" in refuse(s, "unzoom")
    assert "leaf" in refuse(s, "zoom W")
    assert "is a Value already" in refuse(session(*REUSE), "zoom e")
    big = session("W = tensor(np.ones((50, 50)), requires_grad=True)", "L = (W @ W).sum()", "backward L")
    assert "too large to zoom into" in refuse(big, "zoom matmul_1")


def test_zoom_of_one_number_begins_with_its_gradient() -> None:
    s = session(*MATRIX, "zoom L", "end")
    assert "tanh_1[0,1]  1.0" in say(s, "list leaf").replace("      ", "  ") or "1.0" in say(s, "list leaf")
    say(s, "backward y.sum()")
    assert not s.outside


def test_info_on_training() -> None:
    s = session(*NET, "end")
    grads = say(s, "info grads")
    assert "net.0.weight" in grads and "grad/weight" in grads and "all together" in grads
    assert "dead" in say(s, "info module") and "way back" in say(s, "info memory")


@pytest.mark.parametrize("optimizer", ["optim.SGD(net.parameters(), lr=0.5, momentum=0.9)", "optim.Adam(net.parameters())"])
def test_info_grads_tells_what_the_optimizer_would_do_and_leaves_no_trace(optimizer: str) -> None:
    s = session(*NET[:3], f"opt = {optimizer}", "L.backward()", "opt.step()", "opt.zero_grad()", *NET[2:])
    assert "no gradient has arrived at a leaf yet; `end`" in refuse(s, "info grads")
    say(s, "end")
    before = [p.tolist() for p in s.namespace["net"].parameters()]
    state = repr(s.namespace["opt"].state_dict())
    shown = say(s, "info grads")
    assert [p.tolist() for p in s.namespace["net"].parameters()] == before and repr(s.namespace["opt"].state_dict()) == state
    row = next(line.split() for line in shown.splitlines() if "net.2.bias" in line)
    s.namespace["opt"].step()
    after = np.array(s.namespace["net"][2].bias.tolist())
    moved = np.linalg.norm(after - before[3]) / np.linalg.norm(before[3])
    assert "update/weight" in shown and float(row[-2]) == pytest.approx(moved, rel=1e-2)


def test_info_grads_without_an_optimizer() -> None:
    assert "grad/weight × learning rate" in " ".join(say(session(*NET, "end"), "info grads").split())
    needs = "class Needs(optim.SGD):\n    def step(self, closure): pass"  # which cannot be asked
    assert "grad/weight" in say(session(*NET, needs, "opt = Needs(net.parameters(), lr=0.1)", "end"), "info grads")
