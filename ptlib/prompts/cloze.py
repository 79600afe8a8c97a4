"""Clozes: examples as token ids, with the places of the prompt vectors and of the slot."""

import warnings
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel
from ptlib.models.with_vectors import logits_with
from ptlib.prompts.template import SLOT, TEXT, VECTOR, Template
from ptlib.tasks.task import Example

_kept: weakref.WeakKeyDictionary[LanguageModel, dict[tuple, "Cloze"]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Cloze:
    """Examples ready for a language model, one a row, padded on the right.

    Attributes:
        ids: token ids; anything at the places of prompt vectors.
        lengths: tokens of each row before the padding.
        prompt_at: places of the prompt vectors.
        slot_at: the place whose logits speak about the slot.
        answers: ids of the right words.
    """

    ids: Int[Tensor, "rows tokens"]
    lengths: Int[Tensor, " rows"]
    prompt_at: Int[Tensor, "rows length"]
    slot_at: Int[Tensor, " rows"]
    answers: Int[Tensor, " rows"]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: Int[Tensor, " chosen"]) -> "Cloze":
        """Some of the rows, with no more padding than these need."""
        lengths = self.lengths[rows]
        ids = self.ids[rows, : int(lengths.max())]
        return Cloze(ids, lengths, self.prompt_at[rows], self.slot_at[rows], self.answers[rows])


def encode(lm: LanguageModel, template: Template, examples: Sequence[Example], *, task: str = "the task") -> Cloze:
    """Token ids of examples filled into a template.

    Examples whose answer is not one token of the model are left out, with a warning that counts and
    lists them. Of a template for a causal model only what stands before the slot is used.

    Raises:
        PromptError: no example is left, one is too long for the model, or a causal model would have
            to fill a slot that stands before its text.
    """
    if not examples:
        raise PromptError(f"{task}: has no examples")
    answers = {example.answer: lm.word_id(example.answer) for example in examples}
    skipped = sorted(word for word, word_id in answers.items() if word_id is None)
    kept = [example for example in examples if answers[example.answer] is not None]
    if skipped:
        warnings.warn(
            f"{task}: {len(examples) - len(kept)} of {len(examples)} examples skipped, since their answers are not "
            f"one token of {lm.name}: {', '.join(skipped[:10])}{' ...' if len(skipped) > 10 else ''}",
            stacklevel=3,
        )
    if not kept:
        raise PromptError(f"{task}: no answer is one token of {lm.name}; use another task or model")
    cloze = encode_texts(lm, template, [example.text for example in kept], task=task)
    return replace(cloze, answers=torch.tensor([answers[example.answer] for example in kept], device=lm.device))


def encode_once(lm: LanguageModel, template: Template, examples: tuple[Example, ...], *, task: str) -> Cloze:
    """The same, kept for as long as the model is: to score many prompts, the same facts are needed many times."""
    kept = _kept.setdefault(lm, {})
    key = template, examples
    if key not in kept:
        kept[key] = encode(lm, template, examples, task=task)
    return kept[key]


def encode_texts(lm: LanguageModel, template: Template, texts: Sequence[str], *, task: str = "the task") -> Cloze:
    """Token ids of texts filled into a template, with no right words (their ids are -1); see `encode`."""
    rows = [_row(lm, template, text) for text in texts]
    lengths = torch.tensor([len(ids) for ids, _, _ in rows])
    longest = int(lengths.max())
    if longest > lm.longest:
        raise PromptError(f"{task}: an example takes {longest} tokens, {lm.name} at most {lm.longest}; shorten it")
    cloze = Cloze(
        ids=torch.tensor([ids + [0] * (longest - len(ids)) for ids, _, _ in rows]),
        lengths=lengths,
        prompt_at=torch.tensor([places for _, places, _ in rows], dtype=torch.long),
        slot_at=torch.tensor([slot for _, _, slot in rows]),
        answers=torch.full((len(rows),), -1),
    )
    return Cloze(**{name: value.to(lm.device) for name, value in vars(cloze).items()})


def _row(lm: LanguageModel, template: Template, text: str) -> tuple[list[int], list[int], int]:
    """Ids, places of the prompt vectors, and the place of the slot, of one example."""
    start, end = lm.marks
    ids, prompt_at, slot_at = list(start), [], -1
    parts = template.parts
    if lm.kind == "causal":
        parts, end = parts[: parts.index(SLOT)], []
        if not parts or (TEXT in template.parts and TEXT not in parts):
            raise PromptError(f"template {template.text!r}: {lm.name} is causal, so the text must stand before [Y]")
    for part in parts:
        if part == VECTOR:
            prompt_at.append(len(ids))
            ids.append(0)
        elif part == SLOT:
            slot_at = len(ids)
            ids.append(lm.tokenizer.mask_token_id)
        else:
            words = text if part == TEXT else part
            ids += lm.pieces(words, starts_text=len(ids) == len(start))
    ids += end
    return ids, prompt_at, slot_at if slot_at >= 0 else len(ids) - 1


def concatenate(clozes: Sequence[Cloze]) -> Cloze:
    """The rows of several clozes with equally long prompts, one after the other."""
    longest = max(cloze.ids.shape[1] for cloze in clozes)
    return Cloze(
        ids=torch.cat([torch.nn.functional.pad(c.ids, (0, longest - c.ids.shape[1])) for c in clozes]),
        lengths=torch.cat([c.lengths for c in clozes]),
        prompt_at=torch.cat([c.prompt_at for c in clozes]),
        slot_at=torch.cat([c.slot_at for c in clozes]),
        answers=torch.cat([c.answers for c in clozes]),
    )


def slot_logits(
    lm: LanguageModel, cloze: Cloze, vectors: Float[Tensor, "rows length dim"]
) -> Float[Tensor, "rows vocabulary"]:
    """What the model says about the slot of each row, with the row's own prompt vectors in place."""
    places = torch.arange(cloze.ids.shape[1], device=lm.device)
    return logits_where(lm, cloze, vectors, places == cloze.slot_at[:, None])


def logits_where(
    lm: LanguageModel,
    cloze: Cloze,
    vectors: Float[Tensor, "rows length dim"],
    where: Bool[Tensor, "rows tokens"],
) -> Float[Tensor, "chosen vocabulary"]:
    """What the model says at marked places, in reading order, with each row's own prompt vectors in place."""
    return logits_with(lm.model, cloze.ids, cloze.lengths, cloze.prompt_at, vectors, where)
