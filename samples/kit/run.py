"""One run of a sample: its folder `runs/NAME/<time>/`, what is written there, and what the terminal shows meanwhile.

    settings.json    the settings it ran with
    metrics.jsonl    one line per epoch: epoch, seconds, train_loss, train_accuracy, ...
    checkpoint.npz   all that `--resume` needs, as it was after the last finished epoch
    result.json      when it ended: seconds, CPU seconds, peak memory, whether it was finished
    *.npz, *.png, *.gif, ...   what the sample makes: a model, plots
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from samples.kit import checkpoint
from samples.kit.dead import DeadLayers
from samples.kit.errors import SampleError
from samples.kit.memory import peak_megabytes
from samples.kit.progress import Progress
from samples.kit.settings import Settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

    from minitorch import Tensor, nn
    from samples.kit.metrics import Grades


class Run:
    """The folder of one run, and the only way samples write to it.

    Every file is written aside and then put in place, so a run stopped at any moment leaves whole files.

    Args:
        name: the sample's name, which is the name of the folder above the run's own.
        settings: what the sample runs with.
        before: the folder of a run to go on with.
        trained: the folder of a run whose model is asked, not trained: `keep` gives back what it learnt. What is written goes
            to a folder below that one.
        quiet: print nothing (one of many runs of a sweep).

    Raises:
        SampleError: the folder cannot be made, or the run cannot be gone on with.
    """

    def __init__(
        self, name: str, settings: Settings, before: Path | None = None, trained: Path | None = None, quiet: bool = False
    ) -> None:
        self.name = name
        self.kept: dict[str, Any] = {}
        self.saved: list[str] = []
        self.lines: list[dict[str, Any]] = []
        self.progress = Progress(quiet)
        self.begun, self.cpu_begun = time.perf_counter(), time.process_time()
        self.resumed: dict[str, Any] = {}  # the checkpoint to go on from; empty where there is none
        if trained:
            self.resumed = checkpoint.read(trained)
            self.folder = new_folder(trained / "predictions")
            return
        self.folder = before or new_folder(Path(settings.runs) / name)
        if before:
            self.go_on()
        self.write("settings.json", json.dumps(dataclasses.asdict(settings), indent=2).encode() + b"\n")

    def go_on(self) -> None:
        """Read what the earlier run left. Lines of epochs that its checkpoint does not hold any more are dropped.

        Where no epoch was finished there is nothing to go on from, and it begins again.
        """
        if self.can_resume:
            self.resumed = checkpoint.read(self.folder)
            self.lines = [line for line in read_lines(self.folder) if line.get("epoch", 0) <= self.resumed["epoch"]]
        else:
            self.print("no epoch was finished, so it begins again")
        self.write("metrics.jsonl", "".join(as_json(line) for line in self.lines).encode())

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    @property
    def seconds(self) -> float:
        """Seconds this run has taken, those before it was resumed included."""
        return float(self.resumed.get("seconds", 0.0)) + time.perf_counter() - self.begun

    @property
    def cpu_seconds(self) -> float:
        """The same, of the processor: all its cores together, and no time in which it did something else."""
        return float(self.resumed.get("cpu_seconds", 0.0)) + time.process_time() - self.cpu_begun

    def end(self, finished: bool) -> None:
        """Write result.json."""
        from minitorch.backends import fast

        result = {"finished": finished, "seconds": round(self.seconds, 3), "cpu_seconds": round(self.cpu_seconds, 3),
                  "peak_memory_mb": round(peak_megabytes(), 1), "epochs": sum("epoch" in line for line in self.lines),
                  "kernels": "fast" if fast.is_enabled() else "NumPy"}
        self.write("result.json", json.dumps(result).encode() + b"\n")

    def print(self, text: str = "") -> None:
        """Print a line, above the progress bar when there is one."""
        self.progress.print(text)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
        """Print a table: drawn by Rich on a terminal, plain columns in a pipe."""
        self.progress.table(columns, rows, title)

    def describe(self, model: nn.Module, *inputs: Tensor, depth: int | None = None) -> None:
        """Print what a model is made of, as `samples.kit.summary.summary` finds it: run it once on `inputs`."""
        from samples.kit import summary

        if not self.progress.quiet:
            self.table(*summary.table(model, summary.summary(model, *inputs, depth=depth)))

    def keep(self, **things: Any) -> None:
        """Name everything that learning changes: the model, the optimizer, a scheduler (whatever has `state_dict`), or a
        list of Values or tensors. It is saved after every epoch, and a resumed run gets it back here, as it was.
        """
        for name, thing in things.items():
            if self.resumed:
                checkpoint.restore(thing, name, self.resumed, self.folder)
            self.kept[name] = thing

    def epochs(self, count: int, batches: int) -> Iterator[Epoch]:
        """The epochs of a training, numbered from 1 (or on from where a resumed run stopped), each with `batches` batches.

        The body of the loop calls `epoch.batch(...)` after every batch and may call `epoch.add(...)`; when it ends, a
        line goes to metrics.jsonl and to the terminal, and a checkpoint is saved. Layers of a kept model that gave
        nothing but zeros are reported.
        """
        first = 1
        if self.resumed:
            first = self.resumed["epoch"] + 1
            import minitorch

            minitorch.set_rng_state(self.resumed["random"])
            if first > count:
                self.print(f"its {count} epochs are done; go on with a larger --epochs")
        watched = DeadLayers({name: thing for name, thing in self.kept.items() if hasattr(thing, "named_modules")})
        for number in range(first, count + 1):
            epoch = Epoch(self.progress, number, count, batches)
            watched.start()
            yield epoch
            dead = watched.stop()
            metrics = epoch.metrics()
            self.log(**metrics, **({"dead_layers": ", ".join(dead)} if dead else {}))
            if number % max(1, count // 40) == 0 or number in (first, count):  # of many epochs, about forty lines
                self.progress.finish_epoch(number, count, metrics, epoch.batches_per_second)
            if dead:
                self.print(f"dead: every output of {', '.join(dead)} was 0 in this epoch")
            if self.kept:
                with said_if_it_fails(self.path(checkpoint.NAME)) as path:
                    checkpoint.write(path, number, self.seconds, self.cpu_seconds, self.kept)

    def log(self, **metrics: Any) -> None:
        """Append one line to metrics.jsonl; numbers that are not finite are written as null, which JSON can hold."""
        self.lines.append(metrics)
        with said_if_it_fails(self.path("metrics.jsonl")) as path, open(path, "a", encoding="utf-8") as file:
            file.write(as_json(metrics))

    def save(self, state: Any, name: str) -> None:
        """Save tensors and numbers (a state dict, a table) under a name that ends in .npz."""
        import minitorch

        with said_if_it_fails(self.path(name)) as path:
            minitorch.save(state, path)

    def save_figure(self, figure: Figure | Image, name: str) -> None:
        """Save a matplotlib figure, or an image, under this name."""
        from samples.kit import plots

        self.write(name, plots.png(figure))

    def save_gif(self, frames: Sequence[Image], name: str, seconds: float = 4.0) -> None:
        """Save pictures as an animation of about this length, which stays on its last picture for a second."""
        from samples.kit import plots

        self.write(name, plots.gif(frames, seconds))

    def write(self, name: str, content: bytes) -> None:
        """Write one file of the run."""
        from minitorch.core.files import write_whole

        with said_if_it_fails(self.path(name)) as path:
            write_whole(path, content)

    def path(self, name: str) -> Path:
        """Where a file of this run lies; it is listed when the run ends."""
        if name not in self.saved:
            self.saved.append(name)
        return self.folder / name

    def discard(self) -> None:
        """Take the folder away again if nothing came of the run."""
        if set(self.saved) <= {"settings.json"} and not (self.folder / checkpoint.NAME).exists():
            shutil.rmtree(self.folder)
            with contextlib.suppress(OSError):  # the folder of all runs, or all predictions, if this one was the only one
                self.folder.parent.rmdir()

    @property
    def can_resume(self) -> bool:
        """Whether there is a checkpoint."""
        return (self.folder / checkpoint.NAME).exists()

    def summary(self) -> str:
        """What was saved, and where, in one line."""
        return f"{self.folder}{os.sep} holds {', '.join(self.saved)}"


class Epoch:
    """What happens in one epoch: means over the examples seen so far, and the time they took."""

    def __init__(self, progress: Progress, number: int, of: int, batches: int) -> None:
        self.number, self.of, self.batches = number, of, batches
        self.progress = progress
        self.begun = self.latest = time.perf_counter()
        self.done = self.examples = self.correct = 0
        self.graded = False
        self.loss_sum = 0.0
        self.grades: Grades | None = None
        self.extra: dict[str, Any] = {}

    def batch(
        self, loss: float, *, correct: int | None = None, of: int = 1, scores: Any = None, labels: Any = None
    ) -> None:
        """Count one batch.

        Args:
            loss: mean loss over the batch.
            correct: how many of its examples were classified right; None where there are no classes.
            of: examples in the batch.
            scores, labels: instead of the two before: what a classifier gave, shape (n, classes), and the true classes, shape
                (n,). Precision, recall and F1 are then recorded as well.
        """
        self.done += 1
        if scores is not None:
            if self.grades is None:
                from samples.kit.metrics import Grades

                self.grades = Grades(scores.shape[1] if scores.ndim == 2 and scores.shape[1] > 1 else 2)
            before = int(self.grades.confusion.trace())
            self.grades.add(scores, labels, loss)
            correct, of = int(self.grades.confusion.trace()) - before, len(labels)
        self.examples += of
        self.loss_sum += loss * of
        if correct is not None:
            self.graded = True
            self.correct += correct
        self.latest = time.perf_counter()
        self.progress.show(self)

    def add(self, **metrics: Any) -> None:
        """Metrics that are known at the end of the epoch, such as test_accuracy."""
        self.extra.update(metrics)

    @property
    def loss(self) -> float:
        """Mean loss per example so far."""
        return self.loss_sum / max(self.examples, 1)

    @property
    def accuracy(self) -> float | None:
        """Share of examples classified right so far; None where there are no classes."""
        return self.correct / max(self.examples, 1) if self.graded else None

    @property
    def seconds(self) -> float:
        """Seconds from the start of the epoch to its latest batch: training, not the evaluation after it."""
        return self.latest - self.begun

    @property
    def batches_per_second(self) -> float:
        return self.done / self.seconds if self.seconds > 0 else 0.0

    def metrics(self) -> dict[str, Any]:
        """The epoch's line in metrics.jsonl."""
        line: dict[str, Any] = {"epoch": self.number, "seconds": round(self.seconds, 4), "train_loss": self.loss}
        if self.accuracy is not None:
            line["train_accuracy"] = self.accuracy
        if self.grades is not None:
            line |= self.grades.metrics("train")
        return line | self.extra


