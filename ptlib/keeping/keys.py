"""Keys: all that a result depends on, in one hash: plain values, the code that makes it, and what the code runs on."""

import ast
import dis
import functools
import hashlib
import importlib.util
import itertools
import json
import sysconfig
import types
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from ptlib.errors import PromptError

PACKAGE = __name__.partition(".")[0]
LIBRARIES = ("torch", "transformers", "tokenizers")  # what computes; another version may compute otherwise
STANDARD = Path(sysconfig.get_path("stdlib")).resolve()
SITES = ("site-packages", "dist-packages")  # where libraries are installed
WRAPPERS = (staticmethod, classmethod, property, functools.cached_property, type(functools.cache(len)))
WRAPPED = ("__func__", "__wrapped__", "fget", "fset", "func")  # as they call what is in them
PASSING = {  # of a class: what says nothing of what it does, or says it again
    *("__dict__", "__weakref__", "__module__", "__doc__", "__firstlineno__", "__static_attributes__", "_abc_impl"),
    *("__annotations__", "__annotate_func__", "__annotations_cache__", "__dataclass_fields__", "__dataclass_params__"),
}


def key_of(*parts: object, code: str) -> str:
    """A hash of all that a result depends on.

    Args:
        parts: plain values, data classes, tensors and arrays, or any objects that can be told apart by `settings_of`.
        code: name of the module that makes the result; what it imports from its own package counts too.

    Raises:
        PromptError: a part that cannot be written down.
    """
    whole = [settings_of(parts), code_of(code), _versions()]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:32]


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
    """The modules that a module imports, directly or by way of others, and the module itself; not installed libraries.

    Those of its own package count, those of this one, and those that are installed nowhere, such as a file beside a
    notebook. The `__init__` of a folder counts where it is named; in another package also where a module in the folder
    is, since it may do anything there: here it only hands on what other modules hold.
    """
    found: set[str] = set()
    left = [module]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [*_imports(name), *_folders(name)]
    return tuple(sorted(found))


def settings_of(thing: object) -> object:
    """What makes an object what it is, for JSON: values in full, and the code of its class, also a reader's own.

    A class or function of an installed library enters by its name, one of this package by the code of its module. Any
    other enters by what it does, as it stands in memory, with the functions, classes and values that it names, each
    once; and by the code of its module, if that has a file.

    Raises:
        PromptError: a value that cannot be written down, such as an open file or one that holds itself.
    """
    try:
        return _written(thing, {})
    except RecursionError as error:
        raise PromptError("what holds itself cannot be part of what a result is kept under") from error


def _imports(module: str) -> Iterator[str]:
    """The modules that a module imports itself, and whose code counts."""
    package = module.partition(".")[0]
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [_submodule(_absolute(node, module), alias.name) for alias in node.names]
        else:
            continue
        for name in names:
            if name.partition(".")[0] in (package, PACKAGE) or (_source_file(name) and not _is_installed(name)):
                yield name


def _folders(module: str) -> list[str]:
    """The packages of another than this package that a module stands in, as far as they have code."""
    *parents, _ = itertools.accumulate(module.split("."), "{}.{}".format)
    return [] if module.partition(".")[0] == PACKAGE else [name for name in parents if _source_file(name)]


def _absolute(node: ast.ImportFrom, module: str) -> str:
    """The module that a `from ... import` names."""
    if not node.level:
        return node.module or ""
    is_package = Path(_source_file(module) or "").name == "__init__.py"
    parents = module.split(".") if is_package else module.split(".")[:-1]
    kept = parents[: len(parents) - node.level + 1]
    return ".".join([*kept, node.module] if node.module else kept)


def _submodule(base: str, name: str) -> str:
    """The module that `from base import name` gets a thing from."""
    return f"{base}.{name}" if _source_file(f"{base}.{name}") else base


def _is_installed(module: str) -> bool:
    """Whether a module is one of Python or of a library, which count by their versions or not at all."""
    spec = _spec(module.partition(".")[0])
    if spec is None:
        return False
    place = Path(next(iter(spec.submodule_search_locations or [spec.origin or ""]), "")).resolve()
    return not place.exists() or place.is_relative_to(STANDARD) or not set(place.parts).isdisjoint(SITES)


@functools.cache
def _spec(top: str) -> ModuleSpec | None:
    """Where Python finds a module or package that stands in no other; nothing of it is run."""
    try:
        return None if top == "__main__" else importlib.util.find_spec(top)
    except (ImportError, ValueError):  # it was typed in
        return None


@functools.cache
def _source_file(module: str) -> Path | None:
    """Where a module's source is, if it has one."""
    top, *inner = module.split(".")
    if (spec := _spec(top)) is None:
        return None
    if not inner:
        return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None
    for folder in spec.submodule_search_locations or ():
        place = Path(folder, *inner)
        for file in (place / "__init__.py", place.with_suffix(".py")):
            if file.is_file():
                return file
    return None


