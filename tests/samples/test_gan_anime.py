"""How like two sets of images are, and the two networks that learn from each other."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch
from samples import gan_anime
from samples.kit.landmarks import DrawnFaces
from samples.kit.likeness import Upright, features, frechet, nearest, train_upright
from samples.main import main

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("matplotlib")


def test_the_distance_of_two_clouds():
    rng = np.random.default_rng(0)
    cloud = rng.normal(size=(4000, 3)) * [1, 2, 3]
    assert frechet(cloud, cloud) == pytest.approx(0, abs=1e-6)
    assert frechet(cloud, cloud + [3, 4, 0]) == pytest.approx(25)
    # Twice as wide: the sum of (deviation - deviation)², 1 + 4 + 9.
    middle = cloud.mean(0)
    assert frechet(cloud, middle + 2 * (cloud - middle)) == pytest.approx(14, rel=0.05)
    assert frechet(cloud[::2], cloud[1::2]) < 0.1


def test_the_nearest_of_another_cloud_and_of_its_own():
    a, b = np.array([[0.0, 0], [10, 0]]), np.array([[0.0, 3], [9, 0], [50, 50]])
    distances, which = nearest(a, b)
    assert distances == pytest.approx([3, 1]) and which.tolist() == [0, 1]
    assert nearest(a, a)[0] == pytest.approx([10, 10])


def test_the_classifier_learns_which_way_up_a_face_is():
    minitorch.manual_seed(0)
    images = gan_anime.to_tensor(np.stack(DrawnFaces(200, 32).images), "cpu")
    eye = Upright(8)
    assert train_upright(eye, images, epochs=5, batch_size=20) > 0.5  # by chance a quarter
    assert features(eye, images).shape == (200, 48)


@pytest.mark.parametrize("size", [16, 64])
def test_the_two_networks_fit_each_other(size):
    config = gan_anime.Config(size=size, width=4)
    drawn = gan_anime.generator(config)(minitorch.randn(3, config.noise, 1, 1))
    assert drawn.shape == (3, 3, size, size) and abs(drawn.detach().numpy()).max() <= 1
    assert gan_anime.discriminator(config)(drawn).shape == (3,)


def test_a_step_of_one_network_leaves_the_other():
    minitorch.manual_seed(0)
    config = gan_anime.Config(size=16, width=4)
    nets = draw, judge = gan_anime.generator(config), gan_anime.discriminator(config)
    for still in (0, 1):
        optimizers = [minitorch.optim.SGD(net.parameters(), lr=0.0 if k == still else 0.1) for k, net in enumerate(nets)]
        before = [p.detach().clone().numpy() for p in nets[still].parameters()]
        moving = [p.detach().clone().numpy() for p in nets[1 - still].parameters()]
        gan_anime.play(minitorch.rand(4, 3, 16, 16), draw, judge, optimizers, config)
        assert all((a == p.detach().numpy()).all() for a, p in zip(before, nets[still].parameters()))
        assert any((a != p.detach().numpy()).any() for a, p in zip(moving, nets[1 - still].parameters()))


def test_the_way_between_two_samples_keeps_to_the_sphere():
    a, b = minitorch.zeros(8, 1, 1), minitorch.zeros(8, 1, 1)
    a[0], b[1] = 2.0, 2.0
    way = gan_anime.between(a, b, 5).numpy().reshape(5, 8)
    assert np.linalg.norm(way, axis=1) == pytest.approx([2] * 5, abs=1e-3)
    assert way[0] == pytest.approx(a.numpy().ravel(), abs=1e-6) and way[2, :2] == pytest.approx([2**0.5] * 2)


def test_what_the_discriminator_sees_is_changed_and_the_gradient_gets_through():
    minitorch.manual_seed(0)
    images = (2 * minitorch.rand(6, 3, 24, 24) - 1).requires_grad_()
    seen = gan_anime.changed(images)
    assert seen.shape == images.shape
    numbers = seen.detach().numpy()
    covered = (numbers == 0).all((0, 1))
    assert 0 < covered.sum() < covered.size / 2  # the square, and what was moved in from outside; the same for all
    brightness = numbers[..., ~covered].mean((1, 2)) - images.detach().numpy().mean((1, 2, 3))
    assert np.ptp(brightness) > 0.05  # each its own
    seen.sum().backward()
    assert (images.grad.numpy() != 0).any((1, 2, 3)).all()


@pytest.mark.parametrize("augment", [True, False])
def test_both_networks_learn_from_what_is_seen(augment):
    minitorch.manual_seed(0)
    config = gan_anime.Config(size=16, width=4, augment=augment)
    nets = gan_anime.generator(config), gan_anime.discriminator(config)
    before = [next(net.parameters()).detach().clone().numpy() for net in nets]
    optimizers = [minitorch.optim.SGD(net.parameters(), lr=0.1) for net in nets]
    assert all(np.isfinite(gan_anime.play(minitorch.rand(4, 3, 16, 16), *nets, optimizers, config)))
    assert all((next(net.parameters()).detach().numpy() != old).any() for net, old in zip(nets, before))


def test_images_there_and_back():
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype(np.uint8)
    assert (gan_anime.to_pixels(gan_anime.to_tensor(images, "cpu")).transpose(0, 2, 3, 1) == images).all()


def test_it_learns_and_draws_by_seed(run, tmp_path, capsys):
    folder, lines, out = run("gan-anime", plots=True)
    assert lines[-1]["distance"] < 0.6 * lines[0]["distance"]
    assert "two halves of the data are" in out and "from the nearest training image" in out
    assert {path.name for path in folder.glob("*.png")} == {"curves.png", "samples.png", "between.png"}
    with Image.open(folder / "samples.gif") as film:
        assert film.n_frames == len(lines)
    for seeds in (["3", "4"], ["4", "3"]):
        assert main(["run", "gan-anime", "--runs", str(tmp_path), "--predict", *seeds]) == 0
    first, second = (np.asarray(Image.open(path)) for path in sorted(folder.glob("predictions/*/faces.png")))
    left, right = np.s_[30:210, 12:196], np.s_[30:210, 212:396]
    assert (first[left] == second[right]).all() and (first[right] == second[left]).all() and (first[left] != first[right]).any()
    assert main(["run", "gan-anime", "--runs", str(tmp_path), "--predict", "x"]) == 1
    assert "takes seeds, whole numbers from 0 on, not 'x'" in capsys.readouterr().err


def test_sizes_and_batches_that_cannot_be(tmp_path, capsys):
    for options, says in ((["--size", "48"], "--size 48 is not 4 doubled some times"),
                          (["--images", "9"], "9 images are not one batch of 24")):
        assert main(["run", "gan-anime", "--quick", "--runs", str(tmp_path), *options]) == 1
        assert says in capsys.readouterr().err
