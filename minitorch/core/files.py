"""Files that are there whole or not at all."""

from __future__ import annotations

import os


def write_whole(path: str | os.PathLike[str], content: bytes, durable: bool = False) -> None:
    """Write `content` beside the file first, then put it in the file's place; OSError where that cannot be done, and nothing is
    left behind. `durable`: not before it is on the disk, for what a loss of power may not take."""
    aside = f"{os.fspath(path)}.{os.getpid()}.part"
    try:
        with open(aside, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(aside, path)
    except BaseException:
        if os.path.exists(aside):
            os.unlink(aside)
        raise
