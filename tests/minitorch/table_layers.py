"""The table's entries for `nn.functional`: activations, losses, convolution, pooling, normalization and the rest of layers."""

from __future__ import annotations

import math

import numpy as np

from .opentry import call, given, kink, nans, op, t, unary

FUNCTIONAL = "nn.functional."


def layer(name: str, *samples, **flags) -> None:
    """A function of nn.functional."""
    op(FUNCTIONAL + name, *samples, **{"numpy": None, "torch": FUNCTIONAL + name, "method": False, **flags})


def each(name: str, *more, **flags) -> None:
    """A function of nn.functional of each element by itself; `more` samples have other settings than the usual."""
    unary(FUNCTIONAL + name, **{"numpy": None, "torch": FUNCTIONAL + name, "method": False, "omit_gradient": nans, **flags})
    if more:
        layer(name, *more)


# Activations

each("relu6")
each("leaky_relu", call(t(3, 4), 0.2))
each("elu", call(t(3, 4), 0.5))
each("selu")
each("celu", call(t(3, 4), 2.0))
each("gelu", call(t(3, 4), approximate="tanh"), tolerance=1e-8, omit=lambda x: math.isinf(x), omit_gradient=lambda x: not math.isfinite(x))
each("silu", omit=math.isinf, omit_gradient=lambda x: not math.isfinite(x))
each("mish", omit=math.isinf, omit_gradient=lambda x: not math.isfinite(x))
each("softplus", call(t(3, 4), 2.0), call(t(3, 4), 2.0, 1.0))
each("logsigmoid")
each("softsign", omit=math.isinf, omit_gradient=lambda x: not math.isfinite(x))
each("softshrink", call(t(3, 4), 0.2), omit=math.isinf)
each("hardshrink", call(t(3, 4), 0.2))
each("tanhshrink")
each("hardtanh", call(t(3, 4), -0.3, 0.4))
each("hardsigmoid", tolerance=1e-7)  # PyTorch holds 1/6 in float32
each("hardswish", omit=math.isinf, omit_gradient=lambda x: not math.isfinite(x))
layer("threshold", call(t(3, 4), 0.1, 2.0), call(t(), 0.1, 2.0), call(t(0), 0.1, 2.0))
layer("prelu", call(t(3, 4), t(1)), call(t(3, 4), t(4)), call(t(2, 3, 4, 4), t(3)), call(t(4), t(1)), call(t(), t(1)), call(t(3, 4), t()))
layer("rrelu", call(t(3, 4)), call(t(3, 4), 0.1, 0.5), call(t(3, 4), 0.2, 0.2, True))
layer("glu", call(t(3, 4)), call(t(4, 3), 0), call(t(2, 6, 3), 1), call(t(0, 4)))
layer("softmin", call(t(3, 4), 1), call(t(2, 3, 4), -1), call(t(), 0))
layer(
    "softmax",
    call(t(3, 4), 1), call(t(2, 3, 4), 0), call(t(), 0), call(t(0, 3), 1), call(t(3, 0), 1), call(t(3), dim=-1),
    kink(given([[0.0, -np.inf], [1e4, -1e4]]), 1),
)  # fmt: skip
layer("log_softmax", call(t(3, 4), 1), call(t(2, 3, 4), 0), call(t(), 0), call(t(0, 3), 1), kink(given([[1e4, -1e4, 0.0]]), 1))

# Losses

for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"):
    layer(name, *(call(t(3, 4), t(3, 4), reduction=how) for how in ("mean", "sum", "none")), call(t(), t()), call(t(0), t(0), reduction="sum"))
