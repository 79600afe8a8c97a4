"""Profiles: how large a chapter's experiments are, from a quick look to the papers' own models and data."""

import functools
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ptlib.book.cost import in_words, tuning_cost
from ptlib.errors import PromptError
from ptlib.keeping import packs
from ptlib.keeping.files import expanded
from ptlib.keeping.store import default_cache
from ptlib.models.language_model import LanguageModel
from ptlib.models.loading import load
from ptlib.tasks.lama import in_vocabulary, load_lama
from ptlib.tasks.shipped import relation, relations
from ptlib.tasks.task import Task
from ptlib.tasks.text_files import is_there
from ptlib.tuning.descent import Settings
from ptlib.tuning.in_words import WordSettings

FILE = Path(__file__).with_name("profiles.toml")
TUNED_BEFORE = Path(__file__).parents[1] / "pocket" / "prompts"  # packs of the prompts of the pocket profile
FAMILIES = ("bert", "roberta", "albert", "gpt2")  # the order that chapters name them in; others come behind
REAL = ("real", "paper")  # those whose models and facts are real ones
LAMA_RELATIONS = 41
FIRST_RELATION = "P36"  # capitals, which most examples are about
SPARED = (
    "The prompts of this chapter were tuned beforehand and came with the book, in eight bits; only those whose tuning "
    "is watched are tuned here. The command “make anew” tunes all of them again and says how far any number moves."
)
LEAST = {"relations": 2, "seeds": 2, "steps": 1}  # chapters compare relations and seeds, so two of each


@dataclass(frozen=True)
class Profile:
    """How large a chapter's experiments are.

    Attributes:
        name: "smoke", "pocket", "real" or "paper".
        families: for each family of models, what they are called and loaded by, from small to large.
        seeds: of the prompts.
        settings: how prompts are tuned.
        written: how prompts in words are tuned.
        search_steps: of the paper's search.
        gammas: how strongly prompts are drawn to texts, from none to so strongly that they pay for it.
        mild: the one of them at which a prompt reads as its text and loses little.
        most: relations at most, or None for all.
        facts: of a relation of LAMA that are asked, in dev and in test, at most, or None for all.
    """

    name: str
    families: Mapping[str, Mapping[str, str]]
    seeds: range
    settings: Settings
    written: WordSettings
    search_steps: int
    gammas: tuple[int | float, ...]
    mild: int | float
    most: int | None
    facts: int | None

    @property
    def smoke(self) -> bool:
        """Whether it is for a quick look only."""
        return self.name == "smoke"

    @property
    def paper(self) -> bool:
        """Whether it has the papers' models, all of them, and data."""
        return self.name == "paper"

    @property
    def real(self) -> bool:
        """Whether its models and facts are real ones, as in "real" and "paper", and not those of this book."""
        return self.name in REAL

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

    def announce(self, sweeps: Mapping[str, int | float]) -> None:
        """Print what tuning will take on real models, before any is loaded; in the pocket profile what is spared.

        Args:
            sweeps: by what models are called, how many times over all relations and seeds prompts are tuned there, or 0
                for models that are only loaded. In the paper profile, to score all facts some 30 times takes about as
                long as one.
        """
        if self.name == "pocket" and os.environ.get(packs.READ):
            print(SPARED)
        if not self.real:
            return
        prompts = (self.most or LAMA_RELATIONS) * len(self.seeds)
        names = self.models()
        cost = tuning_cost({names[label]: count * prompts for label, count in sweeps.items()}, self.settings)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        print(in_words(cost, device))
        print(f"results are kept in {default_cache()}; a run that is stopped goes on, only curves over steps do not")

    def tasks(self, lms: Sequence[LanguageModel], names: Sequence[str] | None = None) -> list[Task]:
        """Relations with the facts that every one of some models can answer in a word.

        Real models are asked LAMA: from the folder that `PTLIB_LAMA` names, or else from the hub; see `load_lama`.

        Args:
            lms: the models.
            names: which relations; by default all that there are, of LAMA that of capitals first. A profile that has
                so many at most, as a shortened one has, takes the first of these too.

        Raises:
            PromptError: LAMA does not hold one of them, or of too few of them, or not of capitals, all models can
                answer some facts in each split; or what `load_lama` raises.
        """
        if not self.real:
            return [relation(name) for name in (names or relations())[: self.most]]
        source = os.environ.get("PTLIB_LAMA") or None
        lama = _lama(source)
        names = names or [FIRST_RELATION, *(name for name in lama if name != FIRST_RELATION)]
        if missing := [name for name in names if name not in lama]:
            raise PromptError(f"{source or 'LAMA'}: does not hold {', '.join(missing)}; give LAMA as a whole")
        kept, _ = in_vocabulary([_with_definition(lama[name]) for name in names], lms)
        whole = [task for task in kept if task.train and task.dev and task.test]
        lost = [name for name in names if name not in {task.name for task in whole}]
        if FIRST_RELATION in lost or len(whole) < min(LEAST["relations"], len(names)):
            raise PromptError(
                f"{source or 'LAMA'}: too few facts of {', '.join(lost[:5])} are answered in a word that is one token "
                f"of {', '.join(lm.name for lm in lms)}; use other models, or more facts"
            )
        few = whole[: self.most]
        return [replace(task, dev=task.dev[: self.facts], test=task.test[: self.facts]) for task in few]


