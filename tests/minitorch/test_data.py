"""Data sets, samplers and the loader: what a pass gives, in what order, and where errors come out."""

from __future__ import annotations

import collections
import importlib
import threading
import time

import numpy as np
import pytest

import minitorch
from minitorch.utils.data import (
    BatchSampler,
    ChainDataset,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    StackDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    get_worker_info,
    random_split,
)


class Squares(Dataset):
    def __init__(self, n=10):
        self.n = n

    def __getitem__(self, i):
        if not 0 <= i < self.n:
            raise IndexError(i)
        return np.float32(i * i), i

    def __len__(self):
        return self.n


class Stream(IterableDataset):
    """0 to 9; each worker its share."""

    def __iter__(self):
        info = get_worker_info()
        yield from range(info.id if info else 0, 10, info.num_workers if info else 1)


def pair(n=10):
    x = minitorch.arange(n * 2).reshape(n, 2).float()
    return TensorDataset(x, minitorch.arange(n))


def indices(loader):
    return [y.tolist() for _, y in loader]


# Data sets


def test_tensor_dataset():
    data = pair()
    x, y = data[3]
    assert x.tolist() == [6, 7] and y.item() == 3 and len(data) == 10
    with pytest.raises(ValueError, match="equal length, not 2, 3"):
        TensorDataset(minitorch.ones(2), minitorch.ones(3))


def test_data_sets_of_data_sets():
    both = Squares(3) + Squares(4)
    assert isinstance(both, ConcatDataset) and len(both) == 7 and both[3][1] == 0 and both[-1][1] == 3
    with pytest.raises(IndexError, match="no item 7 among 7"):
        both[7]
    assert Subset(Squares(), [7, 2])[1][1] == 2
    assert list(ChainDataset([Stream(), [1, 2]])) == [*range(10), 1, 2]
    assert StackDataset(a=Squares(2), b=[5, 6])[1] == {"a": (1.0, 1), "b": 6}
    with pytest.raises(TypeError, match="ChainDataset"):
        ConcatDataset([Stream()])


def test_random_split():
    minitorch.manual_seed(0)
    parts = random_split(Squares(), [7, 3])
    assert sorted(i for p in parts for _, i in p) == list(range(10)) and [len(p) for p in parts] == [7, 3]
    assert [len(p) for p in random_split(Squares(11), [0.5, 0.3, 0.2])] == [6, 3, 2]
    one, two = (random_split(Squares(), [5, 5], minitorch.Generator().manual_seed(4))[0].indices for _ in "ab")
    assert one == two
    with pytest.raises(ValueError, match="add up to 9, and the data set has 10"):
        random_split(Squares(), [5, 4])


# Samplers


def test_samplers():
    minitorch.manual_seed(0)
    assert list(SequentialSampler(Squares(3))) == [0, 1, 2]
    order = list(RandomSampler(Squares()))
    assert sorted(order) == list(range(10)) and order != list(range(10))
    assert len(list(RandomSampler(Squares(3), num_samples=8))) == 8 == len(RandomSampler(Squares(3), num_samples=8))
    drawn = list(RandomSampler(Squares(), replacement=True, num_samples=1000))
    assert set(drawn) == set(range(10))
    assert sorted(SubsetRandomSampler([4, 5, 9])) == [4, 5, 9]
    weighted = collections.Counter(WeightedRandomSampler([0, 1, 3], 4000))
    assert weighted[0] == 0 and weighted[2] / weighted[1] == pytest.approx(3, rel=0.2)
    assert sorted(WeightedRandomSampler([1, 1, 1], 3, replacement=False)) == [0, 1, 2]
    assert list(BatchSampler(range(5), 2, False)) == [[0, 1], [2, 3], [4]]
    assert list(BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]]
    assert len(BatchSampler(range(5), 2, False)) == 3 and len(BatchSampler(range(5), 2, True)) == 2


# Loader


