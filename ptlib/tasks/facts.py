"""Facts: tab-separated files of `subject<TAB>object`, one file a relation."""

from dataclasses import dataclass
from pathlib import Path

from ptlib.errors import PromptError
from ptlib.tasks.text_files import read_text


@dataclass(frozen=True)
class Fact:
    """One fact of a relation, such as `Fact("France", "Paris")` for capital."""

    subject: str
    object: str


def read_facts(path: Path) -> tuple[Fact, ...]:
    """Read a fact file; a fact that it repeats is taken once.

    Raises:
        PromptError: the file cannot be read, a line is not `subject<TAB>object`, or a subject stands twice, with
            different objects; names file and line.
    """
    facts: dict[str, Fact] = {}
    first_line: dict[str, int] = {}
    for number, line in enumerate(read_text(path).rstrip("\n").split("\n"), start=1):
        if not line and number == 1:  # nothing but an end of line
            break
        parts = line.split("\t")
        if len(parts) != 2 or not all(part.strip() for part in parts):
            raise PromptError(f"{path}, line {number}: expected 'subject<TAB>object', found {line!r}")
        subject, answer = (part.strip() for part in parts)
        fact = Fact(subject, answer)
        if facts.get(subject) == fact:
            continue
        if subject in facts:
            raise PromptError(
                f"{path}, line {number}: {subject!r} already stands on line {first_line[subject]}; keep one of them"
            )
        first_line[subject] = number
        facts[subject] = fact
    return tuple(facts.values())
