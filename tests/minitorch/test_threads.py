"""Work shared among threads: every range once, errors and warnings as without, the matrix routines as they were."""

from __future__ import annotations

import os
import threading
import warnings

import numpy as np
import pytest

import minitorch
import minitorch.nn.functional as F
from minitorch.backend import numpy_linear, threads
from minitorch.ops.recurrent import lstm_layer


@pytest.fixture(autouse=True)
def three_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "WORTH_IT", 0)
    monkeypatch.setattr(threads, "_count", 3)


needs_openblas = pytest.mark.skipif(threads._blas() is None, reason="NumPy without OpenBLAS: nothing is shared")


def blas_threads() -> int | None:
    blas = threads._blas()
    return None if blas is None else blas[0]()


def test_ranges_make_up_the_whole_in_order() -> None:
    for count in (0, 1, 2, 3, 10):
        ranges = threads.shared(count, 1, lambda start, stop: (start, stop))
        assert ranges[0][0] == 0
        assert ranges[-1][1] == count
        assert all(a[1] == b[0] for a, b in zip(ranges, ranges[1:]))


def test_an_error_in_any_range_reaches_the_caller_and_the_matrix_routines_get_their_threads_back() -> None:
    before = blas_threads()

    def fail(start: int, stop: int) -> None:
        if start <= bad < stop:
            raise ValueError(f"range of {bad}")

    for bad in (0, 5, 9):
        with pytest.raises(ValueError, match=f"range of {bad}"):
            threads.shared(10, 1, fail)
    assert blas_threads() == before


@pytest.mark.parametrize("stride", [1, 2])
def test_convolution_is_the_same_with_any_number_of_threads(stride: int) -> None:
    draw = np.random.default_rng(0)
    x, w, b = (draw.normal(size=shape) for shape in ((7, 4, 9, 8), (6, 2, 3, 3), (6,)))
    results = []
    for count in (1, 2, 5):
        threads.set_num_threads(count)
        nodes = [minitorch.Tensor(array, requires_grad=True) for array in (x, w, b)]
        out = F.conv2d(*nodes, stride=stride, padding=1, groups=2)
        (out * out).sum().backward()
        results.append([out.detach().numpy(), *(node.grad.numpy() for node in nodes)])
    for others in results[1:]:
        for one, other in zip(results[0], others):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


def test_infinities_are_results_not_warnings_in_every_thread() -> None:
    x = minitorch.full((6, 2, 5, 5), 1e38)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out = F.conv2d(x, minitorch.full((2, 2, 3, 3), 1e38))
    assert np.isinf(out.numpy()).all()