layer("smooth_l1_loss", call(t(3, 4), t(3, 4), beta=0.3))
layer("huber_loss", call(t(3, 4), t(3, 4), delta=0.3))
layer("mse_loss", call(t(3, 4), t(3, 4), weight=t(3, 4, low=0.1, grad=False)))
layer(
    "cross_entropy",
    call(t(4, 3), t(4, of="int", high=3)), call(t(1, 5), given([4])), call(t(2, 1), given([0, 0])), call(t(5), given(3)),
    call(t(4, 3), given([0, 2, 1, 2]), t(3, low=0.1, grad=False)), call(t(4, 3), given([0, -100, 1, 2])),
    call(t(4, 3), given([0, 1, 1, 2]), ignore_index=1, reduction="sum"), call(t(4, 3), given([0, 1, 1, 2]), label_smoothing=0.2),
    call(t(4, 3), given([0, 1, -1, 2]), t(3, low=0.1, grad=False), ignore_index=-1, label_smoothing=0.2),
    call(t(2, 3, 4), t(2, 4, of="int", high=3)), call(t(2, 3, 2, 2), t(2, 2, 2, of="int", high=3), reduction="none"),
    call(t(4, 3), t(4, 3, low=0.1, high=0.9)), call(t(2, 3, 4), t(2, 3, 4, low=0.1, high=0.9), t(3, low=0.1, grad=False), label_smoothing=0.1),
)  # fmt: skip
layer(
    "nll_loss",
    call(t(4, 3), t(4, of="int", high=3)), call(t(3), given(1)), call(t(4, 3), given([0, 2, 1, 2]), t(3, low=0.1, grad=False)),
    call(t(4, 3), given([0, 2, 1, 2]), ignore_index=2), call(t(2, 3, 2, 2), t(2, 2, 2, of="int", high=3), reduction="none"),
)  # fmt: skip
layer(
    "binary_cross_entropy",
    call(t(3, 4, low=0.1, high=0.9), t(3, 4, low=0.0, high=1.0)), call(t(3, low=0.1, high=0.9), t(3, low=0.0, high=1.0), reduction="none"),
    call(t(3, 4, low=0.1, high=0.9), t(3, 4, low=0.0, high=1.0), t(4, low=0.1, grad=False)),
    call(given([0.0, 1.0, 0.5], grad=False), given([1.0, 0.0, 1.0], grad=False)),
)  # fmt: skip
layer(
    "binary_cross_entropy_with_logits",
    call(t(3, 4), t(3, 4, low=0.0, high=1.0)), call(t(3), t(3, low=0.0, high=1.0), reduction="sum"),
    call(t(3, 4), t(3, 4, low=0.0, high=1.0), t(4, low=0.1, grad=False), pos_weight=t(4, low=0.1, grad=False)),
    call(given([1e4, -1e4]), given([0.0, 1.0], grad=False)),
)  # fmt: skip
layer(
    "kl_div",
    call(t(3, 4), t(3, 4, low=0.1, high=1.0)), call(t(3, 4), t(3, 4), log_target=True, reduction="batchmean"),
    call(t(2), given([0.0, 1.0], grad=False), reduction="sum"),
)  # fmt: skip
layer("poisson_nll_loss", call(t(3, 4), t(3, 4, low=0.1)), call(t(3, low=0.5), t(3, low=0.1), log_input=False), call(t(3), given([0.5, 2.0, 5.0]), full=True))
layer("gaussian_nll_loss", call(t(3, 4), t(3, 4), t(3, 4, low=0.2)), call(t(3, 4), t(3, 4), t(3, low=0.2), full=True), call(t(3, 4), t(3, 4), t(3, 1, low=0.2)))
signs = given([1.0, -1.0, 1.0], grad=False)
layer("hinge_embedding_loss", call(t(3), signs), call(t(2, 3), signs, 0.5, reduction="none"))
layer("margin_ranking_loss", call(t(3), t(3), signs), call(t(3), t(3), signs, 0.7, reduction="sum"))
layer("soft_margin_loss", call(t(3), signs))  # inf in PyTorch where the result is 1000 and more
layer("multi_margin_loss", call(t(3, 4), given([0, 3, 1])), call(t(3, 4), given([0, 3, 1]), p=2, margin=0.5, weight=t(4, low=0.1, grad=False)), call(t(4), given(2)))
layer("multilabel_margin_loss", call(t(2, 4), given([[3, 0, -1, 1], [1, -1, 0, 0]])), call(t(4), given([1, 2, -1, 0])))
layer("multilabel_soft_margin_loss", call(t(3, 4), t(3, 4, low=0.0, high=1.0, grad=False)), call(t(3, 4), t(3, 4, low=0.0, high=1.0, grad=False), t(4, low=0.1, grad=False)))

