"""What is refused of a model on the hub, and how."""

import os
from pathlib import Path

import pytest
import torch

import ptlib as pt
from ptlib.models import hub as module
from tests.hub.conftest import BERT, change_json, publish, refusal


@pytest.mark.parametrize("name", ["own/nothing", "nothing"])
def test_a_name_that_is_not_on_the_hub(hub, name):
    message = refusal(name)
    assert "no such model on the hub" in message
    assert "check the spelling" in message


@pytest.mark.parametrize("up", [True, False])
def test_a_name_that_is_nearly_that_of_a_pocket_model(hub, up):
    """But a hub name may be near too, such as gpt2 or roberta-base."""
    if not up:
        hub.stop()
    assert "or use pocket/bert-small or" in refusal("bert-smal")


def test_a_name_that_cannot_be(hub):
    assert "write OWNER/NAME" in refusal("not/a/folder")
    assert not hub.log


def test_a_gated_model_asks_for_a_login(hub):
    publish(hub, BERT, "bert")
    hub.gated.add(BERT)
    message = refusal(BERT)
    assert f"accept the terms on {os.environ['HF_ENDPOINT']}/own/bert" in message
    assert "`hf auth login`" in message


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("config.json", "config.json is missing"),
        ("model.safetensors", "model.safetensors is missing"),
        ("tokenizer.json", "it has no tokenizer, which is one of tokenizer.json, vocab.txt"),
    ],
)
def test_a_missing_file_is_named(hub, file, said):
    publish(hub, BERT, "bert")
    (hub.folder(BERT) / file).unlink()
    assert f"this repository holds no checkpoint that can be read: {said}" in refusal(BERT)


def test_damaged_files_are_named(hub):
    publish(hub, BERT, "bert")
    folder = hub.folder(BERT)
    (folder / "model.safetensors").write_bytes(b"\x00" * 100)
    assert "no checkpoint that can be read" in refusal(BERT)
    (folder / "config.json").write_text("{", encoding="utf-8")
    assert "config.json is damaged" in refusal(BERT)


def test_weights_of_another_size_are_refused(hub):
    publish(hub, BERT, "bert")
    change_json(hub.folder(BERT) / "config.json", intermediate_size=48)
    assert "in the weights and (48,) by config.json" in refusal(BERT)


class Trace:
    """Leaves a file behind where it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


@pytest.fixture
def trace(tmp_path) -> Path:
    return tmp_path / "trace"


@pytest.mark.parametrize("named_in", [None, "model.safetensors.index.json", "config.json"])
@pytest.mark.parametrize("local", [False, True])
def test_a_pickle_is_not_read(hub, trace, named_in, local):
    publish(hub, BERT, "bert")
    folder = hub.folder(BERT)
    (folder / "model.safetensors").unlink()
    torch.save({"bert": Trace(trace)}, folder / "pytorch_model.bin")
    torch.load(folder / "pytorch_model.bin", weights_only=False)
    assert trace.exists()  # it would have been seen
    trace.unlink()
    if named_in:
        names = {"weight_map": {"bert": "pytorch_model.bin"}, "transformers_weights": "pytorch_model.bin"}
        change_json(folder / named_in, **names)
    message = refusal(str(folder) if local else BERT)
    assert "pytorch_model.bin" in message
    assert "use a checkpoint with safetensors" in message
    assert not trace.exists()
    assert not hub.asked_for("pytorch_model.bin")
    assert not [line for line in hub.log if "discussions" in line or "spaces" in line]  # nobody is asked to convert


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
@pytest.mark.parametrize("local", [False, True])
def test_code_that_comes_with_a_model_is_not_run(hub, trace, monkeypatch, known, file, local):
    def asked(*_):
        raise AssertionError("nobody should be asked")

    monkeypatch.setattr("builtins.input", asked)
    publish(hub, BERT, "bert")
    folder = hub.folder(BERT)
    (folder / "own.py").write_text(f"from pathlib import Path\nPath({str(trace)!r}).touch()\n", encoding="utf-8")
    classes = {"AutoConfig": "own.Own", "AutoModelForMaskedLM": "own.Own", "AutoTokenizer": ["own.Own", "own.Own"]}
    change_json(folder / file, auto_map=classes)
    if not known:
        change_json(folder / file, model_type="own", tokenizer_class="Own")
    assert f"its {file} asks to run code that comes with it" in refusal(str(folder) if local else BERT)
    assert not trace.exists()
    assert not hub.asked_for("own.py")


def broken(monkeypatch, *errors):
    """Instead of the download, errors in turn, and then a folder."""
    left = list(errors)

    def download(*_, **__):
        if left:
            raise left.pop(0)
        return "folder"

    monkeypatch.setattr(module, "snapshot_download", download)


def test_a_disk_that_takes_no_download(monkeypatch):
    broken(monkeypatch, OSError(28, "No space left on device"))
    with pytest.raises(pt.PromptError, match=r"own/bert: cannot be kept on this machine: .*No space left on device"):
        module.fetch(BERT, ["config.json"])


def test_a_download_that_breaks_off_is_tried_again(monkeypatch):
    broken(monkeypatch, *[RuntimeError("client has been closed")] * (module.TRIES - 1))
    assert module.fetch(BERT, ["config.json"]) == Path("folder")
    broken(monkeypatch, *[RuntimeError("client has been closed")] * module.TRIES)
    with pytest.raises(pt.PromptError, match=r"broke off 3 times \(client has been closed\); try again later, or use"):
        module.fetch(BERT, ["config.json"])
