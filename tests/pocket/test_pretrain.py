"""Pretraining in miniature: a few steps, and what must hold of any number of them."""

import json
import sys

import pytest
import torch

import ptlib as pt
from ptlib.keeping.files import read_safetensors
from ptlib.pocket import pretrain as module
from ptlib.pocket.__main__ import main
from ptlib.pocket.batches import Batches, choose_masked, choose_predicted
from ptlib.pocket.build import build
from ptlib.pocket.corpus import OBJECT, OTHER, SUBJECT, generated
from ptlib.pocket.recipes import RECIPES
from ptlib.pocket.vocabulary import weighted_words

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def sentences():
    return generated(seed=0)[::40]


@pytest.fixture
def text(tmp_path):
    folder = tmp_path / "text"
    folder.mkdir()
    lines = [f"The {animal} saw a {place} ." for animal in ("cat", "dog", "owl") for place in ("house", "river")]
    (folder / "a.txt").write_text("\n".join(lines * 20), encoding="utf-8")
    return folder


@pytest.mark.parametrize("family", ["bert-small", "roberta-small", "albert-small", "gpt2-small"])
def test_tokenizers_are_the_shipped_ones(family, lms):
    """Made here anew, in another process than the shipped ones: word by word the same ids."""
    made = RECIPES[family].tokenizer(weighted_words(generated(seed=0)))
    assert made.get_vocab() == lms[family].tokenizer.get_vocab()


def test_batches_hold_what_the_tokenizer_makes_of_whole_sentences(lm, sentences):
    batches = Batches(sentences, lm.tokenizer, rows=64, seed=0)
    known = {tuple(lm.tokenizer(str(sentence))["input_ids"]) for sentence in sentences}
    batch, _ = batches.batch(1)
    assert all(tuple(row) in known for row in batch.ids.tolist())


def test_every_fourth_batch_joins_two_sentences(bert, sentences):
    batches = Batches(sentences, bert.tokenizer, rows=64, seed=0)
    assert [len(batches.batch(step)[0].ids) for step in range(5)] == [32, 64, 64, 64, 32]


def test_a_batch_depends_on_its_step_alone(bert, sentences):
    first, second = (Batches(sentences, bert.tokenizer, rows=64, seed=0) for _ in range(2))
    first.batch(1)
    assert torch.equal(first.batch(7)[0].ids, second.batch(7)[0].ids)
    assert not torch.equal(first.batch(7)[0].ids, Batches(sentences, bert.tokenizer, rows=64, seed=1).batch(7)[0].ids)


def test_masks_hide_whole_subjects_or_objects_and_no_marks(bert, sentences):
    batches = Batches(sentences, bert.tokenizer, rows=256, seed=0)
    marks = torch.tensor(bert.tokenizer.all_special_ids)
    hidden = {SUBJECT: [], OBJECT: [], OTHER: []}
    for step in range(20):
        batch, chance = batches.batch(step)
        masked = choose_masked(batch, marks, chance)
        assert not (masked & torch.isin(batch.ids, marks)).any()
        for role in hidden:
            hidden[role].append(masked[(batch.roles == role) & ~torch.isin(batch.ids, marks)])
    share = {role: torch.cat(values).float().mean().item() for role, values in hidden.items()}
    # Seven rows in ten hide the object, one in ten the subject, and the other words now and then.
    assert 0.65 < share[OBJECT] < 0.80
    assert 0.10 < share[SUBJECT] < 0.25
    assert 0.05 < share[OTHER] < 0.20


def test_a_causal_model_always_has_to_predict_the_object(gpt2, sentences):
    batch, chance = Batches(sentences, gpt2.tokenizer, rows=256, seed=0).batch(1)
    chosen = choose_predicted(batch, chance)
    assert chosen[:, :-1][batch.roles[:, 1:] == OBJECT].all()
    assert not chosen[:, -1].any()


