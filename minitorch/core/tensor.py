"""Tensor: an array that remembers how it was computed. PyTorch's names; NumPy's `axis` and `keepdims` are understood too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import ops
from ..backend import BACKENDS
from ..ops.elementwise import Add, Div, Mul, Pow, Sub
from ..ops.index import SetItem, plain
from . import location, node
from .hooks import RemovableHandle
from .modes import no_grad, state
from .node import Node, apply, new, tick
from .value import Value

ADD, SUB, MUL, DIV, POW = Add.shared, Sub.shared, Mul.shared, Div.shared, Pow.shared


class Tensor(Node):
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
        self.raw = data
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
    def device(self) -> str:
        """Where the numbers are: "cpu" or "cuda"."""
        return BACKENDS[type(self.raw)].device

    @property
    def data(self) -> Tensor:
        """The same numbers outside the graph: a tensor that shares memory, as `detach()`. Assigning replaces the numbers."""
        return self.detach()

    @data.setter
    def data(self, data: Any) -> None:
        self.raw = data.raw if isinstance(data, Node) else _array(data, self.raw.dtype)
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

    def item(self) -> Any:
        """The one element as a Python number. ValueError for more than one."""
        if self.raw.size != 1:
            raise ValueError(f"item() is for one element; this tensor has shape {self.shape}")
        return self.raw.item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        return self.raw.tolist()

    def numpy(self) -> np.ndarray:
        """The array itself, sharing memory. RuntimeError for a tensor in a graph: use `detach()` first."""
        if self.requires_grad:
            raise RuntimeError("this tensor is in a graph; numpy() would lose it: use .detach().numpy()")
        return self.raw

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        return array.astype(dtype) if dtype is not None and dtype != array.dtype else (array.copy() if copy else array)

    # Its place in the graph

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Ask for a gradient (or not); a leaf of floats only. Returns self."""
        if requires_grad and self.raw.dtype.kind != "f":
            raise RuntimeError(f"only tensors of floats can require a gradient, not {self.raw.dtype}")
        if not requires_grad and self.op is not None:
            raise RuntimeError("a computed tensor always has the gradient its inputs ask for; use detach()")
        self.requires_grad = requires_grad
        return self

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
        out = Tensor(self.raw)
        if self._cell is None:
            self._cell = [0]
        out._cell = self._cell
        return out

    def clone(self) -> Tensor:
        """A copy that passes its gradient on."""
        return ops.clone(self)

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
        return ops.matmul(Tensor(other), self)

    def __neg__(self) -> Any:
        return ops.neg(self)

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Any:
        return ops.abs(self)

    def __iadd__(self, other: Any) -> Any:
        return self._in_place(ADD, other)

    def __isub__(self, other: Any) -> Any:
        return self._in_place(SUB, other)

    def __imul__(self, other: Any) -> Any:
        return self._in_place(MUL, other)

    def __itruediv__(self, other: Any) -> Any:
        return self._in_place(DIV, other)

    def __ipow__(self, other: Any) -> Any:
        return self._in_place(POW, other)

    def _in_place(self, op: Any, other: Any) -> Tensor:
        """`out += x`: a new node where the graph is recorded (the name is rebound to it), an edit elsewhere."""
        if state.recording and (self.requires_grad or getattr(other, "requires_grad", False)):
            return apply(op, self, other)
        with no_grad():
            result = apply(op, self, other)
        if result.shape != self.shape:
            raise ValueError(f"in-place {op.name} would change the shape {self.shape} to {result.shape}")
        self.raw[...] = result.raw
        self.touch()
        return self

    # Parts

    def __getitem__(self, index: Any) -> Any:
        return ops.getitem(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        if state.recording and (self.requires_grad or getattr(value, "requires_grad", False)):
            self._become(apply(SetItem(plain(index)), self._before_edit(), value))
            return
        self.raw[plain(index)] = value.raw if isinstance(value, Node) else value
        self.touch()

    def _before_edit(self) -> Tensor:
        """This tensor's present node as a node of its own, for `x[...] = v` to build on.

        RuntimeError where the old numbers are in use: by a leaf's gradient, or by an operation that has read them.
        """
        name = location.variable_name(self) or "this tensor"
        if self.op is None and self.requires_grad:
            raise RuntimeError(
                f"'{name}' is a leaf that requires a gradient; editing part of it would lose the leaf: "
                f"edit under no_grad(), or edit a copy ({name} = {name}.clone())"
            )
        reader = last_reader(self) if getattr(self, "_read", False) else None
        if reader is not None:
            at = f" at {reader.where[0]}:{reader.where[1]}" if reader.where else ""
            user = reader.op.name if reader.op else "an operation"
            raise RuntimeError(
                f"'{name}' was already read by {user}{at}, which needs the old numbers: edit a copy ({name} = {name}.clone())"
            )
        old: Tensor = new(Tensor)
        for slot in ("raw", "op", "inputs", "stamp", "requires_grad", "_cell", "_grad"):
            setattr(old, slot, getattr(self, slot))
        if getattr(self, "_saved", None) is not None:
            old._saved = self._saved
        return old

    def _become(self, made: Tensor) -> None:
        """Take the place of `made`, a node that nobody else holds."""
        for slot in ("raw", "op", "inputs", "stamp", "requires_grad", "_cell"):
            setattr(self, slot, getattr(made, slot))
        self._read = False

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("a 0-d tensor has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    # Comparisons: tensors of bool, not part of the graph

    def __lt__(self, other: Any) -> Any:
        return Tensor(self.raw < _raw(other))

    def __le__(self, other: Any) -> Any:
        return Tensor(self.raw <= _raw(other))

    def __gt__(self, other: Any) -> Any:
        return Tensor(self.raw > _raw(other))

    def __ge__(self, other: Any) -> Any:
        return Tensor(self.raw >= _raw(other))

    def __eq__(self, other: Any) -> Any:
        return Tensor(self.raw == _raw(other))

    def __ne__(self, other: Any) -> Any:
        return Tensor(self.raw != _raw(other))

    __hash__ = object.__hash__  # a node is found by identity

    def __invert__(self) -> Tensor:
        return Tensor(~self.raw)

    def __and__(self, other: Any) -> Tensor:
        return Tensor(self.raw & _raw(other))

    def __or__(self, other: Any) -> Tensor:
        return Tensor(self.raw | _raw(other))

    def __bool__(self) -> bool:
        if self.raw.size != 1:
            raise ValueError(f"a tensor of shape {self.shape} is not true or false; use .any() or .all()")
        return bool(self.raw)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    # Functions of ops, as methods

    add, sub, mul, div, pow, neg = ops.add, ops.sub, ops.mul, ops.div, ops.pow, ops.neg
    exp, log, sqrt, sin, cos, tanh = ops.exp, ops.log, ops.sqrt, ops.sin, ops.cos, ops.tanh
    sigmoid, relu, abs, sign = ops.sigmoid, ops.relu, ops.abs, ops.sign
    maximum, minimum, matmul = ops.maximum, ops.minimum, ops.matmul
    sum, mean, amax, amin, var = ops.sum, ops.mean, ops.amax, ops.amin, ops.var
    reshape, view, flatten, squeeze, unsqueeze = ops.reshape, ops.reshape, ops.flatten, ops.squeeze, ops.unsqueeze
    transpose, permute, broadcast_to, expand = ops.transpose, ops.permute, ops.broadcast_to, ops.broadcast_to
    softmax, log_softmax = ops.softmax, ops.log_softmax

    def max(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The largest element; with `dim`, (values, indices) along it."""
        return ops.max(self, dim, keepdim)

    def min(self, dim: int | None = None, keepdim: bool = False) -> Any:
        """The smallest element; with `dim`, (values, indices) along it."""
        return ops.min(self, dim, keepdim)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """The position of the largest element, over all (as if flat) or along `dim`."""
        return Tensor(np.asarray(self.raw.argmax(axis=dim, keepdims=keepdim)))

    def any(self) -> Tensor:
        """True if any element is."""
        return Tensor(np.asarray(self.raw.any()))

    def all(self) -> Tensor:
        """True if every element is."""
        return Tensor(np.asarray(self.raw.all()))

    def to(self, dtype: Any) -> Tensor:
        """The elements in another dtype; the gradient returns in this one's."""
        return ops.to(self, np.dtype(dtype))

    def float(self) -> Tensor:
        """The elements as float32."""
        return self.to("float32")

    def double(self) -> Tensor:
        """The elements as float64."""
        return self.to("float64")

    def long(self) -> Tensor:
        """The elements as int64."""
        return self.to("int64")

    def __repr__(self) -> str:
        body = np.array2string(self.raw, separator=", ", precision=4, prefix="tensor(", threshold=100)
        parts = [body]
        if self.raw.dtype not in (np.float32, np.int64, np.bool_):
            parts.append(f"dtype={self.raw.dtype}")
        if self.op is not None:
            parts.append(f"op={self.op.name}")
        elif self.requires_grad:
            parts.append("requires_grad=True")
        return f"tensor({', '.join(parts)})"


def last_reader(tensor: Tensor) -> Node | None:
    """The newest recorded node still alive that has `tensor` as an input.

    Asked only when a tensor that was read is edited in a graph, so it may take the long way: nodes do not point to
    their readers.
    """
    import gc

    readers = [
        owner
        for inputs in gc.get_referrers(tensor)
        if inputs.__class__ is tuple
        for owner in gc.get_referrers(inputs)
        if isinstance(owner, Node) and owner.inputs is inputs
    ]
    return max(readers, key=lambda reader: reader.stamp, default=None)


def _raw(x: Any) -> Any:
    return x.raw if isinstance(x, Node) else x


def _array(data: Any, dtype: Any = None) -> np.ndarray:
    """`data` as a new array; Python floats become float32, PyTorch's default."""
    if isinstance(data, Value):
        raise TypeError("a Value inside a tensor would lose its graph: use minitorch.stack([...]), or its .item()")
    if dtype is None and not hasattr(data, "dtype"):
        _refuse_nodes(data)
        array = np.array(data)
        return array.astype(np.float32) if array.dtype == np.float64 else array
    return np.array(data, dtype)


def _refuse_nodes(data: Any) -> None:
    """TypeError for Values and graph tensors inside lists, which would be turned into plain numbers unasked."""
    if isinstance(data, (list, tuple)):
        for x in data:
            if isinstance(x, Value) or isinstance(x, Tensor) and x.requires_grad:
                raise TypeError(f"a {type(x).__name__} inside a list would lose its graph: use minitorch.stack([...])")
            if isinstance(x, (list, tuple)):
                _refuse_nodes(x)


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False, name: str | None = None) -> Tensor:
    """A new tensor from numbers, nested lists or an array, copied. Python floats become float32, ints int64."""
    if isinstance(data, Tensor):
        data = data.raw
    array = _array(data, dtype)
    if array.dtype == object:
        raise ValueError("tensor() needs numbers, in rows of equal length")
    return Tensor(array, requires_grad, name)


node.TENSOR = Tensor
