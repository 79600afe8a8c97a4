"""Methods of transfer: how vectors of one or more source models become vectors of a target model."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from ptlib.carrying.anchors import Anchors
from ptlib.carrying.least_squares import closed_form
from ptlib.carrying.lengths import Statistics, carry_lengths, typical
from ptlib.carrying.representations import Mask, Wanted, Weights, relative
from ptlib.carrying.search import gradient_search
from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel
from ptlib.models.shared import word_vectors

LENGTHS = ("carried", "statistics", "found")
COMBINE = ("representations", "losses", "released losses")
Vectors = Float[Tensor, "prompts length dim"]


@dataclass(frozen=True)
class Source:
    """A model with prompts that were tuned on it, and its share among several sources (shares add up to 1)."""

    lm: LanguageModel
    vectors: Vectors
    weight: float = 1.0


@runtime_checkable
class Method(Protocol):
    """Anything that turns vectors of sources into vectors of a target, without a look at a task."""

    @property
    def label(self) -> str:
        """What it is called; a plain attribute of the class will do."""

    def __call__(self, sources: Sequence[Source], target: LanguageModel) -> Vectors:
        """Vectors for the target, in the order of the sources' prompts."""


@runtime_checkable
class Stepwise(Method, Protocol):
    """A method that comes nearer step by step, so that its way can be watched, or a step picked on dev examples."""

    def candidates(
        self, sources: Sequence[Source], target: LanguageModel, *, every: int = 50
    ) -> Iterator[tuple[int, Vectors]]:
        """Steps made and the vectors found so far, after every so many steps and after the last."""


@dataclass(frozen=True)
class ClosedForm:
    """The exact optimum of the paper's search; see `closed_form`.

    Attributes:
        anchors: which shared words to go by.
        ridge: how far to lean from the exact optimum to the weighted sum of the anchors.
        lengths: "carried" over in units of the models' typical word embeddings, brought to the target's
            "statistics" as in the paper, or left as they were "found".
        combine: average the "representations" of several sources, or their "losses", each over its own nearest
            anchors; or the "released losses" of two sources, as the paper's code has it: the anchors nearest in the
            second count for both, so that the order of the sources matters. For what the closed form of losses is
            exact, see `closed_form`.
        centre: first take the mean of its anchors from all that is in a model's space. The embeddings of a
            model share one direction, which the cosines otherwise are mostly about. Not in the paper.
    """

    label: ClassVar[str] = "closed form"
    anchors: Anchors = Anchors()
    ridge: float = 0.0
    lengths: str = "carried"
    combine: str = "representations"
    centre: bool = False

    def __post_init__(self) -> None:
        _check(self.lengths, self.combine)
        if self.centre and self.lengths == "statistics":
            raise PromptError("statistics set the mean that centring has taken out; use lengths='carried' with it")

    def __call__(self, sources: Sequence[Source], target: LanguageModel) -> Vectors:
        """See `Method`."""
        wanted, anchors, mask, weights = encode_sources(sources, target, self.anchors, self.combine, centre=self.centre)
        found = closed_form(wanted, anchors, ridge=self.ridge, mask=mask, weights=weights)
        if not self.centre:
            return finish(found, self.lengths, sources, target)
        words = self.anchors.words([*(source.lm for source in sources), target])
        return finish(found, self.lengths, sources, target, centre=words) + word_vectors(target, words).mean(dim=0)


