"""Controls: what a score would be if the language model knew nothing."""

from collections import Counter

import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

from ptlib.metrics import Accuracy
from ptlib.models import LanguageModel
from ptlib.tasks import Task


def untrained(lm: LanguageModel, *, seed: int = 0) -> LanguageModel:
    """A model of the same shape and tokenizer with random weights (Zhong et al. 2021 use it as a control)."""
    loader = AutoModelForMaskedLM if lm.kind == "masked" else AutoModelForCausalLM
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = loader.from_config(lm.model.config)
    model = model.eval().requires_grad_(False).to(lm.embeddings)
    return LanguageModel(f"untrained {lm.name}", lm.kind, model, lm.tokenizer)


def most_frequent_answer(task: Task, *, split: str = "test") -> Accuracy:
    """P@1 of always giving the answer that is most frequent in training (the first in the alphabet among equals)."""
    counts = Counter(example.answer for example in task.train)
    guess = min(counts, key=lambda word: (-counts[word], word))
    return Accuracy(tuple(example.answer == guess for example in task.examples(split)))
