"""What only a card can show. Everything else about GPUs is tested on the double of CuPy, in tests/device and on it.

`python -m pytest -m gpu tests/gpu`, or all of it with the benchmarks: `python -m benchmarks.gpu`.
"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch
from benchmarks.models import MODELS
from minitorch import Tensor, backends, cuda, nn
from minitorch.core.device import host
from minitorch.data import DataLoader, PrefetchToDevice, TensorDataset
from minitorch.nn import functional as F
from tests.minitorch.checks import about, active, outputs, rng, same
from tests.minitorch.opentry import Entry
from tests.minitorch.optable import TABLE
from tests.minitorch.test_cudnn import CONVOLUTIONS

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not cuda.is_available(), reason="there is no GPU here")]
with_cudnn = pytest.mark.skipif("not backends.cudnn.is_available()", reason="cuDNN is not installed")


@pytest.fixture(autouse=True)
def exact():
    """No TF32: what is compared is compared to the last digits."""
    with backends.cudnn.flags(allow_tf32=False):
        yield


# The operation table


@pytest.mark.parametrize("entry", [entry for entry in TABLE if entry.strict], ids=repr)
def test_operations_and_their_gradients_are_the_cpus(entry: Entry) -> None:
    for sample in entry.samples:
        with about(sample):
            seen = []
            for place in ("cpu", "cuda"):
                inputs = [
                    Tensor(array, requires_grad=spec.differentiable).to(place).detach().requires_grad_(spec.differentiable)
                    for spec, array in zip(sample.tensors(), sample.arrays(entry.name))
                ]
                results = outputs(entry, sample, inputs)
                draw, grads = rng(entry, sample), []
                recorded = [x * 1.0 if x.op is None else x for x in results if x.requires_grad]
                starts = [minitorch.tensor(draw.uniform(0.5, 1.5, x.shape), dtype=x.dtype, device=place) for x in recorded]
                if entry.differentiable and recorded and active(inputs):
                    grads = minitorch.grad(recorded, active(inputs), starts, allow_unused=True)
                if place == "cuda" and inputs:
                    assert all(x.is_cuda for x in results)
                seen.append([host(x.raw) for x in (*results, *grads) if x is not None])
            for here, there in zip(*seen, strict=True):
                same(there, here, rtol=max(entry.tolerance, 1e-9), atol=max(entry.tolerance, 1e-10))


# Models


@pytest.mark.parametrize("name", MODELS)
def test_models_learn_as_on_the_cpu(name: str) -> None:
    here, there = (MODELS[name]("minitorch", place) for place in ("cpu", "cuda"))
    losses = [[model.step().item() for _ in range(4)] for model in (here, there)]
    np.testing.assert_allclose(losses[1], losses[0], rtol=5e-3)


def test_pytorch_on_the_card_computes_the_same() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("this PyTorch sees no card")
    torch.backends.cudnn.allow_tf32 = False
    for name in ("lenet", "resnet", "gpt"):
        losses = [[MODELS[name](library, "cuda").step().item()] for library in ("torch", "minitorch")]
        np.testing.assert_allclose(losses[1], losses[0], rtol=1e-3)


def test_a_half_precision_step_is_finite_and_close() -> None:
    minitorch.manual_seed(0)
    model = nn.Sequential(nn.Linear(32, 64), nn.GELU(), nn.LayerNorm(64), nn.Linear(64, 8))
    x = minitorch.randn(16, 32)
    expected = model(x)
    found = model.to("cuda", minitorch.float16)(x.cuda().half())
    np.testing.assert_allclose(host(found.raw).astype("f"), host(expected.raw), rtol=2e-2, atol=2e-2)


# Convolution: cuDNN and im2col


@with_cudnn
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_cudnn_and_im2col_agree(case: str, channels_last: bool) -> None:
    import cupy

    from minitorch.backend import cupy_cudnn, cupy_gemm

    (n, c, *size), kernel, rest = CONVOLUTIONS[case]
    axes, dtype = len(size), rest.get("dtype", "float32")
    way = rest.get("stride", (1,) * axes), rest.get("padding", ((0, 0),) * axes), rest.get("dilation", (1,) * axes), rest.get("groups", 1)
    draw = np.random.default_rng(0)
    # Sizes of several tiles: what reads past an edge is seen.
    x, weight = (cupy.asarray(draw.normal(size=s).astype(dtype)) for s in ((4 * n, 8 * c, *(3 * k for k in size)), (8 * kernel[0], 8 * kernel[1], *kernel[2:])))
    if channels_last:
        x = cupy.moveaxis(cupy.ascontiguousarray(cupy.moveaxis(x, 1, -1)), -1, 1)
    if case == "depthwise":
        way, weight = (*way[:3], x.shape[1]), weight[: x.shape[1], :1].copy()
    out = cupy_gemm.conv(x, weight, None, *way)
    grad = cupy.asarray(draw.normal(size=out.shape).astype(dtype))
    wanted = [out, cupy_gemm.conv_input(grad, weight, x.shape[2:], *way), cupy_gemm.conv_weight(x, grad, weight.shape[2:], *way)]
    found = [
        cupy_cudnn.conv(x, weight, None, *way), cupy_cudnn.conv_input(grad, weight, x.shape[2:], *way),
        cupy_cudnn.conv_weight(x, grad, weight.shape[2:], *way),
    ]  # fmt: skip
    if case not in ("uneven", "double", "depthwise", "dilated"):  # of these cuDNN may have no kernel
        assert all(x is not None for x in found)
    for a, b in zip(found, wanted):
        if a is not None:
            scale = abs(b).max().item()
            np.testing.assert_allclose(a.get() / scale, b.get() / scale, atol=1e-5)


@with_cudnn
@pytest.mark.parametrize("causal", [False, True])
def test_attention_by_cudnn_and_composed_agree(causal: bool) -> None:
    draw, seen = np.random.default_rng(0), []
    arrays = [draw.normal(size=(2, 4, 128, 64)).astype("e") for _ in range(3)]
    for enabled in (True, False):
        with backends.cudnn.flags(enabled=enabled):
            q, k, v = (minitorch.tensor(x, device="cuda", requires_grad=True) for x in arrays)
            out = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
            assert (type(out._saved).__name__ == "Rows") == enabled
            out.sum().backward()
            seen.append([host(x.raw).astype("f") for x in (out, q.grad, k.grad, v.grad)])
    for a, b in zip(*seen):
        np.testing.assert_allclose(a, b, atol=2e-2)


def test_tf32_is_a_choice() -> None:
    x, y = (minitorch.randn(512, 512, device="cuda") for _ in range(2))
    exact, matmul = x @ y, backends.cuda.matmul
    before = matmul.allow_tf32
    try:
        matmul.allow_tf32 = True
        rounded = x @ y
    finally:
        matmul.allow_tf32 = before
    off = float(((rounded - exact).abs().max() / exact.abs().max()).item())
    assert off < 5e-3 and (off > 0 or cuda.get_device_capability()[0] < 8)


# Streams and memory


def test_batches_copied_ahead_arrive_whole() -> None:
    data = TensorDataset(minitorch.arange(40_000_000).reshape(40, -1).float())
    for k, (x,) in enumerate(PrefetchToDevice(DataLoader(data, 4, num_workers=2, pin_memory=True), "cuda", 2)):
        assert x.is_cuda
        np.testing.assert_array_equal(host(x.raw[:, ::997]), data.tensors[0].raw[4 * k : 4 * k + 4, ::997])


def test_memory_is_counted_and_given_back() -> None:
    cuda.empty_cache()
    cuda.reset_peak_memory_stats()
    before = cuda.memory_allocated()
    x = minitorch.zeros(256, 1024, 1024, device="cuda")
    assert cuda.memory_allocated() - before == x.nbytes <= cuda.memory_reserved()
    del x
    assert cuda.memory_allocated() == before and cuda.max_memory_allocated() >= before + 2**30
    cuda.empty_cache()
    assert cuda.memory_reserved() < 2**30


def test_events_measure_and_streams_run() -> None:
    start, end, side = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True), cuda.Stream()
    x = minitorch.randn(2048, 2048, device="cuda")
    side.wait_stream(cuda.current_stream())
    with cuda.stream(side):
        start.record()
        y = x @ x
        end.record()
    cuda.current_stream().wait_stream(side)
    end.synchronize()
    assert start.elapsed_time(end) > 0
    np.testing.assert_allclose(host(y.raw), host(x.raw) @ host(x.raw), rtol=1e-2, atol=1e-2)


def test_pinned_memory_is_pinned() -> None:
    x = minitorch.randn(1000).pin_memory()
    assert x.is_pinned() and x.to("cuda", non_blocking=True).tolist() == x.tolist()


two_gpus = pytest.mark.skipif("cuda.device_count() < 2", reason="there is one GPU here")


@two_gpus
def test_tensors_of_two_gpus_are_refused() -> None:
    x, y = minitorch.ones(3, device="cuda:0"), minitorch.ones(3, device="cuda:1")
    with pytest.raises(RuntimeError, match=r"^add mixes devices: 'x' on cuda:0 and 'y' on cuda:1; bring them together: x\.to\('cuda:1'\)$"):
        x + y
    assert (x.to("cuda:1") + y).device == "cuda:1"


@two_gpus
@pytest.mark.filterwarnings("error")  # CuPy warns where a kernel reads another GPU's memory
@pytest.mark.parametrize("current", [0, 1])
def test_a_step_on_the_second_gpu_whichever_is_the_current_one(current: int) -> None:
    """And with one half on each GPU: each tensor, gradient and moment stays on its own."""
    for first, second in (("cuda:1", "cuda:1"), ("cuda:0", "cuda:1"), ("cuda:1", "cuda:0")):
        with cuda.device(current):
            seen = []
            for places in (("cpu", "cpu"), (first, second)):
                minitorch.manual_seed(0)
                below = nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8), nn.GELU()).to(places[0])
                above = nn.Sequential(nn.BatchNorm1d(8), nn.Dropout(0.0), nn.Linear(8, 3)).to(places[1])
                parameters = [*below.parameters(), *above.parameters()]
                optimizer = minitorch.optim.SGD(parameters, 0.1, momentum=0.9)
                x = minitorch.randn(6, 8, device=places[0])
                for _ in range(2):
                    optimizer.zero_grad()
                    loss = F.cross_entropy(above(below(x).to(places[1])), minitorch.arange(6, device=places[1]) % 3)
                    loss.backward()
                    norm = nn.utils.clip_grad_norm_(parameters, 1.0)
                    optimizer.step()
                assert {p.device for p in (*below.parameters(), *(p.grad for p in below.parameters()))} == {places[0]}
                assert {p.device for p in (loss, *above.parameters(), *(p.grad for p in above.parameters()))} == {places[1]}
                seen.append([host(x.raw) for x in (loss, norm, *parameters)])
            for here, there in zip(*seen, strict=True):
                np.testing.assert_allclose(there, here, rtol=1e-3, atol=1e-5)
        assert repr(loss).startswith("tensor(") and loss.to("cuda:0").device == "cuda:0" and loss.cpu().device == "cpu"
