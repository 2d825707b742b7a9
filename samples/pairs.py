"""Which of two handwritten digits is larger? Five convolutional networks of a published study, compared.

A pair is two MNIST digits, averaged down to 14x14 pixels, never equal. 1,000 pairs to learn from, 1,000 to test, 25 epochs of
batches of 50, and then again with other pairs and other first weights, for as many rounds as one likes:

    1   two convolutional branches, one for each image
    2   one branch that reads both images
    3   model 1 with two auxiliary classifiers, which answer the same question from further down the network
    4   a deeper network in the manner of AlexNet, with three auxiliary classifiers
    5   the deeper network; its auxiliary classifiers name the two digits instead

The study concluded that auxiliary losses bring nothing. Ten rounds of ours agree for models 3 and 4, whose helpers only ask the
same question again: -0.2 ± 0.8 and +0.2 ± 0.8 points, round by round. They disagree for 5, whose helpers say which digits these
are: +4.1 ± 0.9 points, from 91.5 to 95.6 %. The weight of the auxiliary losses does not explain what the study found: model 5
gains at every weight tried from 0.1 to 30, most near 1, and model 4 stays where it is at all of them (docs/samples.md).

    minitorch run pairs --rounds 10                                            # the table beside the study's
    minitorch sweep pairs --model 5 --set auxiliary=0,0.1,0.3,1,3 --rounds 5   # what the weight of the auxiliary losses does
    minitorch run pairs --model 2                                              # one training, epoch by epoch
"""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

import minitorch
from minitorch import Tensor, nn, optim
from minitorch.utils.data import DataLoader, TensorDataset
from samples.kit import Run, Settings, option
from samples.kit.metrics import Grades
from samples.kit.mnist import MNIST


@dataclass
class Config(Settings):
    model: Literal["all", "1", "2", "3", "4", "5"] = option("all", "one of the five, or all of them in a table")
    rounds: int = option(3, "trainings of each, with --model all (the study: 30)", minimum=1, quick=1)
    auxiliary: float = option(1.0, "weight of the auxiliary losses, the main loss has 1", minimum=0)
    pairs: int = option(1000, "pairs to learn from, and as many to test", minimum=2, quick=300)
    epochs: int = option(25, "passes over the pairs", minimum=1, quick=6)
    batch_size: int = option(50, "pairs per batch", minimum=1)
    learning_rate: float = option(0.002, "Adam's step size in the first epoch", minimum=0)
    data: str | None = option(None, "folder with the MNIST files, or 'synthetic' for generated digits")


# What the table compares: model, whether its auxiliary losses count, and what the study reports (accuracy and deviation, %).
ROWS: list[tuple[str, bool, str]] = [
    ("1", False, "85.00 ± 1.54"), ("2", False, "86.00 ± 1.36"), ("3", True, "85.51 ± 1.27"),
    ("4", False, "87.70 ± 1.21"), ("4", True, "87.11 ± 1.07"), ("5", False, "87.36 ± 0.88"), ("5", True, "86.56 ± 1.32"),
]


# -- the five networks: each gives its main scores, then those of its auxiliary classifiers ------------------------------


def small_branch() -> nn.Sequential:
    """(n, 1, 14, 14) -> (n, 32, 2, 2)"""
    return nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2))


def classifier(n_in: int, hidden: int, classes: int = 2) -> nn.Sequential:
    """(n, ...) -> (n, classes)"""
    return nn.Sequential(nn.Flatten(), nn.Linear(n_in, hidden), nn.ReLU(), nn.Linear(hidden, classes))


def both(a: Tensor, b: Tensor) -> Tensor:
    """What is known of the two images, side by side along the channels."""
    return minitorch.cat([a, b], 1)


class Branches(nn.Module):
    """Models 1 and 2: what a small branch sees in each image, side by side, to a classifier."""

    def __init__(self, shared: bool) -> None:
        super().__init__()
        self.first = small_branch()
        self.second = self.first if shared else small_branch()
        self.compare = classifier(256, 64)

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
        return (self.compare(both(self.first(a), self.second(b))),)


