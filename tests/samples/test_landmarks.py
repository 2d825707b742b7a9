"""Faces with points: the table, the mirror, and the network that learns to find them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import minitorch
from samples import landmarks
from samples.kit import SampleError
from samples.kit.images import BrokenFile
from samples.kit.landmarks import MIRRORED, DrawnFaces, FaceLandmarks
from samples.main import main

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("matplotlib")
ROOT = Path(__file__).resolve().parents[2]


def write_faces(root, count=3):
    root.mkdir(exist_ok=True)
    rows = ["image_name," + ",".join(f"part_{k}_{axis}" for k in range(68) for axis in "xy")]
    for number in range(count):
        Image.fromarray(np.full((40, 30, 3), 100, np.uint8)).save(root / f"{number}.png")
        rows.append(f"{number}.png," + ",".join(str(number + k / 10) for k in range(136)))
    (root / "faces.csv").write_text("\n".join(rows) + "\n")
    return root, root / "faces.csv"


def test_the_table(tmp_path):
    data = FaceLandmarks(*write_faces(tmp_path))
    assert data.names == ["0.png", "1.png", "2.png"] and data.points.shape == (3, 68, 2)
    image, target = data[2]
    assert image.shape == (40, 30, 3) and target["keypoints"][1].tolist() == pytest.approx([2.2, 2.3])


@pytest.mark.parametrize(("old", "new", "says"), [
    ("1.png,1.0,", "1.png,one,", "row 3 .1.png. has something else than numbers: .*'one'"),
    ("1.png,1.0,", "1.png,nan,", "row 3 .1.png. has 135 numbers, not 136"),
    ("1.png,1.0,", "1.png,", "row 3 .1.png. has 135 numbers, not 136"),
    ("1.png,", "gone.png,", "gone.png does not exist"),
])
def test_a_broken_row_is_named_and_skipped_or_refused(tmp_path, old, new, says):
    folder, table = write_faces(tmp_path)
    table.write_text(table.read_text().replace(old, new))
    said = []
    assert FaceLandmarks(folder, table, broken="skip", say=said.append).names == ["0.png", "2.png"] and len(said) == 1
    with pytest.raises(BrokenFile, match=says):
        FaceLandmarks(folder, table)


def test_a_table_of_something_else(tmp_path):
    with pytest.raises(SampleError, match="cannot read .*none.csv .No such file"):
        FaceLandmarks(tmp_path, tmp_path / "none.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(SampleError, match="empty.csv is empty"):
        FaceLandmarks(tmp_path, tmp_path / "empty.csv")
    (tmp_path / "other.csv").write_text("name,x,y\n")
    with pytest.raises(SampleError, match="has 3 columns; 137 are needed"):
        FaceLandmarks(tmp_path, tmp_path / "other.csv")


def test_a_mirrored_face_is_a_face():
    assert (MIRRORED[MIRRORED] == np.arange(68)).all() and (MIRRORED == np.arange(68)).sum() == 10  # on the middle line
    # Drawn faces are symmetric before they are turned: mirroring the mean face leads back to it.
    mean = DrawnFaces(400, 100, seed=3).points.mean(0)
    mirrored = mean[MIRRORED] * [-1, 1]
    assert abs((mirrored - mirrored.mean(0)) - (mean - mean.mean(0))).max() < 2


def test_the_mirror_moves_the_points_with_the_pixels():
    minitorch.manual_seed(0)
    image, points = np.zeros((9, 20, 3), np.uint8), np.zeros((68, 2), np.float32)
    image[4, 3], points[36] = 255, (3, 4)
    mirror, turned = landmarks.RandomMirror(), 0
    for _ in range(20):
        seen, target = mirror(image, {"keypoints": points})
        ((y, x),) = np.argwhere(seen[..., 0])
        if x != 3:
            turned += 1
            assert target["keypoints"][45].tolist() == [x, y] == [16, 4]
    assert 4 < turned < 16


def test_the_error_is_measured_by_the_eyes():
    truth = np.zeros((2, 68, 2))
    truth[:, 45] = [10, 0]
    found = truth + np.array([[[3.0, 4.0]], [[0.0, 0.5]]])
    assert landmarks.error(found, truth) == pytest.approx([0.5, 0.05])


def test_it_learns_and_predicts(run, tmp_path, capsys):
    folder, lines, out = run("landmarks", plots=True)
    mean_face = float(out.split("mean face alone errs by ")[1].split()[0])
    assert lines[-1]["test_error"] < 0.7 * mean_face
    assert {path.name for path in folder.glob("*.png")} == {"curves.png", "points.png", "worst.png"}
    with Image.open(folder / "points.gif") as film:
        assert film.n_frames == len(lines)
    face = DrawnFaces(1, 48, seed=2)
    Image.fromarray(face.images[0]).resize((96, 96)).save(tmp_path / "face.png")
    assert main(["run", "landmarks", "--runs", str(tmp_path), "--predict", str(tmp_path / "face.png")]) == 0
    assert "face.png: eyes' outer corners at (" in capsys.readouterr().out
    assert len(list(folder.glob("predictions/*/face.png"))) == 1


def real_faces():
    folders = (Path(root) / "face-landmarks" / "ytf" for root in (os.environ.get("MINITORCH_DATA"), ROOT.parent / "shared" / "data") if root)
    return next((folder for folder in folders if (folder / "test_face_landmarks.csv").is_file()), None)


@pytest.mark.skipif(real_faces() is None, reason="needs MINITORCH_DATA with face-landmarks/")
def test_the_real_faces():
    data = FaceLandmarks(real_faces() / "test", real_faces() / "test_face_landmarks.csv")
    assert len(data) == 285 and all(max(image.shape) <= 160 for image in data.images)
    eyes = data.points[:, 45] - data.points[:, 36]
    assert (eyes[:, 0] > 0).mean() > 0.99  # the first is on the left of the picture
