"""PEFT's numbers, exactly, for every kind of tokenizer, in both directions."""

import copy
import json
import warnings
from dataclasses import replace

import pytest
import torch
from peft import PeftModel, PromptTuningConfig, TaskType, get_peft_model
from safetensors.torch import load_file, save_file

import ptlib as pt
from ptlib.prompts.cloze import encode, encode_texts, slot_logits
from ptlib.prompts.template import parse
from ptlib.tasks.task import Example
from tests.prompts.tokenizers_of_all_kinds import KINDS, causal_model

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing.:FutureWarning")  # PEFT's, not ours

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
TEXTS = ("France", " France", "The capital of Japan is", "Label: ", "Japan's\n\ncapital,")
ABOUT, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


@pytest.fixture(params=KINDS)
def lm(request):
    return causal_model(request.param)


@torch.no_grad()
def said_by_peft(model, lm, text):
    """The logits behind a text that is handed to the tokenizer as any user would hand it."""
    return model(**{n: v for n, v in lm.tokenizer(text, return_tensors="pt").items() if n != "token_type_ids"}).logits[
        0
    ]


def said_here(lm, prompt, text):
    return slot_logits(lm, encode_texts(lm, parse(prompt.template), [text]), prompt.on(lm)[None])[0].detach()


def tuned_by_peft(lm, folder, kind=TaskType.CAUSAL_LM, **changes):
    torch.manual_seed(0)
    sizes = {"num_layers": 2, "num_attention_heads": 2, "token_dim": lm.dim, "num_virtual_tokens": 3}
    model = get_peft_model(copy.deepcopy(lm.model), PromptTuningConfig(task_type=kind, **sizes | changes)).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PEFT looks for the base model on the hub
        model.save_pretrained(folder)
    return model


def read_by_peft(lm, folder):
    return PeftModel.from_pretrained(copy.deepcopy(lm.model), folder).eval()


def test_what_peft_tuned_says_the_same_here(lm, tmp_path):
    model = tuned_by_peft(lm, tmp_path)
    prompt = pt.load_adapter(tmp_path, lm)
    assert prompt.template == "[V] [V] [V] [S][X] [Y]"
    for text in TEXTS:
        torch.testing.assert_close(said_here(lm, prompt, text), said_by_peft(model, lm, text)[-1], **CLOSE)


@pytest.mark.parametrize("template", ["The capital of [X] is [Y]", " [X]: [Y]", "Tweet: [X]\nLabel : [Y]"])
def test_what_peft_s_tokenizer_was_given_may_be_said(lm, tmp_path, template):
    model = tuned_by_peft(lm, tmp_path)
    prompt = pt.load_adapter(tmp_path, lm, template=template)
    written = template.replace("[X]", "Japan").removesuffix(" [Y]")
    torch.testing.assert_close(said_here(lm, prompt, "Japan"), said_by_peft(model, lm, written)[-1], **CLOSE)
    again = pt.load_adapter(tmp_path, lm, template=template)
    pt.save_adapter(again, lm, tmp_path / "again")
    torch.testing.assert_close(
        said_by_peft(read_by_peft(lm, tmp_path / "again"), lm, written)[-1], said_here(lm, prompt, "Japan"), **CLOSE
    )


def test_what_stands_first_here_says_the_same_in_peft(lm, tmp_path):
    vectors = torch.randn(2, lm.dim, generator=torch.Generator().manual_seed(3))
    prompt = pt.SoftPrompt(vectors, lm.name, "P36", "[V] [V] [S]The capital of [X] is [Y] .", 0)
    pt.save_adapter(prompt, lm, tmp_path)
    said = said_by_peft(read_by_peft(lm, tmp_path), lm, "The capital of France is")[-1]
    torch.testing.assert_close(said, said_here(lm, prompt, "France"), **CLOSE)


