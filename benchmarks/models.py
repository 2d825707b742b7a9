"""The models of the yardstick, written once for PyTorch and for what answers to its names (minitorch).

Each is a class: built on a library, it makes model, data and optimizer; `step()` is one training step (forward, loss,
backward, optimizer) and returns the loss. Weights are drawn by NumPy, in the order of `parameters()`: contestants start
from the same numbers, and their losses are compared.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np


class Model:
    """What the models share: the library's parts, weights and data from one stream of random numbers."""

    def __init__(self, library: str, device: str = "cpu") -> None:
        self.device = device
        self.lib = importlib.import_module(library)
        self.nn = importlib.import_module(f"{library}.nn")
        self.F = importlib.import_module(f"{library}.nn.functional")
        self.optim = importlib.import_module(f"{library}.optim")
        self.rng = np.random.default_rng(0)
        self.build()

    def build(self) -> None:
        """Model, data, optimizer."""
        raise NotImplementedError

    def loss(self) -> Any:
        """The forward half of a step."""
        raise NotImplementedError

    def step(self) -> Any:
        """One training step."""
        self.optimizer.zero_grad()
        loss = self.loss()
        loss.backward()
        self.optimizer.step()
        return loss

    def filled(self, model: Any) -> Any:
        """The model, its weights drawn anew: matrices and kernels by their fan-in, norms 1, biases 0."""
        with self.lib.no_grad():
            for p in model.parameters():
                p.copy_(self.lib.tensor(weights(self.rng, tuple(p.shape))) if p.ndim > 1 else p * 0 + self.flat(model, p))
        return model.to(self.device)

    def flat(self, model: Any, p: Any) -> float:
        name = next(name for name, found in model.named_parameters() if found is p)
        return 0.0 if "bias" in name else 1.0

    def floats(self, *shape: int) -> Any:
        """Normal numbers as a tensor."""
        return self.lib.tensor(self.rng.normal(size=shape).astype(np.float32)).to(self.device)

    def whole(self, below: int, *shape: int) -> Any:
        """Whole numbers from 0 to `below`, as a tensor."""
        return self.lib.tensor(self.rng.integers(0, below, shape)).to(self.device)