def test_several_callers_at_once() -> None:
    x, w = minitorch.ones(6, 2, 8, 8), minitorch.ones(3, 2, 3, 3)
    found: list[np.ndarray] = []
    callers = [threading.Thread(target=lambda: found.append(F.conv2d(x, w).numpy())) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 4
    assert all((array == 18).all() for array in found)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_makes_threads_of_its_own() -> None:
    x, w = minitorch.ones(6, 2, 8, 8), minitorch.ones(3, 2, 3, 3)
    F.conv2d(x, w)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads is what is tested
        child = os.fork()
    if child == 0:
        os._exit(0 if (F.conv2d(x, w).numpy() == 18).all() else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("grain", [1, 16])
@pytest.mark.parametrize("size", [1, threads.HEAD_START, 10**9])
def test_the_caller_takes_the_largest_range_and_all_begin_at_multiples_of_the_grain(count: int, grain: int, size: int) -> None:
    for whole in (count * grain, 100, 7 * 16 + 5, 1000):
        bounds = threads._bounds(whole, size, count, grain)
        assert (bounds[0], bounds[-1], len(bounds)) == (0, whole, count + 1)
        assert all(start % grain == 0 for start in bounds[:-1])
        lengths = [stop - start for start, stop in zip(bounds, bounds[1:])]
        assert min(lengths) > 0 or whole < count * grain
        assert lengths[0] + grain >= max(lengths)
        if size == threads.HEAD_START and whole == 1000:  # another begins when the caller could have done all
            assert lengths[0] > 900 - count * grain


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinities on this system")
def test_threads_keep_off_the_core_of_their_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    threads.shared(10, 1, lambda start, stop: None)
    allowed = os.sched_getaffinity(0)
    for core in (*allowed, None):
        monkeypatch.setattr(threads, "_current_core", lambda core=core: None if core is None else lambda: core)
        threads.shared(10, 1, lambda start, stop: None)
        others = allowed - {core}
        if others:
            assert all(os.sched_getaffinity(thread) == others for thread in threads.crew.ids)
    assert os.sched_getaffinity(0) == allowed


def test_a_number_of_threads_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        threads.set_num_threads(0)


def naive_conv(x: np.ndarray, weight: np.ndarray, stride: tuple[int, int], padding: tuple[int, int]) -> np.ndarray:
    """Window by window."""
    x = np.pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)))
    (high, wide), (down, right) = weight.shape[2:], stride
    rows, columns = ((n - k) // s + 1 for n, k, s in zip(x.shape[2:], weight.shape[2:], stride))
    out = np.zeros((len(x), len(weight), rows, columns))
    for i, j in np.ndindex(rows, columns):
        window = x[:, :, i * down : i * down + high, j * right : j * right + wide]
        out[:, :, i, j] = np.einsum("nchw,fchw->nf", window, weight)
    return out


@pytest.mark.parametrize("images", [1, 9, 32])
@pytest.mark.parametrize("stride", [(1, 1), (2, 1), (1, 3), (2, 2), (3, 2)])
@pytest.mark.parametrize(("kernel", "padding"), [((3, 3), (1, 1)), ((1, 1), (0, 2)), ((4, 2), (2, 1)), ((3, 4), (2, 2))])
def test_convolution_reads_no_memory_that_nobody_wrote(
    monkeypatch: pytest.MonkeyPatch, images: int, stride: tuple[int, int], kernel: tuple[int, int], padding: tuple[int, int]
) -> None:
    empty = np.empty

    def poisoned(shape: object, dtype: object = float, **kwargs: object) -> np.ndarray:
        array = empty(shape, dtype, **kwargs)  # type: ignore[call-overload]
        if array.dtype.kind == "f":
            array.fill(np.nan)
        return array

    monkeypatch.setattr(np, "empty", poisoned)
    rng = np.random.default_rng(0)
    for channels, filters in ((1, 2), (4, 3), (3, 16)):
        x, weight = rng.normal(size=(images, channels, 10, 9)), rng.normal(size=(filters, channels, *kernel))
        inputs = [minitorch.tensor(array, dtype=minitorch.float64, requires_grad=True) for array in (x, weight)]
        out = F.conv2d(*inputs, stride=stride, padding=padding)
        expected = naive_conv(x, weight, stride, padding)
        np.testing.assert_allclose(out.detach().numpy(), expected, atol=1e-9)
        # The result is linear in each: gradients of <out, g> at x and weight give <out, g> back.
        grad = rng.normal(size=out.shape)
        out.backward(minitorch.tensor(grad, dtype=minitorch.float64))
        for tensor, array in zip(inputs, (x, weight)):
            assert tensor.grad is not None
            assert (tensor.grad.numpy() * array).sum() == pytest.approx((expected * grad).sum(), abs=1e-8)


@pytest.mark.parametrize("name", ["gelu", "silu", "mish", "softplus", "logsigmoid"])
def test_costly_operations_shared_or_not_give_the_same_bits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the work inside a share would be shared again (gelu's erf): a pool that waits for itself never ends."""
    numbers = np.random.default_rng(0).normal(size=(7, 11)).astype("float32")

    def both() -> tuple[np.ndarray, np.ndarray]:
        x = minitorch.tensor(numbers, requires_grad=True)
        y = getattr(F, name)(x)
        y.backward(minitorch.tensor(numbers[::-1].copy()))
        assert x.grad is not None
        return y.detach().numpy(), x.grad.numpy()

    apart = both()
    monkeypatch.setattr(threads, "_count", 1)
    for shared, whole in zip(apart, both()):
        np.testing.assert_array_equal(shared, whole)


def test_batches_of_products_and_attention_shared_or_not_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    numbers = [rng.normal(size=(5, 2, 4, 3)).astype("float32") for _ in range(3)]

    def both() -> list[np.ndarray]:
        q, k, v = (minitorch.tensor(x, requires_grad=True) for x in numbers)
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True) @ v.mT
        out.backward(minitorch.ones(*out.shape))
        return [out.detach().numpy(), *(x.grad.numpy() for x in (q, k, v))]

    apart = both()
    monkeypatch.setattr(threads, "_count", 1)
    for shared, whole in zip(apart, both()):
        np.testing.assert_allclose(shared, whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("rows", "inner", "columns"), [(64, 300, 32), (33, 7, 64), (1, 5, 1), (300, 40, 48), (16, 1, 130), (9, 0, 4)])
def test_a_product_is_the_same_in_parts_in_shares_and_for_every_layout(
    monkeypatch: pytest.MonkeyPatch, rows: int, inner: int, columns: int, dtype: str
) -> None:
    monkeypatch.setattr(numpy_linear, "ALONE", -1)
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(rows, inner)).astype(dtype), rng.normal(size=(inner, columns)).astype(dtype)
    for left in (a, a.T.copy().T, np.repeat(a, 2, 1)[:, ::2]):
        for right in (b, b.T.copy().T, np.repeat(b, 2, 0)[::2]):
            for enough in (0, 10**9):
                monkeypatch.setattr(numpy_linear, "WORTH_SHARING", enough)
                found = numpy_linear.matmul(left, right)
                assert found.dtype == dtype
                np.testing.assert_allclose(found, a @ b, rtol=1e-4 if dtype == "float32" else 1e-12, atol=1e-4)


