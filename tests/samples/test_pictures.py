"""Images in a grid with boxes, masks and points: what is where, in which way told apart, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch
from samples.kit.pictures import FOUND, TEXT, class_colour, image_grid, save

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("matplotlib")

GREY = np.full((3, 50, 100), 128, np.uint8)
ORANGE = tuple(int(FOUND[i : i + 2], 16) for i in (1, 3, 5))


def pixels(picture):
    return np.asarray(picture.convert("RGB")).astype(int)


def cell(**layers):
    """The pixels of one image, drawn twice as large, without the grid around it."""
    return pixels(image_grid([GREY], size=200, **{name: [layer] for name, layer in layers.items()}))[8:108, 8:208]


def test_boxes_lie_where_they_are_and_the_true_ones_are_dashed():
    drawn = cell(boxes=[[10, 10, 40, 40]], true_boxes=np.array([[60.0, 5.0, 90.0, 45.0]]))
    assert (drawn[20, 24:78] == ORANGE).all() and (drawn[24:78, 80] == ORANGE).all()
    assert (drawn[50, 50] == 128).all()
    side = {tuple(pixel) for pixel in drawn[20:80, 120].tolist()}
    assert side == {(255, 255, 255), (0, 0, 0), (128, 128, 128)}


def test_words_on_a_box_stay_on_the_image():
    for place in ([0, 0, 20, 10], [95, 45, 100, 50]):
        plain, labelled = cell(boxes=[place]), cell(boxes=[place], scores=[0.25], labels=["face"])
        assert np.any(plain != labelled)
    with pytest.raises(ValueError, match="1 boxes, but 2 labels"):
        cell(boxes=[[0, 0, 1, 1]], labels=["a", "b"])


def test_masks_are_tinted_by_class_and_true_ones_outlined():
    mask = np.zeros((50, 100), np.uint8)
    mask[:, 50:], mask[25:, 50:] = 1, 9
    drawn = cell(masks=mask)
    assert (drawn[50, 20] == 128).all()
    for row, number in ((10, 1), (90, 9)):
        np.testing.assert_allclose(drawn[row, 150], (np.array(class_colour(number)) + 128) / 2, atol=1)
    assert class_colour(9) != class_colour(1)
    chance = cell(masks=minitorch.tensor(np.where(mask > 0, 0.7, 0.4)))
    np.testing.assert_allclose(chance[90, 150], (np.array(class_colour(1)) + 128) / 2, atol=1)
    outline = cell(true_masks=mask > 0)
    assert (outline[50, 100] == 255).all() and (outline[50, 150] == 128).all()


def test_points_and_frames_of_one_size():
    drawn = cell(points=[[20, 20]], true_points=[[70, 20]])
    assert (drawn[40, 40] == ORANGE).all() and (drawn[40, 143] == 255).all() and (drawn[40, 140] == 128).all()
    sizes = {image_grid([GREY] * 2, boxes=[np.zeros((k, 4)), None], titles=["a" * 99, ""]).size for k in range(3)}
    assert len(sizes) == 1


@pytest.mark.parametrize("count, columns", [(1, 1), (2, 2), (3, 3), (4, 2), (6, 3), (7, 4), (12, 4)])
def test_the_grid_leaves_few_places_empty(count, columns):
    assert image_grid([GREY] * count, size=50).width == columns * 58 + 8


def test_images_of_every_usual_kind():
    floats = minitorch.full((2, 1, 4, 4), 0.5)
    for images in (floats, floats[:, 0], [Image.new("L", (4, 4), 128)] * 2):
        grid = pixels(image_grid(images, size=20, titles=["<b>", "𝔘\nñ"]))
        assert (grid[8 + TEXT + 6 + 10, 18] == 128).all()


@pytest.mark.parametrize("images, layers, sentence", [
    ([], {}, "at least one image"),
    ([GREY], {"boxes": [[], []]}, "boxes has 2 entries for 1 images"),
    ([GREY], {"boxes": [[1, 2, 3, 4]]}, r"have shape \(k, 4\), not \(4,\)"),
    (np.zeros((1, 4, 4, 3)), {}, r"not \(4, 4, 3\)"),
])  # fmt: skip
def test_what_is_refused(images, layers, sentence):
    with pytest.raises(ValueError, match=sentence):
        image_grid(images, **layers)


def test_files_are_whole(tmp_path):
    grid = image_grid([GREY])
    assert Image.open(save(grid, tmp_path / "a.png")).size == grid.size
    moving = Image.open(save([grid, image_grid([GREY // 2])], tmp_path / "a.gif"))
    assert moving.n_frames == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gif", "a.png"]
