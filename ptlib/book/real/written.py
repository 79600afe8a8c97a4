"""What prompts in plain words say: the words with the largest shares, kept beside the scores."""

from collections.abc import Mapping, Sequence

from ptlib.book.real.cells import Study
from ptlib.book.real.measure import plain_words
from ptlib.models.language_model import LanguageModel
from ptlib.tasks.task import Task
from ptlib.tuning.in_words import tune_words

WORDS = 3  # of each vector


def written(
    lms: Mapping[str, LanguageModel], held_out: Sequence[str], tasks: Sequence[Task], study: Study
) -> list[dict]:
    """The words of the first seed's prompts, tuned on all models at once and on each alone.

    Returns:
        for each sources, relation: `words`, of each vector the largest with their shares.
    """
    names = [name for name in lms if name not in held_out]
    words, found = plain_words([*lms.values()]), []
    for sources in (tuple(names), *((name,) for name in names)):
        prompts = tune_words(
            [lms[name] for name in sources],
            tasks,
            length=study.length,
            seeds=study.seeds[:1],
            words=words,
            settings=study.written,
            cache=study.cache,
            progress=False,
        )
        for (relation, _), prompt in prompts.items():
            best = [[[word, round(share, 2)] for word, share in vector] for vector in prompt.top(WORDS)]
            found.append({"sources": "+".join(sources), "relation": relation, "words": best})
    return found
