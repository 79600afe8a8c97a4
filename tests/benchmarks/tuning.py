"""Throughput of prompt tuning, in tasks x steps per second: `make benchmark`.

Three ways to tune the same prompts on the GPT-2 pocket model: `peft`'s prompt tuning in a loop over tasks,
`ptlib` in a loop over tasks, and `ptlib` with all tasks at once. Same examples, rows a step, length of the
prompt and place of the prompt (before the text, where `peft` puts it).
"""

import os
import time
import warnings
from collections.abc import Callable
from statistics import median

import torch
from peft import PromptTuningConfig, TaskType, get_peft_model
from transformers import GPT2LMHeadModel

import ptlib as pt
from ptlib.models.checkpoint import WEIGHTS
from ptlib.tasks.task import Task

RELATIONS, LENGTH, ROWS, STEPS, ROUNDS = 12, 5, 4, 100, 5
SETTINGS = pt.Settings(steps=STEPS, rows=ROWS)
TEMPLATE = "[V] " * LENGTH + "[X] [Y]"
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def with_peft(lm: pt.LanguageModel, task: Task) -> None:
    """One task with `peft`, as its documentation does it: labels on the answer, logits at every place."""
    base = GPT2LMHeadModel.from_pretrained(WEIGHTS / "gpt2-small", dtype=torch.float32)
    config = PromptTuningConfig(task_type=TaskType.CAUSAL_LM, num_virtual_tokens=LENGTH, num_layers=2, token_dim=lm.dim)
    model = get_peft_model(base, config).to(DEVICE)
    optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=SETTINGS.rate(lm))
    rows = [[*lm.pieces(example.text), lm.word_id(example.answer)] for example in task.train]
    order = torch.randperm(len(rows) * (STEPS * ROWS // len(rows) + 1)) % len(rows)
    for chosen in order[: STEPS * ROWS].view(STEPS, ROWS).tolist():
        batch = [rows[i] for i in chosen]
        longest = max(map(len, batch))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in batch], device=DEVICE)
        attention = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in batch], device=DEVICE)
        labels = torch.full_like(ids, -100)
        last = attention.sum(dim=1) - 1
        labels[torch.arange(ROWS), last] = ids[torch.arange(ROWS), last]
        optimizer.zero_grad()
        model(input_ids=ids, attention_mask=attention, labels=labels).loss.backward()
        optimizer.step()


def seconds(work: Callable[[], object]) -> float:
    """How long some work takes."""
    start = time.perf_counter()
    work()
    if DEVICE == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def main() -> None:
    """Measure the three ways in turn, round after round, since machines change their speed; print a line for each."""
    warnings.filterwarnings("ignore", ".*is_gradient_checkpointing", FutureWarning)
    lm = pt.load("pocket/gpt2-small", device=DEVICE)
    tasks = [pt.relation(name) for name in pt.relations()[:RELATIONS]]
    options = {"template": TEMPLATE, "settings": SETTINGS}
    ways = {
        "peft, one task after another": lambda: [with_peft(lm, task) for task in tasks],
        "ptlib, one task after another": lambda: [pt.tune(lm, task, **options) for task in tasks],
        "ptlib, all tasks at once": lambda: pt.tune_many(lm, tasks, progress=False, **options),
    }
    rounds = [{name: seconds(work) for name, work in ways.items()} for _ in range(ROUNDS + 1)][1:]  # after warming up
    print(
        f"{RELATIONS} relations, {STEPS} steps of {ROWS} rows, {LENGTH} vectors, {where()}, torch {torch.__version__}"
    )
    print(f"{'tasks x steps per second':32}{'median':>8}{'lowest':>8}{'highest':>9}{'times peft':>12}{'lowest':>8}")
    first = next(iter(ways))
    for name in ways:
        rates = [RELATIONS * STEPS / taken[name] for taken in rounds]
        times = [taken[first] / taken[name] for taken in rounds]
        print(f"{name:32}{median(rates):8.0f}{min(rates):8.0f}{max(rates):9.0f}{median(times):12.1f}{min(times):8.1f}")


def where() -> str:
    """What all this runs on."""
    return torch.cuda.get_device_name() if DEVICE == "cuda" else f"{os.cpu_count()} CPU cores"


if __name__ == "__main__":
    main()
