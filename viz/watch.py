"""Drawing again whenever a file is saved."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

PAUSE = 0.3  # seconds between looks


def watch(files: Sequence[Path], act: Callable[[Path], None], *, looks: int = -1) -> None:
    """Call `act` with each of `files` that was saved, until Ctrl-C (or for so many `looks`)."""
    seen = {file: _stamp(file) for file in files}
    print(f"watching {', '.join(map(str, files))}; Ctrl-C ends it", flush=True)
    try:
        while looks:
            looks -= 1
            time.sleep(PAUSE)
            for file in files:
                now = _stamp(file)
                if now != seen[file] and now is not None:  # an editor may take a file away for a moment
                    seen[file] = now
                    act(file)
    except KeyboardInterrupt:
        print()


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