# Convolution

layer(
    "conv1d",
    call(t(2, 3, 7), t(4, 3, 3), t(4)), call(t(3, 7), t(4, 3, 3)), call(t(2, 4, 9), t(6, 2, 3), t(6), stride=2, padding=1, groups=2),
    call(t(2, 3, 8), t(4, 3, 2), padding="same"), call(t(2, 3, 8), t(4, 3, 3), dilation=2, padding="valid"), call(t(0, 3, 8), t(4, 3, 3)),
)  # fmt: skip
layer(
    "conv2d",
    call(t(2, 3, 5, 6), t(4, 3, 3, 2), t(4)), call(t(3, 5, 5), t(2, 3, 3, 3)), call(t(1, 2, 5, 5), t(2, 2, 1, 1), t(2)),
    call(t(2, 4, 6, 5), t(4, 2, 3, 3), t(4), stride=(2, 1), padding=(1, 2), groups=2), call(t(1, 3, 6, 6), t(3, 1, 3, 3), groups=3),
    call(t(2, 2, 7, 7), t(3, 2, 2, 3), dilation=(2, 1), padding=(0, 3)), call(t(2, 2, 5, 4), t(3, 2, 2, 4), padding="same"),
    call(t(1, 1, 4, 4), t(1, 1, 2, 2), stride=3, padding=2),
)  # fmt: skip
layer("conv3d", call(t(2, 2, 3, 4, 4), t(3, 2, 2, 2, 3), t(3)), call(t(1, 2, 4, 4, 4), t(2, 1, 2, 2, 2), stride=2, padding=1, groups=2))
layer(
    "conv_transpose1d",
    call(t(2, 3, 5), t(3, 4, 3), t(4)), call(t(3, 5), t(3, 2, 3), stride=2, padding=1, output_padding=1), call(t(1, 4, 3), t(4, 2, 2), groups=2, dilation=3),
)  # fmt: skip
layer(
    "conv_transpose2d",
    call(t(2, 3, 4, 3), t(3, 2, 3, 2), t(2)), call(t(1, 2, 3, 3), t(2, 3, 4, 4), t(3), stride=2, padding=1),
    call(t(2, 4, 3, 3), t(4, 2, 3, 3), stride=(2, 1), padding=(0, 1), output_padding=(1, 0), groups=2),
    call(t(1, 1, 3, 3), t(1, 1, 3, 3), stride=2, dilation=4, output_padding=3),
)  # fmt: skip
layer("conv_transpose3d", call(t(1, 2, 2, 3, 2), t(2, 2, 2, 2, 2), t(2), stride=2))
layer("unfold", call(t(2, 3, 5, 5), 3), call(t(2, 4, 6), 2, padding=1, stride=2), call(t(1, 2, 6, 6), (2, 3), dilation=2))
layer("fold", call(t(2, 12, 16), (5, 5), 2), call(t(8, 9), 4, 2, padding=1, stride=2))

# Pooling

