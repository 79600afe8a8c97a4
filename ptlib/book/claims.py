"""Claims: sentences about what was measured, each with the numbers that decide whether it holds."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ptlib.book.notes import in_print, record
from ptlib.errors import PromptError

Numbers = float | int | np.number | Sequence | np.ndarray
SIGNS = {"more": ">", "less": "<", "same": "="}


@dataclass(frozen=True)
class Comparison:
    """Numbers, beside what they are compared with.

    Attributes:
        direction: "more", "less" or "same".
        first, second: as many numbers each; every pair has to be as the direction says.
        margin: by how much more or less they have to be at least, or how far from the same at most.
    """

    direction: str
    first: tuple[float, ...]
    second: tuple[float, ...]
    margin: float

    @property
    def room(self) -> tuple[float, ...]:
        """By how much each pair is on the right side, or short of it where that is negative."""
        apart = np.subtract(self.first, self.second)
        if self.direction == "same":
            return tuple((self.margin - np.abs(apart)).tolist())
        return tuple(((apart if self.direction == "more" else -apart) - self.margin).tolist())

    @property
    def holds(self) -> bool:
        """Whether it is true of every pair; of what is not a number it is not."""
        return all(room >= 0 if self.direction == "same" else room > 0 for room in self.room)

    def __str__(self) -> str:
        """The pair that decides, such as "0.8032 > 0.4561 by 0.05 (the closest of 44)"."""
        room = np.array(self.room)
        worst = int(np.argmin(np.where(np.isnan(room), -np.inf, room)))
        margin = f" {'within' if self.direction == 'same' else 'by'} {self.margin:g}" if self.margin else ""
        among = f" (the closest of {len(room)})" if len(room) > 1 else ""
        return f"{self.first[worst]:.4g} {SIGNS[self.direction]} {self.second[worst]:.4g}{margin}{among}"


def more(first: Numbers, second: Numbers, by: float | int = 0) -> Comparison:
    """That numbers are more than others, each by more than a margin."""
    return _compared("more", first, second, by)


def less(first: Numbers, second: Numbers, by: float | int = 0) -> Comparison:
    """That numbers are less than others, each by more than a margin."""
    return _compared("less", first, second, by)


def same(first: Numbers, second: Numbers, within: float | int) -> Comparison:
    """That numbers are no farther than so much from others."""
    return _compared("same", first, second, within)


def claim(name: str, sentence: str, *needs: Comparison, profiles: Sequence[str] = ("smoke", "pocket")) -> None:
    """Say something about what was measured, and keep with it whether it holds.

    The text of the book shows the sentence where it quotes the name. Where it does not hold, the build fails in the
    profiles that it was written for, and in others the text says so; or that it was not measured there, where one of
    its numbers is none.

    Args:
        name: what the text calls it by.
        sentence: with its numbers in it.
        needs: all that must be true for it to hold; see `more`, `less` and `same`.
        profiles: in which it must hold.

    Raises:
        PromptError: a claim that needs nothing, so that nothing could show it to be false.
    """
    if not needs:
        raise PromptError(f"the claim {name!r} compares no numbers; give what must be true, such as more(a, b)")
    sentence, holds = in_print(sentence), all(need.holds for need in needs)
    about = {
        "sentence": sentence,
        "holds": holds,
        "numbers": [str(need) for need in needs],
        "needs": [_plain(need) for need in needs],
        "profiles": list(profiles),
    }
    record(name, {"text/plain": repr(_shown(sentence, needs, holds))}, claim=about)


def _shown(sentence: str, needs: Sequence[Comparison], holds: bool) -> str:
    """What the page says."""
    if holds:
        return sentence
    measured = all(np.isfinite((*need.first, *need.second)).all() for need in needs)
    return f"(Does not hold here: {sentence})" if measured else "(Not measured here.)"


def _plain(need: Comparison) -> dict[str, object]:
    """A comparison as JSON can hold it, which has no word for what is not a number."""
    sides = {side: [n if np.isfinite(n) else None for n in getattr(need, side)] for side in ("first", "second")}
    return asdict(need) | sides


def _compared(direction: str, first: Numbers, second: Numbers, margin: float | int) -> Comparison:
    """A comparison pair by pair; one number is compared with each of several.

    Raises:
        PromptError: nothing to compare.
    """
    pairs = np.broadcast_arrays(np.asarray(first, dtype=float), np.asarray(second, dtype=float))
    if not pairs[0].size:
        raise PromptError("nothing to compare; a claim about no numbers would hold always")
    left, right = (tuple(side.ravel().tolist()) for side in pairs)
    return Comparison(direction, left, right, float(margin))
