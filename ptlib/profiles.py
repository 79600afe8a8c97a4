"""Profiles: how large a chapter's experiments are, from a quick look to the papers' own models and data."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ptlib.descent import Settings
from ptlib.errors import PromptError
from ptlib.lama import in_vocabulary, load_lama
from ptlib.models import LanguageModel, load
from ptlib.tasks import Task, relation, relations
from ptlib.words import WordSettings

FILE = Path(__file__).with_name("profiles.toml")
SHORTER = ("relations", "seeds", "steps")


@dataclass(frozen=True)
class Profile:
    """How large a chapter's experiments are.

    Attributes:
        name: "smoke", "pocket" or "paper".
        families: for each family of models, what they are called and loaded by, from small to large.
        seeds: of the prompts.
        settings: how prompts are tuned.
        written: how prompts in words are tuned.
        most: relations at most, or None for all.
    """

    name: str
    families: Mapping[str, Mapping[str, str]]
    seeds: range
    settings: Settings
    written: WordSettings
    most: int | None

    @property
    def smoke(self) -> bool:
        """Whether it is for a quick look only."""
        return self.name == "smoke"

    @property
    def paper(self) -> bool:
        """Whether it has the papers' models and data."""
        return self.name == "paper"

    def models(self, *families: str, sizes: int | None = None) -> dict[str, str]:
        """What models are called and loaded by: of some families or all, so many sizes of each from the smallest."""
        chosen = families or tuple(self.families)
        return {label: name for family in chosen for label, name in list(self.families[family].items())[:sizes]}

    def first(self, family: str) -> str:
        """What the smallest model of a family is called."""
        return next(iter(self.families[family]))

    def load(self, models: Mapping[str, str]) -> dict[str, LanguageModel]:
        """Load models, by what they are called."""
        return {label: load(name) for label, name in models.items()}

    def tasks(self, lms: Sequence[LanguageModel], names: Sequence[str] | None = None) -> list[Task]:
        """Relations with the facts that every one of some models can answer in a word.

        The paper profile takes LAMA: from the folder that `PTLIB_LAMA` names, or else from the hub; see `load_lama`.

        Args:
            lms: the models.
            names: which relations; by default all that there are.
        """
        if not self.paper:
            return [relation(name) for name in (names or relations())[: self.most]]
        lama = load_lama(os.environ.get("PTLIB_LAMA"))
        kept, _ = in_vocabulary([_with_definition(lama[name]) for name in names or lama], lms)
        return [task for task in kept if task.train and task.dev and task.test][: self.most]


def profile(name: str, *, seed: int = 0, shorter: Mapping[str, int] | None = None) -> Profile:
    """The profile of a name.

    Args:
        name: "smoke", "pocket" or "paper".
        seed: the first of the seeds.
        shorter: fewer "relations", "seeds" or "steps" than the profile has, for a first try.

    Raises:
        PromptError: an unknown profile, or something else to shorten.
    """
    shorter, known = shorter or {}, tomllib.loads(FILE.read_text(encoding="utf-8"))
    if name not in known:
        raise PromptError(f"unknown profile {name!r}; there are {', '.join(known)}")
    if strange := shorter.keys() - set(SHORTER):
        raise PromptError(f"cannot shorten {sorted(strange)[0]!r}; there are {', '.join(SHORTER)}")
    about = known[name]
    steps = {"steps": shorter["steps"]} if "steps" in shorter else {}
    families = {family: about["models"][family] for family in ("bert", "roberta", "albert", "gpt2")}
    seeds = range(seed, seed + shorter.get("seeds", about["seeds"]))
    settings, written = (Settings(**about["settings"] | steps), WordSettings(**about["written"] | steps))
    return Profile(name, families, seeds, settings, written, shorter.get("relations"))


def _with_definition(task: Task) -> Task:
    """A relation of LAMA with the definition of the one that is shipped, if there is one."""
    return replace(task, definition=relation(task.name).definition) if task.name in relations() else task
