"""Runs CUDA kernels on NumPy, all threads of all blocks at once: each variable is an array with a number for every thread (a
"lane"), each statement is done for the lanes that reach it.

What a GPU would get wrong now and then is an error here every time: reading or writing outside an array, dividing whole numbers
by 0, a barrier that only part of a block reaches, shared memory that one thread writes and another reads or overwrites without a
barrier between, two threads that write different numbers to one place, a shuffle with a lane that is elsewhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .arithmetic import CONSTANTS, MATH, SIGNS, common, convert
from .c import Function
from .memory import KernelError, Local, Memory, Pointer, Shared

BOOL = np.dtype("bool")


class Launch:
    """One call of a kernel: its lanes, their memory and their variables."""

    def __init__(self, lanes: int, functions: dict[str, Function], memory: Memory, threads: int, shared_bytes: int = 0) -> None:
        self.lanes, self.functions, self.memory, self.threads = lanes, functions, memory, max(1, threads)
        self.block = np.arange(lanes) // self.threads
        self.blocks = -(-lanes // self.threads)
        self.shared: dict[str, Shared] = {}
        self.shared_bytes = shared_bytes
        self.ended = np.zeros(lanes, bool)
        self.variables: list[dict[str, Any]] = [{}]
        self.loops: list[tuple[np.ndarray, np.ndarray]] = []
        self.returns: list[list[Any]] = []

    def run(self, body: Any, mask: np.ndarray) -> np.ndarray:
        """Do a statement for the lanes of `mask`; returns those that go on after it."""
        return getattr(self, "do_" + body[0])(mask, *body[1:])

    # Statements

    def do_block(self, mask: np.ndarray, statements: list[Any]) -> np.ndarray:
        for statement in statements:
            if not mask.any():
                break
            mask = self.run(statement, mask)
        return mask

    def do_do(self, mask: np.ndarray, x: Any) -> np.ndarray:
        self.value(x, mask)
        return mask

    def do_if(self, mask: np.ndarray, condition: Any, then: Any, otherwise: Any) -> np.ndarray:
        holds = self.truth(condition, mask)
        yes, no = mask & holds, mask & ~holds
        if yes.any():
            yes = self.run(then, yes)
        if otherwise is not None and no.any():
            no = self.run(otherwise, no)
        return yes | no

    def do_loop(self, mask: np.ndarray, first: Any, condition: Any, step: Any, body: Any) -> np.ndarray:
        left = np.zeros(self.lanes, bool)  # by a break or because the condition failed
        mask = self.run(first, mask)
        while mask.any():
            if condition is not None:
                holds = self.truth(condition, mask)
                left |= mask & ~holds
                mask = mask & holds
                if not mask.any():
                    break
            self.loops.append((np.zeros(self.lanes, bool), np.zeros(self.lanes, bool)))
            mask = self.run(body, mask)
            broken, continued = self.loops.pop()
            left |= broken
            mask = mask | continued
            if step is not None and mask.any():
                self.value(step, mask)
        return left

    def do_break(self, mask: np.ndarray) -> np.ndarray:
        self.loops[-1][0][mask] = True
        return np.zeros_like(mask)

    def do_continue(self, mask: np.ndarray) -> np.ndarray:
        self.loops[-1][1][mask] = True
        return np.zeros_like(mask)

    def do_return(self, mask: np.ndarray, x: Any) -> np.ndarray:
        if self.returns:
            held = self.returns[-1]
            if x is not None:
                held.append((mask, self.value(x, mask)))
        else:
            self.ended |= mask
        return np.zeros_like(mask)

    def do_declare(self, mask: np.ndarray, kind: Any, name: str, size: Any, shared: bool, start: Any) -> np.ndarray:
        dtype = np.dtype(kind[0])
        if shared:
            if name not in self.shared:
                count = int(self.value(size, mask))
                count = count or self.shared_bytes // dtype.itemsize
                self.shared[name] = Shared(self.blocks, count, dtype)
            self.variables[-1][name] = self.shared[name]
        elif size is not None:
            self.variables[-1][name] = Local(self.lanes, int(self.value(size, mask)), dtype)
        elif kind[1]:
            self.variables[-1][name] = self.cast(kind, self.value(start, mask))
        else:
            held = self.variables[-1].get(name)
            made = np.zeros(self.lanes, dtype) if held is None or held.dtype != dtype else held
            self.variables[-1][name] = made
            if start is not None:
                value = convert(self.value(start, mask), dtype)
                self.variables[-1][name] = value if mask.all() and value.ndim else np.where(mask, value, made)
        return mask

    # Expressions

    def truth(self, x: Any, mask: np.ndarray) -> np.ndarray:
        return np.broadcast_to(convert(self.value(x, mask), BOOL), mask.shape)

    def value(self, x: Any, mask: np.ndarray) -> Any:
        return getattr(self, "of_" + x[0])(mask, *x[1:])

    def of_number(self, mask: np.ndarray, value: Any) -> Any:
        return value

    def of_name(self, mask: np.ndarray, name: str) -> Any:
        found = self.variables[-1].get(name)
        if found is None:
            found = CONSTANTS.get(name)
        if found is None:
            raise KernelError(f"the kernel does not know {name}")
        return found

    def of_unary(self, mask: np.ndarray, sign: str, x: Any) -> Any:
        if sign == "*":
            return self.load(self.value(x, mask), mask)
        if sign == "&":
            _, array, index = x
            return self.moved(self.value(array, mask), self.value(index, mask))
        value = self.value(x, mask)
        if sign == "!":
            return ~convert(value, BOOL)
        value = convert(value, common(value, np.int32(0)))
        return -value if sign == "-" else ~value if sign == "~" else value

    def of_binary(self, mask: np.ndarray, sign: str, a: Any, b: Any) -> Any:
        left = self.value(a, mask)
        if sign in ("&&", "||"):  # the right side only where it is asked
            holds = np.broadcast_to(convert(left, BOOL), mask.shape)
            asked = mask & holds if sign == "&&" else mask & ~holds
            if not asked.any():
                return holds
            right = np.broadcast_to(convert(self.value(b, asked), BOOL), mask.shape)
            return holds & right if sign == "&&" else holds | right & asked
        right = self.value(b, mask)
        if sign == ",":
            return right
        if isinstance(left, Pointer):
            return self.moved(left, right if sign == "+" else -right)
        if sign in ("<<", ">>"):
            dtype = common(left, np.int32(0))
            return np.asarray(SIGNS[sign](convert(left, dtype), convert(right, dtype)))
        dtype = common(left, right)
        left, right = convert(left, dtype), convert(right, dtype)
        if sign in ("/", "%") and dtype.kind in "iu":
            zero = right == 0
            if zero.any():
                if (zero & mask).any():
                    raise KernelError("a whole number is divided by 0")
                right = np.where(zero, right.dtype.type(1), right)
            whole = left // right
            if left.size and right.size and (left.min() < 0 or right.min() < 0):  # C rounds towards 0, // down
                whole = (left - np.fmod(left, right)) // right
            return left - whole * right if sign == "%" else whole
        return SIGNS[sign](left, right)

    def of_choose(self, mask: np.ndarray, condition: Any, a: Any, b: Any) -> Any:
        holds = self.truth(condition, mask)
        if mask.all() and a[0] == b[0] == "number":
            return np.where(holds, *(convert(x[1], common(a[1], b[1])) for x in (a, b)))
        yes, no = mask & holds, mask & ~holds
        left = self.value(a, yes) if yes.any() else None
        right = self.value(b, no) if no.any() else None
        if left is None or right is None:
            return right if left is None else left
        dtype = common(left, right) if np.asarray(left).dtype != np.asarray(right).dtype else np.asarray(left).dtype
        return np.where(holds, convert(left, dtype), convert(right, dtype))

    def of_cast(self, mask: np.ndarray, kind: Any, x: Any) -> Any:
        return self.cast(kind, self.value(x, mask))

    def cast(self, kind: Any, value: Any) -> Any:
        if not kind[1]:
            return convert(value, np.dtype(kind[0]))
        address = value.address if isinstance(value, Pointer) else np.asarray(value).astype(np.int64)
        return Pointer(address, np.dtype(kind[0]))

    def of_step(self, mask: np.ndarray, sign: str, to: Any, before: bool) -> Any:
        old = np.array(self.value(to, mask))
        new = self.of_set(mask, sign[0], to, ("number", np.int32(1)))
        return new if before else old

    def of_set(self, mask: np.ndarray, sign: str, to: Any, x: Any) -> Any:
        value = self.value(x, mask)
        if sign:
            old = ("number", self.value(to, mask))
            value = self.of_binary(mask, sign, old, ("number", value))
        if to[0] == "name":
            held = self.variables[-1][to[1]]
            if isinstance(held, Pointer):
                self.variables[-1][to[1]] = Pointer(np.where(mask, value.address, held.address), held.dtype)
                return value
            value = convert(value, held.dtype)
            self.variables[-1][to[1]] = value if mask.all() and value.ndim else np.where(mask, value, held)
            return value
        if to[0] == "unary" and to[1] == "*":
            self.store(self.value(to[2], mask), value, mask)
        else:
            array, index = self.value(to[1], mask), self.value(to[2], mask)
            self.put(array, index, value, mask)
        return value

    def of_index(self, mask: np.ndarray, array: Any, index: Any) -> Any:
        held, at = self.value(array, mask), np.broadcast_to(self.value(index, mask), mask.shape)
        if isinstance(held, Pointer):
            return self.load(self.moved(held, at), mask)
        lane = np.arange(self.lanes) if isinstance(held, Local) else self.block
        lanes = np.flatnonzero(mask)
        rows, places = lane[lanes], at[lanes].astype(np.int64)
        self.inside(held, places)
        out = np.zeros(self.lanes, held.data.dtype)
        out[lanes] = held.data[rows, places]
        if isinstance(held, Shared):
            writer = held.writer[rows, places]
            if ((writer != -1) & (writer != lanes)).any():
                raise KernelError("shared memory is read that another thread wrote, without a barrier between")
            held.reader[rows, places] = np.where(np.isin(held.reader[rows, places], (-1,)), lanes, -2)
            order = np.lexsort((places, rows))
            same = (np.diff(rows[order]) == 0) & (np.diff(places[order]) == 0)
            held.reader[rows[order][1:][same], places[order][1:][same]] = -2
        return out

    def inside(self, held: Any, places: np.ndarray) -> None:
        if len(places) and not (0 <= places.min() and places.max() < held.data.shape[1]):
            raise KernelError(f"element {places.max()} or {places.min()} of an array of {held.data.shape[1]}")

    def put(self, held: Any, index: Any, value: Any, mask: np.ndarray) -> None:
        at = np.broadcast_to(index, mask.shape)
        if isinstance(held, Pointer):
            return self.store(self.moved(held, at), value, mask)
        lanes = np.flatnonzero(mask)
        rows, places = (np.arange(self.lanes) if isinstance(held, Local) else self.block)[lanes], at[lanes].astype(np.int64)
        self.inside(held, places)
        if isinstance(held, Shared):
            for seen in (held.writer[rows, places], held.reader[rows, places]):
                if ((seen != -1) & (seen != lanes)).any():
                    raise KernelError("shared memory is overwritten that another thread touched, without a barrier between")
            held.writer[rows, places] = lanes
            if len({*zip(rows.tolist(), places.tolist())}) != len(rows):
                raise KernelError("two threads write one element of shared memory")
        held.data[rows, places] = np.broadcast_to(convert(value, held.data.dtype), mask.shape)[lanes]

    def moved(self, pointer: Pointer, by: Any) -> Pointer:
        return Pointer(pointer.address + np.asarray(by).astype(np.int64) * pointer.dtype.itemsize, pointer.dtype)

    def load(self, pointer: Pointer, mask: np.ndarray) -> np.ndarray:
        addresses = np.broadcast_to(pointer.address, mask.shape)
        if mask.all():
            alike = self.memory.whole(addresses, pointer.dtype)
            if alike is not None:
                return alike[0][alike[1]]
        lanes = np.flatnonzero(mask)
        out = np.zeros(self.lanes, pointer.dtype)
        for data, places, which in self.memory.groups(addresses[lanes], pointer.dtype, "a read"):
            out[lanes[which]] = data[places]
        return out

    def store(self, pointer: Pointer, value: Any, mask: np.ndarray) -> None:
        lanes = np.flatnonzero(mask)
        addresses = np.broadcast_to(pointer.address, mask.shape)[lanes]
        numbers = np.broadcast_to(convert(value, pointer.dtype), mask.shape)[lanes]
        for data, places, which in self.memory.groups(addresses, pointer.dtype, "a write"):
            data[places] = numbers[which]
            kept = data[places]
            if not np.array_equal(kept, numbers[which], equal_nan=kept.dtype.kind == "f"):
                raise KernelError("two threads write different numbers to one place")

    # Functions

    def of_member(self, mask: np.ndarray, x: Any, name: str) -> Any:
        return self.value(x, mask)[name]

    def of_call(self, mask: np.ndarray, function: Any, arguments: list[Any]) -> Any:
        if function[0] == "member":
            return self.value(function, mask)(*[self.value(a, mask) for a in arguments])
        name = function[1]
        if name in ("__syncthreads", "__syncwarp"):
            if name == "__syncthreads":
                self.barrier(mask)
            return np.int32(0)
        given = [self.value(a, mask) for a in arguments]
        if name in self.functions:
            return self.inner(self.functions[name], given, mask)
        if name == "atomicAdd":
            return self.add_to(given[0], given[1], mask)
        if name.startswith("__shfl"):
            return self.shuffled(name, given[1], int(np.max(given[2])), mask)
        if name not in MATH:
            raise KernelError(f"the double has no function {name}; enter it in arithmetic.py")
        return MATH[name](*given)

    def inner(self, function: Function, given: list[Any], mask: np.ndarray) -> Any:
        scope = {}
        for (kind, name), x in zip(function.parameters, given, strict=True):
            x = x if isinstance(x, (Shared, Local)) else self.cast(kind, x)
            scope[name] = np.array(np.broadcast_to(x, mask.shape)) if isinstance(x, (np.ndarray, np.generic)) else x
        for name in ("threadIdx", "blockIdx", "blockDim", "gridDim"):
            if name in self.variables[-1]:
                scope[name] = self.variables[-1][name]
        self.variables.append(scope)
        self.returns.append([])
        self.run(function.body, mask)
        self.variables.pop()
        out = None
        for where, value in self.returns.pop():
            value = convert(value, np.dtype(function.result[0]))
            out = np.array(np.broadcast_to(value, mask.shape)) if out is None else np.where(where, value, out)
        return out

    def barrier(self, mask: np.ndarray) -> None:
        meant = ~self.ended
        if not np.array_equal(mask, meant & np.isin(self.block, self.block[mask])):
            raise KernelError("a barrier that only part of a block reaches")
        if self.ended[np.isin(self.block, self.block[mask])].any():
            raise KernelError("a barrier after part of the block has returned")
        for shared in self.shared.values():
            shared.barrier()

    def add_to(self, pointer: Any, value: Any, mask: np.ndarray) -> np.ndarray:
        lanes = np.flatnonzero(mask)
        addresses = np.broadcast_to(pointer.address, mask.shape)[lanes]
        numbers = np.broadcast_to(convert(value, pointer.dtype), mask.shape)[lanes]
        for data, places, which in self.memory.groups(addresses, pointer.dtype, "an atomicAdd"):
            np.add.at(data, places, numbers[which])
        return np.full(self.lanes, np.nan if pointer.dtype.kind == "f" else 0, pointer.dtype)  # the old value is chance

    def shuffled(self, name: str, value: Any, by: int, mask: np.ndarray) -> np.ndarray:
        lane = np.arange(self.lanes) % self.threads
        first = np.arange(self.lanes) - lane % 32
        other = {"__shfl_xor_sync": lane % 32 ^ by, "__shfl_down_sync": lane % 32 + by, "__shfl_sync": lane * 0 + by}[name]
        other = np.where(other < 32, other, lane % 32)
        source = first + other
        if (mask & ((source >= self.lanes) | ~mask[np.minimum(source, self.lanes - 1)])).any():
            raise KernelError(f"{name} with a lane that does not take part")
        return np.broadcast_to(value, mask.shape)[np.minimum(source, self.lanes - 1)]