def test_behind_marks_peft_cannot_put_it(lm, tmp_path):
    prompt = pt.SoftPrompt(torch.randn(2, lm.dim), lm.name, "P36", "[V] [V] [X] [Y]", 0)
    if lm.marks[0]:
        with pytest.raises(
            pt.PromptError, match=r"before the <s> of tiny model .* stands behind it; tune one with \[S\]"
        ):
            pt.save_adapter(prompt, lm, tmp_path)
        before = replace(prompt, template="[V] [V] [S][X] [Y]")
        assert not torch.allclose(said_here(lm, prompt, "France"), said_here(lm, before, "France"), **CLOSE)
    else:
        pt.save_adapter(prompt, lm, tmp_path)
        said = said_by_peft(read_by_peft(lm, tmp_path), lm, " France")[-1]
        torch.testing.assert_close(said, said_here(lm, prompt, "France"), **CLOSE)
    with pytest.raises(pt.PromptError):
        pt.save_adapter(replace(prompt, template="[V] [V]: [X] [Y]"), lm, tmp_path)
    with pytest.raises(pt.PromptError, match="PEFT puts a prompt before the text"):
        pt.save_adapter(replace(prompt, template="[V] [S][X] [V] [Y]"), lm, tmp_path)


def test_words_of_every_tokenizer_are_answers(lm):
    assert {"Paris", "Tokyo", "capital"} <= lm.words.keys()
    cloze = encode(lm, parse("The capital of [X] is [Y] ."), [Example("France", "Paris")])
    whole = lm.tokenizer("The capital of France is Paris")["input_ids"]
    assert [*cloze.ids[0].tolist(), cloze.answers.item()] == whole


@pytest.mark.parametrize("family", ["bert-small", "roberta-small", "albert-small"])
def test_masked_models_too(lms, family, tmp_path):
    lm = lms[family]
    model = tuned_by_peft(lm, tmp_path / "peft", TaskType.FEATURE_EXTRACTION)
    prompt = pt.load_adapter(tmp_path / "peft", lm, template="[X], whose capital is [Y].")
    text = f"France, whose capital is {lm.tokenizer.mask_token}."
    slot = 3 + lm.tokenizer(text)["input_ids"].index(lm.tokenizer.mask_token_id)
    ours = said_here(lm, prompt, "France")
    torch.testing.assert_close(ours, said_by_peft(model, lm, text)[slot], rtol=1e-4, atol=1e-4)
    pt.save_adapter(replace(prompt, settings={}), lm, tmp_path / "here")
    again = said_by_peft(read_by_peft(lm, tmp_path / "here"), lm, text)[slot]
    torch.testing.assert_close(ours, again, rtol=1e-4, atol=1e-4)


def changed(folder, **values):
    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    (folder / ABOUT).write_text(json.dumps(about | values), encoding="utf-8")


