"""How like two sets of images are: measured in the features of a small classifier, which is trained here.

Pixels say little: a face moved by a pixel is another one. A network that had to learn to tell which way up a picture is
(Gidaris et al. 2018) knows eyes, hair and outlines, and needs no labels for it. Its last layer before the answer gives each
image a point; sets of images are clouds of points.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import minitorch
from minitorch import Tensor, nn, optim
from minitorch.nn import functional as F
from samples.kit.metrics import host

Points = NDArray[np.float64]


class Upright(nn.Module):
    """Which way up an image is: (n, 3, s, s) -> four scores, for turns by 0, 90, 180 and 270 degrees."""

    def __init__(self, width: int = 16, features: int = 48) -> None:
        super().__init__()
        sizes = [3, width, 2 * width, 2 * width]
        self.layers = nn.Sequential(*(layer for n_in, n_out in zip(sizes, sizes[1:]) for layer in (
            nn.Conv2d(n_in, n_out, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU())))
        self.features = nn.Linear(2 * width * 4 * 4, features)
        self.answer = nn.Linear(features, 4)

    def look(self, x: Tensor) -> Tensor:
        """The features of images (n, 3, s, s): (n, features)."""
        return self.features(F.adaptive_avg_pool2d(self.layers(x), 4).flatten(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.answer(self.look(x).relu())


def train_upright(model: Upright, images: Tensor, epochs: int, batch_size: int = 64) -> float:
    """Teach it with images (n, 3, s, s); returns the share of the last epoch's turns that it got right."""
    optimizer = optim.Adam(model.parameters(), lr=0.002)
    right = 0
    model.train()
    for _ in range(epochs):
        order, right = minitorch.randperm(len(images)), 0
        for start in range(0, len(images), batch_size):
            x = images[order[start : start + batch_size].to(images.device)]
            turns = np.arange(len(x)) % 4
            turned = minitorch.cat([minitorch.rot90(x[k::4], k, (2, 3)) for k in range(4)])
            y = minitorch.as_tensor(np.concatenate([turns[k::4] for k in range(4)]), device=images.device)
            scores = model(turned)
            loss = F.cross_entropy(scores, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            right += int((host(scores).argmax(1) == host(y)).sum())
    return right / len(images)


@minitorch.no_grad()
def features(model: Upright, images: Tensor) -> Points:
    """The points of images (n, 3, s, s): (n, features)."""
    model.eval()
    return np.concatenate([host(model.look(images[k : k + 250])) for k in range(0, len(images), 250)]).astype(float)


def frechet(a: Points, b: Points) -> float:
    """How far two clouds of points are apart, as normal distributions: |mean - mean|² + tr(A + B - 2 √(A B)), A and B their
    covariances. In the features of another network this is the Fréchet Inception Distance (Heusel et al. 2017)."""
    both = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    # The trace of the root is the sum of the roots of the eigenvalues, which are real and not negative but for rounding.
    roots = np.sqrt(np.clip(np.linalg.eigvals(both[0] @ both[1]).real, 0, None))
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(both[0]) + np.trace(both[1]) - 2 * roots.sum())


def nearest(a: Points, b: Points) -> tuple[Points, NDArray[Any]]:
    """For each point of a, the distance to the nearest one of b (itself left out, when they are the same), and which it is."""
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    if a is b:
        np.fill_diagonal(squares, np.inf)
    best = squares.argmin(1)
    return np.sqrt(np.clip(squares[np.arange(len(a)), best], 0, None)), best
