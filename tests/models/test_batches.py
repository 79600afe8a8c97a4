import pytest
import torch
from transformers import BertConfig, BertForMaskedLM

import ptlib as pt
from ptlib.models import batches

GIGABYTE = 10**9


@pytest.fixture(scope="module")
def base(bert):
    """As wide and deep as BERT-base; without memory for its weights, since only its shape is asked for."""
    with torch.device("meta"):
        return pt.LanguageModel("base", "masked", BertForMaskedLM(BertConfig()), bert.tokenizer)


def test_every_row_is_in_one_group_and_no_group_is_much_too_large(bert, monkeypatch):
    monkeypatch.setattr(batches, "CPU_TOKENS", 50)
    lengths = torch.randint(4, 20, (40,), generator=torch.Generator().manual_seed(0))
    groups = batches.chunks(bert, lengths)
    assert sorted(torch.cat(groups).tolist()) == list(range(40))
    assert all(int(lengths[group].sum()) <= 50 + 20 for group in groups)
    longest = [int(lengths[group].max()) for group in groups]
    assert longest == sorted(longest)


def test_where_many_logits_are_asked_for_groups_hold_fewer_rows(bert, monkeypatch):
    """Logits over a vocabulary of hundreds of thousands weigh more than all else of a place."""
    monkeypatch.setattr(batches, "CPU_TOKENS", 500)
    lengths = torch.randint(10, 20, (40,), generator=torch.Generator().manual_seed(0))
    groups = batches.chunks(bert, lengths, lengths - 4)
    assert sorted(torch.cat(groups).tolist()) == list(range(40))
    assert all(int((lengths - 4)[group].sum()) <= 50 + 20 for group in groups)
    one_each = batches.chunks(bert, lengths, torch.ones_like(lengths))
    assert [group.tolist() for group in one_each] == [group.tolist() for group in batches.chunks(bert, lengths)]


def test_a_larger_gpu_takes_more_tokens_up_to_a_limit(base):
    on = [batches.tokens_in(memory * GIGABYTE, base) for memory in (4, 15, 40, 80, 1_000)]
    assert on == sorted(on)
    assert 5_000 < on[1] < 20_000
    assert on[-1] == batches.CUDA_TOKENS


def test_where_the_weights_hardly_fit_one_token_is_left(base):
    assert batches.tokens_in(GIGABYTE // 10, base) == 1
