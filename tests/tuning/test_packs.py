"""Packs: what was tuned before is found again, in few bits, by exactly what was asked for."""

import os
import warnings
from dataclasses import replace

import pytest
import torch

import ptlib as pt
from ptlib.book.profiles import TUNED_BEFORE
from ptlib.carrying import table
from ptlib.keeping import packs
from ptlib.prompts.template import parse
from ptlib.tuning import in_words as in_words_module
from ptlib.tuning.gradients import Gradients

SETTINGS, IN_WORDS = pt.Settings(steps=3), pt.WordSettings(steps=3, learning_rate=3.0)
TEXT, WORDS = "name the city", ("the", "capital", "of", "city", "river", "in", "is", "a")


def free(lm, tasks, settings=SETTINGS, template="[X] [V] [V] [Y] .", **options):
    return pt.tune_many(lm, tasks, template=template, settings=settings, progress=False, **options)


def toward(lm, tasks, settings=SETTINGS, template="[X] [V] [Y] .", texts=(TEXT,), gammas=(0, 1), **options):
    more = options | {"template": template, "gammas": gammas, "progress": False}
    return pt.tune_toward(lm, tasks, texts, settings=settings, **more)


def in_words(lm, tasks, settings=IN_WORDS, template="[X] [V] [V] [Y] .", words=WORDS, **options):
    more = options | {"template": template, "words": words, "progress": False}
    return pt.tune_words(lm, tasks, settings=settings, **more)


WAYS = pytest.mark.parametrize("way", [free, toward, in_words])


def numbers(prompts):
    return [prompt.shares if isinstance(prompt, pt.WordPrompt) else prompt.vectors for prompt in prompts.values()]


@pytest.fixture
def places(tmp_path):
    return {name: tmp_path / name for name in ("aside", "packs", "first", "second")}


@pytest.fixture
def packed(places, monkeypatch):
    """Makes the packs of what a call tunes, and lets them be read from then on."""

    def make(call):
        monkeypatch.setenv(packs.WRITE, str(places["aside"]))
        tuned = call(cache=places["first"])
        packs.gather(places["aside"], places["packs"])
        monkeypatch.delenv(packs.WRITE)
        monkeypatch.setenv(packs.READ, str(places["packs"]))
        return tuned

    return make


@pytest.fixture
def steps(monkeypatch):
    """The steps of tuning that are made, as a list that grows."""
    made = []
    monkeypatch.setattr(
        Gradients, "at", lambda self, step, vectors, at=Gradients.at: made.append(step) or at(self, step, vectors)
    )
    return made


@WAYS
def test_a_packed_prompt_is_found_and_nearly_equal(way, bert, capital, places, packed, steps):
    tuned = packed(lambda **options: way(bert, [capital], seeds=(0, 1), **options))
    steps.clear()
    found = way(bert, [capital], seeds=(0, 1), cache=places["second"])
    assert steps == []
    assert list(found) == list(tuned)
    for name, one, other in zip(tuned, numbers(tuned), numbers(found), strict=True):
        assert ((one - other).norm(dim=1) <= packs.MOVED * one.norm(dim=1)).all()
        alike = [{k: v for k, v in vars(p[name]).items() if k not in ("vectors", "shares")} for p in (tuned, found)]
        assert alike[0] == alike[1]


def test_shares_that_come_out_of_a_pack_add_up(bert, capital, places, packed):
    packed(lambda **options: in_words(bert, [capital], settings=replace(IN_WORDS, last_temperature=0.01), **options))
    (shares,) = numbers(
        in_words(bert, [capital], settings=replace(IN_WORDS, last_temperature=0.01), cache=places["second"])
    )
    assert (shares == 0).sum() > shares.numel() / 2  # so it was packed with places
    assert torch.allclose(shares.sum(dim=1), torch.ones(2))


