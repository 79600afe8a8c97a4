"""Beginnings: what many rows start with alike goes through a causal model once, and not again with each row."""

import weakref
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from ptlib.models.difference import says_the_same
from ptlib.models.slot import attends_quickly
from ptlib.models.trial import trial_inputs, tried

Side = Float[Tensor, "rows heads places width"]  # keys, or values

_able: weakref.WeakKeyDictionary[PreTrainedModel, bool] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Beginnings:
    """How some rows begin: what each layer of a causal model has to look back at.

    Attributes:
        places: how many tokens or vectors each row begins with; none where rows go through the model whole.
        layers: keys and values, layer by layer.
        model: of which they are.
    """

    places: int = 0
    layers: tuple[tuple[Side, Side], ...] = ()
    model: PreTrainedModel | None = None

    def __getitem__(self, rows: Int[Tensor, " chosen"]) -> "Beginnings":
        """Those of some rows, in any order and as often as wanted."""
        return Beginnings(self.places, tuple((key[rows], value[rows]) for key, value in self.layers), self.model)

    def arguments(self) -> dict[str, DynamicCache]:
        """What tells the model of them in its next pass, which writes into it."""
        if self.model is None:
            return {}
        cache = DynamicCache(config=self.model.config)
        for layer, (key, value) in enumerate(self.layers):
            cache.update(key, value, layer)
        return {"past_key_values": cache}


NONE = Beginnings()


@torch.no_grad()
def begun(model: PreTrainedModel, embedded: Float[Tensor, "rows places dim"]) -> Beginnings:
    """The beginnings that are given, as the model sees them; only of a model that `goes_on`.

    There is none where they are longer than what a layer looks back at, so that it keeps their ends alone.
    """
    there = torch.ones(embedded.shape[:2], dtype=torch.long, device=embedded.device)
    cache = model.base_model(inputs_embeds=embedded, attention_mask=there, use_cache=True).past_key_values
    layers = tuple((layer.keys, layer.values) for layer in cache.layers)
    whole = all(key.shape[-2] == embedded.shape[1] for key, _ in layers)
    return Beginnings(embedded.shape[1], layers, model) if whole else NONE


def goes_on(model: PreTrainedModel) -> bool:
    """Whether rows may go on behind their beginnings: in quick copies alone, so that full precision stays as it was."""
    return attends_quickly(model) and remembers(model)


def remembers(model: PreTrainedModel) -> bool:
    """Whether a model says the same where it is told of beginnings as where rows go through it whole.

    It is tried, once for each model: a RoBERTa that decodes keeps what it saw, and counts places anew behind it.
    """
    if model not in _able:
        _able[model] = _says_the_same(model)
    return _able[model]


def _says_the_same(model: PreTrainedModel) -> bool:
    start = 2
    try:
        with tried(model):
            embedded, there = trial_inputs(model).values()
            whole = model(inputs_embeds=embedded, attention_mask=there, use_cache=False).logits
            told = begun(model, embedded[:1, :start])[torch.zeros(2, dtype=torch.long)].arguments()
            rest = model(inputs_embeds=embedded[:, start:], attention_mask=there, use_cache=False, **told).logits
    except Exception:  # whatever a family stumbles over: then rows go through it whole
        return False
    return says_the_same(rest, whole[:, start:], model.dtype)
