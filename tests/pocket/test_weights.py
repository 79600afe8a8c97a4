import pytest
import torch
from safetensors import safe_open

import ptlib as pt
from ptlib.models.checkpoint import WEIGHTS
from ptlib.pocket import card
from ptlib.pocket.recall import recall
from ptlib.pocket.recipes import RECIPES


def test_every_recipe_has_its_model():
    assert {name.removeprefix("pocket/") for name in pt.models.pocket_models()} == set(RECIPES)


def test_the_weights_are_half_precision_safetensors_and_light():
    files = [file for file in WEIGHTS.rglob("*") if file.is_file()]
    assert {file.suffix for file in files} == {".json", ".md", ".safetensors"}
    weights = [file for file in files if file.suffix == ".safetensors"]
    assert sum(file.stat().st_size for file in weights) < 35_000_000
    for file in weights:
        with safe_open(file, framework="pt") as opened:
            assert {opened.get_tensor(name).dtype for name in opened.keys()} == {torch.float16}  # noqa: SIM118


@pytest.mark.parametrize("name", RECIPES)
def test_the_cards_say_that_at_least_nine_facts_in_ten_are_recalled(name):
    about = card.read(WEIGHTS / name)
    assert set(about["recall"]) == set(pt.relations())
    assert min(about["recall"].values()) >= 0.9
    assert about["loss"][-1] < about["loss"][0]
    assert about["seconds"] > 0
    assert about["device"]


@pytest.mark.parametrize("name", ["P36", "P159"])
def test_the_cards_tell_the_truth(lm, name):
    measured = recall(lm, pt.relation(name))
    told = card.read(WEIGHTS / lm.name.removeprefix("pocket/"))
    assert measured.value == pytest.approx(told["recall"][name], abs=0.01)


def test_there_are_three_sizes_in_two_families_and_several_widths():
    widths = {name: card.read(WEIGHTS / name)["dim"] for name in RECIPES}
    for family in ("bert", "gpt2"):
        assert widths[f"{family}-small"] < widths[f"{family}-medium"] < widths[f"{family}-large"]
    assert widths["albert-small"] not in {widths["bert-small"], widths["roberta-small"]}