def profile(name: str, *, seed: int = 0, shorter: Mapping[str, int] | None = None) -> Profile:
    """The profile of a name. That of the pocket models reads the prompts that come with it, unless it is told not to.

    A real model that lies in the folder that `PTLIB_REAL_MODELS` names, in a folder of what it is called here, is taken
    from there, and else from the hub.

    Args:
        name: "smoke", "pocket", "real" or "paper".
        seed: the first of the seeds.
        shorter: fewer "relations", "seeds" or "steps" than the profile has, for a first try; at least two relations
            and two seeds, since chapters compare them.

    Raises:
        PromptError: an unknown profile, something else to shorten, or too few of it; or a profile of real models, and
            `PTLIB_REAL_MODELS` names what is no folder.
    """
    shorter, known = shorter or {}, tomllib.loads(FILE.read_text(encoding="utf-8"))
    if name not in known:
        raise PromptError(f"unknown profile {name!r}; there are {', '.join(known)}")
    for what, count in shorter.items():
        if what not in LEAST:
            raise PromptError(f"cannot shorten {what!r}; there are {', '.join(LEAST)}")
        if count < LEAST[what]:
            raise PromptError(f"shortened to {count} {what}; give at least {LEAST[what]}")
    if name == "pocket":
        os.environ.setdefault(packs.READ, str(TUNED_BEFORE))  # where other processes of a table read it, too
    about = known[name]
    steps = {"steps": shorter["steps"]} if "steps" in shorter else {}
    at_hand = _models_at_hand() if name in REAL else None
    families = {
        family: _found(about["models"][family], at_hand) for family in dict.fromkeys((*FAMILIES, *about["models"]))
    }
    return Profile(
        name,
        families,
        seeds=range(seed, seed + shorter.get("seeds", about["seeds"])),
        settings=Settings(**about["settings"] | steps),
        written=WordSettings(**about["written"] | steps),
        search_steps=min(about["search_steps"], shorter.get("steps", about["search_steps"])),
        gammas=tuple(about["gammas"]),
        mild=about["mild"],
        most=shorter.get("relations", about.get("relations")),
        facts=about.get("facts"),
    )


def _models_at_hand() -> Path | None:
    """The folder with real models that the environment names, if it names one."""
    if not (named := os.environ.get("PTLIB_REAL_MODELS")):
        return None
    folder = expanded(named).absolute()
    if not is_there(folder) or not folder.is_dir():
        raise PromptError(f"PTLIB_REAL_MODELS: {folder} is no folder; name one that holds a folder for each model")
    return folder


def _found(models: Mapping[str, str], at_hand: Path | None) -> dict[str, str]:
    """The models of a family, those by their folders that are at hand."""
    folders = {label: at_hand / label for label in models if at_hand and (at_hand / label).is_dir()}
    return {label: str(folders.get(label, name)) for label, name in models.items()}


@functools.cache
def _lama(source: str | None) -> dict[str, Task]:
    """LAMA, read once in each process."""
    return load_lama(source)


def _with_definition(task: Task) -> Task:
    """A relation of LAMA with the definition of the one that is shipped, if there is one."""
    return replace(task, definition=relation(task.name).definition) if task.name in relations() else task
