"""The corpus: every fact said in every wording of its relation, among ordinary sentences."""

import random
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ptlib.errors import PromptError
from ptlib.tasks.shipped import relation, relations
from ptlib.tasks.splits import SPLITS
from ptlib.tasks.task import Task

ORDINARY = Path(__file__).parent / "ordinary.toml"
ORDINARY_SENTENCES = 12_000
DEFINITION_COPIES = 30
LONGEST_SENTENCE = 24  # words; longer lines of plain text are cut into pieces of this length

OTHER, SUBJECT, OBJECT = 0, 1, 2


@dataclass(frozen=True)
class Sentence:
    """A sentence as words, with what each word is: OTHER, SUBJECT or OBJECT; `group` is its relation or "text"."""

    words: tuple[str, ...]
    roles: tuple[int, ...]
    group: str = "text"

    def __str__(self) -> str:
        return " ".join(self.words)


def fact_sentence(template: str, subject: str, answer: str, group: str) -> Sentence:
    """Fill a template's `[X]` and `[Y]`, remembering which words came from where."""
    words: list[str] = []
    roles: list[int] = []
    for token in template.split():
        filled, role = {"[X]": (subject, SUBJECT), "[Y]": (answer, OBJECT)}.get(token, (token, OTHER))
        words += filled.split()
        roles += [role] * len(filled.split())
    return Sentence(tuple(words), tuple(roles), group)


def fact_sentences(tasks: Iterable[Task]) -> Iterator[Sentence]:
    """Each fact of each split in each wording of its relation."""
    for task in tasks:
        for split in SPLITS:
            for example in task.examples(split):
                for wording in task.sentences:
                    yield fact_sentence(wording, example.text, example.answer, task.name)


def ordinary_sentences(count: int, *, seed: int) -> list[Sentence]:
    """Fixed everyday sentences and random fillings of sentence patterns, `count` in all."""
    source = tomllib.loads(ORDINARY.read_text(encoding="utf-8"))
    chance = random.Random(seed)
    texts = list(source["sentences"])
    while len(texts) < count:
        pattern = chance.choice(source["frames"])
        texts.append(re.sub(r"\{(\w+)\}", lambda slot: chance.choice(source["words"][slot[1]]), pattern))
    return [plain_sentence(text.split()) for text in texts[:count]]


def plain_sentence(words: Iterable[str]) -> Sentence:
    """A sentence in which no word is part of a fact."""
    words = tuple(words)
    return Sentence(words, (OTHER,) * len(words))


def text_sentences(folder: Path) -> list[Sentence]:
    """The lines of every `.txt` file of a folder, in pieces of at most `LONGEST_SENTENCE` words.

    Raises:
        PromptError: the folder holds no text.
    """
    sentences = []
    for file in sorted(folder.glob("**/*.txt")):
        for line in file.read_text(encoding="utf-8").splitlines():
            words = re.findall(r"\w+|[^\w\s]", line)
            pieces = (words[i : i + LONGEST_SENTENCE] for i in range(0, len(words), LONGEST_SENTENCE))
            sentences += [plain_sentence(piece) for piece in pieces]
    if not sentences:
        raise PromptError(f"{folder}: no text found; put plain text into files that end in .txt")
    return sentences


def generated(*, seed: int = 0) -> list[Sentence]:
    """The whole generated corpus, the same for the same seed."""
    tasks = [relation(name) for name in relations()]
    definitions = [plain_sentence([*task.definition.split(), "."]) for task in tasks] * DEFINITION_COPIES
    return [*fact_sentences(tasks), *definitions, *ordinary_sentences(ORDINARY_SENTENCES, seed=seed)]


def word_counts(sentences: Iterable[Sentence]) -> Counter[str]:
    """How often each word stands in a corpus."""
    return Counter(word for sentence in sentences for word in sentence.words)
