"""What CuPy offers, as text: one line for each function with its arguments, each ufunc with its types, each method of arrays.

`cupy_14.txt` is the list of CuPy 14.2. The double in this folder has these names and arguments and no others. CuPy can be asked
without a GPU: `python -m tests.device.listing > tests/device/cupy_14.txt` writes the list anew.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("cupy_14.txt")

IN_C = {
    "from_dlpack": "(array, *, device=None, copy=None)",
    "min_scalar_type": "(a)",
    "size": "(a, axis=None)",
    "fuse": "(*args, **kwargs)",
    "memoize": "(for_each_device=False)",
    "clear_memo": "()",
}
"""Functions that hide their arguments from `inspect`; these are from their documentation."""


def stated(function: Any) -> str:
    """The arguments of a function, without its annotations."""
    parts, keywords = [], False
    for p in inspect.signature(function).parameters.values():
        star = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        if p.kind is p.KEYWORD_ONLY and not keywords:
            parts.append("*")
        keywords |= p.kind in (p.VAR_POSITIONAL, p.KEYWORD_ONLY)
        shown = p.default.__name__ if isinstance(p.default, type) else repr(p.default)
        parts.append(star + p.name + ("" if p.default is p.empty else f"={shown}"))
    return f"({', '.join(parts)})"


def functions(prefix: str, module: Any, ufunc: type) -> Iterator[str]:
    for name in sorted(vars(module)):
        thing = getattr(module, name)
        if name.startswith("_") or inspect.ismodule(thing) or isinstance(thing, type) or not callable(thing):
            continue
        if isinstance(thing, ufunc):
            yield f"{prefix}{name} ufunc {thing.nin} {' '.join(thing.types)}"
        else:
            try:
                yield f"{prefix}{name}{stated(thing)}"
            except ValueError:
                if name in IN_C:
                    yield f"{prefix}{name}{IN_C[name]}"


def methods(ndarray: Any) -> Iterator[str]:
    for name in sorted(dir(ndarray)):
        thing = getattr(ndarray, name)
        if name.startswith("_"):
            continue
        if not callable(thing):
            yield f"ndarray.{name}"
            continue
        text = (thing.__doc__ or "").split("\n")[0]
        found = re.search(rf"\.{name}(\(.*\))", text)
        if found:
            plain = re.sub(r"\b(?:_ndarray_base|Py_ssize_t|int|bool|shape_t|strides_t) (?=\w)", "", found[1])
            yield f"ndarray.{name}{plain}"


def listing() -> str:
    """The list, from the CuPy that is installed."""
    import cupy
    import cupyx

    lines = [
        *functions("", cupy, cupy.ufunc), *functions("linalg.", cupy.linalg, cupy.ufunc),
        *functions("cupyx.", cupyx, cupy.ufunc), *methods(cupy.ndarray),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(listing(), end="")
