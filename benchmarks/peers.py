"""The same models in frameworks with names of their own: autograd, DeZero, tinygrad. What they cannot express is left out.

Weights and data come from the same stream of random numbers as in models.py, in the same order, so the losses agree.
"""

from __future__ import annotations

import builtins
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from .models import weights


class Peer:
    """What the models share. `step()` is one training step and returns the loss as a number."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)
        self.build()

    def build(self) -> None:
        """Weights and data."""
        raise NotImplementedError

    def step(self) -> float:
        """One training step."""
        raise NotImplementedError

    def drawn(self, *shapes: tuple[int, ...] | int) -> list[np.ndarray]:
        """Weights: a tuple is a matrix or kernel, a number so many zeros, a negative one so many ones."""
        made = []
        for shape in shapes:
            if isinstance(shape, tuple):
                made.append(weights(self.rng, shape))
            else:
                made.append(np.full(abs(shape), float(shape < 0), np.float32))
        return made

    def floats(self, *shape: int) -> np.ndarray:
        return self.rng.normal(size=shape).astype(np.float32)


class AutogradPeer(Peer):
    """HIPS autograd: NumPy functions and value_and_grad; its Adam is for flat float64 vectors, so it is written out."""

    def train(self, loss: Callable[[list[np.ndarray]], Any], params: list[np.ndarray]) -> None:
        import autograd

        self.params = params
        self.moments = [(np.zeros_like(p), np.zeros_like(p)) for p in params]
        self.number, self.of = 0, autograd.value_and_grad(loss)

    def step(self) -> float:
        loss, grads = self.of(self.params)
        self.number += 1
        root = np.sqrt(1 - 0.999**self.number)
        for p, g, (m, v) in zip(self.params, grads, self.moments):
            m += 0.1 * (g - m)
            v += 0.001 * (g * g - v)
            p -= (1e-3 * root / (1 - 0.9**self.number)) * m / (np.sqrt(v) + 1e-8 * root)
        return float(loss)


def cross_entropy(np: Any, logits: Any, labels: np.ndarray) -> Any:
    """As autograd's users write it."""
    shifted = logits - np.max(logits, axis=-1, keepdims=True)
    picked = shifted[np.arange(len(labels)), labels]
    return np.mean(np.log(np.sum(np.exp(shifted), axis=-1)) - picked)


class AutogradMlp(AutogradPeer):
    def build(self) -> None:
        import autograd.numpy as anp

        params = self.drawn((256, 784), 256, (128, 256), 128, (32, 128), 32, (10, 32), 10)
        x, labels = self.floats(64, 784), self.rng.integers(0, 10, 64)

        def loss(params: list[Any]) -> Any:
            out = x
            for number in range(0, 8, 2):
                out = anp.dot(out, params[number].T) + params[number + 1]
                out = anp.maximum(out, 0) if number < 6 else out
            return cross_entropy(anp, out, labels)

        self.train(loss, params)


class AutogradLstm(AutogradPeer):
    def build(self) -> None:
        import autograd.numpy as anp

        params = self.drawn((512, 64), (512, 128), 512, 512, (10, 128), 10)
        x, labels = self.floats(32, 32, 64), self.rng.integers(0, 10, 32)

        def sigmoid(x: Any) -> Any:
            return 0.5 * (anp.tanh(0.5 * x) + 1)

        def loss(params: list[Any]) -> Any:
            w_in, w_own, b_in, b_own, w_out, b_out = params
            h = c = np.zeros((32, 128), np.float32)
            for t in range(32):
                gates = anp.dot(x[t], w_in.T) + anp.dot(h, w_own.T) + b_in + b_own
                i, f, g, o = (gates[:, k * 128 : (k + 1) * 128] for k in range(4))
                c = sigmoid(f) * c + sigmoid(i) * anp.tanh(g)
                h = sigmoid(o) * anp.tanh(c)
            return cross_entropy(anp, anp.dot(h, w_out.T) + b_out, labels)

        self.train(loss, params)


