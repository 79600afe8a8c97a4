import pytest
import torch

from ptlib.models.difference import difference, says_the_same, typical_difference

LOGITS = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0]])


def test_in_standard_deviations():
    moved = LOGITS.clone()
    moved[1, 2] += 0.5
    assert difference(moved, LOGITS) == pytest.approx(0.5 / LOGITS.std().item())
    assert typical_difference(moved, LOGITS) == pytest.approx(0.5 / 6**0.5 / LOGITS.std().item())
    assert difference(LOGITS, LOGITS) == 0


def test_logits_that_are_all_large_are_rounded_more():
    assert difference(LOGITS + 1000.1, LOGITS + 1000) == pytest.approx(0.1 / 100.2, rel=1e-3)


def test_what_cannot_be_compared_is_infinitely_far():
    assert difference(LOGITS[:1], LOGITS) == float("inf")
    assert difference(LOGITS * float("nan"), LOGITS) == float("inf")
    assert difference(torch.ones(2) + 1, torch.ones(2)) > 1
    assert difference(torch.tensor([0.0, float("-inf")]), torch.tensor([0.0, 1.0])) == float("inf")


def test_a_word_that_is_never_said_makes_no_difference():
    never = torch.tensor([0.0, 1.0, float("-inf")])
    assert difference(never, never.clone()) == 0


def test_a_shorter_way_may_differ_by_what_its_format_rounds_and_no_more():
    logits = torch.linspace(-3, 3, 100)
    formats = torch.float32, torch.float16, torch.bfloat16
    for apart, enough in ((1e-6, formats), (0.02, formats[1:]), (0.2, ())):
        found = logits + apart * logits.std()
        assert tuple(one for one in formats if says_the_same(found, logits, one)) == enough