@pytest.mark.parametrize("kind", [TaskType.SEQ_CLS, TaskType.TOKEN_CLS, TaskType.QUESTION_ANS])
def test_an_adapter_with_a_head_of_its_own_is_refused(bert, tmp_path, kind):
    tuned_by_peft(bert, tmp_path, kind)
    with pytest.raises(pt.PromptError, match=f"its task_type is {kind.value}, which answers by a head of its own"):
        pt.load_adapter(tmp_path, bert)
    changed(tmp_path, task_type="CAUSAL_LM")
    if json.loads((tmp_path / ABOUT).read_text(encoding="utf-8"))["modules_to_save"]:
        with pytest.raises(pt.PromptError, match="goes with trained modules"):
            pt.load_adapter(tmp_path, bert)
        changed(tmp_path, modules_to_save=None)
    save_file(
        load_file(tmp_path / WEIGHTS) | {"base_model.model.score.weight": torch.zeros(2, 128)}, tmp_path / WEIGHTS
    )
    with pytest.raises(pt.PromptError, match=r"holds base_model\.model\.score\.weight beside the prompt"):
        pt.load_adapter(tmp_path, bert)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"num_virtual_tokens": 7}, r"shape \(3, 128\), and its config says 7 vectors \(num_virtual_tokens\)"),
        ({"num_virtual_tokens": None}, "its config says None vectors"),
        ({"token_dim": 64}, r"vectors are 128 wide, and its config says 64 \(token_dim\)"),
        ({"num_transformer_submodules": 2}, "a prompt for encoder and decoder cannot be read"),
        ({"task_type": "SEQ_2_SEQ_LM"}, "a prompt for encoder and decoder cannot be read"),
        ({"num_transformer_submodules": "one"}, "num_transformer_submodules 'one'; 1 is"),
        ({"peft_type": "P_TUNING"}, "an adapter of kind P_TUNING"),
    ],
)
def test_a_config_that_does_not_fit_is_said(gpt2, tmp_path, values, complaint):
    tuned_by_peft(gpt2, tmp_path)
    changed(tmp_path, **values)
    with pytest.raises(pt.PromptError, match=complaint) as caught:
        pt.load_adapter(tmp_path, gpt2)
    assert "\n" not in str(caught.value)
    assert ("encoder" in str(caught.value)) == ("encoder" in complaint)


@pytest.mark.parametrize(
    "content", [b"[1, 2]", b"\xff\xfe{\x00}\x00", b"7", b"[" * 100_000], ids=lambda content: str(content[:9])
)
def test_a_config_that_is_none_is_said(gpt2, tmp_path, content):
    tuned_by_peft(gpt2, tmp_path)
    (tmp_path / ABOUT).write_bytes(content)
    with pytest.raises(pt.PromptError, match=r"adapter_config\.json: cannot be read"):
        pt.load_adapter(tmp_path, gpt2)


@pytest.mark.parametrize("base", ["meta-llama/Llama-3.2-1B", "/home/somebody/gpt2-medium/", r"C:\models\gpt2-medium"])
def test_a_prompt_of_another_model_is_warned_of(gpt2, tmp_path, base):
    tuned_by_peft(gpt2, tmp_path)
    changed(tmp_path, base_model_name_or_path=base)
    with pytest.warns(UserWarning, match="was tuned on .*; to pocket/gpt2-small its vectors may mean nothing"):
        pt.load_adapter(tmp_path, gpt2)


@pytest.mark.parametrize(
    "base",
    [
        "pocket/gpt2-small",
        "somebody/GPT2-small",
        "/home/somebody/gpt2-small/",
        r"C:\models\gpt2-small",
        "/cache/models--pocket--gpt2-small/snapshots/0a1b2c",
        "",
        None,
    ],
)
def test_a_model_s_own_name_is_known_wherever_it_lies(gpt2, tmp_path, base):
    tuned_by_peft(gpt2, tmp_path)
    changed(tmp_path, base_model_name_or_path=base)
    assert pt.load_adapter(tmp_path, gpt2).length == 3


def test_what_is_written_names_no_folder_of_this_machine(gpt2, tmp_path):
    (tmp_path / "my-model").mkdir()
    for name, written in (
        ("pocket/gpt2-small", "pocket/gpt2-small"),
        ("openai-community/gpt2", "openai-community/gpt2"),
        ("gpt2", "gpt2"),
        (str(tmp_path / "my-model"), "my-model"),
        (str(tmp_path / "gone" / "other-model") + "/", "other-model"),
        (f"{tmp_path}/models--org--name/snapshots/0a1b2c", "org/name"),
    ):
        lm = replace(gpt2, name=name)
        pt.save_adapter(pt.SoftPrompt(torch.zeros(1, 128), name, "P36", "[V] [X] [Y]", 0), lm, tmp_path / "out")
        text = (tmp_path / "out" / ABOUT).read_text(encoding="utf-8")
        assert json.loads(text)["base_model_name_or_path"] == written
        assert str(tmp_path) not in text
