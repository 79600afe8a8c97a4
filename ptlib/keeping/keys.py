"""Keys: all that a result depends on, in one hash: plain values, the code that makes it, and what the code runs on."""

import ast
import functools
import hashlib
import importlib.util
import json
import types
from collections.abc import Iterator
from dataclasses import asdict, is_dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from ptlib.errors import PromptError

PACKAGE = __name__.partition(".")[0]
LIBRARIES = ("torch", "transformers", "tokenizers")  # what computes; another version may compute otherwise
PLAIN = (int, float, str, bytes, tuple, list, dict, set, frozenset, type(None))
PASSING = {"__dict__", "__weakref__", "__module__", "__doc__", "__firstlineno__", "__static_attributes__"}  # of a class


def key_of(*parts: object, code: str) -> str:
    """A hash of all that a result depends on.

    Args:
        parts: plain values, data classes, tensors and arrays.
        code: name of the module that makes the result; what it imports from its own package counts too.

    Raises:
        PromptError: a part that cannot be written down.
    """
    whole = [parts, code_of(code), _versions()]
    return hashlib.sha256(json.dumps(whole, sort_keys=True, default=_plain).encode()).hexdigest()[:32]


@functools.cache
def _versions() -> list[str]:
    return [version(library) for library in LIBRARIES]


@functools.cache
def code_of(module: str) -> str:
    """A hash of the code of a module and of all that it reaches; comments and docstrings do not count."""
    digest = hashlib.sha256()
    for name in reach(module):
        digest.update(f"{name}\n{ast.dump(_tree(name))}\n".encode())
    return digest.hexdigest()


@functools.cache
def reach(module: str) -> tuple[str, ...]:
    """The modules that a module imports from its own package, directly or by way of others, and the module itself.

    The `__init__` of a folder counts where it is named; elsewhere it only hands on what other modules hold.
    """
    found: set[str] = set()
    left = [module]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += _imports(name)
    return tuple(sorted(found))


def settings_of(thing: object) -> list[object]:
    """What makes an object behave as it does: its fields and the code of its class, also where that is a reader's own.

    Of a class in a package that can be imported by name, the code is that of its module; of one that was typed in, such
    as in a notebook, it is that of its methods and of the functions, classes and plain values that these name.
    """
    kind = type(thing)
    fields = asdict(thing) if is_dataclass(thing) else vars(thing)
    written = code_of(kind.__module__) if _source_file(kind.__module__) else _typed(kind)
    return [kind.__module__, kind.__qualname__, fields, written]


def _imports(module: str) -> Iterator[str]:
    package = module.partition(".")[0]
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, module)
            names = [f"{base}.{alias.name}" if _is_module(f"{base}.{alias.name}") else base for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.partition(".")[0] == package)


def _absolute(node: ast.ImportFrom, module: str) -> str:
    """The module that a `from ... import` names."""
    if not node.level:
        return node.module or ""
    is_package = Path(_source_file(module) or "").name == "__init__.py"
    parents = module.split(".") if is_package else module.split(".")[:-1]
    kept = parents[: len(parents) - node.level + 1]
    return ".".join([*kept, node.module] if node.module else kept)


def _is_module(name: str) -> bool:
    return _source_file(name) is not None


@functools.cache
def _source_file(module: str) -> str | None:
    """Where a module's source is, if it has one."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):  # its parent is no package; the module was typed in
        return None
    return spec.origin if spec and spec.origin and spec.origin.endswith(".py") else None


@functools.cache
def _tree(module: str) -> ast.Module:
    """The code of a module, without docstrings."""
    file = _source_file(module)
    if file is None:
        raise PromptError(f"module {module}: has no source to tell its results by; call it without a cache")
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:]
    return tree


def _typed(thing: object, seen: set[int]) -> object:
    """The code of a class or function that stands in no file, and of what it names, each once."""
    home = thing.__name__ if isinstance(thing, types.ModuleType) else getattr(thing, "__module__", None) or ""
    if home.partition(".")[0] == PACKAGE:
        return code_of(home)
    function = getattr(thing, "__func__", None) or getattr(thing, "fget", None) or thing
    if id(thing) in seen or isinstance(thing, types.ModuleType) or not isinstance(function, types.FunctionType | type):
        return _value(thing)
    seen.add(id(thing))
    if isinstance(function, type):
        members = {name: _typed(value, seen) for name, value in vars(function).items() if name not in PASSING}
        return [[_typed(base, seen) for base in function.__bases__], members]
    known = function.__globals__
    named = {name: _typed(known[name], seen) for name in sorted(_names(function.__code__)) if name in known}
    return [_instructions(function.__code__), _value(function.__defaults__), _value(function.__kwdefaults__), named]


def _names(code: types.CodeType) -> set[str]:
    inner = (const for const in code.co_consts if isinstance(const, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _instructions(code: types.CodeType) -> list[object]:
    """What a function does, without the places in its file."""
    consts = [_instructions(const) if isinstance(const, types.CodeType) else repr(const) for const in code.co_consts]
    return [code.co_code.hex(), consts, code.co_names, code.co_varnames]


def _value(value: object) -> object:
    """A value that code names: in full if it is plain, otherwise only its kind."""
    if isinstance(value, torch.Tensor | np.ndarray):
        return _plain(value)
    return repr(value) if isinstance(value, PLAIN) else type(value).__qualname__


def _plain(value: object) -> object:
    """A value that JSON does not know, as one that it does."""
    if is_dataclass(value) and not isinstance(value, type):
        return settings_of(value)
    if isinstance(value, torch.Tensor):
        return [str(value.dtype), _plain(value.detach().cpu().double().numpy())]
    if isinstance(value, np.ndarray):
        return [str(value.dtype), value.shape, hashlib.sha256(value.tobytes()).hexdigest()]
    if isinstance(value, range | set | frozenset):
        return sorted(value)
    raise PromptError(f"a {type(value).__name__} cannot be part of what a result is kept under; use plain values")