def new_folder(parent: Path) -> Path:
    """Make a folder named after the present time; two runs begun in the same second get two folders."""
    stamp = time.strftime("%Y-%m-%d-%H-%M-%S")
    for attempt in range(1, 1000):
        folder = parent / (stamp if attempt == 1 else f"{stamp}-{attempt}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise SampleError(f"cannot make the folder {folder} ({error.strerror}); "
                              "name another one for the runs with --runs") from None
        return folder
    raise SampleError(f"{parent} already holds too many runs begun in this second")


@contextlib.contextmanager
def said_if_it_fails(path: Path) -> Iterator[Path]:
    """Turn the system's error (a full disk, a folder taken away) into a sentence."""
    try:
        yield path
    except OSError as error:
        raise SampleError(f"cannot write {path} ({error.strerror})") from None


def as_json(line: Mapping[str, Any]) -> str:
    """One line of metrics.jsonl."""
    return json.dumps({key: None if isinstance(value, float) and not math.isfinite(value) else value
                       for key, value in line.items()}) + "\n"


def read_lines(folder: Path) -> list[dict[str, Any]]:
    """What a run wrote to its metrics.jsonl; nothing where there is none. A line that was being written when the run was
    killed has no end, and does not count.
    """
    path = folder / "metrics.jsonl"
    if not path.exists():
        return []
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines(True) if line.endswith("\n")]
    except (OSError, ValueError) as error:
        raise SampleError(f"cannot read {path}: {error}") from None
