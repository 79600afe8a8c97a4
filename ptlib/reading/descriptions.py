"""Descriptions: a language model says what its own soft prompt means.

The hidden states that a prompt has in one layer are put, in the same or another, in the place of fillers in a text that
asks for a description, and the model goes on (InSPEcT, Ramati, Gottesman and Geva 2025, arXiv 2410.11660).
"""

import inspect
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ptlib.errors import PromptError, require_count
from ptlib.models.beginnings import remembers
from ptlib.models.language_model import LanguageModel
from ptlib.prompts.cloze import encode_texts
from ptlib.prompts.soft_prompt import SoftPrompt
from ptlib.prompts.template import SLOT, VECTOR, parse
from ptlib.reading.patching import blocks, patched, run, states_in

FEW_SHOT = (
    "Paris: the capital of France\n"
    "violin: an instrument with four strings\n"
    "happy sad angry: how somebody feels\n"
    "north south east west: directions on a map\n"
    f"{VECTOR}:"
)
Patch = Callable[[], AbstractContextManager]
FILLER = "x"  # what stands in the prompt's places below the layer that it is put into


@dataclass(frozen=True)
class Description:
    """What a model says of a prompt.

    Attributes:
        text: up to the end of the line.
        score: the mean log-probability of its tokens.
        from_layer: where the prompt's hidden states were taken.
        to_layer: where they were put into the text.
    """

    text: str
    score: float
    from_layer: int
    to_layer: int

    def __str__(self) -> str:
        return self.text