@pytest.mark.parametrize("workers", [0, 3])
@pytest.mark.parametrize(
    "data", [pair(), Squares(), Subset(pair(20), range(10)), Subset(Subset(pair(20), range(15)), range(10))]
)
def test_batches_in_order(data, workers):
    loader = DataLoader(data, batch_size=4, num_workers=workers)
    assert indices(loader) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]] and len(loader) == 3
    x, y = next(iter(loader))
    assert isinstance(x, minitorch.Tensor) and x.dtype == np.float32 and y.dtype == np.int64
    assert indices(DataLoader(data, batch_size=4, drop_last=True, num_workers=workers)) == [[0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize("workers", [0, 2])
def test_shuffling_is_new_in_every_pass_and_repeats_with_the_seed(workers):
    def passes():
        minitorch.manual_seed(3)
        loader = DataLoader(pair(50), batch_size=10, shuffle=True, num_workers=workers)
        return [sum(indices(loader), []) for _ in range(2)]

    first, again = passes(), passes()
    assert first == again and first[0] != first[1] and sorted(first[0]) == list(range(50))
    generator = minitorch.Generator().manual_seed(0)
    own = sum(indices(DataLoader(pair(50), batch_size=10, shuffle=True, generator=generator)), [])
    assert own != first[0] and sorted(own) == list(range(50))


def test_whole_batches_are_cut_at_once():
    class Counting(TensorDataset):
        calls = 0

        def batch(self, which):
            Counting.calls += 1
            return super().batch(which)

        def one(self):
            raise AssertionError

    for _ in DataLoader(Counting(minitorch.ones(10)), batch_size=5):
        pass
    assert Counting.calls == 2


def test_a_subclass_with_items_of_its_own_is_asked_for_them():
    class Doubled(TensorDataset):
        def __getitem__(self, i):
            return tuple(2 * x for x in super().__getitem__(i))

    (batch,) = DataLoader(Doubled(minitorch.ones(2)), batch_size=2)
    assert batch[0].tolist() == [2, 2]


def test_a_data_set_may_give_whole_batches():
    class Whole(Squares):
        def __getitems__(self, which):
            return [(np.float32(-1), i) for i in which]

    assert [x.tolist() for x, _ in DataLoader(Whole(4), batch_size=2)] == [[-1, -1], [-1, -1]]


def test_without_batches_items_come_alone():
    items = list(DataLoader(Squares(3), batch_size=None))
    assert [i for _, i in items] == [0, 1, 2]
    assert isinstance(next(iter(DataLoader([np.ones(2)], batch_size=None))), minitorch.Tensor)


def test_samplers_and_collate_functions_of_ones_own():
    assert indices(DataLoader(pair(), batch_sampler=[[1, 2], [9]])) == [[1, 2], [9]]
    assert indices(DataLoader(pair(), batch_size=2, sampler=[5, 6, 7])) == [[5, 6], [7]]
    assert list(DataLoader(Squares(3), batch_size=3, collate_fn=lambda items: [i for _, i in items])) == [[0, 1, 2]]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_streams(workers):
    loader = DataLoader(Stream(), batch_size=2, num_workers=workers)
    assert sorted(sum((b.tolist() for b in loader), [])) == list(range(10))
    assert len(list(DataLoader(Stream(), batch_size=4, drop_last=True))) == 2
    with pytest.raises(ValueError, match="comes in its own order"):
        DataLoader(Stream(), shuffle=True)


def test_random_numbers_of_workers_do_not_depend_on_who_is_fast():
    class Noisy(Squares):
        def __getitem__(self, i):
            time.sleep(0.002 * (i % 3))
            return minitorch.rand(1).item()

    def draw():
        minitorch.manual_seed(5)
        return [b.tolist() for b in DataLoader(Noisy(12), batch_size=2, num_workers=3)]

    assert draw() == draw()


def test_workers_fetch_ahead():
    started = []

    class Slow(Squares):
        def __getitem__(self, i):
            started.append(i)
            return i

    batches = iter(DataLoader(Slow(100), batch_size=1, num_workers=2, prefetch_factor=3))
    next(batches)
    deadline = time.time() + 5
    while len(started) < 7 and time.time() < deadline:
        time.sleep(0.01)
    assert len(started) == 7  # the one in use and six ahead, not all of them


@pytest.mark.parametrize("workers", [0, 2])
def test_errors_of_the_data_set_come_out_as_they_are(workers):
    class Broken(Squares):
        def __getitem__(self, i):
            if i == 5:
                raise KeyError("no picture 5")
            return super().__getitem__(i)

    seen = []
    with pytest.raises(KeyError, match="no picture 5"):
        for _, y in DataLoader(Broken(), batch_size=2, num_workers=workers):
            seen.append(y.tolist())
    assert seen == [[0, 1], [2, 3]]


def test_leaving_a_loop_early_ends_the_threads():
    def workers():
        return [t for t in threading.enumerate() if t.name.startswith("DataLoader")]

    for _ in DataLoader(Squares(1000), batch_size=1, num_workers=4):
        break
    deadline = time.time() + 5
    while workers() and time.time() < deadline:
        time.sleep(0.01)
    assert not workers()


def test_workers_are_introduced_and_initialized():
    seen = []
    data = Squares(4)
    loader = DataLoader(data, num_workers=2, worker_init_fn=lambda i: seen.append((i, get_worker_info())))
    list(loader)
    assert sorted(i for i, _ in seen) == [0, 1] and all(w.num_workers == 2 and w.dataset is data for _, w in seen)
    assert get_worker_info() is None

    def fail(i):
        raise RuntimeError("no disk")

    with pytest.raises(RuntimeError, match="no disk"):
        list(DataLoader(data, num_workers=1, worker_init_fn=fail))


def test_a_batch_that_does_not_come_is_said():
    class Stuck(Squares):
        def __getitem__(self, i):
            time.sleep(0.5)

    with pytest.raises(RuntimeError, match="timeout of 0.05 seconds"):
        next(iter(DataLoader(Stuck(), num_workers=1, timeout=0.05)))


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"batch_size": 0}, "positive whole number, not 0"),
        ({"shuffle": True, "sampler": [1]}, "leave out shuffle"),
        ({"batch_sampler": [[1]], "batch_size": 2}, "leave out batch_size"),
        ({"batch_size": None, "drop_last": True}, "drop_last is about batches"),
        ({"num_workers": -1}, "num_workers"),
        ({"prefetch_factor": 2}, "needs num_workers above 0"),
    ],
)
def test_settings_that_contradict_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        DataLoader(Squares(), **settings)


