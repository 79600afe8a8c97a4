"""Recall: how many of the facts it was taught a language model can say."""

from dataclasses import dataclass

from ptlib.models.language_model import LanguageModel
from ptlib.prompts.cloze import encode
from ptlib.prompts.soft_prompt import vectors_in
from ptlib.prompts.template import SLOT, TEXT, parse
from ptlib.scoring.scores import Accuracy, hits
from ptlib.tasks.splits import SPLITS
from ptlib.tasks.task import Task


@dataclass(frozen=True)
class Recall:
    """The share of a relation's facts that a model recalls, in the wording in which it recalls most.

    Attributes:
        value: the share, over all splits.
        template: that wording.
    """

    value: float
    template: str


def recall(lm: LanguageModel, task: Task) -> Recall:
    """Recall of a task's facts with the best of the sentences that the pocket models were taught with.

    For a causal model only sentences count that name the subject before the object.
    """
    templates = [s for s in task.sentences if lm.kind == "masked" or s.index(TEXT) < s.index(SLOT)]
    return max((Recall(_share(lm, task, template), template) for template in templates), key=lambda r: r.value)


def _share(lm: LanguageModel, task: Task, template: str) -> float:
    examples = [example for split in SPLITS for example in task.examples(split)]
    parsed = parse(template)
    cloze = encode(lm, parsed, examples, task=task.name)
    return Accuracy(tuple(hits(lm, [cloze], [vectors_in(parsed, lm)])[0])).value