@dataclass(frozen=True)
class GradientSearch:
    """The paper's search (Wu et al. 2024); see `gradient_search`.

    Attributes:
        anchors, lengths, combine: as in `ClosedForm`.
        steps: of Adam.
        learning_rate: of Adam.
        inside: with lengths by "statistics", apply them at each step (as the released code does) and not
            after the search (as the paper's text does).
        seed: of the vectors at the start.
    """

    label: ClassVar[str] = "gradient search"
    anchors: Anchors = Anchors()
    steps: int = 2_000
    learning_rate: float = 5e-3
    lengths: str = "statistics"
    inside: bool = True
    combine: str = "losses"
    seed: int = 0

    def __post_init__(self) -> None:
        _check(self.lengths, self.combine)
        if self.steps < 1:
            raise PromptError(f"a gradient search of {self.steps} steps finds nothing; give at least 1")
        if self.inside and self.lengths != "statistics":
            raise PromptError("inside the search only lengths by statistics can be given; set inside=False")

    def __call__(self, sources: Sequence[Source], target: LanguageModel) -> Vectors:
        """See `Method`."""
        for _, found in self.candidates(sources, target, every=self.steps):
            last = found
        return last

    def candidates(
        self, sources: Sequence[Source], target: LanguageModel, *, every: int = 50
    ) -> Iterator[tuple[int, Vectors]]:
        """The vectors found so far, finished, after every so many steps."""
        wanted, anchors, mask, weights = encode_sources(sources, target, self.anchors, self.combine)
        search = gradient_search(
            wanted,
            anchors,
            steps=self.steps,
            learning_rate=self.learning_rate,
            seed=self.seed,
            mask=mask,
            weights=weights,
            inside=Statistics.of(target.embeddings) if self.inside else None,
            every=every,
        )
        for step, found in search:
            yield step, found if self.inside else finish(found, self.lengths, sources, target)


def encode_sources(
    sources: Sequence[Source], target: LanguageModel, anchors: Anchors, combine: str, *, centre: bool = False
) -> tuple[Wanted, Float[Tensor, "anchors dim"], Mask | None, Weights | None]:
    """Relative representations, the target's anchors, the mask of anchors that count, and the weights of the sources.

    Those of several sources are already one where representations are averaged, and there are no weights; where
    losses are, they stand one after the other, and so do the masks.

    Raises:
        PromptError: released losses of more than two sources.
    """
    words = anchors.words([*(source.lm for source in sources), target])
    there = word_vectors(target, words)
    seen = []
    for source in sources:
        here = word_vectors(source.lm, words)
        origin = here.mean(dim=0) if centre else torch.zeros_like(here[0])
        seen.append(relative(source.vectors - origin, here - origin).to(there))
    landmarks = there - there.mean(dim=0) if centre else there
    if combine == "representations" or len(sources) == 1:
        wanted = sum((source.weight * one for source, one in zip(sources, seen, strict=True)), torch.zeros(()))
        return wanted, landmarks, anchors.mask(wanted), None
    wanted, weights = torch.stack(seen), torch.tensor([source.weight for source in sources]).to(there)
    if combine == "losses":
        return wanted, landmarks, anchors.mask(wanted), weights
    if len(sources) != 2:
        raise PromptError(f"released losses of {len(sources)} sources: the released code has two; use 'losses'")
    mask = anchors.mask(seen[1])
    return wanted, landmarks, mask if mask is None else torch.stack([mask, mask]), weights


def finish(
    found: Vectors,
    lengths: str,
    sources: Sequence[Source],
    target: LanguageModel,
    *,
    centre: Sequence[str] = (),
) -> Vectors:
    """Found directions, with lengths; those that are carried are counted from the mean of the words in `centre`."""
    if lengths == "statistics":
        return Statistics.of(target.embeddings).give(found)
    if lengths == "found":
        return found
    carried = torch.zeros(())
    for source in sources:
        origin = word_vectors(source.lm, centre).mean(dim=0) if centre else torch.zeros_like(source.lm.embeddings[0])
        relative_lengths = (source.vectors - origin).norm(dim=-1) / typical(source.lm.embeddings - origin)
        carried = carried + source.weight * relative_lengths
    origin = word_vectors(target, centre).mean(dim=0) if centre else torch.zeros_like(target.embeddings[0])
    return carry_lengths(found, carried.to(found) * typical(target.embeddings - origin))


def _check(lengths: str, combine: str) -> None:
    for value, known in ((lengths, LENGTHS), (combine, COMBINE)):
        if value not in known:
            raise PromptError(f"unknown choice {value!r}; there are {', '.join(known)}")
