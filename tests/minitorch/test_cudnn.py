"""The rung of cuDNN, on the doubles of CuPy and of nvidia-cudnn-frontend.

The double of the frontend knows the calls and arguments of 1.22 that are used (nvidia-cudnn-frontend itself refuses others),
wants them in the order that it does, and carries a graph out as the real one: from addresses alone. What it computes is the
NumPy backend's convolution.
"""

from __future__ import annotations

import ctypes
import sys
from enum import Enum
from types import ModuleType

import numpy as np
import pytest

from minitorch.backend import numpy as host
from tests.device import queues

BYTES = {"HALF": np.float16, "FLOAT": np.float32, "DOUBLE": np.float64}


class Refused(Exception):
    pass


class Array:
    """A tensor of a graph."""

    def __init__(self, dim=None, stride=None, kind=None, uid=-1):
        self.dim, self.stride, self.kind, self.uid, self.output = dim, stride, kind, uid, False

    def set_output(self, yes):
        self.output = yes
        return self

    def set_data_type(self, kind):
        self.kind = kind
        return self

    def set_dim(self, dim):
        self.dim = dim
        return self

    def set_stride(self, stride):
        self.stride = stride
        return self

    def set_uid(self, uid):
        self.uid = uid
        return self

    def at(self, address):
        """The numbers there, as NumPy sees them."""
        dtype = np.dtype(BYTES[self.kind.name])
        last = sum((n - 1) * s for n, s in zip(self.dim, self.stride)) + 1
        flat = np.frombuffer((ctypes.c_char * (last * dtype.itemsize)).from_address(address), dtype)
        return np.lib.stride_tricks.as_strided(flat, self.dim, [s * dtype.itemsize for s in self.stride])


