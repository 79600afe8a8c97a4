from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import ptlib as pt
from ptlib.keeping.files import load_tensors, save_tensor, save_tensors


@pytest.fixture
def prompt(bert, capital):
    return pt.random_prompt(bert, capital, length=3, seed=7)


def test_a_saved_prompt_comes_back_whole(prompt, tmp_path):
    prompt.save(tmp_path / "a.safetensors")
    loaded = pt.load_prompt(tmp_path / "a.safetensors")
    assert torch.equal(loaded.vectors, prompt.vectors)
    about = ("model", "task", "template", "seed", "settings", "length", "dim")
    assert [getattr(loaded, name) for name in about] == [getattr(prompt, name) for name in about]


def test_a_failed_save_leaves_the_old_file(prompt, tmp_path, monkeypatch):
    file = tmp_path / "a.safetensors"
    prompt.save(file)
    before = file.read_bytes()

    def cut_short(path, _):
        path.write_text("half", encoding="utf-8")
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", cut_short)
    with pytest.raises(pt.PromptError, match=r"a.safetensors: cannot be written \(disk full\); make room"):
        prompt.save(file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_truncated_file_is_named(prompt, tmp_path):
    file = tmp_path / "a.safetensors"
    prompt.save(file)
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(pt.PromptError, match=r"a\.safetensors: cut short, or not a safetensors file"):
        pt.load_prompt(file)


def test_another_kind_of_file_is_named(tmp_path):
    (tmp_path / "a.txt").write_text("hello", encoding="utf-8")
    with pytest.raises(pt.PromptError, match=r"a\.txt: cut short, or not a safetensors file"):
        pt.load_prompt(tmp_path / "a.txt")
    save_file({"vectors": torch.zeros(2, 2)}, tmp_path / "b.safetensors")
    with pytest.raises(pt.PromptError, match="not a soft prompt of ptlib"):
        pt.load_prompt(tmp_path / "b.safetensors")
    with pytest.raises(pt.PromptError, match="no such file"):
        pt.load_prompt(tmp_path / "c.safetensors")


def test_a_damaged_description_is_named(prompt, tmp_path):
    file = tmp_path / "a.safetensors"
    prompt.save(file)
    save_file({"tensor": prompt.vectors}, file, metadata={"format": "ptlib soft prompt 1", "about": "{"})
    with pytest.raises(pt.PromptError, match="description is damaged"):
        pt.load_prompt(file)
    save_file({"tensor": prompt.vectors}, file, metadata={"format": "ptlib soft prompt 1", "about": '{"model": "a"}'})
    with pytest.raises(pt.PromptError, match="description is damaged"):
        pt.load_prompt(file)


@pytest.mark.parametrize(("name", "value"), [("template", 3), ("model", None), ("settings", []), ("seed", "0")])
def test_a_description_of_other_types_is_named(prompt, tmp_path, name, value):
    file = tmp_path / "a.safetensors"
    prompt.save(file)
    tensors, about = load_tensors(file, kind="soft prompt")
    save_tensors(file, tensors, about | {name: value}, kind="soft prompt")
    with pytest.raises(pt.PromptError, match=rf"a\.safetensors: .*description is damaged \({name} is "):
        pt.load_prompt(file)


def test_a_prompt_of_another_width_is_refused(prompt, lms, capital):
    with pytest.raises(pt.PromptError, match=r"width 128 .*pocket/albert-small, whose word embeddings are 96 wide"):
        pt.accuracy(lms["albert-small"], capital, prompt)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(bad):
    with pytest.raises(pt.PromptError, match="1 of its numbers are NaN or infinite"):
        pt.SoftPrompt(torch.tensor([[0.0, bad]]), "model", "task", "[X] [V] [Y]", 0)


def test_a_file_whose_numbers_have_another_shape_is_refused(prompt, tmp_path):
    about = {name: getattr(prompt, name) for name in ("model", "task", "template", "seed", "settings")}
    file = tmp_path / "a.safetensors"
    save_tensor(file, torch.zeros(128), about, kind="soft prompt")
    with pytest.raises(pt.PromptError, match=r"a\.safetensors: .* \(128,\), are no rows of vectors"):
        pt.load_prompt(file)
    words = {"words": ["a", "b"], "models": ["m"], "task": "P36", "template": "[X] [V] [Y]", "seed": 0}
    save_tensor(file, torch.full((1, 3), 1 / 3), words, kind="word prompt")
    with pytest.raises(pt.PromptError, match=r"shares \(1, 3\) for 2 words"):
        pt.load_word_prompt(file)


def test_a_prompt_says_where_it_stands_when_it_comes_back(lms, capital, tmp_path):
    """Before the tokenizer's marks or behind them: the template says it, and tuning goes by it."""
    roberta = lms["roberta-small"]
    template = "[V] [V] [S][X], whose capital is [Y]."
    prompt = pt.tune(roberta, capital, template=template, settings=pt.Settings(steps=5))
    prompt.save(tmp_path / "a.safetensors")
    again = pt.load_prompt(tmp_path / "a.safetensors")
    assert again.template == template
    assert pt.accuracy(roberta, capital, again).hits == pt.accuracy(roberta, capital, prompt).hits


def test_a_prompt_does_not_change(prompt):
    with pytest.raises(AttributeError):
        prompt.seed = 8


def test_a_prompt_keeps_its_numbers_when_the_tensor_it_came_from_changes(prompt):
    vectors = torch.zeros(1, 4)
    made = pt.SoftPrompt(vectors, "model", "task", "[X] [V] [Y]", 0)
    vectors += 1
    assert made.vectors.sum() == 0
