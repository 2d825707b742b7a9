"""minitorch.cuda on the double of CuPy: PyTorch's names reach CuPy's, and batches are copied ahead in the right order."""

from __future__ import annotations

import sys
from collections import namedtuple

import numpy as np
import pytest

import minitorch
from minitorch import cuda, tensor
from minitorch.data import DataLoader, IterableDataset, PrefetchToDevice, TensorDataset
from tests.device import queues


@pytest.fixture
def gpu(monkeypatch):
    with queues.gpu(monkeypatch) as cupy:
        yield cupy


def test_what_there_is(gpu):
    assert cuda.is_available() and cuda.is_initialized() and cuda.device_count() == 1
    assert cuda.current_device() == 0 and cuda.get_device_name() == cuda.get_device_name("cuda:0") == "NVIDIA Double"
    assert cuda.get_device_capability(0) == (9, 0) and cuda.mem_get_info() == (3, 8)
    cuda.set_device("cuda:0")
    cuda.synchronize()
    with cuda.device(0):
        assert cuda.current_device() == 0


def test_memory_is_the_pools_and_its_peak_is_counted_from_when_it_is_asked_for(gpu):
    pool = gpu.get_default_memory_pool()
    pool.used, pool.total = 100, 500
    assert (cuda.memory_allocated(), cuda.memory_reserved("cuda")) == (100, 500)
    cuda._peak.cache_clear()
    assert cuda.max_memory_allocated() == 100
    (hook,) = queues.MemoryHook.active
    comes = {"device_id": 0, "size": 1, "mem_size": 512, "mem_ptr": 1, "pmem_id": 1}
    goes = {"device_id": 0, "mem_size": 512, "mem_ptr": 1, "pmem_id": 1}
    hook.malloc_postprocess(**comes)
    hook.malloc_postprocess(**comes)
    hook.free_postprocess(**goes)
    assert cuda.max_memory_allocated() == 100 + 2 * 512
    pool.used = 612
    cuda.reset_peak_memory_stats()
    hook.free_postprocess(**goes)
    assert cuda.max_memory_allocated(0) == 612 and queues.MemoryHook.active == [hook]
    cuda.empty_cache()
    assert queues.log[-2:] == [("free_all_blocks",)] * 2
    cuda._peak.cache_clear()


def test_events_and_streams(gpu):
    start, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
    start.record()
    side = cuda.Stream()
    with cuda.stream(side):
        assert cuda.current_stream() == side != cuda.Stream() and len({side, cuda.current_stream()}) == 1
        end.record()
    with cuda.stream(None):
        assert cuda.current_stream() == cuda.current_stream(0)
    assert start.query() and not end.query() and not side.query()
    end.synchronize()
    assert end.query() and side.query() and start.elapsed_time(end) == 1.0
    with pytest.raises(RuntimeError, match="enable_timing=True"):
        start.elapsed_time(cuda.Event())
    other = cuda.Stream()
    event = side.record_event()
    event.wait(other)
    other.wait_stream(side)
    other.synchronize()
    assert side.query() and ("wait", other.cupys.name, side.cupys.name) in queues.log


def test_one_seed_for_all_devices(gpu):
    cuda.manual_seed_all(3)
    first = minitorch.rand(2).tolist()
    minitorch.manual_seed(3)
    assert minitorch.rand(2).tolist() == first
    cuda.manual_seed(3)
    assert minitorch.rand(2).tolist() == first


def test_pinned_memory_is_known_by_its_owner(gpu):
    x = tensor(np.arange(6.0).reshape(2, 3))
    pinned = x.pin_memory()
    assert pinned.is_pinned() and not x.is_pinned() and pinned.tolist() == x.tolist() and pinned[1:].is_pinned()
    assert pinned.pin_memory() is pinned and tensor([1.0], pin_memory=True).is_pinned()


# Batches, copied ahead

Pair = namedtuple("Pair", "x y")


