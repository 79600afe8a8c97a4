"""Clozes: examples as token ids, with the places of the prompt vectors and of the slot."""

import warnings
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ptlib.errors import PromptError
from ptlib.models.beginnings import NONE, Beginnings
from ptlib.models.language_model import LanguageModel
from ptlib.models.slot import only_the_slot
from ptlib.models.with_vectors import logits_with
from ptlib.prompts.filling import fill_in, go_on_with
from ptlib.prompts.template import TEXT, Template
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
        PromptError: no example is left, one has no text or is too long for the model, or a causal model would have
            to fill a slot that stands before its text, or one that is glued to it.
    """
    if not examples:
        raise PromptError(f"{task}: has no examples")
    asked = {example.answer for example in examples}
    answers = {word: word_id for word in asked if (word_id := lm.word_id(word)) is not None}
    skipped = sorted(asked - answers.keys())
    kept = [row for row, example in enumerate(examples) if example.answer in answers]
    if skipped:
        warnings.warn(
            f"{task}: {len(examples) - len(kept)} of {len(examples)} examples skipped, since their answers are not "
            f"one token of {lm.name}: {', '.join(skipped[:10])}{' ...' if len(skipped) > 10 else ''}",
            stacklevel=3,
        )
    if not kept:
        raise PromptError(f"{task}: no answer is one token of {lm.name}; use another task or model")
    texts, words = {row: examples[row].text for row in kept}, [examples[row].answer for row in kept]
    cloze, ids = _encode(lm, template, texts, task), [answers[word] for word in words]
    fitting = go_on_with(lm, template, list(texts.values()), words, ids)
    for (number, text), fits in zip(texts.items(), fitting, strict=True):
        if not fits:
            raise PromptError(
                f"template {template.text!r}: in {_named(number, text)} the slot is not behind one space, where "
                f"{lm.name} has its words; put one before [Y]"
            )
    return replace(cloze, answers=torch.tensor(ids, device=lm.device))


def encode_once(lm: LanguageModel, template: Template, examples: tuple[Example, ...], *, task: str) -> Cloze:
    """The same, kept for as long as the model is: to score many prompts, the same facts are needed many times."""
    kept = _kept.setdefault(lm, {})
    key = template, examples
    if key not in kept:
        kept[key] = encode(lm, template, examples, task=task)
    return kept[key]


def encode_texts(lm: LanguageModel, template: Template, texts: Sequence[str], *, task: str = "the task") -> Cloze:
    """Token ids of texts filled into a template, with no right words (their ids are -1); see `encode`."""
    return _encode(lm, template, dict(enumerate(texts)), task)


def _encode(lm: LanguageModel, template: Template, texts: Mapping[int, str], task: str) -> Cloze:
    """The same for texts by the number of their row."""
    _check_texts(template, texts, task)
    rows = fill_in(lm, template, list(texts.values()))
    for (number, text), row in zip(texts.items(), rows, strict=True):
        if len(row.ids) > lm.longest:
            raise PromptError(
                f"{task}: an example takes {len(row.ids)} tokens, {lm.name} at most {lm.longest}: "
                f"{_named(number, text)}; shorten it"
            )
    lengths = torch.tensor([len(row.ids) for row in rows])
    longest = int(lengths.max())
    cloze = Cloze(
        ids=torch.tensor([row.ids + [0] * (longest - len(row.ids)) for row in rows]),
        lengths=lengths,
        prompt_at=torch.tensor([row.prompt_at for row in rows], dtype=torch.long),
        slot_at=torch.tensor([row.slot_at for row in rows]),
        answers=torch.full((len(rows),), -1),
    )
    return Cloze(**{name: value.to(lm.device) for name, value in vars(cloze).items()})


def _check_texts(template: Template, texts: Mapping[int, str], task: str) -> None:
    if not texts:
        raise PromptError(f"{task}: has no texts")
    for number, text in texts.items() if TEXT in template.parts else ():
        if not text.strip():
            raise PromptError(f"{task}: the text of {_named(number, text)} is empty; leave the row out")
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise PromptError(f"{task}: the text of {_named(number, text)} holds half a character; mend it")


def _named(number: int, text: str) -> str:
    """A row as an error names it."""
    return f"row {number + 1} ({text if len(text) <= 60 else text[:57] + '...'!r})"


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
    lm: LanguageModel, cloze: Cloze, vectors: Float[Tensor, "rows length dim"], beginnings: Beginnings = NONE
) -> Float[Tensor, "rows vocabulary"]:
    """What the model says about the slot of each row, with the row's own prompt vectors in place.

    Args:
        lm: the language model.
        cloze: the rows.
        vectors: those of each row.
        beginnings: how each row begins, if the model has seen that already; see `passes`.
    """
    places = torch.arange(cloze.ids.shape[1], device=lm.device)
    with only_the_slot(lm.model, cloze.slot_at - beginnings.places):
        return logits_where(lm, cloze, vectors, places == cloze.slot_at[:, None], beginnings)


def logits_where(
    lm: LanguageModel,
    cloze: Cloze,
    vectors: Float[Tensor, "rows length dim"],
    where: Bool[Tensor, "rows tokens"],
    beginnings: Beginnings = NONE,
) -> Float[Tensor, "chosen vocabulary"]:
    """What the model says at marked places, in reading order, with each row's own prompt vectors in place."""
    return logits_with(lm.model, cloze.ids, cloze.lengths, cloze.prompt_at, vectors, where, beginnings)