@pytest.mark.parametrize("shape", [(), (1,), (1, 130), (300, 1), (300, 130)])
def test_a_bias_of_any_shape_is_added_to_a_shared_product(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numpy_linear, "ALONE", -1)
    monkeypatch.setattr(numpy_linear, "WORTH_SHARING", 0)
    rng = np.random.default_rng(0)
    for rows in (300, 1):
        if not shape or rows % (shape[0] if len(shape) > 1 else 1) == 0:
            arrays = rng.normal(size=(rows, 7)), rng.normal(size=(130, 7)), rng.normal(size=shape)
            found = F.linear(*map(minitorch.from_numpy, map(np.asarray, arrays)))
            np.testing.assert_allclose(found.numpy(), arrays[0] @ arrays[1].T + arrays[2], atol=1e-12)


def test_attention_reads_whole_numbers_as_numbers() -> None:
    draw = np.random.default_rng(0)
    given = [draw.integers(-2, 3, size=(2, 3, 4)) for _ in range(3)]
    whole, apart = (
        F.scaled_dot_product_attention(*[minitorch.tensor(x, dtype=dtype) for x in given]) for dtype in ("int64", "float64")
    )
    np.testing.assert_allclose(whole.numpy(), apart.numpy())


def test_an_error_in_a_shared_product_is_one_of_shapes() -> None:
    with pytest.raises(ValueError, match=r"300, 200.*100, 300"):
        minitorch.ones(300, 200) @ minitorch.ones(100, 300)


@needs_openblas
def test_calls_made_aside_keep_their_order_and_bring_back_results_and_errors() -> None:
    made: list[int] = []
    begun = threading.Event()

    def call(number: int) -> int:
        made.append(number)
        begun.set()
        if number == 3:
            raise ValueError("the third")
        return threading.get_ident()

    before, here = blas_threads(), threading.get_ident()
    with threads.Aside(1) as aside:
        assert aside.apart
        first = aside.submit(call, 0)
        assert begun.wait(60)  # the caller has not asked for it: another thread makes it
        tasks = [aside.submit(call, number) for number in range(1, 6)]
        assert aside.result(first) != here
        for number, task in enumerate(tasks, 1):
            if number == 3:
                with pytest.raises(ValueError, match="the third"):
                    aside.result(task)
            else:
                aside.result(task)
        aside.submit(call, 6)
        assert aside.result(first) == aside.result(first)
    assert made[:6] == [*range(6)]
    assert blas_threads() == before
    with threads.Aside(1) as aside, pytest.raises(ZeroDivisionError):
        aside.result(aside.submit(lambda: 1 // 0))


@needs_openblas
def test_nothing_is_made_aside_by_one_thread_or_inside_a_share(monkeypatch: pytest.MonkeyPatch) -> None:
    def apart() -> bool:
        with threads.Aside(1) as aside:
            return aside.apart and aside.result(aside.submit(threading.get_ident)) != 0

    assert apart()
    assert not any(threads.shared(3, 1, lambda start, stop: apart()))
    monkeypatch.setattr(threads, "_count", 1)
    assert not apart()


@needs_openblas
def test_where_no_thread_can_be_had_nothing_stays_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: int) -> None:
        raise RuntimeError("can't start new thread")

    before = blas_threads()
    monkeypatch.setattr(threads.crew, "hire", fail)
    for begin in (lambda: threads.Aside(1).__enter__(), lambda: threads.shared(3, 1, lambda start, stop: None)):
        with pytest.raises(RuntimeError, match="new thread"):
            begin()
        assert blas_threads() == before
        assert not getattr(threads._sharing, "now", False)


@pytest.mark.parametrize("count", [1, 3, 11])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_recurrent_layer_is_the_same_with_any_number_of_threads(
    count: int, reverse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.default_rng(0)
    shapes = (count, 2, 3), (2, 4), (2, 4), (16, 3), (16, 4), (16,), (16,)
    arrays = [draw.normal(size=shape) for shape in shapes]

    def run() -> list[np.ndarray]:
        x, h, c, *weights = (minitorch.tensor(array, requires_grad=True) for array in arrays)
        out, _, last = lstm_layer(x, h, c, tuple(weights), reverse)
        ((out * out).sum() + (last * 3).sum()).backward()
        given = [node.grad for node in (x, h, c, *weights)]
        return [out.detach().numpy(), *(grad.numpy() for grad in given if grad is not None)]

    apart = run()
    monkeypatch.setattr(threads, "_count", 1)
    for one, other in zip(apart, run(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
