"""Tensor: an array that remembers how it was computed. PyTorch's names; NumPy's `axis` and `keepdims` are understood too."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import ops
from ..backend import BACKENDS
from ..backend.gpus import beside
from ..ops.elementwise import Add, Div, Mul, Pow, Sub
from . import node
from .apply import apply
from .conversions import Conversions
from .data import NUMBERS, array_of, numeric
from .departures import note
from .device import corners, device_of, host, moved, pinned
from .dtypes import get_default_dtype
from .grad_fn import GradFn, grad_fn
from .hooks import RemovableHandle
from .inplace import InPlace
from .methods import Methods
from .modes import watched
from .node import Node, new, tick
from .value import Value

PRINTED = 100
"""Elements; of larger tensors the repr shows the corners."""

ADD, SUB, MUL, DIV, POW = Add.shared, Sub.shared, Mul.shared, Div.shared, Pow.shared


class Tensor(Methods, InPlace, Conversions, Node):  # type: ignore[misc]  # its `where` is PyTorch's, not a Node's place
    """An array in a graph. `Tensor(array)` wraps without copying; `tensor(data)` copies and chooses the dtype.

    Operations on a tensor with `requires_grad` are recorded; `backward()` of a result adds the gradient to `.grad` of
    every such leaf. In-place arithmetic (`out += x`) makes a new node where the graph is recorded, and edits elsewhere.
    """

    __slots__ = ("requires_grad", "_cell", "__dict__")

    _grad: Tensor | None
    keeps_grad = False
    """Set by retain_grad(): this interior node receives `.grad` too."""

    def __init__(self, data: Any, requires_grad: bool = False, name: str | None = None) -> None:
        if isinstance(data, Node):
            data = data.raw
        if data.__class__ not in BACKENDS:
            data = np.asarray(data) if hasattr(data, "dtype") else _array(data)
        self.raw = data if data.dtype.kind in NUMBERS else numeric(data)
        self.op = None
        self.inputs = ()
        self.stamp = tick()
        self._cell = None
        self._grad = None
        self.requires_grad = False
        if requires_grad:
            self.requires_grad_()
        if name is not None:
            self._name = name

    # What it is

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self.raw.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.raw.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """The kind of number (`minitorch.float32`, ...)."""
        return self.raw.dtype

    @property
    def data(self) -> Tensor:
        """The same numbers outside the graph: a tensor that shares memory, as `detach()`. Assigning replaces the numbers."""
        return self.detach()

    @data.setter
    def data(self, data: Any) -> None:
        self.raw = data.raw if isinstance(data, Node) else moved(_array(data, self.raw.dtype), device_of(self.raw))
        self._cell = [tick()]

    @property
    def grad(self) -> Tensor | None:
        """The gradient, added up over backward calls; None before any arrived."""
        return self._grad

    @grad.setter
    def grad(self, grad: Tensor | None) -> None:
        if grad is not None:
            if not isinstance(grad, Tensor):
                raise TypeError(f"grad is a Tensor or None, not {type(grad).__name__}")
            if grad.shape != self.shape:
                raise ValueError(f"grad has shape {grad.shape}, its tensor {self.shape}")
        self._grad = grad

    @property
    def T(self) -> Tensor:
        """The axes in reverse order."""
        return self.permute(tuple(reversed(range(self.ndim))))

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
        return self.transpose(-1, -2)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the length of one axis."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """The number of axes."""
        return self.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self.raw.size

    ndimension, nelement = dim, numel

    # Its place in the graph

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask for a gradient (or not); a leaf of floats only. Returns self."""
        if requires_grad and self.raw.dtype.kind != "f":
            raise RuntimeError(f"only tensors of floats can require a gradient, not {self.raw.dtype}")
        if not requires_grad and self.op is not None:
            raise RuntimeError("a computed tensor always has the gradient its inputs ask for; use detach()")
        self.requires_grad = requires_grad
        return self

    @property
    def grad_fn(self) -> GradFn | None:
        """The step backwards from this tensor, as PyTorch shows it (`<MulBackward0>`); None for a leaf."""
        return grad_fn(self) if self.op is not None else None

    def retain_grad(self) -> None:
        """Keep `.grad` of this computed tensor too when backward passes through it."""
        self.keeps_grad = True

    def register_hook(self, hook: Any) -> RemovableHandle:
        """Call `hook(grad)` whenever this tensor's gradient is complete; what it returns, unless None, takes its place."""
        if not self.requires_grad:
            raise RuntimeError("a hook needs a gradient to see: this tensor does not require one")
        if self.backward_hooks is None:
            self.backward_hooks = {}
        return RemovableHandle(self.backward_hooks, hook)

    def backward(self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False) -> None:
        """Add to `.grad` of every leaf the gradient of this tensor (one element, or `gradient` says with what weights)."""
        from .backward import backward

        backward(self, gradient, retain_graph, create_graph)

    def detach(self) -> Tensor:
        """The same numbers, sharing memory, cut off from the graph; an edit of one is noticed through the other."""
        if watched:
            note(self, "detach")
        out = Tensor(self.raw)
        if self._cell is None:
            self._cell = [0]
        out._cell = self._cell
        return out

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """How copy.copy and pickle see it: a leaf with these numbers (shared by a copy), and a creation stamp of its own."""
        attributes = {key: value for key, value in self.__dict__.items() if key != "backward_hooks"}
        return _restored, (type(self), self.raw, self.requires_grad, self.name, attributes)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        """A leaf with numbers of its own. RuntimeError for a computed tensor, whose graph stays where it is."""
        if self.op is not None:
            raise RuntimeError(f"a tensor computed by {self.op.name} cannot be deep-copied: copy .detach().clone()")
        made = new(type(self))
        memo[id(self)] = made
        with beside(self.raw):
            Tensor.__init__(made, self.raw.copy(), self.requires_grad, self.name)
        made._grad = copy.deepcopy(self._grad, memo)
        made.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return made

    def detach_(self) -> Tensor:
        """Cut this tensor itself off from the graph: a leaf from now on, that needs no gradient. Returns self."""
        self.op, self.inputs, self.requires_grad = None, (), False
        return self

    def touch(self) -> None:
        """Note that the numbers were edited in place: who read them before and needs them for a gradient will say so."""
        if self._cell is None:
            self._cell = [0]
        self._cell[0] = tick()

    # Arithmetic

    def __add__(self, other: Any) -> Any:
        return apply(ADD, self, other)

    def __radd__(self, other: Any) -> Any:
        return apply(ADD, other, self)

    def __sub__(self, other: Any) -> Any:
        return apply(SUB, self, other)

    def __rsub__(self, other: Any) -> Any:
        return apply(SUB, other, self)

    def __mul__(self, other: Any) -> Any:
        return apply(MUL, self, other)

    def __rmul__(self, other: Any) -> Any:
        return apply(MUL, other, self)

    def __truediv__(self, other: Any) -> Any:
        return apply(DIV, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return apply(DIV, other, self)

    def __pow__(self, other: Any) -> Any:
        return apply(POW, self, other)

    def __rpow__(self, other: Any) -> Any:
        return apply(POW, other, self)

    def __matmul__(self, other: Any) -> Any:
        return ops.matmul(self, other if isinstance(other, Tensor) else Tensor(other))

    def __rmatmul__(self, other: Any) -> Any:
        return ops.matmul(other if isinstance(other, Tensor) else Tensor(other), self)

    def __neg__(self) -> Any:
        return ops.neg(self)

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Any:
        return ops.abs(self)

    def __mod__(self, other: Any) -> Any:
        return ops.remainder(self, other)

    def __rmod__(self, other: Any) -> Any:
        return ops.remainder(other, self)

    def __floordiv__(self, other: Any) -> Any:
        return ops.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return ops.floor_divide(other, self)

    def __getitem__(self, index: Any) -> Any:
        return ops.getitem(self, index)

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("a 0-d tensor has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    # Comparisons: tensors of bool, not part of the graph

    __lt__, __le__, __gt__, __ge__ = ops.lt, ops.le, ops.gt, ops.ge

    def __eq__(self, other: Any) -> Any:
        return ops.eq(self, other) if is_number(other) else NotImplemented

    def __ne__(self, other: Any) -> Any:
        return ops.ne(self, other) if is_number(other) else NotImplemented

    __hash__ = object.__hash__  # a node is found by identity

    __invert__ = ops.bitwise_not
    __and__ = __rand__ = ops.bitwise_and
    __or__ = __ror__ = ops.bitwise_or
    __xor__ = __rxor__ = ops.bitwise_xor
    __lshift__, __rshift__ = ops.bitwise_left_shift, ops.bitwise_right_shift

    def __bool__(self) -> bool:
        if self.raw.size != 1:
            raise ValueError(f"a tensor of shape {self.shape} is not true or false; use .any() or .all()")
        return bool(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.raw.dtype.kind not in "iub":
            raise TypeError(f"an index is a whole number, not {self.raw.dtype}")
        return int(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    def __repr__(self) -> str:
        summed_up = PRINTED if self.raw.size <= PRINTED else 0
        shown = host(self.raw if summed_up else corners(self.raw, 3))
        body = np.array2string(shown, separator=", ", precision=4, prefix="tensor(", threshold=summed_up, edgeitems=3)
        parts = [body]
        if self.raw.dtype not in (np.float32, np.int64, np.bool_):
            parts.append(f"dtype={self.raw.dtype}")
        if self.op is not None:
            parts.append(f"op={self.op.name}")
        elif self.requires_grad:
            parts.append("requires_grad=True")
        return f"tensor({', '.join(parts)})"


def _restored(kind: type[Tensor], raw: Any, requires_grad: bool, name: str | None, attributes: dict[str, Any]) -> Tensor:
    made: Tensor = new(kind)
    Tensor.__init__(made, raw, requires_grad, name)
    made.__dict__.update(attributes)
    return made


def is_number(x: Any) -> bool:
    """Whether a tensor can be compared with `x` element by element."""
    return isinstance(x, (Node, int, float, np.generic)) or type(x) in BACKENDS


def _array(data: Any, dtype: Any = None) -> np.ndarray:
    """`data` as a new array; Python floats become the default dtype."""
    if isinstance(data, Value):
        raise TypeError("a Value inside a tensor would lose its graph: use minitorch.stack([...]), or its .item()")
    if dtype is None and not hasattr(data, "dtype"):
        _refuse_nodes(data)
        array = array_of(data)
        return array.astype(get_default_dtype()) if array.dtype == np.float64 else array
    return array_of(data, dtype)


def _refuse_nodes(data: Any) -> None:
    """TypeError for Values and graph tensors inside lists, which would be turned into plain numbers unasked."""
    if isinstance(data, (list, tuple)):
        for x in data:
            if isinstance(x, Value) or isinstance(x, Tensor) and x.requires_grad:
                raise TypeError(f"a {type(x).__name__} inside a list would lose its graph: use minitorch.stack([...])")
            if isinstance(x, (list, tuple)):
                _refuse_nodes(x)


def tensor(
    data: Any, dtype: Any = None, requires_grad: bool = False, name: str | None = None, *, device: Any = None,
    pin_memory: bool = False,
) -> Tensor:  # fmt: skip
    """A new tensor from numbers, nested lists or an array, copied. Python floats become float32, ints int64.

    It is on `device`; without one where a given tensor is, else in main memory (`pin_memory`: as GPUs fetch it fastest).
    """
    if isinstance(data, Tensor):
        data = data.raw
    elif type(data) not in BACKENDS:
        data = _array(data, dtype)
    with beside(data):
        array = numeric(data).astype(data.dtype if dtype is None else dtype)
    if device is not None:
        array = moved(array, device)
    return Tensor(pinned(array) if pin_memory else array, requires_grad, name)


node.TENSOR = Tensor
