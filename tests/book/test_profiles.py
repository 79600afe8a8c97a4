import tomllib
from dataclasses import replace

import pytest

import ptlib as pt
from book.runner.run import REAL
from ptlib.book import profiles

KNOWN = tomllib.loads(profiles.FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["smoke", "pocket"])
def test_the_shipped_profiles_name_models_that_come_with_the_book(name):
    run = pt.book.profile(name)
    assert set(run.models().values()) <= set(pt.models.pocket_models())
    assert [run.first(family) for family in run.families] == list(run.models(sizes=1))
    assert (run.smoke, run.real, run.paper) == (name == "smoke", False, False)


def test_the_pocket_profile_has_every_pocket_model_from_small_to_large():
    run = pt.book.profile("pocket")
    assert set(run.models().values()) == set(pt.models.pocket_models())
    sizes = [lm.parameters for lm in run.load(run.models("bert")).values()]
    assert sizes == sorted(sizes)
    assert len(sizes) == 3


def test_the_paper_profile_has_the_papers_settings():
    run = pt.book.profile("paper", seed=7)
    assert run.seeds == range(7, 10)
    assert run.settings == pt.Settings(steps=600, rows=16, learning_rate=0.003, unit="absolute")
    assert run.models("bert") == {
        "bert-base": "google-bert/bert-base-cased",
        "bert-large": "google-bert/bert-large-cased",
    }


@pytest.mark.parametrize("name", ["smoke", "pocket", "real", "paper"])
def test_a_pull_is_mild_if_there_is_none_below_it_and_a_stronger_one_above(name):
    run = pt.book.profile(name)
    assert list(run.gammas) == sorted(set(run.gammas))
    assert run.gammas[0] == 0
    assert run.gammas[0] < run.mild < run.gammas[-1]
    assert run.mild in run.gammas


def test_the_real_profile_has_the_smallest_of_the_papers_models_and_what_it_measures_is_in_their_units():
    run, paper = pt.book.profile("real"), pt.book.profile("paper")
    assert run.models() == paper.models(sizes=1)
    assert (run.settings.unit, run.real, run.paper, run.smoke) == ("model", True, False, False)


def test_models_are_taken_from_folders_where_they_are_at_hand(tmp_path, monkeypatch):
    (tmp_path / "gpt2").mkdir()
    (tmp_path / "bert-base").write_text("not a folder", encoding="utf-8")
    monkeypatch.setenv("PTLIB_REAL_MODELS", str(tmp_path))
    assert pt.book.profile("real").models("bert", "gpt2") == {
        "bert-base": "google-bert/bert-base-cased",
        "gpt2": str(tmp_path / "gpt2"),
    }
    monkeypatch.setenv("PTLIB_REAL_MODELS", "")
    assert pt.book.profile("real").models("gpt2") == {"gpt2": "openai-community/gpt2"}


def test_the_models_of_the_book_are_not_taken_from_there(tmp_path, monkeypatch):
    """Some are called as real ones are."""
    for label in pt.book.profile("pocket").models():
        (tmp_path / label).mkdir()
    monkeypatch.setenv("PTLIB_REAL_MODELS", str(tmp_path))
    assert set(pt.book.profile("pocket").models().values()) == set(pt.models.pocket_models())
    monkeypatch.setenv("PTLIB_REAL_MODELS", str(tmp_path / "nowhere"))
    assert pt.book.profile("smoke").first("gpt2") == "gpt2-small"


def test_the_folder_of_models_may_be_near_or_in_the_home_folder(tmp_path, monkeypatch):
    (tmp_path / "models" / "gpt2").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for named in ("models", "./models", "~/models", str(tmp_path / "models")):
        monkeypatch.setenv("PTLIB_REAL_MODELS", named)
        assert pt.book.profile("real").models("gpt2") == {"gpt2": str(tmp_path / "models" / "gpt2")}


