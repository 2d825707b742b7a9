"""Devices by PyTorch's names, and what is said where there is no GPU."""

from __future__ import annotations

import pytest

import minitorch
from minitorch import cuda, device, nn, tensor

without_gpu = pytest.mark.skipif(cuda.is_available(), reason="there is a GPU")


def test_a_device_is_a_string_with_parts():
    assert device("cuda:1") == "cuda:1" == device("cuda", 1) == device(1)
    assert (device("cuda:1").type, device("cuda:1").index, device("cpu").index) == ("cuda", 1, None)
    assert repr(device("cuda:1")) == "device(type='cuda', index=1)"
    with pytest.raises(RuntimeError, match="there is no device 'tpu'"):
        device("tpu")


def test_the_usual_line_of_every_script_works():
    place = minitorch.device("cuda" if minitorch.cuda.is_available() else "cpu")
    x = tensor([1.0]).to(place)
    assert x.device == place and x.device.type == place.type
    assert tensor([1]).to(x).dtype == minitorch.float32 and tensor([1.0]).to(place, minitorch.float64).dtype == "float64"
    assert x.to("cpu") is x


@without_gpu
@pytest.mark.parametrize(
    "move", [lambda: tensor([1.0]).to("cuda"), lambda: minitorch.zeros(2, device="cuda:0"), lambda: nn.Linear(2, 2).cuda()]
)
def test_without_a_gpu_the_way_out_is_named(move):
    with pytest.raises(RuntimeError, match=r"needs an NVIDIA GPU and CuPy \(pip install 'minitorch-stepper\[cuda12\]'"):
        move()
