"""A DCGAN draws faces: two networks learn from each other.

The generator turns random numbers into an image; the discriminator says whether an image is real or drawn. One learns to be
right, the other to make it wrong (Goodfellow et al. 2014), both built of convolutions (Radford, Metz, Chintala 2015). Their
losses say little about the images, so after every epoch the samples are compared with the data, in the features of a small
classifier: how far apart the two clouds of points are, against how far two halves of the data are. And at the end: how far each
sample is from the nearest training image, against how far real images are from each other. All at one distance from nowhere in
particular would be a collapse; much nearer than real images are to each other, copies.

    minitorch run gan-anime --quick                # drawn faces
    minitorch run gan-anime --data DIR             # 4,000 anime faces, 20 minutes
    minitorch run gan-anime --predict 1 2 3        # the faces of these seeds
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import minitorch
from minitorch import Tensor, nn, optim
from minitorch.nn import functional as F
from samples.kit import Run, SampleError, Settings, option
from samples.kit.download import generated
from samples.kit.film import Film
from samples.kit.images import Broken, locate, read_all, read_image
from samples.kit.landmarks import DrawnFaces
from samples.kit.likeness import Points, Upright, features, frechet, nearest, train_upright
from samples.kit.masks import resized
from samples.kit.metrics import host
from samples.kit.network import show

PREDICTS = "SEED"
SHOWN = 24  # samples in the animation


@dataclass
class Config(Settings):
    size: int = option(64, "pixels of the image's side: 16, 32, 64, ...", minimum=16, quick=32)
    noise: int = option(64, "random numbers from which an image is made", minimum=1, quick=32)
    width: int = option(16, "channels beside the image; twice as many at every level below", minimum=1, quick=12)
    images: int = option(4000, "training images", minimum=8, quick=384)
    epochs: int = option(40, "passes over them", minimum=1, quick=5)
    batch_size: int = option(64, "images per batch, and samples as many", minimum=2, quick=24)
    learning_rate: float = option(0.0002, "Adam's step size for both networks", minimum=0, quick=0.001)
    beta1: float = option(0.5, "how long Adam remembers where it went: shorter than usual, the goal moves", minimum=0)
    smooth: float = option(0.9, "what the discriminator should say of real images: a little less than 1", minimum=0)
    augment: bool = option(True, "change at random what the discriminator sees, of images and samples alike", quick=False)
    data: str | None = option(None, "folder with anime-faces/images, or 'synthetic' for drawn faces", quick="synthetic")
    broken: Broken = option("skip", "what to do about files that cannot be read: skip them, or refuse to start")


def main(config: Config, run: Run) -> None:
    minitorch.manual_seed(config.seed)
    images = to_tensor(read(config, run), config.device)
    if len(images) < config.batch_size:
        raise SampleError(f"{len(images)} images are not one batch of {config.batch_size}; set a smaller --batch-size")
    draw, judge = generator(config), discriminator(config)
    run.print("generator:")
    run.describe(draw, minitorch.zeros(2, config.noise, 1, 1, device=config.device))
    run.print("discriminator:")
    run.describe(judge, images[:2])

    if config.plots:  # how the generator learns: through the discriminator
        both = nn.Sequential(draw, judge)
        show(run, both, lambda net: F.softplus(-net(minitorch.randn(2, config.noise, 1, 1))).mean(), depth=1)

    eye = Upright().to(config.device)
    right = train_upright(eye, images, epochs=2 if config.quick else 5)
    known = features(eye, images)
    apart = frechet(known[::2], known[1::2])
    run.print(f"{len(images):,} images. The classifier by which samples are judged knows {right:.0%} of the turned images; "
              f"two halves of the data are {apart:.3f} apart")

    fixed = minitorch.randn(max(SHOWN, min(1000, len(images) // 2)), config.noise, 1, 1).to(config.device)
    optimizers = [optim.Adam(net.parameters(), lr=config.learning_rate, betas=(config.beta1, 0.999)) for net in (draw, judge)]
    film = Film()
    run.keep(model=draw, judge=judge, generator_steps=optimizers[0], judge_steps=optimizers[1], eye=eye, film=film)
    known = features(eye, images)  # a resumed run has got back the classifier that it had
    for epoch in run.epochs(config.epochs, len(images) // config.batch_size):
        draw.train()
        judge.train()
        fooled, batches = 0.0, 0
        for real in shuffled(images, config.batch_size):
            judged, drawn = play(real, draw, judge, optimizers, config)
            epoch.batch(judged, of=len(real))
            fooled, batches = fooled + drawn, batches + 1
        samples = sample(draw, fixed)
        epoch.add(generator_loss=fooled / batches, distance=frechet(features(eye, samples), known))
        film.add(to_pixels(samples[:SHOWN]))

    run.save(draw.state_dict(), "model.npz")
    points = features(eye, sample(draw, fixed))
    alike, _ = nearest(points, known)
    usual, _ = nearest(known, known)
    spread = [float(np.sqrt(cloud.var(0).sum())) for cloud in (points, known)]
    run.print(f"samples and data are {frechet(points, known):.3f} apart, two halves of the data {apart:.3f}; samples spread"
              f" over {spread[0] / spread[1]:.0%} of what the data does")
    run.print(f"a sample is {np.median(alike):.2f} from the nearest training image, a training image {np.median(usual):.2f} "
              "from the nearest other one (medians)")
    if config.plots:
        plot(draw, film, apart, alike, usual, config, run)


# -- the two networks ----------------------------------------------------------------------------------------------------


def levels(config: Config) -> int:
    """How often 4x4 is doubled to reach the image's size."""
    count = int(np.log2(config.size / 4))
    if 4 * 2**count != config.size:
        raise SampleError(f"--size {config.size} is not 4 doubled some times; take 16, 32, 64 or 128")
    return count


