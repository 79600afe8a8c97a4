"""One run of the book: what is asked for, and where everything belongs that it makes."""

from dataclasses import dataclass
from pathlib import Path

from book.runner.pages import Page

REAL = ("real", "paper")  # profiles on real models, from the hub or from folders: hours of work, on all cores or a GPU


@dataclass(frozen=True)
class Run:
    """One run of the book.

    Attributes:
        root: the folder of the book's sources.
        build: the folder of all that is made.
        parameters: what every chapter is executed with; the profile is one of them.
        jobs: how many chapters run at a time.
    """

    root: Path
    build: Path
    parameters: dict[str, object]
    jobs: int = 1

    @property
    def profile(self) -> str:
        """The profile's name."""
        return str(self.parameters["profile"])

    @property
    def real(self) -> bool:
        """Whether its models are real ones."""
        return self.profile in REAL

    def notebook(self, page: Page) -> Path:
        """The executed copy of a chapter that passed."""
        return self.build / "executed" / self.profile / f"{page.name}.ipynb"

    def note(self, page: Page) -> Path:
        """The note of what the executed copy was made from."""
        return self.build / "executed" / self.profile / f"{page.name}.json"

    def unfinished(self, page: Page) -> Path:
        """The copy that is being executed, and what is left of it if the chapter fails."""
        return self.build / "failed" / f"{page.name}.ipynb"

    def results(self, page: Page) -> Path:
        """The numbers that the chapter noted."""
        return self.build / "results" / self.profile / f"{Path(page.name).name}.json"


@dataclass(frozen=True)
class Verdict:
    """What became of a chapter.

    Attributes:
        page: its name.
        seconds: how long its execution took, when it was last executed.
        outcome: "executed", "unchanged" or "failed".
        problem: what is wrong, if it failed.
        day: when it was executed.
        machine: on what.
    """

    page: str
    seconds: float
    outcome: str
    problem: str = ""
    day: str = ""
    machine: str = ""
