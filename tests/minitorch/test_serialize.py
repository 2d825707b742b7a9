"""save and load: what goes in comes out, in both formats; other files and damaged ones get one sentence."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import sys
import zipfile

import numpy as np
import pytest

import minitorch
from minitorch import nn, optim, serialize
from minitorch.ops.random import Generator

FORMATS = ["npz", "safetensors", "pth"]


@pytest.fixture(params=FORMATS)
def path(request, tmp_path):
    if request.param != "npz":
        pytest.importorskip("safetensors")
    return str(tmp_path / f"file.{request.param}")


def trained():
    minitorch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    optimizer = optim.Adam(model.parameters(), lr=0.1)
    scheduler = optim.lr_scheduler.StepLR(optimizer, 2)
    model(minitorch.ones(5, 3)).sum().backward()
    optimizer.step()
    scheduler.step()
    return model, optimizer, scheduler


def test_a_state_dict_comes_back_in_order(path):
    model, *_ = trained()
    serialize.save(model.state_dict(), path)
    back = serialize.load(path)
    assert list(back) == list(model.state_dict())
    for name, tensor in model.state_dict().items():
        assert isinstance(back[name], minitorch.Tensor) and back[name].dtype == tensor.dtype
        np.testing.assert_array_equal(back[name].numpy(), tensor.numpy())
    back["0.weight"][0] = 1.0  # its memory is its own


def test_training_goes_on_from_a_checkpoint(path):
    model, optimizer, scheduler = trained()
    serialize.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(),
                    "epoch": 3, "generator": minitorch.get_rng_state()}, path)  # fmt: skip
    model2, optimizer2, scheduler2 = trained()
    with minitorch.no_grad():
        for p in model2.parameters():
            p *= 0
    checkpoint = serialize.load(path)
    model2.load_state_dict(checkpoint["model"])
    optimizer2.load_state_dict(checkpoint["optimizer"])
    scheduler2.load_state_dict(checkpoint["scheduler"])
    expected = minitorch.rand(3).tolist()
    minitorch.set_rng_state(checkpoint["generator"])
    assert minitorch.rand(3).tolist() == expected and checkpoint["epoch"] == 3
    for m, o, s in ((model, optimizer, scheduler), (model2, optimizer2, scheduler2)):
        o.zero_grad()
        m(minitorch.ones(5, 3)).sum().backward()
        o.step(), s.step()
    assert scheduler.get_last_lr() == scheduler2.get_last_lr()
    for p, q in zip(model.parameters(), model2.parameters()):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())


def test_every_dtype_shape_and_python_object_survives(path):
    thing = {
        "dtypes": [minitorch.tensor(np.arange(6).reshape(2, 3).astype(d)) for d in "f2 f4 f8 i1 i2 i4 i8 u1 ?".split()],
        "scalar": minitorch.tensor(2.5), "empty": minitorch.zeros(0, 3), "transposed": minitorch.ones(2, 3).T,
        "array": np.arange(3), "value": minitorch.Value(1.5),
        "numbers": (1, -2.5, float("inf"), True, None, np.float64(3.0)), "text": "é \" \\ \n", 7: {"8": [], 9.5: {}},
        "a.b": minitorch.ones(1), "a": {"b": minitorch.zeros(1)}, "minitorch": minitorch.ones(2),
    }  # fmt: skip
    serialize.save(thing, path)
    back = serialize.load(path)
    assert list(back) == list(thing)
    for a, b in zip(thing["dtypes"], back["dtypes"]):
        assert a.dtype == b.dtype and a.shape == b.shape and a.tolist() == b.tolist()
    assert back["scalar"].shape == () and back["empty"].shape == (0, 3) and back["transposed"].shape == (3, 2)
    assert isinstance(back["array"], np.ndarray) and back["value"].data == 1.5
    assert back["numbers"] == thing["numbers"] and back["text"] == thing["text"] and back[7] == thing[7]
    assert back["a.b"].item() == 1 and back["a"]["b"].item() == 0 and back["minitorch"].shape == (2,)


def test_a_single_tensor(path):
    serialize.save(minitorch.ones(2), path)
    assert serialize.load(path).tolist() == [1.0, 1.0]


def test_open_files_are_accepted():
    pytest.importorskip("safetensors")
    buffer = io.BytesIO()
    serialize.save({"w": minitorch.ones(2)}, buffer)
    buffer.seek(0)
    assert serialize.load(buffer)["w"].tolist() == [1, 1]


def test_safetensors_are_pytorchs_too(tmp_path):
    torch = pytest.importorskip("torch")
    library = pytest.importorskip("safetensors.torch")
    theirs = torch.nn.Linear(3, 2)
    library.save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    ours = nn.Linear(3, 2)
    ours.load_state_dict(serialize.load(tmp_path / "theirs.safetensors"))
    np.testing.assert_array_equal(ours.weight.detach().numpy(), theirs.weight.detach().numpy())
    serialize.save(ours.state_dict(), tmp_path / "ours.safetensors")
    back = library.load_file(tmp_path / "ours.safetensors")
    assert torch.equal(back["bias"], theirs.bias.detach())
    library.save_file({"half": torch.tensor([1.5, -2.0], dtype=torch.bfloat16)}, tmp_path / "b.safetensors")
    assert serialize.load(tmp_path / "b.safetensors")["half"].tolist() == [1.5, -2.0]


def test_plain_npz_files_load(tmp_path):
    by_columns = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    np.savez_compressed(tmp_path / "plain.npz", w=by_columns, big=np.arange(2, dtype=">i4"))
    back = serialize.load(tmp_path / "plain.npz")
    assert back["w"].tolist() == [[0, 1, 2], [3, 4, 5]] and back["big"].tolist() == [0, 1]


def test_npz_files_are_numpys(tmp_path):
    serialize.save({"w": minitorch.ones(2)}, tmp_path / "ours.npz")
    with np.load(tmp_path / "ours.npz") as file:
        assert file["w"].tolist() == [1, 1]


# Refusals


@pytest.mark.parametrize("whole", [True, False])
def test_a_pickle_gets_the_line_that_converts_it(tmp_path, whole):
    torch = pytest.importorskip("torch")
    path = tmp_path / "model.pth"
    torch.save({"w": torch.ones(2)}, path, _use_new_zipfile_serialization=whole)
    with pytest.raises(ValueError, match="is a pickle, which can run any code") as error:
        serialize.load(path)
    line = str(error.value).splitlines()[1].strip()
    assert line.startswith('python -c "')
    pytest.importorskip("safetensors")
    assert os.system(line.replace("python", sys.executable, 1)) == 0
    assert serialize.load(tmp_path / "model.safetensors")["w"].tolist() == [1, 1]


def test_hostile_pickles_do_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    (tmp_path / "a.pth").write_bytes(pickle.dumps(Bomb(), protocol=4))
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        out = io.BytesIO()
        np.lib.format.write_array(out, np.array([Bomb()], object), allow_pickle=True)
        archive.writestr("w.npy", out.getvalue())
    for name in ("a.pth", "b.npz"):
        with pytest.raises(ValueError):
            serialize.load(tmp_path / name)
    assert not (tmp_path / "ran").exists()


def test_damaged_files_get_one_sentence(path):
    serialize.save({"model": trained()[0].state_dict(), "epoch": 1}, path)
    with open(path, "rb") as file:
        data = file.read()
    rng = np.random.default_rng(0)
    damaged = [data[: int(n)] for n in rng.integers(0, len(data), 20)]
    for _ in range(60):
        flipped = bytearray(data)
        flipped[rng.integers(len(data) if rng.random() < 0.3 else 300)] = rng.integers(256)
        damaged.append(bytes(flipped))
    refused = 0
    for content in damaged:
        with open(path, "wb") as file:
            file.write(content)
        try:
            serialize.load(path)  # a flipped number is still a number
        except ValueError as error:
            refused += 1
            assert os.path.basename(path) in str(error) and "\n" not in str(error)
    assert refused >= 20


@pytest.mark.parametrize(
    "structure",
    ["[" * 100_000, '{"t":"missing"}', '{"dict":[[[],1]]}', '{"odd":1}', '{"t":"w","a":"w"}', "{", '{"dtype":"nonsense"}'],
)
def test_hostile_structures_get_one_sentence(tmp_path, structure):
    path = tmp_path / "hostile.npz"
    np.savez(path, w=np.ones(1), minitorch=np.frombuffer(structure.encode(), np.uint8))
    with pytest.raises(ValueError, match="hostile.npz is damaged and cannot be loaded"):
        serialize.load(path)


def test_files_that_claim_too_much_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "claims.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w.npy", header.getvalue() + b"\0" * 16)
    with pytest.raises(ValueError, match="damaged"):
        serialize.load(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        with archive.open("w.npy", "w", force_zip64=True) as entry:
            entry.write(header.getvalue())
            entry.write(bytes(2**22))
    monkeypatch.setattr(serialize, "UNPACKED", 2**20)
    with pytest.raises(ValueError, match="claims to unpack"):
        serialize.load(path)
    pytest.importorskip("safetensors")
    claim = json.dumps({"w": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}}).encode()
    path.write_bytes(struct.pack("<Q", len(claim)) + claim + b"\0" * 16)
    with pytest.raises(ValueError, match="damaged"):
        serialize.load(path)


def test_other_files_are_named_for_what_they_are(tmp_path):
    for content, message in ((b"", "is empty"), (b"hello world", "neither a safetensors nor an .npz")):
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(ValueError, match=message):
            serialize.load(tmp_path / "x")
    with zipfile.ZipFile(tmp_path / "x", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ValueError, match="a zip file with 'readme.txt' in it"):
        serialize.load(tmp_path / "x")
    with pytest.raises(FileNotFoundError):
        serialize.load(tmp_path / "nowhere")


def test_what_cannot_be_saved_is_named_with_its_place(tmp_path):
    target = tmp_path / "x.npz"
    for thing, message in (
        ({"a": [1, object()]}, r"cannot save a object at 'a.1'"),
        (nn.ReLU(), r"save its .state_dict\(\)"),
        ({"a": {(1, 2): 3}}, r"the key \(1, 2\) at 'a'"),
        (np.array(["text"]), "of dtype"),
    ):
        with pytest.raises(TypeError, match=message):
            serialize.save(thing, target)
    assert not os.listdir(tmp_path)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "x.npz"
    serialize.save(minitorch.ones(1), target)

    def full(_):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        serialize.save(minitorch.zeros(1), target)
    assert os.listdir(tmp_path) == ["x.npz"] and serialize.load(target).item() == 1


def test_without_the_library_one_sentence_says_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match="pip install safetensors, or save to a path that ends in .npz"):
        serialize.save(minitorch.ones(1), tmp_path / "x.safetensors")
    (tmp_path / "x.safetensors").write_bytes(struct.pack("<Q", 2) + b"{}")
    with pytest.raises(ImportError, match="loading .*x.safetensors needs the safetensors library"):
        serialize.load(tmp_path / "x.safetensors")
    serialize.save(minitorch.ones(1), tmp_path / "x.npz")


def test_generators_state_goes_through_a_file(tmp_path):
    generator = Generator().manual_seed(3)
    serialize.save(generator.get_state(), tmp_path / "g.npz")
    expected = minitorch.rand(2, generator=generator).tolist()
    other = Generator().set_state(serialize.load(tmp_path / "g.npz"))
    assert minitorch.rand(2, generator=other).tolist() == expected
