"""What holds for every way of tuning: keys, refusals, and no work that nobody asked for."""

from dataclasses import replace

import pytest
import torch

import ptlib as pt
from ptlib.models import quick
from ptlib.models.number_formats import quick_dtype
from ptlib.prompts.template import parse
from ptlib.tuning import engine

SETTINGS, IN_WORDS = pt.Settings(steps=2), pt.WordSettings(steps=2)
TEXT = "name the city"


def free(lm, tasks, seeds=(0,), settings=SETTINGS, **options):
    return pt.tune_many(lm, tasks, seeds=seeds, settings=settings, progress=False, **options)


def toward(lm, tasks, seeds=(0,), settings=SETTINGS, texts=(TEXT,), gammas=(1,), **options):
    return pt.tune_toward(lm, tasks, texts, gammas=gammas, seeds=seeds, settings=settings, progress=False, **options)


def in_words(lm, tasks, seeds=(0,), settings=IN_WORDS, words=("the", "capital", "of"), **options):
    return pt.tune_words(lm, tasks, seeds=seeds, words=words, settings=settings, progress=False, **options)


WAYS = pytest.mark.parametrize("way", [free, toward, in_words])


@pytest.fixture
def asked(monkeypatch):
    """What keys are made of, as a list that grows with each that is asked for."""
    found = []
    monkeypatch.setattr(
        engine,
        "key_of",
        lambda *parts, code, original=engine.key_of: found.append(original(*parts, code=code)) or found[-1],
    )
    return found


@pytest.fixture
def no_fingerprints(monkeypatch):
    def ask(_):
        raise AssertionError("a fingerprint is made")

    for kind, made in ((pt.LanguageModel, property(ask)), (pt.Task, ask)):
        monkeypatch.setattr(kind, "fingerprint", made)


@WAYS
def test_without_a_cache_there_are_no_keys_and_no_fingerprints(way, bert, capital, asked, no_fingerprints):
    assert len(way(bert, [capital])) == 1
    assert asked == []


@WAYS
def test_a_model_is_hashed_and_copied_once(way, bert, tmp_path, monkeypatch):
    lm = pt.LanguageModel(bert.name, bert.kind, bert.model, bert.tokenizer)
    copied, hashed = [], []
    monkeypatch.setattr(quick, "quick_dtype", lambda device: torch.bfloat16)
    monkeypatch.setattr(quick, "_copied", lambda *what, make=quick._copied: copied.append(what) or make(*what))
    state = lm.model.state_dict
    monkeypatch.setattr(lm.model, "state_dict", lambda *what: hashed.append(what) or state(*what))
    tasks = [pt.relation(name) for name in ("P36", "P19")]
    for seeds in ((0, 1), (2,)):
        way(lm, tasks, seeds, cache=tmp_path)
    pt.scoring.accuracy_by_seed(lm, tasks[:1], free(lm, tasks[:1]), quick=True)
    assert len(copied) == len(hashed) == 1


@WAYS
def test_whatever_a_prompt_depends_on_changes_its_key(way, bert, lms, capital, tmp_path, asked, monkeypatch):
    settings = IN_WORDS if way is in_words else SETTINGS
    one = [capital]
    changes = [
        {},
        {"lm": lms["roberta-small"]},
        {"tasks": [replace(capital, train=capital.train[:-1])]},
        {"tasks": [pt.closed(capital)]},
        {"template": "[V] [X] [Y] ."},
        {"seeds": (1,)},
        {"settings": replace(settings, learning_rate=0.1)},
    ]
    begun = [
        pt.SoftPrompt(torch.full((3 if way is toward else 5, bert.dim), x), bert.name, "P36", "", 0) for x in (0.0, 1.0)
    ]
    changes += {
        free: [{"start": {("P36", 0): prompt}} for prompt in begun],
        toward: [{"start": prompt} for prompt in begun]
        + [{"start": "random"}, {"gammas": (2,)}, {"texts": ("the old city",)}],
        in_words: [
            {"words": ("the", "capital")},
            {"lm": [bert, lms["roberta-small"]]},
            {"settings": replace(IN_WORDS, last_temperature=0.2)},
        ],
    }[way]
    for change in changes:
        way(**{"lm": bert, "tasks": one} | change, cache=tmp_path)
    assert len(asked) == len(set(asked)) == len(changes)
    way(bert, one, cache=tmp_path)
    assert asked[-1] == asked[0]


