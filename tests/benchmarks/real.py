"""Tuning and scoring on a real model, beside the plain way: `python tests/benchmarks/real.py FOLDER`, with PTLIB_LAMA.

Prompts for eight relations of LAMA are tuned all at once, and by `peft`'s prompt tuning in a loop over relations; the
same facts, rows, steps, length and place of the prompt. Then prompts are scored, and the same texts go through
`transformers` without any prompt, in batches of as many rows.
"""

import os
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace

import torch
from peft import PromptTuningConfig, TaskType, get_peft_model

import ptlib as pt
from ptlib.book.real.cells import TO_CHOOSE
from ptlib.tasks.lama import split_by_subject
from ptlib.tasks.task import Task

LENGTH, ROWS, STEPS, FACTS, PROMPTS, BATCH = 5, 4, 12, 100, 2, 64
TEMPLATE = "[V] " * LENGTH + "[X] [Y]"  # in front of the text, where `peft` puts it
SETTINGS = pt.Settings(steps=STEPS, rows=ROWS)


def with_peft(lm: pt.LanguageModel, task: Task) -> None:
    """One task with `peft`, as its documentation does it: labels on the answer, logits at every place."""
    blocks = lm.model.config.num_hidden_layers
    config = PromptTuningConfig(
        task_type=TaskType.CAUSAL_LM, num_virtual_tokens=LENGTH, num_layers=blocks, token_dim=lm.dim
    )
    model = get_peft_model(lm.model, config)
    optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=SETTINGS.rate(lm))
    rows = [[*lm.pieces(example.text), lm.word_id(example.answer)] for example in task.train[: STEPS * ROWS]]
    for start in range(0, STEPS * ROWS, ROWS):
        batch = rows[start : start + ROWS]
        longest = max(map(len, batch))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in batch])
        attention = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in batch])
        last = attention.sum(dim=1) - 1
        labels = torch.full_like(ids, -100)
        labels[torch.arange(ROWS), last] = ids[torch.arange(ROWS), last]
        optimizer.zero_grad()
        model(input_ids=ids, attention_mask=attention, labels=labels).loss.backward()
        optimizer.step()


@torch.no_grad()
def plain_forward(lm: pt.LanguageModel, tasks: list[Task]) -> None:
    """The texts of all test facts through the model, once for each prompt, without any prompt."""
    for task in tasks:
        texts = sorted((example.text for example in task.test), key=len) * PROMPTS
        for start in range(0, len(texts), BATCH):
            lm.model(**lm.tokenizer(texts[start : start + BATCH], padding=True, return_tensors="pt"))


def seconds(work: Callable[[], object]) -> float:
    """How long some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Measure both, and print a line for each."""
    warnings.filterwarnings("ignore", ".*is_gradient_checkpointing", FutureWarning)
    lm = pt.load(sys.argv[1])
    lm.tokenizer.pad_token = lm.tokenizer.pad_token or lm.tokenizer.eos_token
    lama = pt.read_lama(os.environ["PTLIB_LAMA"])
    known, _ = pt.in_vocabulary([lama[name] for name in TO_CHOOSE], [lm])
    tasks = [replace(task, test=task.test[:FACTS]) for task in map(split_by_subject, known)]
    prompts = {
        (task.name, seed): pt.random_prompt(lm, task, length=LENGTH, seed=seed)
        for task in tasks
        for seed in range(PROMPTS)
    }
    options = {"template": TEMPLATE, "settings": SETTINGS, "progress": False}
    pt.tune_many(lm, tasks[:1], **options)  # the quick copy is made once
    ours = seconds(lambda: pt.tune_many(lm, tasks, **options))
    scored = seconds(lambda: pt.accuracy_many(lm, tasks, prompts, quick=True))
    through = seconds(lambda: plain_forward(lm, tasks))
    theirs = seconds(lambda: [with_peft(lm, task) for task in tasks])
    print(f"{sys.argv[1]}: {os.cpu_count()} CPU cores, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print(f"tuning, {len(tasks)} relations, {STEPS} steps of {ROWS} rows: {ours:.1f} s, peft {theirs:.1f} s")
    print(f"  times peft: {theirs / ours:.1f}")
    print(
        f"scoring {FACTS * len(tasks)} facts with {PROMPTS} prompts each: {scored:.1f} s, one forward {through:.1f} s"
    )
    print(f"  of a plain forward: {scored / through:.2f}")


if __name__ == "__main__":
    main()