class WithAuxiliary(nn.Module):
    """Model 3: model 1, and after each of the two pooling layers a classifier that already has to answer."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = small_branch(), small_branch()
        self.compare = classifier(256, 64)
        self.early = classifier(2 * 16 * 6 * 6, 32)
        self.late = nn.Sequential(nn.Flatten(), nn.Linear(256, 2))

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
        middle = both(self.first[:3](a), self.second[:3](b))
        end = both(self.first[3:](middle[:, :16]), self.second[3:](middle[:, 16:]))
        return self.compare(end), self.early(middle), self.late(end)


def deep_stages() -> nn.ModuleList:
    """AlexNet's order of layers, sized for 14x14: (n, 1, 14, 14) -> (n, 32, 7, 7) -> (n, 48, 7, 7) -> (n, 48, 3, 3)"""
    return nn.ModuleList([
        nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Sequential(nn.Conv2d(32, 48, 3, padding=1), nn.ReLU()),
        nn.Sequential(nn.Conv2d(48, 48, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
    ])


class Deep(nn.Module):
    """Model 4: one deeper branch for both images, an auxiliary classifier after each of its three stages."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = deep_stages()
        self.compare = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(2 * 432, 128), nn.ReLU(), nn.Linear(128, 2))
        self.helpers = nn.ModuleList([classifier(2 * n, 16) for n in (32 * 49, 48 * 49, 432)])

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
        answers = []
        for stage, helper in zip(self.stages, self.helpers):
            a, b = stage(a), stage(b)
            answers.append(helper(both(a, b)))
        return self.compare(both(a, b)), *answers


class DeepDigits(nn.Module):
    """Model 5: the same stages; each image is given ten scores, and the comparison sees nothing but the two tens.

    With auxiliary losses the ten are taught to be the digit's class; without, they may mean anything.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stages = deep_stages()
        self.read = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(432, 128), nn.ReLU(), nn.Linear(128, 10))
        self.compare = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
        for stage in self.stages:
            a, b = stage(a), stage(b)
        first, second = self.read(a), self.read(b)
        return self.compare(both(first, second)), first, second


def network(model: str) -> nn.Module:
    makers = {"1": lambda: Branches(shared=False), "2": lambda: Branches(shared=True), "3": WithAuxiliary, "4": Deep,
              "5": DeepDigits}
    made: nn.Module = makers[model]()
    return made


# -- training one of them ------------------------------------------------------------------------------------------------


class Training:
    """A network, its data and its optimizer, for one round."""

    def __init__(self, config: Config, model: str, auxiliary: float, seed: int, digits: Digits) -> None:
        minitorch.manual_seed(seed)
        self.train, self.test = (digits.pairs(part, config.pairs) for part in ("train", "test"))
        self.network, self.name, self.auxiliary = network(model).to(config.device), model, auxiliary
        self.optimizer = optim.Adam(self.network.parameters(), lr=config.learning_rate)
        self.scheduler = optim.lr_scheduler.CosineAnnealingLR(self.optimizer, config.epochs)
        self.loader = DataLoader(self.train, config.batch_size, shuffle=True)
        self.criterion = nn.CrossEntropyLoss()

    @property
    def parameters(self) -> int:
        """How many numbers decide the answer; auxiliary classifiers do not take part in it."""
        helpers = ("early.", "late.", "helpers.")
        return sum(p.numel() for path, p in self.network.named_parameters() if not path.startswith(helpers))

    def epoch(self, seen: Any) -> None:
        """One pass over the training pairs; `seen(loss, scores, answers)` is called after every batch."""
        self.network.train()
        for a, b, larger, digit_a, digit_b in self.loader:
            scores, *others = self.network(a, b)
            loss = self.criterion(scores, larger)
            if self.auxiliary and others:
                # Model 5's helpers name the digits; those of 3 and 4 answer the question itself.
                goals = (digit_a, digit_b) if self.name == "5" else (larger,) * len(others)
                helping = sum(self.criterion(other, goal) for other, goal in zip(others, goals))
                loss = loss + self.auxiliary * helping / len(others)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            seen(loss.item(), scores, larger)
        self.scheduler.step()

    def grade(self) -> Grades:
        """The main answer on the test pairs."""
        grades = Grades(2)
        self.network.eval()
        with minitorch.no_grad():
            for a, b, larger, *_ in DataLoader(self.test, batch_size=500):
                scores = self.network(a, b)[0]
                grades.add(scores, larger, self.criterion(scores, larger).item())
        return grades


def main(config: Config, run: Run) -> None:
    digits = Digits(config)
    if config.model == "all":
        return compare(config, digits, run)
    training = Training(config, config.model, config.auxiliary, config.seed, digits)
    run.describe(training.network, *(images[:1] for images in training.train.tensors[:2]))
    run.print(f"model {config.model}: {training.parameters:,} parameters decide, auxiliary losses weigh {config.auxiliary:g}")
    run.keep(network=training.network, optimizer=training.optimizer, scheduler=training.scheduler)
    for epoch in run.epochs(config.epochs, len(training.loader)):
        training.epoch(lambda loss, scores, larger, epoch=epoch: epoch.batch(loss, scores=scores, labels=larger))
        epoch.add(**training.grade().metrics("test"))
    run.save(training.network.state_dict(), "model.npz")
    if config.plots:
        from samples.kit import plots

        run.save_figure(plots.curves(run.lines), "curves.png")


def compare(config: Config, digits: Digits, run: Run) -> None:
    """The table: every row trained `rounds` times. One round of one row counts as an epoch, so Ctrl-C loses no more."""
    results = Results()
    run.keep(results=results)
    jobs = [(k, number) for number in range(config.rounds) for k in range(len(ROWS))]
    for epoch in run.epochs(len(jobs), config.epochs * -(-config.pairs // config.batch_size)):
        k, number = jobs[epoch.number - 1]
        model, helped, _ = ROWS[k]
        begun = time.perf_counter(), time.process_time()
        training = Training(config, model, config.auxiliary if helped else 0.0, config.seed + number, digits)
        for _ in range(config.epochs):
            training.epoch(lambda loss, scores, larger, epoch=epoch: epoch.batch(loss, of=len(larger)))
        accuracy = training.grade().accuracy
        epoch.add(row=k, test_accuracy=accuracy)
        spent = time.perf_counter() - begun[0], time.process_time() - begun[1]
        results.rows.append([k, accuracy, *spent, training.parameters])
    table(config, results, run)


class Results:
    """What each finished round gave: row, accuracy, seconds, CPU seconds, parameters."""

    def __init__(self) -> None:
        self.rows: list[list[float]] = []

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.rows = state["rows"]


def table(config: Config, results: Results, run: Run) -> None:
    """Ours beside the study's, printed, drawn and written down."""
    summary: list[dict[str, Any]] = []
    for k, (model, helped, study) in enumerate(ROWS):
        mine = [row for row in results.rows if row[0] == k]
        accuracy = [row[1] for row in mine]
        summary.append({
            "model": model, "auxiliary": config.auxiliary if helped else 0.0, **spread(accuracy), "study": study,
            "seconds": statistics.fmean(row[2] for row in mine), "cpu_seconds": statistics.fmean(row[3] for row in mine),
            "parameters": int(mine[0][4]), "rounds": accuracy,
        })
    run.table(("model", f"accuracy, {config.rounds} rounds (%)", "the study, 30 rounds", "seconds per round", "CPU seconds",
               "parameters"),
              [(row["model"] + (", auxiliary losses" if row["auxiliary"] else ""), f"{row['mean']:.2f} ± {row['sd']:.2f}",
                row["study"], f"{row['seconds']:.1f}", f"{row['cpu_seconds']:.1f}", f"{row['parameters']:,}")
               for row in summary])
    for line in gains(summary):
        run.print(line)
    run.write("table.json", json.dumps(summary, indent=1).encode())
    if config.plots:
        plot(summary, run)


def gains(summary: list[dict[str, Any]]) -> list[str]:
    """What the auxiliary losses change, in sentences.

    A round has the same pairs for every model, so with and without are compared round by round; model 3 is 1 with them.
    """
    said = []
    for with_it, without in ((2, 0), (4, 3), (6, 5)):
        gain = spread([a - b for a, b in zip(summary[with_it]["rounds"], summary[without]["rounds"])])
        model = summary[with_it]["model"]
        said.append(f"auxiliary losses change model {model} by {gain['mean']:+.2f} ± {gain['sd']:.2f} points")
    return said


def spread(shares: list[float]) -> dict[str, float]:
    """Mean and standard deviation over the rounds, in %."""
    percent = [100 * share for share in shares]
    return {"mean": statistics.fmean(percent), "sd": statistics.stdev(percent) if len(percent) > 1 else 0.0}


def plot(summary: list[dict[str, Any]], run: Run) -> None:
    from samples.kit import plots

    figure, axes = plots.figure(7.4, 3.6)
    places = np.arange(len(summary))
    for shift, colour, label, numbers in (
        (-0.12, plots.GREY, "the study", [tuple(map(float, row["study"].split(" ± "))) for row in summary]),
        (0.12, plots.BLUE, "here", [(row["mean"], row["sd"]) for row in summary]),
    ):
        axes.errorbar(places + shift, [m for m, _ in numbers], [s for _, s in numbers], fmt="o", color=colour, capsize=3,
                      label=label)
    axes.set_xticks(places, [row["model"] + (" + aux" if row["auxiliary"] else "") for row in summary])
    axes.set(title="test accuracy (%), mean and standard deviation over the rounds", xlabel="model")
    axes.legend()
    run.save_figure(figure, "table.png")


# -- the data ------------------------------------------------------------------------------------------------------------


class Digits:
    """MNIST at half its size, from which pairs are drawn."""

    def __init__(self, config: Config) -> None:
        self.device = config.device
        self.parts = {}
        for part in ("train", "test"):
            data = MNIST(config.data, part == "train", download=True, limit=3000 if config.quick else None)
            # The mean of every 2x2 pixels, as average pooling has it, then mean 0 and deviation 1.
            small = data.data.reshape(-1, 14, 2, 14, 2).mean((2, 4), dtype=np.float32) / 255
            self.parts[part] = ((small - 0.1307) / 0.28, data.targets)

    def pairs(self, part: str, count: int) -> TensorDataset:
        """Pairs of different digits: two images (n, 1, 14, 14), whether the second is larger, and the two digits."""
        images, labels = self.parts[part]
        found: list[np.ndarray] = []
        while sum(map(len, found)) < count:
            drawn = minitorch.randint(len(labels), (2 * count, 2)).numpy()
            found.append(drawn[labels[drawn[:, 0]] != labels[drawn[:, 1]]])
        first, second = np.concatenate(found)[:count].T
        columns = (images[first, None], images[second, None], (labels[first] < labels[second]).astype(np.int64),
                   labels[first], labels[second])
        return TensorDataset(*(minitorch.as_tensor(column, device=self.device) for column in columns))