class Stream(IterableDataset):
    def __iter__(self):
        return iter([{"x": np.float32(k), "name": "n"} for k in range(3)])


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_pins_its_batches(gpu, workers):
    data = TensorDataset(tensor(np.arange(6.0).reshape(3, 2)), tensor([0, 1, 2]))
    batches = list(DataLoader(data, 2, num_workers=workers, pin_memory=True))
    assert [x.tolist() for x, _ in batches] == [[[0, 1], [2, 3]], [[4, 5]]] and all(t.is_pinned() for b in batches for t in b)
    (batch,) = DataLoader(Stream(), 3, num_workers=0, pin_memory=True)
    assert batch["x"].is_pinned() and batch["name"] == ["n"] * 3
    assert all(x["x"].is_pinned() for x in DataLoader(Stream(), None, collate_fn=lambda item: {"x": tensor(item["x"])}, pin_memory=True))


def test_without_a_gpu_pinning_changes_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    (batch,) = DataLoader(TensorDataset(tensor([1.0])), pin_memory=True)
    assert not batch[0].is_pinned() and batch[0].tolist() == [1.0]
    assert [x.tolist() for (x,) in PrefetchToDevice([[tensor([1.0])]], "cpu")] == [[1.0]]
    with pytest.raises(RuntimeError, match=r"there is no device 'cuda' here.*cuda12"):
        PrefetchToDevice([], "cuda")


def batches(count, pin=False):
    made = (tensor(np.full((2, 2), float(k), "f"), pin_memory=pin) for k in range(count))
    return [Pair(x, [{"z": x * 10}, "text"]) for x in made]


@pytest.mark.parametrize("pin", [False, True])
@pytest.mark.parametrize("ahead", [1, 2])
def test_batches_arrive_whole_and_in_order(gpu, ahead, pin):
    loader = PrefetchToDevice(iter(batches(5, pin)), "cuda", ahead)
    seen = []
    for batch in loader:
        assert type(batch) is Pair and batch.y[1] == "text" and batch.x.raw.__class__ is gpu.ndarray
        seen.append((batch.x.raw.get().tolist(), batch.y[0]["z"].raw.get().tolist()))
    assert seen == [([[k] * 2] * 2, [[10 * k] * 2] * 2) for k in map(float, range(5))]
    assert len(PrefetchToDevice(batches(3), "cuda")) == 3
    with pytest.raises(ValueError, match="at least 1 batch ahead, not 0"):
        PrefetchToDevice([], "cuda", 0)


def test_the_next_batch_is_asked_for_before_this_one_is_used_and_copied_after_it(gpu):
    seen = []
    for batch in PrefetchToDevice([[tensor([float(k)])] for k in range(3)], "cuda"):
        seen.append(batch)
        queues.log.append(("compute",))
    side = next(name for kind, name, *_ in queues.log if kind == "copy")
    begin = [("record", "main"), ("wait", side, "main"), ("copy", side), ("record", side)]
    finish, compute = [("wait", "main", side)], [("compute",)]
    assert queues.log == [*begin, *begin, *finish, *compute, *begin, *finish, *compute, *finish, *compute]


def test_a_loop_that_is_left_early_waits_for_its_copies(gpu):
    loop = iter(PrefetchToDevice(batches(4), "cuda", 2))
    next(loop)
    loop.close()
    assert [entry[0] for entry in queues.log].count("copy") == 2 * 3 and all(stream.done for stream in queues.streams)


def test_an_error_of_the_data_comes_out_of_the_loop(gpu):
    def broken():
        yield [tensor([1.0])]
        raise KeyError("picture 7")

    with pytest.raises(KeyError, match="picture 7"):
        list(PrefetchToDevice(broken(), "cuda"))


def test_what_is_on_the_gpu_already_stays(gpu):
    x = minitorch.Tensor(gpu.zeros(2))
    ((y, z),) = PrefetchToDevice([(x, 5)], "cuda")
    assert y is x and z == 5
