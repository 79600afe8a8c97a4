"""Round trips with `peft` itself."""

import json
import warnings

import pytest
import torch
from peft import LoraConfig, PeftModel, PromptTuningConfig, TaskType, get_peft_model
from safetensors.torch import load_file
from transformers import GPT2LMHeadModel

import ptlib as pt
from ptlib.models.checkpoint import WEIGHTS

TEXT = " France"

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing.:FutureWarning")  # PEFT's, not ours


@pytest.fixture
def base():
    return GPT2LMHeadModel.from_pretrained(WEIGHTS / "gpt2-small", dtype=torch.float32).eval()


@pytest.fixture
def tuned_by_peft(base, gpt2, tmp_path):
    """An adapter folder with a random prompt, as PEFT saves one, and the logits that PEFT gives with it."""
    torch.manual_seed(0)
    config = PromptTuningConfig(task_type=TaskType.CAUSAL_LM, num_virtual_tokens=4, num_layers=2, token_dim=gpt2.dim)
    model = get_peft_model(base, config).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PEFT looks for the base model on the hub
        model.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter", logits(model, gpt2)


@torch.no_grad()
def logits(model, lm):
    ids = lm.tokenizer(TEXT, return_tensors="pt")["input_ids"]
    return model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0, -1]


def test_a_prompt_of_peft_says_the_same_here(tuned_by_peft, gpt2):
    folder, expected = tuned_by_peft
    prompt = pt.load_adapter(folder, gpt2, task="P36")
    assert (prompt.length, prompt.dim, prompt.task, prompt.model) == (4, gpt2.dim, "P36", gpt2.name)
    ours = pt.fill(gpt2, TEXT.strip(), prompt, count=5)
    probabilities, best = expected.softmax(dim=-1).topk(5)
    assert [word for word, _ in ours] == [gpt2.tokenizer.decode([i]).strip() for i in best.tolist()]
    assert [share for _, share in ours] == pytest.approx(probabilities.tolist(), rel=1e-4)


def test_a_prompt_tuned_here_says_the_same_in_peft(base, gpt2, capital, tmp_path):
    prompt = pt.tune(gpt2, capital, template="[V] [V] [V] [X] [Y]", settings=pt.Settings(steps=20))
    pt.save_adapter(prompt, gpt2, tmp_path / "out")
    said = logits(PeftModel.from_pretrained(base, tmp_path / "out").eval(), gpt2).softmax(dim=-1)
    word, share = pt.fill(gpt2, TEXT.strip(), prompt, count=1)[0]
    assert gpt2.tokenizer.decode([said.argmax().item()]).strip() == word
    assert said.max().item() == pytest.approx(share, rel=1e-4)


def test_there_and_back_again(tuned_by_peft, gpt2, tmp_path):
    folder, _ = tuned_by_peft
    prompt = pt.load_adapter(folder, gpt2)
    pt.save_adapter(prompt, gpt2, tmp_path / "again")
    again = pt.load_adapter(tmp_path / "again", gpt2)
    assert torch.equal(prompt.vectors, again.vectors)
    assert torch.equal(load_file(folder / "adapter_model.safetensors")["prompt_embeddings"], prompt.vectors)
    assert again.settings == prompt.settings


def test_an_adapter_is_carried_to_another_model(gpt2, lms, capital, tmp_path):
    """From end to end, to a model of another width: what arrives is what `transfer` makes of the prompt itself."""
    prompt = pt.tune(gpt2, capital, template="[V] [V] [X] [Y]", settings=pt.Settings(steps=20))
    pt.save_adapter(prompt, gpt2, tmp_path / "from")
    medium = pt.load("pocket/gpt2-medium", device="cpu")
    moved = pt.transfer(pt.load_adapter(tmp_path / "from", gpt2, task="P36"), gpt2, medium)
    pt.save_adapter(moved, medium, tmp_path / "to")
    other = GPT2LMHeadModel.from_pretrained(WEIGHTS / "gpt2-medium", dtype=torch.float32)
    said = logits(PeftModel.from_pretrained(other, tmp_path / "to").eval(), medium)
    word, _ = pt.fill(medium, TEXT.strip(), pt.transfer(prompt, gpt2, medium), count=1)[0]
    assert medium.tokenizer.decode([said.argmax().item()]).strip() == word


def test_what_is_no_such_adapter_is_refused(tuned_by_peft, gpt2, lms, tmp_path):
    folder, _ = tuned_by_peft
    with pytest.raises(pt.PromptError, match="no adapter folder, since it holds no adapter_config"):
        pt.load_adapter(tmp_path, gpt2)
    with pytest.raises(pt.PromptError, match="its vectors are 128 wide, the embeddings of pocket/albert-small 96"):
        pt.load_adapter(folder, lms["albert-small"])
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | {"num_virtual_tokens": 2}))
    with pytest.raises(pt.PromptError, match=r"shape \(4, 128\), and its config says 2 vectors"):
        pt.load_adapter(folder, gpt2)
    (folder / "adapter_config.json").write_text("{")
    with pytest.raises(pt.PromptError, match="cannot be read"):
        pt.load_adapter(folder, gpt2)


def test_a_pickle_is_never_read(tuned_by_peft, gpt2):
    folder, _ = tuned_by_peft
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    with pytest.raises(pt.PromptError, match="its weights are a pickle; save it anew as safetensors"):
        pt.load_adapter(folder, gpt2)


def test_weights_cut_short_are_refused(tuned_by_peft, gpt2):
    folder, _ = tuned_by_peft
    weights = folder / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(pt.PromptError, match="cut short, or without 'prompt_embeddings'"):
        pt.load_adapter(folder, gpt2)


def test_adapters_of_another_kind_are_refused_and_not_overwritten(base, gpt2, capital, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        get_peft_model(base, LoraConfig(target_modules=["c_attn"])).save_pretrained(tmp_path / "lora")
    before = (tmp_path / "lora" / "adapter_model.safetensors").read_bytes()
    with pytest.raises(pt.PromptError, match="an adapter of kind LORA; only PROMPT_TUNING is a soft prompt"):
        pt.load_adapter(tmp_path / "lora", gpt2)
    prompt = pt.random_prompt(gpt2, capital, template="[V] [X] [Y]")
    with pytest.raises(pt.PromptError, match="an adapter of kind LORA"):
        pt.save_adapter(prompt, gpt2, tmp_path / "lora")
    assert (tmp_path / "lora" / "adapter_model.safetensors").read_bytes() == before


def test_prompts_that_peft_would_put_elsewhere_are_refused(gpt2, bert, capital, tmp_path):
    with pytest.raises(pt.PromptError, match="PEFT puts a prompt before the text"):
        pt.save_adapter(pt.random_prompt(gpt2, capital), gpt2, tmp_path)
    with pytest.raises(pt.PromptError, match="is for pocket/gpt2-small, not for pocket/bert-small"):
        pt.save_adapter(pt.random_prompt(gpt2, capital), bert, tmp_path)
