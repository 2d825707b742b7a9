"""CIFAR-10's files, and the two classifiers that learn from them."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

import minitorch
from samples import cifar_resnet
from samples.kit import SampleError
from samples.kit.cifar import CIFAR10, shifted_and_flipped, to_input
from samples.main import main

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("matplotlib")
ROOT = Path(__file__).resolve().parents[2]


def write_batches(folder, count=7):
    """The six files: image k of each is of class k, red at its first pixel, green at the next row, blue in the last corner."""
    folder.mkdir(parents=True)
    records = np.zeros((count, 3073), np.uint8)
    records[:, 0] = np.arange(count)
    records[:, 1], records[:, 1 + 1024 + 32], records[:, -1] = 10, 20, 30
    for name in [f"data_batch_{k}.bin" for k in range(1, 6)] + ["test_batch.bin"]:
        records.tofile(folder / name)


def test_the_binary_files(tmp_path):
    write_batches(tmp_path / "cifar-10-batches-bin")
    train, test = CIFAR10(tmp_path), CIFAR10(tmp_path / "cifar-10-batches-bin", train=False)
    assert train.data.shape == (35, 32, 32, 3) and test.data.shape == (7, 32, 32, 3)
    image, label = test[5]
    assert label == 5 and test.classes[5] == "dog"
    assert image[0, 0].tolist() == [10, 0, 0] and image[1, 0].tolist() == [0, 20, 0] and image[31, 31].tolist() == [0, 0, 30]
    assert len(CIFAR10(tmp_path, limit=10)) == 10
    assert train[np.array([0, 8])][1].tolist() == [0, 1]


@pytest.mark.parametrize(("damage", "says"), [
    (lambda path: path.write_bytes(path.read_bytes()[:-1]), "21,510 bytes are no whole number of records"),
    (lambda path: path.write_bytes(b""), "0 bytes"),
    (lambda path: path.write_bytes(b"\x0b" + path.read_bytes()[1:]), "there is a class 11"),
])
def test_a_damaged_file_is_named(tmp_path, damage, says):
    write_batches(tmp_path / "cifar10")
    damage(tmp_path / "cifar10" / "test_batch.bin")
    with pytest.raises(SampleError, match=f"test_batch.bin is damaged: .*{says}"):
        CIFAR10(tmp_path, train=False)


def test_missing_files_and_the_archive(tmp_path, monkeypatch):
    from samples.kit import download

    with pytest.raises(SampleError, match="has no cifar10/test_batch.bin; .*--data synthetic"):
        CIFAR10(tmp_path, train=False)
    # What was downloaded before is unpacked, not fetched again.
    write_batches(tmp_path / "official")
    cache = tmp_path / "cache" / "cifar10"
    cache.mkdir(parents=True)
    with tarfile.open(cache / "cifar-10-binary.tar.gz", "w:gz") as packed:
        packed.add(tmp_path / "official", "cifar-10-batches-bin")
    monkeypatch.delenv("MINITORCH_DATA", raising=False)
    monkeypatch.setattr(download, "cache_folder", lambda: tmp_path / "cache")
    assert len(CIFAR10(train=False, download=True)) == 7
    (cache / "test_batch.bin").unlink()
    (cache / "cifar-10-binary.tar.gz").write_bytes(b"no archive")
    with pytest.raises(SampleError, match="cifar-10-binary.tar.gz is damaged .*delete it"):
        CIFAR10(train=False, download=True)


def test_shifting_and_flipping_moves_whole_images():
    minitorch.manual_seed(0)
    image = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    changed = shifted_and_flipped(np.stack([image] * 40))
    wide = np.pad(image, ((4, 4), (4, 4), (0, 0)), mode="reflect")
    parts = {wide[top : top + 32, left : left + 32].tobytes() for top in range(9) for left in range(9)}
    plain = [part.tobytes() in parts for part in changed]
    assert all(whole or part[:, ::-1].tobytes() in parts for whole, part in zip(plain, changed))
    assert 8 < sum(plain) < 32 and len({part.tobytes() for part in changed}) > 25


def test_mixup_shares_images_and_classes():
    minitorch.manual_seed(0)
    x, y = minitorch.eye(4), minitorch.arange(4)
    mixed, ((mine, first), (theirs, second)) = cifar_resnet.mixture(x, y, 0.5)
    assert mine + theirs == pytest.approx(1) and 0 < theirs <= 0.5 and first.tolist() == y.tolist()
    assert mixed.numpy() == pytest.approx((mine * x + theirs * x[second]).numpy())
    assert cifar_resnet.mixture(x, y, 0)[0] is x


def test_the_layers_of_the_paper():
    for blocks, layers in ((1, 8), (3, 20)):  # 6n + 2, those of the shortcuts not counted
        model = cifar_resnet.ResNet(blocks, 4, 3)
        weights = [name for name, p in model.named_parameters() if p.ndim > 1 and "shortcut" not in name]
        assert len(weights) == layers and model(minitorch.zeros(2, 3, 32, 32)).shape == (2, 10)
    # ResNet-18 with ten classes has 11,173,962 numbers to learn.
    large = cifar_resnet.network(cifar_resnet.Config(preset="large"))
    assert sum(p.numel() for p in large.parameters()) == 11_173_962


@pytest.mark.parametrize(("name", "part"), [("cifar-resnet", "test"), ("yolov1-cifar", "val")])
def test_it_learns_and_predicts(run, tmp_path, capsys, name, part):
    folder, lines, out = run(name, plots=True)
    assert lines[0][f"{part}_accuracy"] < lines[-1][f"{part}_accuracy"] > 0.6
    pictures = {path.name for path in folder.glob("*.png")}
    assert pictures == {"curves.png", "confusion.png", *(["classes.png", "mistakes.png"] if part == "test" else [])}
    Image.fromarray(np.full((50, 80, 3), 90, np.uint8)).save(tmp_path / "grey.png")
    assert main(["run", name, "--runs", str(tmp_path), "--predict", str(tmp_path / "grey.png")]) == 0
    _, row, *_ = capsys.readouterr().out.split("sure")[1].splitlines()
    assert "grey.png" in row and row.split()[1] in "0123456789"


@pytest.mark.parametrize("options", [["--mixup", "0.4", "--schedule", "cosine"], ["--weights", "1,1,1,1,1,1,1,1,1,2", "--augment"],
                                     ["--schedule", "constant"]])
def test_other_settings(run, options):
    _, lines, _ = run("cifar-resnet", "--images", "40", "--width", "4", "--epochs", "1", *options)
    assert np.isfinite(lines[0]["train_loss"])


def test_weights_are_as_many_as_classes(tmp_path, capsys):
    assert main(["run", "cifar-resnet", "--quick", "--runs", str(tmp_path), "--weights", "1,2"]) == 1
    assert "--weights takes ten numbers, one for each class, not 2" in capsys.readouterr().err


def real_cifar():
    for root in (os.environ.get("MINITORCH_DATA"), ROOT.parent / "shared" / "data"):
        for place in ("cifar10", "cifar10/cifar-10-batches-bin", "cifar-10-batches-bin"):
            if root and (Path(root) / place / "test_batch.bin").exists():
                return Path(root)
    return None


@pytest.mark.skipif(real_cifar() is None, reason="needs MINITORCH_DATA with CIFAR-10's binary files")
def test_the_real_files():
    train, test = CIFAR10(real_cifar()), CIFAR10(real_cifar(), train=False)
    assert np.bincount(train.targets).tolist() == [5000] * 10 and np.bincount(test.targets).tolist() == [1000] * 10
    pixels = to_input(train.data[:5000], "cpu").numpy()
    assert pixels.mean((0, 2, 3)) == pytest.approx([0, 0, 0], abs=0.05) and pixels.std((0, 2, 3)) == pytest.approx([1, 1, 1], abs=0.05)
