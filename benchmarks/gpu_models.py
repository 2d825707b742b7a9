"""Models that fill a card; beside those of `models`, which a card waits for more than it computes."""

from __future__ import annotations

from typing import Any

from .models import MODELS, Gpt, Model


class Gemm(Model):
    """Four linear layers of 4096x4096 with relu on 4096 rows, SGD: matrix products and little else."""

    width = 4096

    def build(self) -> None:
        nn, width = self.nn, self.width
        layers = [layer for _ in range(4) for layer in (nn.Linear(width, width), nn.ReLU())]
        self.model = self.filled(nn.Sequential(*layers))
        self.rows = self.floats(width, width)
        self.optimizer = self.optim.SGD(self.model.parameters(), lr=1e-3)

    def loss(self) -> Any:
        return (self.model(self.rows) ** 2).mean()


class ResNet18(Model):
    """ResNet-18 (He et al., 2015, https://arxiv.org/abs/1512.03385) on 256 images of 3x224x224; SGD with momentum."""

    batch, side, channels = 256, 224, (64, 64, 128, 256, 512)

    def build(self) -> None:
        nn, F = self.nn, self.F

        class Block(nn.Module):  # type: ignore[name-defined]
            def __init__(self, c_in: int, c_out: int, stride: int) -> None:
                super().__init__()
                self.conv1, self.norm1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False), nn.BatchNorm2d(c_out)
                self.conv2, self.norm2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False), nn.BatchNorm2d(c_out)
                plain = stride == 1 and c_in == c_out
                shorter = [] if plain else [nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)]
                self.short = nn.Sequential(*shorter)

            def forward(self, x: Any) -> Any:
                out = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
                return F.relu(out + self.short(x))

        blocks = [
            Block(c_in if k == 0 else c_out, c_out, 2 if k == 0 and c_in != c_out else 1)
            for c_in, c_out in zip(self.channels, self.channels[1:])
            for k in range(2)
        ]
        first, last = self.channels[0], self.channels[-1]
        self.model = self.filled(nn.Sequential(
            nn.Conv2d(3, first, 7, 2, 3, bias=False), nn.BatchNorm2d(first), nn.ReLU(), nn.MaxPool2d(3, 2, 1), *blocks,
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(last, 1000),
        ))  # fmt: skip
        self.images, self.labels = self.floats(self.batch, 3, self.side, self.side), self.whole(1000, self.batch)
        self.optimizer = self.optim.SGD(self.model.parameters(), lr=0.05, momentum=0.9)

    def loss(self) -> Any:
        return self.F.cross_entropy(self.model(self.images), self.labels)


class Gpt768(Gpt):
    """As `Gpt`: 12 blocks, 768 wide, 12 heads, 50304 words, 8 texts of 512; Adam."""

    depth, width, heads, kinds, texts, length = 12, 768, 12, 50304, 8, 512


CARD_MODELS: dict[str, type[Model]] = {**MODELS, "gemm 4096": Gemm, "resnet18 b256": ResNet18, "gpt 12x768x512": Gpt768}