# Collating


def test_collating_keeps_structure():
    Point = collections.namedtuple("Point", "x y")
    batch = default_collate([{"p": Point(1, 2.0), "t": "a", "l": [np.ones(2, "f4"), True]} for _ in range(3)])
    assert batch["p"].x.tolist() == [1, 1, 1] and batch["p"].y.dtype == np.float64 and batch["t"] == ["a"] * 3
    assert batch["l"][0].shape == (3, 2) and batch["l"][0].dtype == np.float32 and batch["l"][1].dtype == np.bool_


def test_items_that_make_no_batch_are_refused():
    with pytest.raises(ValueError, match=r"different shapes do not make a batch: \(2,\), \(3,\)"):
        default_collate([minitorch.ones(2), minitorch.ones(3)])
    with pytest.raises(ValueError, match="other numbers of parts"):
        default_collate([(1, 2), (1,)])
    with pytest.raises(TypeError, match="items of type object"):
        default_collate([object()])


def test_pytorchs_names_of_the_modules_lead_to_the_same_ones():
    for name, ours in (("dataset", "dataset"), ("dataloader", "loader"), ("sampler", "sampler"), ("transforms", "transforms")):
        theirs = importlib.import_module(f"minitorch.utils.data.{name}")
        assert theirs is importlib.import_module(f"minitorch.data.{ours}") is getattr(minitorch.utils.data, name)
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'minitorch\.utils\.data\.nothing'"):
        importlib.import_module("minitorch.utils.data.nothing")
