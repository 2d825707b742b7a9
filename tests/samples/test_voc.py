"""Images in folders and Pascal VOC's annotations: what is read, and what is said of broken files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from samples.kit.errors import SampleError
from samples.kit.images import BrokenFile, image_files, locate, read_all, read_image, stems
from samples.kit.voc import VOCDetection, read_annotation

Image = pytest.importorskip("PIL.Image")
ROOT = Path(__file__).resolve().parents[2]


def write_voc(root: Path, names=("one", "two", "three")) -> Path:
    """A set of images 40x30 with a cat at (4, 5) to (14, 25) and, but for the first, a difficult dog."""
    for folder in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (root / folder).mkdir(parents=True)
    for k, name in enumerate(names):
        Image.fromarray(np.full((30, 40, 3), 50 * k, np.uint8)).save(root / "JPEGImages" / f"{name}.jpg")
        objects = box("cat", 4, 5, 14, 25) + (box("dog", 20, 0, 40, 30, difficult=1) if k else "")
        (root / "Annotations" / f"{name}.xml").write_text(
            f"<annotation><size><width>40</width><height>30</height><depth>3</depth></size>{objects}</annotation>")
    for part in ("train", "val"):
        (root / "ImageSets" / "Main" / f"{part}.txt").write_text("\n".join(names) + "\n")
    return root


def box(name, left, top, right, bottom, difficult=0):
    return (f"<object><name>{name}</name><difficult>{difficult}</difficult><bndbox><xmin>{left}</xmin><ymin>{top}</ymin>"
            f"<xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox></object>")


def test_images_boxes_and_classes(tmp_path):
    data = VOCDetection(write_voc(tmp_path), "val")
    assert len(data) == 3 and data.names == ["one", "two", "three"] and data.classes == ("cat", "dog")
    image, target = data[1]
    assert image.shape == (30, 40, 3) and image.dtype == np.uint8 and abs(int(image.mean()) - 50) < 3
    assert target["boxes"].tolist() == [[4, 5, 14, 25], [20, 0, 40, 30]]
    assert target["labels"].tolist() == [0, 1] and target["difficult"].tolist() == [False, True]
    assert VOCDetection(tmp_path, classes=("thing",))[1][1]["labels"].tolist() == [0, 0]
    assert VOCDetection(tmp_path, transform=lambda image, target: (image.shape, len(target["boxes"])))[0] == ((30, 40, 3), 1)


BREAKS = {
    "does not exist": lambda root: (root / "JPEGImages" / "two.jpg").unlink(),
    "is not an image": lambda root: (root / "JPEGImages" / "two.jpg").write_text("hello"),
    "is a damaged image": lambda root: cut(root / "JPEGImages" / "two.jpg"),
    "two.xml does not exist": lambda root: (root / "Annotations" / "two.xml").unlink(),
    "is not a VOC annotation": lambda root: cut(root / "Annotations" / "two.xml"),
    "has no size/width": lambda root: replace(root, "<width>40</width>", ""),
    "could not convert": lambda root: replace(root, "<xmin>4<", "<xmin>four<"),
    "has no bndbox/ymax": lambda root: replace(root, "<ymax>25</ymax>", ""),
    "box from .4, 5. to .4, 25.": lambda root: replace(root, "<xmax>14<", "<xmax>4<"),
    "not inside the image of 40x30": lambda root: replace(root, "<xmax>14<", "<xmax>41<"),
    "is of an image of 41x30 pixels, two.jpg has 40x30": lambda root: replace(root, "<width>40<", "<width>41<"),
}


def cut(path):
    path.write_bytes(path.read_bytes()[:-120])


def replace(root, old, new):
    path = root / "Annotations" / "two.xml"
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize("says", BREAKS)
def test_a_broken_file_is_named_and_skipped_or_refused(tmp_path, says):
    BREAKS[says](write_voc(tmp_path))
    said = []
    data = VOCDetection(tmp_path, broken="skip", say=said.append)
    assert data.names == ["one", "three"] and len(said) == 1 and "two" in said[0] and said[0].startswith("skipped: ")
    with pytest.raises(BrokenFile, match=says) as error:
        VOCDetection(tmp_path, broken="refuse")
    assert "two" in str(error.value) and "--broken skip" in str(error.value)


def test_nothing_left_is_an_error(tmp_path):
    write_voc(tmp_path, ("two",))
    BREAKS["is not an image"](tmp_path)
    with pytest.raises(BrokenFile, match="none of the files could be read"):
        VOCDetection(tmp_path, broken="skip", say=lambda text: None)
    (tmp_path / "ImageSets" / "Main" / "val.txt").write_text("")
    with pytest.raises(BrokenFile, match="no files"):
        VOCDetection(tmp_path, "val")
    with pytest.raises(SampleError, match="cannot read .*test.txt .No such file"):
        VOCDetection(tmp_path, "test")


def test_where_a_data_set_is_looked_for(tmp_path, monkeypatch):
    write_voc(tmp_path / "faces")
    needed = "ImageSets/Main/train.txt"
    monkeypatch.delenv("MINITORCH_DATA", raising=False)
    assert locate(str(tmp_path), "faces", needed, "faces") == locate(str(tmp_path / "faces"), "faces", needed, "faces")
    with pytest.raises(SampleError, match="--data .*nowhere is not a folder; .* --data synthetic"):
        locate(str(tmp_path / "nowhere"), "faces", needed, "faces")
    with pytest.raises(SampleError, match=f"has no dogs/{needed}"):
        locate(str(tmp_path), "dogs", needed, "dogs")
    with pytest.raises(SampleError, match="not fetched by themselves; give .*--data synthetic"):
        locate(None, "faces", needed, "faces")
    monkeypatch.setenv("MINITORCH_DATA", str(tmp_path))
    assert locate(None, "faces", needed, "faces") == tmp_path / "faces"


def test_images_are_read_as_asked(tmp_path):
    path = tmp_path / "grey.png"
    Image.fromarray(np.arange(200, dtype=np.uint8).reshape(10, 20)).save(path)
    assert read_image(path).shape == (10, 20, 3) and read_image(path, "L").shape == (10, 20)
    assert read_image(path, longest=10).shape == (5, 10, 3)
    assert read_all(["a", "b"], str.upper, "refuse") == (["a", "b"], ["A", "B"])


def test_two_images_of_one_name_get_two_titles():
    assert stems(["a/one.png", "b/one.jpg", "b/two.png"]) == ["one", "one-2", "two"]


def test_images_of_folders_and_by_name(tmp_path):
    for name in ("b.png", "a.jpg", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    assert image_files([tmp_path, tmp_path / "b.png"]) == [tmp_path / "a.jpg", tmp_path / "b.png", tmp_path / "b.png"]
    with pytest.raises(SampleError, match="gone does not exist"):
        image_files([tmp_path / "gone"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(SampleError, match="no images in"):
        image_files([tmp_path / "empty"])


def real_faces():
    folders = (Path(root) / "face-detection" for root in (os.environ.get("MINITORCH_DATA"), ROOT.parent / "shared" / "data") if root)
    return next((folder for folder in folders if (folder / "ImageSets").is_dir()), None)


@pytest.mark.skipif(real_faces() is None, reason="needs MINITORCH_DATA with face-detection/")
def test_the_real_photographs():
    data = VOCDetection(real_faces(), "val", broken="refuse")
    assert len(data) == 170 and sum(len(target["boxes"]) for target in data.targets) == 889
    assert data.classes == ("mask_weared_incorrect", "with_mask", "without_mask")
    first = read_annotation(real_faces() / "Annotations" / "maksssksksss0.xml")
    assert first.size == (297, 416) and first.boxes[0].tolist() == [64, 85, 89, 115]
