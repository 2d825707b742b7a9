"""Reads the part of CUDA C++ that the kernels are written in, into nested tuples.

Expressions: ("number", value), ("name", n), ("unary", sign, x), ("binary", sign, a, b), ("choose", c, a, b), ("set", sign, to, x),
("step", sign, to, before), ("call", name, arguments), ("index", array, i), ("member", x, name), ("cast", type, x).
Statements: ("declare", type, name, size, shared, start), ("do", x), ("if", c, a, b), ("loop", first, c, step, body),
("block", list), ("return", x), ("break",), ("continue",). A type is (name of a dtype, whether a pointer).
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

TYPES = {
    "void": "void", "bool": "bool", "char": "int8", "short": "int16", "int": "int32", "long": "int64", "float": "float32",
    "double": "float64", "size_t": "uint64", "ptrdiff_t": "int64", "int8": "int8", "uint8": "uint8", "int16": "int16",
    "int32": "int32", "int64": "int64", "uint32": "uint32", "uint64": "uint64", "uint16": "uint16", "float16": "float16",
    "float32": "float32", "float64": "float64", "bool_": "bool",
}  # fmt: skip
IGNORED = {"const", "__restrict__", "static", "inline", "__forceinline__", "__device__", "__global__", "volatile"}
TOKEN = re.compile(
    r"""\s*(?:(0[xX][0-9a-fA-F]+[uUlL]*|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?[fFuUlL]*)|([A-Za-z_]\w*)|("C")
    |(<<=|>>=|\+\+|--|&&|\|\||<<|>>|[-+*/%&|^<>=!]=|->|::|[-+*/%&|^<>=!~?:;,.(){}\[\]]))""",
    re.VERBOSE,
)
LEVELS = (("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", ">", "<=", ">="), ("<<", ">>"), ("+", "-"), ("*", "/", "%"))


class Function(NamedTuple):
    name: str
    result: tuple[str, bool]
    parameters: list[tuple[tuple[str, bool], str]]
    body: Any


def parse(source: str, types: dict[str, str] | None = None) -> dict[str, Function]:
    """The functions of a source, by name. `types` says what T and its like stand for."""
    reader = Reader(source, types or {})
    found = {}
    while reader.more():
        function = reader.function()
        if function is not None:
            found[function.name] = function
    return found


def parse_body(source: str, types: dict[str, str]) -> Any:
    """Statements, as the body of an ElementwiseKernel has them."""
    reader = Reader("{" + source + "\n;}", types)
    return reader.statement()


class Reader:
    def __init__(self, source: str, types: dict[str, str]) -> None:
        source = re.sub(r"//[^\n]*|/\*.*?\*/", " ", source, flags=re.S)
        macros = dict(re.findall(r"^\s*#define\s+(\w+)\s+(.+)$", source, re.M))
        source = re.sub(r"^\s*#.*$", "", source, flags=re.M)
        for name, text in macros.items():
            source = re.sub(rf"\b{name}\b", f"({text})", source)
        self.tokens: list[str] = []
        at = 0
        while source[at:].strip():
            match = TOKEN.match(source, at)
            if match is None:
                raise SyntaxError(f"not read: {source[at:at + 40]!r}")
            self.tokens.append(match.group().strip())
            at = match.end()
        self.at = 0
        self.types = {**TYPES, **types}

    def more(self) -> bool:
        return self.at < len(self.tokens)

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def take(self, wanted: str | None = None) -> str:
        token = self.peek()
        if wanted is not None and token != wanted:
            near = " ".join(self.tokens[max(0, self.at - 8) : self.at + 3])
            raise SyntaxError(f"{wanted!r} is missing at: {near}")
        self.at += 1
        return token

    def ate(self, token: str) -> bool:
        if self.peek() == token:
            self.at += 1
            return True
        return False

    def at_type(self) -> bool:
        token = self.peek()
        return token in IGNORED or token in ("unsigned", "signed") or token in self.types and self.peek(1) not in ("(",)

    def type(self) -> tuple[str, bool]:
        words, pointer = [], False
        while True:
            token = self.peek()
            if token in IGNORED:
                self.at += 1
            elif token in ("unsigned", "signed", "long") or token in self.types and not words or words == ["unsigned"] and token in TYPES:
                words.append(self.take())
            elif token == "*" and words:
                self.at += 1
                pointer = True
            else:
                break
        base = next((w for w in words if w not in ("unsigned", "signed")), "int")
        name = self.types[base]
        return ("u" + name if "unsigned" in words else name), pointer

    def function(self) -> Function | None:
        if self.ate("typedef"):
            kind, _ = self.type()
            self.types[self.take()] = kind
            self.take(";")
            return None
        if self.ate("extern"):
            self.take('"C"')
        while self.peek() in IGNORED or self.peek() == "__launch_bounds__":
            if self.take() == "__launch_bounds__":
                while self.take() != ")":
                    pass
        result = self.type()
        if self.peek() == "__launch_bounds__":
            while self.take() != ")":
                pass
        name = self.take()
        self.take("(")
        parameters = []
        while not self.ate(")"):
            kind = self.type()
            parameters.append((kind, self.take()))
            self.ate(",")
        return Function(name, result, parameters, self.statement())

    def statement(self) -> Any:
        token = self.peek()
        if token == "{":
            self.take()
            body = []
            while not self.ate("}"):
                body.append(self.statement())
            return ("block", body)
        if self.ate(";"):
            return ("block", [])
        if self.ate("if"):
            self.take("(")
            condition = self.expression()
            self.take(")")
            then = self.statement()
            return ("if", condition, then, self.statement() if self.ate("else") else None)
        if self.ate("for"):
            self.take("(")
            first = self.statement()
            condition = None if self.peek() == ";" else self.expression()
            self.take(";")
            step = None if self.peek() == ")" else self.expression()
            self.take(")")
            return ("loop", first, condition, step, self.statement())
        if self.ate("while"):
            self.take("(")
            condition = self.expression()
            self.take(")")
            return ("loop", ("block", []), condition, None, self.statement())
        if token in ("break", "continue"):
            self.take()
            self.take(";")
            return (token,)
        if self.ate("return"):
            value = None if self.peek() == ";" else self.expression()
            self.take(";")
            return ("return", value)
        if token in ("__shared__", "extern") or self.at_type():
            return self.declaration()
        value = self.expression()
        self.take(";")
        return ("do", value)

    def declaration(self) -> Any:
        self.ate("extern")
        shared = self.ate("__shared__")
        kind = self.type()
        made = []
        while True:
            pointer = self.ate("*")
            name, size, start = self.take(), None, None
            if self.ate("["):
                size = ("number", np.int32(0)) if self.peek() == "]" else self.expression()
                self.take("]")
            if self.ate("="):
                start = self.assignment()
            elif self.ate("("):
                start = self.expression()
                self.take(")")
            made.append(("declare", (kind[0], kind[1] or pointer), name, size, shared, start))
            if not self.ate(","):
                break
        self.take(";")
        return ("block", made)

    def expression(self) -> Any:
        value = self.assignment()
        while self.ate(","):
            value = ("binary", ",", value, self.assignment())
        return value

    def assignment(self) -> Any:
        left = self.choice()
        token = self.peek()
        if token in ("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="):
            self.take()
            return ("set", token[:-1], left, self.assignment())
        return left

    def choice(self) -> Any:
        condition = self.binary(0)
        if self.ate("?"):
            a = self.assignment()
            self.take(":")
            return ("choose", condition, a, self.assignment())
        return condition

    def binary(self, level: int) -> Any:
        if level == len(LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while self.peek() in LEVELS[level]:
            sign = self.take()
            left = ("binary", sign, left, self.binary(level + 1))
        return left

    def unary(self) -> Any:
        token = self.peek()
        if token in ("-", "+", "!", "~", "*", "&"):
            self.take()
            return ("unary", token, self.unary())
        if token in ("++", "--"):
            self.take()
            return ("step", token, self.unary(), True)
        if token == "(":
            here = self.at
            self.take()
            if self.peek() in self.types or self.peek() in ("const", "unsigned"):
                kind = self.type()
                if self.ate(")"):
                    return ("cast", kind, self.unary())
            self.at = here
        return self.postfix()

    def postfix(self) -> Any:
        token = self.peek()
        value: Any
        if self.ate("("):
            value = self.expression()
            self.take(")")
        elif token in ("static_cast", "reinterpret_cast"):
            self.take()
            self.take("<")
            kind = self.type()
            self.take(">")
            self.take("(")
            value = ("cast", kind, self.expression())
            self.take(")")
        elif token in self.types or token == "unsigned":  # T(x)
            kind = self.type()
            self.take("(")
            value = ("cast", kind, self.expression())
            self.take(")")
        elif token[0].isdigit() or token[0] == "." and len(token) > 1:
            value = ("number", number(self.take()))
        else:
            value = ("name", self.take())
        while True:
            if self.ate("["):
                value = ("index", value, self.expression())
                self.take("]")
            elif self.ate("("):
                arguments = []
                while not self.ate(")"):
                    arguments.append(self.assignment())
                    self.ate(",")
                value = ("call", value, arguments)
            elif self.ate("."):
                value = ("member", value, self.take())
            elif self.peek() in ("++", "--"):
                value = ("step", self.take(), value, False)
            else:
                return value


def number(text: str) -> Any:
    """A literal in the type that C gives it."""
    lower = text.lower()
    if not lower.startswith("0x") and (any(c in lower for c in ".e") or lower.endswith("f")):
        return np.float32(lower[:-1]) if lower.endswith("f") else np.float64(lower)
    suffix = lower[len(lower.rstrip("ul")) :]
    value = int(lower.rstrip("ul"), 0)
    if "u" in suffix:
        return np.uint64(value) if "ll" in suffix or value >= 2**32 else np.uint32(value)
    if lower.startswith("0x") and 2**31 <= value < 2**32:
        return np.uint32(value)
    return np.int64(value) if "ll" in suffix or value >= 2**31 else np.int32(value)
