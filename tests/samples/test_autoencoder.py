"""The autoencoder: what comes out of it, and the measure of checkerboards."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch
from samples import autoencoder
from samples.kit.mnist import MNIST, as_mnist
from samples.main import main

Image = pytest.importorskip("PIL.Image")

FEW = ("--data", "synthetic")


def test_it_learns_draws_and_answers(run, tmp_path, capsys):
    folder, lines, out = run("autoencoder", *FEW, "--numbers", "8", plots=True)
    for name in autoencoder.DECODERS:
        assert lines[-1][f"{name}_error"] < 0.75 * 0.0486  # of the mean picture
    assert lines[-1]["transposed_checkerboard"] > 1.1 * lines[-1]["upsampling_checkerboard"]
    assert {"pictures.gif", "codes.png", "curves.png", "network.html"} <= {file.name for file in folder.iterdir()}
    drawn = (folder / "network.svg").read_text()
    assert all(f">{name}<" in drawn for name in autoencoder.DECODERS)  # the two are told apart
    assert minitorch.load(folder / "codes.npz")["codes"].shape == (1000, 8)

    digit = MNIST("synthetic", train=False, limit=1).data[0]
    Image.fromarray(digit).save(tmp_path / "digit.png")
    Image.fromarray(255 - digit).resize((56, 84)).save(tmp_path / "paper.png")  # dark on light, and not a square
    (tmp_path / "text.png").write_text("no picture")
    capsys.readouterr()
    asked = [str(tmp_path / name) for name in ("digit.png", "paper.png", "text.png")]
    assert main(["run", "autoencoder", "--predict", *asked, "--from", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "text.png is not an image" in out and "its numbers (transposed)" in out and "its numbers (upsampling)" in out
    codes = [row.split()[1:] for row in out.splitlines() if row.startswith(asked[0])]
    assert len(codes) == 2 and all(len(code) == 8 for code in codes)
    (seen,) = folder.glob("predictions/*/pictures.png")
    assert Image.open(seen).size[0] > 2 * 84


def test_pictures_as_mnist_has_them():
    digit = MNIST("synthetic", train=False, limit=1).data[0]
    colour = np.repeat(digit[..., None], 3, -1)
    assert np.array_equal(as_mnist(colour), digit) and np.array_equal(as_mnist(255 - colour), digit)
    tall = as_mnist(np.repeat(colour, 2, axis=0))
    assert tall.shape == (28, 28) and not tall[:, :7].any() and not tall[:, 21:].any()  # nothing is cut off, nor stretched


@pytest.mark.parametrize("kernel", [2, 3, 4, 5])
@pytest.mark.parametrize("decoder", autoencoder.DECODERS)
def test_what_comes_out_is_as_large_as_what_went_in(kernel, decoder):
    model = autoencoder.Autoencoder(autoencoder.Config(kernel=kernel, channels=2), decoder)
    assert model(minitorch.rand(3, 1, 28, 28)).shape == (3, 1, 28, 28)


def test_too_few_images_are_refused(tmp_path, capsys):
    assert main(["run", "autoencoder", "--quick", *FEW[:2], "--images", "5", "--runs", str(tmp_path)]) == 1
    assert "5 images are not one batch of 32" in capsys.readouterr().err


def test_error_and_checkerboard_of_known_errors():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, (400, 1, 28, 28)).astype(np.float32)
    board = np.float32(0.1) * (-1.0) ** np.indices((28, 28)).sum(0).astype(np.float32)
    for wrong, squared, share in ((noise, 0.01, 1.0), (noise * 0 + board, 0.01, 784 / 3)):
        model = lambda images, wrong=wrong: images + minitorch.tensor(wrong)  # noqa: E731
        error, found = autoencoder.examine(model, minitorch.zeros(400, 1, 28, 28))
        assert error == pytest.approx(squared, rel=0.02) and found == pytest.approx(share, rel=0.15)


def test_neighbours():
    codes = np.array([[0.0, 0], [0, 0.1], [5, 5], [5, 5.1], [0.2, 0]])
    assert autoencoder.neighbours_agree(codes, np.array([0, 0, 1, 1, 1])) == 0.8
