"""What is measured on real models: relations, methods, and the ways of asking each model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ptlib.carrying.by_maps import Discretise, LinearMap, NeuralProjector, Procrustes
from ptlib.carrying.by_relations import ClosedForm, Method
from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel
from ptlib.tasks.labels import closed
from ptlib.tasks.lama import in_vocabulary, read_lama, split_by_subject
from ptlib.tasks.task import Task
from ptlib.tuning.descent import Settings
from ptlib.tuning.in_words import WordSettings

# Whatever is chosen is chosen on the first, and told on the others.
TO_CHOOSE = ("P17", "P36", "P103", "P106", "P30", "P37", "P495", "P1412")
TO_REPORT = ("P19", "P27", "P127", "P140", "P101", "P136", "P159", "P176", "P364", "P407", "P413", "P1303")
METHODS: dict[str, Method] = {
    "closed form": ClosedForm(),
    "centred": ClosedForm(centre=True),
    "discretise": Discretise(),
    "linear map": LinearMap(),
    "procrustes": Procrustes(),
    "neural projector": NeuralProjector(),
}
IN_WORDS = ("plain words", "shared words")
IN_FRONT = {  # the carried prompt in front of the manual template: which answer by the prompt, and that one is wanted
    f"{method}, in front": method
    for method in ("random", "closed form", "centred", "linear map", "procrustes", "plain words")
}
NEAR = {  # the same of prompts that were tuned in small steps, and so stayed near the words
    f"{method}, near words": method for method in ("tuned", "closed form", "centred", "linear map", "procrustes")
}
HELD_OUT = ("manual", "random", "linear map", "plain words")  # what a model is asked that no prompt is tuned on


@dataclass(frozen=True)
class Study:
    """How it is measured.

    Attributes:
        seeds: of the prompts.
        facts: of each relation that are scored, at most.
        settings: how free prompts are tuned.
        near: how those are that stay near the words.
        written: how prompts in words are.
        length: vectors in a prompt.
        cache: where prompts and cells are kept.
    """

    seeds: tuple[int, ...] = (0, 1, 2)
    facts: int = 50
    settings: Settings = Settings(steps=60)
    near: Settings = Settings(steps=60, learning_rate=0.1)
    written: WordSettings = WordSettings(steps=60)
    length: int = 5
    cache: str | None = None


@dataclass(frozen=True)
class Cell:
    """One way of asking one model.

    Attributes:
        method: "manual", "random", "tuned", or one of `METHODS`, `IN_WORDS`, `IN_FRONT` or `NEAR`.
        sources: the models that the prompts were tuned on.
        target: the model that is asked.
    """

    method: str
    sources: tuple[str, ...]
    target: str


def cells(names: Sequence[str], held_out: Sequence[str] = ()) -> Iterator[Cell]:
    """All ways of asking all models.

    Args:
        names: models that prompts are tuned on and carried between.
        held_out: models that are only asked, in the ways that are named `HELD_OUT`.
    """
    for name in (*names, *held_out):
        for cell in _asked(name, names):
            if name in names or cell.method in HELD_OUT:
                yield cell


def _asked(target: str, names: Sequence[str]) -> Iterator[Cell]:
    """All ways of asking one model."""
    yield from (Cell(method, (), target) for method in ("manual", "random", "random, in front"))
    if target in names:
        yield from (Cell(method, (target,), target) for method in ("tuned", "tuned, near words"))
    carried = [*METHODS, *(method for method, way in (IN_FRONT | NEAR).items() if way in METHODS)]
    others = tuple(name for name in names if name != target)
    for sources in dict.fromkeys((*((name,) for name in others), others)):  # each alone, and the average of all
        if sources:
            yield from (Cell(method, sources, target) for method in carried)
    for method in (*IN_WORDS, *(method for method, way in IN_FRONT.items() if way in IN_WORDS)):
        yield from (Cell(method, sources, target) for sources in (tuple(names), *((name,) for name in names)))


def relations(folder: str, lms: Sequence[LanguageModel], facts: int) -> tuple[list[Task], dict[str, Task]]:
    """The relations of LAMA with the facts that all models can answer in a word, and the same with labels.

    Raises:
        PromptError: one of them is not in the folder, or what `read_lama` raises.
    """
    lama = read_lama(folder)
    order = (*TO_CHOOSE[:4], *TO_REPORT[:4], *TO_CHOOSE[4:], *TO_REPORT[4:])  # so that a part has of both
    if missing := [name for name in order if name not in lama]:
        raise PromptError(f"{folder}: does not hold {', '.join(missing)}; give LAMA as a whole")
    known, _ = in_vocabulary([lama[name] for name in order], lms)
    tasks = [split_by_subject(task) for task in known]
    return [replace(task, test=task.test[:facts]) for task in tasks], {task.name: closed(task) for task in tasks}