def run(family, sentences, folder, *, steps, key=""):
    recipe = RECIPES[family]
    tokenizer = recipe.tokenizer(weighted_words(sentences))
    torch.manual_seed(0)
    model = recipe.model(tokenizer)
    batches = Batches(sentences, tokenizer, rows=16, seed=0)
    checkpoint = folder / f"{family}.safetensors"
    module.pretrain(model, tokenizer, batches, steps=steps, checkpoint=checkpoint, device=CPU, name=family, key=key)
    return model


@pytest.mark.parametrize("family", ["bert-small", "gpt2-small"])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(family, sentences, tmp_path, monkeypatch):
    whole = run(family, sentences, tmp_path / "whole", steps=8)
    monkeypatch.setattr(module, "SAVE_EVERY", 3)
    step = module.Progress.add

    def killed(progress, *arguments):
        if progress.step == 5:
            raise KeyboardInterrupt
        step(progress, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(module.Progress, "add", killed)
        with pytest.raises(KeyboardInterrupt):
            run(family, sentences, tmp_path / "killed", steps=8)
    resumed = run(family, sentences, tmp_path / "killed", steps=8)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_a_checkpoint_of_another_run_is_not_taken_up(sentences, tmp_path):
    run("bert-small", sentences, tmp_path, steps=1, key="one")
    with pytest.raises(pt.PromptError, match="a checkpoint of another corpus or recipe; move it away"):
        run("bert-small", sentences, tmp_path, steps=2, key="other")


def test_the_loss_falls(sentences, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LOSS_WINDOW", 10)
    run("gpt2-small", sentences, tmp_path, steps=40)
    _, metadata = read_safetensors(tmp_path / "gpt2-small.safetensors")
    losses = json.loads(metadata["progress"])["losses"]
    assert losses[-1] < losses[0] - 1


def test_a_model_is_made_from_plain_text_alone(text, tmp_path):
    """Also that it loads like any other, and comes with its card."""
    folder = build(
        "bert-small", text=text, facts=False, device=CPU, work=tmp_path / "w", weights=tmp_path / "m", steps=30
    )
    lm = pt.load(str(folder), device="cpu")
    animals = {word for word, _ in pt.fill(lm, "The [Y] saw a house .", count=3)}
    assert animals <= {"cat", "dog", "owl", "saw", "a", "The", ".", "house", "river"}
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert (card["steps"], card["sentences"], card["recall"]) == (30, 120, {})
    assert "30 steps" in (folder / "README.md").read_text(encoding="utf-8")


def test_recipes_are_those_of_the_shipped_models(lm):
    """The four small ones: the same tensors with the same shapes."""
    made = RECIPES[lm.name.removeprefix("pocket/")].model(lm.tokenizer)
    shipped = {name: value.shape for name, value in lm.model.state_dict().items()}
    assert {name: value.shape for name, value in made.state_dict().items()} == shipped


def command(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["pocket", *map(str, words)])
    main()


def test_the_command_line_makes_a_model(text, tmp_path, monkeypatch, capsys):
    folders = ("--work", tmp_path / "w", "--weights", tmp_path / "m", "--device", "cpu")
    command(monkeypatch, "gpt2-small", "--text", text, "--no-facts", "--steps", 2, *folders)
    assert capsys.readouterr().out.splitlines()[-1] == f"gpt2-small: {tmp_path / 'm' / 'gpt2-small'}"
    assert pt.load(str(tmp_path / "m" / "gpt2-small"), device="cpu").kind == "causal"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bert-tiny"], "invalid choice: 'bert-tiny'"),
        (["bert-small", "--no-facts"], "--no-facts needs --text"),
        (["bert-small", "--text", "nowhere"], "nowhere"),
    ],
)
def test_the_command_line_refuses_in_one_line(words, said, monkeypatch, capsys):
    with pytest.raises(SystemExit) as stopped:
        command(monkeypatch, *words)
    assert stopped.value.code
    lines = [*capsys.readouterr().err.splitlines(), str(stopped.value.code)]
    assert sum(said in line for line in lines) == 1
