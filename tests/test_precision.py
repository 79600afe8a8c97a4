import pytest
import torch

import ptlib as pt
from ptlib import precision
from ptlib.gradients import Gradients


@pytest.fixture
def with_bfloat16(monkeypatch):
    monkeypatch.setattr(precision, "_has_bfloat16", lambda device: True)


def test_the_model_itself_keeps_its_precision(bert, with_bfloat16):
    copied = precision.quick_copy(bert)
    assert copied.embeddings.dtype == torch.bfloat16
    assert bert.embeddings.dtype == torch.float32
    assert bert.model.config._attn_implementation == "sdpa"


def test_a_machine_without_bfloat16_computes_on_the_model(bert, monkeypatch):
    monkeypatch.setattr(precision, "_has_bfloat16", lambda device: False)
    assert precision.quick_copy(bert) is bert


def test_a_model_in_double_precision_stays_so(exact_bert, with_bfloat16):
    assert precision.quick_copy(exact_bert) is exact_bert


def test_gradients_with_fewer_digits_point_the_same_way(lm, capital, with_bfloat16, monkeypatch):
    vectors = pt.random_prompt(lm, capital, length=3).vectors[None]

    def gradient():
        gradients = Gradients(lm, [(capital, 0)], "[X] [V] [V] [V] [Y] .", steps=1, rows=8)
        return gradients.lm.embeddings.dtype, gradients.at(0, vectors).flatten()

    kind, rough = gradient()
    monkeypatch.setattr(precision, "_has_bfloat16", lambda device: False)
    _, exact = gradient()
    assert kind == torch.bfloat16
    assert torch.cosine_similarity(rough, exact, dim=0) > 0.99


def test_quick_scores_are_nearly_those_of_the_model(lm, with_bfloat16):
    tasks = [pt.relation("P36"), pt.relation("P103")]
    prompts = pt.tune_many(lm, tasks, settings=pt.Settings(steps=20), progress=False)
    exact, quick = (pt.accuracy_by_seed(lm, tasks, prompts, quick=quick) for quick in (False, True))
    assert abs(exact - quick).max() < 0.05
