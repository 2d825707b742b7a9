"""save and load: state dicts, and whatever is made of tensors, numbers, texts, lists and dicts.

Files are safetensors (readable by every library that knows the format), or .npz (readable by NumPy alone). Nothing here
unpickles: a file that somebody sends cannot run code.
"""

from __future__ import annotations

import io
import json
import os
import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .core.device import host
from .core.files import write_whole
from .core.tensor import Tensor
from .core.value import Value
from .ops.create import place

STRUCTURE = "minitorch"
"""Under this name a file says how its tensors were arranged: JSON in the metadata of safetensors, an entry of .npz."""

UNPACKED = 2**30
"""Up to this many bytes an .npz may unpack to any multiple of its size."""

_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1", "U64": "<u8", "U32": "<u4",
    "U16": "<u2", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip


def save(obj: Any, f: Any) -> None:
    """Write `obj` to the path `f` (or a binary file open for writing): a tensor, a state dict, an optimizer's state dict, or
    a checkpoint made of such things, of numbers, texts, None, lists, tuples and dicts.

    A path that ends in .npz gets NumPy's format, every other safetensors. The file is written aside and put in its place
    when complete. TypeError for what cannot be saved, saying where it is; ImportError without the safetensors library.
    """
    arrays: dict[str, np.ndarray] = {}
    structure = _described(obj, "", arrays)
    text = json.dumps(structure, separators=(",", ":"))
    if hasattr(f, "write"):
        f.write(_as_safetensors(arrays, text, "an open file"))
        return
    path = os.fspath(f)
    make: Callable[[Any, str, str], bytes] = _as_npz if path.endswith(".npz") else _as_safetensors
    write_whole(path, make(arrays, text, path), durable=True)


def load(f: Any, map_location: Any = None, *, weights_only: bool = True, mmap: bool | None = None) -> Any:
    """Read what `save` wrote, or any .safetensors or .npz file (then a dict of tensors), from a path or an open binary file.

    Files say nothing of devices, so everything loads in main memory, unless `map_location` names another device (or is, as
    in PyTorch, a dict or a function (tensor, "cpu") of devices as they were, which here are all "cpu").
    ValueError, one sentence, for a file that is damaged or of another kind.
    """
    name = str(getattr(f, "name", "the file")) if hasattr(f, "read") else os.fspath(f)
    if hasattr(f, "read"):
        data = f.read()
    else:
        with open(f, "rb") as file:
            data = file.read()
    try:
        arrays, text = _read(data, name)
        if text is None:
            return {key: _placed(array, map_location) for key, array in arrays.items()}
        return _rebuilt(json.loads(text), arrays, map_location)
    except (LookupError, TypeError, ValueError, ArithmeticError, EOFError, MemoryError, RuntimeError) as error:
        if isinstance(error, _Refused):
            raise ValueError(str(error)) from None
        raise ValueError(f"{name} is damaged and cannot be loaded: {_short(error)}") from None


class _Refused(ValueError):
    """A file that is not ours to read; the message is the whole sentence."""


def _short(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


# What is in a file: arrays under names, and the structure they stand in


def _described(obj: Any, path: str, arrays: dict[str, np.ndarray]) -> Any:
    """`obj` as JSON, its arrays put aside under their path: {"t": name} stands for a tensor, {"a": name} for an array."""
    if obj is None or isinstance(obj, (bool, str)):
        return obj
    if isinstance(obj, Value):
        return {"v": obj.raw}
    if isinstance(obj, Tensor):
        return {"t": _put(arrays, path, host(obj.raw))}
    if isinstance(obj, np.ndarray):
        return {"a": _put(arrays, path, obj)}
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.dtype):
        return {"dtype": obj.str}
    if isinstance(obj, (int, float)):
        return obj
    if isinstance(obj, (list, tuple)):
        items = [_described(x, f"{path}.{i}" if path else str(i), arrays) for i, x in enumerate(obj)]
        return items if isinstance(obj, list) else {"tuple": items}
    if isinstance(obj, Mapping):
        pairs = []
        for key, x in obj.items():
            if not isinstance(key, (str, int, float, bool, type(None))):
                raise TypeError(f"cannot save the key {key!r} at '{path}': keys are texts and numbers")
            pairs.append([key, _described(x, f"{path}.{key}" if path else str(key), arrays)])
        return {"dict": pairs}
    where = f" at '{path}'" if path else ""
    if hasattr(obj, "state_dict"):
        raise TypeError(f"cannot save a {type(obj).__name__}{where}: save its .state_dict(), and load that into a new one")
    raise TypeError(f"cannot save a {type(obj).__name__}{where}: save tensors, numbers, texts, and lists and dicts of them")


def _put(arrays: dict[str, np.ndarray], path: str, array: np.ndarray) -> str:
    """Keep an array under a name of its own; returns the name."""
    if array.dtype.kind not in "fiub":
        raise TypeError(f"cannot save the array at '{path}' of dtype {array.dtype}: save floats, integers or bools")
    name = path = path or "tensor"
    count = 1
    while name in arrays or name == STRUCTURE:
        count += 1
        name = f"{path}_{count}"
    arrays[name] = array if array.flags.c_contiguous else array.copy("C")
    return name


