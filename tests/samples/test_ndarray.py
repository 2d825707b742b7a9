"""The strided array of the sample, held against NumPy's."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samples.main import main
from samples.ndarray import Array, Python, Vector, same_view

BACKENDS = [Python(), Vector("numpy")]


@st.composite
def views(draw, reshapes: bool = False):
    """A random chain of views, ours and NumPy's, over a buffer of 0, 1, 2, ..."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    ours = Array.arange(*shape, backend=draw(st.sampled_from(BACKENDS)))
    base = np.arange(math.prod(shape), dtype=np.float64)
    theirs = base.reshape(shape)
    for kind in draw(st.lists(st.sampled_from(("key", "permute", "broadcast")), max_size=4)):
        if kind == "permute":
            axes = draw(st.permutations(range(theirs.ndim)))
            ours, theirs = ours.permute(*axes), theirs.transpose(axes)
        elif kind == "broadcast" and theirs.size < 50:
            wide = tuple(draw(st.integers(1, 3)) if n == 1 else n for n in theirs.shape)
            wide = (draw(st.integers(1, 3)), *wide)
            ours, theirs = ours.broadcast_to(*wide), np.broadcast_to(theirs, wide)
        elif kind == "key":
            parts = []
            for n in theirs.shape:
                part = draw(st.one_of(st.integers(-n, n - 1), st.slices(n), st.just(None))) if n else slice(None)
                parts += [part, slice(None)] if part is None else [part]
            key = tuple(parts)
            if draw(st.booleans()):
                key = (..., *key[1:]) if key and isinstance(key[0], slice) and key[0] == slice(None) else key
            ours, theirs = ours[key], theirs[key if Ellipsis in key else (*key, ...)]
    return ours, theirs, base


@given(views())
def test_views_lie_where_numpys_lie(pair):
    ours, theirs, base = pair
    if theirs.size:
        assert same_view(ours, theirs, base)
    assert ours.tolist() == theirs.tolist() and ours.shape == theirs.shape


def factors(size: int):
    """Shapes with this many elements."""
    if size == 0:
        return st.sampled_from([(0,), (0, 3), (2, 0)])
    known = [(size,), (1, size), (size, 1)]
    for n in range(2, size):
        if size % n == 0:
            known += [(n, size // n)] + [(n, m, size // n // m) for m in range(1, size // n + 1) if (size // n) % m == 0]
    return st.sampled_from(known)


@given(views(), st.data())
def test_reshape_copies_exactly_when_numpy_has_to(pair, data):
    ours, theirs, base = pair
    shape = data.draw(factors(theirs.size))
    made, expected = ours.reshape(*shape), theirs.reshape(shape)
    assert made.tolist() == expected.tolist() and made.shape == shape
    if theirs.size:
        shared = np.shares_memory(expected, base)
        assert (made.buffer is ours.buffer) == shared
        if shared:
            assert same_view(made, expected, base)


@given(views())
def test_compact_is_a_copy_row_by_row(pair):
    ours, theirs, _ = pair
    made = ours.compact()
    assert made.is_compact and made.tolist() == theirs.tolist() and made.buffer is not ours.buffer
    assert ours.is_compact == (ours.offset == 0 and theirs.flags.c_contiguous and theirs.size == len(ours.buffer))


@given(views(), st.data())
def test_arithmetic_and_sums(pair, data):
    ours, theirs, _ = pair
    assert (ours * ours + ours).tolist() == (theirs * theirs + theirs).tolist()
    if theirs.ndim:
        row, other = ours[0] if theirs.shape[0] else ours, theirs[0] if theirs.shape[0] else theirs
        assert (ours + row).tolist() == (theirs + other).tolist()
        axis = data.draw(st.integers(-theirs.ndim, theirs.ndim - 1))
        total, expected = ours.sum(axis), theirs.sum(axis)
        assert total.shape == expected.shape
        np.testing.assert_allclose(np.reshape(total.tolist(), expected.shape), expected)


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
def test_matrix_product(backend):
    a, b = Array.arange(3, 4, backend=backend), Array.arange(5, 4, backend=backend).permute(1, 0)
    expected = np.arange(12.0).reshape(3, 4) @ np.arange(20.0).reshape(5, 4).T
    assert (a @ b).tolist() == expected.tolist()


@pytest.mark.parametrize(("work", "says"), [
    (lambda a: a[5], "index 5 is outside an axis of length 3"),
    (lambda a: a[0, 0, 0], "3 indices for an array of 2 axes"),
    (lambda a: a.permute(0, 0), "permute needs every axis from 0 to 1 once"),
    (lambda a: a.broadcast_to(3, 5), "does not stretch to (3, 5)"),
    (lambda a: a.broadcast_to(4), "has more axes than (4,)"),
    (lambda a: a.reshape(5), "12 elements do not fill the shape (5,)"),
    (lambda a: a + a.permute(1, 0), "shapes (3, 4) and (4, 3) do not fit together"),
    (lambda a: a @ a, "@ needs shapes (n, k) and (k, m), not (3, 4) and (3, 4)"),
])
def test_mistakes(work, says):
    with pytest.raises((IndexError, ValueError)) as error:
        work(Array.arange(3, 4))
    assert says in str(error.value)


@pytest.mark.parametrize("backend", ["python", "numpy"])
def test_the_lesson(tmp_path, capsys, backend):
    pytest.importorskip("matplotlib")
    assert main(["run", "ndarray", "--quick", "--backend", backend, "--runs", str(tmp_path)]) == 0
    (folder,) = (tmp_path / "ndarray").iterdir()
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert lines[0] == {"views": 60, "agreed": 60}
    out = capsys.readouterr().out
    assert "a.permute(1, 0)" in out and (folder / "buffer.png").stat().st_size > 1000


def test_the_gpu_where_there_is_none(tmp_path, capsys):
    try:
        Vector("cupy")
    except Exception:
        assert main(["run", "ndarray", "--backend", "cupy", "--runs", str(tmp_path)]) == 1
        assert "--backend cupy cannot be used here" in capsys.readouterr().err
