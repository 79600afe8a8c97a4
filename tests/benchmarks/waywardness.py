"""Throughput of a sweep over texts and gammas, in prompts per minute: `make benchmark`.

The same work in two ways on the BERT pocket model: a loop that tunes and measures one prompt after the other, and
`tune_toward` with `waywardness`, which do all of them in the same forward passes. The loop is timed on every so many
of the prompts.
"""

import os
import time

import torch

import ptlib as pt

RELATIONS, TEXTS, GAMMAS, SEEDS, EVERY = 6, 5, (0.0, 0.1, 1.0, 10.0), (0, 1, 2), 15
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def one_after_another(lm: pt.LanguageModel, tasks: list[pt.Task], aims: list[pt.tuning.Aim]) -> float:
    """Prompts per minute of the loop."""
    by_name, start = {task.name: task for task in tasks}, time.perf_counter()
    for aim in aims:
        task = by_name[aim.task]
        prompt = pt.tune(lm, task, toward=aim.text, gamma=aim.gamma, seed=aim.seed)
        pt.accuracy(lm, task, prompt, split="dev")
        pt.accuracy(lm, task, prompt)
        pt.word_f1(str(pt.project(lm, prompt)), aim.text)
        pt.reading.token_match(lm, prompt, aim.text)
    return 60 * len(aims) / (time.perf_counter() - start)


def all_at_once(
    lm: pt.LanguageModel, tasks: list[pt.Task], texts: tuple[str, ...]
) -> tuple[float, list[pt.tuning.Aim]]:
    """Prompts per minute of the sweep, and what it was for."""
    start = time.perf_counter()
    prompts = pt.tune_toward(lm, tasks, texts, gammas=GAMMAS, seeds=SEEDS, progress=False)
    pt.waywardness(lm, tasks, prompts)
    return 60 * len(prompts) / (time.perf_counter() - start), list(prompts)


def main() -> None:
    """Measure both ways, and print a line for each."""
    lm = pt.load("pocket/bert-small", device=DEVICE)
    tasks = [pt.relation(name) for name in pt.relations()[:RELATIONS]]
    texts = pt.tasks.texts("P36", "unrelated")[:TEXTS]
    all_at_once(lm, tasks[:1], texts[:1])  # warms up
    swept, aims = all_at_once(lm, tasks, texts)
    looped = one_after_another(lm, tasks, aims[::EVERY])
    where = torch.cuda.get_device_name() if DEVICE == "cuda" else f"{os.cpu_count()} CPU cores"
    print(
        f"{len(aims)} prompts: {RELATIONS} relations, {TEXTS} texts, {len(GAMMAS)} gammas, {len(SEEDS)} seeds, {where}"
    )
    print(f"one after another {looped:8.0f} prompts per minute (timed on {len(aims[::EVERY])})")
    print(f"all at once       {swept:8.0f} prompts per minute, {swept / looped:.1f} times as many")


if __name__ == "__main__":
    main()
