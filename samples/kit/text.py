"""Text, character by character: where it comes from, its alphabet, how it is cut for learning, and how it is made up again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import minitorch
from minitorch import Tensor
from samples.kit.download import Downloads, generated
from samples.kit.errors import SampleError

if TYPE_CHECKING:
    from samples.kit.run import Run

Ids = NDArray[np.int64]


class Shakespeare(Downloads):
    """40,000 lines of Shakespeare's plays, the text of Karpathy's char-rnn (2015)."""

    title, folder, synthetic = "Tiny Shakespeare", "text", "sentences made by a program"
    address = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/"
    files = {"input.txt": "sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"}


class Names(Downloads):
    """32,033 first names, the list of Karpathy's makemore (2022)."""

    title, folder, synthetic = "The list of names", "text", "sentences made by a program"
    address = "https://raw.githubusercontent.com/karpathy/makemore/master/"
    files = {"names.txt": "sha256:0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d"}


def read_text(which: str, data: str | None) -> str:
    """The text to learn from.

    Args:
        which: "shakespeare", "names" (in an order of no meaning, a name a line), or the path of a text file in UTF-8.
        data: the `--data` option: the folder that holds the first two, or "synthetic" for generated sentences.

    Raises:
        SampleError: there is no such text, or it is no text; names the file.
    """
    if which in ("shakespeare", "names") and generated(data):
        return sentences(200_000)
    if which == "shakespeare":
        path = locate(Shakespeare, ["tinyshakespeare.txt", "input.txt"], data)
    elif which == "names":
        path = locate(Names, ["names.txt"], data)
    else:
        path = Path(which)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SampleError(f"{path} is not a text in UTF-8 (byte {error.start} cannot be read); save it as one") from None
    except OSError as error:
        raise SampleError(f"cannot read {path} ({error.strerror}); "
                          "--text takes 'shakespeare', 'names' or a text file") from None
    if which == "names":  # they come sorted by how frequent they are: the last ones would not be like the first ones
        names = text.split("\n")
        text = "\n".join(names[k] for k in np.random.default_rng(0).permutation(len(names)))
    return text


def locate(source: type[Downloads], names: list[str], data: str | None) -> Path:
    """The first of the names that is there, else the last one, fetched."""
    for name in names[:-1]:
        try:
            return source.locate([name], data, download=False)[0]
        except SampleError:
            continue
    return source.locate(names[-1:], data, download=True)[0]


class Vocabulary:
    """The characters of a text, in order, each with a number. Saved with a model (`run.keep`), which means nothing without."""

    def __init__(self, text: str = "") -> None:
        self.characters = sorted(set(text))
        self.numbers = {character: k for k, character in enumerate(self.characters)}

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> Ids:
        """The numbers of the characters, shape (len(text),).

        Raises:
            SampleError: a character that the text did not have.
        """
        unknown = sorted(set(text) - set(self.characters))
        if unknown:
            raise SampleError(f"the network has never seen {', '.join(map(repr, unknown[:5]))}; "
                              f"it knows {''.join(c for c in self.characters if c.isprintable())!r}")
        return np.array([self.numbers[character] for character in text], np.int64)

    def decode(self, numbers: Any) -> str:
        return "".join(self.characters[k] for k in numbers)

    def state_dict(self) -> dict[str, Tensor]:
        return {"characters": minitorch.tensor([ord(character) for character in self.characters])}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.__init__("".join(map(chr, state["characters"].tolist())))  # type: ignore[misc]


def split(numbers: Ids, length: int) -> tuple[Ids, Ids]:
    """Nine tenths to learn from, the last tenth to be examined on.

    Raises:
        SampleError: there is less to examine on than `length` characters and the one after them.
    """
    cut = round(0.9 * len(numbers))
    if len(numbers) - cut <= length:
        raise SampleError(f"the text has {len(numbers):,} characters, whose last tenth is too short for pieces of {length}; "
                          "give a longer text, or a smaller --length")
    return numbers[:cut], numbers[cut:]


