"""What models say of their own wayward prompts: the task that a prompt does, or the text that it reads as.

A description names a task if it holds one of the task's words: those of its label, its manual template, its answers and
the texts that truly say what it is. It names a text if it holds one of the text's words. Words that a prompt's task and
text share count for neither, and words that every text has never count. Controls are how often a description names the
other tasks and the other texts, and what the model says of the text alone, before anything was tuned, and of random
vectors. As that of `descriptions`, the rule was written before any description of a wayward prompt was read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ptlib.book.real.asking import Said, layers, load_said, require_causal, said_once
from ptlib.book.real.descriptions import ASKING, STOP_WORDS, task_words
from ptlib.book.real.wayward_cells import Study, texts_for
from ptlib.book.real.wayward_measure import Row, prompts_of
from ptlib.keeping.keys import key_of
from ptlib.keeping.store import Store
from ptlib.models.language_model import LanguageModel
from ptlib.prompts.soft_prompt import SoftPrompt
from ptlib.prompts.template import default_template
from ptlib.reading.descriptions import describe
from ptlib.reading.likeness import plain_words
from ptlib.tasks.task import Task
from ptlib.tasks.wordings import texts
from ptlib.tuning.start import random_prompt
from ptlib.tuning.toward import Aim, text_ids

Words = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Names:
    """The words by which tasks are named, by the name of each, and those by which texts are, by the text."""

    tasks: Words
    texts: Words

    def named(self, said: str, task: str, text: str) -> dict[str, float]:
        """What a description of a prompt for a task, drawn to a text, names.

        Returns:
            `does`, whether it names the prompt's task, and `reads`, whether it names the prompt's text; `other_tasks`
            and `other_texts`, which share of the others it names.
        """
        words, own, read = frozenset(plain_words(said)), self.tasks[task], self.texts[text]
        others = {
            "other_tasks": [theirs for name, theirs in self.tasks.items() if name != task],
            "other_texts": [theirs for name, theirs in self.texts.items() if name != text],
        }
        found = {"does": float(not words.isdisjoint(own - read)), "reads": float(not words.isdisjoint(read - own))}
        for what, some in others.items():
            seen = [not words.isdisjoint(theirs - own - read) for theirs in some]
            found[what] = sum(seen) / len(seen) if seen else 0.0
        return found


def names_of(tasks: Sequence[Task]) -> Names:
    """The words of some tasks, and of the texts that prompts for them are drawn to."""
    for_tasks = {task.name: task_words(task) | _content(*texts(task.name, "true")) for task in tasks}
    return Names(for_tasks, {text: _content(text) for task in tasks for text in texts_for(task.name)})


def _content(*said: str) -> frozenset[str]:
    return frozenset(word for word in plain_words(" ".join(said)) if len(word) > 1) - STOP_WORDS


def ask_of_wayward(lms: Mapping[str, LanguageModel], tasks: Sequence[Task], study: Study) -> Iterator[Said]:
    """What models say of the prompts that `wayward_measure` tunes, each kept as soon as it is there.

    Args:
        lms: causal models, by what they are called.
        tasks: the classifications.
        study: how prompts are tuned, with which seeds, and where everything is kept.

    Raises:
        PromptError: a masked model, which cannot go on writing.
    """
    require_causal(lms)
    store, names = Store(study.cache, load_said), names_of(tasks)
    for name, lm in lms.items():
        for task in tasks:
            for seed in study.seeds:
                for aim, prompt in prompts_of(lm, task, study, seed).items():
                    for kind, one in _held_against(lm, task, aim, prompt, study):
                        yield _said(name, lm, aim, kind, one, names, store)


def _held_against(
    lm: LanguageModel, task: Task, aim: Aim, prompt: SoftPrompt, study: Study
) -> Iterator[tuple[str, SoftPrompt]]:
    """A prompt by its kind; with the first of a text the text alone, where it began, and random vectors as many."""
    yield "tuned", prompt
    if aim.gamma == study.gammas[0]:
        ids, template = text_ids(lm, aim.text), default_template(prompt.length)
        yield "text", SoftPrompt(lm.embeddings[ids], lm.name, task.name, template, aim.seed, {"method": "text"})
        yield "random", random_prompt(lm, task, length=prompt.length, seed=aim.seed)


def _said(
    name: str, lm: LanguageModel, aim: Aim, kind: str, prompt: SoftPrompt, names: Names, store: Store[Said]
) -> Said:
    """What a model says of one prompt, or said before."""
    taken, put = layers(lm)
    known = [sorted((what, sorted(words)) for what, words in some.items()) for some in (names.tasks, names.texts)]
    key = key_of(name, lm.fingerprint, prompt.vectors, aim, kind, known, taken, put, ASKING, code=__name__)

    def rows() -> list[Row]:
        """What it says now, and what that names."""
        about: Row = {"model": name, "kind": kind} | aim._asdict()
        answers = describe(lm, prompt, from_layer=taken, to_layer=put, text=ASKING, count=1)
        # What is said goes by another name than the text that the prompt was drawn to.
        return [
            about
            | {"said": one.text, "score": one.score, "from_layer": one.from_layer, "to_layer": one.to_layer}
            | names.named(one.text, aim.task, aim.text)
            for one in answers
        ]

    def line(rows: list[Row]) -> str:
        """Whose prompt, and how often the task and the text were named."""
        does, reads = (sum(row[what] for row in rows) for what in ("does", "reads"))
        count = f"task named with {does:.0f}, text with {reads:.0f} of {len(rows)} pairs"
        return f"{name:20} {aim.task:8} {kind:6} gamma {aim.gamma:<3g} {count}"

    return said_once(store, key, rows, line)
