import copy

import pytest
import torch

import ptlib as pt
from ptlib.models import slot
from ptlib.models.logits import logits_at
from ptlib.models.quick import quick_copy
from tests.conftest import in_double

ROWS, TOKENS = 5, 9


@pytest.fixture
def inputs(lm):
    """Random embeddings in rows of unequal length, and a place in each."""
    generator = torch.Generator().manual_seed(3)
    embedded = torch.randn(ROWS, TOKENS, lm.dim, generator=generator, dtype=torch.float64)
    lengths = torch.tensor([9, 9, 6, 4, 1])
    attention = (torch.arange(TOKENS) < lengths[:, None]).long()
    return {"inputs_embeds": embedded, "attention_mask": attention}, torch.tensor([8, 2, 5, 0, 0])


def at_slot(model, slot_at, **named):
    where = torch.arange(named["inputs_embeds"].shape[1]) == slot_at[:, None]
    with slot.only_the_slot(model, slot_at):
        return logits_at(model, where, **named)


@pytest.fixture
def quickened(lm):
    """The model in float64, whose last layer is computed at the slot alone."""
    model = copy.deepcopy(in_double(lm).model)
    slot.attend_quickly(model)
    assert model.config._attn_implementation == slot.ATTENTION
    return model


def test_the_slot_alone_says_what_the_whole_model_says_there(lm, quickened, inputs):
    """Against `transformers` itself, in float64: logits, and gradients by the embeddings."""
    named, slot_at = inputs
    exact = in_double(lm).model
    found, expected = [], []
    for model, results in ((quickened, found), (exact, expected)):
        leaf = named["inputs_embeds"].clone().requires_grad_()
        if model is exact:
            whole = model(inputs_embeds=leaf, attention_mask=named["attention_mask"], use_cache=False).logits
            logits = whole[torch.arange(ROWS), slot_at]
        else:
            logits = at_slot(model, slot_at, **named | {"inputs_embeds": leaf})
        logits.log_softmax(dim=-1)[:, 7].sum().backward()
        results += [logits.detach(), leaf.grad]
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-8)


def test_all_places_are_as_before_afterwards(lm, quickened, inputs):
    named, slot_at = inputs
    where = named["attention_mask"].bool()
    at_slot(quickened, slot_at, **named)
    torch.testing.assert_close(
        logits_at(quickened, where, **named), logits_at(in_double(lm).model, where, **named), rtol=1e-8, atol=1e-8
    )
    assert "forward" not in vars(slot._last[quickened].layer)


def test_a_model_that_it_would_change_is_left_to_transformers(bert, monkeypatch):
    """One whose attention has what `attend` does not know, and one whose layers look at each other's places."""
    expected = quick_copy(pt.LanguageModel(bert.name, bert.kind, bert.model, bert.tokenizer)).model
    assert expected in slot._last

    strange = copy.deepcopy(bert.model)
    for part in strange.modules():
        if type(part).__name__ == "BertSelfAttention":
            part.forward = (lambda run: lambda *parts, **named: run(*parts, **named, softcap=50.0))(part.forward)
    slot.attend_quickly(strange)
    assert strange not in slot._last
    assert strange.config._attn_implementation == "eager"

    mixing = copy.deepcopy(bert.model)
    last = mixing.base_model.encoder.layer[-1]
    hook = last.register_forward_hook(lambda _module, _inputs, states: states + states.mean(dim=1, keepdim=True))
    slot.attend_quickly(mixing)
    assert mixing not in slot._last
    hook.remove()
    slot.attend_quickly(mixing)
    assert mixing in slot._last


def test_quick_copies_give_what_the_model_gives_up_to_their_format(lm, inputs):
    named, slot_at = inputs
    quick = quick_copy(lm)
    named["inputs_embeds"] = lm.embeddings[:ROWS, None].expand(-1, TOKENS, -1)
    exact = at_slot(lm.model, slot_at, **named)
    short = at_slot(quick.model, slot_at, **named | {"inputs_embeds": named["inputs_embeds"].to(quick.dtype)})
    assert (short.float() - exact).std() < 0.1 * exact.std()
