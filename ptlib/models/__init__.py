"""Language models: find, refuse, load, run."""

from ptlib.models.altered import rotated, untrained
from ptlib.models.checkpoint import pocket_models
from ptlib.models.language_model import LanguageModel
from ptlib.models.loading import load, parameters_of
from ptlib.models.scale import spread
from ptlib.models.shared import shared_words, word_vectors

__all__ = [
    "LanguageModel",
    "load",
    "parameters_of",
    "pocket_models",
    "rotated",
    "shared_words",
    "spread",
    "untrained",
    "word_vectors",
]
