"""Scale: how large the embeddings of a model are, so that a rate or a strength means the same on every model."""

import torch

from ptlib.models.language_model import LanguageModel
from ptlib.models.once import once

MANY, SAMPLE = 5_000, 1_000  # with more words than many, the neighbours of so many of them are looked for
AT_ONCE = 2**26  # distances that are held in memory


@once
def spread(lm: LanguageModel) -> float:
    """The standard deviation of a word embedding's numbers about the mean of their dimension: the unit of rates."""
    return lm.moments[1].square().mean().sqrt().item()


@once
def word_spacing(lm: LanguageModel) -> float:
    """The median Euclidean distance from a word to its nearest neighbour: the unit of distances between vectors.

    Where there are more than 5,000 words, that of 1,000 of them (always the same) to their nearest among all.
    """
    words = lm.embeddings[list(lm.words.values())]
    some = words
    if len(words) > MANY:
        some = words[torch.randperm(len(words), generator=torch.Generator().manual_seed(0))[:SAMPLE].to(words.device)]
    # The nearest word to a word is itself, at a distance of about 0.
    parts = [
        torch.cdist(part, words).topk(2, largest=False).values[:, 1] for part in some.split(-(-AT_ONCE // len(words)))
    ]
    return torch.cat(parts).median().item()
