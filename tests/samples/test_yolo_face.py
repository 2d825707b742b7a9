"""The detector: which answers are responsible, what its losses want, and that it learns, goes on and draws."""

from __future__ import annotations

import json

import numpy as np
import pytest

import minitorch
from samples import yolo_face
from samples.kit.detection import iou
from samples.kit.scenes import FaceScenes
from samples.main import main

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("matplotlib")

ANCHORS = np.array([[8.0, 8], [16, 16], [40, 40]])


def target(*boxes):
    return {"boxes": np.array(boxes, np.float32).reshape(-1, 4), "labels": np.zeros(len(boxes), np.int64)}


def test_the_cell_of_the_middle_and_the_anchor_most_alike_answer():
    index, objects = yolo_face.assign([target(), target([18, 33, 34, 51])], ANCHORS, cells=8)
    assert [part.tolist() for part in index] == [[1], [1], [5], [3]]  # middle (26, 42), shape 16x18
    assert objects.tolist() == [[18, 33, 34, 51, 0]]


def test_several_anchors_answer_when_they_are_alike():
    anchors = np.array([[8.0, 8], [15, 16], [17, 16]])
    index, _ = yolo_face.assign([target([0, 0, 16, 16])], anchors, cells=8)
    assert sorted(index[1].tolist()) == [1, 2] and set(index[2]) == set(index[3]) == {1}


def test_two_objects_in_one_cell_share_out_its_anchors():
    index, objects = yolo_face.assign([target([0, 0, 9, 9], [1, 1, 8, 8], [-16, -16, 24, 24])], ANCHORS, cells=8)
    assert sorted(zip(index[1].tolist(), objects[:, 0].tolist())) == [(0, 0.0), (2, -16.0)]  # 9x9 is liker to 8x8 than 7x7


def test_no_objects_at_all():
    index, objects = yolo_face.assign([target(), target()], ANCHORS, cells=8)
    assert [len(part) for part in index] == [0, 0, 0, 0] and objects.shape == (0, 5)


@pytest.mark.parametrize("loss", ["ciou", "yolov2"])
@pytest.mark.parametrize("classes", [1, 3])
def test_a_batch_is_learnt_by_heart(loss, classes):
    """Either loss leads answers of its own to the objects: no network, just the numbers that it would give."""
    minitorch.manual_seed(0)
    model = yolo_face.YOLO(yolo_face.PRESETS["tiny"], ANCHORS, classes)
    targets = [target([3, 4, 20, 22], [30, 30, 62, 60]), target()]
    targets[0]["labels"][:] = 0, classes - 1
    out = minitorch.randn(2, 3, 8, 8, 5 + (classes if classes > 1 else 0), requires_grad=True)
    optimizer = minitorch.optim.Adam([out], lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        model.loss(out, targets, loss).backward()
        optimizer.step()
    boxes, raw = model.all_boxes(out.detach()).numpy(), out.detach().numpy()
    best = np.unravel_index(np.argsort(-raw[0, ..., 4].ravel())[:2], raw.shape[1:4])
    overlaps = iou(boxes[0][best], targets[0]["boxes"])
    assert sorted(overlaps.argmax(1)) == [0, 1] and overlaps.max(1).min() > 0.8
    assert raw[1, ..., 4].max() < 0  # nothing is found where nothing is
    assert iou(boxes[0][raw[0, ..., 4] > 0], targets[0]["boxes"]).max(1).min() > 0.6
    if classes == 3:
        assert raw[0][best][:, 5:].argmax(1).tolist() == [targets[0]["labels"][k] for k in overlaps.argmax(1)]


def test_a_batch_without_objects_has_a_loss_and_a_gradient():
    model = yolo_face.YOLO(yolo_face.PRESETS["tiny"], ANCHORS, 1)
    loss = model.loss(model(minitorch.zeros(2, 3, 64, 64)), [target(), target()], "ciou")
    loss.backward()
    assert np.isfinite(loss.item()) and abs(model.head.bias.grad.numpy()).max() > 0


def test_the_step_size_warms_up_and_falls():
    rates = [yolo_face.rate(step, 10, 100) for step in range(100)]
    assert rates[:10] == pytest.approx([k / 10 for k in range(1, 11)])
    assert max(rates) == 1 and rates[10:] == sorted(rates[10:], reverse=True) and rates[-1] < 0.02


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a quick run."""
    runs = tmp_path_factory.mktemp("runs")
    assert main(["run", "yolo-face", "--quick", "--runs", str(runs)]) == 0
    (folder,) = (runs / "yolo-face").iterdir()
    return folder


def lines(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_it_learns(trained):
    found = lines(trained)
    assert found[0]["val_ap"] < 0.4 < 0.6 < found[-1]["val_ap"]
    with Image.open(trained / "detections.gif") as film, Image.open(trained / "detections.png") as last:
        assert film.n_frames == len(found) and film.size == last.size
    assert (trained / "curves.png").exists()


def test_it_goes_on_where_it_was_stopped(tmp_path, monkeypatch):
    original, calls = yolo_face.find, []

    def find(*args):
        calls.append(1)
        if len(calls) == 4:  # at the end of the second run's second epoch
            raise KeyboardInterrupt
        return original(*args)

    monkeypatch.setattr(yolo_face, "find", find)
    options = ["run", "yolo-face", "--quick", "--size", "48", "--epochs", "2", "--runs"]
    assert main([*options, str(tmp_path / "whole")]) == 0
    assert main([*options, str(tmp_path / "parts")]) == 130
    assert main(["run", "yolo-face", "--runs", str(tmp_path / "parts"), "--resume", "last"]) == 0
    whole, parts = (next((tmp_path / name / "yolo-face").iterdir()) for name in ("whole", "parts"))
    assert [(line["train_loss"], line["val_ap"]) for line in lines(parts)] == [
        (line["train_loss"], line["val_ap"]) for line in lines(whole)]
    assert (parts / "detections.gif").read_bytes() == (whole / "detections.gif").read_bytes()


def test_it_draws_on_images_of_any_size(trained, tmp_path, capsys):
    image = FaceScenes(1, 96, seed=2).images[0]
    Image.fromarray(image).resize((240, 240)).crop((0, 0, 240, 200)).save(tmp_path / "one.png")
    (tmp_path / "two.jpg").write_text("no image")
    runs = str(trained.parent.parent)
    assert main(["run", "yolo-face", "--runs", runs, "--predict", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "one.png: " in out and " found" in out and "skipped" in out and "two.jpg is not an image" in out
    (drawn,) = trained.glob("predictions/*/one.png")
    with Image.open(drawn) as picture:
        assert picture.width >= 240
    assert main(["run", "yolo-face", "--runs", runs, "--predict", str(tmp_path), "--broken", "refuse"]) == 1
    assert "two.jpg is not an image" in capsys.readouterr().err


def test_without_data_it_says_what_to_do(tmp_path, capsys):
    assert main(["run", "yolo-face", "--runs", str(tmp_path / "runs"), "--data", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "face-detection/ImageSets/Main/train.txt" in error and "--data synthetic" in error and error.count("\n") == 1
