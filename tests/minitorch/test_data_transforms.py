"""Transforms: pixels, boxes, masks and keypoints move together, in every kind of image."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch
from minitorch.data import transforms as T

Image = pytest.importorskip("PIL.Image")


def picture(height=12, width=17, channels=3, seed=0):
    shape = (height, width, channels) if channels else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def kinds(array):
    """The same picture as Pillow's, as array and as tensor, and how to get an array back."""
    yield Image.fromarray(array), np.asarray
    yield array, np.asarray
    tensor = minitorch.tensor(array.transpose(2, 0, 1) if array.ndim == 3 else array)
    yield tensor, (lambda t: t.numpy().transpose(1, 2, 0)) if array.ndim == 3 else (lambda t: t.numpy())


def seeded(transform, *args):
    minitorch.manual_seed(1)
    return transform(*args)


GEOMETRIC = [
    T.RandomHorizontalFlip(1),
    T.RandomVerticalFlip(1),
    T.CenterCrop((8, 9)),
    T.CenterCrop(20),
    T.Pad((1, 2, 3, 4), fill=7),
    T.Pad(2, padding_mode="reflect"),
    T.RandomCrop(9, padding=2),
    T.RandomCrop(30, pad_if_needed=True),
    T.Resize((24, 34)),
    T.Resize(6),
    T.RandomResizedCrop(10, scale=(0.3, 0.9)),
    T.RandomRotation(40),
    T.RandomRotation(40, expand=True),
    T.RandomAffine(20, translate=(0.2, 0.1), scale=(0.7, 1.3), shear=(-10, 10, -5, 5)),
]


@pytest.mark.parametrize("transform", [*GEOMETRIC, T.ColorJitter(0.5, 0.5, 0.5, 0.2), T.Grayscale(3)], ids=repr)
@pytest.mark.parametrize("channels", [0, 3])
def test_every_kind_of_image_stays_its_kind_and_gets_the_same_pixels(transform, channels):
    if channels == 0 and isinstance(transform, T.Grayscale):
        pytest.skip("one channel stays one")
    array = picture(channels=channels)
    results = []
    for image, back in kinds(array):
        out = seeded(transform, image)
        assert type(out) is type(image)
        results.append(back(out))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])
    assert results[0].dtype == np.uint8


@pytest.mark.parametrize("transform", GEOMETRIC, ids=repr)
def test_masks_boxes_and_keypoints_go_where_the_pixels_go(transform):
    height, width = 48, 64
    image = np.zeros((height, width), np.uint8)
    image[20:26, 30:40] = 255
    target = {
        "masks": (image > 0)[None], "boxes": np.array([[30.0, 20, 40, 26]]),
        "keypoints": np.array([[[34.5, 22.5, 2.0]]]), "labels": [3],
    }  # fmt: skip
    out, moved = seeded(transform, image, target)
    assert moved["labels"] == [3] and target["boxes"][0, 0] == 30  # the caller's stays as it was
    assert moved["masks"].shape == (1, *out.shape) and moved["masks"].dtype == bool
    inside = moved["masks"][0]
    if not inside.any():
        pytest.skip("the object is outside this crop")
    bright = out > 127
    if isinstance(transform, T.Pad) and transform.padding_mode == "constant":
        bright[out == 7] = False
    assert (bright ^ inside).sum() <= 0.35 * inside.sum() + 4
    ys, xs = np.nonzero(inside)
    left, top, right, bottom = moved["boxes"][0]
    assert left <= xs.min() + 1 and top <= ys.min() + 1 and right >= xs.max() and bottom >= ys.max()
    assert 0 <= left <= right <= out.shape[1] and 0 <= top <= bottom <= out.shape[0]
    touches = xs.min() == 0 or ys.min() == 0 or xs.max() == out.shape[1] - 1 or ys.max() == out.shape[0] - 1
    if not touches:
        x, y, visible = moved["keypoints"][0, 0]
        assert abs(x - xs.mean()) < 0.8 and abs(y - ys.mean()) < 0.8 and visible == 2


