"""What the scores on real models come to: means over relations, their intervals, and how much of a gap is closed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from ptlib.errors import PromptError
from ptlib.scoring.scores import interval

# The models of the kept results, as their rows name them; on the last no prompt was tuned.
GEMMA, QWEN, LARGER = "gemma-3-270m", "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b"
SCORES = {"vocabulary": "among all words", "answers": "among the answers"}


@dataclass(frozen=True)
class Scores:
    """Scores of some relations.

    Attributes:
        rows: as `kept_rows` gives them.
        score: which P@1, over the whole "vocabulary" or among a relation's "answers".
    """

    rows: pd.DataFrame
    score: str = "vocabulary"

    def of(self, relations: Sequence[str]) -> "Scores":
        """The same of some relations alone."""
        return Scores(self.rows[self.rows.relation.isin(relations)], self.score)

    def asked(self, method: str, target: str, *sources: str) -> Float[np.ndarray, "seeds relations"]:
        """P@1 of one way of asking, by seed and relation.

        Args:
            method: as `Cell` names it.
            target: the model that is asked.
            sources: the models that its prompts were tuned on, if they are others.

        Raises:
            PromptError: this was not measured, or not on all of these relations with all seeds, or is kept twice.
        """
        tuned_on = "+".join(sources) or (target if method == "tuned" else "")
        rows = self.rows.query("method == @method and target == @target and sources == @tuned_on")
        what, whole = f"{method!r} of {tuned_on or 'no model'} on {target}", self.rows[["seed", "relation"]].nunique()
        if rows.empty:
            raise PromptError(f"{what} was not measured")
        if rows.duplicated(["seed", "relation"]).any():
            raise PromptError(f"{what} stands there more than once for a relation and seed; keep one of each")
        table = rows.pivot(index="seed", columns="relation", values=self.score)
        if table.shape != tuple(whole) or table.isna().any(axis=None):
            raise PromptError(f"{what} was measured in part; let the measurement end, or take `of` what has all")
        return table.to_numpy()

    def mean(self, method: str, target: str, *sources: str) -> float:
        """Its mean over relations and seeds."""
        return float(self.asked(method, target, *sources).mean())

    def by_seed(self, method: str, target: str, *sources: str) -> Float[np.ndarray, " seeds"]:
        """Its mean over relations, by seed."""
        return self.asked(method, target, *sources).mean(axis=1)

    def between(self, method: str, target: str, *sources: str) -> tuple[float, float]:
        """Its 95% interval over relations, of means over seeds."""
        return interval(self.asked(method, target, *sources).mean(axis=0))

    def gap_closed(self, method: str, target: str, *sources: str) -> float:
        """The share of the way from the manual template (0) to a prompt tuned on the target (1) that it goes.

        It is less than 0 where the manual template is better. Of means over relations, since single relations
        may leave no gap.

        Raises:
            PromptError: tuning is as good as the manual template, or this was not measured.
        """
        manual, tuned = self.mean("manual", target), self.mean("tuned", target)
        if manual == tuned:
            raise PromptError(f"on {target} tuned prompts are as good as manual templates; there is no gap to close")
        return (self.mean(method, target, *sources) - manual) / (tuned - manual)
