"""Patching: hidden states taken behind a block of a model, and put in the place of others.

Layer 0 is the embeddings, as the embedding module returns them; layer k is what the k-th block hands to the next
(Patchscopes, Ghandeharioun et al. 2024, arXiv 2401.06102).
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel

_known: WeakKeyDictionary[nn.Module, nn.ModuleList] = WeakKeyDictionary()


def blocks(lm: LanguageModel) -> nn.ModuleList:
    """The blocks that a text goes through, whatever the family of a model calls them.

    They are the longest list of modules that all run over a text, lists in lists left out: a part of the model that
    looks at pictures may have a longer one.

    Raises:
        PromptError: there is none.
    """
    if lm.model not in _known:
        running = _running(lm)
        lists = [part for part in lm.model.modules() if isinstance(part, nn.ModuleList)]
        inner = {id(part) for one in lists for block in one for part in block.modules()}
        outer = [one for one in lists if id(one) not in inner and len(one) and {*map(id, one)} <= running]
        if not outer:
            family = type(lm.model).__name__
            raise PromptError(f"{lm.name}: {family} has no list of blocks; use a model of another family")
        _known[lm.model] = max(outer, key=len)
    return _known[lm.model]


@torch.no_grad()
def _running(lm: LanguageModel) -> set[int]:
    """The ids of the modules that run when a model reads a text."""
    ran: set[int] = set()
    with ExitStack() as hooks:
        for part in lm.model.modules():
            hooks.callback(part.register_forward_pre_hook(lambda part, _inputs: ran.add(id(part))).remove)
        run(lm, lm.look_up(torch.zeros(1, 1, dtype=torch.long, device=lm.device)))
    return ran


@torch.no_grad()
def states_in(
    lm: LanguageModel, embedded: Float[Tensor, "rows tokens dim"], layers: Sequence[int]
) -> dict[int, Float[Tensor, "rows tokens width"]]:
    """The hidden states of rows of vectors in some layers, from one pass."""
    found = {0: embedded}

    def keep(layer: int, _module: nn.Module, _inputs: tuple, output: Any) -> None:
        found[layer] = _hidden(output)

    with ExitStack() as hooks:
        for layer in {*layers} - {0}:
            hooks.callback(blocks(lm)[layer - 1].register_forward_hook(partial(keep, layer)).remove)
        run(lm, embedded)
    return found


@contextmanager
def patched(
    lm: LanguageModel, layer: int, places: Int[Tensor, " length"], states: Float[Tensor, "rows length width"]
) -> Iterator[None]:
    """While this holds, other hidden states stand at some places of each row behind a block."""

    def replace(_module: nn.Module, _inputs: tuple, output: Any) -> Any:
        hidden = _hidden(output).clone()
        hidden[:, places] = states.to(hidden)
        return hidden if isinstance(output, Tensor) else (hidden, *output[1:])

    hook = blocks(lm)[layer - 1].register_forward_hook(replace)
    try:
        yield
    finally:
        hook.remove()


def run(lm: LanguageModel, embedded: Float[Tensor, "rows tokens dim"], *, last: bool = False, **options: Any) -> Any:
    """What a model says in one pass over rows without padding, or over the last token of each, with what it kept."""
    here = embedded[:, -1:] if last else embedded
    ones = torch.ones(embedded.shape[:2], dtype=torch.long, device=embedded.device)
    return lm.model(inputs_embeds=here.clone(), attention_mask=ones, **options)  # a copy: CTRL writes into it


def _hidden(output: Tensor | tuple | list) -> Float[Tensor, "rows tokens width"]:
    """What a block hands to the next; some hand on more beside it."""
    return output if isinstance(output, Tensor) else output[0]
