"""Where prompts start: random vectors like the words of a model, the same on every machine."""

import hashlib

import torch
from jaxtyping import Float
from torch import Tensor

from ptlib.models.language_model import LanguageModel
from ptlib.prompts.soft_prompt import SoftPrompt
from ptlib.prompts.template import default_template, parse
from ptlib.tasks.task import Task


def job_generator(task: str, seed: int, purpose: str) -> torch.Generator:
    """Randomness that depends on a task, a seed and what it is for, the same on every machine and device."""
    digest = hashlib.sha256(f"{task} {seed} {purpose}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def random_vectors(lm: LanguageModel, length: int, generator: torch.Generator) -> Float[Tensor, "length dim"]:
    """Vectors with the mean and spread of the model's word embeddings in each dimension."""
    mean, spread = lm.moments
    noise = torch.randn(length, lm.dim, generator=generator, dtype=torch.float64).to(mean)
    return mean + spread * noise


def random_prompt(
    lm: LanguageModel, task: Task, *, length: int = 5, template: str | None = None, seed: int = 0
) -> SoftPrompt:
    """The prompt from which `tune` starts: random, with the mean and spread of the word embeddings."""
    parsed = parse(template or default_template(length))
    vectors = random_vectors(lm, parsed.length, job_generator(task.name, seed, "start"))
    return SoftPrompt(vectors, lm.name, task.name, parsed.text, seed, {"method": "random"})
