"""Guessing: answers without a model."""

from collections import Counter

from ptlib.errors import PromptError
from ptlib.scoring.scores import Accuracy
from ptlib.tasks.task import Task


def most_frequent_answer(task: Task, *, split: str = "test") -> Accuracy:
    """P@1 of always giving the answer that is most frequent in training (the first in the alphabet among equals).

    Raises:
        PromptError: no examples to count, or none to score.
    """
    for name in ("train", split):
        if not task.examples(name):
            raise PromptError(f"{task.name} ({name}): has no examples")
    counts = Counter(example.answer for example in task.train)
    guess = min(counts, key=lambda word: (-counts[word], word))
    return Accuracy(tuple(example.answer == guess for example in task.examples(split)))
