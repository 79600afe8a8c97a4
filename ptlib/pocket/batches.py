"""Batches for pretraining: sentences of one length together, so that nothing is padded."""

from collections import Counter, defaultdict
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from ptlib.models.language_model import marks_around
from ptlib.pocket.corpus import OBJECT, OTHER, SUBJECT, Sentence
from ptlib.pocket.vocabulary import MAXIMUM_LENGTH

TEXT_SHARE = 0.2  # of the rows drawn; the rest are facts
PAIR_EVERY = 4  # every fourth batch joins two sentences, so that later positions are learned too
MASKED_ALONE = 0.15  # share of tokens masked where no part of a fact is
MASKED_BESIDE = 0.08  # share of the other tokens masked where a subject or an object is
PREDICTED = 0.3  # share of tokens that a causal model's loss counts, besides every object


@dataclass(frozen=True)
class Batch:
    """Sentences of equal length: token ids and what each token is (OTHER, SUBJECT or OBJECT)."""

    ids: Int[Tensor, "rows tokens"]
    roles: Int[Tensor, "rows tokens"]


class Batches:
    """Draws batches from a corpus; the batch of a step depends on nothing but the seed and the step."""

    def __init__(self, sentences: list[Sentence], tokenizer: PreTrainedTokenizerFast, *, rows: int, seed: int):
        self.rows, self.seed = rows, seed
        self.start, self.end = marks_around(tokenizer)
        pieces: dict[str, list[int]] = {}
        share = _row_weights(sentences)
        by_length: dict[int, list[tuple[list[int], list[int], float]]] = defaultdict(list)
        for sentence in sentences:
            ids: list[int] = []
            roles: list[int] = []
            for word, role in zip(sentence.words, sentence.roles, strict=True):
                if word not in pieces:
                    pieces[word] = tokenizer(word, add_special_tokens=False)["input_ids"]
                ids += pieces[word]
                roles += [role] * len(pieces[word])
            if len(ids) <= (MAXIMUM_LENGTH - 2) // 2:
                by_length[len(ids)].append((ids, roles, share[sentence.group]))
        self._ids = [torch.tensor([ids for ids, _, _ in group]) for group in by_length.values()]
        self._roles = [torch.tensor([roles for _, roles, _ in group]) for group in by_length.values()]
        self._weights = [torch.tensor([weight for _, _, weight in group]) for group in by_length.values()]
        self._masses = torch.stack([weights.sum() for weights in self._weights])

    def batch(self, step: int) -> tuple[Batch, torch.Generator]:
        """The batch of one step, and the generator to go on drawing with."""
        chance = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        group = int(torch.multinomial(self._masses, 1, generator=chance))
        rows = torch.multinomial(self._weights[group], self.rows, replacement=True, generator=chance)
        ids, roles = self._ids[group][rows], self._roles[group][rows]
        if step % PAIR_EVERY == 0:
            ids, roles = ids.view(self.rows // 2, -1), roles.view(self.rows // 2, -1)
        return Batch(self._with_marks(ids), self._with_marks(roles, roles=True)), chance

    def _with_marks(self, values: Int[Tensor, "rows tokens"], *, roles: bool = False) -> Int[Tensor, "rows more"]:
        start, end = ([OTHER] * len(self.start), [OTHER] * len(self.end)) if roles else (self.start, self.end)
        columns = [torch.tensor(marks, dtype=torch.long).expand(len(values), -1) for marks in (start, end)]
        return torch.cat([columns[0], values, columns[1]], dim=1)


def _row_weights(sentences: list[Sentence]) -> dict[str, float]:
    """How likely a sentence is drawn, by its group: relations with few facts are drawn more often a fact."""
    counts = Counter(sentence.group for sentence in sentences)
    masses = {group: count**0.5 for group, count in counts.items() if group != "text"}
    facts = sum(masses.values())
    weights = {group: mass / facts / counts[group] for group, mass in masses.items()}
    if "text" in counts:
        share = TEXT_SHARE if weights else 1.0
        weights = {group: weight * (1 - share) for group, weight in weights.items()}
        weights["text"] = share / counts["text"]
    return weights


def choose_masked(batch: Batch, marks: Int[Tensor, " marks"], chance: torch.Generator) -> Bool[Tensor, "rows tokens"]:
    """Which tokens to hide from a masked language model.

    Seven rows in ten hide the object, one the subject, and a few other words besides; the rest hide
    words regardless of what they are.
    """
    rows = len(batch.ids)
    kind = torch.rand(rows, 1, generator=chance)
    hidden_role = torch.where(kind < 0.7, OBJECT, torch.where(kind < 0.8, SUBJECT, -1))
    has_entity = (batch.roles == hidden_role).any(dim=1, keepdim=True)
    share = torch.where(has_entity, MASKED_BESIDE, MASKED_ALONE)
    masked = (batch.roles == hidden_role) | (torch.rand(batch.ids.shape, generator=chance) < share)
    return masked & ~torch.isin(batch.ids, marks)


def choose_predicted(batch: Batch, chance: torch.Generator) -> Bool[Tensor, "rows tokens"]:
    """From which places a causal language model has to predict the next token: before objects, and some others."""
    wanted = (batch.roles == OBJECT) | (torch.rand(batch.ids.shape, generator=chance) < PREDICTED)
    nothing_follows = torch.zeros(len(batch.ids), 1, dtype=torch.bool)
    return torch.cat([wanted[:, 1:], nothing_follows], dim=1)
