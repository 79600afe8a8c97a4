"""The numbers of the papers' sizes belong to the profile of that name."""

import pytest

import ptlib as pt
from ptlib.book import cost, paper_scale


def test_the_shapes_are_those_of_the_profile_s_models():
    assert set(paper_scale.shapes()) == set(pt.book.profile("paper").models())


def test_a_sweep_takes_as_long_as_tuning_all_its_prompts():
    run, sizes = pt.book.profile("paper"), paper_scale.sizes()
    for name, config in paper_scale.shapes().items():
        work = cost.operations_in(config) * cost.TOKENS * run.settings.rows * run.settings.steps * paper_scale.sweep()
        assert sizes["work"][name] == work
        assert paper_scale.minutes(work) == pytest.approx(cost.Cost(work, 0).seconds(paper_scale.FAST) / 60)
    assert 105e6 < sizes["parameters"]["bert-base"] < 115e6
    assert sizes["parameters"]["albert-base"] < 15e6


def test_the_whole_table_takes_longer_than_one_pair_and_less_than_all_pairs_anew():
    numbers = paper_scale.numbers()
    pairs = 6 * 6 * numbers["paper_seeds"]
    assert numbers["scale_hours"] < numbers["scale_table_hours"]
    assert numbers["scale_table_gpu"] < numbers["scale_table_hours"]
    assert numbers["scale_table_hours"] < 4 * pairs * numbers["scale_hours"]
