"""Images in folders: where the folder is, and what becomes of files that cannot be read.

A data set of images is read whole, before the first epoch: a broken file is met then, and named. With `broken="skip"` it is
left out and the rest is used; with `broken="refuse"` nothing is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

import minitorch
from minitorch import Tensor
from samples.kit.download import SYNTHETIC
from samples.kit.errors import SampleError

Broken = Literal["skip", "refuse"]
T = TypeVar("T")


class BrokenFile(SampleError):
    """One file that is not what it should be; the text names it and says why."""


def locate(given: str | None, folder: str, needed: str, title: str) -> Path:
    """The folder of a data set.

    Args:
        given: the `--data` option, or None to look in the environment variable MINITORCH_DATA.
        folder: the data set's own folder, which `given` is, or holds.
        needed: a path inside it by which it is recognised.
        title: what the data set is, for messages.

    Raises:
        SampleError: there is none; says how to go on.
    """
    root = given if given is not None else os.environ.get("MINITORCH_DATA")
    ways_out = f"give the folder that holds {folder}/{needed} with --data DIR, or use generated ones: --data {SYNTHETIC}"
    if not root:
        raise SampleError(f"{title} are not fetched by themselves; {ways_out}")
    for path in (Path(root), Path(root) / folder):
        if (path / needed).exists():
            return path
    option = "--data" if given is not None else "MINITORCH_DATA"
    missing = f"has no {folder}/{needed}" if Path(root).is_dir() else "is not a folder"
    raise SampleError(f"{option} {root} {missing}; {ways_out}")


def read_image(path: Path, mode: str = "RGB", longest: int | None = None) -> NDArray[np.uint8]:
    """The pixels of an image file, shape (height, width, 3), or (height, width) for mode "L".

    Args:
        longest: an image with a longer side is reduced to this many pixels.

    Raises:
        BrokenFile: there is no such file, or it is no whole image.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            if longest and max(image.size) > longest:
                image.thumbnail((longest, longest))
            return np.asarray(image.convert(mode))
    except FileNotFoundError:
        raise BrokenFile(f"{path} does not exist") from None
    except UnidentifiedImageError:
        raise BrokenFile(f"{path} is not an image") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BrokenFile(f"{path} is a damaged image ({error})") from None


def read_all(
    names: Sequence[str], read: Callable[[str], T], broken: Broken, say: Callable[[str], Any] = print
) -> tuple[list[str], list[T]]:
    """`read` of every name, and the names that could be read.

    Args:
        broken: leave those out for which `read` raises BrokenFile, and `say` which, or raise for the first of them.

    Raises:
        BrokenFile: with "refuse", the first one; with "skip", when nothing is left.
    """
    good, things = [], []
    for name in names:
        try:
            things.append(read(name))
        except BrokenFile as error:
            if broken == "refuse":
                raise BrokenFile(f"{error}; --broken skip goes on without such files") from None
            say(f"skipped: {error}")
            continue
        good.append(name)
    if not things:
        raise BrokenFile("none of the files could be read" if names else "there are no files to read")
    return good, things


def image_files(paths: Sequence[str | Path]) -> list[Path]:
    """The image files among paths, and those in the folders among them, in order.

    Raises:
        SampleError: a path does not exist, or there is no image.
    """
    from PIL import Image

    known = Image.registered_extensions()
    files: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            files += sorted(file for file in path.iterdir() if file.suffix.lower() in known)
        elif path.exists():
            files.append(path)
        else:
            raise SampleError(f"{path} does not exist")
    if not files:
        raise SampleError(f"there are no images in {', '.join(map(str, paths))}")
    return files


def read_files(paths: Sequence[str | Path], broken: Broken, say: Callable[[str], Any] = print) -> tuple[list[str], list[Any]]:
    """The images among paths and in the folders among them: their names, and the pixels of each, uint8 (height, width, 3).

    Raises:
        SampleError: as `image_files` and `read_all` have it.
    """
    return read_all([str(path) for path in image_files(paths)], lambda name: read_image(Path(name)), broken, say)


def stems(names: Sequence[str]) -> list[str]:
    """A file name for what is said of each image: its own without folder and ending, numbered where it comes again."""
    seen: dict[str, int] = {}
    made = []
    for stem in (Path(name).stem for name in names):
        seen[stem] = seen.get(stem, 0) + 1
        made.append(stem if seen[stem] == 1 else f"{stem}-{seen[stem]}")
    return made


def to_input(images: Sequence[NDArray[np.uint8]], device: Any) -> Tensor:
    """Images of one size, uint8 (height, width, 3), as a batch (n, 3, height, width); mean about 0, deviation about 1."""
    pixels = np.stack(images).transpose(0, 3, 1, 2)
    return (minitorch.as_tensor(np.ascontiguousarray(pixels), device=device).float() - 114) / 64
