"""The debugger on tensors of a device: it says what it says of tensors in main memory, and fetches little."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch
from minitorch import Tensor, cuda, nn
from repl.engine import Session
from tests.minitorch.strict import StrictArray, strict
from tests.repl.driver import refuse, text
from viz.statistics import SMALL

LINES = """
h = model(x)
loss = (h ** 2).mean()
loss
x
print h
backward loss
next
step
explain
inputs
info module
info memory
where
list
hist h
hist model[0].weight
heat h
heat model[0].weight
heat x * 0
storage h
display h.mean()
watch model[0].weight.grad
catch nan
catch explode
catch dead
continue
rstep
finish
info grads
find norm > 0.1
find (16, 40)
path model.0.weight
why model.0.weight[0,0]
why model.2.bias[1]
check model.2.bias
goto 3
predict
end
set model.2.bias[1] = 5.0
diff
reset
opt.step()
undo
zoom h
step
unzoom
expect loss == 0.1 ~ 10
""".strip().splitlines()
"""Commands; some are refused, on both devices alike."""


def told(wrap, fetched):
    """What each line says, and the most that it fetched at once."""
    minitorch.manual_seed(0)
    model = nn.Sequential(nn.Linear(30, 40), nn.ReLU(), nn.Linear(40, 3))
    for p in model.parameters():
        p.data = Tensor(wrap(p.raw))
    session = Session()
    x = Tensor(wrap(np.random.default_rng(0).normal(size=(16, 30)).astype("f")))
    session.namespace.update(model=model, x=x, opt=minitorch.optim.Adam(model.parameters()))
    said = []
    for line in LINES:
        fetched.clear()
        said.append((line, text(session.execute(line), 100), max(fetched, default=0)))
    return said


@pytest.fixture
def fetched(monkeypatch):
    sizes = []
    for name in ("get", "item", "tolist"):
        plain = getattr(StrictArray, name)
        monkeypatch.setattr(StrictArray, name, lambda self, *a, plain=plain, **k: (sizes.append(self.size), plain(self, *a, **k))[1])
    return sizes


def test_every_command_says_what_it_says_in_main_memory(fetched):
    here, there = told(np.array, fetched), told(strict, fetched)
    for (line, expected, _), (_, found, _) in zip(here, there):
        assert found == expected, line
    # A heat map fetches the cells it draws (at most 16 x 98), a zoom the elements that it takes a tensor apart into.
    assert [line for line, _, most in there if most > SMALL] == ["heat model[0].weight", "heat x * 0", "zoom h"]


def test_mixed_devices_and_a_gpu_that_is_not_there_are_one_sentence_at_the_prompt(monkeypatch):
    session = Session()
    session.namespace.update(x=Tensor(strict(np.ones(2, "f"))))
    session.execute("w = tensor([1.0, 2.0])")
    assert refuse(session, "w * x").endswith("mul mixes devices: 'w' on cpu and 'x' on strict; bring them together: w.to('strict')")
    if not cuda.is_available():
        said = refuse(session, "w.cuda()")
        assert "Traceback" not in said and said.startswith("RuntimeError: there is no device 'cuda' here: ") and said.endswith("runs with 'cpu'")
