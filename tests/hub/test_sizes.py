"""How many numbers a model holds, in which format, and whether they fit."""

import pytest
import torch

import ptlib as pt
from ptlib.models import memory
from tests.hub.conftest import ARCHITECTURES, BERT, assert_equal_weights, change_json, publish, refusal


@pytest.mark.parametrize("family", ARCHITECTURES)
def test_parameters_are_counted_from_the_configuration(hub, family):
    publish(hub, BERT, family)
    count = pt.models.parameters_of(BERT)
    assert {line.split("/")[-1] for line in hub.log if "/resolve/" in line} == {"config.json"}
    assert count == pt.load(BERT).parameters


def test_parameters_of_a_large_model_are_counted_without_making_any(hub, tmp_path):
    """The configuration of gpt2-xl; Radford et al. (2019) round its size to 1,542 million without the positions."""
    change_json(hub.folder(BERT) / "config.json", model_type="gpt2", architectures=["GPT2LMHeadModel"])
    change_json(hub.folder(BERT) / "config.json", n_embd=1600, n_layer=48, n_head=25)
    assert pt.models.parameters_of(BERT) == 1_557_611_200


@pytest.mark.parametrize(
    ("quick", "said"),
    [
        (None, "{whole:,} bytes ({count:,} parameters in float32), and"),
        (torch.bfloat16, "{both:,} bytes ({count:,} parameters in float32, and a bfloat16 copy to tune through), and"),
    ],
)
def test_a_model_that_does_not_fit_is_refused_before_its_weights_are_asked_for(hub, monkeypatch, quick, said):
    publish(hub, BERT, "bert")
    count = pt.models.parameters_of(BERT)
    free = 4 * count - 1
    monkeypatch.setattr(memory, "free_bytes", lambda device: free)
    monkeypatch.setattr(memory, "quick_dtype", lambda device: quick)
    message = refusal(BERT, device="cpu")
    assert said.format(whole=4 * count, both=6 * count, count=count) in message
    assert message.endswith(
        f"and {free:,} are free on cpu; load it with dtype=torch.bfloat16, or on a machine with more memory"
    )
    assert not hub.asked_for("model.safetensors")
    assert pt.load(BERT, device="cpu", dtype=torch.bfloat16).parameters == count


def test_what_does_not_fit_in_any_way_needs_another_machine(hub, monkeypatch):
    publish(hub, BERT, "bert")
    monkeypatch.setattr(memory, "free_bytes", lambda device: 1000)
    assert refusal(BERT, device="cpu").endswith("1,000 are free on cpu; load it on a machine with more memory")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_weights_are_held_as_asked(hub, dtype):
    model = publish(hub, BERT, "bert")
    lm = pt.load(BERT, dtype=dtype)
    assert_equal_weights(lm, model, dtype)
    assert lm.dtype == dtype
    assert lm.embeddings.dtype == torch.float32
    assert len({lm.fingerprint, pt.load(BERT).fingerprint}) == 2


def test_a_format_that_models_are_not_held_in(hub):
    with pytest.raises(pt.PromptError, match=r"dtype torch\.int8: weights are held in float32, bfloat16, float16; use"):
        pt.load(BERT, dtype=torch.int8)
    assert not hub.log


@pytest.mark.parametrize(
    ("free", "said"),
    [
        ({"cpu": 399, "cuda": 10_000}, "400 bytes (100 parameters in float32), and 399 are free on cpu; load it with"),
        (
            {"cpu": 400, "cuda": 599},
            "600 bytes (100 parameters in float32, and a float16 copy to tune through), and 599 are free on cuda; "
            "load it with dtype=torch.float16, or",
        ),
    ],
)
def test_a_gpu_needs_room_for_the_copy_and_the_main_memory_for_reading(monkeypatch, free, said):
    monkeypatch.setattr(memory, "free_bytes", lambda device: free[device.type])
    monkeypatch.setattr(memory, "quick_dtype", lambda device: torch.float16)
    device = torch.device("cuda", 0)
    with pytest.raises(pt.PromptError) as caught:
        memory.require_room(BERT, 100, torch.float32, device)
    assert str(caught.value).startswith(f"own/bert: needs {said}")
    memory.require_room(BERT, 100, torch.float16, device)


def test_what_is_free_is_what_the_machine_says():
    available = memory.psutil.virtual_memory().available
    assert memory.free_bytes(torch.device("cpu")) == pytest.approx(available, rel=0.2)
