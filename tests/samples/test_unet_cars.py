"""Images with masks, and the U-Net that learns to draw them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import minitorch
from samples import unet_cars
from samples.kit import SampleError
from samples.kit.images import BrokenFile
from samples.kit.masks import MaskedImages, read_mask
from samples.main import main

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("matplotlib")
ROOT = Path(__file__).resolve().parents[2]


def write_cars(root, names=("one", "two", "three")):
    """Images 40x20 whose right half is the car."""
    for folder in ("cars", "masks"):
        (root / folder).mkdir()
    for name in names:
        Image.fromarray(np.full((20, 40, 3), 80, np.uint8)).save(root / "cars" / f"{name}.jpg")
        mask = Image.fromarray(np.repeat([[0, 1]], 20, 0).repeat(20, 1).astype(np.uint8), "L").convert("P")
        mask.putpalette([0, 0, 0, 1, 1, 1])  # as dark as black: the number of the colour counts
        mask.save(root / "masks" / f"{name}_mask.gif")
    return root / "cars", root / "masks"


def test_images_and_masks(tmp_path):
    data = MaskedImages(*write_cars(tmp_path), size=16)
    assert data.names == ["one", "three", "two"] and data.images.shape == (3, 16, 16, 3) and data.masks.dtype == bool
    image, target = data[0]
    assert image.dtype == np.uint8 and (target["mask"] == (np.arange(16) >= 8)).all()


@pytest.mark.parametrize(("damage", "says"), [
    (lambda root: (root / "masks" / "two_mask.gif").unlink(), "two_mask.gif does not exist"),
    (lambda root: (root / "masks" / "two_mask.gif").write_text("hello"), "two_mask.gif is not an image"),
    (lambda root: (root / "cars" / "two.jpg").write_text("hello"), "two.jpg is not an image"),
    (lambda root: Image.new("L", (30, 20)).save(root / "masks" / "two_mask.gif"), "two_mask.gif has 30x20 pixels, two.jpg has 40x20"),
])
def test_a_broken_file_is_named_and_skipped_or_refused(tmp_path, damage, says):
    folders = write_cars(tmp_path)
    damage(tmp_path)
    said = []
    assert MaskedImages(*folders, size=16, broken="skip", say=said.append).names == ["one", "three"] and "two" in said[0]
    with pytest.raises(BrokenFile, match=says):
        MaskedImages(*folders, size=16)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(SampleError, match="nowhere is not a folder"):
        MaskedImages(tmp_path / "nowhere", tmp_path, size=16)
    with pytest.raises(SampleError, match="there are no files"):
        MaskedImages(tmp_path, tmp_path, size=16)


def test_intersection_over_union():
    a, b = np.zeros((2, 4, 4), bool), np.zeros((2, 4, 4), bool)
    a[0, :2], b[0, 1:3] = True, True  # one row of three is shared
    assert unet_cars.iou(a, b) == pytest.approx([1 / 3, 0])


@pytest.mark.parametrize("up", ["transposed", "bilinear"])
def test_the_answer_is_as_large_as_the_image(up):
    model = unet_cars.UNet(2, 3, up)
    assert model(minitorch.zeros(2, 3, 32, 24)).shape == (2, 32, 24)


def test_the_losses_want_the_mask():
    config = unet_cars.Config(car_weight=2.0)
    mask = minitorch.zeros(1, 4, 4)
    mask[:, :2] = 1
    right, wrong = (unet_cars.criterion(20 * (2 * mask - 1) * sign, mask, config).item() for sign in (1, -1))
    assert right == pytest.approx(0, abs=1e-6)
    # Each pixel is wrong by 20 nats, those of the car count twice; nothing is shared: Dice (0 + 1) / (16 + 1).
    assert wrong == pytest.approx(20 * (2 + 1) / 2 + 1 - 1 / 17, rel=1e-5)


def test_a_size_that_cannot_be_halved(tmp_path, capsys):
    assert main(["run", "unet-cars", "--quick", "--size", "50", "--runs", str(tmp_path)]) == 1
    assert "--size 50 cannot be halved 3 times; take a multiple of 8" in capsys.readouterr().err


def test_it_learns_and_predicts(run, tmp_path, capsys):
    folder, lines, out = run("unet-cars", "--epochs", "4", plots=True)
    assert lines[-1]["test_iou"] > 0.7 and lines[-1]["train_loss"] < lines[0]["train_loss"]
    assert {path.name for path in folder.glob("*.png")} == {"curves.png", "masks.png", "worst.png"}
    with Image.open(folder / "masks.gif") as film:
        assert film.n_frames == 4
    Image.fromarray(unet_cars.DrawnCars(1, 96, seed=2).images[0]).resize((120, 90)).save(tmp_path / "car.png")
    assert main(["run", "unet-cars", "--runs", str(tmp_path), "--predict", str(tmp_path / "car.png")]) == 0
    assert "car.png: " in capsys.readouterr().out
    (mask,) = folder.glob("predictions/*/car_mask.png")
    with Image.open(mask) as picture:
        assert picture.size == (120, 90) and 0.02 < np.asarray(picture).mean() / 255 < 0.6


def test_bilinear_learns_too(run):
    _, lines, _ = run("unet-cars", "--up", "bilinear", "--epochs", "3")
    assert lines[-1]["test_iou"] > 0.4


def real_cars():
    folders = (Path(root) / "cars" for root in (os.environ.get("MINITORCH_DATA"), ROOT.parent / "shared" / "data") if root)
    return next((folder for folder in folders if (folder / "train_masks").is_dir()), None)


@pytest.mark.skipif(real_cars() is None, reason="needs MINITORCH_DATA with cars/")
def test_the_real_photographs():
    data = MaskedImages(real_cars() / "test", real_cars() / "test_masks", 64)
    assert len(data) == 100 and 0.3 < data.masks.mean() < 0.6
    assert read_mask(real_cars() / "train_masks" / "train1_mask.gif").shape == (256, 256)