@WAYS
def test_nothing_else_is_served(way, bert, lms, capital, places, packed, steps):
    """Another model, task, seed, template, text, strength or list of words, or any other setting."""
    settings = IN_WORDS if way is in_words else SETTINGS
    packed(lambda **options: way(bert, [capital], **options))
    changes = [
        {"settings": replace(settings, steps=2)},
        {"settings": replace(settings, rows=5)},
        {"settings": replace(settings, learning_rate=0.2)},
        {"settings": replace(settings, last_temperature=0.2)} if way is in_words else {"settings": pt.Settings(4)},
        {"seeds": (1,)},
        {"template": "[X] is [V] [V] [Y] ." if way is not toward else "[X] is [V] [Y] ."},
        *({"texts": ("name the river",)}, {"gammas": (2,)}, {"start": "random"}) * (way is toward),
        *({"words": WORDS[:-1]},) * (way is in_words),
    ]
    shorter = replace(capital, train=capital.train[:-1])
    calls = [(bert, [capital], change) for change in changes]
    calls += [(lms["albert-small"], [capital], {}), (bert, [shorter], {}), (bert, [pt.relation("P19")], {})]
    renamed = pt.LanguageModel(bert.name, bert.kind, lms["roberta-small"].model, lms["roberta-small"].tokenizer)
    calls += [(renamed, [capital], {})]  # a model of the same name
    for number, (lm, tasks, change) in enumerate(calls):
        steps.clear()
        way(lm, tasks, cache=places["second"] / str(number), **change)
        assert steps, f"{change} of {lm.name} was served what is another's"


def test_those_that_are_missing_are_tuned_beside_those_that_are_there(bert, capital, places, packed):
    tuned = packed(lambda **options: free(bert, [capital], seeds=(0,), **options))
    found = free(bert, [capital], seeds=(1, 0), cache=places["second"])
    assert list(found) == [("P36", 1), ("P36", 0)]
    one, other = found["P36", 0].vectors, tuned["P36", 0].vectors
    assert 0 < (one - other).norm() < packs.MOVED * other.norm()
    assert len(list(places["second"].glob("*.safetensors"))) == 1


def test_what_is_watched_or_has_no_cache_is_tuned(bert, capital, places, packed, steps):
    packed(lambda **options: free(bert, [capital], **options))
    for options in ({}, {"cache": places["second"], "watch": lambda step, prompts: None}):
        steps.clear()
        free(bert, [capital], **options)
        assert len(steps) == SETTINGS.steps


@pytest.mark.parametrize("damage", ["cut", "empty", "another", "numbers", "shapes"])
def test_a_damaged_pack_is_one_line_and_tuned_anew(damage, bert, capital, places, packed, steps):
    tuned = packed(lambda **options: free(bert, [capital], **options))
    (path,) = places["packs"].iterdir()
    tensors, about = packs.load_tensors(path, kind="pack")
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-10])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "another":
        tuned["P36", 0].save(path)
    elif damage == "numbers":
        packs.save_tensors(path, tensors | {"whole": tensors["whole"][:-1]}, about, kind="pack")
    else:
        packs.save_tensors(path, tensors, about | {"shapes": [["a", "b", 3]]}, kind="pack")
    steps.clear()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        again = free(bert, [capital], cache=places["second"])
        free(bert, [capital], cache=places["second"])
    assert len(steps) == SETTINGS.steps
    assert torch.equal(again["P36", 0].vectors, tuned["P36", 0].vectors)
    (line,) = [str(one.message) for one in said]
    assert line.startswith(str(path))
    assert "tuned anew" in line
    assert "\n" not in line


def test_what_took_most_for_its_size_is_packed_and_no_more_than_fits(places, monkeypatch):
    monkeypatch.setenv(packs.WRITE, str(places["aside"]))
    sparse = torch.zeros(5, 2_000)
    sparse[:, 7] = 1
    packs.put_in("long", {f"{n}": torch.ones(5, 200) for n in range(9)}, effort=100)
    packs.put_in("short", {f"{n}": torch.ones(5, 20) for n in range(9)}, effort=100)
    packs.put_in("sparse", {f"{n}": sparse for n in range(9)}, effort=100)
    packs.gather(places["aside"], places["packs"], limit=4_500)
    monkeypatch.setenv(packs.READ, str(places["packs"]))
    assert [len(packs.unpacked(name)) for name in ("sparse", "short", "long")] == [9, 9, 2]
    assert all(torch.equal(one, sparse) for one in packs.unpacked("sparse").values())


