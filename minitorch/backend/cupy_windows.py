"""Kernels that move a window over the spatial axes, written out for one number of axes at a time.

All sizes are arguments: a new shape compiles nothing. Per axis a: length `l`, kernel `k`, positions `p`, stride `s`, border
before `b`, dilation `d`. In the loops that are written here, `at` counts through memory and `tap` through the window.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cupy

Sizes = tuple[int, ...]


def kernel(name: str, axes: int, index: str, inputs: str, outputs: str, lines: Iterable[str], fixed: str = "") -> Any:
    """An ElementwiseKernel with the sizes as its last inputs; `fixed` names more of them, in front."""
    kind = "int32" if index == "int" else "int64"
    names = [*fixed.split(), *(f"{name}{a}" for name in "lkpsbd" for a in range(axes))]
    sizes = ", ".join(f"{kind} {name}" for name in names)
    return cupy.ElementwiseKernel(f"{inputs}, {sizes}", outputs, "\n".join(lines), f"minitorch_{name}_{axes}")


def numbers(size: Sizes, window: Sizes, positions: Sizes, stride: Sizes, padding: Any, dilation: Sizes) -> Sizes:
    """The sizes in the order in which the kernels take them."""
    return (*size, *window, *positions, *stride, *(before for before, _ in padding), *dilation)


def index_type(*arrays: Any) -> str:
    """The type that counts through the arrays: whole numbers of 64 bits are divided several times slower."""
    return "int" if max(a.size for a in arrays) < 2**31 else "long long"


def each_in_window(axes: int, index: str, body: str) -> list[str]:
    """For element i of (planes, *positions): `body` for each element `at` of x (planes, *size) in its window."""
    lines = [f"{index} rest = i;"]
    for a in reversed(range(axes)):
        lines.append(f"{index} start{a} = rest % p{a} * s{a} - b{a}; rest /= p{a};")
    lines.append("int tap = -1;")
    for a in range(axes):
        lines.append(f"for (int t{a} = 0; t{a} < k{a}; ++t{a}) {{")
    lines += ["++tap;", f"{index} at = rest;"]
    for a in range(axes):
        lines += [
            f"{index} x{a} = start{a} + t{a} * d{a};", f"if (x{a} < 0 || x{a} >= l{a}) continue;", f"at = at * l{a} + x{a};"
        ]  # fmt: skip
    return [*lines, body, "}" * axes]


def each_window_over(axes: int, index: str, body: str) -> list[str]:
    """For element i of (planes, *size): `body` for each window `at` of (planes, *positions) that it lies in, as the window's
    element number `tap`. Gathered, so that nobody writes where another does, and the order is always the same."""
    lines = [f"{index} rest = i;"]
    for a in reversed(range(axes)):
        lines.append(f"{index} x{a} = rest % l{a} + b{a}; rest /= l{a};")
    for a in range(axes):
        lines += [
            f"for (int t{a} = 0; t{a} < k{a}; ++t{a}) {{", f"{index} off{a} = x{a} - t{a} * d{a};",
            f"if (off{a} < 0 || off{a} % s{a} != 0 || off{a} / s{a} >= p{a}) continue;",
        ]  # fmt: skip
    lines += [f"{index} at = rest;", "int tap = 0;"]
    lines += [f"at = at * p{a} + off{a} / s{a}; tap = tap * k{a} + t{a};" for a in range(axes)]
    return [*lines, body, "}" * axes]