layer(
    "max_pool1d",
    call(t(2, 3, 8), 2), call(t(3, 7), 3, 2, 1, ceil_mode=True), call(t(2, 3, 9), 3, 1, dilation=2), call(t(2, 3, 8), 2, return_indices=True),
)  # fmt: skip
layer(
    "max_pool2d",
    call(t(2, 3, 6, 6), 2), call(t(3, 5, 7), 3, 2, 1), call(t(1, 2, 7, 6), (2, 3), (3, 1), (1, 0), ceil_mode=True),
    call(t(1, 2, 6, 6), 2, dilation=(2, 3), stride=1), call(t(1, 2, 6, 6), 2, return_indices=True),
    kink(given(np.zeros((1, 1, 4, 4))), 2), kink(given([[[[1.0, np.nan, 2.0, 0.0]]]]), (1, 2)),
)  # fmt: skip
layer("max_pool3d", call(t(1, 2, 4, 4, 4), 2), call(t(1, 2, 4, 5, 4), 3, 2, 1))
layer("avg_pool1d", call(t(2, 3, 8), 2), call(t(3, 7), 3, 2, 1, True, False))
layer(
    "avg_pool2d",
    call(t(2, 3, 6, 6), 2), call(t(3, 5, 7), 3, 2, 1), call(t(1, 2, 7, 6), (2, 3), (3, 1), (1, 0), True),
    call(t(1, 2, 7, 6), 3, 2, 1, True, False), call(t(1, 2, 7, 6), 3, divisor_override=5),
)  # fmt: skip
layer("avg_pool3d", call(t(1, 2, 4, 4, 4), 2), call(t(1, 2, 4, 5, 4), 3, 2, 1, False, False))
layer("adaptive_avg_pool1d", call(t(2, 3, 8), 4), call(t(3, 7), 3))
layer("adaptive_avg_pool2d", call(t(2, 3, 6, 6), 1), call(t(3, 5, 7), (3, 4)), call(t(2, 3, 4, 6), (None, 3)), call(t(1, 2, 3, 3), 5))
layer("adaptive_avg_pool3d", call(t(1, 2, 4, 5, 4), (2, 3, 4)))
layer("adaptive_max_pool1d", call(t(2, 3, 8), 4), call(t(3, 7), 3, return_indices=True))
layer("adaptive_max_pool2d", call(t(2, 3, 6, 6), 2), call(t(3, 5, 7), (3, 4)), call(t(2, 3, 4, 6), (None, 3), return_indices=True))
layer("max_unpool2d", call(t(1, 1, 2, 2), given([[[[0, 3], [9, 14]]]]), 2), call(t(1, 2, 2), given([[[0, 3], [9, 24]]]), 2, output_size=(5, 5)))

# Normalization

for name, positions in (("batch_norm", ()), ("batch_norm", (4,)), ("batch_norm", (3, 2))):
    layer(
        name,
        call(t(4, 3, *positions), None, None, training=True), call(t(4, 3, *positions), None, None, t(3), t(3), True),
        call(t(4, 3, *positions), t(3, grad=False), t(3, low=0.2, grad=False), t(3), t(3)),
        call(t(4, 3, *positions), t(3, grad=False), t(3, low=0.2, grad=False), None, t(3)),
    )  # fmt: skip
layer("layer_norm", call(t(3, 5), (5,)), call(t(3, 5), [5], t(5), t(5)), call(t(2, 3, 4), (3, 4), t(3, 4)), call(t(4), (4,), None, t(4), 0.1))
layer("group_norm", call(t(2, 4, 3), 2), call(t(2, 4, 3, 2), 2, t(4), t(4)), call(t(2, 4), 1, t(4)))
layer("instance_norm", call(t(2, 3, 5)), call(t(2, 3, 4, 2), weight=t(3), bias=t(3)), call(t(2, 3, 5), t(3, grad=False), t(3, low=0.2, grad=False), use_input_stats=False))
layer("rms_norm", call(t(3, 5), (5,)), call(t(2, 3, 4), (3, 4), t(3, 4), 0.1))
layer("local_response_norm", call(t(2, 5, 4), 3), call(t(2, 5, 3, 2), 2, 0.1, 0.5, 2.0))

# Shapes of images

