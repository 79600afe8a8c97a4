"""Passes: which rows go through a model together, and what many of them begin with alike goes only once."""

from collections.abc import Iterator

import torch
from jaxtyping import Int
from torch import Tensor

from ptlib.models.batches import chunks
from ptlib.models.beginnings import NONE, Beginnings, begun, goes_on
from ptlib.models.language_model import LanguageModel
from ptlib.prompts.cloze import Cloze


@torch.no_grad()
def passes(lm: LanguageModel, cloze: Cloze) -> Iterator[tuple[Int[Tensor, " chosen"], Beginnings]]:
    """Numbers of rows for each forward pass, all rows in some, and how these begin if the model has seen that already.

    A causal model that reads a text before a prompt sees no prompt there, so it reads a text once for all prompts that
    follow it in a pass.
    """
    starts, order = _starts(cloze), torch.arange(len(cloze), device=lm.device)
    if lm.kind == "causal" and goes_on(lm.model):
        places = torch.arange(cloze.ids.shape[1], device=lm.device)
        texts = cloze.ids.masked_fill(places >= starts[:, None], -1)
        different, which = texts.unique(dim=0, return_inverse=True)
        if 2 * len(different) <= len(cloze):  # otherwise there is little to save, and passes would be small
            for start in starts.unique().tolist():
                group = order[starts == start]
                group = group[which[group].argsort(stable=True)]  # the same texts into the same passes
                for rows in chunks(lm, cloze.lengths[group]):
                    yield group[rows], _seen(lm, cloze.ids[group[rows], :start])
            return
    for rows in chunks(lm, cloze.lengths):
        yield rows, NONE


def _starts(cloze: Cloze) -> Int[Tensor, " rows"]:
    """How many tokens stand before the first vector of the prompt, or before the slot where there is none."""
    return torch.cat([cloze.prompt_at, cloze.slot_at[:, None]], dim=1).amin(dim=1)


def _seen(lm: LanguageModel, ids: Int[Tensor, "rows start"]) -> Beginnings:
    """How rows begin, each different beginning sent through the model once."""
    if not ids.shape[1]:
        return NONE
    different, which = ids.unique(dim=0, return_inverse=True)
    return begun(lm.model, lm.look_up(different))[which]
