"""Where prompts start: random vectors like the words of a model, the same on every machine."""

import hashlib
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ptlib.models.language_model import LanguageModel
from ptlib.prompts.soft_prompt import SoftPrompt
from ptlib.prompts.template import place_for
from ptlib.tasks.task import Task


def job_generator(task: str, seed: int, purpose: str) -> torch.Generator:
    """Randomness that depends on a task, a seed and what it is for, the same on every machine and device."""
    digest = hashlib.sha256(f"{task} {seed} {purpose}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def random_vectors(lm: LanguageModel, length: int, jobs: Sequence[tuple[str, int]]) -> Float[Tensor, "jobs length dim"]:
    """Vectors with the mean and spread of the model's word embeddings in each dimension, by task and seed."""
    mean, spread = lm.moments
    generators = [job_generator(*job, "start") for job in jobs]
    noise = [torch.randn(length, lm.dim, generator=one, dtype=torch.float64) for one in generators]
    return mean + spread * torch.stack(noise).to(mean)


def random_prompt(
    lm: LanguageModel, task: Task, *, length: int = 5, template: str | None = None, seed: int = 0
) -> SoftPrompt:
    """The prompt from which `tune` starts: random, with the mean and spread of the word embeddings."""
    parsed = place_for(length, template)
    (vectors,) = random_vectors(lm, parsed.length, [(task.name, seed)])
    return SoftPrompt(vectors, lm.name, task.name, parsed.text, seed, {"method": "random"})
