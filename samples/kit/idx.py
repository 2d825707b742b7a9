"""Reader of IDX files, the format of MNIST and Fashion-MNIST (https://yann.lecun.com/exdb/mnist/).

An IDX file is a big-endian array behind a short header: two zero bytes, a byte for the type of the numbers, a byte for
how many dimensions there are, then each dimension as four bytes. It may be compressed with gzip.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samples.kit.errors import SampleError

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: str | Path) -> NDArray[Any]:
    """Read one file, plain or gzip (told by its content, not its name).

    Returns:
        An array of the file's own shape and type, in the machine's byte order; it may be written to.

    Raises:
        SampleError: the file cannot be read, is not IDX, is cut short or too long; names the file.
    """
    try:
        content = Path(path).read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged(path, f"its gzip data cannot be unpacked: {error}") from None
    except OSError as error:
        raise SampleError(f"cannot read {path} ({error.strerror or error})") from None
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in TYPES:
        raise damaged(path, f"it does not begin like an IDX file (first bytes: {content[:4].hex(' ') or 'none'})")
    kind, dimensions = np.dtype(TYPES[content[2]]), content[3]
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise damaged(path, f"its header ends after {len(content)} of {start} bytes")
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    expected, found = math.prod(shape) * kind.itemsize, len(content) - start
    if expected != found:
        raise damaged(path, f"its header promises {expected} bytes of data {shape}, it holds {found}")
    return np.frombuffer(content, kind, offset=start).reshape(shape).astype(kind.newbyteorder("="))


def damaged(path: str | Path, how: str) -> SampleError:
    return SampleError(f"{path} is damaged: {how}; fetch it again")