layer(
    "pad",
    call(t(2, 3), (1, 2)), call(t(2, 3), (1, 0, 0, 2), value=1.5), call(t(2, 4), (-1, 2)), call(t(3, 4), ()),
    call(t(2, 3, 5), (2, 1), mode="reflect"), call(t(1, 2, 4, 5), (2, 1, 0, 3), mode="reflect"), call(t(2, 3, 4), (2, 5), mode="replicate"),
    call(t(2, 3, 4, 4), (1, 2, 2, 0), mode="circular"), call(t(2, 3, 4), (-1, 2), mode="circular"),
)  # fmt: skip
layer(
    "interpolate",
    call(t(1, 2, 3, 4), scale_factor=2), call(t(1, 2, 6, 4), size=(4, 3)), call(t(2, 1, 5), size=8, mode="nearest-exact"),
    call(t(1, 2, 5), scale_factor=1.7, mode="linear"), call(t(1, 2, 3, 4), size=(5, 2), mode="bilinear"),
    call(t(1, 2, 3, 4), scale_factor=(2, 1.5), mode="bilinear", align_corners=True), call(t(1, 2, 3, 4), size=(5, 6), mode="bicubic"),
    call(t(1, 1, 3, 2, 2), scale_factor=2, mode="trilinear"), call(t(1, 2, 5, 5), size=(2, 3), mode="area"),
    call(t(1, 2, 3, 3), scale_factor=1.5, mode="bilinear", recompute_scale_factor=True),
)  # fmt: skip
layer("upsample", call(t(1, 2, 3, 4), scale_factor=2))
layer("upsample_nearest", call(t(1, 2, 3, 4), scale_factor=3))
layer("upsample_bilinear", call(t(1, 2, 3, 4), size=(5, 4)))
layer("pixel_shuffle", call(t(2, 8, 2, 3), 2), call(t(9, 1, 2), 3))
layer("pixel_unshuffle", call(t(2, 2, 4, 6), 2), call(t(1, 3, 3), 3))
layer("channel_shuffle", call(t(2, 6, 3), 3), call(t(1, 4, 2, 2), 2), torch="nn.functional.channel_shuffle")
grid = given(np.random.default_rng(3).uniform(-1.2, 1.2, (2, 3, 2, 2)))
layer(
    "grid_sample",
    *(call(t(2, 3, 4, 5), grid, mode, padding, corners) for mode, padding, corners in (
        ("bilinear", "zeros", False), ("bilinear", "border", True), ("bilinear", "reflection", False), ("nearest", "zeros", True),
        ("bicubic", "zeros", False), ("bicubic", "reflection", True),
    )),
    call(t(1, 2, 3, 3, 3), given(np.random.default_rng(4).uniform(-1.1, 1.1, (1, 2, 2, 2, 3))), align_corners=False),
    tolerance=1e-8,
)  # fmt: skip
layer("affine_grid", call(t(2, 2, 3), (2, 1, 3, 4), False), call(t(1, 3, 4), (1, 1, 2, 3, 2), True))

# Dropout, embedding, attention, linear maps

for name in ("dropout", "alpha_dropout", "feature_alpha_dropout"):
    layer(name, call(t(3, 4), 1.0, True))
    layer(name, call(t(4, 5), 0.4, True), torch=None, strict=False)  # drawn, and a GPU draws for itself: test_cupy.py
layer("dropout1d", call(t(2, 3, 4), 1.0), call(t(3, 4), 1.0))
layer("dropout2d", call(t(2, 3, 4, 4), 1.0), call(t(2, 3, 4), 1.0))
layer("dropout3d", call(t(2, 3, 2, 2, 2), 1.0))
layer(
    "embedding",
    call(given([[1, 2, 4], [4, 3, 2]]), t(5, 3)), call(given(2), t(5, 3)), kink(given([0, 1, 1, 2]), t(5, 3), padding_idx=1),
    kink(given([0, 1, 1, 2]), t(5, 3), -4, scale_grad_by_freq=True), call(t(0, of="int"), t(5, 3)),
)  # fmt: skip
layer(
    "scaled_dot_product_attention",
    call(t(2, 3, 4), t(2, 5, 4), t(2, 5, 6)), call(t(3, 4), t(3, 4), t(3, 4), is_causal=True), call(t(2, 2, 3, 4), t(2, 1, 5, 4), t(1, 1, 5, 2), scale=0.3),
    call(t(2, 3, 4), t(2, 5, 4), t(2, 5, 4), t(3, 5)), call(t(3, 4), t(3, 4), t(3, 4), given([[True, False, True]] * 3)),
    call(t(1, 4, 3, 2), t(1, 2, 3, 2), t(1, 2, 3, 2), enable_gqa=True),
    torch=lambda torch: _attention(torch), tolerance=1e-8,
)  # fmt: skip
layer("linear", call(t(3, 4), t(2, 4), t(2)), call(t(4), t(2, 4)), call(t(3, 4), t(4)), call(t(2, 3, 4), t(4), t()), call(t(2, 3, 4), t(2, 4), t(2)), call(t(0, 4), t(2, 4), t(2)))
layer("bilinear", call(t(3, 2), t(3, 4), t(5, 2, 4), t(5)), call(t(2), t(4), t(5, 2, 4)))