def _rebuilt(x: Any, arrays: dict[str, np.ndarray], device: Any) -> Any:
    """The object that `_described` described."""
    if isinstance(x, list):
        return [_rebuilt(item, arrays, device) for item in x]
    if not isinstance(x, dict):
        return x
    ((kind, content),) = x.items()
    if kind == "t":
        return _placed(arrays[content], device)
    if kind == "a":
        return arrays[content]
    if kind == "v":
        return Value(content)
    if kind == "dtype":
        return np.dtype(content)
    if kind == "tuple":
        return tuple(_rebuilt(item, arrays, device) for item in content)
    if kind == "dict":
        return {key: _rebuilt(item, arrays, device) for key, item in content}
    raise ValueError(f"it holds a {kind!r}, which this version does not know")


def _placed(array: np.ndarray, map_location: Any) -> Any:
    """A tensor of an array of the file, where `load`'s caller wants it."""
    if isinstance(map_location, Mapping):
        map_location = map_location.get("cpu")
    if callable(map_location):
        found = map_location(place(array), "cpu")
        if isinstance(found, Tensor):
            return found
        map_location = found
    return place(array, map_location)


# The two formats


def _as_safetensors(arrays: dict[str, np.ndarray], structure: str, name: str) -> bytes:
    try:
        from safetensors.numpy import save as write
    except ImportError:
        raise ImportError(
            f"saving {name} needs the safetensors library: pip install safetensors, or save to a path that ends in .npz"
        ) from None
    return write(arrays, metadata={STRUCTURE: structure})


def _as_npz(arrays: dict[str, np.ndarray], structure: str, name: str) -> bytes:
    import zipfile  # here: it takes longer to import than the rest of the package

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for key, array in {**arrays, STRUCTURE: np.frombuffer(structure.encode(), np.uint8)}.items():
            with archive.open(f"{key}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)
    return out.getvalue()


def _read(data: bytes, name: str) -> tuple[dict[str, np.ndarray], str | None]:
    """The arrays in a file and their structure, by what its first bytes say it is."""
    if data[:4] == b"PK\x03\x04":
        return _from_npz(data, name)
    if data[:1] == b"\x80":
        raise _pickled(name)
    if len(data) > 8 and data[8:9] == b"{":
        return _from_safetensors(data, name)
    if not data:
        raise _Refused(f"{name} is empty")
    raise _Refused(f"{name} is neither a safetensors nor an .npz file, or its beginning is damaged")


def _pickled(name: str) -> _Refused:
    target = os.path.splitext(name)[0] + ".safetensors"
    return _Refused(
        f"{name} is a pickle, which can run any code when it is read; where PyTorch is installed, convert its state dict with\n"
        f"  python -c \"import torch, safetensors.torch as s; s.save_file({{k: v.clone() for k, v in torch.load({name!r}, "
        f"weights_only=True, map_location='cpu').items()}}, {target!r})\""
    )


def _from_safetensors(data: bytes, name: str) -> tuple[dict[str, np.ndarray], str | None]:
    try:
        from safetensors import SafetensorError, deserialize
    except ImportError:
        raise ImportError(f"loading {name} needs the safetensors library: pip install safetensors") from None
    try:
        found = deserialize(data)
    except SafetensorError as error:
        raise ValueError(_short(error)) from None
    arrays = {}
    while found:
        key, entry = found.pop()
        arrays[key] = _decoded(key, entry, name)
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    ordered = {key: arrays[key] for key in header if key in arrays}
    return ordered, (header.get("__metadata__") or {}).get(STRUCTURE)


def _decoded(key: str, entry: Mapping[str, Any], name: str) -> np.ndarray:
    kind, shape, content = entry["dtype"], entry["shape"], entry["data"]
    if kind == "BF16":  # NumPy has no bfloat16: its bits are the upper half of a float32's
        return (np.frombuffer(content, "<u2").astype("<u4") << 16).view("<f4").reshape(shape)
    if kind not in _DTYPES:
        raise _Refused(f"{name} holds '{key}' as {kind}, a kind of number that NumPy does not have")
    return np.frombuffer(content, _DTYPES[kind]).reshape(shape).copy()


def _from_npz(data: bytes, name: str) -> tuple[dict[str, np.ndarray], str | None]:
    import zipfile
    import zlib

    arrays = {}
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile as error:
        raise ValueError(_short(error)) from None
    with archive:
        entries = archive.infolist()
        total = sum(entry.file_size for entry in entries)
        if total > UNPACKED and total > 100 * len(data):
            raise _Refused(f"{name} claims to unpack from {len(data):,} to {total:,} bytes; it is not loaded")
        if any(e.filename.endswith(".pkl") for e in entries):
            raise _pickled(name)
        for entry in entries:
            if not entry.filename.endswith(".npy"):
                raise _Refused(f"{name} is a zip file with '{entry.filename}' in it, not the arrays of an .npz")
            try:
                arrays[entry.filename[:-4]] = _entry(archive, entry)
            except (zipfile.BadZipFile, OSError, zlib.error) as error:
                raise ValueError(_short(error)) from None
    structure = arrays.pop(STRUCTURE, None)
    return arrays, None if structure is None else structure.tobytes().decode()


def _entry(archive: Any, entry: Any) -> np.ndarray:
    """One array. Its header is not believed: as many numbers are taken as the entry really holds."""
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        read: Any = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, dtype = read(file)
        if dtype.kind not in "fiub":
            raise ValueError(f"'{entry.filename[:-4]}' holds {dtype}, not numbers")
        content = file.read()
    array = np.frombuffer(content, dtype).reshape(shape, order="F" if by_columns else "C")
    return array.astype(dtype.newbyteorder("="), order="C")
