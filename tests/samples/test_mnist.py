"""The IDX reader and the data sets."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import os
import struct
import threading
from pathlib import Path

import numpy as np
import pytest

from samples.kit import download
from samples.kit.errors import SampleError
from samples.kit.idx import TYPES, read_idx
from samples.kit.mnist import MNIST, FashionMNIST
from samples.kit.synthetic import digits

ROOT = Path(__file__).resolve().parents[2]


def idx(array: np.ndarray, code: int = 0x08) -> bytes:
    header = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(TYPES[code]).tobytes()


IMAGES = np.arange(3 * 28 * 28).reshape(3, 28, 28) % 256
LABELS = np.array([5, 0, 4])


def write_set(folder: Path, labels: np.ndarray = LABELS, pack=bytes, suffix="") -> Path:
    folder.mkdir(parents=True)
    for part in ("train", "t10k"):
        (folder / f"{part}-images-idx3-ubyte{suffix}").write_bytes(pack(idx(IMAGES)))
        (folder / f"{part}-labels-idx1-ubyte{suffix}").write_bytes(pack(idx(labels)))
    return folder


@pytest.mark.parametrize("code", TYPES)
@pytest.mark.parametrize("shape", [(), (4,), (0, 3), (2, 3, 4)])
def test_every_type_and_shape_comes_back(tmp_path, code, shape):
    array = (np.arange(int(np.prod(shape))).reshape(shape) * 3 % 100).astype(TYPES[code])
    for name, content in (("plain", idx(array, code)), ("packed", gzip.compress(idx(array, code)))):
        (tmp_path / name).write_bytes(content)
        back = read_idx(tmp_path / name)
        assert back.shape == shape and back.dtype == np.dtype(TYPES[code]).newbyteorder("=")
        np.testing.assert_array_equal(back, array)
        assert back.flags.writeable


GOOD = idx(IMAGES)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "does not begin like an IDX file"),
        (b"<html>not found</html>", "does not begin like an IDX file"),
        (b"\0\0\x07\x01" + GOOD[4:], "does not begin like an IDX file"),
        (GOOD[:9], "its header ends after 9 of 16 bytes"),
        (GOOD[:-1], "promises 2352 bytes of data (3, 28, 28), it holds 2351"),
        (GOOD + b"x", "it holds 2353"),
        (gzip.compress(GOOD)[:-20], "cannot be unpacked"),
        (gzip.compress(GOOD)[:40] + b"\xff" * 40 + gzip.compress(GOOD)[80:], "cannot be unpacked"),
    ],
)
def test_a_damaged_file_is_named_in_one_sentence(tmp_path, content, says):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(SampleError) as error:
        read_idx(path)
    assert str(path) in str(error.value) and says in str(error.value) and "\n" not in str(error.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(SampleError, match=f"cannot read {path}"):
            read_idx(path)


@pytest.mark.parametrize("below", [".", "mnist", "MNIST/raw"])
@pytest.mark.parametrize(("pack", "suffix"), [(bytes, ""), (gzip.compress, ".gz")])
def test_root_may_be_the_folder_itself_or_hold_it(tmp_path, below, pack, suffix):
    write_set(tmp_path / "data" / below, pack=pack, suffix=suffix)
    train = MNIST(tmp_path / "data", train=True)
    assert len(train) == 3 and train.data.dtype == np.uint8 and train.targets.dtype == np.int64
    image, label = train[2]
    np.testing.assert_array_equal(image, IMAGES[2])
    assert label == 4
    assert len(MNIST(tmp_path / "data", train=False, limit=2)) == 2


def test_transform_sees_one_image_or_a_whole_batch(tmp_path):
    write_set(tmp_path / "mnist")
    train = MNIST(tmp_path, transform=lambda image: image / 255)
    assert train[0][0].shape == (28, 28) and train[0][0].max() <= 1
    images, labels = train[np.array([2, 0])]
    assert images.shape == (2, 28, 28) and labels.tolist() == [4, 5]


def test_the_environment_names_a_folder(tmp_path, monkeypatch):
    write_set(tmp_path / "mnist")
    monkeypatch.setenv("MINITORCH_DATA", str(tmp_path))
    assert len(MNIST()) == 3
    monkeypatch.setenv("MINITORCH_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(SampleError, match="MINITORCH_DATA .*nowhere is not a folder; .*--data synthetic"):
        MNIST()
    monkeypatch.setenv("MINITORCH_DATA", "synthetic")
    assert len(MNIST(limit=5)) == 5


def test_a_given_folder_without_the_files_says_what_it_looked_for(tmp_path):
    with pytest.raises(SampleError, match="has no fashion-mnist/t10k-images-idx3-ubyte.gz"):
        FashionMNIST(tmp_path, train=False)


def test_files_that_do_not_belong_together(tmp_path):
    write_set(tmp_path / "mnist", labels=np.arange(4))
    with pytest.raises(SampleError, match="do not belong together"):
        MNIST(tmp_path)


class Internet:
    """A download that hands out the given files, with checksums made to fit."""

    def __init__(self, monkeypatch, files):
        import pooch

        self.files, self.asked = files, []
        monkeypatch.delenv("MINITORCH_DATA", raising=False)
        monkeypatch.setattr(pooch, "HTTPDownloader", lambda **options: self)
        packed = {name: gzip.compress(GOOD_FILES[name], mtime=0) for name in files}
        monkeypatch.setattr(MNIST, "files", {name: "md5:" + hashlib.md5(packed[name]).hexdigest() for name in files})

    def __call__(self, url, output_file, pooch):
        name = url.rsplit("/", 1)[1].removesuffix(".gz")
        self.asked.append(name)
        content = self.files[name]
        if isinstance(content, Exception):
            raise content
        Path(output_file).write_bytes(gzip.compress(content, mtime=0))


GOOD_FILES = {"train-images-idx3-ubyte": idx(IMAGES), "train-labels-idx1-ubyte": idx(LABELS)}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    pytest.importorskip("pooch")
    monkeypatch.setattr(download, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache" / "mnist"


def test_download_goes_to_the_cache_and_happens_once(cache, monkeypatch):
    internet = Internet(monkeypatch, GOOD_FILES)
    with pytest.raises(SampleError, match="MNIST is not in .*cache.*; give a folder"):
        MNIST(download=False)
    assert len(MNIST(download=True)) == 3
    assert len(MNIST(download=True)) == 3 and len(MNIST()) == 3
    assert len(internet.asked) == 2
    assert sorted(path.name for path in cache.iterdir()) == sorted(name + ".gz" for name in GOOD_FILES)


def test_a_damaged_file_in_the_cache_is_fetched_again(cache, monkeypatch):
    internet = Internet(monkeypatch, GOOD_FILES)
    MNIST(download=True)
    (cache / "train-images-idx3-ubyte.gz").write_bytes(b"rubbish")
    with pytest.raises(SampleError, match="damaged"):
        MNIST()
    assert len(MNIST(download=True)) == 3 and internet.asked.count("train-images-idx3-ubyte") == 2


def test_a_download_with_a_wrong_checksum_is_refused(cache, monkeypatch):
    Internet(monkeypatch, GOOD_FILES | {"train-labels-idx1-ubyte": idx(np.arange(3))})
    with pytest.raises(SampleError, match="could not be fetched from .*--data synthetic"):
        MNIST(download=True)
    assert not (cache / "train-labels-idx1-ubyte.gz").exists()


def test_without_a_network_one_sentence_names_the_ways_out(cache, monkeypatch):
    Internet(monkeypatch, {name: ConnectionError("no route\nto host") for name in GOOD_FILES})
    with pytest.raises(SampleError) as error:
        MNIST(download=True)
    text = str(error.value)
    assert "ConnectionError" in text and "--data DIR" in text and "--data synthetic" in text and "\n" not in text


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the files of a folder, and says nothing."""

    def log_message(self, *args):
        pass


