"""Filling in: texts put into a template, as the token ids that the whole sentence has."""

from collections.abc import Sequence
from dataclasses import dataclass

from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel
from ptlib.prompts.template import SLOT, START, TEXT, VECTOR, Template

WORDS_BEFORE = ("a", ".")  # what a text may be glued to, to see its tokens inside a word and behind one


@dataclass(frozen=True)
class Filled:
    """A text in a template.

    Attributes:
        ids: token ids; anything at the places of prompt vectors.
        prompt_at: places of the prompt vectors.
        slot_at: the place whose logits speak about the slot.
    """

    ids: list[int]
    prompt_at: list[int]
    slot_at: int


def fill_in(lm: LanguageModel, template: Template, texts: Sequence[str]) -> list[Filled]:
    """Token ids of texts in a template: without vectors, those of the sentence written in full.

    A sentence is cut only where vectors stand. A vector stands for a word inside a sentence, so that the space before
    it belongs to it, and so it is with the slot of a causal model, which reads only what stands before it.

    Raises:
        PromptError: a causal model would have to fill a slot that stands before its text, or behind nothing.
    """
    start, end = lm.marks
    runs, first = _runs(_read(lm, template))
    columns = [
        _tokens(lm, _written(lm, run, texts, cut=lm.kind == "causal" or run is not runs[-1]), starts=number == first)
        for number, run in enumerate(runs)
    ]
    slot_run = next((number for number, run in enumerate(runs) if SLOT in run), None)
    rows = []
    for text, *pieces in zip(texts, *columns, strict=True):
        ids: list[int] = []
        prompt_at: list[int] = []
        slot_at = None
        for number, tokens in enumerate(pieces):
            if number:
                prompt_at.append(len(ids))
                ids.append(0)
            ids += start if number == first else []
            if number == slot_run:
                slot_at = len(ids) + _mask_at(lm, runs[number], text, tokens)
            ids += tokens
        ids += end if lm.kind == "masked" else []
        rows.append(Filled(ids, prompt_at, len(ids) - 1 if slot_at is None else slot_at))
    return rows


def go_on_with(
    lm: LanguageModel, template: Template, texts: Sequence[str], words: Sequence[str], ids: Sequence[int]
) -> list[bool]:
    """For each text, whether the sentence in full has its word in the slot as one token, the one of this id.

    Of a masked model this is not asked, since its slot holds the mask. A causal model's answer is the next token, and
    that is another one where a word is glued to what stands before it.
    """
    if lm.kind == "masked":
        return [True] * len(texts)
    runs, first = _runs(_read(lm, template))
    starts = first == len(runs) - 1
    before = _written(lm, runs[-1], texts, cut=True)
    in_full = [text + word for text, word in zip(_written(lm, runs[-1], texts), words, strict=True)]
    tokens, tokens_in_full = (_tokens(lm, some, starts=starts) for some in (before, in_full))
    return [
        full == [*part, word_id] or not (text or starts)
        for text, part, full, word_id in zip(before, tokens, tokens_in_full, ids, strict=True)
    ]


def _read(lm: LanguageModel, template: Template) -> tuple[str, ...]:
    """The parts that a model reads: of a causal one, what stands before the slot."""
    if lm.kind == "masked":
        return template.parts
    parts = template.parts[: template.parts.index(SLOT)]
    if (TEXT in template.parts and TEXT not in parts) or not "".join(parts).replace(START, "").strip():
        raise PromptError(f"template {template.text!r}: {lm.name} is causal, so the text must stand before [Y]")
    return parts


def _runs(parts: Sequence[str]) -> tuple[list[list[str]], int]:
    """What stands before, between and behind the vectors, and in which of these runs the sentence starts."""
    runs: list[list[str]] = [[]]
    first = 0
    for part in parts:
        if part == VECTOR:
            runs.append([])
        elif part == START:  # all before it is vectors and the spaces between them
            first, runs[-1] = len(runs) - 1, []
        else:
            runs[-1].append(part)
    return runs, first


def _written(lm: LanguageModel, run: Sequence[str], texts: Sequence[str], *, cut: bool = False) -> list[str]:
    """A run as it is written, with each text and the mask in their places; cut by the space that is another's."""
    mask = lm.tokenizer.mask_token
    written = ["".join({TEXT: text, SLOT: mask}.get(part, part) for part in run) for text in texts]
    return [text.removesuffix(" ") for text in written] if cut else written


def _tokens(lm: LanguageModel, written: Sequence[str], *, starts: bool) -> list[list[int]]:
    """Token ids of some texts, which stand at the start of a sentence or behind a vector."""
    different = [text for text in dict.fromkeys(written) if text]
    if starts:
        found = lm.pieces_of_each(different, starts_text=True)
    else:
        behind = iter(lm.pieces_of_each([text[1:] for text in different if text.startswith(" ")]))
        found = [next(behind) if text.startswith(" ") else _glued(lm, text) for text in different]
    ids = dict(zip(different, found, strict=True)) | {"": []}
    return [ids[text] for text in written]


def _glued(lm: LanguageModel, text: str) -> list[int]:
    """Token ids of what stands behind a vector without a space, as part of its word."""
    for word in WORDS_BEFORE:
        alone, whole = (lm.tokenizer(some, add_special_tokens=False)["input_ids"] for some in (word, word + text))
        if lm.tokenizer.unk_token_id not in alone and whole[: len(alone)] == alone:
            return whole[len(alone) :]
    return lm.pieces(text, starts_text=True)


def _mask_at(lm: LanguageModel, run: Sequence[str], text: str, tokens: Sequence[int]) -> int:
    """The place of the slot among the tokens of its run; texts may hold masks too."""
    before = "".join(text if part == TEXT else part for part in run[: run.index(SLOT)]).count(lm.tokenizer.mask_token)
    return [place for place, token in enumerate(tokens) if token == lm.tokenizer.mask_token_id][before]