def frontend():
    """A double of the module `cudnn`, and what it was asked: a list of the graphs built, another of those carried out."""
    cudnn = ModuleType("cudnn")
    cudnn.data_type = Enum("data_type", "HALF FLOAT DOUBLE")
    cudnn.heur_mode = Enum("heur_mode", "A B FALLBACK")
    cudnn.numerical_note = Enum("numerical_note", "TENSOR_CORE DOWN_CONVERT_INPUTS")
    cudnn.diagonal_alignment = Enum("diagonal_alignment", "TOP_LEFT BOTTOM_RIGHT")
    cudnn.cudnnGraphNotSupportedError = Refused
    cudnn.backend_version, cudnn.handles, cudnn.streams = lambda: 92800, [], []
    cudnn.graphs, cudnn.runs, cudnn.refuse = [], [], lambda graph: None

    def create_handle():
        cudnn.handles.append(len(cudnn.handles) + 100)
        return cudnn.handles[-1]

    cudnn.create_handle, cudnn.set_stream = create_handle, lambda handle, stream: cudnn.streams.append((handle, stream))

    class pygraph:
        def __init__(self, *, io_data_type, intermediate_data_type, compute_data_type, handle):
            assert handle in cudnn.handles
            self.compute, self.stage, self.inputs, self.dropped = compute_data_type, [], [], []
            cudnn.graphs.append(self)

        def tensor(self, dim, stride, data_type, name="", uid=-1):
            self.inputs.append(Array(dim, stride, data_type, uid))
            return self.inputs[-1]

        def _conv(self, kind, a, b, pre_padding, post_padding, stride, dilation):
            self.kind, self.out = kind, Array()
            way = tuple(stride), tuple(zip(pre_padding, post_padding)), tuple(dilation)

            def compute(x, y, out):
                groups = x.shape[1] // y.shape[1]  # cuDNN reads them from the shapes
                if kind == "fprop":
                    out[...] = host.conv(x, y, None, *way, groups)
                elif kind == "dgrad":
                    out[...] = host.conv_input(x, y, out.shape[2:], *way, out.shape[1] // y.shape[1])
                else:
                    out[...] = host.conv_weight(x, y, out.shape[2:], *way, x.shape[1] // out.shape[1])

            self.compute_it = compute
            return self.out

        def conv_fprop(self, *, image, weight, **way):
            return self._conv("fprop", image, weight, **way)

        def conv_dgrad(self, *, loss, filter, **way):
            return self._conv("dgrad", loss, filter, **way)

        def conv_wgrad(self, *, image, loss, **way):
            return self._conv("wgrad", image, loss, **way)

        def sdpa(self, *, q, k, v, attn_scale, generate_stats, diagonal_alignment=None, diagonal_band_right_bound=None):
            assert generate_stats
            self.kind, self.out, self.rows = "sdpa", Array(), Array()
            causal = diagonal_alignment == cudnn.diagonal_alignment.TOP_LEFT and diagonal_band_right_bound == 0

            def compute(q, k, v, out, rows):
                scores = scores_of(q, k, attn_scale, causal)
                rows[...] = np.log(np.exp(scores).sum(-1, keepdims=True))
                out[...] = np.exp(scores - rows) @ v.astype("f")

            self.compute_it = compute
            return self.out, self.rows

        def sdpa_backward(self, *, q, k, v, o, dO, stats, attn_scale, diagonal_alignment=None, diagonal_band_right_bound=None):
            self.kind, self.grads = "sdpa_backward", [Array(), Array(), Array()]
            causal = diagonal_alignment is not None

            def compute(q, k, v, o, grad, stats, *grads):
                q, k, v, o, grad = (x.astype("f") for x in (q, k, v, o, grad))
                chances = np.exp(scores_of(q, k, attn_scale, causal) - stats)
                flow = chances * (grad @ v.swapaxes(-1, -2) - (grad * o).sum(-1, keepdims=True)) * attn_scale
                for made, found in zip(grads, (flow @ k, flow.swapaxes(-1, -2) @ q, chances.swapaxes(-1, -2) @ grad)):
                    made[...] = found

            self.compute_it = compute
            return self.grads

        def outputs(self):
            return {"sdpa": lambda: [self.out, self.rows], "sdpa_backward": lambda: self.grads}.get(self.kind, lambda: [self.out])()

        def _step(name, after):
            def step(self, *arguments):
                assert (self.stage or [""])[-1] == after, f"{name} comes after {after}, not after {self.stage}"
                self.stage.append(name)
                if name == "check_support":
                    cudnn.refuse(self)

            return step

        validate, build_operation_graph = _step("validate", ""), _step("build_operation_graph", "validate")
        create_execution_plans = _step("create_execution_plans", "build_operation_graph")
        check_support, build_plans = _step("check_support", "create_execution_plans"), _step("build_plans", "check_support")

        def deselect_numeric_notes(self, notes):
            assert self.stage[-1] == "create_execution_plans"
            self.dropped += notes

        def get_workspace_size(self):
            return 64

        def execute(self, addresses, workspace, handle):
            assert self.stage[-1] == "build_plans" and handle in cudnn.handles and workspace
            assert all(type(number) is int and type(address) is int and not address % 16 for number, address in addresses.items())
            arrays = [x.at(addresses.pop(x.uid)) for x in (*self.inputs, *self.outputs())]
            assert not addresses and all(x.output for x in self.outputs())
            self.compute_it(*arrays)
            cudnn.runs.append(self)

    cudnn.pygraph = pygraph
    return cudnn


def scores_of(q, k, scale, causal):
    scores = q.astype("f") @ k.astype("f").swapaxes(-1, -2) * scale
    return np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf) if causal else scores


@pytest.fixture
def cupy(monkeypatch):
    with queues.gpu(monkeypatch) as module:
        yield module


@pytest.fixture
def cudnn(cupy, monkeypatch):
    """The double in place, and nothing remembered."""
    from minitorch.backend import cupy_attention, cupy_conv, cupy_cudnn

    made = frontend()
    monkeypatch.setitem(sys.modules, "cudnn", made)
    forget = [cupy_cudnn.is_available, cupy_cudnn.version, cupy_cudnn.conv_plan, cupy_conv.convolution_ladder]
    forget += [cupy_attention._forward, cupy_attention._backward]
    for function in forget:
        function.cache_clear()
    monkeypatch.setattr(cupy_cudnn._handles, "by_device", {}, raising=False)
    yield made
    for function in forget:
        function.cache_clear()


CONVOLUTIONS = {
    "3x3": ((2, 3, 6, 5), (4, 3, 3, 3), {"padding": ((1, 1), (1, 1))}), "1x1": ((2, 3, 4, 4), (5, 3, 1, 1), {}),
    "strided": ((1, 2, 7, 8), (3, 2, 3, 2), {"stride": (2, 3)}), "dilated": ((1, 2, 7, 8), (3, 2, 3, 2), {"dilation": (2, 3)}),
    "uneven": ((1, 2, 5, 5), (3, 2, 2, 2), {"padding": ((1, 0), (0, 2))}), "groups": ((2, 4, 5, 5), (6, 2, 3, 3), {"groups": 2}),
    "depthwise": ((2, 4, 5, 5), (4, 1, 3, 3), {"groups": 4}), "a line": ((2, 3, 9), (4, 3, 3), {"stride": (2,), "padding": ((1, 1),)}),
    "a volume": ((1, 2, 4, 5, 3), (3, 2, 2, 2, 2), {}), "double": ((2, 3, 6, 5), (4, 3, 3, 3), {"dtype": "float64"}),
}  # fmt: skip


def numbers(*shape, dtype="float32"):
    return np.random.default_rng(len(shape)).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_all_three_convolutions_reach_cudnn_and_agree_with_numpy(cupy, cudnn, case, channels_last):
    from minitorch.backend import cupy_conv

    (n, c, *size), kernel, rest = CONVOLUTIONS[case]
    axes, dtype = len(size), rest.get("dtype", "float32")
    way = rest.get("stride", (1,) * axes), rest.get("padding", ((0, 0),) * axes), rest.get("dilation", (1,) * axes), rest.get("groups", 1)
    x, weight, bias = numbers(n, c, *size, dtype=dtype), numbers(*kernel, dtype=dtype), numbers(kernel[0], dtype=dtype)
    there = cupy.array(x)
    if channels_last:
        there = cupy.moveaxis(cupy.ascontiguousarray(cupy.moveaxis(there, 1, -1)), -1, 1)
    expected = host.conv(x, weight, bias, *way)
    out = cupy_conv.conv(there, cupy.array(weight), cupy.array(bias), *way)
    np.testing.assert_allclose(out.get(), expected, rtol=1e-5, atol=1e-5)
    assert axes == 1 or cupy.moveaxis(out, 1, -1).flags.c_contiguous == channels_last
    grad = numbers(*expected.shape, dtype=dtype)
    back = cupy_conv.conv_input(cupy.array(grad), cupy.array(weight), tuple(size), *way)
    np.testing.assert_allclose(back.get(), host.conv_input(grad, weight, tuple(size), *way), rtol=1e-5, atol=1e-5)
    found = cupy_conv.conv_weight(there, cupy.array(grad), tuple(kernel[2:]), *way)
    np.testing.assert_allclose(found.get(), host.conv_weight(x, grad, tuple(kernel[2:]), *way), rtol=1e-5, atol=1e-4)
    assert [graph.kind for graph in cudnn.runs] == ["fprop", "dgrad", "wgrad"]
    assert {graph.compute.name for graph in cudnn.runs} == {"DOUBLE" if dtype == "float64" else "FLOAT"}


def conv(cupy, x, weight, padding=0):
    from minitorch.backend import cupy_conv

    return cupy_conv.conv(x, weight, None, (1, 1), ((padding, padding),) * 2, (1, 1))


def test_a_plan_is_built_once_for_each_shape_layout_and_dtype(cupy, cudnn):
    x, weight = cupy.array(numbers(2, 3, 6, 6)), cupy.array(numbers(4, 3, 3, 3))
    for _ in range(3):
        conv(cupy, x, weight)
        conv(cupy, x + 1, weight)
    assert (len(cudnn.graphs), len(cudnn.runs)) == (1, 6) and len(cudnn.handles) == len(cudnn.streams) == 1
    conv(cupy, x, weight, padding=1)
    conv(cupy, x[:1], weight)
    conv(cupy, x.astype("float16"), weight.astype("float16"))
    assert len(cudnn.graphs) == 4 and cudnn.graphs[-1].compute.name == "FLOAT"


def test_without_tf32_only_float32_keeps_off_tensor_cores(cupy, cudnn, monkeypatch):
    from minitorch.backend.gpu_flags import flags

    x, weight = cupy.array(numbers(2, 3, 6, 6)), cupy.array(numbers(4, 3, 3, 3))
    for allowed in (True, False):
        monkeypatch.setattr(flags, "cudnn_tf32", allowed)
        for dtype in ("float16", "float32", "float64"):
            conv(cupy, x.astype(dtype), weight.astype(dtype))
    notes = cudnn.numerical_note
    assert [graph.dropped for graph in cudnn.graphs] == [[], [], [], [notes.TENSOR_CORE, notes.DOWN_CONVERT_INPUTS]]


def test_another_stream_is_told_to_cudnn_once(cupy, cudnn):
    x, weight = cupy.array(numbers(2, 3, 6, 6)), cupy.array(numbers(4, 3, 3, 3))
    side = cupy.cuda.Stream()
    conv(cupy, x, weight)
    with side:
        conv(cupy, x, weight)
        conv(cupy, x, weight)
    assert [stream for _, stream in cudnn.streams] == [cupy.cuda.Stream.null.ptr, side.ptr] and len(cudnn.handles) == 1


def test_an_array_that_cudnn_cannot_read_where_it_lies_is_copied(cupy, cudnn):
    wide, weight = cupy.array(numbers(2, 3, 6, 13)), cupy.array(numbers(4, 3, 3, 3))
    flat = cupy.array(numbers(2 * 3 * 36 + 1))
    for x in (wide[:, :, :, ::2], flat[1:].reshape(2, 3, 6, 6)):  # gaps between the elements; an address in the middle of a word
        np.testing.assert_allclose(conv(cupy, x, weight).get(), host.conv(x.get(), weight.get(), None, (1, 1), ((0, 0),) * 2, (1, 1)), rtol=1e-4, atol=1e-5)
    assert len(cudnn.runs) == 2


def test_what_cudnn_does_not_take_goes_to_the_next_rung(cupy, cudnn):
    x, weight = cupy.array(numbers(2, 3, 6, 6)), cupy.array(numbers(4, 3, 3, 3))
    expected = host.conv(x.get(), weight.get(), None, (1, 1), ((0, 0),) * 2, (1, 1))

    def refuse(graph):
        raise Refused("no engine")

    cudnn.refuse = refuse
    for _ in range(2):
        np.testing.assert_allclose(conv(cupy, x, weight).get(), expected, rtol=1e-4, atol=1e-5)
    assert len(cudnn.graphs) == 1 and not cudnn.runs  # asked once
    conv(cupy, x, weight, padding=-1)
    conv(cupy, x[:0], weight)
    assert len(cudnn.graphs) == 1


def test_a_refusal_that_nobody_expects_is_told(cupy, cudnn):
    def refuse(graph):
        raise RuntimeError("CUDNN_STATUS_BAD_PARAM")

    cudnn.refuse = refuse
    x, weight = cupy.array(numbers(2, 3, 6, 6)), cupy.array(numbers(4, 3, 3, 3))
    with pytest.warns(RuntimeWarning, match="cuDNN refuses a graph, and CuPy computes it instead: CUDNN_STATUS_BAD_PARAM"):
        assert conv(cupy, x, weight).shape == (2, 4, 4, 4)


@pytest.mark.parametrize("broken", [None, RuntimeError("Unable to find symbol cudnnGetVersion"), OSError("libcudnn.so.9")])
def test_without_the_library_there_is_no_such_rung(cupy, cudnn, broken, monkeypatch):
    from minitorch.backend import cupy_conv, cupy_cudnn, cupy_gemm

    assert cupy_conv.convolution_ladder() == (cupy_cudnn, cupy_gemm) and cupy_cudnn.version() == 92800
    if broken is None:
        monkeypatch.setitem(sys.modules, "cudnn", None)
    else:

        def backend_version():
            raise broken

        cudnn.backend_version = backend_version
    for function in (cupy_cudnn.is_available, cupy_cudnn.version, cupy_conv.convolution_ladder):
        function.cache_clear()
    assert not cupy_cudnn.is_available() and cupy_conv.convolution_ladder() == (cupy_gemm,)


# Attention


@pytest.mark.parametrize("causal", [False, True])
def test_attention_of_float16_and_its_gradient_are_cudnns(cupy, cudnn, causal):
    import minitorch
    from minitorch.nn import functional as F

    arrays = [numbers(2, 3, places, 8) for places in (5, 6, 6)]
    seen = []
    for device, dtype in (("cpu", "float32"), ("cuda", "float16")):
        leaves = [minitorch.tensor(x, dtype=dtype, device=device, requires_grad=True) for x in arrays]
        out = F.scaled_dot_product_attention(*leaves, is_causal=causal)
        (out * out).sum().backward()
        seen.append([x.tolist() for x in (out, *(x.grad for x in leaves))])
    for here, there in zip(*seen):
        np.testing.assert_allclose(there, here, rtol=0.02, atol=0.02)
    assert [graph.kind for graph in cudnn.runs] == ["sdpa", "sdpa_backward"]
    assert all(graph.compute.name == "FLOAT" for graph in cudnn.graphs)


def test_a_gradient_of_a_gradient_of_attention_is_composed(cupy, cudnn):
    import minitorch
    from minitorch.nn import functional as F

    q, k, v = (minitorch.tensor(numbers(1, 1, 3, 8), dtype="float16", device="cuda", requires_grad=True) for _ in range(3))
    (first,) = minitorch.grad(F.scaled_dot_product_attention(q, k, v).sum(), q, create_graph=True)
    (second,) = minitorch.grad((first * first).sum(), v)
    assert second.shape == v.shape and [graph.kind for graph in cudnn.runs] == ["sdpa"]


@pytest.mark.parametrize("why", ["float32", "mask", "dropout", "three axes", "other heads", "refused", "switched off"])
def test_other_attention_is_composed(cupy, cudnn, why, monkeypatch):
    import minitorch
    from minitorch.backend.gpu_flags import flags
    from minitorch.nn import functional as F

    monkeypatch.setattr(flags, "cudnn", why != "switched off")

    def refuse(graph):
        raise Refused("head size")

    if why == "refused":
        cudnn.refuse = refuse
    shapes = [(3, 4, 8)] * 3 if why == "three axes" else [(1, 2, 3, 8), (1, 1, 3, 8), (1, 1, 3, 8)] if why == "other heads" else [(1, 2, 3, 8)] * 3
    dtype = "float32" if why == "float32" else "float16"
    q, k, v = (minitorch.tensor(numbers(*shape), dtype=dtype, device="cuda", requires_grad=True) for shape in shapes)
    rest = {"mask": {"attn_mask": minitorch.zeros(3, 3, dtype=dtype, device="cuda")}, "dropout": {"dropout_p": 0.5}}.get(why, {})
    F.scaled_dot_product_attention(q, k, v, **rest).sum().backward()
    assert not cudnn.runs and q.grad.shape == q.shape


def test_the_layout_of_the_first_input_is_that_of_all(cupy, cudnn):
    x, weight = cupy.array(numbers(2, 3, 6, 6)), cupy.array(numbers(4, 3, 3, 3))
    last = cupy.moveaxis(cupy.ascontiguousarray(cupy.moveaxis(x, 1, -1)), -1, 1)
    for image in (x, last):
        conv(cupy, image, weight)
    plain, turned = cudnn.graphs
    assert [a.stride for a in (*plain.inputs, plain.out)] == [[108, 36, 6, 1], [27, 9, 3, 1], [64, 16, 4, 1]]
    assert [a.stride for a in (*turned.inputs, turned.out)] == [[108, 1, 18, 3], [27, 1, 9, 3], [64, 1, 16, 4]]