class AutogradGpt(AutogradPeer):
    def build(self) -> None:
        import autograd.numpy as anp
        from autograd.scipy.special import erf

        shapes: list[tuple[int, ...] | int] = [(65, 128), (64, 128)]
        for _ in range(4):
            shapes += [-128, 128, -128, 128, (384, 128), 384, (128, 128), 128, (512, 128), 512, (128, 512), 128]
        params = self.drawn(*shapes, -128, 128, (65, 128))
        text = self.rng.integers(0, 65, (16, 65))
        late = np.triu(np.full((64, 64), -np.inf, np.float32), 1)

        def norm(x: Any, weight: Any, bias: Any) -> Any:
            centred = x - anp.mean(x, axis=-1, keepdims=True)
            return centred / anp.sqrt(anp.mean(centred * centred, axis=-1, keepdims=True) + 1e-5) * weight + bias

        def heads(x: Any) -> Any:
            return anp.transpose(anp.reshape(x, (16, 64, 4, 32)), (0, 2, 1, 3))

        def loss(params: list[Any]) -> Any:
            x = params[0][text[:, :-1]] + params[1]
            for number in range(4):
                w1, b1, w2, b2, wq, bq, wo, bo, ww, bw, wn, bn = params[2 + 12 * number : 14 + 12 * number]
                qkv = anp.matmul(norm(x, w1, b1), wq.T) + bq
                q, k, v = (heads(qkv[:, :, 128 * i : 128 * (i + 1)]) for i in range(3))
                scores = anp.matmul(q, anp.swapaxes(k, -1, -2)) * 32**-0.5 + late
                e = anp.exp(scores - anp.max(scores, axis=-1, keepdims=True))
                mixed = anp.matmul(e / anp.sum(e, axis=-1, keepdims=True), v)
                x = x + anp.matmul(anp.reshape(anp.transpose(mixed, (0, 2, 1, 3)), (16, 64, 128)), wo.T) + bo
                wide = anp.matmul(norm(x, w2, b2), ww.T) + bw
                x = x + anp.matmul(wide * (0.5 + 0.5 * erf(wide * 0.5**0.5)), wn.T) + bn
            logits = anp.matmul(norm(x, params[-3], params[-2]), params[-1].T)
            return cross_entropy(anp, anp.reshape(logits, (-1, 65)), text[:, 1:].reshape(-1))

        self.train(loss, params)


def load(peer: str) -> Any:
    """A peer, imported with all its parts. DeZero still asks NumPy for names that it dropped."""
    if peer != "dezero":
        return importlib.import_module(peer)
    for name in ("int", "float", "bool"):
        if name not in np.__dict__:
            setattr(np, name, getattr(builtins, name))
    for part in ("functions", "layers", "optimizers"):
        importlib.import_module(f"dezero.{part}")
    return importlib.import_module("dezero")


class DezeroPeer(Peer):
    """DeZero: its functions, on parameters of our own drawing, with its own optimizers."""

    def __init__(self) -> None:
        self.dz = load("dezero")
        self.F = self.dz.functions
        self.holder = self.dz.layers.Layer()
        super().__init__()

    def parameters(self, *shapes: tuple[int, ...] | int) -> list[Any]:
        made = [self.dz.Parameter(array) for array in self.drawn(*shapes)]
        for p in made:
            setattr(self.holder, f"p{len(self.holder._params)}", p)
        return made

    def norm(self, channels: int) -> Any:
        """Batch normalization, its weights as they start."""
        layer = self.dz.layers.BatchNorm()
        setattr(self.holder, f"norm{len(self.holder._params)}", layer)
        return layer

    def use(self, kind: str = "Adam", *settings: float) -> None:
        self.optimizer = getattr(self.dz.optimizers, kind)(*settings).setup(self.holder)

    def loss(self) -> Any:
        """The forward half of a step."""
        raise NotImplementedError

    def step(self) -> float:
        loss = self.loss()
        self.holder.cleargrads()
        loss.backward()
        self.optimizer.update()
        return float(loss.data)

    def labels(self, count: int) -> np.ndarray:
        return self.rng.integers(0, 10, count)


class DezeroMlp(DezeroPeer):
    def build(self) -> None:
        self.weights = self.parameters((256, 784), 256, (128, 256), 128, (32, 128), 32, (10, 32), 10)
        for p in self.weights[::2]:
            p.data = np.ascontiguousarray(p.data.T)
        self.x, self.y = self.floats(64, 784), self.labels(64)
        self.use("Adam", 1e-3)

    def loss(self) -> Any:
        out = self.x
        for number in range(0, 8, 2):
            out = self.F.linear(out, *self.weights[number : number + 2])
            out = self.F.relu(out) if number < 6 else out
        return self.F.softmax_cross_entropy(out, self.y)