def test_flips_are_exact():
    image = picture()
    target = {"boxes": minitorch.tensor([[1.0, 2, 5, 7]]), "keypoints": minitorch.tensor([[0.0, 0.0]])}
    out, moved = T.RandomHorizontalFlip(1)(image, target)
    np.testing.assert_array_equal(out, image[:, ::-1])
    assert moved["boxes"].tolist() == [[12, 2, 16, 7]] and moved["keypoints"].tolist() == [[16, 0]]
    out, moved = T.RandomVerticalFlip(1)(image, target)
    np.testing.assert_array_equal(out, image[::-1])
    assert moved["boxes"].tolist() == [[1, 5, 5, 10]] and moved["keypoints"].tolist() == [[0, 11]]
    assert T.RandomHorizontalFlip(0)(image) is image


def test_half_the_flips_happen_and_the_seed_decides_which():
    image = picture()
    minitorch.manual_seed(0)
    flips = [T.RandomHorizontalFlip()(image) is not image for _ in range(200)]
    assert 70 < sum(flips) < 130
    minitorch.manual_seed(0)
    assert flips == [T.RandomHorizontalFlip()(image) is not image for _ in range(200)]


def test_crops_and_padding_are_exact():
    image = picture()
    np.testing.assert_array_equal(T.CenterCrop((6, 7))(image), image[3:9, 5:12])
    out = T.Pad((1, 2), fill=(1, 2, 3))(image)
    assert out.shape == (16, 19, 3) and out[0, 0].tolist() == [1, 2, 3]
    np.testing.assert_array_equal(out[2:-2, 1:-1], image)
    np.testing.assert_array_equal(T.Pad(2, padding_mode="edge")(image), np.pad(image, [(2, 2), (2, 2), (0, 0)], "edge"))
    minitorch.manual_seed(0)
    places = {T.RandomCrop(10)(np.arange(17 * 12).reshape(12, 17))[0, 0] for _ in range(300)}
    assert len(places) == 3 * 8
    with pytest.raises(ValueError, match=r"RandomCrop of \(20, 20\) does not fit into an image of \(12, 17\)"):
        T.RandomCrop(20)(image)


def test_resizing_is_pillows():
    image = Image.fromarray(picture(40, 60))
    np.testing.assert_array_equal(np.asarray(T.Resize(20)(image)), np.asarray(image.resize((30, 20), Image.BILINEAR)))
    assert T.Resize(20, max_size=24)(image).size == (24, 16)
    assert T.Resize((5, 7), "bicubic")(image).size == (7, 5)
    floats = np.random.default_rng(0).normal(size=(40, 60, 2)).astype("f")
    assert T.Resize((20, 30))(floats).dtype == np.float32
    np.testing.assert_allclose(T.Resize((20, 30))(floats).mean(), floats.mean(), atol=5e-3)


def test_turning_is_counter_clockwise_and_right_angles_are_exact():
    image = picture(10, 10)
    np.testing.assert_array_equal(T.RandomRotation((90, 90))(image), np.rot90(image))
    wide = picture(6, 10)
    out, moved = T.RandomRotation((90, 90), expand=True)(wide, {"keypoints": np.array([[9.0, 0.0]])})
    np.testing.assert_array_equal(out, np.rot90(wide))
    np.testing.assert_allclose(moved["keypoints"], [[0, 0]], atol=1e-9)
    np.testing.assert_array_equal(T.RandomAffine(0, translate=(0, 0))(wide), wide)
    np.testing.assert_array_equal(np.asarray(T.RandomRotation((37, 37))(Image.fromarray(picture(30, 30)))),
                                  np.asarray(Image.fromarray(picture(30, 30)).rotate(37)))  # fmt: skip


def test_sanitizing_drops_what_a_crop_left_nothing_of():
    target = {"boxes": np.array([[0.0, 0, 2, 2], [8, 3, 12, 9]]), "labels": minitorch.tensor([4, 5]), "id": 7}
    crop = T.Compose([T.CenterCrop((12, 8)), T.SanitizeBoxes()])
    _, moved = crop(picture(12, 17), target)
    assert moved["boxes"].tolist() == [[3.0, 3, 7, 9]] or len(moved["boxes"]) == 1
    assert moved["labels"].tolist() == [5] and moved["id"] == 7