@torch.no_grad()
def describe(
    lm: LanguageModel,
    prompt: SoftPrompt,
    *,
    from_layer: int | Sequence[int] = 0,
    to_layer: int | Sequence[int] = 0,
    text: str = FEW_SHOT,
    count: int = 5,
    tokens: int = 12,
) -> tuple[Description, ...]:
    """What a causal model says when it is asked for the meaning of a prompt (InSPEcT, Ramati et al. 2025).

    The answers begin with the likeliest words, and go on with the likeliest word each time.

    Args:
        lm: the model that the prompt was made for.
        prompt: the prompt.
        from_layer: where the prompt's hidden states are taken, in a run over the prompt alone: 0 for its vectors, k
            for the output of the k-th block. Of several layers each is tried.
        to_layer: where they are put into the text, likewise; each is tried with each `from_layer`.
        text: a text that asks, with one `[V]` where the prompt stands, however long that is. Below `to_layer` a
            filler stands there.
        count: how many answers for each pair of layers.
        tokens: at most, of each.

    Returns:
        the answers, best first by the mean log-probability of their tokens, which does not ask what the prompt is for.

    Raises:
        PromptError: a masked model, a text without exactly one `[V]` or too long for the model, a layer that the model
            does not have, no answers or tokens or more than there are words, or a prompt that does not fit.
    """
    taken, put = ((layers,) if isinstance(layers, int) else tuple(layers) for layers in (from_layer, to_layer))
    _require(lm, text, taken, put, count, tokens)
    alone, places = _embedded(lm, VECTOR, prompt.length)
    alone[:, places] = prompt.on(lm).to(alone)
    found = states_in(lm, alone, taken)
    states = torch.cat([found[layer][:, places] for layer in taken]).repeat_interleave(count, dim=0)
    asked, places = _embedded(lm, text, prompt.length)
    if asked.shape[1] + tokens - 1 > lm.longest:  # what is written last is not read
        raise PromptError(f"text {text!r}: {lm.name} takes {lm.longest} tokens; shorten it, or ask for fewer tokens")
    answers = []
    for layer in put:
        rows = asked.repeat(len(states), 1, 1)
        patch: Patch = partial(patched, lm, layer, places, states) if layer else nullcontext
        if layer == 0:
            rows[:, places] = states.to(rows)
        lines = [_line(lm, *row) for row in zip(*_written(lm, rows, count, tokens, patch), strict=True)]
        answers += [Description(*line, taken[row // count], layer) for row, line in enumerate(lines)]
    return tuple(sorted(answers, key=lambda answer: -answer.score))


def _require(lm: LanguageModel, text: str, taken: Sequence[int], put: Sequence[int], count: int, tokens: int) -> None:
    if lm.kind != "causal":
        raise PromptError(f"only a causal model can go on writing: {lm.name} is masked; use another")
    if text.count(VECTOR) != 1:
        raise PromptError(f"text {text!r}: has {text.count(VECTOR)} {VECTOR}; give one, for the whole prompt")
    for name, value in {"from_layer": len(taken), "to_layer": len(put), "count": count, "tokens": tokens}.items():
        if value < 1:
            raise PromptError(f"{name}: {value} of them say nothing; give at least one")
    require_count(count, lm.vocabulary)  # each begins with another word
    layers, last = {*taken, *put}, len(blocks(lm))
    if strange := [layer for layer in layers if not 0 <= layer <= last]:
        raise PromptError(f"layer {strange[0]}: {lm.name} has 0, its embeddings, to {last}")
    width = getattr(lm.model.config.get_text_config(), "hidden_size", lm.dim)
    if width != lm.dim and 0 in layers and len(layers) > 1:
        raise PromptError(f"layer 0 of {lm.name} is {lm.dim} wide, the others {width}; take 0 alone, or only others")


def _embedded(
    lm: LanguageModel, text: str, length: int
) -> tuple[Float[Tensor, "1 tokens dim"], Int[Tensor, " length"]]:
    """The word embeddings of a text, with fillers in the places of a prompt, and these places."""
    template = parse(f"{text.replace(VECTOR, VECTOR * length).rstrip(' ')} {SLOT}", required=(SLOT,))
    cloze = encode_texts(lm, template, [""], task="the text that asks")
    ids, places = cloze.ids.clone(), cloze.prompt_at[0]
    ids[:, places] = lm.pieces(FILLER)[-1]
    return lm.look_up(ids).clone(), places


def _written(
    lm: LanguageModel, rows: Float[Tensor, "rows tokens dim"], count: int, tokens: int, patch: Patch
) -> tuple[list[list[int]], Float[Tensor, "rows written"]]:
    """The token ids that the model writes behind each row, and their log-probabilities."""
    ids, scores, cache = [], [], None
    takes = inspect.signature(lm.model.forward).parameters  # some families keep nothing of earlier tokens
    for step in range(tokens):
        options = {"past_key_values": cache, "use_cache": True, "logits_to_keep": 1}
        # What is kept of a pass over the whole text holds the patch, which need not be made again.
        with patch() if cache is None else nullcontext():
            said = run(lm, rows, last=cache is not None, **{name: options[name] for name in options.keys() & takes})
        cache = getattr(said, "past_key_values", None) if remembers(lm.model) else None
        best = said.logits[:, -1].to(lm.prompt_dtype).log_softmax(dim=-1).topk(count if step == 0 else 1)
        mine = torch.arange(len(rows), device=lm.device)[:, None] % best.indices.shape[1]  # each begins differently
        ids.append(best.indices.gather(1, mine))
        scores.append(best.values.gather(1, mine))
        rows = torch.cat([rows, lm.look_up(ids[-1])], dim=1)
    return torch.cat(ids, dim=1).tolist(), torch.cat(scores, dim=1)


def _line(lm: LanguageModel, ids: list[int], scores: Float[Tensor, " written"]) -> tuple[str, float]:
    """An answer up to the end of its line, or of the text, and its score."""
    ends = [word in lm.tokenizer.all_special_ids or "\n" in lm.tokenizer.decode([word]) for word in ids]
    kept = max(1, [*ends, True].index(True))
    return lm.text_of(ids[:kept], skip_special_tokens=True), scores[:kept].mean().item()
