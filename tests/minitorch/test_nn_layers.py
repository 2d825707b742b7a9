"""Every layer beside PyTorch's: weights loaded by name, the same outputs, gradients and repr, in training and evaluation."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch
from minitorch import nn

torch = pytest.importorskip("torch")


class Case:
    def __init__(self, name, *args, shapes, random=False, **kwargs):
        self.name, self.args, self.kwargs, self.shapes, self.random = name, args, kwargs, shapes, random

    def __repr__(self):
        settings = [*map(repr, self.args), *(f"{k}={v!r}" for k, v in self.kwargs.items())]
        return f"{self.name}({', '.join(settings)}) on {self.shapes}"


ONE = [(3, 5)]
SIGNAL, IMAGE, VOLUME = [(2, 4, 9)], [(2, 4, 7, 8)], [(2, 4, 5, 6, 4)]

CASES = [
    # activations
    *(Case(name, shapes=ONE) for name in (
        "ReLU", "ReLU6", "Tanh", "Sigmoid", "LogSigmoid", "SiLU", "Mish", "SELU", "Hardsigmoid", "Hardswish", "Softsign",
        "Tanhshrink", "GELU", "ELU", "CELU", "LeakyReLU", "PReLU", "Hardtanh", "Softplus", "Softshrink", "Hardshrink", "Identity",
    )),
    Case("GELU", "tanh", shapes=ONE), Case("ELU", 0.7, shapes=ONE), Case("CELU", 1.3, shapes=ONE), Case("ReLU", inplace=True, shapes=ONE),
    Case("LeakyReLU", 0.2, shapes=ONE), Case("PReLU", 5, shapes=ONE), Case("Hardtanh", -0.3, 0.4, shapes=ONE),
    Case("Softplus", 2, 1, shapes=ONE), Case("Softshrink", 0.2, shapes=ONE), Case("Threshold", 0.1, -1, shapes=ONE),
    Case("GLU", shapes=[(3, 6)]), Case("GLU", dim=0, shapes=[(4, 3)]), Case("Softmax", dim=1, shapes=ONE),
    Case("LogSoftmax", dim=0, shapes=ONE), Case("Softmin", dim=-1, shapes=ONE), Case("Softmax2d", shapes=IMAGE),
    Case("RReLU", shapes=ONE, random=True),
    # linear
    Case("Linear", 5, 3, shapes=ONE), Case("Linear", 5, 3, bias=False, shapes=[(2, 4, 5)]), Case("Flatten", shapes=IMAGE),
    Case("Unflatten", 1, (2, 3), shapes=[(2, 6)]), Case("Bilinear", 3, 4, 2, shapes=[(5, 3), (5, 4)]),
    # convolutions
    Case("Conv1d", 4, 6, 3, shapes=SIGNAL), Case("Conv1d", 4, 6, 3, stride=2, padding=1, dilation=2, groups=2, shapes=SIGNAL),
    Case("Conv2d", 4, 6, 3, shapes=IMAGE), Case("Conv2d", 4, 6, (3, 2), padding=(1, 2), stride=(2, 1), bias=False, shapes=IMAGE),
    Case("Conv2d", 4, 6, 3, padding="same", dilation=2, shapes=IMAGE), Case("Conv2d", 4, 6, 4, padding="same", shapes=IMAGE),
    Case("Conv2d", 4, 6, 2, padding="valid", groups=2, shapes=IMAGE),
    Case("Conv2d", 4, 6, 3, padding=1, padding_mode="reflect", shapes=IMAGE),
    Case("Conv2d", 4, 6, 4, padding="same", padding_mode="circular", shapes=IMAGE),
    Case("Conv2d", 4, 6, 3, padding=(2, 1), padding_mode="replicate", shapes=IMAGE),
    Case("Conv3d", 4, 2, (2, 3, 2), padding=1, shapes=VOLUME),
    Case("ConvTranspose1d", 4, 6, 3, stride=2, padding=1, output_padding=1, shapes=SIGNAL),
    Case("ConvTranspose2d", 4, 6, 3, stride=(2, 3), padding=1, groups=2, shapes=IMAGE),
    Case("ConvTranspose2d", 4, 6, 3, stride=2, output_padding=1, dilation=2, bias=False, shapes=IMAGE),
    Case("ConvTranspose3d", 4, 2, 2, stride=2, shapes=VOLUME),
    Case("Unfold", 3, padding=1, stride=2, shapes=IMAGE), Case("Fold", (7, 8), 3, shapes=[(2, 18, 30)]),
    # pooling
    Case("MaxPool1d", 3, shapes=SIGNAL), Case("MaxPool2d", 2, shapes=IMAGE), Case("MaxPool3d", 2, shapes=VOLUME),
    Case("MaxPool2d", (3, 2), stride=(2, 1), padding=1, dilation=(1, 2), ceil_mode=True, shapes=IMAGE),
    Case("AvgPool1d", 3, stride=2, padding=1, shapes=SIGNAL), Case("AvgPool2d", 2, ceil_mode=True, shapes=IMAGE),
    Case("AvgPool2d", 3, padding=1, count_include_pad=False, shapes=IMAGE),
    Case("AvgPool2d", 3, divisor_override=5, shapes=IMAGE), Case("AvgPool3d", 2, shapes=VOLUME),
    Case("AdaptiveAvgPool1d", 4, shapes=SIGNAL), Case("AdaptiveAvgPool2d", (3, None), shapes=IMAGE),
    Case("AdaptiveAvgPool2d", 1, shapes=IMAGE), Case("AdaptiveAvgPool3d", 2, shapes=VOLUME),
    Case("AdaptiveMaxPool1d", 4, shapes=SIGNAL), Case("AdaptiveMaxPool2d", (3, 5), shapes=IMAGE),
    # normalization
    Case("BatchNorm1d", 4, shapes=SIGNAL), Case("BatchNorm1d", 5, affine=False, shapes=ONE), Case("BatchNorm2d", 4, shapes=IMAGE),
    Case("BatchNorm2d", 4, momentum=None, eps=1e-3, shapes=IMAGE), Case("BatchNorm2d", 4, track_running_stats=False, shapes=IMAGE),
    Case("BatchNorm3d", 4, shapes=VOLUME), Case("InstanceNorm1d", 4, shapes=SIGNAL),
    Case("InstanceNorm2d", 4, affine=True, track_running_stats=True, shapes=IMAGE), Case("InstanceNorm3d", 4, shapes=VOLUME),
    Case("LayerNorm", 5, shapes=ONE), Case("LayerNorm", (7, 8), bias=False, shapes=IMAGE),
    Case("LayerNorm", [5], elementwise_affine=False, shapes=ONE), Case("RMSNorm", 5, shapes=ONE),
    Case("RMSNorm", (7, 8), eps=0.1, elementwise_affine=False, shapes=IMAGE), Case("GroupNorm", 2, 4, shapes=IMAGE),
    Case("GroupNorm", 4, 4, affine=False, shapes=SIGNAL), Case("LocalResponseNorm", 3, shapes=IMAGE),
    # dropout
    *(Case(name, 0.4, shapes=IMAGE, random=True) for name in ("Dropout", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout")),
    Case("Dropout1d", shapes=SIGNAL, random=True), Case("Dropout3d", shapes=VOLUME, random=True), Case("Dropout", 0.0, shapes=ONE),
    # sizes
    Case("ZeroPad1d", 2, shapes=SIGNAL), Case("ZeroPad2d", (1, 2, 0, 3), shapes=IMAGE), Case("ZeroPad3d", 1, shapes=VOLUME),
    Case("ConstantPad1d", 2, 1.5, shapes=SIGNAL), Case("ConstantPad2d", (1, 0, 2, 1), -1, shapes=IMAGE),
    Case("ReflectionPad1d", 3, shapes=SIGNAL), Case("ReflectionPad2d", (1, 2, 3, 0), shapes=IMAGE),
    Case("ReplicationPad2d", 2, shapes=IMAGE), Case("ReplicationPad3d", 1, shapes=VOLUME), Case("CircularPad2d", (1, 2, 3, 0), shapes=IMAGE),
    Case("Upsample", scale_factor=2, shapes=IMAGE), Case("Upsample", (9, 11), mode="bilinear", shapes=IMAGE),
    Case("Upsample", scale_factor=1.5, mode="bilinear", align_corners=True, shapes=IMAGE), Case("UpsamplingNearest2d", 9, shapes=IMAGE),
    Case("UpsamplingBilinear2d", scale_factor=2, shapes=IMAGE), Case("PixelShuffle", 2, shapes=IMAGE),
    Case("PixelUnshuffle", 2, shapes=[(2, 3, 4, 6)]), Case("ChannelShuffle", 2, shapes=IMAGE),
    # distances
    Case("CosineSimilarity", shapes=[(3, 5), (3, 5)]), Case("PairwiseDistance", 1.5, keepdim=True, shapes=[(3, 5), (3, 5)]),
]  # fmt: skip


def build(library, case):
    float64 = library.float64
    kwargs = dict(case.kwargs)
    made = getattr(library.nn, case.name)(*case.args, **kwargs)
    return made.to(float64) if library is torch else made.double()


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("case", CASES, ids=repr)
def test_layers_equal_pytorchs(case, training):
    if case.random and training:
        pytest.skip("draws its own numbers")
    torch.manual_seed(0)
    theirs, ours = build(torch, case), build(minitorch, case)
    with torch.no_grad():
        for p in theirs.parameters():
            p += 0.3 * torch.randn_like(p)
    ours.load_state_dict(theirs.state_dict())
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.train(training), theirs.train(training)
    rng = np.random.default_rng(1)
    for _ in range(2):  # twice: running statistics move
        arrays = [rng.normal(size=shape) for shape in case.shapes]
        a = [minitorch.tensor(x, requires_grad=True) for x in arrays]
        b = [torch.tensor(x, requires_grad=True) for x in arrays]
        out, expected = ours(*a), theirs(*(x.clone() for x in b))  # clones: PyTorch's inplace=True edits its input
        np.testing.assert_allclose(out.detach().numpy(), expected.detach().numpy(), rtol=1e-8, atol=1e-10)
        assert out.shape == tuple(expected.shape)
        weights = rng.normal(size=out.shape)
        (out * minitorch.tensor(weights)).sum().backward()
        (expected * torch.tensor(weights)).sum().backward()
        for x, y in (*zip(a, b), *zip(ours.parameters(), theirs.parameters())):
            np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy(), rtol=1e-7, atol=1e-9)
    for name, buffer in theirs.named_buffers():
        np.testing.assert_allclose(ours.get_buffer(name).numpy(), buffer.numpy(), rtol=1e-10)


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_reprs_are_pytorchs(case):
    assert repr(build(minitorch, case)) == repr(build(torch, case))


# Losses: (name, settings, target kind)
LOSSES = [
    ("MSELoss", {}, "normal"), ("L1Loss", {}, "normal"), ("SmoothL1Loss", {"beta": 0.5}, "normal"), ("HuberLoss", {"delta": 0.7}, "normal"),
    ("CrossEntropyLoss", {}, "classes"), ("CrossEntropyLoss", {"label_smoothing": 0.1, "ignore_index": 2}, "classes"),
    ("CrossEntropyLoss", {"weight": [0.5, 1, 2, 1, 0.1]}, "classes"), ("NLLLoss", {"weight": [0.5, 1, 2, 1, 0.1]}, "classes"),
    ("CrossEntropyLoss", {}, "probabilities"), ("BCELoss", {}, "bits of probabilities"), ("BCEWithLogitsLoss", {}, "bits"),
    ("BCEWithLogitsLoss", {"pos_weight": [1, 2, 3, 4, 5], "weight": [1, 0.5, 1, 0.5, 1]}, "bits"),
    ("KLDivLoss", {}, "probabilities"), ("KLDivLoss", {"log_target": True}, "normal"), ("PoissonNLLLoss", {}, "counts"),
    ("PoissonNLLLoss", {"full": True}, "counts"), ("HingeEmbeddingLoss", {"margin": 0.5}, "signs"), ("SoftMarginLoss", {}, "signs"),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5}, "classes"), ("MultiLabelMarginLoss", {}, "labels"), ("MultiLabelSoftMarginLoss", {}, "bits"),
    ("MarginRankingLoss", {"margin": 0.2}, "pair"), ("CosineEmbeddingLoss", {"margin": 0.1}, "pair of rows"),
    ("TripletMarginLoss", {"margin": 0.4}, "triple"), ("TripletMarginLoss", {"p": 1, "swap": True}, "triple"),
    ("GaussianNLLLoss", {"full": True}, "gaussian"),
]  # fmt: skip


def data(kind, rng):
    """(inputs that carry gradients, other arguments)"""
    x = rng.normal(size=(4, 5))
    if kind == "classes":
        return [x], [np.array([0, 2, 4, 1])]
    if kind == "probabilities":
        return [x], [np.exp(x) / np.exp(x).sum(1, keepdims=True)]
    if kind == "bits":
        return [x], [(x > 0.2).astype(float)]
    if kind == "bits of probabilities":
        return [1 / (1 + np.exp(-x))], [(rng.normal(size=(4, 5)) > 0).astype(float)]
    if kind == "counts":
        return [x], [rng.poisson(3.0, size=(4, 5)).astype(float)]
    if kind == "signs":
        return [x], [np.sign(rng.normal(size=(4, 5)))]
    if kind == "labels":
        return [x], [np.array([[0, 2, -1, 1, 1], [3, -1, 0, 0, 0], [1, 2, 3, 4, -1], [-1, 0, 0, 0, 0]])]
    if kind == "pair":
        return [x[0], x[1]], [np.sign(x[2])]
    if kind == "pair of rows":
        return [x, rng.normal(size=(4, 5))], [np.array([1.0, -1, 1, -1])]
    if kind == "triple":
        return [x, rng.normal(size=(4, 5)), rng.normal(size=(4, 5))], []
    if kind == "gaussian":
        return [x], [rng.normal(size=(4, 5)), rng.uniform(0.1, 2, size=(4, 5))]
    return [x], [rng.normal(size=(4, 5))]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name, settings, kind", LOSSES, ids=lambda x: str(x))
def test_losses_equal_pytorchs(name, settings, kind, reduction):
    inputs, others = data(kind, np.random.default_rng(3))

    def run(library):
        def tensors(value):
            return library.tensor(value, dtype=library.float64) if isinstance(value, list) else value

        loss = getattr(library.nn, name)(**{k: tensors(v) for k, v in settings.items()}, reduction=reduction)
        xs = [library.tensor(x, requires_grad=True) for x in inputs]
        out = loss(*xs, *(library.tensor(t) for t in others))
        (out * out).sum().backward()
        return [out.detach().numpy(), *(x.grad.numpy() for x in xs)]

    for ours, theirs in zip(run(minitorch), run(torch)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-12)


# Layers whose inputs are not numbers, or that have more to them


@pytest.mark.parametrize("settings", [{}, {"padding_idx": 2}, {"padding_idx": -1}, {"max_norm": 0.8}, {"scale_grad_by_freq": True}], ids=str)
def test_embedding_equals_pytorchs(settings):
    theirs, ours = (m.nn.Embedding(5, 3, **settings) for m in (torch, minitorch))
    ours.load_state_dict(theirs.state_dict())
    index = [[0, 2, 2], [4, 1, 0]]
    a, b = ours(minitorch.tensor(index)), theirs(torch.tensor(index))
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-6)
    (a * a).sum().backward()
    (b * b).sum().backward()
    np.testing.assert_allclose(ours.weight.grad.numpy(), theirs.weight.grad.numpy(), rtol=1e-5)
    assert repr(ours) == repr(theirs)


def test_embedding_starts_and_comes_from_a_table():
    assert nn.Embedding(4, 3, padding_idx=1).weight[1].tolist() == [0, 0, 0]
    table = minitorch.ones(4, 3)
    known = nn.Embedding.from_pretrained(table)
    assert not known.weight.requires_grad and known(minitorch.tensor([3])).tolist() == [[1, 1, 1]]
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad
    with pytest.raises(ValueError, match="no row padding_idx=4 among 4"):
        nn.Embedding(4, 3, padding_idx=4)


@pytest.mark.parametrize("p", [0.3, 0.5])
def test_dropout_drops_its_share_and_keeps_the_mean(p):
    minitorch.manual_seed(0)
    layer = nn.Dropout(p)
    x = minitorch.ones(200, 500, requires_grad=True)
    out = layer(x)
    assert (out.detach().numpy() == 0).mean() == pytest.approx(p, abs=0.01)
    assert out.detach().numpy().mean() == pytest.approx(1, abs=0.02)
    out.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), out.detach().numpy())
    assert layer.eval()(x) is x or (layer(x).detach().numpy() == 1).all()
    whole = nn.Dropout2d(p)(minitorch.ones(50, 40, 3, 3)).numpy().reshape(2000, 9)
    assert ((whole == 0).all(1) | (whole != 0).all(1)).all()
    with pytest.raises(ValueError, match="a probability, between 0 and 1, not 1.5"):
        nn.Dropout(1.5)


def test_max_pooling_gives_indices_for_unpooling():
    x = np.random.default_rng(0).normal(size=(2, 3, 6, 8))
    ours, theirs = (m.nn.MaxPool2d(2, return_indices=True)(m.tensor(x)) for m in (minitorch, torch))
    np.testing.assert_array_equal(ours[1].numpy(), theirs[1].numpy())
    np.testing.assert_array_equal(nn.MaxUnpool2d(2)(*ours).numpy(), torch.nn.MaxUnpool2d(2)(*theirs).numpy())


def test_transposed_convolution_to_a_wanted_size():
    layers = [m.nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1) for m in (minitorch, torch)]
    layers[0].load_state_dict(layers[1].state_dict())
    x = np.random.default_rng(0).normal(size=(1, 2, 4, 4)).astype("f")
    ours, theirs = (layer(m.tensor(x), output_size=(8, 7)) for layer, m in zip(layers, (minitorch, torch)))
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match=r"cannot give a size of \(20, 20\) here: between \(7, 7\) and \(8, 8\)"):
        layers[0](minitorch.tensor(x), output_size=(20, 20))


def test_running_statistics_can_begin_anew():
    layer = nn.BatchNorm1d(3)
    layer(minitorch.randn(8, 3))
    assert layer.num_batches_tracked.item() == 1 and layer.running_mean.abs().sum().item() > 0
    layer.reset_parameters()
    assert layer.num_batches_tracked.item() == 0 and layer.running_mean.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "in_channels 3 does not divide into 2 groups"),
        (lambda: nn.Conv2d(4, 4, 3, padding="full"), "'same' or 'valid', not 'full'"),
        (lambda: nn.Conv2d(4, 4, 3, padding="same", stride=2), "needs stride 1"),
        (lambda: nn.Conv2d(4, 4, (3, 3, 3)), "one number or 2"),
        (lambda: nn.Conv2d(4, 4, 3, padding_mode="mirror"), "padding_mode is one of"),
        (lambda: nn.GroupNorm(3, 4), "4 channels do not divide into 3 groups"),
        (lambda: nn.BatchNorm2d(4)(minitorch.ones(2, 4)), r"takes \(n, channels, height, width\), not shape \(2, 4\)"),
        (lambda: nn.ZeroPad2d((1, 2, 3)), "one number or 4, not 3"),
        (lambda: nn.Softmax2d()(minitorch.ones(2)), "Softmax2d takes images"),
    ],
)
def test_refusals_say_what_fits(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_starting_weights_are_pytorchs_in_spread():
    minitorch.manual_seed(0)
    torch.manual_seed(0)
    for name, args in (("Conv2d", (16, 32, 3)), ("ConvTranspose2d", (16, 32, 3)), ("Linear", (100, 200)), ("Embedding", (100, 50))):
        ours, theirs = getattr(nn, name)(*args), getattr(torch.nn, name)(*args)
        for (path, a), b in zip(ours.named_parameters(), theirs.parameters()):
            assert a.shape == tuple(b.shape)
            assert a.detach().numpy().std() == pytest.approx(b.detach().numpy().std(), rel=0.25), (name, path)


def test_a_triplet_loss_takes_a_distance_of_ones_own():
    arrays = [np.random.default_rng(i).normal(size=(4, 3)) for i in range(3)]

    def run(library):
        loss = library.nn.TripletMarginWithDistanceLoss(distance_function=lambda x, y: (x - y).abs().sum(1), margin=0.3, swap=True)
        return loss(*(library.tensor(a) for a in arrays)).item()

    assert run(minitorch) == pytest.approx(run(torch))
