"""Shared words: those that are one token in each of several models."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel


def shared_words(*lms: LanguageModel) -> tuple[str, ...]:
    """The words that are one token in each of the models, in alphabetic order.

    Raises:
        PromptError: there are none.
    """
    shared = set(lms[0].words).intersection(*(lm.words for lm in lms[1:]))
    if not shared:
        raise PromptError(f"{', '.join(lm.name for lm in lms)}: no word is one token in all of them; nothing to go by")
    return tuple(sorted(shared))


def word_vectors(lm: LanguageModel, words: Sequence[str]) -> Float[Tensor, "words dim"]:
    """The word embeddings of words that are one token each.

    Raises:
        PromptError: one of them is not.
    """
    if unknown := [word for word in words if word not in lm.words]:
        raise PromptError(f"{lm.name}: {unknown[0]!r} is no word of one token; take some of `shared_words`")
    return lm.embeddings[[lm.words[word] for word in words]]
