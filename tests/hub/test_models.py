"""Models by their hub name, from a stand-in for the hub."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForPreTraining

import ptlib as pt
from tests.hub.conftest import (
    ARCHITECTURES,
    BERT,
    TOKENIZER_FILES,
    WIDTH,
    assert_equal_weights,
    change_json,
    publish,
    refusal,
    save,
    tiny_model,
)

TOKENIZERS = {
    "bert": ("bert-base-cased", {"do_lower_case": False}),
    "roberta": ("roberta-base", {}),
    "gpt2": ("gpt2", {}),
}


@pytest.mark.parametrize("family", ARCHITECTURES)
@pytest.mark.parametrize("owner", ["own/", ""])
def test_a_model_by_name_is_the_published_one(hub, capfd, family, owner):
    model = publish(hub, f"{owner}{family}", family)
    lm = pt.load(f"{owner}{family}", device="cpu")
    assert_equal_weights(lm, model)
    assert lm.kind == ("causal" if family == "gpt2" else "masked")
    assert lm.words == pt.load(f"pocket/{family}-small").words
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("family", TOKENIZERS)
def test_the_usual_tokenizer_files_are_read(hub, make_task, family):
    folder = os.environ.get("PTLIB_TOKENIZERS")
    if folder is None:
        pytest.skip("PTLIB_TOKENIZERS names no folder with the tokenizers of bert-base-cased, roberta-base and gpt2")
    source, settings = TOKENIZERS[family]
    target = shutil.copytree(Path(folder) / source, hub.folder("own/real"), dirs_exist_ok=True)
    change_json(target / "tokenizer_config.json", model_max_length=512, **settings)
    size = {"bert": 28996, "roberta": 50265, "gpt2": 50257}[family]
    model = save(tiny_model(family, size), target)
    lm = pt.load("own/real")
    assert_equal_weights(lm, model)
    assert len(lm.tokenizer) == size
    task = make_task(("France", "Paris"), ("Italy", "Rome"))
    assert len(pt.accuracy(lm, task, pt.random_prompt(lm, task)).hits) == 2


def test_a_model_in_several_files_is_put_together(hub):
    model = publish(hub, BERT, "bert")
    folder = hub.folder(BERT)
    (folder / "model.safetensors").unlink()
    save(model, folder, max_shard_size="200KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 1
    assert_equal_weights(pt.load(BERT), model)
    next(folder.glob("model-00001*")).unlink()
    assert "model-00001-of-" in (message := refusal(BERT))
    assert "is missing" in message


def test_weights_that_the_head_has_no_use_for_are_passed_over(hub, capfd):
    """The checkpoints of BERT hold a second head, and old names."""
    publish(hub, BERT, "bert")
    file = hub.folder(BERT) / "model.safetensors"
    vocabulary = json.loads((hub.folder(BERT) / "config.json").read_text(encoding="utf-8"))["vocab_size"]
    model = BertForPreTraining(BertConfig(**WIDTH, vocab_size=vocabulary))
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    weights = {name: weight.clone() for name, weight in model.state_dict().items() if "decoder" not in name}
    for new, past in old.items():
        weights = {name.replace(new, past): weight for name, weight in weights.items()}
    save_file(weights, file, metadata={"format": "pt"})
    loaded = pt.load(BERT).model.state_dict()
    assert all(torch.equal(loaded[name], model.state_dict()[name]) for name in loaded)
    assert capfd.readouterr() == ("", "")


def test_only_what_is_needed_is_asked_for_and_only_once(hub):
    publish(hub, BERT, "bert")
    for file in ("pytorch_model.bin", "tf_model.h5", "onnx/model.safetensors"):
        (hub.folder(BERT) / file).parent.mkdir(exist_ok=True)
        (hub.folder(BERT) / file).write_bytes(b"large")
    pt.load(BERT)
    fetched = {line.split("/")[-1] for line in hub.log if line.startswith("GET /own")}
    assert fetched == {"config.json", "model.safetensors", *TOKENIZER_FILES}
    hub.log.clear()
    pt.load(BERT)
    assert hub.log == ["GET /api/models/own/bert/revision/main"]


def test_a_changed_model_is_downloaded_anew(hub):
    publish(hub, BERT, "bert")
    before = pt.load(BERT)
    file = hub.folder(BERT) / "model.safetensors"
    twice = {n: w * 2 if "word_embeddings" in n else w for n, w in load_file(file).items()}
    save_file(twice, file, metadata={"format": "pt"})
    assert torch.equal(pt.load(BERT).embeddings, before.embeddings * 2)


@pytest.mark.parametrize("reset", [False, True])
def test_a_download_that_breaks_off_is_taken_up_again(hub, hurried, monkeypatch, reset):
    model = publish(hub, BERT, "bert")
    hub.break_off("model.safetensors", reset=reset)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000)  # what is kept is a multiple of it
    assert_equal_weights(pt.load(BERT), model)
    gets = [line for line in hub.asked_for("model.safetensors") if line.startswith("GET")]
    assert len(gets) == 2
    assert ("bytes=" in gets[1]) != reset  # a connection torn down is begun anew, a closed one resumed


def test_a_download_that_never_gets_through_is_one_line(hub, hurried):
    publish(hub, BERT, "bert")
    hub.break_off("model.safetensors", times=1000)
    assert "the download broke off 3 times" in refusal(BERT)
    hub.cuts.clear()
    assert pt.load(BERT).dim == 32


def test_without_network_and_without_a_download_the_pocket_models_are_named(hub):
    hub.stop()
    message = refusal(BERT)
    assert "not on this machine, and the hub gave no answer" in message
    assert "pocket/bert-small" in message


def test_without_network_a_download_serves(hub, monkeypatch, caplog):
    def wait(seconds):
        raise AssertionError("nothing to wait for")

    model = publish(hub, BERT, "bert")
    pt.load(BERT)
    hub.stop()
    monkeypatch.setattr("time.sleep", wait)
    assert_equal_weights(pt.load(BERT), model)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert_equal_weights(pt.load(BERT), model)
    assert not caplog.records


def test_half_a_download_does_not_serve(hub, hurried):
    publish(hub, BERT, "bert")
    pt.models.parameters_of(BERT)
    hub.stop()
    assert "not on this machine, and the hub gave no answer" in refusal(BERT)


@pytest.mark.parametrize("family", ARCHITECTURES)
def test_prompts_are_tuned_and_scored_on_a_model_from_the_hub(hub, capital, family):
    publish(hub, BERT, family)
    lm = pt.load(BERT)
    start = pt.random_prompt(lm, capital)
    prompt = pt.tune(lm, capital, settings=pt.Settings(steps=5))
    assert prompt.model == BERT
    assert not torch.equal(prompt.vectors, start.vectors)
    assert len(pt.accuracy(lm, capital, prompt).hits) == len(capital.test)
