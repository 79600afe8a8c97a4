"""Self-check: a model must give the numbers of `transformers` itself, however it is called here, before it is used."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel

from ptlib.errors import PromptError, first_line
from ptlib.models.difference import difference, tolerance
from ptlib.models.language_model import LanguageModel
from ptlib.models.number_formats import name_of
from ptlib.models.quick import quick_copy
from ptlib.models.with_vectors import logits_with

WORDS = (7, 4)  # of the long text and of the short one
LENGTH = 2  # of the prompt that stands for words


@dataclass(frozen=True)
class _Texts:
    """A long and a short text, padded, with the place whose logits speak about the slot of each."""

    ids: Int[Tensor, "2 tokens"]
    lengths: Int[Tensor, " 2"]
    slot_at: Int[Tensor, " 2"]
    prompt_at: Int[Tensor, "2 length"]

    def logits(
        self, model: PreTrainedModel, prompt_at: Int[Tensor, "2 length"], vectors: Float[Tensor, "2 length dim"]
    ) -> Float[Tensor, "2 vocabulary"]:
        """What a model says about the slots, called as the library calls it."""
        where = torch.arange(self.ids.shape[1], device=self.ids.device) == self.slot_at[:, None]
        return logits_with(model, self.ids, self.lengths, prompt_at, vectors, where)


def require_agreement(lm: LanguageModel) -> None:
    """Refuse a model whose logits are not those that `transformers` gives for token ids, one text at a time.

    Compared are words as tokens, a text padded beside a longer one, and words whose embeddings are put in as a
    prompt. A gradient must reach the prompt, through the quick copy too.

    Raises:
        PromptError: which of these differs, and by how much.
    """
    with running(lm.name, lm.model):
        quick, texts = quick_copy(lm), _texts(lm)  # the copy first: some models keep states, which cannot be copied
        expected = [
            _by_transformers(lm.model, ids[:length], slot)
            for ids, length, slot in zip(texts.ids, texts.lengths, texts.slot_at, strict=True)
        ]
        with torch.no_grad():
            found = texts.logits(lm.model, texts.prompt_at[:, :0], lm.no_vectors().expand(2, 0, -1))
        _require_equal(lm, "words as tokens", found[0], expected[0])
        _require_equal(lm, "a text padded beside a longer one", found[1], expected[1])
        _require_equal(lm, "a prompt of word embeddings", _through_prompt(lm, lm, texts), torch.stack(expected))
        if quick is not lm:
            _through_prompt(lm, quick, texts)


@contextmanager
def running(name: str, model: PreTrainedModel) -> Iterator[None]:
    """Turns whatever goes wrong in running a model into one line."""
    try:
        yield
    except PromptError:
        raise
    except Exception as error:
        raise PromptError(
            f"{name}: {type(model).__name__} cannot be run on word embeddings with a prompt among them "
            f"({type(error).__name__}: {first_line(error)}); use another model"
        ) from error


def _texts(lm: LanguageModel) -> _Texts:
    """Any words do, so they are drawn; a masked model has its mask in the middle."""
    special = set(lm.tokenizer.all_special_ids)
    chance = torch.Generator().manual_seed(0)
    order = torch.randperm(min(len(lm.tokenizer), lm.vocabulary), generator=chance).tolist()
    words = [word for word in order[: len(special) + sum(WORDS)] if word not in special]
    start, end = lm.marks if lm.kind == "masked" else (lm.marks[0], [])
    rows, slots = [], []
    for count in WORDS:
        row = words[:count]
        words = words[count:]
        if lm.kind == "masked":
            row.insert(LENGTH + 1, lm.tokenizer.mask_token_id)
        rows.append([*start, *row, *end])
        slots.append(len(start) + LENGTH + 1 if lm.kind == "masked" else len(rows[-1]) - 1)
    return _Texts(
        ids=torch.tensor([row + [0] * (len(rows[0]) - len(row)) for row in rows], device=lm.device),
        lengths=torch.tensor([len(row) for row in rows], device=lm.device),
        slot_at=torch.tensor(slots, device=lm.device),
        prompt_at=(len(start) + torch.arange(LENGTH, device=lm.device)).expand(2, -1),
    )


@torch.no_grad()
def _by_transformers(model: PreTrainedModel, ids: Int[Tensor, " tokens"], slot: Tensor) -> Float[Tensor, " vocabulary"]:
    return model(input_ids=ids[None], use_cache=False).logits[0, slot]


def _through_prompt(lm: LanguageModel, computing: LanguageModel, texts: _Texts) -> Float[Tensor, "2 vocabulary"]:
    """Logits with words put in as vectors, once it is sure that a gradient reaches these."""
    vectors = lm.look_up(texts.ids.gather(1, texts.prompt_at)).to(lm.prompt_dtype).requires_grad_()
    logits = texts.logits(computing.model, texts.prompt_at, vectors)
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    wide.log_softmax(dim=-1)[:, texts.ids[0, 0]].sum().backward()
    if vectors.grad is None or not vectors.grad.isfinite().all() or not vectors.grad.any():
        raise PromptError(
            f"{lm.name}: no finite gradient reaches a prompt in {name_of(computing.dtype)}, so none can be tuned; "
            "use another model"
        )
    return logits.detach()


def _require_equal(lm: LanguageModel, what: str, found: Tensor, expected: Tensor) -> None:
    allowed = tolerance(lm.dtype)
    if not (apart := difference(found, expected)) <= allowed:
        raise PromptError(
            f"{lm.name}: {what}: the logits differ from those of `transformers` by {apart:.2g} of their spread "
            f"(rounding: up to {allowed:.0e}); {type(lm.model).__name__} cannot be used here"
        )