def test_masks_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"masks of \(3, 3\) do not belong to an image of \(12, 17\)"):
        T.RandomHorizontalFlip(1)(picture(), {"masks": np.zeros((1, 3, 3), bool)})


def test_label_maps_keep_their_numbers():
    labels = np.random.default_rng(0).integers(0, 300, (12, 17))
    _, moved = T.Resize((24, 34))(picture(), {"mask": labels})
    np.testing.assert_array_equal(moved["mask"][::2, ::2], labels)
    assert moved["mask"].dtype == labels.dtype


def test_to_tensor_and_normalize():
    array = picture()
    x = T.ToTensor()(Image.fromarray(array))
    assert x.shape == (3, 12, 17) and x.dtype == np.float32
    np.testing.assert_allclose(x.numpy(), array.transpose(2, 0, 1) / 255, rtol=1e-6)
    assert T.ToTensor()(array[..., 0]).shape == (1, 12, 17)
    mean, std = [0.5, 0.4, 0.3], [0.2, 0.3, 0.4]
    expected = (x.numpy() - np.reshape(mean, (3, 1, 1))) / np.reshape(std, (3, 1, 1))
    np.testing.assert_allclose(T.Normalize(mean, std)(x).numpy(), expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(TypeError, match="put ToTensor"):
        T.Normalize(0.5, 0.5)(array)


def test_colours_change_as_their_definitions_say():
    array = picture(4, 4).astype("f") / 255
    np.testing.assert_allclose(T.ColorJitter(brightness=(0.5, 0.5))(array), array / 2, rtol=1e-5)
    gray = array @ np.float32([0.299, 0.587, 0.114])
    np.testing.assert_allclose(T.ColorJitter(saturation=(0, 0))(array), np.repeat(gray[..., None], 3, 2), rtol=1e-5)
    np.testing.assert_allclose(T.ColorJitter(contrast=(0, 0))(array), np.full_like(array, gray.mean()), rtol=1e-5)
    np.testing.assert_allclose(T.ColorJitter(hue=(0.5, 0.5))(np.float32([[[1, 0, 0]]])), [[[0, 1, 1]]], atol=1e-6)
    np.testing.assert_allclose(T.ColorJitter(hue=(1 / 3, 1 / 3))(np.float32([[[1, 0, 0]]])), [[[0, 1, 0]]], atol=1e-5)
    twice = T.ColorJitter(hue=(0.2, 0.2))(T.ColorJitter(hue=(-0.2, -0.2))(array))
    np.testing.assert_allclose(twice, array, atol=1e-5)
    with pytest.raises(ValueError, match="hue cannot be 0.7"):
        T.ColorJitter(hue=0.7)


def test_composing():
    steps = T.Compose([T.RandomApply([T.RandomHorizontalFlip(1)], p=1), np.asarray, T.ToTensor(), T.Lambda(lambda x: x * 2)])
    assert steps(picture()).shape == (3, 12, 17)
    assert "RandomHorizontalFlip(p=1)" in repr(T.Compose([T.RandomHorizontalFlip(1)]))
    assert T.RandomApply([T.RandomHorizontalFlip(1)], p=0)(image := picture()) is image


def test_what_is_no_image_is_said():
    with pytest.raises(TypeError, match="not a list"):
        T.RandomHorizontalFlip(1)([1, 2])
    with pytest.raises(TypeError, match=r"not of shape \(2, 2, 2, 2\)"):
        T.RandomHorizontalFlip(1)(np.zeros((2, 2, 2, 2)))
    palette = Image.fromarray(picture()).convert("P")
    assert T.ToTensor()(palette).shape == (3, 12, 17)


def test_without_pillow_one_sentence(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(ImportError, match="needs Pillow: pip install pillow"):
        T.Resize(4)(picture())
    assert T.RandomHorizontalFlip(1)(picture()).shape == (12, 17, 3)
