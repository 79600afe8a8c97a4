"""P@1 of a real model is told in two ways: over the whole vocabulary, and among the answers of the relation."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from ptlib.errors import PromptError
from ptlib.models.batches import chunks
from ptlib.models.language_model import LanguageModel
from ptlib.models.quick import quick_copy
from ptlib.prompts.cloze import encode_once, slot_logits
from ptlib.prompts.soft_prompt import SoftPrompt, vectors_in
from ptlib.prompts.template import parse
from ptlib.scoring.scores import Accuracy, is_first
from ptlib.tasks.labels import allowed_words, among
from ptlib.tasks.task import Task


@torch.no_grad()
def accuracy_both(
    lm: LanguageModel, task: Task, answers: Sequence[str], prompt: SoftPrompt | None = None, *, split: str = "test"
) -> tuple[Accuracy, Accuracy]:
    """P@1 over the whole vocabulary and among some answers, in the same passes of the model's quick copy.

    Args:
        lm: the language model.
        task: the task; of labels that it has nothing is known here.
        answers: the words that count in the second score, at least one.
        prompt: a soft prompt; by default the task's manual template.
        split: the examples to score.

    Raises:
        PromptError: what `accuracy` raises, no answers, or one that is not one token of the model.
    """
    if not answers:
        raise PromptError(f"{task.name}: no answers to score among; give at least one")
    template = parse(task.template if prompt is None else prompt.template)
    vectors = vectors_in(template, lm, prompt)
    cloze = encode_once(lm, template, task.examples(split), task=f"{task.name} ({split})")
    allowed = allowed_words(lm, [replace(task, labels=tuple(answers))])
    hits = torch.empty(2, len(cloze), dtype=torch.bool)
    for rows in chunks(lm, cloze.lengths):
        part = cloze[rows]
        logits = slot_logits(quick_copy(lm), part, vectors.expand(len(rows), -1, -1))
        for place, mask in enumerate((None, allowed)):
            hits[place, rows.cpu()] = is_first(among(logits, mask, torch.zeros_like(rows)), part.answers).cpu()
    whole, chosen = (Accuracy(tuple(row.tolist())) for row in hits)
    return whole, chosen
