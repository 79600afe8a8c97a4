"""Logits at chosen positions only: the language-model head is most of the work where vocabularies are large."""

import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from transformers import PreTrainedModel

from ptlib.errors import PromptError
from ptlib.models.difference import difference, tolerance
from ptlib.models.trial import trial_inputs, tried

_bodies: weakref.WeakKeyDictionary[PreTrainedModel, str | None] = weakref.WeakKeyDictionary()


def logits_at(
    model: PreTrainedModel, where: Bool[Tensor, "rows tokens"], **inputs: Any
) -> Float[Tensor, "chosen vocabulary"]:
    """Logits of a language model at the positions marked in `where`, in reading order.

    The hidden states of all other positions are dropped between the model's body and its head, so that the head
    computes nothing that is not asked for. Which part is the body is found by trial, once for each model; where
    none is, all logits are computed, and the others dropped.

    Raises:
        PromptError: the model gives more or fewer logits than were asked for.
    """
    if model not in _bodies:
        _bodies[model] = _find_body(model)
    logits = _logits(model, _bodies[model], where, inputs)
    if len(logits) != (asked := int(where.sum())):
        raise PromptError(
            f"{type(model).__name__}: gave logits at {len(logits)} places where {asked} were asked for; "
            "use another model, or another release of transformers"
        )
    return logits


def _logits(
    model: PreTrainedModel, body: str | None, where: Bool[Tensor, "rows tokens"], inputs: dict[str, Any]
) -> Float[Tensor, "chosen vocabulary"]:
    if body is None:
        return model(**inputs, use_cache=False).logits[where]
    with _only(model, body, where):
        return model(**inputs, use_cache=False).logits.flatten(0, -2)


@contextmanager
def _only(model: PreTrainedModel, body: str, where: Bool[Tensor, "rows tokens"]) -> Iterator[None]:
    def keep(_module: nn.Module, _inputs: tuple, output: Any) -> Any:
        """Drop the hidden states of all other places."""
        output.last_hidden_state = output.last_hidden_state[where].unsqueeze(0)
        return output

    hook = model.get_submodule(body).register_forward_hook(keep)
    try:
        yield
    finally:
        hook.remove()


def _find_body(model: PreTrainedModel) -> str | None:
    """The name of the part behind which hidden states can be dropped with no change to the logits that are left."""
    with tried(model):
        full, bodies = _bodies_called(model, trial_inputs(model))
        where = torch.ones(full.shape[:2], dtype=torch.bool, device=full.device)
        where[0, 1] = where[1, 0] = where[1, -1] = False
        for body in bodies:
            found = _logits(model, body, where, trial_inputs(model))  # made anew: CTRL writes into them
            if difference(found, full[where]) <= tolerance(full.dtype):
                return body
    return None


def _bodies_called(
    model: PreTrainedModel, inputs: dict[str, Tensor]
) -> tuple[Float[Tensor, "rows tokens vocabulary"], list[str]]:
    """All logits, and the parts that returned hidden states on the way, outermost first."""
    called: list[str] = []

    def note(name: str) -> Callable[[nn.Module, tuple, Any], None]:
        """A hook for the part of a name."""

        def hook(_module: nn.Module, _inputs: tuple, output: Any) -> None:
            """Note the part, if it returned hidden states."""
            if getattr(output, "last_hidden_state", None) is not None:
                called.insert(0, name)

        return hook

    with ExitStack() as hooks:
        for name, module in model.named_modules():
            if name:
                hooks.callback(module.register_forward_hook(note(name)).remove)
        return model(**inputs, use_cache=False).logits, called