def test_a_mixture_of_very_many_words_is_packed_whole(bert):
    """Single shares of tens of thousands of words are next to nothing, and together all that there is."""
    words = tuple(bert.words)
    engine = in_words_module.PromptsInWords([bert], parse("[X] [V] [V] [V] [Y] ."), IN_WORDS, words)
    shares = torch.full((3, len(words)), 5e-5)
    shares[1, 0], shares[2] = 0.0, 0.0
    shares[:2, 1], shares[2, 2] = 1 - shares[:2].sum(dim=1) + 5e-5, 1.0
    prompt = pt.WordPrompt(shares, words, ("m",), "P36", "[X] [V] [V] [V] [Y] .", 0)
    again = engine.again(("P36", 0), engine.packed(prompt))
    assert ((again.shares - shares).abs().sum(dim=1) < 2 * packs.MOVED).all()
    assert engine.packed(prompt)[2].count_nonzero() == 1


def test_where_nothing_was_put_aside_the_packs_stay(bert, capital, places, packed):
    packed(lambda cache: free(bert, [capital], cache=cache))
    there = {path.name: path.read_bytes() for path in places["packs"].iterdir()}
    with pytest.raises(pt.PromptError, match=r"elsewhere: no results were put aside there, and .* stay as they are"):
        packs.gather(places["aside"] / "elsewhere", places["packs"])
    assert {path.name: path.read_bytes() for path in places["packs"].iterdir()} == there


def test_numbers_are_kept_in_eight_bits_where_that_moves_them_little(places, monkeypatch):
    draw = torch.Generator().manual_seed(0)
    even = torch.randn(5, 128, generator=draw) * torch.tensor([1e-6, 1.0, 30.0, 1e6, 0.0])[:, None]
    uneven = even.clone()
    uneven[1, 3] = 100  # beside which the rest would be rounded away
    shares = torch.softmax(torch.randn(5, 3_000, generator=draw) * 3, dim=1)
    results = {"even": even, "uneven": uneven.clamp(-1e4, 1e4), "shares": shares, "nothing": torch.zeros(2, 4)}
    monkeypatch.setenv(packs.WRITE, str(places["aside"]))
    packs.put_in("some", results, effort=1)
    packs.gather(places["aside"], places["packs"])
    monkeypatch.setenv(packs.READ, str(places["packs"]))
    found = packs.unpacked("some")
    for name, one in results.items():
        moved, length = (found[name] - one).norm(dim=1), one.norm(dim=1)
        assert (moved <= (packs.MOVED if name == "even" else 2**-9) * length + 1e-6).all(), name
    (path,) = places["packs"].iterdir()
    tensors, _ = packs.load_tensors(path, kind="pack")
    assert len(tensors["whole"]) == even.numel() + results["nothing"].numel()


def test_a_table_of_other_packs_is_another_table(bert, capital, places, packed, monkeypatch):
    plan = table.Plan((capital,), (0,), 5, SETTINGS, (), "folder")
    cell = table.Cell(bert.name, bert.name, "tuned", "tuned")
    before = table._key(cell, plan)
    packed(lambda **options: free(bert, [capital], **options))
    assert table._key(cell, plan) != before


def test_the_prompts_that_come_with_the_book_are_those_that_it_asks_for(bert, capital, tmp_path, monkeypatch, steps):
    monkeypatch.delenv(packs.READ)
    run = pt.book.profile("pocket")
    assert os.environ[packs.READ] == str(TUNED_BEFORE)
    words = pt.shared_words(*run.load(run.models()).values())
    options = {"seeds": run.seeds, "cache": tmp_path, "progress": False}
    found = pt.tune_many(bert, [capital], settings=run.settings, **options)
    pt.tune_words(bert, capital, words=words, settings=run.written, **options)
    assert steps == []
    assert pt.scoring.accuracy_by_seed(bert, [capital], found).mean() > 0.8


def test_tuning_still_makes_the_prompts_that_come_with_the_book(bert, capital, tmp_path, monkeypatch):
    """If this fails, tuning itself has changed: raise `packs.FORMAT`, and run `make anew`."""
    run, options = pt.book.profile("pocket"), {"progress": False}
    made = pt.tune_many(bert, [capital], settings=run.settings, **options)["P36", 0].vectors
    monkeypatch.setenv(packs.READ, str(TUNED_BEFORE))
    came = pt.tune_many(bert, [capital], settings=run.settings, cache=tmp_path, **options)["P36", 0].vectors
    start = pt.random_prompt(bert, capital).vectors
    assert 0 < (made - came).norm() < 0.35 * (came - start).norm()


def test_the_prompts_that_come_with_the_book_are_small():
    assert 0 < sum(path.stat().st_size for path in TUNED_BEFORE.iterdir()) <= 6_000_000
