"""Labels: tasks whose answers are a closed set, so that a model only has to choose among them."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel
from ptlib.tasks.task import Task, answers

Allowed = Bool[Tensor, "tasks vocabulary"] | None


def closed(task: Task) -> Task:
    """The same task as a classification: its labels are all the answers that it has."""
    return replace(task, labels=answers([task]))


def label_ids(lm: LanguageModel, task: Task) -> list[int]:
    """Token ids of a task's labels, in their order.

    Raises:
        PromptError: a label that is not one token of the model, or the same one as another, or an answer that is not
            a label.
    """
    ids = {label: word_id for label in task.labels if (word_id := lm.word_id(label)) is not None}
    if long := [label for label in task.labels if label not in ids]:
        raise PromptError(f"{task.name}: label {long[0]!r} is not one token of {lm.name}; use another word for it")
    if strange := [answer for answer in answers([task]) if answer not in ids]:
        raise PromptError(f"{task.name}: answer {strange[0]!r} is not among the labels {', '.join(task.labels)}")
    for label, word_id in ids.items():
        if same := [other for other, other_id in ids.items() if other_id == word_id and other != label]:
            raise PromptError(
                f"{task.name}: labels {label!r} and {same[0]!r} are one token of {lm.name}; use other words"
            )
    return list(ids.values())


def allowed_words(lm: LanguageModel, tasks: Sequence[Task]) -> Allowed:
    """Which words may be answers to each task: its labels, or all; None where no task has labels."""
    if not any(task.labels for task in tasks):
        return None
    masks = {id(task): _mask(lm, task) for task in {id(task): task for task in tasks}.values()}
    return torch.stack([masks[id(task)] for task in tasks]).to(lm.device)


def _mask(lm: LanguageModel, task: Task) -> Bool[Tensor, " vocabulary"]:
    """The words that may be answers to a task."""
    mask = torch.full((lm.vocabulary,), not task.labels)
    if task.labels:
        mask[label_ids(lm, task)] = True
    return mask


def among(
    logits: Float[Tensor, "rows vocabulary"], allowed: Allowed, owners: Int[Tensor, " rows"]
) -> Float[Tensor, "rows vocabulary"]:
    """Logits in which only the words that a row's task allows can win."""
    return logits if allowed is None else logits.masked_fill(~allowed[owners], float("-inf"))
