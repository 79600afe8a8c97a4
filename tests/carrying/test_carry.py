import pytest
import torch

import ptlib as pt

SHORT = pt.GradientSearch(steps=100)
METHODS = [
    pt.ClosedForm(),
    pt.ClosedForm(centre=True),
    pt.ClosedForm(anchors=pt.Anchors("nearest", 400)),
    SHORT,
    pt.LinearMap(),
    pt.Procrustes(),
    pt.Discretise(),
    pt.NeuralProjector(steps=30),
]
SETTINGS = pt.Settings(steps=60)


@pytest.fixture(scope="module")
def prompts(lms):
    """Prompts for two relations on two models."""
    tasks = [pt.relation("P36"), pt.relation("P103")]
    return {
        name: pt.tune_many(lms[name], tasks, seeds=(0, 1), settings=SETTINGS, progress=False)
        for name in ("bert-small", "roberta-small")
    }


@pytest.mark.parametrize("centre", [False, True])
@pytest.mark.parametrize("family", ["bert-small", "gpt2-small"])
def test_a_prompt_carried_into_a_rotated_copy_of_its_model_is_the_rotated_prompt(lms, family, capital, centre):
    lm = lms[family]
    rotation = torch.linalg.qr(torch.randn(lm.dim, lm.dim, generator=torch.Generator().manual_seed(4)))[0]
    target = pt.models.rotated(lm, rotation)
    prompt = pt.tune(lm, capital, settings=SETTINGS)
    moved = pt.transfer(prompt, lm, target, method=pt.ClosedForm(centre=centre))
    torch.testing.assert_close(moved.vectors, prompt.vectors @ rotation, rtol=1e-3, atol=1e-3)
    assert pt.accuracy(target, capital, moved).hits == pt.accuracy(lm, capital, prompt).hits


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.label)
def test_carrying_many_is_carrying_each(lms, prompts, method):
    source, target = lms["bert-small"], lms["albert-small"]
    moved = pt.transfer_many(prompts["bert-small"], source, target, method=method)
    assert moved.keys() == prompts["bert-small"].keys()
    for job, prompt in prompts["bert-small"].items():
        alone = pt.transfer(prompt, source, target, method=method)
        torch.testing.assert_close(moved[job].vectors, alone.vectors, rtol=1e-3, atol=1e-3)
        assert (moved[job].model, moved[job].task, moved[job].seed) == ("pocket/albert-small", *job)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.label)
