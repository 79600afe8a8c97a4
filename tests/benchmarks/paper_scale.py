"""The paper's scale: all relations of LAMA from BERT-base to RoBERTa-base, by real shapes and random weights.

Needs two folders, which `PTLIB_LAMA` and `PTLIB_TOKENIZERS` name: `make benchmark-paper`. First three ways to tune, in
tokens a second and as a share of the device's speed on a large product of matrices; then one source to one target from
end to end, with the time of each stage, the most memory, and what the paper's number of steps would take. What it finds
goes to `ptlib/paper-scale.json`.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

import ptlib as pt
from ptlib.book.cost import operations_in, speed
from ptlib.keeping.files import write_atomically
from ptlib.prompts.cloze import Cloze
from ptlib.prompts.template import place_for
from ptlib.tasks.task import Task
from ptlib.tuning.gradients import Gradients
from tests import shapes

RESULT = Path(pt.book.__file__).with_name("paper-scale.json")
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
ROWS, LENGTH, PAPER_STEPS = 16, 5, 600
AT_ONCE, ONE, PLAIN, END_TO_END = (100, 100, 100, 600) if DEVICE.type == "cuda" else (8, 12, 6, 12)  # steps
FEW = 41 if DEVICE.type == "cuda" else 4  # relations, where they come one after another


def main() -> None:
    """Measure, print, and write what the page on paper scale shows."""
    if shapes.missing():
        sys.exit(shapes.missing())
    source, target = (shapes.random_weights(name, DEVICE) for name in ("bert-base-cased", "roberta-base"))
    tasks = shapes.lama(source, target)
    device = torch.cuda.get_device_name() if DEVICE.type == "cuda" else f"{os.cpu_count()} CPU cores"
    peak = speed(DEVICE)
    where = f"{device}, {peak / 1e12:.2f} TFLOP/s on products of matrices, torch {torch.__version__}"
    ways = compare_tuning(source, tasks, peak)
    stages = end_to_end(source, target, tasks)
    found = {
        "where": where,
        "speed": peak,
        "relations": len(tasks),
        "facts": sum(len(task.test) for task in tasks),
        "ways": ways,
        "stages": stages,
        "seconds with all steps": sum(stage["seconds with all steps"] for stage in stages),
        "memory": memory(),
    }
    text = json.dumps(found, indent=1) + "\n"
    write_atomically(RESULT, lambda file: file.write_text(text, encoding="utf-8"))
    print(text)


def compare_tuning(lm: pt.LanguageModel, tasks: list[Task], peak: float) -> list[dict[str, object]]:
    """Tokens a second of three ways."""
    few = tasks[:: len(tasks) // FEW][:FEW]
    examples = [prepared(lm, task) for task in few]  # what is done once is no part of the loop's time
    ways = {
        "plain loop": (few, PLAIN, lambda: [plain(lm, one) for one in examples]),
        "ptlib, one relation after another": (few, ONE, lambda: [tune(lm, [task], ONE) for task in few]),
        "ptlib, all relations at once": (tasks, AT_ONCE, lambda: tune(lm, tasks, AT_ONCE)),
    }
    tune(lm, tasks, 1)  # warms up
    found = []
    for way, (some, steps, work) in ways.items():
        rate = tokens(lm, some, steps) / timed(work)
        share = rate * operations_in(lm.model.config) / peak
        found.append({"way": way, "tokens a second": rate, "share of the speed": share})
    return found


def end_to_end(source: pt.LanguageModel, target: pt.LanguageModel, tasks: list[Task]) -> list[dict[str, object]]:
    """Seconds and share of each stage from one source to one target."""
    made, seconds = {}, {}
    seconds["tuning"] = timed(lambda: made.update(prompts=tune(source, tasks, END_TO_END)))
    seconds["closed form"] = timed(lambda: made.update(moved=pt.transfer_many(made["prompts"], source, target)))
    seconds["scoring"] = timed(lambda: pt.accuracy_many(target, tasks, made["moved"], quick=True))
    whole = seconds | {"tuning": seconds["tuning"] * PAPER_STEPS / END_TO_END}
    return [
        {
            "stage": stage,
            "seconds": taken,
            "seconds with all steps": whole[stage],
            "share with all steps": whole[stage] / sum(whole.values()),
        }
        for stage, taken in seconds.items()
    ]


def tune(lm: pt.LanguageModel, tasks: list[Task], steps: int) -> dict[tuple[str, int], pt.SoftPrompt]:
    """All tasks at once with `ptlib`."""
    settings = pt.Settings(steps=steps, rows=ROWS, learning_rate=0.003, unit="absolute")
    return pt.tune_many(lm, tasks, length=LENGTH, settings=settings, progress=False)


def prepared(lm: pt.LanguageModel, task: Task) -> list[Cloze]:
    """The rows of each step of the plain loop, as token ids."""
    gradients = Gradients(lm, [(task, 0)], place_for(LENGTH), steps=PLAIN, rows=ROWS)
    return [gradients.table[rows.flatten()] for rows in gradients.orders]


def plain(lm: pt.LanguageModel, steps: list[Cloze]) -> None:
    """One task in a loop as one writes it first: float32, the model as it is, logits for every word everywhere."""
    prompt = torch.randn(LENGTH, lm.dim, device=DEVICE).mul(0.02).requires_grad_()
    optimizer = torch.optim.AdamW([prompt], lr=0.003)
    for cloze in steps:
        numbers = torch.arange(len(cloze), device=DEVICE)
        embedded = lm.embeddings[cloze.ids].index_put((numbers[:, None], cloze.prompt_at), prompt.expand(ROWS, -1, -1))
        seen = torch.arange(cloze.ids.shape[1], device=DEVICE) < cloze.lengths[:, None]
        logits = lm.model(inputs_embeds=embedded, attention_mask=seen.long()).logits
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(logits[numbers, cloze.slot_at], cloze.answers).backward()
        optimizer.step()


def tokens(lm: pt.LanguageModel, tasks: list[Task], steps: int) -> int:
    """How many go through the model, the padding not counted."""
    gradients = Gradients(lm, [(task, 0) for task in tasks], place_for(LENGTH), steps=steps, rows=ROWS)
    return int(gradients.table.lengths[gradients.orders].sum())


def timed(work: Callable[[], object]) -> float:
    """How many seconds some work takes."""
    start = time.perf_counter()
    work()
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def memory() -> int:
    """The most bytes that were in use: of the GPU, or of this process."""
    if DEVICE.type == "cuda":
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
