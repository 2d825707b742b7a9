"""The samples by name. Nothing here imports a sample: listing them costs nothing."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from types import ModuleType

DISTRIBUTION = "minitorch-stepper"
EXTRA = {"matplotlib": "matplotlib", "PIL": "pillow", "pooch": "pooch"}  # module -> the package that brings it


@dataclass(frozen=True)
class Sample:
    """One program.

    Attributes:
        name: what `minitorch run` calls it.
        summary: what it teaches, in one line.
        module: where it lives: a module with a `Settings` subclass named `Config` and `main(config, run)`.
        data: the data set it reads, or "-".
        time: how long it takes on 2 cores.
        cuda: whether it can compute on a GPU; single numbers cannot.
        needs: modules of the `samples` extra without which it cannot run.
    """

    name: str
    summary: str
    module: str
    data: str
    time: str
    needs: tuple[str, ...] = ("matplotlib", "PIL")
    cuda: bool = False

    def load(self) -> ModuleType:
        """Import the sample."""
        return importlib.import_module(self.module)

    def missing(self) -> list[str]:
        """The packages that have to be installed first."""
        return [EXTRA[module] for module in self.needs if importlib.util.find_spec(module) is None]


SAMPLES = {
    sample.name: sample
    for sample in (
        Sample("derivative", "the slope of a curve three ways: limit, formula, backward pass", "samples.derivative",
               "-", "1 s"),
        Sample("minimize", "gradient descent walks down 1-D and 2-D functions, step by step", "samples.minimize",
               "-", "5 s"),
        Sample("moons", "a network of single numbers learns to part two half-moons", "samples.moons",
               "generated", "20 s"),
        Sample("mnist-mlp", "a network of tensors learns to read handwritten digits", "samples.mnist_mlp",
               "MNIST", "20 s", ("matplotlib", "PIL", "pooch"), cuda=True),
    )
}