def test_what_is_no_folder_of_models_is_refused(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    for named in ("file", "nowhere", "file/below", "a" * 300):
        monkeypatch.setenv("PTLIB_REAL_MODELS", str(tmp_path / named))
        with pytest.raises(pt.PromptError, match=r"\A[^\n]+\Z"):
            pt.book.profile("real")


def test_facts_that_are_not_there_are_named(lms, tmp_path, monkeypatch):
    models, run = list(lms.values()), pt.book.profile("real")
    capital = pt.relation("P36")
    foreign = tuple(pt.tasks.Example(fact.text, f"{fact.answer}ovia") for fact in capital.train)
    lama = {"P36": capital, "P17": pt.relation("P17"), "P19": replace(pt.relation("P19"), train=foreign)}
    monkeypatch.setattr("ptlib.book.profiles._lama", lambda source: lama)
    monkeypatch.setenv("PTLIB_LAMA", "facts")
    assert [task.name for task in run.tasks(models, ["P17"])] == ["P17"]
    assert [task.name for task in run.tasks(models, ["P36", "P17", "P19"])] == ["P36", "P17"]
    with pytest.raises(pt.PromptError, match="facts: does not hold P106, P103; give LAMA as a whole"):
        run.tasks(models, ["P36", "P106", "P103"])
    for names in (["P19"], ["P17", "P19"]):
        with pytest.raises(pt.PromptError, match=r"facts: too few facts of P19 are answered in a word .* pocket/"):
            run.tasks(models, names)
    lama["P36"] = replace(capital, train=foreign)
    with pytest.raises(pt.PromptError, match="facts: too few facts of P36, P19 are answered"):
        run.tasks(models)
    del lama["P36"]
    with pytest.raises(pt.PromptError, match="facts: does not hold P36"):
        run.tasks(models)


def test_facts_come_from_the_hub_where_the_variable_is_empty(lms, monkeypatch):
    asked = []
    lama = {name: pt.relation(name) for name in ("P36", "P17")}
    monkeypatch.setattr("ptlib.book.profiles._lama", lambda source: asked.append(source) or lama)
    monkeypatch.setenv("PTLIB_LAMA", "")
    pt.book.profile("real").tasks(list(lms.values()))
    assert asked == [None]


def test_the_runner_knows_which_profiles_have_real_models():
    assert [name for name in KNOWN if pt.book.profile(name).real] == list(REAL)


def test_an_experiment_can_be_shortened(lms):
    run = pt.book.profile("pocket", shorter={"relations": 2, "seeds": 3, "steps": 3})
    assert (run.seeds, run.settings.steps, run.written.steps) == (range(3), 3, 3)
    assert [task.name for task in run.tasks(list(lms.values()), ["P36", "P30", "P103"])] == ["P36", "P30"]
    assert len(pt.book.profile("pocket").tasks(list(lms.values()))) == len(pt.relations())


def test_real_models_are_asked_for_facts_that_every_one_can_answer(lms, monkeypatch):
    """On LAMA's form of the shipped facts, with one answer that is not a word of any model."""
    capital = pt.relation("P36")
    strange = pt.tasks.Example("Atlantis", "Poseidonopolis")
    lama = {
        "P17": pt.relation("P17"),
        "P36": pt.Task("P36", "capital of", "[X] [Y] .", (*capital.train, strange), capital.dev, capital.test),
        "P47": pt.Task("P47", "shares border with", "[X] [Y] .", (), (), capital.test),
        "P47000": pt.Task("P47000", "unknown here", "[X] [Y] .", capital.train, capital.dev, capital.test),
    }
    monkeypatch.setattr("ptlib.book.profiles._lama", lambda source: lama)
    for name in REAL:
        found = pt.book.profile(name).tasks(list(lms.values()))
        assert [task.name for task in found] == ["P36", "P17", "P47000"]
        assert found[0].train == capital.train
        assert found[0].definition == capital.definition
    assert pt.book.profile("paper").tasks(list(lms.values()))[0].test == capital.test
    few = replace(pt.book.profile("real", shorter={"relations": 2}), facts=3).tasks(list(lms.values()))
    assert [task.name for task in few] == ["P36", "P17"]
    assert (few[0].dev, few[0].test) == (capital.dev[:3], capital.test[:3])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "huge"}, "unknown profile 'huge'; there are smoke, pocket, real, paper"),
        ({"name": "pocket", "shorter": {"models": 1}}, "cannot shorten 'models'; there are relations, seeds, steps"),
        ({"name": "pocket", "shorter": {"seeds": 1}}, "shortened to 1 seeds; give at least 2"),
    ],
)
def test_what_is_not_there_is_refused(arguments, message):
    with pytest.raises(pt.PromptError, match=message):
        pt.book.profile(**arguments)


def test_a_fifth_family_comes_behind_the_four(tmp_path, monkeypatch):
    file = tmp_path / "profiles.toml"
    known = profiles.FILE.read_text(encoding="utf-8")
    file.write_text(known + '\n[paper.models.opt]\nopt-small = "facebook/opt-125m"\n', encoding="utf-8")
    monkeypatch.setattr(profiles, "FILE", file)
    assert list(pt.book.profile("paper").families) == ["bert", "roberta", "albert", "gpt2", "opt"]
    assert pt.book.profile("paper").models("opt") == {"opt-small": "facebook/opt-125m"}
