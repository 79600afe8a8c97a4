"""Pairs: what a transfer table says by pairs of models, of different families and of one kind or two."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Float

from ptlib.models.language_model import LanguageModel

#: Kinds of pairs of a source and a target.
KINDS = ("masked to masked", "causal to masked", "masked to causal")


def family(name: str) -> str:
    """The part of a model's name before its size."""
    return name.partition("-")[0]


@dataclass(frozen=True)
class Pairs:
    """P@1 by pairs of models, the mean over tasks.

    Attributes:
        table: of `transfer_table`, with models by what `lms` calls them.
        lms: the models.
    """

    table: pd.DataFrame
    lms: Mapping[str, LanguageModel]

    @classmethod
    def of(cls, table: pd.DataFrame, lms: Mapping[str, LanguageModel]) -> "Pairs":
        """Of a table as `transfer_table` gives it, in which models have the names that they know themselves by."""
        called = {lm.name: name for name, lm in lms.items()}
        return cls(table.assign(**{side: table[side].map(called) for side in ("source", "target")}), lms)

    @cached_property
    def by_seed(self) -> pd.Series:
        """By method, source, target and seed."""
        return self.table.groupby(["method", "source", "target", "seed"]).accuracy.mean()

    @cached_property
    def by_pair(self) -> pd.Series:
        """By method, source and target, the mean over seeds."""
        return self.by_seed.groupby(["method", "source", "target"]).mean()

    def square(self, method: str) -> Float[np.ndarray, "targets sources"]:
        """Of one method, for a heat map."""
        names = list(self.lms)
        return self.by_pair[method].unstack("source").reindex(index=names, columns=names).to_numpy()

    def at_home(self, method: str) -> Float[np.ndarray, " seeds"]:
        """Of one method, from each model to itself: the mean over models."""
        return self.by_seed[method].reset_index().query("source == target").groupby("seed").accuracy.mean().to_numpy()

    def means(
        self, method: str, kinds: str = "", *, where: Callable[[str, str], bool] = lambda source, target: True
    ) -> Float[np.ndarray, " seeds"]:
        """Of one method, the mean over pairs of different families.

        Args:
            method: what looks at the target alone counts as often as the target is in such a pair.
            kinds: one of `KINDS`, or all.
            where: which pairs of source and target, by name.
        """
        pairs = [
            (source, target)
            for source in self.lms
            for target in self.lms
            if family(source) != family(target)
            and kinds in ("", f"{self.lms[source].kind} to {self.lms[target].kind}")
            and where(source, target)
        ]
        values = self.by_seed[method].unstack("seed")
        if (values.index.get_level_values("source") == values.index.get_level_values("target")).all():
            pairs = [(target, target) for _, target in pairs]
        known = [pair for pair in pairs if pair in values.index]  # copying is for equal widths alone
        return values.loc[known].mean().to_numpy() if known else np.array([])
