"""Gradients: how the vectors of many prompts should change so that a frozen model does their tasks better."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ptlib.models.batches import chunks
from ptlib.models.language_model import LanguageModel
from ptlib.models.quick import quick_copy
from ptlib.prompts.cloze import Cloze, concatenate, encode, slot_logits
from ptlib.prompts.template import Template
from ptlib.tasks.labels import allowed_words, among
from ptlib.tasks.task import Task
from ptlib.tuning.start import job_generator

Job = tuple[Task, int]

LOSS_SCALE = 2.0**8  # of float16, whose smallest number is 6e-8: small gradients survive, large ones have room


class Gradients:
    """The loss of many jobs (a task and a seed each) on one model, in the same forward passes.

    Every job has its own order of examples, decided by its task and seed alone.
    """

    def __init__(self, lm: LanguageModel, jobs: Sequence[Job], template: Template, *, steps: int, rows: int):
        self.lm, self.rows, self.count = quick_copy(lm), rows, len(jobs)
        self.scale = LOSS_SCALE if self.lm.dtype == torch.float16 else 1.0
        tasks = {task.name: task for task, _ in jobs}
        clozes = {name: encode(lm, template, task.train, task=name) for name, task in tasks.items()}
        sizes = [len(cloze) for cloze in clozes.values()]
        first_row = {name: sum(sizes[:place]) for place, name in enumerate(clozes)}
        self.table = concatenate(list(clozes.values()))
        orders = [
            first_row[task.name] + _order(len(clozes[task.name]), steps, rows, job_generator(task.name, seed, "order"))
            for task, seed in jobs
        ]
        self.orders = torch.stack(orders, dim=1).to(lm.device)
        self.allowed = allowed_words(lm, [task for task, _ in jobs])

    def at(self, step: int, vectors: Float[Tensor, "jobs length dim"]) -> Float[Tensor, "jobs length dim"]:
        """The gradient of each job's loss at its vectors, over the examples that it looks at in a step.

        The loss is the cross-entropy of the right word at the slot, among the task's labels if it has some,
        and the mean over the job's examples.
        """
        rows = self.orders[step].flatten()
        owners = torch.arange(self.count, device=rows.device).repeat_interleave(self.rows)
        leaf = vectors.detach().requires_grad_()
        leaf.grad = torch.zeros_like(leaf)
        for chosen in chunks(self.lm, self.table.lengths[rows]):
            (self.scale * self._loss(self.table[rows[chosen]], leaf, owners[chosen])).backward()
        if self.scale == 1:
            return leaf.grad
        return (leaf.grad / self.scale).nan_to_num(0.0, 0.0, 0.0)  # where float16 overflows, this step changes nothing

    def _loss(
        self, cloze: Cloze, vectors: Float[Tensor, "jobs length dim"], owners: Int[Tensor, " rows"]
    ) -> Float[Tensor, ""]:
        logits = among(slot_logits(self.lm, cloze, vectors[owners]), self.allowed, owners)
        wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
        return torch.nn.functional.cross_entropy(wide, cloze.answers, reduction="sum") / self.rows


def _order(examples: int, steps: int, rows: int, generator: torch.Generator) -> Int[Tensor, "steps rows"]:
    """Which examples each step looks at: one shuffled pass through all of them after the other."""
    passes = [torch.randperm(examples, generator=generator) for _ in range(steps * rows // examples + 1)]
    return torch.cat(passes)[: steps * rows].view(steps, rows)
