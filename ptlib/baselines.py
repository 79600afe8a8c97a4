"""Baselines: what a prompt is worth that nobody tuned."""

from ptlib.descent import random_vectors
from ptlib.gradients import job_generator
from ptlib.models import LanguageModel
from ptlib.prompt import SoftPrompt
from ptlib.tasks import Task
from ptlib.template import default_template, parse


def random_prompt(
    lm: LanguageModel, task: Task, *, length: int = 5, template: str | None = None, seed: int = 0
) -> SoftPrompt:
    """The prompt from which `tune` starts: random, with the mean and spread of the word embeddings."""
    parsed = parse(template or default_template(length))
    vectors = random_vectors(lm, parsed.length, job_generator(task.name, seed, "start"))
    return SoftPrompt(vectors, lm.name, task.name, parsed.text, seed, {"method": "random"})
