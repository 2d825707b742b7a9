"""The samples by name. Nothing here imports a sample: listing them costs nothing."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType

DISTRIBUTION = "minitorch-stepper"
EXTRA = {"matplotlib": "matplotlib", "PIL": "pillow", "pooch": "pooch"}  # module -> the package that brings it


@dataclass(frozen=True)
class Sample:
    """One program.

    Attributes:
        name: what `minitorch run` calls it.
        summary: what it teaches, in one line.
        module: where it lives: a module with a `Settings` subclass named `Config` and `main(config, run)`; and, for
            `--predict`, `predict(config, run, files)`, where `run.keep(model=model)` gives the model what was learnt.
        data: the data set it reads, or "-".
        time: how long it takes on 2 cores.
        goals: what the metrics of its last epoch should reach, in a full run.
        limits: what they should not exceed.
        shows: metrics without a goal that say how a run went, where the first one of the last epoch does not.
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
    goals: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    shows: tuple[str, ...] = ()

    def load(self) -> ModuleType:
        """Import the sample."""
        return importlib.import_module(self.module)

    def missing(self) -> list[str]:
        """The packages that have to be installed first."""
        return [EXTRA[module] for module in self.needs if importlib.util.find_spec(module) is None]


LIBRARIES = ("matplotlib", "PIL")
READERS = (*LIBRARIES, "pooch")

SAMPLES = {
    sample.name: sample
    for sample in (
        Sample("derivative", "the slope of a curve three ways: limit, formula, backward pass", "samples.derivative",
               "-", "2 s", limits={"error": 1e-15, "difference": 1e-8}),
        Sample("execution-graph", "a composite function, its graph, and its backward pass as a lesson page",
               "samples.execution_graph", "-", "1 s"),
        Sample("minimize", "gradient descent walks down 1-D and 2-D functions; three ways to step, raced", "samples.minimize",
               "-", "7 s"),
        Sample("optimizers", "SGD to AdamW race on one landscape", "samples.optimizers", "-", "3 s",
               limits={"Adam_loss": 1e-4}),
        Sample("ndarray", "how an array lies in memory: shape, strides, offset, views", "samples.ndarray", "-", "3 s",
               goals={"agreed": 300}),
        Sample("custom-op", "an operation of one's own: drawn, stepped and gradient-checked", "samples.custom_op", "-", "2 s",
               limits={"largest_error": 0.1}),
        Sample("logistic", "logistic regression: a line learns to part two clouds", "samples.logistic", "generated", "3 s",
               goals={"test_accuracy": 0.85}),
        Sample("xor", "four points that no line can part, and the hidden layer that parts them", "samples.xor", "-", "3 s",
               goals={"train_accuracy": 1}),
        Sample("moons", "a network of single numbers learns to part two half-moons", "samples.moons",
               "generated", "18 s", goals={"test_accuracy": 0.95}),
        Sample("nn-regression", "a network bends itself to a surface", "samples.nn_regression", "generated", "4 s", cuda=True,
               goals={"test_r2": 0.99}),
        Sample("disc", "is a point inside the disc? a published experiment, run again", "samples.disc",
               "generated", "8 s", cuda=True, goals={"train_accuracy": 0.98, "test_accuracy": 0.97}),
        Sample("mlp-batches", "ten classes in the plane, and what the batch size does", "samples.mlp_batches",
               "generated", "5 s", cuda=True, goals={"val_accuracy": 0.85}),
        Sample("vanishing", "gradients that vanish on their way through a deep network, and what keeps them alive",
               "samples.vanishing", "generated", "5 s",
               limits={"sigmoid_accuracy": 0.6}, goals={"sigmoid_batch_norm_accuracy": 0.95}),
        Sample("mnist-mlp", "a network of tensors learns to read handwritten digits", "samples.mnist_mlp",
               "MNIST", "20 s", READERS, cuda=True, goals={"train_accuracy": 0.991, "test_accuracy": 0.975}),
        Sample("fashion-mnist", "the same classifier twice: bare tensors, then Module and DataLoader", "samples.fashion_mnist",
               "FashionMNIST", "30 s", READERS, goals={"bare_accuracy": 0.88, "test_accuracy": 0.88}),
        Sample("pairs", "which of two digits is larger? five networks of a published study, compared", "samples.pairs",
               "MNIST", "6 min", READERS, cuda=True),
        Sample("autoencoder", "pictures through two numbers: upsampling against transposed convolution", "samples.autoencoder",
               "FashionMNIST", "5 min", READERS, cuda=True, limits={"transposed_error": 0.035, "upsampling_error": 0.035}),
        Sample("char-rnn", "a recurrent network learns to write: plain, LSTM or GRU", "samples.char_rnn",
               "plays of Shakespeare", "15 min", READERS, cuda=True, limits={"val_loss": 1.60}),
        Sample("gpt", "a small language model: attention, block by block, learns to write", "samples.gpt",
               "plays of Shakespeare", "15 min", READERS, cuda=True, limits={"val_loss": 1.60}),
        Sample("cifar-resnet", "a residual network tells ten kinds of photographs apart", "samples.cifar_resnet",
               "CIFAR-10", "15 min", READERS, cuda=True, goals={"test_accuracy": 0.75}),
        Sample("yolov1-cifar", "the network of the first YOLO as a classifier, and what the batch size does to it",
               "samples.yolov1_cifar", "CIFAR-10", "10 min", READERS, cuda=True),
        Sample("landmarks", "a residual network finds 68 points on a face", "samples.landmarks", "frames of YouTube Faces",
               "15 min", cuda=True, limits={"test_error": 0.08}),
        Sample("unet-cars", "a U-Net cuts cars out of photographs", "samples.unet_cars", "photographs with masks", "15 min",
               cuda=True, goals={"test_iou": 0.90}),
        Sample("yolo-face", "finds faces: object detection from scratch, with grid, anchors and average precision",
               "samples.yolo_face", "photographs in VOC's format", "20 min", cuda=True, goals={"val_ap": 0.60}),
        Sample("gan-anime", "a DCGAN draws faces, and what shows whether it collapses or copies", "samples.gan_anime",
               "anime faces", "20 min", cuda=True, shows=("distance",)),
    )
}
