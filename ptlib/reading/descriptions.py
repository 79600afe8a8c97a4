"""Asking a prompt: a language model says what its own soft prompt means.

The prompt's hidden states of one layer are put into a text that asks for a description, at the same or another layer,
and the model goes on writing (InSPEcT, Ramati, Gottesman and Geva 2024, after Ghandeharioun et al. 2024, Patchscopes).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel
from ptlib.prompts.cloze import Cloze, slot_logits
from ptlib.prompts.soft_prompt import SoftPrompt
from ptlib.prompts.template import VECTOR

FEW_SHOT = (
    "Paris: the capital of France\n"
    "violin: an instrument with four strings\n"
    "happy sad angry: how somebody feels\n"
    "north south east west: directions on a map\n"
    f"{VECTOR}:"
)


@dataclass(frozen=True)
class Description:
    """What a model says of a prompt.

    Attributes:
        text: up to the end of the line.
        score: the mean log-probability of its tokens.
    """

    text: str
    score: float

    def __str__(self) -> str:
        return self.text


@torch.no_grad()
def describe(
    lm: LanguageModel,
    prompt: SoftPrompt,
    *,
    text: str = FEW_SHOT,
    from_layer: int = 0,
    to_layer: int = 0,
    count: int = 5,
    tokens: int = 12,
) -> tuple[Description, ...]:
    """What a causal model says when it is asked for the meaning of a prompt.

    The answers begin with the words that are likeliest and go on with the likeliest word each time.

    Args:
        lm: the model that the prompt was made for.
        prompt: the prompt.
        text: a text that asks, with one `[V]` where the prompt stands, however long that is.
        from_layer: where the prompt's hidden states are taken, of a run over the prompt alone: 0 for its vectors, and
            so on to the last layer.
        to_layer: where they are put into the text.
        count: how many answers.
        tokens: at most, of each.

    Returns:
        the answers, best first.

    Raises:
        PromptError: a masked model, a text without exactly one `[V]`, a layer that the model does not have, or a
            prompt that does not fit it.
    """
    if lm.kind != "causal":
        raise PromptError(f"only a causal model can go on writing: {lm.name} is masked; use another")
    if text.count(VECTOR) != 1:
        raise PromptError(f"text {text!r}: has {text.count(VECTOR)} {VECTOR}; give one, for the whole prompt")
    layers = layers_of(lm)
    for layer in (from_layer, to_layer):
        if not 0 <= layer <= len(layers):
            raise PromptError(f"layer {layer}: {lm.name} has 0, its embeddings, to {len(layers)}")
    states = _states(lm, prompt.on(lm), layers, from_layer)
    before, after = (lm.pieces(part, starts_text=True) if part else [] for part in _around(text))
    start = [*lm.marks[0], *before]
    ids = torch.tensor([start + [0] * prompt.length + after], device=lm.device)
    places = torch.arange(prompt.length, device=lm.device) + len(start)
    if to_layer == 0:
        return _written(lm, ids, places, states, count, tokens)
    with _replaced(layers[to_layer - 1], places, states):
        return _written(lm, ids, places, prompt.on(lm), count, tokens)


def layers_of(lm: LanguageModel) -> nn.ModuleList:
    """The layers of a model, whatever its family calls them.

    Raises:
        PromptError: none are found.
    """
    count = lm.model.config.num_hidden_layers
    for module in lm.model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == count:
            return module
    raise PromptError(f"{lm.name}: no list of its {count} layers was found; use a model of another family")


def _around(text: str) -> tuple[str, str]:
    """What stands before and behind the prompt; a space before it is part of the word that it stands for."""
    before, after = text.split(VECTOR)
    return before.removesuffix(" "), after


def _states(
    lm: LanguageModel, vectors: Float[Tensor, "length dim"], layers: nn.ModuleList, layer: int
) -> Float[Tensor, "length dim"]:
    """The hidden states of a prompt behind a layer, in a run over it alone."""
    if layer == 0:
        return vectors
    found: list[Tensor] = []
    hook = layers[layer - 1].register_forward_hook(lambda _module, _inputs, output: found.append(_hidden(output)))
    start = len(lm.marks[0])
    ids = torch.tensor([lm.marks[0] + [0] * len(vectors)], device=lm.device)
    try:
        _next(lm, ids, torch.arange(len(vectors), device=lm.device) + start, vectors)
    finally:
        hook.remove()
    return found[-1][0, start:]


@contextmanager
def _replaced(layer: nn.Module, places: Int[Tensor, " length"], states: Float[Tensor, "length dim"]) -> Iterator[None]:
    """Put other hidden states at some places behind a layer."""

    def replace(_module: nn.Module, _inputs: tuple, output: Any) -> Any:
        hidden = _hidden(output)
        if hidden.shape[1] > places[-1]:  # a shorter run is no question, but a model's trial before its first use
            hidden[:, places] = states.to(hidden)
        return output

    hook = layer.register_forward_hook(replace)
    try:
        yield
    finally:
        hook.remove()


def _hidden(output: Tensor | tuple) -> Float[Tensor, "rows tokens dim"]:
    """What a layer hands to the next."""
    return output if isinstance(output, Tensor) else output[0]


def _written(
    lm: LanguageModel,
    ids: Int[Tensor, "1 tokens"],
    places: Int[Tensor, " length"],
    vectors: Float[Tensor, "length dim"],
    count: int,
    tokens: int,
) -> tuple[Description, ...]:
    """What the model writes behind token ids with a prompt among them."""
    asked, scores = ids.shape[1], []
    for step in range(tokens):
        chances = _next(lm, ids, places, vectors)
        best = chances.topk(count if step == 0 else 1)
        chosen = best.indices.reshape(-1, 1)
        scores.append(best.values.reshape(-1))
        ids = torch.cat([ids.expand(len(chosen), -1), chosen], dim=1)
    each = torch.stack(scores, dim=1)
    answers = [_cut(lm, row, score) for row, score in zip(ids[:, asked:].tolist(), each, strict=True)]
    return tuple(sorted(answers, key=lambda answer: -answer.score))


def _next(
    lm: LanguageModel,
    ids: Int[Tensor, "rows tokens"],
    places: Int[Tensor, " length"],
    vectors: Float[Tensor, "length dim"],
) -> Float[Tensor, "rows vocabulary"]:
    """Log-probabilities of the next token of each row."""
    lengths = torch.full((len(ids),), ids.shape[1], device=ids.device)
    cloze = Cloze(ids, lengths, places.expand(len(ids), -1), slot_at=lengths - 1, answers=torch.full_like(lengths, -1))
    return slot_logits(lm, cloze, vectors.expand(len(ids), -1, -1)).float().log_softmax(dim=-1)


def _cut(lm: LanguageModel, ids: list[int], scores: Float[Tensor, " tokens"]) -> Description:
    """An answer up to the end of its line, or of the text."""
    end = next((n for n in range(len(ids)) if ids[n] in lm.tokenizer.all_special_ids or _ends_line(lm, ids[n])), None)
    kept = max(1, len(ids) if end is None else end)
    return Description(lm.text_of(ids[:kept], skip_special_tokens=True), scores[:kept].mean().item())


def _ends_line(lm: LanguageModel, word_id: int) -> bool:
    return "\n" in lm.tokenizer.decode([word_id])
