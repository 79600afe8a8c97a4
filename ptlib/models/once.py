"""What is asked of a model once, and kept for as long as the model is."""

import weakref
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from ptlib.models.language_model import LanguageModel

Answer = TypeVar("Answer")


def once(ask: Callable[[LanguageModel], Answer]) -> Callable[[LanguageModel], Answer]:
    """Ask a function about each model once, and keep what it says; an error is not kept."""
    known: weakref.WeakKeyDictionary[LanguageModel, Answer] = weakref.WeakKeyDictionary()

    @wraps(ask)
    def kept(lm: LanguageModel) -> Answer:
        """What was said of this model, or is said now."""
        if lm not in known:
            known[lm] = ask(lm)
        return known[lm]

    return kept
