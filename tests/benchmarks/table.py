"""The table of transfers, in milliseconds of a processor for each score: `make benchmark`.

The same scores in two ways, on some of the small pocket models: `transfer_table`, and a loop that carries and scores
one prompt after the other. Prompts are tuned before, briefly, and not timed. The loop is timed on every so many.
Time is that of the processor, so that other work on the machine counts less.
"""

import itertools
import os
import tempfile
import time

import ptlib as pt

NAMES, RELATIONS, SEEDS, EVERY = ("pocket/bert-small", "pocket/gpt2-small"), 20, (0, 1), 23
SETTINGS = pt.Settings(steps=5)
METHODS = {
    "closed form": pt.ClosedForm(),
    "centred": pt.ClosedForm(centre=True),
    "discretise": pt.Discretise(),
    "linear map": pt.LinearMap(),
    "procrustes": pt.Procrustes(),
    "neural projector": pt.NeuralProjector(),
}


def one_after_another(lms: dict[str, pt.LanguageModel], tasks: list[pt.Task], prompts: dict) -> tuple[float, int]:
    """Seconds of the loop, and for how many scores."""
    jobs = itertools.product(lms, lms, METHODS.values(), tasks, SEEDS)
    chosen = list(itertools.islice(jobs, 0, None, EVERY))
    start = time.process_time()
    for source, target, method, task, seed in chosen:
        moved = pt.transfer(prompts[source][task.name, seed], lms[source], lms[target], method=method)
        pt.accuracy(lms[target], task, moved)
    return time.process_time() - start, len(chosen)


def the_table(lms: dict[str, pt.LanguageModel], tasks: list[pt.Task], cache: str) -> tuple[float, int]:
    """Seconds of the table in this process, and for how many scores."""
    start = time.process_time()
    options = {"seeds": SEEDS, "settings": SETTINGS, "cache": cache, "engine": "sequential", "progress": False}
    found = pt.transfer_table(list(lms.values()), tasks, METHODS, **options)
    return time.process_time() - start, len(found)


def main() -> None:
    """Measure both, and print a line for each."""
    lms = {name: pt.load(name, device="cpu") for name in NAMES}
    tasks = [pt.relation(name) for name in pt.relations()[:RELATIONS]]
    with tempfile.TemporaryDirectory() as cache:
        prompts = {
            name: pt.tune_many(lm, tasks, seeds=SEEDS, settings=SETTINGS, cache=cache, progress=False)
            for name, lm in lms.items()
        }
        seconds, scores = the_table(lms, tasks, cache)
    looped, of_loop = one_after_another(lms, tasks, prompts)
    cells = scores // len(tasks) // len(SEEDS)
    print(
        f"{cells} cells: {len(lms)} models, {len(METHODS)} methods, {len(tasks)} relations, {len(SEEDS)} seeds, "
        f"{os.cpu_count()} CPU cores"
    )
    print(f"one after another {1_000 * looped / of_loop:8.2f} ms a score (timed on {of_loop} of {scores})")
    ratio = looped / of_loop / (seconds / scores)
    print(
        f"transfer_table    {1_000 * seconds / scores:8.2f} ms a score, {ratio:.1f} times as fast; "
        f"{1_000 * seconds / cells:.0f} ms a cell"
    )


if __name__ == "__main__":
    main()