def _attention(torch):
    """PyTorch's attention by its plain formula (its fast kernels have no second derivative)."""

    def function(*args, **kwargs):
        with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            return torch.nn.functional.scaled_dot_product_attention(*args, **kwargs)

    return function


# Recurrent layers


def _recurrent(kind: str):
    """PyTorch's layer of one direction; it has none that only reads backwards, so the sequence is turned around for it."""

    def of_torch(torch):
        def function(x, *rest, reverse=False):
            *states, weights = (part for part in rest if not isinstance(part, str))
            start = [state[None] for state in states]
            run = getattr(torch, kind)
            out, *last = run(
                x.flip(0) if reverse else x, start if kind == "lstm" else start[0], weights, len(weights) == 4, 1, 0.0, False, False, False,
            )
            return (out.flip(0) if reverse else out, *(state[0] for state in last))

        return function

    return of_torch


def _weights(gates: int, *, bias: bool = True) -> tuple:
    return (t(gates * 4, 3), t(gates * 4, 4)) + ((t(gates * 4), t(gates * 4)) if bias else ())


for kind, gates, states in (("rnn_tanh", 1, 1), ("gru", 3, 1), ("lstm", 4, 2)):
    start = [t(2, 4)] * states
    op(
        f"ops.recurrent.{kind.removesuffix('_tanh')}_layer",
        call(t(3, 2, 3), *start, _weights(gates)), call(t(3, 2, 3), *start, _weights(gates, bias=False)),
        call(t(3, 2, 3), *start, _weights(gates), reverse=True), call(t(1, 2, 3), *start, _weights(gates)),
        numpy=None, torch=_recurrent(kind), method=False,
    )  # fmt: skip
op("ops.recurrent.rnn_layer", call(t(3, 2, 3), t(2, 4), _weights(1), "relu"), numpy=None, torch=_recurrent("rnn_relu"), method=False)

# Distances

layer("normalize", call(t(3, 4)), call(t(2, 3, 4), 1.0, 0), call(t(3, 4), 3.0, -1, 0.1), kink(given([[0.0, 0.0], [3.0, 4.0]])))
layer("cosine_similarity", call(t(3, 4), t(3, 4)), call(t(2, 3, 4), t(3, 1), dim=-1), kink(given([[0.0, 0.0]]), t(1, 2)))
layer("pairwise_distance", call(t(3, 4), t(3, 4)), call(t(4), t(4), 1.0), call(t(2, 3, 4), t(2, 1, 4), 3.0, keepdim=True))
layer("pdist", call(t(4, 3)), call(t(3, 2), 1.5), call(t(1, 3)), twice=False, tolerance=1e-8)  # PyTorch has no second derivative
layer("cosine_embedding_loss", call(t(3, 4), t(3, 4), signs), call(t(4), t(4), given(-1.0, grad=False), -0.9))
layer("triplet_margin_loss", call(t(3, 4), t(3, 4), t(3, 4)), call(t(3, 4), t(3, 4), t(3, 4), 2.0, 1.5, swap=True, reduction="none"))
layer("triplet_margin_with_distance_loss", call(t(3, 4), t(3, 4), t(3, 4), margin=3.0, swap=True))
