"""One run of a sample: its folder `runs/NAME/<time>/`, what is written there, and what the terminal shows meanwhile.

    settings.json    the settings it ran with
    metrics.jsonl    one line per epoch: epoch, seconds, train_loss, train_accuracy, ...
    checkpoint.npz   the parameters after the last finished epoch
    *.png, *.gif     plots
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import math
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from samples.kit.errors import SampleError
from samples.kit.progress import Progress
from samples.kit.settings import Settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image


class Run:
    """The folder of one run, and the only way samples write to it.

    Every file is written aside and then put in place, so a run stopped at any moment leaves whole files.

    Args:
        name: the sample's name, which is the name of the folder above the run's own.
        settings: what the sample runs with.

    Raises:
        SampleError: the folder cannot be made.
    """

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.folder = new_folder(Path(settings.runs) / name)
        self.saved: list[str] = []
        self.lines: list[dict[str, Any]] = []
        self.progress = Progress()
        self.write("settings.json", json.dumps(dataclasses.asdict(settings), indent=2).encode() + b"\n")

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def print(self, text: str = "") -> None:
        """Print a line, above the progress bar when there is one."""
        self.progress.print(text)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
        """Print a table: drawn by Rich on a terminal, plain columns in a pipe."""
        self.progress.table(columns, rows, title)

    def epochs(self, count: int, batches: int) -> Iterator[Epoch]:
        """The epochs of a training, numbered from 1, each with `batches` batches.

        The body of the loop calls `epoch.batch(...)` after every batch and may call `epoch.add(...)`; when it ends, a
        line goes to metrics.jsonl and to the terminal.
        """
        for number in range(1, count + 1):
            epoch = Epoch(self.progress, number, count, batches)
            yield epoch
            metrics = epoch.metrics()
            self.log(**metrics)
            self.progress.finish_epoch(number, count, metrics, epoch.batches_per_second)

    def log(self, **metrics: float | str) -> None:
        """Append one line to metrics.jsonl; numbers that are not finite are written as null, which JSON can hold."""
        self.lines.append(metrics)
        finite = {
            key: value if isinstance(value, str) or math.isfinite(value) else None for key, value in metrics.items()
        }
        with said_if_it_fails(self.path("metrics.jsonl")) as path, open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(finite) + "\n")

    def checkpoint(self, state: Mapping[str, Any]) -> None:
        """Save arrays by name (a state dict, say) as checkpoint.npz, replacing the one of the epoch before."""
        import numpy as np

        content = io.BytesIO()
        np.savez(content, allow_pickle=False, **{name: as_array(value) for name, value in state.items()})
        self.write("checkpoint.npz", content.getvalue())

    def save_figure(self, figure: Figure, name: str) -> None:
        """Save a matplotlib figure under this name and close it."""
        from samples.kit import plots

        self.write(name, plots.png(figure))

    def save_gif(self, frames: Sequence[Image], name: str, seconds: float = 4.0) -> None:
        """Save pictures as an animation of about this length, which stays on its last picture for a second."""
        from samples.kit import plots

        self.write(name, plots.gif(frames, seconds))

    def write(self, name: str, content: bytes) -> None:
        """Write one file of the run."""
        with said_if_it_fails(self.path(name)) as path:
            aside = path.with_name(path.name + ".new")
            aside.write_bytes(content)
            os.replace(aside, path)

    def path(self, name: str) -> Path:
        """Where a file of this run lies; it is listed when the run ends."""
        if name not in self.saved:
            self.saved.append(name)
        return self.folder / name

    def discard(self) -> None:
        """Take the folder away again if nothing came of the run."""
        if self.saved == ["settings.json"]:
            shutil.rmtree(self.folder)

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
        self.extra: dict[str, float] = {}

    def batch(self, loss: float, *, correct: int | None = None, of: int = 1) -> None:
        """Count one batch.

        Args:
            loss: mean loss over the batch.
            correct: how many of its examples were classified right; None where there are no classes.
            of: examples in the batch.
        """
        self.done += 1
        self.examples += of
        self.loss_sum += loss * of
        if correct is not None:
            self.graded = True
            self.correct += correct
        self.latest = time.perf_counter()
        self.progress.show(self)

    def add(self, **metrics: float) -> None:
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

    def metrics(self) -> dict[str, float]:
        """The epoch's line in metrics.jsonl."""
        line: dict[str, float] = {"epoch": self.number, "seconds": round(self.seconds, 4), "train_loss": self.loss}
        if self.accuracy is not None:
            line["train_accuracy"] = self.accuracy
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


def as_array(value: Any) -> Any:
    """A Tensor, a Value or anything NumPy understands, as an array."""
    import numpy as np

    from minitorch import Tensor, Value

    if isinstance(value, Tensor):
        return value.detach().numpy()
    return np.asarray(value.item() if isinstance(value, Value) else value)