def weights(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Normal numbers of a size that keeps signals in proportion."""
    fan_in = int(np.prod(shape[1:]))
    return (rng.normal(size=shape) / np.sqrt(fan_in)).astype(np.float32)


class Mlp(Model):
    """784-256-128-32-10 on 64 images, Adam."""

    def build(self) -> None:
        nn, sizes = self.nn, (784, 256, 128, 32, 10)
        layers: list[Any] = []
        for n_in, n_out in zip(sizes, sizes[1:]):
            layers += [nn.Linear(n_in, n_out), nn.ReLU()]
        self.model = self.filled(nn.Sequential(*layers[:-1]))
        self.images, self.labels = self.floats(64, 784), self.whole(10, 64)
        self.optimizer = self.optim.Adam(self.model.parameters(), lr=1e-3)

    def loss(self) -> Any:
        return self.F.cross_entropy(self.model(self.images), self.labels)


class LeNet(Model):
    """Two convolutions of 5x5, 16 and 32 channels, each with relu and pooling, on 64 images of 1x28x28; Adam."""

    def build(self) -> None:
        nn = self.nn
        self.model = self.filled(nn.Sequential(
            nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(32 * 7 * 7, 10),
        ))  # fmt: skip
        self.images, self.labels = self.floats(64, 1, 28, 28), self.whole(10, 64)
        self.optimizer = self.optim.Adam(self.model.parameters(), lr=1e-3)

    def loss(self) -> Any:
        return self.F.cross_entropy(self.model(self.images), self.labels)


class ResNet(Model):
    """Three residual blocks of 16, 32 and 64 channels on 32 images of 3x32x32; SGD with momentum."""

    def build(self) -> None:
        nn, F = self.nn, self.F

        class Block(nn.Module):  # type: ignore[name-defined]
            def __init__(self, c_in: int, c_out: int, stride: int) -> None:
                super().__init__()
                self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
                self.norm1 = nn.BatchNorm2d(c_out)
                self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
                self.norm2 = nn.BatchNorm2d(c_out)
                self.short = nn.Conv2d(c_in, c_out, 1, stride, bias=False) if stride > 1 else nn.Identity()

            def forward(self, x: Any) -> Any:
                out = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
                return F.relu(out + self.short(x))

        self.model = self.filled(nn.Sequential(
            nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
            Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
        ))  # fmt: skip
        self.images, self.labels = self.floats(32, 3, 32, 32), self.whole(10, 32)
        self.optimizer = self.optim.SGD(self.model.parameters(), lr=0.05, momentum=0.9)

    def loss(self) -> Any:
        return self.F.cross_entropy(self.model(self.images), self.labels)


class UNet(Model):
    """Two levels down and up again, 16-32-64 channels, two classes per pixel, on 8 images of 3x64x64; Adam."""

    def build(self) -> None:
        nn, cat = self.nn, self.lib.cat

        def double(c_in: int, c_out: int) -> Any:
            return nn.Sequential(
                nn.Conv2d(c_in, c_out, 3, padding=1), nn.BatchNorm2d(c_out), nn.ReLU(),
                nn.Conv2d(c_out, c_out, 3, padding=1), nn.BatchNorm2d(c_out), nn.ReLU(),
            )  # fmt: skip

        class Net(nn.Module):  # type: ignore[name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.down1, self.down2, self.bottom = double(3, 16), double(16, 32), double(32, 64)
                self.pool = nn.MaxPool2d(2)
                self.up2, self.join2 = nn.ConvTranspose2d(64, 32, 2, 2), double(64, 32)
                self.up1, self.join1 = nn.ConvTranspose2d(32, 16, 2, 2), double(32, 16)
                self.head = nn.Conv2d(16, 2, 1)

            def forward(self, x: Any) -> Any:
                one = self.down1(x)
                two = self.down2(self.pool(one))
                x = self.bottom(self.pool(two))
                x = self.join2(cat([two, self.up2(x)], 1))
                return self.head(self.join1(cat([one, self.up1(x)], 1)))

        self.model = self.filled(Net())
        self.images, self.labels = self.floats(8, 3, 64, 64), self.whole(2, 8, 64, 64)
        self.optimizer = self.optim.Adam(self.model.parameters(), lr=1e-3)

    def loss(self) -> Any:
        return self.F.cross_entropy(self.model(self.images), self.labels)


class Gan(Model):
    """DCGAN for 3x32x32, batch 32: the step of the generator, through the discriminator; Adam."""

    def build(self) -> None:
        nn = self.nn

        def up(c_in: int, c_out: int, *rest: int) -> list[Any]:
            return [nn.ConvTranspose2d(c_in, c_out, 4, *rest, bias=False), nn.BatchNorm2d(c_out), nn.ReLU()]

        def down(c_in: int, c_out: int) -> list[Any]:
            return [nn.Conv2d(c_in, c_out, 4, 2, 1, bias=False), nn.BatchNorm2d(c_out), nn.LeakyReLU(0.2)]

        self.generator = self.filled(nn.Sequential(
            *up(64, 128), *up(128, 64, 2, 1), *up(64, 32, 2, 1),
            nn.ConvTranspose2d(32, 3, 4, 2, 1, bias=False), nn.Tanh(),
        ))  # fmt: skip
        self.discriminator = self.filled(nn.Sequential(
            nn.Conv2d(3, 32, 4, 2, 1, bias=False), nn.LeakyReLU(0.2), *down(32, 64), *down(64, 128),
            nn.Conv2d(128, 1, 4, bias=False), nn.Flatten(),
        ))  # fmt: skip
        self.noise, self.real = self.floats(32, 64, 1, 1), self.lib.ones(32, 1).to(self.device)
        self.optimizer = self.optim.Adam(self.generator.parameters(), lr=2e-4, betas=(0.5, 0.999))

    def loss(self) -> Any:
        self.discriminator.zero_grad()
        judged = self.discriminator(self.generator(self.noise))
        return self.F.binary_cross_entropy_with_logits(judged, self.real)


class Yolo(Model):
    """Five stages of 16 to 256 channels on 8 images of 3x112x112, a box per cell of 7x7; Adam."""

    def build(self) -> None:
        nn = self.nn
        layers: list[Any] = []
        channels = (3, 16, 32, 64, 128, 256)
        for number, (c_in, c_out) in enumerate(zip(channels, channels[1:])):
            layers += [nn.Conv2d(c_in, c_out, 3, padding=1, bias=False), nn.BatchNorm2d(c_out), nn.LeakyReLU(0.1)]
            if number < 4:
                layers.append(nn.MaxPool2d(2))
        self.model = self.filled(nn.Sequential(*layers, nn.Conv2d(256, 6, 1)))
        self.images, self.boxes = self.floats(8, 3, 112, 112), self.lib.sigmoid(self.floats(8, 6, 7, 7))
        self.optimizer = self.optim.Adam(self.model.parameters(), lr=1e-3)

    def loss(self) -> Any:
        return self.F.mse_loss(self.lib.sigmoid(self.model(self.images)), self.boxes)


class Lstm(Model):
    """An LSTM of 128 over 32 steps of 64 features, batch 32, and a class at the end; Adam."""

    def build(self) -> None:
        self.lstm = self.filled(self.nn.LSTM(64, 128))
        self.head = self.filled(self.nn.Linear(128, 10))
        self.series, self.labels = self.floats(32, 32, 64), self.whole(10, 32)
        self.optimizer = self.optim.Adam([*self.lstm.parameters(), *self.head.parameters()], lr=1e-3)

    def loss(self) -> Any:
        out, _ = self.lstm(self.series)
        return self.F.cross_entropy(self.head(out[-1]), self.labels)


class Gpt(Model):
    """Four blocks, 128 wide, 4 heads, 65 characters, 16 texts of 64; Adam."""

    depth, width, heads, kinds, texts, length = 4, 128, 4, 65, 16, 64

    def build(self) -> None:
        nn, F, width, heads, depth, kinds = self.nn, self.F, self.width, self.heads, self.depth, self.kinds
        length = self.length

        class Block(nn.Module):  # type: ignore[name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
                self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
                self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

            def forward(self, x: Any) -> Any:
                n, places, _ = x.shape
                q, k, v = self.qkv(self.norm1(x)).split(width, 2)
                q, k, v = (y.view(n, places, heads, width // heads).transpose(1, 2) for y in (q, k, v))
                mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
                x = x + self.out(mixed.transpose(1, 2).reshape(n, places, width))
                return x + self.narrow(F.gelu(self.wide(self.norm2(x))))

        class Net(nn.Module):  # type: ignore[name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.words, self.places = nn.Embedding(kinds, width), nn.Embedding(length, width)
                self.blocks = nn.Sequential(*(Block() for _ in range(depth)))
                self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, kinds, bias=False)

            def forward(self, text: Any, place: Any) -> Any:
                return self.head(self.norm(self.blocks(self.words(text) + self.places(place))))

        self.model = self.filled(Net())
        self.text, self.place = self.whole(kinds, self.texts, length + 1), self.lib.arange(length).to(self.device)
        self.optimizer = self.optim.Adam(self.model.parameters(), lr=1e-3)

    def loss(self) -> Any:
        logits = self.model(self.text[:, :-1], self.place)
        return self.F.cross_entropy(logits.view(-1, self.kinds), self.text[:, 1:].reshape(-1))


MODELS = {
    "mlp": Mlp, "lenet": LeNet, "resnet": ResNet, "unet": UNet, "gan": Gan, "yolo": Yolo, "lstm": Lstm, "gpt": Gpt,
}  # fmt: skip
