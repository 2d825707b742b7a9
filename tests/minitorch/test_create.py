"""New tensors: shapes, dtypes and numbers as PyTorch's; random ones from their distributions, repeated by their seeds."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch
from minitorch import Generator

CALLS = [
    lambda m: m.zeros(2, 3),
    lambda m: m.zeros((2, 3), dtype=m.int64),
    lambda m: m.zeros(()),
    lambda m: m.ones([2]),
    lambda m: m.ones(0, 3),
    lambda m: m.full((2, 2), 3),
    lambda m: m.full((2,), 2.5),
    lambda m: m.full((), True),
    lambda m: m.full((2,), 1, dtype=m.float64),
    lambda m: m.eye(3),
    lambda m: m.eye(2, 4, dtype=m.int32),
    lambda m: m.arange(5),
    lambda m: m.arange(2, 9, 3),
    lambda m: m.arange(5, 1, -2),
    lambda m: m.arange(0.5, 2, 0.25),
    lambda m: m.arange(3.0),
    lambda m: m.arange(0, 3, dtype=m.float64),
    lambda m: m.arange(1, 1),
    lambda m: m.arange(m.tensor(2), m.tensor(5)),
    lambda m: m.linspace(-1, 1, 5),
    lambda m: m.linspace(3, 3, 1, dtype=m.float64),
    lambda m: m.logspace(0, 3, 4),
    lambda m: m.logspace(0, 3, 4, base=2),
    lambda m: m.zeros_like(m.ones(2, dtype=m.int64)),
    lambda m: m.ones_like(m.zeros(2), dtype=m.float64),
    lambda m: m.full_like(m.ones(2, 2), 7),
    lambda m: m.as_tensor([1, 2]),
    lambda m: m.as_tensor([1.5]),
    lambda m: m.as_tensor(np.arange(3.0)),
    lambda m: m.as_tensor(np.arange(3), dtype=m.float32),
    lambda m: m.from_numpy(np.arange(6).reshape(2, 3)),
]


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_creation_equals_pytorch(number):
    torch = pytest.importorskip("torch")
    ours, theirs = CALLS[number](minitorch), CALLS[number](torch)
    assert ours.shape == tuple(theirs.shape) and str(ours.dtype) == str(theirs.dtype).removeprefix("torch.")
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)


def test_gradients_can_be_asked_for_at_once():
    for make in (minitorch.zeros, minitorch.empty, minitorch.randn, minitorch.rand):
        x = make(2, requires_grad=True)
        assert x.requires_grad and x.is_leaf
    with pytest.raises(RuntimeError, match="floats"):
        minitorch.arange(3, requires_grad=True)


def test_memory_is_shared_where_nothing_has_to_change():
    array = np.zeros(2, "f")
    assert minitorch.from_numpy(array).raw is array and minitorch.as_tensor(array).raw is array
    x = minitorch.ones(2)
    assert minitorch.as_tensor(x) is x and minitorch.as_tensor(x, dtype=minitorch.float64).dtype == np.float64


def test_refusals():
    with pytest.raises(TypeError, match="from_numpy takes a NumPy array, not list"):
        minitorch.from_numpy([1])
    with pytest.raises(TypeError, match="a tensor holds numbers"):
        minitorch.from_numpy(np.array(["a"]))
    with pytest.raises(ValueError, match="step other than 0"):
        minitorch.arange(0, 3, 0)
    with pytest.raises(ValueError, match="from 3 to 0 in steps of 1"):
        minitorch.arange(3, 0)
    with pytest.raises(RuntimeError, match="no device 'cuda:7' here: it needs an NVIDIA GPU and CuPy"):
        minitorch.zeros(2, device="cuda:7")
    with pytest.raises(RuntimeError, match="for whole numbers use randint"):
        minitorch.rand(2, dtype=minitorch.int64)
    with pytest.raises(ValueError, match="from 3 up to but not 3"):
        minitorch.randint(3, 3, (1,))
    with pytest.raises(TypeError, match="randint needs a size"):
        minitorch.randint(3)


# Random numbers


DRAWS = [
    lambda g: minitorch.rand(3, generator=g),
    lambda g: minitorch.randn(3, generator=g),
    lambda g: minitorch.randint(0, 1000, (3,), generator=g),
    lambda g: minitorch.randperm(9, generator=g),
    lambda g: minitorch.normal(0.0, 1.0, (3,), generator=g),
    lambda g: minitorch.bernoulli(minitorch.full((30,), 0.5), generator=g),
    lambda g: minitorch.multinomial(minitorch.ones(50), 3, generator=g),
    lambda g: minitorch.poisson(minitorch.full((9,), 50.0), generator=g),
]


@pytest.mark.parametrize("number", range(len(DRAWS)))
def test_seeds_repeat_and_streams_are_apart(number):
    draw = DRAWS[number]
    minitorch.manual_seed(1)
    first, second = draw(None).tolist(), draw(None).tolist()
    minitorch.manual_seed(1)
    own = Generator().manual_seed(1)
    assert draw(own).tolist() == first != second
    assert draw(None).tolist() == first and draw(None).tolist() == second
    minitorch.manual_seed(2)
    assert draw(None).tolist() != first


def test_the_state_of_a_generator_can_be_kept():
    minitorch.manual_seed(5)
    minitorch.rand(3)
    state = minitorch.get_rng_state()
    expected = minitorch.rand(4).tolist()
    minitorch.set_rng_state(state)
    assert minitorch.rand(4).tolist() == expected
    assert minitorch.initial_seed() == 5 and state.dtype == np.uint8
    with pytest.raises(ValueError, match="64 bytes"):
        minitorch.set_rng_state(minitorch.zeros(3, dtype=minitorch.uint8))
    fresh = Generator()
    assert fresh.manual_seed(fresh.initial_seed()).initial_seed() == fresh.initial_seed()


def test_distributions():
    minitorch.manual_seed(0)
    n = 200_000
    u = minitorch.rand(n).numpy()
    assert u.dtype == np.float32 and 0 <= u.min() and u.max() < 1 and u.mean() == pytest.approx(0.5, abs=0.01)
    z = minitorch.randn(n, dtype=minitorch.float64).numpy()
    assert z.dtype == np.float64 and z.mean() == pytest.approx(0, abs=0.01) and z.std() == pytest.approx(1, abs=0.01)
    assert minitorch.rand(n, dtype=minitorch.float16).numpy().max() < 1
    assert set(minitorch.randint(2, 5, (100,)).tolist()) == {2, 3, 4}
    assert set(minitorch.randint(3, (100,)).tolist()) == {0, 1, 2}
    assert set(minitorch.randint_like(minitorch.zeros(100), 2).tolist()) == {0.0, 1.0}
    assert sorted(minitorch.randperm(10).tolist()) == list(range(10))
    m = minitorch.normal(minitorch.tensor([0.0, 100.0]), 2.0).tolist()
    assert abs(m[0]) < 20 and abs(m[1] - 100) < 20
    assert minitorch.normal(5.0, 0.1, (n,)).numpy().mean() == pytest.approx(5, abs=0.01)
    assert minitorch.bernoulli(minitorch.full((n,), 0.3)).numpy().mean() == pytest.approx(0.3, abs=0.01)
    assert minitorch.rand_like(minitorch.zeros(2, 2, dtype=minitorch.float64)).dtype == np.float64
    assert minitorch.randn_like(minitorch.zeros(2, 2)).shape == (2, 2)


def test_multinomial_follows_the_weights():
    minitorch.manual_seed(0)
    weights = minitorch.tensor([[1.0, 0, 3], [0, 5, 5]])
    drawn = minitorch.multinomial(weights, 20_000, replacement=True).numpy()
    assert drawn.shape == (2, 20_000) and drawn.dtype == np.int64
    assert (drawn[0] == 2).mean() == pytest.approx(0.75, abs=0.02) and (drawn[0] != 1).all()
    assert (drawn[1] == 1).mean() == pytest.approx(0.5, abs=0.02)
    firsts = [minitorch.multinomial(minitorch.tensor([1.0, 3.0]), 2).tolist() for _ in range(4000)]
    assert all(sorted(f) == [0, 1] for f in firsts)
    assert np.mean([f[0] for f in firsts]) == pytest.approx(0.75, abs=0.03)
    for weights, count, message in (
        ([1.0, 0], 2, "only 1 have a weight above 0"), ([0.0, 0], 1, "weight above 0 in every row"), ([1.0, -1], 1, "negative"),
    ):  # fmt: skip
        with pytest.raises(RuntimeError, match=message):
            minitorch.multinomial(minitorch.tensor(weights), count)


# Initial weights


def test_initial_weights_have_their_spread():
    from minitorch.nn import init

    minitorch.manual_seed(0)
    w = minitorch.empty(300, 200)
    for fill, std in (
        (lambda: init.uniform_(w, -1, 1), 1 / np.sqrt(3)),
        (lambda: init.normal_(w, 2, 0.5), 0.5),
        (lambda: init.xavier_uniform_(w, gain=2), 2 * np.sqrt(2 / 500)),
        (lambda: init.xavier_normal_(w), np.sqrt(2 / 500)),
        (lambda: init.kaiming_uniform_(w, nonlinearity="relu"), np.sqrt(2 / 200)),
        (lambda: init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu"), np.sqrt(2 / 300)),
        (lambda: init.trunc_normal_(w, 0, 1, -1, 1), 0.5396),
    ):
        assert fill() is w
        assert w.numpy().std() == pytest.approx(std, rel=0.03)
    assert np.abs(w.numpy()).max() <= 1
    assert init.fans(minitorch.empty(8, 4, 3, 3)) == (36, 72)


def test_special_initial_weights():
    from minitorch.nn import init

    w = minitorch.nn.Parameter(minitorch.empty(3, 5))
    init.orthogonal_(w, gain=2)
    np.testing.assert_allclose(w.detach().numpy() @ w.detach().numpy().T, 4 * np.eye(3), atol=1e-5)
    assert w.requires_grad and w.is_leaf
    assert init.eye_(w).tolist() == np.eye(3, 5).tolist()
    assert init.ones_(w).sum().item() == 15 and init.zeros_(w).sum().item() == 0
    assert init.constant_(minitorch.empty(2), 3).tolist() == [3, 3]
    assert (init.sparse_(minitorch.empty(10, 4), 0.3).numpy() == 0).sum(0).tolist() == [3, 3, 3, 3]
    kernel = init.dirac_(minitorch.empty(4, 2, 3, 3), groups=2).numpy()
    assert kernel.sum() == 4 and kernel[0, 0, 1, 1] == kernel[3, 1, 1, 1] == 1


@pytest.mark.parametrize("name", ["linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
def test_gains_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    assert minitorch.nn.init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))
    assert minitorch.nn.init.calculate_gain("leaky_relu", 0.2) == pytest.approx(torch.nn.init.calculate_gain("leaky_relu", 0.2))


def test_initial_weights_refuse_what_has_none():
    from minitorch.nn import init

    with pytest.raises(ValueError, match="two axes at least"):
        init.xavier_uniform_(minitorch.empty(3))
    with pytest.raises(ValueError, match="no gain is known for 'swish'"):
        init.calculate_gain("swish")
    with pytest.raises(ValueError, match="'fan_in' or 'fan_out'"):
        init.kaiming_normal_(minitorch.empty(2, 2), mode="fan")