@WAYS
def test_what_cannot_be_told_apart_and_nothing_at_all_are_refused(way, bert, capital):
    with pytest.raises(pt.PromptError, match="task 'P36' stands there twice"):
        way(bert, [capital, pt.closed(capital)])
    with pytest.raises(pt.PromptError, match="seed 1 stands there twice"):
        way(bert, [capital], (0, 1, 1))
    with pytest.raises(pt.PromptError, match="no tasks to tune prompts with; give one at least"):
        way(bert, [])
    with pytest.raises(pt.PromptError, match="no seeds to tune"):
        way(bert, [capital], ())
    with pytest.raises(pt.PromptError, match=r"has no \[V\]|has 0 \[V\]"):
        way(bert, [capital], template="[X] [Y] .")


def test_what_one_way_alone_is_told_is_refused_likewise(bert, capital):
    with pytest.raises(pt.PromptError, match="gamma 1 stands there twice"):
        toward(bert, [capital], gammas=(0, 1, 1))
    with pytest.raises(pt.PromptError, match="no gammas to tune"):
        toward(bert, [capital], gammas=())
    with pytest.raises(pt.PromptError, match="no texts for task P36"):
        toward(bert, [capital], texts=())
    with pytest.raises(pt.PromptError, match="word 'of' stands there twice"):
        in_words(bert, [capital], words=("of", "the", "of"))
    with pytest.raises(pt.PromptError, match="no words to tune"):
        in_words(bert, [capital], words=())
    with pytest.raises(pt.PromptError, match="no model to tune prompts on"):
        in_words([], [capital])


@pytest.mark.parametrize("kind", [pt.Settings, pt.WordSettings])
@pytest.mark.parametrize(
    ("name", "value"),
    [("rows", 0), ("rows", -1), ("steps", -1)]
    + [("learning_rate", rate) for rate in (-0.1, float("nan"), float("inf"), -float("inf"))],
)
def test_settings_that_cannot_be_meant_are_refused(kind, name, value):
    with pytest.raises(pt.PromptError, match=f"settings with {name}={value}: must be") as caught:
        kind(**{name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["first_temperature", "last_temperature"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_temperatures_are_larger_than_nothing(name, value):
    with pytest.raises(pt.PromptError, match=f"settings with {name}={value}: must be a number larger than 0"):
        pt.WordSettings(**{name: value})


@WAYS
def test_no_steps_leave_the_start(way, bert, capital):
    """Which is read out as at the end of a run."""
    (prompt,) = way(bert, [capital], settings=replace(IN_WORDS if way is in_words else SETTINGS, steps=0)).values()
    (small,) = way(
        bert, [capital], settings=replace(IN_WORDS if way is in_words else SETTINGS, learning_rate=0.0)
    ).values()
    for name in ("vectors", "shares"):
        if hasattr(prompt, name):
            assert torch.equal(getattr(prompt, name), getattr(small, name))


def test_numbers_that_grow_beyond_all_bounds_are_refused(bert, capital):
    with pytest.raises(pt.PromptError, match="NaN or infinite"):
        free(bert, [capital], settings=pt.Settings(steps=5, learning_rate=1e30))


@WAYS
def test_a_template_is_read_once(way, bert, capital, monkeypatch):
    read = []
    for room in ("prompts.template", "tuning.toward"):
        monkeypatch.setattr(f"ptlib.{room}.parse", lambda text: read.append(text) or parse(text))
    way(bert, [capital, pt.relation("P19")], (0, 1))
    assert len(read) == 1


def test_the_short_copy_is_what_the_machine_computes_in(bert):
    assert quick.quick_copy(bert).dtype == (quick_dtype(bert.device) or torch.float32)
    assert quick.quick_copy(bert) is quick.quick_copy(bert)
