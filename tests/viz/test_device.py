"""Pictures of tensors on a device: the same as of tensors in main memory, and what is fetched for them is small."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch
import viz
from minitorch import Tensor, nn
from tests.minitorch.strict import StrictArray, strict
from viz.format import content, summary
from viz.statistics import SMALL, statistics
from viz.wording import constant_text, local_text

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the double's NumPy gives them, CuPy does not


@pytest.fixture
def fetched(monkeypatch):
    """The sizes of all that is fetched from the device."""
    sizes = []
    for name in ("get", "item", "tolist"):
        plain = getattr(StrictArray, name)
        monkeypatch.setattr(StrictArray, name, lambda self, *a, plain=plain, **k: (sizes.append(self.size), plain(self, *a, **k))[1])
    return sizes


draw = np.random.default_rng(0)
LARGE = draw.normal(size=(40, 50)).astype("f")
ARRAYS = {
    "normal": LARGE, "double": LARGE.astype("d"), "half": LARGE.astype("e"), "zeros and ones": (LARGE > 0).astype("f"),
    "holes": np.where(LARGE > 2, np.nan, np.where(LARGE < -2, np.inf, LARGE)), "no finite": np.full((300,), np.nan, "f"),
    "all inf": np.full((300,), -np.inf, "f"), "the same": np.full((20, 20), 2.5, "f"), "bool": LARGE > 0.3, "int": np.arange(400).reshape(20, 20),
    "uint8": np.arange(400).astype("u1"), "huge": np.array([1e308, -1e308] * 200), "tiny": np.linspace(0, 1e-310, 300), "even": np.linspace(-1, 1, 301, dtype="f"),
    "small": LARGE[:3, :4], "thumbnail": LARGE[:8, :8], "one kernel": LARGE[:3, :3].reshape(1, 1, 3, 3), "empty": LARGE[:0], "0-d": LARGE[0, 0].reshape(()),
}  # fmt: skip


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_looks_as_it_does_in_main_memory_and_costs_one_small_copy(name, fetched):
    here, there = ARRAYS[name], strict(ARRAYS[name])
    assert content(there) == content(here)
    assert len(fetched) == 1 and fetched[0] <= SMALL and (here.size <= SMALL or fetched[0] == 18)
    assert summary(there) == summary(here) and constant_text(there) == constant_text(here) and local_text(there) == local_text(here)
    assert len(fetched) == 3 + (local_text(here)[0] == "×-inf")
    assert statistics(there).counts in ((), statistics(here, histogram=True).counts)


def graph(wrap):
    minitorch.manual_seed(0)
    model = nn.Sequential(nn.Linear(30, 40), nn.ReLU(), nn.Linear(40, 3))
    for p in model.parameters():
        p.data = Tensor(wrap(p.raw))
    x = Tensor(wrap(np.random.default_rng(0).normal(size=(16, 30)).astype("f")))
    with minitorch.inspect():
        return model, (model(x) ** 2).mean()


def everything(model, loss, tmp_path):
    """What there is to see of a graph, before, during and after its backward pass."""
    seen = [viz.draw(loss).svg(), viz.draw(loss).text(), viz.draw(loss, depth=1).svg()]
    stepper = minitorch.Stepper(loss)
    seen.append(viz.draw(stepper).svg())
    stepper.run()
    stepper.goto(4)
    seen += [viz.draw(stepper).svg(), model._repr_html_()]
    stepper.run()
    viz.lesson(loss, tmp_path / "lesson.html")
    return [*seen, viz.draw(loss).json(), (tmp_path / "lesson.html").read_text(encoding="utf-8")]


def test_pictures_tables_and_lessons_are_the_same_and_fetch_little(tmp_path, fetched):
    here = everything(*graph(np.array), tmp_path)
    assert not fetched
    there = everything(*graph(strict), tmp_path)
    for a, b in zip(here, there):
        assert a == b
    assert max(fetched) <= SMALL  # the largest arrays of the graph have 1200 elements


def test_drawing_fetches_once_for_each_array(fetched):
    model, loss = graph(strict)
    fetched.clear()
    viz.draw(loss)
    arrays = 5 + 1 + 4  # the results of linear, relu, linear, pow and mean; x; the parameters
    assert 0 < len(fetched) <= arrays + 2  # and the local derivatives of relu and pow


def test_a_large_tensor_is_printed_from_its_corners(fetched):
    for shape in ((101,), (7, 20), (300, 400), (5, 5, 5), (8, 8, 8, 8), (0, 500), (10, 10)):
        array = draw.normal(size=shape).astype("f")
        assert repr(Tensor(strict(array))) == repr(Tensor(array))
        assert fetched.pop() <= max(100, 7 ** len(shape)) and not fetched
    expected = np.array2string(array := draw.normal(size=(30, 40)).astype("f"), separator=", ", precision=4, prefix="tensor(", threshold=100)
    assert repr(Tensor(array)) == f"tensor({expected})"