def generator(config: Config) -> nn.Module:
    """(n, noise, 1, 1) -> (n, 3, s, s), from -1 to 1"""
    sizes = [config.width * 2**k for k in reversed(range(levels(config)))]
    layers: list[nn.Module] = [nn.ConvTranspose2d(config.noise, sizes[0], 4, bias=False), nn.BatchNorm2d(sizes[0]), nn.ReLU()]
    for n_in, n_out in zip(sizes, sizes[1:]):
        layers += [nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU()]
    net = nn.Sequential(*layers, nn.ConvTranspose2d(sizes[-1], 3, 4, stride=2, padding=1), nn.Tanh())
    return begun(net).to(config.device)


def discriminator(config: Config) -> nn.Module:
    """(n, 3, s, s) -> (n,), above 0 where it takes the image for real: the generator, the other way round"""
    sizes = [config.width * 2**k for k in range(levels(config))]
    layers: list[nn.Module] = [nn.Conv2d(3, sizes[0], 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
    for n_in, n_out in zip(sizes, sizes[1:]):
        layers += [nn.Conv2d(n_in, n_out, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.LeakyReLU(0.2)]
    return begun(nn.Sequential(*layers, nn.Conv2d(sizes[-1], 1, 4), nn.Flatten(0))).to(config.device)


def begun(net: nn.Module) -> nn.Module:
    """First weights as in the paper: normal, deviation 0.02."""
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0.0, 0.02)
    return net


def play(real: Tensor, draw: nn.Module, judge: nn.Module, optimizers: Sequence[Any], config: Config) -> tuple[float, float]:
    """One step of both networks; returns their losses, the discriminator's first."""
    noise = minitorch.randn(len(real), config.noise, 1, 1).to(real.device)
    samples = draw(noise)
    # The discriminator: real images get `smooth`, samples 0. What made the samples does not learn here.
    seen = changed if config.augment else lambda x: x
    said, of_samples = judge(seen(real)), judge(seen(samples.detach()))
    yes, no = minitorch.full_like(said, config.smooth), minitorch.zeros_like(said)
    judged = F.binary_cross_entropy_with_logits(said, yes) + F.binary_cross_entropy_with_logits(of_samples, no)
    optimizers[1].zero_grad()
    judged.backward()
    optimizers[1].step()
    # The generator: its samples should be taken for real. (To ask that they be not taken for drawn has no gradient at first.)
    drawn = F.binary_cross_entropy_with_logits(judge(seen(samples)), minitorch.ones_like(said))
    optimizers[0].zero_grad()
    drawn.backward()
    optimizers[0].step()
    return judged.item(), drawn.item()


def changed(x: Tensor) -> Tensor:
    """Images (n, 3, s, s) each brighter or darker, greyer or more colourful, with more or less contrast; all moved by up to an
    eighth; and a square of a third covered. The gradient goes through to what was drawn.

    Of a few thousand images the discriminator would soon know every one, and nothing new would please it. So many as these it
    cannot learn by heart. (Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", 2020.)
    """
    n, _, _, s = x.shape

    def each(low: float, high: float) -> Tensor:
        return (low + (high - low) * minitorch.rand(n, 1, 1, 1)).to(x.device)

    x = x + each(-0.4, 0.4)
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * each(0.3, 1.7)
    middle = x.mean((1, 2, 3), keepdim=True)
    x = middle + (x - middle) * each(0.6, 1.4)
    by = s // 8
    top, left = minitorch.randint(0, 2 * by + 1, (2,)).tolist()
    x = F.pad(x, (by, by, by, by))[:, :, top : top + s, left : left + s]
    hole = minitorch.ones(1, 1, s, s)
    top, left = minitorch.randint(0, s, (2,)).tolist()
    hole[:, :, max(0, top - s // 6) : top + s // 6, max(0, left - s // 6) : left + s // 6] = 0
    return x * hole.to(x.device)


def shuffled(images: Tensor, batch_size: int) -> Iterator[Tensor]:
    """Whole batches in a random order, half of the images mirrored."""
    order = minitorch.randperm(len(images)).to(images.device)
    for start in range(0, len(images) - batch_size + 1, batch_size):
        batch = images[order[start : start + batch_size]]
        half = batch_size // 2
        yield minitorch.cat([batch[:half], batch[half:].flip(3)])


@minitorch.no_grad()
def sample(draw: nn.Module, noise: Tensor) -> Tensor:
    """Images (n, 3, s, s) from random numbers (n, noise, 1, 1)."""
    draw.eval()
    return minitorch.cat([draw(noise[k : k + 100]) for k in range(0, len(noise), 100)])


# -- data and pictures ---------------------------------------------------------------------------------------------------


def read(config: Config, run: Run) -> np.ndarray:
    """The training images, uint8 (n, size, size, 3)."""
    if generated(config.data):
        return np.stack(DrawnFaces(config.images, config.size, seed=1).images)
    folder = locate(config.data, "anime-faces", "images", "anime faces") / "images"
    names = sorted(str(path) for path in folder.glob("*.jpg"))[: config.images]
    size = (config.size, config.size)
    _, images = read_all(names, lambda name: resized(read_image(Path(name)), size), config.broken, run.print)
    return np.stack(images)


def to_tensor(images: np.ndarray, device: Any) -> Tensor:
    """uint8 (n, s, s, 3) as (n, 3, s, s) from -1 to 1, as the generator's tanh gives them."""
    return minitorch.as_tensor(np.ascontiguousarray(images.transpose(0, 3, 1, 2)), device=device).float() / 127.5 - 1


def to_pixels(images: Tensor) -> np.ndarray:
    """The way back, channels first: uint8 (n, 3, s, s)."""
    return ((host(images) + 1) * 127.5).round().clip(0, 255).astype(np.uint8)


def between(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """Random numbers on the way from a to b, (steps, ...): along the sphere where such numbers lie, not through its middle."""
    angle = minitorch.acos(((a * b).sum() / (a.norm() * b.norm())).clamp(-0.999, 0.999))
    shares = minitorch.linspace(0, 1, steps).reshape(-1, 1, 1, 1).to(a.device)
    return (minitorch.sin((1 - shares) * angle) * a + minitorch.sin(shares * angle) * b) / minitorch.sin(angle)


def predict(config: Config, run: Run, seeds: Sequence[str]) -> None:
    """The images of some seeds, side by side."""
    from samples.kit.pictures import image_grid

    wrong = next((seed for seed in seeds if not seed.isdecimal()), None)
    if wrong is not None:
        raise SampleError(f"--predict takes seeds, whole numbers from 0 on, not '{wrong}'")
    draw = generator(config)
    run.keep(model=draw)
    noise = []
    for seed in seeds:
        minitorch.manual_seed(int(seed))
        noise.append(minitorch.randn(1, config.noise, 1, 1))
    images = sample(draw, minitorch.cat(noise).to(config.device))
    run.save_figure(image_grid(to_pixels(images), titles=list(seeds), size=192), "faces.png")


def plot(draw: nn.Module, film: Film, apart: float, alike: Points, usual: Points, config: Config, run: Run) -> None:
    """Losses and distances, how near samples come to the data; samples epoch by epoch; ways from one sample to another."""
    from samples.kit import plots
    from samples.kit.pictures import image_grid

    figure, (left, middle, right) = plots.figure(12.0, 3.4, columns=3)
    numbers = [line["epoch"] for line in run.lines]
    for name, key, colour in (("discriminator", "train_loss", plots.BLUE), ("generator", "generator_loss", plots.ORANGE)):
        left.plot(numbers, [line[key] for line in run.lines], color=colour, label=name)
    left.set(title="losses", xlabel="epoch")
    left.legend()
    middle.plot(numbers, [line["distance"] for line in run.lines], color=plots.GREEN, label="samples and data")
    middle.axhline(apart, color=plots.GREY, linewidth=1, label="two halves of the data")
    middle.set(title="Fréchet distance of the features", xlabel="epoch", yscale="log")
    middle.legend()
    bins = np.linspace(0, max(alike.max(), usual.max()), 40)
    for name, distances, colour in (("samples", alike, plots.ORANGE), ("other training images", usual, plots.GREY)):
        right.hist(distances, bins, density=True, alpha=0.6, color=colour, label=name)
    right.set(title="distance to the nearest training image", yticks=[])
    right.legend()
    run.save_figure(figure, "curves.png")

    rest = [""] * (SHOWN - 1)
    frames = [image_grid(film.epochs[step], titles=[f"epoch {step + 1}", *rest], columns=8, size=96) for step in film.steps()]
    run.save_gif(frames, "samples.gif", seconds=0.4 * len(frames))
    run.save_figure(frames[-1], "samples.png")
    ends = minitorch.randn(5, config.noise, 1, 1).to(config.device)
    ways = minitorch.cat([between(a, b, 8) for a, b in zip(ends, ends[1:])])
    run.save_figure(image_grid(to_pixels(sample(draw, ways)), columns=8, size=96), "between.png")
