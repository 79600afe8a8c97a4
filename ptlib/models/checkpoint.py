"""Checkpoints: which files a model needs, and which of them are not touched because they could run code."""

import difflib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from ptlib.errors import PromptError, first_line

WEIGHTS = Path(__file__).parents[1] / "pocket" / "weights"
CONFIG = "config.json"
WEIGHTS_FILE, INDEX = "model.safetensors", "model.safetensors.index.json"
WEIGHTS_FILES = (WEIGHTS_FILE, INDEX, "model-*.safetensors")
MOST_LAYERS = 2_000  # deeper than any model that is there; to build a million of them takes minutes, even empty
VOCABULARIES = (  # any of these makes a tokenizer
    ("tokenizer.json",),
    ("vocab.txt",),
    ("vocab.json", "merges.txt"),
    ("spiece.model",),
    ("sentencepiece.bpe.model",),
    ("tokenizer.model",),
)
VOCABULARY = (
    *(file for files in VOCABULARIES for file in files),
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)


def pocket_models() -> tuple[str, ...]:
    """Names of the language models that come with the book."""
    return tuple(sorted(f"pocket/{folder.parent.name}" for folder in WEIGHTS.glob("*/config.json")))


def alike(name: str, cutoff: float) -> Sequence[str]:
    """The pocket models of nearly this name, or all of them if there is none; `cutoff` is as in `difflib`."""
    return difflib.get_close_matches(name, pocket_models(), n=3, cutoff=cutoff) or pocket_models()


def require_configuration(name: str, folder: Path) -> None:
    """Refuse a checkpoint that does not say what it is, or says what would take forever to build."""
    if not (folder / CONFIG).is_file():
        _refuse(name, f"{CONFIG} is missing", "use a checkpoint that `save_pretrained` wrote")
    known = _read(name, folder / CONFIG)
    named = known.get("architectures") or []
    if not isinstance(named, list) or not all(isinstance(one, str) for one in named):
        _refuse(name, f"{CONFIG} has architectures {str(named)[:80]}, which are no list of names", "use another")
    for key, value in known.items():
        if "layer" in key and isinstance(value, int) and value > MOST_LAYERS:
            _refuse(name, f"{CONFIG} says {key} {value:,}, and no model has so many", "use another checkpoint")


def require_no_code(name: str, folder: Path) -> None:
    """Refuse a checkpoint that asks for Python code of its own.

    Such a model is refused even where `transformers` has a class of that name, since the two may differ.
    """
    for file in (CONFIG, "tokenizer_config.json"):
        if (folder / file).is_file() and "auto_map" in _read(name, folder / file):
            _refuse(name, f"its {file} asks to run code that comes with it (auto_map)", "use a model without")


def require_weights(name: str, folder: Path) -> None:
    """Refuse a checkpoint without weights, or with weights in files that are not safetensors."""
    named = _read(name, folder / CONFIG).get("transformers_weights", WEIGHTS_FILE)
    if not str(named).endswith((".safetensors", ".safetensors.index.json")):
        _refuse(name, f"{CONFIG} names {named}, which is not safetensors", "use a checkpoint with safetensors only")
    if (folder / WEIGHTS_FILE).is_file():
        return
    if not (folder / INDEX).is_file():
        _refuse(
            name,
            f"{WEIGHTS_FILE} is missing",
            "weights in other files, such as pytorch_model.bin, are pickles, which can run code, and are not read; "
            "use a checkpoint with safetensors, as `save_pretrained` writes them",
        )
    for shard in sorted(set(_read(name, folder / INDEX).get("weight_map", {}).values())):
        if not shard.endswith(".safetensors"):
            _refuse(name, f"{INDEX} names {shard}, which is not safetensors", "use a checkpoint with safetensors only")
        if not (folder / shard).is_file():
            _refuse(name, f"{shard} is missing", "download the checkpoint again, or use another")


def require_vocabulary(name: str, folder: Path) -> None:
    """Refuse a checkpoint without a tokenizer, for which `transformers` would make up an empty one."""
    if not any(all((folder / file).is_file() for file in files) for files in VOCABULARIES):
        wanted = ", ".join(" with ".join(files) for files in VOCABULARIES)
        _refuse(name, f"it has no tokenizer, which is one of {wanted}", "save the tokenizer beside the model")


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Turns what goes wrong in reading a checkpoint into one line; a configuration can break any code of its family."""
    try:
        yield
    except PromptError:
        raise
    except Exception as error:
        _refuse(name, first_line(error), "use another checkpoint", error)


def _read(name: str, file: Path) -> dict[str, Any]:
    again = "download it again, or use another checkpoint"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        _refuse(name, f"{file.name} is damaged ({first_line(error)})", again, error)
    if not isinstance(found, dict):
        _refuse(name, f"{file.name} is damaged (it holds a {type(found).__name__} and no names)", again)
    return found


def _refuse(name: str, wrong: str, remedy: str, cause: Exception | None = None) -> NoReturn:
    where = "folder" if os.path.isdir(name) or name.startswith("pocket/") else "repository"
    raise PromptError(f"{name}: this {where} holds no checkpoint that can be read: {wrong}; {remedy}") from cause
