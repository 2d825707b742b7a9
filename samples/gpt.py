"""A small language model: a transformer learns to write, one character after the other.

As in a recurrent network, at every place of a text it guesses the character that comes next. But nothing is handed from place
to place: in every layer each place looks back at all places before it and takes from them what it finds of use, in several
ways at once. That is attention (Vaswani 2017); the layout is GPT-2's (Radford 2019), its size that of a lesson.

    minitorch run gpt
    minitorch run gpt --text names --length 16         # makes up first names
    minitorch run gpt --predict "JULIET:" --temperature 0.5 --top-k 20
    minitorch debug gpt -- --quick --data synthetic
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import minitorch
from minitorch import Tensor, nn, optim
from minitorch.nn import functional as F
from samples.kit import Run, SampleError, Settings, option
from samples.kit.metrics import host
from samples.kit.network import show
from samples.kit.text import Ids, Vocabulary, choose, go_on, read_text, split, stream, windows

PREDICTS = "TEXT"  # what --predict takes: texts to go on with


@dataclass
class Config(Settings):
    text: str = option("shakespeare", "what to learn: 'shakespeare', 'names', or a text file")
    data: str | None = option(None, "folder with the texts, or 'synthetic' for generated sentences")
    blocks: int = option(4, "layers of attention, and of what is thought of it", minimum=1, quick=2)
    width: int = option(128, "numbers that stand for a place", minimum=1, quick=48)
    heads: int = option(4, "ways of looking back at once; a divisor of --width", minimum=1)
    length: int = option(96, "characters it can look back at", minimum=1, quick=32)
    epochs: int = option(15, "a line is printed, and a checkpoint saved, after each", minimum=1, quick=3)
    batches: int = option(400, "batches of an epoch; their pieces are drawn anywhere in the text", minimum=1, quick=60)
    batch_size: int = option(32, "pieces of the text in a batch", minimum=1)
    learning_rate: float = option(0.003, "AdamW's largest step size: it rises to it, then falls to a thirtieth", minimum=0)
    warmup: int = option(100, "batches in which it rises", minimum=1, quick=20)
    weight_decay: float = option(0.1, "how much AdamW shrinks matrices", minimum=0)
    dropout: float = option(0.0, "share of the numbers left out while learning", minimum=0)
    clip: float = option(1.0, "longer gradients are shortened to this norm", minimum=0)
    characters: int = option(400, "how many to write when asked", minimum=1)
    temperature: float = option(0.8, "below 1: more often the likeliest character; 0: always", minimum=0)
    top_k: int = option(0, "choose among so many of the likeliest characters only; 0: among all", minimum=0)


class Attention(nn.Module):
    """(n, length, width) -> the same: each place asks (query), each answers to what it is (key) and tells (value)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        if config.width % config.heads:
            raise SampleError(f"--width {config.width} cannot be shared by --heads {config.heads}; take a divisor")
        self.heads = config.heads
        self.dropout = config.dropout
        self.ask = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.parts(x)
        dropout = self.dropout if self.training else 0.0
        told = F.scaled_dot_product_attention(query, key, value, is_causal=True, dropout_p=dropout)
        return self.out(told.transpose(1, 2).flatten(2))

    def parts(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value of every head and place, shape (n, heads, length, width / heads) each."""
        n, length, width = x.shape
        query, key, value = self.ask(x).reshape(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        return query, key, value

    def map(self, x: Tensor) -> Tensor:
        """Where each place looks: shares that add up to 1, shape (n, heads, length, length)."""
        query, key, _ = self.parts(x)
        scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        later = minitorch.ones(*scores.shape[-2:]).triu(1).bool().to(x.device)
        return scores.masked_fill(later, -math.inf).softmax(-1)


class Block(nn.Module):
    """Look around, then think about it. Each adds to what was there, so that a gradient gets through unhindered."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(config.width), Attention(config)
        self.norm2 = nn.LayerNorm(config.width)
        wide = 4 * config.width
        self.think = nn.Sequential(nn.Linear(config.width, wide), nn.GELU(), nn.Linear(wide, config.width))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.dropout(self.attention(self.norm1(x)))
        return x + self.dropout(self.think(self.norm2(x)))


class GPT(nn.Module):
    """Characters (n, length) -> scores of the next character at every place, (n, length, vocabulary)."""

    def __init__(self, config: Config, vocabulary: int) -> None:
        super().__init__()
        self.characters = nn.Embedding(vocabulary, config.width)
        self.places = nn.Embedding(config.length, config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.Sequential(*(Block(config) for _ in range(config.blocks)))
        self.norm = nn.LayerNorm(config.width)
        self.scores = nn.Linear(config.width, vocabulary, bias=False)
        for name, parameter in self.named_parameters():  # as in GPT-2: small, and smaller where 2 * blocks of them add up
            if parameter.ndim == 2:
                adds_up = name.endswith(("attention.out.weight", "think.2.weight"))
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * config.blocks) if adds_up else 0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        return self.scores(self.norm(self.blocks(self.begin(x))))

    def begin(self, x: Tensor) -> Tensor:
        """What stands for every place before the first block: the character, and where it is."""
        return self.dropout(self.characters(x) + self.places(minitorch.arange(x.shape[1], device=x.device)))


def main(config: Config, run: Run) -> None:
    minitorch.manual_seed(config.seed)
    text = read_text(config.text, config.data)
    vocabulary = Vocabulary(text)
    train, held_out = split(vocabulary.encode(text), config.length)

    model = GPT(config, len(vocabulary)).to(config.device)
    matrices = [p for p in model.parameters() if p.ndim == 2]
    vectors = [p for p in model.parameters() if p.ndim != 2]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.99))
    schedule = optim.lr_scheduler.LambdaLR(optimizer, lambda step: share_of_rate(step, config))
    run.describe(model, windows(train, np.array([0]), config.length, config.device)[0])
    run.print(f"{len(text):,} characters, {len(vocabulary)} different ones: {len(train):,} to learn from, "
              f"{len(held_out):,} to be examined on")

    if config.plots:  # four characters, each guessed from those before; every block is alike, closed
        some = minitorch.as_tensor(train[:5])
        show(run, model, lambda net: F.cross_entropy(net(some[None, :-1])[0], some[1:]))

    run.keep(vocabulary=vocabulary, model=model, optimizer=optimizer, schedule=schedule)
    for epoch in run.epochs(config.epochs, config.batches):
        model.train()
        for _ in range(config.batches):
            starts = minitorch.randint(0, len(train) - config.length, (config.batch_size,)).numpy()
            x, y = windows(train, starts, config.length, config.device)
            loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), config.clip)
            optimizer.step()
            schedule.step()
            epoch.batch(loss.item())
        epoch.add(val_loss=examine(model, held_out, config))

    run.save(model.state_dict(), "model.npz")
    run.print()
    written = write("\n", model, vocabulary, config)
    run.print(written.strip())
    run.write("written.txt", written.encode())
    if config.plots:
        plot(model, vocabulary, held_out[: min(config.length, 40)], run)


