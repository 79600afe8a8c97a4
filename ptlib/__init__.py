"""Tune soft prompts on frozen language models, carry them to others, and find out what is inside them."""

from importlib import import_module
from types import ModuleType

from ptlib import carrying as carrying
from ptlib import keeping as keeping
from ptlib import models as models
from ptlib import prompts as prompts
from ptlib import reading as reading
from ptlib import scoring as scoring
from ptlib import tasks as tasks
from ptlib import tuning as tuning
from ptlib.carrying import (
    Anchors,
    ClosedForm,
    Copy,
    Discretise,
    GradientSearch,
    LinearMap,
    NeuralProjector,
    Procrustes,
    transfer,
    transfer_many,
    transfer_table,
)
from ptlib.errors import PromptError
from ptlib.models import LanguageModel, load, shared_words
from ptlib.prompts import SoftPrompt, WordPrompt, load_adapter, load_prompt, load_word_prompt, save_adapter
from ptlib.reading import describe, project, waywardness, word_f1
from ptlib.scoring import Accuracy, accuracy, accuracy_many, fill
from ptlib.tasks import (
    Example,
    Task,
    closed,
    in_vocabulary,
    load_classification,
    load_lama,
    read_classification,
    read_lama,
    relation,
    relations,
)
from ptlib.tuning import Settings, WordSettings, random_prompt, tune, tune_many, tune_toward, tune_words, words_on

__version__ = "0.1.0"  # the one place; pyproject.toml reads it here

__all__ = [
    "Accuracy",
    "Anchors",
    "ClosedForm",
    "Copy",
    "Discretise",
    "Example",
    "GradientSearch",
    "LanguageModel",
    "LinearMap",
    "NeuralProjector",
    "Procrustes",
    "PromptError",
    "Settings",
    "SoftPrompt",
    "Task",
    "WordPrompt",
    "WordSettings",
    "accuracy",
    "accuracy_many",
    "closed",
    "describe",
    "fill",
    "in_vocabulary",
    "load",
    "load_adapter",
    "load_classification",
    "load_lama",
    "load_prompt",
    "load_word_prompt",
    "project",
    "random_prompt",
    "read_classification",
    "read_lama",
    "relation",
    "relations",
    "save_adapter",
    "shared_words",
    "transfer",
    "transfer_many",
    "transfer_table",
    "tune",
    "tune_many",
    "tune_toward",
    "tune_words",
    "waywardness",
    "word_f1",
    "words_on",
]


def __getattr__(name: str) -> ModuleType:
    """`pt.book`, which draws and displays, is imported when it is first asked for."""
    if name == "book":
        return import_module("ptlib.book")
    raise AttributeError(f"module 'ptlib' has no attribute {name!r}")
