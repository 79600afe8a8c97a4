import pytest
import torch

import ptlib as pt
from ptlib import precision, tuning


@pytest.fixture
def with_bfloat16(monkeypatch):
    monkeypatch.setattr(precision, "_has_bfloat16", lambda device: True)


def test_the_model_itself_keeps_its_precision(bert, with_bfloat16):
    copied = precision.for_gradients(bert)
    assert copied.embeddings.dtype == torch.bfloat16
    assert bert.embeddings.dtype == torch.float32
    assert bert.model.config._attn_implementation == "sdpa"


def test_a_machine_without_bfloat16_computes_on_the_model(bert, monkeypatch):
    monkeypatch.setattr(precision, "_has_bfloat16", lambda device: False)
    assert precision.for_gradients(bert) is bert


def test_a_model_in_double_precision_stays_so(exact_bert, with_bfloat16):
    assert precision.for_gradients(exact_bert) is exact_bert


def test_gradients_with_fewer_digits_point_the_same_way(lm, capital, with_bfloat16, monkeypatch):
    settings = pt.Settings(steps=1, rows=8)
    rough = tuning._Run(lm, [(capital, 0)], "[X] [V] [V] [V] [Y] .", settings)
    monkeypatch.setattr(precision, "_has_bfloat16", lambda device: False)
    exact = tuning._Run(lm, [(capital, 0)], "[X] [V] [V] [V] [Y] .", settings)
    for run in (rough, exact):
        run.step(0)
    assert rough.computing.embeddings.dtype == torch.bfloat16
    cosine = torch.cosine_similarity(rough.vectors.grad.flatten(), exact.vectors.grad.flatten(), dim=0)
    assert cosine > 0.99
