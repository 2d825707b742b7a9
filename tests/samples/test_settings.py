"""The command line made from a dataclass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest

from samples.kit.errors import UsageError
from samples.kit.settings import Settings, option, parse


@dataclass
class Config(Settings):
    epochs: int = option(10, "passes over the data", minimum=1, quick=2)
    learning_rate: float = option(0.1, "step size, 50% of nothing", minimum=0)
    activation: Literal["relu", "tanh"] = option("relu", "what a neuron applies")
    layers: tuple[int, ...] = option((16, 16), "neurons of each hidden layer", minimum=1)
    data: str | None = option(None, "folder of the data")
    shuffle: bool = option(True, "another order every epoch")


def read(*argv):
    return parse(Config, argv, "minitorch run x", "a sample")


def test_defaults_and_every_kind_of_value():
    assert read() == Config()
    config = read("--epochs", "3", "--learning-rate", "1e-2", "--activation", "tanh", "--layers", "8,4", "--data", "d",
                  "--no-shuffle", "--seed=7")
    assert config == Config(seed=7, epochs=3, learning_rate=0.01, activation="tanh", layers=(8, 4), data="d",
                            shuffle=False)


def test_quick_changes_only_what_was_not_given():
    assert read("--quick").epochs == 2
    assert read("--quick", "--epochs", "5").epochs == 5


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--epochs", "x"], "--epochs takes a whole number of at least 1, not 'x'"),
        (["--epochs", "0"], "--epochs takes a whole number of at least 1, not '0'"),
        (["--epochs", "2.5"], "--epochs takes a whole number of at least 1, not '2.5'"),
        (["--learning-rate", "nan"], "--learning-rate takes a number of at least 0, not 'nan'"),
        (["--activation", "gelu"], "--activation takes relu or tanh, not 'gelu'"),
        (["--layers", "8,,4"], "--layers takes a whole number of at least 1, not ''"),
        (["--epoch", "3"], "minitorch run x has no option --epoch; did you mean --epochs?"),
        (["--zzz"], "minitorch run x has no option --zzz; see minitorch run x --help"),
        (["5"], "minitorch run x takes only options, not '5'; see minitorch run x --help"),
        (["--epochs"], "minitorch run x: argument --epochs: expected one argument"),
    ],
)
def test_a_mistake_is_one_sentence(argv, sentence):
    with pytest.raises(UsageError) as error:
        read(*argv)
    assert str(error.value) == sentence


def test_help_shows_defaults_and_choices(capsys):
    with pytest.raises(SystemExit) as done:
        read("--help")
    assert done.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "passes over the data (default: 10) (--quick: 2)" in text
    assert "--activation {relu,tanh}" in text
    assert "step size, 50% of nothing (default: 0.1)" in text
    assert "neurons of each hidden layer (default: 16,16)" in text
    assert "--no-shuffle" in text