def test_many_sources_that_are_all_the_same_are_one(lms, prompts, method):
    source, target, prompt = lms["bert-small"], lms["gpt2-small"], prompts["bert-small"]["P36", 0]
    one = pt.transfer(prompt, source, target, method=method)
    three = pt.transfer([prompt] * 3, [source] * 3, target, method=method, weights=[1.0, 2.0, 0.5])
    torch.testing.assert_close(one.vectors, three.vectors, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("combine", ["representations", "losses"])
def test_the_order_of_sources_does_not_matter(lms, prompts, combine):
    names, target = ["bert-small", "roberta-small"], lms["gpt2-small"]
    method = pt.ClosedForm(combine=combine, anchors=pt.Anchors("nearest", 500))
    there = [
        pt.transfer(
            [prompts[n]["P36", 0] for n in order], [lms[n] for n in order], target, method=method, weights=weights
        )
        for order, weights in ((names, [3.0, 1.0]), (names[::-1], [1.0, 3.0]))
    ]
    torch.testing.assert_close(there[0].vectors, there[1].vectors, rtol=1e-4, atol=1e-4)
    equal = pt.transfer([prompts[n]["P36", 0] for n in names], [lms[n] for n in names], target, method=method)
    assert not torch.allclose(equal.vectors, there[0].vectors, atol=1e-2)


def test_lengths_are_carried_in_units_of_typical_words(lms, prompts):
    source, target, prompt = lms["bert-small"], lms["albert-small"], prompts["bert-small"]["P36", 0]
    moved = pt.transfer(prompt, source, target)
    typical = [lm.embeddings.norm(dim=1).median() for lm in (source, target)]
    torch.testing.assert_close(moved.vectors.norm(dim=1) / typical[1], prompt.vectors.norm(dim=1) / typical[0])


def test_transfer_beats_copying(lms, prompts):
    """From BERT to RoBERTa, mean over two relations and two seeds, by more than a broken method could."""
    tasks, bert, roberta = [pt.relation("P36"), pt.relation("P103")], lms["bert-small"], lms["roberta-small"]

    def mean(method):
        moved = pt.transfer_many(prompts["bert-small"], bert, roberta, method=method)
        return pt.scoring.accuracy_by_seed(roberta, tasks, moved).mean()

    assert mean(pt.ClosedForm()) > mean(pt.Copy()) + 0.3


def test_a_result_says_how_it_was_made(lms, prompts, capital):
    source, target, prompt = lms["bert-small"], lms["roberta-small"], prompts["bert-small"]["P36", 0]
    strict = pt.transfer(prompt, source, target)
    assert strict.settings["method"] == "closed form"
    assert strict.settings["selection"] == "none"
    assert strict.settings["sources"] == "pocket/bert-small (1)"
    helped = pt.transfer(prompt, source, target, method=SHORT, dev=capital)
    assert helped.settings["selection"] == "dev"
    assert "'steps': 100" in helped.settings["options"]


def test_the_step_with_the_best_dev_score_is_picked(lms, prompts, capital):
    source, target, prompt = lms["bert-small"], lms["roberta-small"], prompts["bert-small"]["P36", 0]
    helped = pt.transfer(prompt, source, target, method=pt.GradientSearch(steps=400), dev=capital)
    along = pt.carrying.transfer_steps({("P36", 0): prompt}, source, target, method=pt.GradientSearch(steps=400))
    scores = [pt.accuracy(target, capital, found["P36", 0], split="dev").value for _, found in along]
    assert len(scores) == 8
    assert pt.accuracy(target, capital, helped, split="dev").value == max(scores)


def test_a_copy_needs_equal_widths(lms, prompts):
    with pytest.raises(pt.PromptError, match="pocket/bert-small is 128 wide and pocket/albert-small 96"):
        pt.transfer(prompts["bert-small"]["P36", 0], lms["bert-small"], lms["albert-small"], method=pt.Copy())


def test_discretising_gives_words(lms, prompts):
    target = lms["albert-small"]
    moved = pt.transfer(prompts["bert-small"]["P36", 0], lms["bert-small"], target, method=pt.Discretise())
    assert torch.cdist(moved.vectors, target.embeddings).min(dim=1).values.max() < 1e-3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sources": "roberta-small"}, "made for pocket/bert-small, not for pocket/roberta-small; name the sources"),
        ({"weights": [1.0, 2.0]}, "2 weights for 1 sources"),
        ({"weights": [0.0]}, "must add up to a number but 0"),
        ({"weights": [float("nan")]}, "must add up to a number but 0"),
        ({"dev": "P36"}, "closed form has no steps to pick from"),
        ({"twice": True}, "2 prompts and 1 sources"),
    ],
)
def test_what_does_not_fit_is_named(lms, prompts, change, message):
    prompt = prompts["bert-small"]["P36", 0]
    given = [prompt, prompt] if change.pop("twice", False) else prompt
    source = lms[change.pop("sources", "bert-small")]
    if "dev" in change:
        change = {"dev": pt.relation(change["dev"])}
    with pytest.raises(pt.PromptError, match=message):
        pt.transfer(given, source, lms["gpt2-small"], **change)


def test_prompts_for_different_tasks_are_not_combined(lms, prompts):
    pair = [prompts["bert-small"]["P36", 0], prompts["roberta-small"]["P103", 0]]
    with pytest.raises(pt.PromptError, match="different tasks cannot be combined: P103, P36"):
        pt.transfer(pair, [lms["bert-small"], lms["roberta-small"]], lms["gpt2-small"])


def test_unknown_choices_are_named():
    with pytest.raises(pt.PromptError, match="unknown choice 'longer'"):
        pt.ClosedForm(lengths="longer")
    with pytest.raises(pt.PromptError, match="use lengths='carried' with it"):
        pt.ClosedForm(centre=True, lengths="statistics")
    with pytest.raises(pt.PromptError, match="set inside=False"):
        pt.GradientSearch(lengths="carried")
    with pytest.raises(pt.PromptError, match="anchors by 'luck'"):
        pt.Anchors("luck", 3)


def test_prompts_of_any_length_are_carried_each_as_alone(exact_bert, exact_gpt2, capital):
    prompts = pt.tune_toward(
        exact_bert,
        [capital],
        ["red wine", "name the city"],
        gammas=(0, 1),
        settings=pt.Settings(steps=3),
        progress=False,
    )
    moved = pt.transfer_many(prompts, exact_bert, exact_gpt2)
    assert list(moved) == list(prompts)
    for aim, prompt in prompts.items():
        alone = pt.transfer(prompt, exact_bert, exact_gpt2)
        torch.testing.assert_close(moved[aim].vectors, alone.vectors, rtol=1e-6, atol=1e-9)
