import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import ptlib as pt
from ptlib.book import cost
from ptlib.models.loading import shape_of

TOKENS = 16


def test_operations_are_those_that_a_model_makes(lm):
    embedded = lm.embeddings[torch.zeros(1, TOKENS, dtype=torch.long)].requires_grad_()
    with FlopCounterMode(display=False) as counter:
        lm.model.base_model(inputs_embeds=embedded).last_hidden_state.sum().backward()
    counted = counter.get_total_flops() / TOKENS
    assert cost.operations_in(lm.model.config) == pytest.approx(counted, rel=0.12)


def test_cost_grows_with_prompts_steps_and_models():
    settings = pt.Settings(steps=10, rows=2)
    one = cost.tuning_cost({"pocket/bert-small": 5}, settings)
    both = cost.tuning_cost({"pocket/bert-small": 5, "pocket/gpt2-large": 5}, settings)
    config, _ = shape_of("pocket/bert-small")
    assert one.operations == cost.operations_in(config) * 5 * 10 * 2 * cost.TOKENS
    assert both.operations > one.operations
    small, large = (pt.models.parameters_of(f"pocket/{name}") for name in ("bert-small", "gpt2-large"))
    assert (one.bytes, both.bytes) == (6 * small, 4 * small + 6 * large)
    assert one.seconds(2e9) == one.seconds(1e9) / 2


def test_a_cost_is_said_in_words(monkeypatch):
    monkeypatch.setattr(cost, "speed", lambda device: 3e12)
    said = cost.in_words(cost.Cost(6e14, 2_500_000_000), torch.device("cpu"))
    assert said.startswith("about 10 minutes of tuning on this cpu (3 TFLOP/s in ")
    assert said.endswith("and 2.5 GB for weights")
    assert "about 3 hours" in cost.in_words(cost.Cost(1.2e16, 1), torch.device("cpu"))


def test_speed_is_that_of_a_product_of_matrices(monkeypatch):
    """As many operations as a product of this size has, in at least the time that it was measured to take."""
    monkeypatch.setattr(cost, "MATMUL", {"cpu": 64})
    clock = iter([0.0, 4.0, 4.0, 6.0, 6.0, 7.0, 7.0, 10.0])
    monkeypatch.setattr(cost.time, "perf_counter", lambda: next(clock))
    assert cost.speed(torch.device("cpu")) == 2 * 64**3


def test_profiles_of_real_models_say_their_cost_before_they_load_anything(monkeypatch, capsys):
    asked = []
    monkeypatch.setattr("ptlib.book.profiles.tuning_cost", lambda prompts, settings: asked.append(prompts))
    monkeypatch.setattr("ptlib.book.profiles.in_words", lambda cost, device: "about nothing")
    pt.book.profile("paper", shorter={"relations": 4}).announce({"bert-base": 2})
    assert asked == [{"google-bert/bert-base-cased": 2 * 4 * 3}]
    assert capsys.readouterr().out.startswith("about nothing\nresults are kept in ")
    pt.book.profile("real", shorter={"relations": 2, "seeds": 2}).announce({"bert-base": 2})
    assert asked[1:] == [{"google-bert/bert-base-cased": 2 * 2 * 2}]
    assert capsys.readouterr().out.startswith("about nothing\nresults are kept in ")
    pt.book.profile("pocket").announce({"bert-small": 2})
    assert (len(asked), capsys.readouterr().out) == (2, "")


def test_the_pocket_profile_says_that_prompts_were_tuned_before(monkeypatch, capsys):
    monkeypatch.delenv("PTLIB_PACKS")
    pt.book.profile("smoke").announce({"bert-small": 2})
    assert capsys.readouterr().out == ""
    pt.book.profile("pocket").announce({"bert-small": 2})
    assert "were tuned before" in (said := capsys.readouterr().out)
    assert "make anew" in said