class DezeroLeNet(DezeroPeer):
    def build(self) -> None:
        self.weights = self.parameters((16, 1, 5, 5), 16, (32, 16, 5, 5), 32, (10, 1568), 10)
        self.weights[4].data = np.ascontiguousarray(self.weights[4].data.T)
        self.x, self.y = self.floats(64, 1, 28, 28), self.labels(64)
        self.use("Adam", 1e-3)

    def loss(self) -> Any:
        F, (w1, b1, w2, b2, w3, b3) = self.F, self.weights
        x = F.pooling(F.relu(F.conv2d(self.x, w1, b1, 1, 2)), 2, 2)
        x = F.pooling(F.relu(F.conv2d(x, w2, b2, 1, 2)), 2, 2)
        return F.softmax_cross_entropy(F.linear(F.flatten(x), w3, b3), self.y)


class DezeroResNet(DezeroPeer):
    def build(self) -> None:
        self.stem, self.blocks = self.parameters((16, 3, 3, 3)), []
        self.stem_norm = self.norm(16)
        for c_in, c_out in ((16, 16), (16, 32), (32, 64)):
            shapes = [(c_out, c_in, 3, 3), (c_out, c_out, 3, 3), *([(c_out, c_in, 1, 1)] if c_in != c_out else [])]
            self.blocks.append((self.parameters(*shapes), self.norm(c_out), self.norm(c_out)))
        self.head = self.parameters((10, 64), 10)
        self.head[0].data = np.ascontiguousarray(self.head[0].data.T)
        self.x, self.y = self.floats(32, 3, 32, 32), self.labels(32)
        self.use("MomentumSGD", 0.05, 0.9)

    def loss(self) -> Any:
        F = self.F
        x = F.relu(self.stem_norm(F.conv2d(self.x, self.stem[0], None, 1, 1)))
        for kernels, norm1, norm2 in self.blocks:
            stride = len(kernels) - 1
            out = F.relu(norm1(F.conv2d(x, kernels[0], None, stride, 1)))
            out = norm2(F.conv2d(out, kernels[1], None, 1, 1))
            x = F.relu(out + (F.conv2d(x, kernels[2], None, stride) if stride > 1 else x))
        x = F.sum(F.sum(x, axis=3), axis=2) / float(np.prod(x.shape[2:]))
        return F.softmax_cross_entropy(F.linear(x, *self.head), self.y)


class DezeroGan(DezeroPeer):
    def build(self) -> None:
        self.up = self.parameters((64, 128, 4, 4), (128, 64, 4, 4), (64, 32, 4, 4), (32, 3, 4, 4))
        self.up_norms = [self.norm(c) for c in (128, 64, 32)]
        self.use("Adam", 2e-4, 0.5)
        self.judge, self.holder = self.holder, self.dz.layers.Layer()  # the optimizer keeps the generator's
        self.down = self.parameters((32, 3, 4, 4), (64, 32, 4, 4), (128, 64, 4, 4), (1, 128, 4, 4))
        self.down_norms = [self.norm(c) for c in (64, 128)]
        self.noise, self.real = self.floats(32, 64, 1, 1), np.ones((32, 1), np.float32)

    def loss(self) -> Any:
        F = self.F
        self.judge.cleargrads()
        x = F.relu(self.up_norms[0](F.deconv2d(self.noise, self.up[0])))
        x = F.relu(self.up_norms[1](F.deconv2d(x, self.up[1], None, 2, 1)))
        x = F.relu(self.up_norms[2](F.deconv2d(x, self.up[2], None, 2, 1)))
        x = F.tanh(F.deconv2d(x, self.up[3], None, 2, 1))
        x = F.leaky_relu(F.conv2d(x, self.down[0], None, 2, 1))
        x = F.leaky_relu(self.down_norms[0](F.conv2d(x, self.down[1], None, 2, 1)))
        x = F.leaky_relu(self.down_norms[1](F.conv2d(x, self.down[2], None, 2, 1)))
        chance = F.sigmoid(F.reshape(F.conv2d(x, self.down[3]), (32, 1)))
        return F.binary_cross_entropy(chance, self.real)


