"""Patching: hidden states taken behind a block of a model, and put in the place of others.

Layer 0 is the embeddings, as the embedding module returns them; layer k is what the k-th block hands to the next
(Patchscopes, Ghandeharioun et al. 2024, arXiv 2401.06102).
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from ptlib.errors import PromptError
from ptlib.models.language_model import LanguageModel
from ptlib.models.once import once
from ptlib.models.self_check import running

ALIKE = 0.9999  # cosine; what differs by more than rounding is something else
TOKENS = 2  # of the text that shows what runs; more than one, so that rows are told from tokens


@once
def blocks(lm: LanguageModel) -> tuple[nn.Module, ...]:
    """The blocks that a text goes through, whatever the family of a model calls them.

    They are found by running the model: the most modules of one list, lists in lists left out, of which each runs once
    and hands to the next what it has made of the text. A part that looks at pictures may have a longer list, blocks for
    pictures may stand in the same, and some families have a list each for attention and for what comes after it.

    Raises:
        PromptError: there are none.
    """
    lists = [part for part in lm.model.modules() if isinstance(part, nn.ModuleList)]
    inner = {id(part) for one in lists for block in one for part in block.modules()}
    longest = max((_chain(lm, one) for one in lists if id(one) not in inner), key=len, default=())
    if not longest:
        raise PromptError(f"{lm.name}: {type(lm.model).__name__} has no list of blocks; use a model of another family")
    return longest


@torch.no_grad()
def _chain(lm: LanguageModel, parts: nn.ModuleList) -> tuple[nn.Module, ...]:
    """The modules of a list that run over a text, in this order, or none if they do not hand it to one another."""
    ran: list[nn.Module] = []
    taken: list[list[Tensor]] = []
    made: list[Any] = []

    def keep(module: nn.Module, inputs: tuple, named: dict, output: Any) -> None:
        """Note a module that runs, what it takes and what it makes."""
        ran.append(module)
        taken.append([given for given in (*inputs, *named.values()) if isinstance(given, Tensor)])
        made.append(output[0] if isinstance(output, tuple | list) and output else output)

    with ExitStack() as hooks, running(lm.name, lm.model):
        for part in {*parts}:
            hooks.callback(part.register_forward_hook(keep, with_kwargs=True).remove)
        run(lm, lm.look_up(torch.zeros(1, TOKENS, dtype=torch.long, device=lm.device)))
    of_text = all(isinstance(states, Tensor) and states.shape[:-1] == (1, TOKENS) for states in made)
    once = len({*ran}) == len(ran)
    handed = (any(_same(states, given) for given in after) for states, after in zip(made, taken[1:], strict=False))
    return tuple(ran) if of_text and once and all(handed) else ()


def _same(states: Float[Tensor, "..."], others: Shaped[Tensor, "..."]) -> bool:
    """Whether they are the same hidden states, but for a factor: RWKV halves them every few blocks."""
    if states.shape != others.shape:
        return False
    return torch.cosine_similarity(states.ravel().float(), others.ravel().float(), dim=0).item() > ALIKE


@torch.no_grad()
def states_in(
    lm: LanguageModel, embedded: Float[Tensor, "rows tokens dim"], layers: Sequence[int]
) -> dict[int, Float[Tensor, "rows tokens width"]]:
    """The hidden states of rows of vectors in some layers, from one pass."""
    found = {0: embedded}

    def keep(layer: int, _module: nn.Module, _inputs: tuple, output: Any) -> None:
        """Note what a layer hands on."""
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
        """What the block hands on, with the other states in their places."""
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
