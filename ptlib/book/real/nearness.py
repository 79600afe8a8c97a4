"""How far from the words free prompts end, kept beside the scores."""

from collections.abc import Mapping, Sequence

import torch

from ptlib.book.real.cells import Study
from ptlib.book.real.measure import free_prompts
from ptlib.models.language_model import LanguageModel
from ptlib.models.scale import word_spacing
from ptlib.reading.projection import nearest
from ptlib.tasks.task import Task


def nearness(
    lms: Mapping[str, LanguageModel], held_out: Sequence[str], tasks: Sequence[Task], study: Study
) -> list[dict]:
    """Where the vectors of free prompts are, tuned as usual and in small steps, over all relations and seeds.

    Returns:
        for each model and `method`, means over vectors: the distance to the nearest word in `spacings` (see
            `word_spacing`), and the `length` in mean lengths of a word.
    """
    found = []
    for name, lm in lms.items():
        if name in held_out:
            continue
        word = lm.embeddings[list(lm.words.values())].norm(dim=1).mean()
        for method, settings in (("tuned", study.settings), ("tuned, near words", study.near)):
            prompts = free_prompts(lm, tasks, study, settings)
            vectors = torch.cat([prompt.on(lm) for prompt in prompts.values()])
            spacings = nearest(lm, vectors).values.mean().item() / word_spacing(lm)
            length = (vectors.norm(dim=1).mean() / word).item()
            found.append({"model": name, "method": method, "spacings": round(spacings, 3), "length": round(length, 3)})
    return found