@functools.cache
def _tree(module: str) -> ast.Module:
    """The code of a module, without docstrings."""
    file = _source_file(module)
    if file is None:
        raise PromptError(f"module {module}: has no source to tell its results by; call it without a cache")
    tree = ast.parse(file.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:]
    return tree


def _written(value: object, seen: dict[int, object]) -> object:
    """A value for JSON; `seen` holds the functions and classes that have been written before."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, int | float | complex | str | bytes):
        return f"{type(value).__name__} {value!r}"
    if isinstance(value, torch.Tensor):
        return [str(value.dtype), _written(value.detach().cpu().double().numpy(), seen)]
    if isinstance(value, np.ndarray):
        content = (
            _written(value.tolist(), seen) if value.dtype.hasobject else hashlib.sha256(value.tobytes()).hexdigest()
        )
        return [str(value.dtype), value.shape, content]
    kind = type(value).__name__
    if isinstance(value, dict):
        return [
            kind,
            sorted(([_written(key, seen), _written(one, seen)] for key, one in value.items()), key=json.dumps),
        ]
    if isinstance(value, set | frozenset):
        return [kind, sorted((_written(one, seen) for one in value), key=json.dumps)]
    if isinstance(value, list | tuple):
        return [kind, [_written(one, seen) for one in value]]
    if isinstance(value, types.ModuleType):
        return [value.__name__, _file_code(value.__name__)]
    if isinstance(value, type | types.FunctionType):
        return _code(value, seen)
    if isinstance(value, WRAPPERS):
        return [kind, [_written(getattr(value, name), seen) for name in WRAPPED if hasattr(value, name)]]
    return [kind, _written(_taken_apart(value), seen)]


def _taken_apart(value: object) -> object:
    """Any other object as `copy` and `pickle` see it: what makes it, and what it holds."""
    try:
        parts = value.__reduce_ex__(2)
    except Exception as error:  # whatever an object's own code raises
        raise PromptError(
            f"a {type(value).__name__} cannot be part of what a result is kept under; use plain values"
        ) from error
    return parts if isinstance(parts, str) else [list(one) if isinstance(one, Iterator) else one for one in parts]


def _file_code(module: str) -> str | None:
    """The hash of a module's code, if it counts and has a file."""
    return code_of(module) if _source_file(module) and not _is_installed(module) else None


def _code(thing: type | types.FunctionType, seen: dict[int, object]) -> list[object]:
    """A class or function; see `settings_of`."""
    module = thing.__module__ or ""
    name = f"{module}.{thing.__qualname__}"
    if module.partition(".")[0] == PACKAGE:
        return [name, code_of(module)]
    if _is_installed(module):
        return [name]
    if id(thing) in seen:
        return [name, list(seen).index(id(thing))]
    seen[id(thing)] = thing
    if isinstance(thing, type):
        members = {name: value for name, value in vars(thing).items() if name not in PASSING}
        return [name, _file_code(module), _written(thing.__bases__, seen), _written(members, seen)]
    held = [cell.cell_contents for cell in thing.__closure__ or () if cell != types.CellType()]
    named = dict(_named(thing.__code__, thing.__globals__))
    inner = [thing.__defaults__, thing.__kwdefaults__, held, named]
    return [name, _file_code(module), _instructions(thing.__code__, seen), _written(inner, seen)]


def _named(code: types.CodeType, known: dict[str, object]) -> Iterator[tuple[str, object]]:
    """The global things that code names or imports; of a module that it only looks into, what it finds there."""
    found: list[tuple[str, object]] = []
    looked_into = imported = ""
    for step in dis.get_instructions(code):
        path = ""
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME") and step.argval in known:
            path, value = step.argval, known[step.argval]
        elif step.opname in ("LOAD_ATTR", "LOAD_METHOD") and looked_into and hasattr(found[-1][1], step.argval):
            path, value = f"{looked_into}.{step.argval}", getattr(found.pop()[1], step.argval)
        elif step.opname == "IMPORT_NAME":
            imported = step.argval
            found.append((f"import {imported}", _file_code(imported)))
        elif step.opname == "IMPORT_FROM":
            whole = _submodule(imported, step.argval)
            found.append((f"import {whole}", _file_code(whole)))
        if path:
            found.append((path, value))
        looked_into = path if path and isinstance(value, types.ModuleType) else ""
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            found += _named(const, known)
    yield from found


def _instructions(code: types.CodeType, seen: dict[int, object]) -> list[object]:
    """What code does, without the places in its file and what nothing reads, such as a docstring."""
    return [
        [step.opname, _instructions(step.argval, seen)]
        if isinstance(step.argval, types.CodeType)
        else [step.opname, _written(step.argval, seen)]
        for step in dis.get_instructions(code)
    ]