def share_of_rate(step: int, config: Config) -> float:
    """The learning rate at a batch, as a share of the largest: up in a straight line, down along a cosine."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    done = (step - config.warmup) / max(config.epochs * config.batches - config.warmup, 1)
    return 1 / 30 + (1 - 1 / 30) * 0.5 * (1 + math.cos(math.pi * min(done, 1)))


@minitorch.no_grad()
def examine(model: GPT, numbers: Ids, config: Config) -> float:
    """Mean loss in nats over all characters but the first.

    At the beginning of a piece a place could look back at little, though there is more. So the pieces overlap by half, and of
    each only those places count that did not in the piece before: they see half a piece at least.
    """
    model.eval()
    last = len(numbers) - 1 - config.length
    starts = np.append(np.arange(0, last, max(config.length // 2, 1)), last)
    total, done = 0.0, 0  # the places before `done` are counted
    for some in np.array_split(starts, -(-len(starts) // 64)):
        x, y = windows(numbers, some, config.length, config.device)
        losses = host(F.cross_entropy(model(x).flatten(0, 1), y.flatten(), reduction="none")).reshape(y.shape)
        for start, row in zip(some, losses):
            total += float(row[done - start :].sum())
            done = start + config.length
    return total / done


@minitorch.no_grad()
def write(begin: str, model: GPT, vocabulary: Vocabulary, config: Config, say: Any = None) -> str:
    """A text that goes on from `begin`, of `config.characters` more characters."""
    model.eval()
    numbers = list(vocabulary.encode(begin))

    def more() -> str:
        seen = minitorch.as_tensor(np.array([numbers[-config.length :]]), device=config.device)
        numbers.append(choose(model(seen)[0, -1], config.temperature, config.top_k))
        return vocabulary.characters[numbers[-1]]

    return stream(begin, more, config.characters, say)


def predict(config: Config, run: Run, texts: Sequence[str]) -> None:
    """Go on with each of some texts, on the terminal as it is written."""
    go_on(config, run, texts, GPT, write)


def plot(model: GPT, vocabulary: Vocabulary, numbers: Ids, run: Run) -> None:
    """The curves of the training, and where each place looks, in every head of every block."""
    from samples.kit import plots

    run.save_figure(plots.curves(run.lines), "curves.png")
    characters = [{"\n": "↵", " ": "·"}.get(c, c) for c in vocabulary.decode(numbers)]
    model.eval()
    with minitorch.no_grad():
        x = model.begin(minitorch.as_tensor(numbers[None], device=model.scores.weight.device))
        maps = []
        for block in model.blocks:
            maps.append(host(block.attention.map(block.norm1(x)))[0])
            x = block(x)
    rows, columns = len(maps), len(maps[0])
    figure, axes = plots.figure(2.6 * columns, 2.75 * rows + 0.3, columns=columns, rows=rows)
    for b, block_axes in enumerate(axes):
        for h, axis in enumerate(block_axes):
            axis.imshow(maps[b][h], vmin=0, cmap="Blues")
            axis.set_title(f"block {b + 1}, head {h + 1}", fontsize=8)
            axis.set_xticks(range(len(characters)), characters, fontsize=4.5)
            axis.set_yticks(range(len(characters)), characters, fontsize=4.5)
            axis.tick_params(length=0, pad=1)
            axis.grid(False)
    figure.suptitle("where each place (row) looks (column)", x=0.01, ha="left", fontsize=11)
    run.save_figure(figure, "attention.png")
