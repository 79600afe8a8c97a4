"""Likeness: how nearly a prompt's nearest words are those of a text."""

import re
import string
from collections import Counter
from collections.abc import Sequence

from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel
from ptlib.prompts.soft_prompt import SoftPrompt
from ptlib.reading.projection import nearest
from ptlib.tuning.toward import text_ids

ARTICLES = re.compile(r"\b(a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation)


def plain_words(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation and articles."""
    return ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split()


def word_f1(one: str, other: str) -> float:
    """How many words two texts share, as F1: the harmonic mean of the shares of each (Rajpurkar et al. 2016, SQuAD).

    Order does not count, nor do case, punctuation and articles. Two texts without words are alike.

    >>> word_f1("Name the city!", "a city, or a name")
    0.8
    """
    left, right = Counter(plain_words(one)), Counter(plain_words(other))
    if not left or not right:
        return float(left == right)
    shared = (left & right).total()
    return 2 * shared / (left.total() + right.total())


def require_length(lm: LanguageModel, prompt: SoftPrompt, text: str, ids: Sequence[int]) -> None:
    """Refuse a prompt that has not a vector for each token of a text."""
    if len(ids) != prompt.length:
        raise PromptError(f"text {text!r} has {len(ids)} tokens in {lm.name}, the prompt {prompt.length} vectors")


def token_match(lm: LanguageModel, prompt: SoftPrompt, text: str, *, metric: str = "euclidean") -> float:
    """The share of a prompt's vectors whose nearest token is the text's token in the same place.

    Raises:
        PromptError: a text of another length, or with unknown words, or an unknown metric.
    """
    ids = text_ids(lm, text)
    require_length(lm, prompt, text, ids)
    found = nearest(lm, prompt.on(lm), metric=metric).indices[:, 0].tolist()
    matches = [one == other for one, other in zip(found, ids, strict=True)]
    return sum(matches) / len(matches)
