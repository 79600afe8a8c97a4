"""Facts: tab-separated files of `subject<TAB>object`, one file a relation."""

from dataclasses import dataclass
from pathlib import Path

from ptlib.errors import PromptError


@dataclass(frozen=True)
class Fact:
    """One fact of a relation, such as `Fact("France", "Paris")` for capital."""

    subject: str
    object: str


def read_facts(path: Path) -> tuple[Fact, ...]:
    """Read a fact file.

    Raises:
        PromptError: a line is not `subject<TAB>object`, or a subject stands twice; names file and line.
    """
    facts: list[Fact] = []
    first_line: dict[str, int] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        parts = line.split("\t")
        if len(parts) != 2 or not all(part.strip() for part in parts):
            raise PromptError(f"{path}, line {number}: expected 'subject<TAB>object', found {line!r}")
        subject, answer = (part.strip() for part in parts)
        if subject in first_line:
            raise PromptError(
                f"{path}, line {number}: {subject!r} already stands on line {first_line[subject]}; keep one of them"
            )
        first_line[subject] = number
        facts.append(Fact(subject, answer))
    return tuple(facts)
