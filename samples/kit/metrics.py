"""How well classes are told apart: loss, accuracy, and precision, recall and F1 as means over the classes ("macro").

Everything but the loss comes from one table, the confusion matrix: how many examples of class i were given class j.

    precision of a class    of the examples given this class, the share that has it
    recall of a class       of the examples that have this class, the share given it
    F1 of a class           2 * precision * recall / (precision + recall)

A class that nothing was given has precision 0; one that no example has does not enter the means.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import minitorch
from minitorch import Tensor, nn
from minitorch.utils.data import DataLoader


class Grades:
    """The answers counted so far.

    Attributes:
        confusion: int64, shape (classes, classes); row: the true class, column: the answer.
        examples: how many there were.
    """

    def __init__(self, classes: int) -> None:
        self.confusion: NDArray[np.int64] = np.zeros((classes, classes), np.int64)
        self.loss_sum = 0.0

    def add(self, scores: Tensor, labels: Tensor, loss: float) -> None:
        """Count one batch.

        Args:
            scores: shape (n, classes), the highest is the answer; or shape (n,) or (n, 1) where there are two classes, above
                0 the answer is class 1.
            labels: the true classes, shape (n,).
            loss: mean loss over the batch.
        """
        rows = host(scores)
        answers = rows.argmax(1) if rows.ndim == 2 and rows.shape[1] > 1 else (rows.reshape(-1) > 0).astype(int)
        truth = host(labels).reshape(-1).astype(int)
        classes = len(self.confusion)
        self.confusion += np.bincount(truth * classes + answers, minlength=classes**2).reshape(classes, classes)
        self.loss_sum += loss * len(truth)

    @property
    def examples(self) -> int:
        return int(self.confusion.sum())

    @property
    def loss(self) -> float:
        """Mean loss per example."""
        return self.loss_sum / max(self.examples, 1)

    @property
    def accuracy(self) -> float:
        """Share of the examples given their own class."""
        return float(np.trace(self.confusion)) / max(self.examples, 1)

    def per_class(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Precision, recall and F1 of every class, shape (classes,) each."""
        right = np.diag(self.confusion).astype(float)
        given, has = self.confusion.sum(0), self.confusion.sum(1)
        precision, recall = right / np.maximum(given, 1), right / np.maximum(has, 1)
        return precision, recall, 2 * right / np.maximum(given + has, 1)

    def metrics(self, part: str) -> dict[str, Any]:
        """For part "val": val_loss, val_accuracy, val_precision, val_recall, val_f1 and, as lists, val_confusion."""
        present = self.confusion.sum(1) > 0
        means = [float(values[present].mean()) if present.any() else 0.0 for values in self.per_class()]
        values = dict(zip(("loss", "accuracy", "precision", "recall", "f1"), (self.loss, self.accuracy, *means)))
        return {f"{part}_{name}": value for name, value in values.items()} | {f"{part}_confusion": self.confusion.tolist()}


def host(tensor: Tensor) -> NDArray[Any]:
    """The numbers of a tensor in main memory."""
    return np.asarray(tensor.detach().numpy(force=True))


def evaluate(model: nn.Module, data: Any, classes: int, criterion: Any = None, batch_size: int = 1000) -> Grades:
    """Grade a classifier on examples it does not learn from; it is put in evaluation mode.

    Args:
        model: gives scores, shape (n, classes).
        data: a data set of (example, class).
        criterion: the loss of scores and classes; cross entropy by default.
    """
    grades = Grades(classes)
    criterion = criterion or nn.CrossEntropyLoss()
    model.eval()
    with minitorch.no_grad():
        for x, y in DataLoader(data, batch_size=batch_size):
            scores = model(x)
            grades.add(scores, y, criterion(scores, y).item())
    return grades
