"""A recurrent network learns to write, one character after the other.

It reads a text and guesses, at every place, which character comes next; what it knows of the text so far is in the numbers it
hands from one place to the next, its state. `--cell` chooses how the state changes: a plain recurrent cell, an LSTM, whose
state can last (Hochreiter and Schmidhuber 1997), or a GRU, which does it with fewer gates (Cho 2014). After Karpathy, "The
Unreasonable Effectiveness of Recurrent Neural Networks" (2015).

    minitorch run char-rnn
    minitorch run char-rnn --text names --cell gru       # makes up first names
    minitorch run char-rnn --text my-novel.txt
    minitorch run char-rnn --predict "ROMEO:" --temperature 0.5 --top-k 20
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

import minitorch
from minitorch import Tensor, nn, optim
from minitorch.nn import functional as F
from samples.kit import Run, Settings, option
from samples.kit.metrics import host
from samples.kit.network import show
from samples.kit.text import Ids, Vocabulary, choose, go_on, read_text, split, stream, streams

PREDICTS = "TEXT"  # what --predict takes: texts to go on with


@dataclass
class Config(Settings):
    text: str = option("shakespeare", "what to learn: 'shakespeare', 'names', or a text file")
    data: str | None = option(None, "folder with the texts, or 'synthetic' for generated sentences")
    cell: Literal["rnn", "lstm", "gru"] = option("lstm", "how the state changes from one character to the next")
    hidden: int = option(256, "numbers in the state of a layer", minimum=1, quick=64)
    layers: int = option(1, "recurrent layers, one on top of the other", minimum=1)
    length: int = option(64, "characters after which the gradient is cut off; the state goes on", minimum=1, quick=32)
    epochs: int = option(10, "times it reads the text", minimum=1, quick=2)
    batch_size: int = option(64, "readers that go through the text side by side", minimum=1, quick=32)
    learning_rate: float = option(0.004, "Adam's step size at the start; it falls to a fiftieth", minimum=0, quick=0.01)
    dropout: float = option(0.1, "share of the state's numbers left out while learning", minimum=0)
    clip: float = option(1.0, "longer gradients are shortened to this norm", minimum=0)
    characters: int = option(400, "how many to write when asked", minimum=1)
    temperature: float = option(0.8, "below 1: more often the likeliest character; 0: always", minimum=0)
    top_k: int = option(0, "choose among so many of the likeliest characters only; 0: among all", minimum=0)


class CharRNN(nn.Module):
    """Characters (n, length) and a state -> scores of the next character (n, length, vocabulary), and the new state."""

    def __init__(self, config: Config, vocabulary: int) -> None:
        super().__init__()
        kind = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[config.cell]
        self.embedding = nn.Embedding(vocabulary, min(64, config.hidden))
        self.recurrent = kind(min(64, config.hidden), config.hidden, config.layers, batch_first=True)
        self.dropout = nn.Dropout(config.dropout)
        self.scores = nn.Linear(config.hidden, vocabulary)

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        outputs, state = self.recurrent(self.embedding(x), state)
        return self.scores(self.dropout(outputs)), state


def main(config: Config, run: Run) -> None:
    minitorch.manual_seed(config.seed)
    text = read_text(config.text, config.data)
    vocabulary = Vocabulary(text)
    train, held_out = split(vocabulary.encode(text), config.length)

    model = CharRNN(config, len(vocabulary)).to(config.device)
    optimizer = optim.Adam(model.parameters(), lr=config.learning_rate)
    batches = -(-((len(train) - 1) // config.batch_size) // config.length)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, config.epochs * batches, config.learning_rate / 50)
    run.describe(model, next(streams(train, 1, config.length, config.device))[0])
    run.print(f"{len(text):,} characters, {len(vocabulary)} different ones: {len(train):,} to learn from, "
              f"{len(held_out):,} to be examined on")

    if config.plots:  # four characters, each guessed from those before
        some = minitorch.as_tensor(train[:5])
        show(run, model, lambda net: F.cross_entropy(net(some[None, :-1])[0][0], some[1:]))

    run.keep(vocabulary=vocabulary, model=model, optimizer=optimizer, schedule=schedule)
    for epoch in run.epochs(config.epochs, batches):
        model.train()
        state = None
        for x, y in streams(train, config.batch_size, config.length, config.device):
            scores, state = model(x, state)
            loss = F.cross_entropy(scores.flatten(0, 1), y.flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), config.clip)
            optimizer.step()
            schedule.step()
            state = cut(state)  # the numbers go on, the graph ends here: else it would grow through the whole epoch
            epoch.batch(loss.item(), of=y.numel())
        epoch.add(val_loss=examine(model, held_out, config))

    run.save(model.state_dict(), "model.npz")
    run.print()
    written = write("\n", model, vocabulary, config)
    run.print(written.strip())
    run.write("written.txt", written.encode())
    if config.plots:
        plot(model, vocabulary, held_out[:600], run)


def cut(state: Any) -> Any:
    """The state without the graph that led to it."""
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


@minitorch.no_grad()
def examine(model: CharRNN, numbers: Ids, config: Config) -> float:
    """Mean loss in nats over all characters but the first, read from the beginning to the end by a single reader."""
    model.eval()
    total, state = 0.0, None
    # Pieces as long as memory likes: without a graph their length changes nothing.
    for x, y in streams(numbers, 1, 2048, config.device):
        scores, state = model(x, state)
        total += F.cross_entropy(scores[0], y[0], reduction="sum").item()
    return total / (len(numbers) - 1)


@minitorch.no_grad()
def write(begin: str, model: CharRNN, vocabulary: Vocabulary, config: Config, say: Any = None) -> str:
    """A text that goes on from `begin`, of `config.characters` more characters."""
    model.eval()
    scores, state = model(minitorch.as_tensor(vocabulary.encode(begin)[None], device=config.device))

    def more() -> str:
        nonlocal scores, state
        number = choose(scores[0, -1], config.temperature, config.top_k)
        scores, state = model(minitorch.tensor([[number]]).to(config.device), state)
        return vocabulary.characters[number]

    return stream(begin, more, config.characters, say)


def predict(config: Config, run: Run, texts: Sequence[str]) -> None:
    """Go on with each of some texts, on the terminal as it is written."""
    go_on(config, run, texts, CharRNN, write)


def plot(model: CharRNN, vocabulary: Vocabulary, numbers: Ids, run: Run) -> None:
    """The curves of the training, and what some numbers of the state do along a text the network has not seen."""
    from samples.kit import plots

    run.save_figure(plots.curves(run.lines), "curves.png")
    with minitorch.no_grad():
        outputs, _ = model.recurrent(model.embedding(minitorch.as_tensor(numbers[None], device=model.scores.weight.device)))
    state = host(outputs)[0]  # (characters, hidden)
    # Those that switch seldom and strongly: they stand for something that lasts (a line, a speaker's name, a word).
    calm = np.abs(np.diff(state, axis=0)).mean(0) / (state.std(0) + 1e-6)
    shown = calm.argsort()[:4]
    figure, axes = plots.figure(10, 6.4)
    columns, rows = 90, 5
    characters = vocabulary.decode(numbers[: columns * rows])
    for k, unit in enumerate(shown):
        for row in range(rows):
            y = -(k * (rows + 1.5) + row)
            piece = state[row * columns : (row + 1) * columns, unit]
            axes.imshow(piece[None], extent=(0, len(piece), y - 0.5, y + 0.5), cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
            for column, character in enumerate(characters[row * columns : (row + 1) * columns]):
                axes.text(column + 0.5, y, "↵" if character == "\n" else character, ha="center", va="center", fontsize=6.5,
                          family="monospace", color="white" if abs(piece[column]) > 0.6 else "black")
        axes.text(0, -(k * (rows + 1.5)) + 0.75, f"number {unit} of the state", fontsize=8)
    axes.set(xlim=(0, columns), ylim=(-(len(shown) * (rows + 1.5)) + 1, 1.6))
    axes.set_axis_off()
    axes.set_title("four numbers of the state along a text it never saw: red +1, blue -1")
    run.save_figure(figure, "state.png")
