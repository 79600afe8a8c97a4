import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

import ptlib as pt
from ptlib.models.checkpoint import WEIGHTS


@pytest.fixture
def checkpoint(tmp_path):
    """A copy of a pocket model that a test may damage."""
    return shutil.copytree(WEIGHTS / "bert-small", tmp_path / "bert")


def change_config(folder, **values):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | values), encoding="utf-8")


def test_models_are_frozen_whole_precision_and_without_dropout(lm):
    assert not lm.model.training
    assert not any(parameter.requires_grad for parameter in lm.model.parameters())
    assert {parameter.dtype for parameter in lm.model.parameters()} == {torch.float32}


def test_a_folder_loads_like_a_pocket_name(bert, checkpoint):
    assert pt.load(str(checkpoint)).fingerprint == bert.fingerprint


def test_fingerprints_tell_models_apart(lms):
    assert len({lm.fingerprint for lm in lms.values()}) == len(lms)


@pytest.mark.parametrize("name", ["pocket/bert-smal", "pocket/bret-small"])
def test_an_unknown_name_is_answered_with_the_nearest(name):
    with pytest.raises(pt.PromptError, match=rf"unknown pocket model '{name}'; did you mean pocket/bert-small"):
        pt.load(name)


def test_a_hub_name_without_network_is_one_clear_line(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(pt.PromptError, match="not on this machine, and the hub gave no answer") as caught:
        pt.load("someone/some-model-that-is-not-cached")
    assert "pocket/bert-small" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_checkpoint_is_refused(tmp_path):
    with pytest.raises(pt.PromptError, match="this folder holds no checkpoint"):
        pt.load(str(tmp_path))


def test_an_architecture_without_a_head_is_refused(checkpoint):
    change_config(checkpoint, architectures=["BertModel"])
    with pytest.raises(pt.PromptError, match="BertModel has no language-model head"):
        pt.load(str(checkpoint))


def test_weights_without_a_head_are_refused(checkpoint):
    file = checkpoint / "model.safetensors"
    kept = {name: value for name, value in load_file(file).items() if not name.startswith("cls.")}
    save_file(kept, file, metadata={"format": "pt"})
    with pytest.raises(pt.PromptError, match=r"no language-model head: cls\..* missing"):
        pt.load(str(checkpoint))


def test_a_masked_model_without_a_mask_token_is_refused(checkpoint):
    file = checkpoint / "tokenizer_config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({k: v for k, v in config.items() if k != "mask_token"}), encoding="utf-8")
    with pytest.raises(pt.PromptError, match="no mask token"):
        pt.load(str(checkpoint))


def test_pickled_weights_are_not_read(checkpoint):
    weights = load_file(checkpoint / "model.safetensors")
    (checkpoint / "model.safetensors").unlink()
    torch.save(weights, checkpoint / "pytorch_model.bin")
    with pytest.raises(pt.PromptError, match="holds no checkpoint that can be read"):
        pt.load(str(checkpoint))


def test_pieces_inside_a_sentence_are_those_of_the_whole_sentence(lm):
    """What is put together from parts must be what the tokenizer makes of the text in one piece."""
    whole = lm.tokenizer("The capital of France is Paris .", add_special_tokens=False)["input_ids"]
    parts = lm.pieces("The capital of", starts_text=True) + lm.pieces("France") + lm.pieces("is Paris .")
    assert parts == whole


def test_word_ids_are_for_whole_words_only(lm):
    assert lm.tokenizer.decode([lm.word_id("Paris")]).strip() == "Paris"
    assert lm.word_id("Kierkegaardian") is None
    assert lm.word_id("New York") is None
    assert lm.word_id("\u2603") is None
