"""Baselines of transfer: maps from one model's embedding space to another's, fitted on the anchors at most."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ptlib.carrying.anchors import Anchors
from ptlib.carrying.by_relations import Source, Vectors, finish
from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel
from ptlib.models.number_formats import quick_dtype
from ptlib.models.scale import spread
from ptlib.models.shared import word_vectors

ANCHORS_A_STEP = 1_024  # of the neural projector: on pocket models, all at once took twice as long and carried as much

SourceWords = Float[Tensor, "anchors dim"]
TargetWords = Float[Tensor, "anchors target_dim"]


class Mapping(ABC):
    """A method that maps each source's vectors by itself; several sources are averaged by their weights."""

    def __call__(self, sources: Sequence[Source], target: LanguageModel) -> Vectors:
        """See `Method`."""
        return sum((source.weight * self.map(source, target) for source in sources), torch.zeros(()))

    @abstractmethod
    def map(self, source: Source, target: LanguageModel) -> Vectors:
        """The vectors of one source, in the target's space."""


@dataclass(frozen=True)
class Copy(Mapping):
    """The same numbers, where the widths allow it."""

    label: ClassVar[str] = "copy"

    def fits(self, source: LanguageModel, target: LanguageModel) -> bool:
        """Whether the widths are equal."""
        return source.dim == target.dim

    def map(self, source: Source, target: LanguageModel) -> Vectors:
        """The source's vectors as they are."""
        if not self.fits(source.lm, target):
            raise PromptError(
                f"copy: {source.lm.name} is {source.lm.dim} wide and {target.name} {target.dim}; "
                "only models of equal width can take each other's vectors"
            )
        return source.vectors.to(target.embeddings)


@dataclass(frozen=True)
class Discretise(Mapping):
    """The shared word nearest to each vector (Euclidean), in the target's embeddings."""

    label: ClassVar[str] = "discretise"

    def map(self, source: Source, target: LanguageModel) -> Vectors:
        """The words, carried over."""
        words = Anchors().words([source.lm, target])
        # As one list of vectors: over a batch `cdist` would copy the words once for each prompt.
        apart = torch.cdist(source.vectors.flatten(0, -2), word_vectors(source.lm, words))
        return word_vectors(target, words)[apart.argmin(dim=-1)].view(*source.vectors.shape[:-1], target.dim)


@dataclass(frozen=True)
class LinearMap(Mapping):
    """The linear map that takes the source's anchors to the target's with the least squared error.

    Attributes:
        lengths: of the mapped vectors, as in `ClosedForm`.
    """

    label: ClassVar[str] = "linear map"
    lengths: str = "found"

    def map(self, source: Source, target: LanguageModel) -> Vectors:
        """The vectors times the map."""
        here, there = _anchors(source.lm, target)
        matrix = torch.linalg.lstsq(here.double(), there.double()).solution.to(there)
        return finish(source.vectors.to(there) @ matrix, self.lengths, [Source(source.lm, source.vectors)], target)


@dataclass(frozen=True)
class Procrustes(Mapping):
    """The rotation (a partial isometry if widths differ) that brings the source's anchors nearest to the target's.

    Attributes:
        lengths: of the mapped vectors, as in `ClosedForm`.
    """

    label: ClassVar[str] = "procrustes"
    lengths: str = "carried"

    def map(self, source: Source, target: LanguageModel) -> Vectors:
        """The vectors, rotated (Schönemann 1966)."""
        here, there = _anchors(source.lm, target)
        left, _, right = torch.linalg.svd(here.T.double() @ there.double(), full_matrices=False)
        rotation = (left @ right).to(there)
        return finish(source.vectors.to(there) @ rotation, self.lengths, [Source(source.lm, source.vectors)], target)


@dataclass(frozen=True)
class NeuralProjector(Mapping):
    """Two layers, fitted on nine tenths of the anchors, and kept as they were when the rest was mapped best.

    Attributes:
        hidden: width of the layer between.
        steps: of Adam, over all anchors at once, or 1,024 of them where there are more.
        learning_rate: of Adam.
        seed: of the weights at the start, and of the anchors that are held out.
    """

    label: ClassVar[str] = "neural projector"
    hidden: int = 256
    steps: int = 100
    learning_rate: float = 3e-3
    seed: int = 0

    def map(self, source: Source, target: LanguageModel) -> Vectors:
        """The vectors, put through the layers; both models' in units of their `spread`, as the learning rate is."""
        here, there = _anchors(source.lm, target)
        here, there, vectors = here / spread(source.lm), there / spread(target), source.vectors / spread(source.lm)
        short = there.dtype == torch.float32 and quick_dtype(there.device) == torch.bfloat16
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            held_out = torch.rand(len(here)) < 0.1
            if held_out.all() or not held_out.any():
                raise PromptError(f"{self.label}: {len(here)} anchors are too few to fit on some and hold out others")
            layers = nn.Sequential(nn.Linear(here.shape[1], self.hidden), nn.GELU(), nn.Linear(self.hidden, target.dim))
        layers = layers.to(there)
        optimizer = torch.optim.Adam(layers.parameters(), lr=self.learning_rate)
        shown, aims, rest, rest_aims = here[~held_out], there[~held_out], here[held_out], there[held_out]
        best, mapped = float("inf"), None
        generator = torch.Generator().manual_seed(self.seed)
        for step in range(self.steps + 1):
            some = torch.randperm(len(shown), generator=generator)[:ANCHORS_A_STEP].to(shown.device)
            if step % 10 == 0 or step == self.steps:
                with torch.no_grad():
                    error = nn.functional.mse_loss(layers(rest), rest_aims).item()
                    if error < best:
                        best, mapped = error, layers(vectors.to(there))
            optimizer.zero_grad()
            with torch.autocast(there.device.type, torch.bfloat16, enabled=short):  # half the time, for a gradient
                loss = nn.functional.mse_loss(layers(shown[some]), aims[some])
            loss.backward()
            optimizer.step()
        if mapped is None:
            raise PromptError(f"{self.label}: found no map in {self.steps} steps; take more, or smaller ones")
        return mapped * spread(target)


def _anchors(source: LanguageModel, target: LanguageModel) -> tuple[SourceWords, TargetWords]:
    """Both models' embeddings of all the words that they share, on the target's device."""
    words = Anchors().words([source, target])
    return word_vectors(source, words).to(target.embeddings), word_vectors(target, words)
