"""One place of each row: in the last layer of a quick copy, all other places are only looked at."""

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedModel
from transformers.masking_utils import AttentionMaskInterface, eager_mask

from ptlib.models.difference import says_the_same
from ptlib.models.embedding_space import embedding_weight, look_up
from ptlib.models.logits import logits_at

ATTENTION = "ptlib"  # the name of `attend` in a model's configuration
UNKNOWN = ("softcap", "s_aux", "position_bias")  # what some families add to attention, and `attend` does not know


@dataclass(frozen=True)
class Last:
    """The last layer of a model, and how many times it is called in a pass (in ALBERT one layer is all of them)."""

    layer: nn.Module
    calls: int


class _Seen(Exception):  # noqa: N818 (nothing is wrong: a layer is left as soon as its keys and values are known)
    def __init__(self, key: Tensor, value: Tensor):
        self.key, self.value = key, value


class _Now(threading.local):
    """What `attend` is to do in the pass that this thread is in."""

    leave = False  # raise `_Seen`
    seen: tuple[Tensor, Tensor, Int[Tensor, " rows"]] | None = None  # keys and values, and each row's place


_now = _Now()
_last: weakref.WeakKeyDictionary[PreTrainedModel, Last] = weakref.WeakKeyDictionary()


def attend_quickly(model: PreTrainedModel) -> None:
    """Let a model compute attention by `attend`, and its last layer at the slot alone, if that changes nothing.

    Whether it does is tried: families differ in what they add to attention, and to a layer.
    """
    model.set_attn_implementation("eager")
    try:
        expected, last = _probe(model), _last_layer(model)  # the first probe is also for finding the body
        model.set_attn_implementation(ATTENTION)
        _last[model] = last
        same = says_the_same(_probe(model), expected, model.dtype)
    except Exception:  # whatever a family stumbles over
        same = False
    if not same:
        _last.pop(model, None)
        model.set_attn_implementation("eager")


def attends_quickly(model: PreTrainedModel) -> bool:
    """Whether a model computes attention by `attend`."""
    return model in _last


def attend(
    _module: nn.Module,
    query: Float[Tensor, "rows heads places width"],
    key: Float[Tensor, "rows groups tokens width"],
    value: Float[Tensor, "rows groups tokens value_width"],
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    **options: object,
) -> tuple[Float[Tensor, "rows places heads value_width"], None]:
    """Attention for rows of few tokens: the softmax runs over the first axis, where a CPU does many at once."""
    if strange := [name for name in UNKNOWN if options.get(name) is not None]:
        raise NotImplementedError(f"attention with {strange[0]}")
    if _now.leave:
        raise _Seen(key, value)
    if _now.seen is not None:
        key, value, slot_at = _now.seen
        if attention_mask is not None and attention_mask.shape[2] > 1:
            rows = torch.arange(len(slot_at), device=slot_at.device)
            attention_mask = attention_mask.expand(len(slot_at), -1, -1, -1)[rows, :, slot_at].unsqueeze(2)
    if (shared := query.shape[1] // key.shape[1]) > 1:
        key, value = (side.repeat_interleave(shared, dim=1) for side in (key, value))
    scores = query @ key.transpose(2, 3) * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    if attention_mask is not None:
        scores = scores + attention_mask
    shares = torch.softmax(scores.permute(3, 0, 1, 2).contiguous(), dim=0).permute(1, 2, 3, 0)
    return (shares @ value).transpose(1, 2), None


AttentionInterface.register(ATTENTION, attend)
AttentionMaskInterface.register(ATTENTION, eager_mask)


@contextmanager
def only_the_slot(model: PreTrainedModel, slot_at: Int[Tensor, " rows"]) -> Iterator[None]:
    """While this holds, the last layer of a model that attends quickly gives at each place what it says at one.

    It is entered twice: with all places until their keys and values are known, and with the slots alone to the end.
    Other models are left as they are.

    Args:
        model: the language model.
        slot_at: the place of each row.
    """
    if not attends_quickly(model):
        yield
        return
    last, rows, made = _last[model], torch.arange(len(slot_at), device=slot_at.device), 0
    forward = last.layer.forward

    def at_slot(states: Tensor) -> Tensor:
        """What stands at the slot of each row alone."""
        return states.expand(len(slot_at), -1, -1)[rows, slot_at].unsqueeze(1)

    def shortened(states: Float[Tensor, "rows tokens width"], *others: object, **named: Any) -> Any:
        """The last layer: as it is up to its last call, which makes the slots alone."""
        nonlocal made
        made += 1
        if made < last.calls:
            return forward(states, *others, **named)
        try:
            _now.leave = True
            forward(states, *others, **named)
            raise NotImplementedError("a last layer without attention")
        except _Seen as found:
            _now.leave, _now.seen = False, (found.key, found.value, slot_at)
            if named.get("position_embeddings") is not None:  # rotary ones
                named["position_embeddings"] = tuple(map(at_slot, named["position_embeddings"]))
            said = forward(at_slot(states), *others, **named)
            first, *more = said if isinstance(said, tuple) else (said,)
            first = first.expand(-1, states.shape[1], -1)  # a view
            return (first, *more) if isinstance(said, tuple) else first
        finally:
            _now.leave, _now.seen = False, None

    last.layer.forward = shortened
    try:
        yield
    finally:
        del last.layer.forward


def _last_layer(model: PreTrainedModel) -> Last:
    """The module of a list of modules, not inside another such module, that a pass enters last."""
    layers = [child for part in model.base_model.modules() if isinstance(part, nn.ModuleList) for child in part]
    inner = {id(part) for layer in layers for part in layer.modules() if part is not layer}
    entered: list[nn.Module] = []
    hooks = [
        layer.register_forward_pre_hook(lambda module, _: entered.append(module))
        for layer in {id(layer): layer for layer in layers if id(layer) not in inner}.values()
    ]
    try:
        _probe(model)
    finally:
        for hook in hooks:
            hook.remove()
    return Last(entered[-1], entered.count(entered[-1]))


@torch.no_grad()
def _probe(model: PreTrainedModel) -> Float[Tensor, "rows vocabulary"]:
    """What a model says at some places of random rows of unequal length."""
    words = embedding_weight(model)
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(len(words), (4, 7), generator=generator).to(words.device)
    lengths = torch.tensor([7, 7, 5, 4], device=words.device)
    attention = (torch.arange(7, device=words.device) < lengths[:, None]).long()
    slot_at = torch.tensor([6, 3, 4, 1], device=words.device)
    where = torch.arange(7, device=words.device) == slot_at[:, None]
    with only_the_slot(model, slot_at):
        return logits_at(model, where, inputs_embeds=look_up(model, ids), attention_mask=attention).float()