class DezeroYolo(DezeroPeer):
    def build(self) -> None:
        channels = (3, 16, 32, 64, 128, 256)
        self.stages = []
        for c_in, c_out in zip(channels, channels[1:]):
            self.stages.append((*self.parameters((c_out, c_in, 3, 3)), self.norm(c_out)))
        self.head = self.parameters((6, 256, 1, 1), 6)
        self.x = self.floats(8, 3, 112, 112)
        self.boxes = 1 / (1 + np.exp(-self.floats(8, 6, 7, 7)))
        self.use("Adam", 1e-3)

    def loss(self) -> Any:
        F, x = self.F, self.x
        for number, (kernel, norm) in enumerate(self.stages):
            x = F.leaky_relu(norm(F.conv2d(x, kernel, None, 1, 1)), 0.1)
            x = F.pooling(x, 2, 2) if number < 4 else x
        apart = F.sigmoid(F.conv2d(x, *self.head)) - self.boxes
        return F.sum(apart * apart) / float(self.boxes.size)


class DezeroLstm(DezeroPeer):
    def build(self) -> None:
        self.weights = self.parameters((512, 64), (512, 128), 512, 512, (10, 128), 10)
        for number in (0, 1, 4):
            self.weights[number].data = np.ascontiguousarray(self.weights[number].data.T)
        self.x, self.y = self.floats(32, 32, 64), self.labels(32)
        self.use("Adam", 1e-3)

    def loss(self) -> Any:
        F, (w_in, w_own, b_in, b_own, w_out, b_out) = self.F, self.weights
        h = c = self.dz.Variable(np.zeros((32, 128), np.float32))
        for t in range(32):
            gates = F.linear(self.x[t], w_in, b_in) + F.linear(h, w_own, b_own)
            i, f, g, o = (gates[:, k * 128 : (k + 1) * 128] for k in range(4))
            c = F.sigmoid(f) * c + F.sigmoid(i) * F.tanh(g)
            h = F.sigmoid(o) * F.tanh(c)
        return F.softmax_cross_entropy(F.linear(h, w_out, b_out), self.y)


class TinygradPeer(Peer):
    """tinygrad on the CPU: its tensors, its Adam, and the whole step as one TinyJit, as its documentation does."""

    def train(self, loss: Callable[[list[Any]], Any], arrays: list[np.ndarray]) -> None:
        from tinygrad import Tensor, TinyJit, nn
        from tinygrad.helpers import Context

        params = [Tensor(array) for array in arrays]
        optimizer = nn.optim.Adam(params, lr=1e-3)

        def whole() -> Any:
            optimizer.zero_grad()
            found = loss(params)
            found.backward()
            return found.realize(*optimizer.schedule_step())

        self.whole, self.context = TinyJit(whole), Context(TRAINING=1)

    def step(self) -> float:
        with self.context:
            return float(self.whole().item())


class TinygradMlp(TinygradPeer):
    def build(self) -> None:
        from tinygrad import Tensor

        params = self.drawn((256, 784), 256, (128, 256), 128, (32, 128), 32, (10, 32), 10)
        x, labels = Tensor(self.floats(64, 784)), Tensor(self.rng.integers(0, 10, 64))

        def loss(params: list[Any]) -> Any:
            out = x
            for number in range(0, 8, 2):
                out = out.linear(params[number].T, params[number + 1])
                out = out.relu() if number < 6 else out
            return out.sparse_categorical_crossentropy(labels)

        self.train(loss, params)


class TinygradLeNet(TinygradPeer):
    def build(self) -> None:
        from tinygrad import Tensor

        params = self.drawn((16, 1, 5, 5), 16, (32, 16, 5, 5), 32, (10, 1568), 10)
        x, labels = Tensor(self.floats(64, 1, 28, 28)), Tensor(self.rng.integers(0, 10, 64))

        def loss(params: list[Any]) -> Any:
            w1, b1, w2, b2, w3, b3 = params
            out = x.conv2d(w1, b1, padding=2).relu().max_pool2d(2)
            out = out.conv2d(w2, b2, padding=2).relu().max_pool2d(2)
            return out.flatten(1).linear(w3.T, b3).sparse_categorical_crossentropy(labels)

        self.train(loss, params)


PEERS: dict[str, dict[str, type[Peer]]] = {
    "autograd": {"mlp": AutogradMlp, "lstm": AutogradLstm, "gpt": AutogradGpt},
    "dezero": {
        "mlp": DezeroMlp, "lenet": DezeroLeNet, "resnet": DezeroResNet, "gan": DezeroGan, "yolo": DezeroYolo,
        "lstm": DezeroLstm,
    },
    "tinygrad": {"mlp": TinygradMlp, "lenet": TinygradLeNet},
}  # fmt: skip
