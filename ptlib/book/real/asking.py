"""Asking models what their own prompts mean: prompt by prompt, each kept as soon as something is said of it.

Each model says it with several pairs of layers, of its own tuned prompts, of random ones, and of the tasks' labels.
Which pair is best is chosen later, on some relations alone.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ptlib.book.real.cells import Study
from ptlib.book.real.descriptions import ASKING, KINDS, described
from ptlib.errors import PromptError
from ptlib.keeping.files import load_tensors, save_tensors
from ptlib.keeping.keys import key_of
from ptlib.keeping.store import Store
from ptlib.models.language_model import LanguageModel
from ptlib.prompts.soft_prompt import SoftPrompt
from ptlib.reading.patching import blocks
from ptlib.tasks.task import Task
from ptlib.tuning.free import tune_many


@dataclass(frozen=True)
class Said:
    """What a model says of one prompt, and of what it is held against.

    Attributes:
        rows: as `described` gives them, with the `model`.
        seconds: that it took.
    """

    rows: list[dict]
    seconds: float

    def save(self, path: str | Path) -> None:
        """Write to a safetensors file, whole or not at all."""
        save_tensors(Path(path), {}, asdict(self), kind="description")


def load_said(path: str | Path) -> Said:
    """Read what `Said.save` wrote.

    Raises:
        PromptError: the file is damaged.
    """
    _, about = load_tensors(path, kind="description")
    if about.keys() != {"rows", "seconds"}:
        raise PromptError(f"{path}: a description in which something is missing")
    return Said(**about)


def layers(lm: LanguageModel) -> tuple[list[int], list[int]]:
    """Where hidden states are taken, at 1/4, 1/2 and 3/4 of a model's depth, and put: at 0, 1/8 and 1/4."""
    depth = len(blocks(lm))
    return sorted({depth // 4, depth // 2, 3 * depth // 4}), sorted({0, depth // 8, depth // 4})


def require_causal(lms: Mapping[str, LanguageModel]) -> None:
    """Refuse a masked model, which cannot go on writing."""
    if masked := [name for name, lm in lms.items() if lm.kind != "causal"]:
        raise PromptError(f"only causal models can be asked: {masked[0]} is masked; leave it out")


def ask(lms: Mapping[str, LanguageModel], tasks: Sequence[Task], study: Study) -> Iterator[Said]:
    """What models say of their own prompts, each kept as soon as it is there.

    Args:
        lms: causal models, by what they are called.
        tasks: the relations.
        study: how prompts are tuned, with which seeds, and where everything is kept.

    Raises:
        PromptError: a masked model, which cannot go on writing.
    """
    require_causal(lms)
    store = Store(study.cache, load_said)
    for name, lm in lms.items():
        length, seeds, settings = study.length, study.seeds, study.settings
        prompts = tune_many(lm, tasks, length=length, seeds=seeds, settings=settings, cache=study.cache)
        for prompt in prompts.values():
            yield _said(name, lm, tasks, prompt, store)


def _said(name: str, lm: LanguageModel, tasks: Sequence[Task], prompt: SoftPrompt, store: Store[Said]) -> Said:
    """What a model says of one prompt, or said before."""
    taken, put = layers(lm)
    facts = [(task.fingerprint(), task.label, task.template, task.definition) for task in tasks]
    about = [lm.fingerprint, prompt.vectors, prompt.task, prompt.template, prompt.seed]
    key = key_of(name, about, facts, taken, put, ASKING, code=__name__)

    def rows() -> list[dict]:
        """What it says now, with its name."""
        found = described(lm, tasks, {(prompt.task, prompt.seed): prompt}, from_layers=taken, to_layers=put)
        return [{"model": name} | row for row in found]

    def line(rows: list[dict]) -> str:
        """Whose prompt, and how often the task was named."""
        named = [f"{kind} {sum(row['own'] for row in rows if row['kind'] == kind):.0f}" for kind in KINDS]
        count = f"named with {', '.join(named)} of {len(rows) // len(KINDS)} pairs"
        return f"{name:20} {prompt.task:6} seed {prompt.seed}  {count}"

    return said_once(store, key, rows, line)


def said_once(store: Store[Said], key: str, ask: Callable[[], list[dict]], line: Callable[[list[dict]], str]) -> Said:
    """What was said before and kept under a key, or what is said now, which is kept and told in a line."""
    said = store.get(key)
    if said is None:
        since = time.perf_counter()
        rows = ask()
        said = Said(rows, time.perf_counter() - since)
        store.put(key, said)
        print(f"{line(rows)}  {said.seconds:.0f} s", flush=True)
    return said
