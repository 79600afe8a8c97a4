import math

import pytest

from ptlib.models.positions import positions
from tests.models import families
from tests.models.families import FAMILIES


@pytest.mark.parametrize(
    ("kind", "longest"),
    [
        ("bert", 48),
        ("gpt2", 48),
        ("opt", 48),
        ("roberta", 46),  # the padding is number 1, so positions are counted from 2
        ("xlm-roberta", 46),
        ("camembert", 46),
        ("mpnet", 46),
        ("longformer", 48),
        ("mpt", 48),
        ("bloom", math.inf),
        ("mamba", math.inf),
    ],
)
def test_as_many_tokens_as_there_are_positions(kind, longest):
    assert (
        positions(families.tiny(next(f for f in FAMILIES if f.type == kind and not f.settings.get("is_decoder"))))
        == longest
    )