def test_from_a_server(cache, tmp_path, monkeypatch):
    pytest.importorskip("requests")
    served = write_set(tmp_path / "served", pack=lambda content: gzip.compress(content, mtime=0), suffix=".gz")
    monkeypatch.delenv("MINITORCH_DATA", raising=False)
    monkeypatch.setattr(MNIST, "files", {name: "md5:" + hashlib.md5((served / f"{name}.gz").read_bytes()).hexdigest()
                                         for name in MNIST.files})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=served)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(MNIST, "address", f"http://127.0.0.1:{server.server_port}/")
        assert MNIST(download=True).targets.tolist() == LABELS.tolist()
        (kept, *_) = sorted(cache.glob("train-images*"))
        whole = kept.read_bytes()
        kept.write_bytes(whole[: len(whole) // 2])  # a disk that was full, a copy that was stopped
        assert len(MNIST(download=True)) == 3 and kept.read_bytes() == whole
        (served / "t10k-images-idx3-ubyte.gz").write_bytes(b"an error page")
        with pytest.raises(SampleError, match="could not be fetched from http://127"):
            MNIST(train=False, download=True)
        assert not list(cache.glob("t10k*"))
        server.shutdown()
    kept.unlink()
    with pytest.raises(SampleError, match="could not be fetched .*ConnectionError.*--data synthetic"):
        MNIST(download=True)


def test_synthetic_digits_are_the_same_every_time_and_learnable():
    images, labels = digits(3000)
    again, _ = digits(3000)
    np.testing.assert_array_equal(images, again)
    assert set(labels) == set(range(10)) and images.dtype == np.uint8
    # A linear classifier, fitted in closed form, tells fresh ones apart far better than one in ten.
    x, y = images.reshape(len(images), -1) / 255, np.eye(10)[labels]
    weights = np.linalg.solve(x.T @ x + 10 * np.eye(784), x.T @ y)
    fresh, classes = digits(500, seed=1)
    accuracy = ((fresh.reshape(len(fresh), -1) / 255 @ weights).argmax(1) == classes).mean()
    assert accuracy > 0.85


def real_data() -> Path | None:
    for root in (os.environ.get("MINITORCH_DATA"), ROOT.parent / "shared" / "data"):
        if root and (Path(root) / "mnist" / "train-images-idx3-ubyte.gz").exists():
            return Path(root)
    return None


@pytest.mark.skipif(real_data() is None, reason="needs MINITORCH_DATA with mnist/ and fashion-mnist/")
@pytest.mark.parametrize(("kind", "mean"), [(MNIST, 33.3184), (FashionMNIST, 72.9404)])
def test_the_real_sets(kind, mean):
    train, test = kind(real_data()), kind(real_data(), train=False)
    assert train.data.shape == (60000, 28, 28) and test.data.shape == (10000, 28, 28)
    assert np.bincount(test.targets).sum() == 10000 and set(np.unique(train.targets)) == set(range(10))
    assert train.data.mean() == pytest.approx(mean, abs=1e-3)
