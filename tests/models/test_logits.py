"""Only the logits that are asked for are computed, and never others given."""

import pytest
import torch

import ptlib as pt
from ptlib.models import logits
from ptlib.models.logits import logits_at
from ptlib.models.trial import is_causal, trial_inputs
from tests.models import families
from tests.models.families import FAMILIES, Family


@pytest.fixture
def where():
    return torch.tensor([[True, False, False, True, False, False], [False, False, True, False, False, False]])


@pytest.mark.parametrize("family", [f for f in FAMILIES if f.kind != "translating"], ids=lambda family: family.name)
def test_logits_are_those_of_the_places_asked_for(family, where):
    if family.type in ("ibert", "xmod"):
        pytest.skip("does not run on word embeddings")
    model = families.tiny(family)
    with torch.no_grad():
        expected = model(**trial_inputs(model)).logits[where]
        found = logits_at(model, where, **trial_inputs(model))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4 * expected.std().item())
    assert is_causal(model) == (family.kind == "causal")


def test_the_head_computes_no_more_than_was_asked_for(where):
    """Behind an inner module too, as in OPT, and in heads that transform first, as in BERT."""
    for kind in ("opt", "bart", "bert", "mpnet"):
        model = families.tiny(next(family for family in FAMILIES if family.type == kind))
        seen = []
        model.get_output_embeddings().register_forward_hook(lambda _m, _i, output, seen=seen: seen.append(output))
        logits_at(model, where, **trial_inputs(model))
        assert seen[-1].shape[:-1].numel() == 3, kind


def test_where_no_body_can_be_found_all_logits_are_computed(where):
    """Here a head that looks at all places at once."""
    model = families.tiny(Family("GPT-2", "gpt2", "causal"))
    model.lm_head.register_forward_pre_hook(lambda _module, args: (args[0] + args[0].mean(dim=1, keepdim=True),))
    expected = model(**trial_inputs(model)).logits[where]
    torch.testing.assert_close(logits_at(model, where, **trial_inputs(model)), expected)
    assert logits._bodies[model] is None


def test_the_trial_leaves_training_as_it_was(where):
    model = families.tiny(Family("GPT-2", "gpt2", "causal")).train()
    chance = torch.get_rng_state()
    logits._find_body(model)
    assert model.training
    assert all(module.training for module in model.modules())
    assert torch.equal(torch.get_rng_state(), chance)


def test_more_logits_than_asked_for_are_never_given(where, monkeypatch):
    model = families.tiny(Family("GPT-2", "gpt2", "causal"))
    monkeypatch.setattr(logits, "_find_body", lambda model: "transformer.wte")  # which is not called
    with pytest.raises(pt.PromptError, match="gave logits at 12 places where 3 were asked for"):
        logits_at(model, where, **trial_inputs(model))