def streams(numbers: Ids, count: int, length: int, device: str = "cpu") -> Iterator[tuple[Tensor, Tensor]]:
    """`count` readers go through the text side by side, each through its own part of it, `length` characters at a time.

    Yields:
        What they read, shape (count, length), and the character after each, of the same shape. A text that cannot be parted
        evenly loses some of its last characters.
    """
    each = (len(numbers) - 1) // count
    x = numbers[: count * each].reshape(count, each)
    y = numbers[1 : count * each + 1].reshape(count, each)
    for start in range(0, each, length):
        yield tuple(minitorch.as_tensor(part[:, start : start + length].copy(), device=device) for part in (x, y))


def windows(numbers: Ids, starts: Ids, length: int, device: str = "cpu") -> tuple[Tensor, Tensor]:
    """Pieces of the text from `starts` on, shape (len(starts), length), and the character after each, of the same shape."""
    places = starts[:, None] + np.arange(length)
    return minitorch.as_tensor(numbers[places], device=device), minitorch.as_tensor(numbers[places + 1], device=device)


def choose(scores: Tensor, temperature: float, top_k: int) -> int:
    """One number, drawn by its chance.

    Args:
        scores: one per character, shape (n,).
        temperature: the scores are divided by it: below 1 likely characters become likelier, at 0 the likeliest is taken.
        top_k: draw among so many of the likeliest only; 0 for all.
    """
    if temperature == 0:
        return int(scores.argmax().item())
    if 0 < top_k < len(scores):
        kept = scores.topk(top_k)
        return int(kept.indices[minitorch.multinomial((kept.values / temperature).softmax(0), 1)].item())
    return int(minitorch.multinomial((scores / temperature).softmax(0), 1).item())


def stream(begin: str, more: Callable[[], str], count: int, say: Callable[[str], Any] | None = None) -> str:
    """`begin` and `count` more characters; `say` gets each as soon as it is there."""
    parts = [begin]
    if say:
        say(begin)
    for _ in range(count):
        parts.append(more())
        if say:
            say(parts[-1])
    return "".join(parts)


def go_on(config: Any, run: Run, texts: Sequence[str], network: Callable[..., Any], write: Callable[..., str]) -> None:
    """Let a trained network go on with each of some texts, on the terminal as it is written.

    Args:
        config: the sample's settings.
        run: the run that trained it, with its vocabulary and its model.
        network: network(config, characters) makes the model.
        write: write(begin, model, vocabulary, config, say=...) makes a text; `say` gets each part of it.
    """
    minitorch.manual_seed(config.seed)
    vocabulary = Vocabulary()
    run.keep(vocabulary=vocabulary)
    model = network(config, len(vocabulary)).to(config.device)
    run.keep(model=model)
    for text in texts:
        write(text, model, vocabulary, config, say=lambda part: print(part, end="", flush=True))
        print()


def sentences(length: int, seed: int = 0) -> str:
    """English of a kind, from a grammar of a few dozen words: `length` characters of it."""
    rng = np.random.default_rng(seed)
    words = {
        "NAME": "anna ben clara david emma".split(), "NOUN": "dog cat bird house tree river song letter".split(),
        "VERB": "sees finds hears loves wants draws".split(), "KIND": "small old green quiet happy".split(),
        "WHEN": "today often never again".split(),
    }  # fmt: skip
    shapes = ("NAME VERB the NOUN.", "the KIND NOUN VERB a NOUN.", "NAME VERB a KIND NOUN WHEN.",
              "does NAME VERB the KIND NOUN?")
    parts: list[str] = []
    while sum(map(len, parts)) < length:
        parts += [re.sub("[A-Z]+", lambda m: str(rng.choice(words[m[0]])), str(rng.choice(shapes))) + "\n" for _ in range(200)]
    return "".join(parts)[:length]
