"""What a checkpoint is, is found by running it, and what it cannot do is said in one line."""

import json
import os
import time

import pytest
import torch
from transformers import BertForMaskedLM, BertForPreTraining, BertForSequenceClassification, BertLMHeadModel, BertModel

import ptlib as pt
from ptlib.models import self_check
from ptlib.models.loading import shape_of
from tests.models import families
from tests.models.families import Family

MASKED = Family("BERT", "bert", "masked")
CAUSAL = Family("GPT-2", "gpt2", "causal")


def saved(folder, model, family=MASKED, **config):
    """A checkpoint of a model with some words of its configuration changed or, with None, taken out."""
    model.save_pretrained(folder)
    families.tokenizer(family).save_pretrained(folder)
    said = json.loads((folder / "config.json").read_text(encoding="utf-8")) | config
    said = {name: value for name, value in said.items() if value is not None or name not in config}
    (folder / "config.json").write_text(json.dumps(said), encoding="utf-8")
    return folder


@pytest.fixture
def encoder():
    return families.tiny(MASKED)


def top(lm):
    return pt.fill(lm, "the capital of france is [Y]")


def test_a_folder_may_be_a_path(tmp_path, encoder):
    folder = saved(tmp_path, encoder)
    assert pt.load(folder).name == pt.load(str(folder)).name == str(folder)
    assert pt.models.parameters_of(folder) == pt.load(folder).parameters


def test_a_checkpoint_that_names_no_architecture_is_what_its_family_is(tmp_path, encoder):
    named = top(pt.load(saved(tmp_path / "named", encoder)))
    lm = pt.load(saved(tmp_path / "unnamed", encoder, architectures=None))
    assert lm.kind == "masked"
    assert top(lm) == named
    model = families.tiny(CAUSAL)
    assert pt.load(saved(tmp_path / "causal", model, CAUSAL, architectures=None)).kind == "causal"


def test_a_checkpoint_from_pretraining_has_a_language_model_head(tmp_path, encoder):
    model = BertForPreTraining(encoder.config)
    lm = pt.load(saved(tmp_path, model))
    assert (lm.kind, type(lm.model)) == ("masked", BertForMaskedLM)
    model.eval()
    ids = lm.tokenizer("the capital of france is <mask>", return_tensors="pt").input_ids
    with torch.no_grad():
        expected = model(ids).prediction_logits[0, -2].softmax(dim=-1)
    assert top(lm)[0][1] == pytest.approx(expected.max().item(), rel=1e-4)


def test_an_encoder_loaded_as_a_decoder_is_masked_unless_it_reads_forward(tmp_path, encoder):
    """Its class says causal, and each place sees all of the text."""
    model = BertLMHeadModel(encoder.config)
    assert not model.config.is_decoder
    lm = pt.load(saved(tmp_path / "both", model))
    assert lm.kind == "masked"
    assert pt.load(saved(tmp_path / "forward", model, is_decoder=True)).kind == "causal"


def test_an_encoder_without_a_mask_is_refused(tmp_path, encoder):
    with pytest.raises(pt.PromptError, match="tokenizer has no mask token"):
        pt.load(saved(tmp_path, BertLMHeadModel(encoder.config), CAUSAL, vocab_size=encoder.config.vocab_size))


@pytest.mark.parametrize("architecture", [BertModel, BertForSequenceClassification])
@pytest.mark.parametrize("named", [True, False])
def test_what_has_no_language_model_head_is_refused(tmp_path, encoder, architecture, named):
    folder = saved(tmp_path, architecture(encoder.config), **({} if named else {"architectures": None}))
    with pytest.raises(pt.PromptError, match="no language-model head"):
        pt.load(folder)


def test_an_architecture_of_another_family_is_refused(tmp_path, encoder):
    with pytest.raises(pt.PromptError, match="architecture ViTForImageClassification has no language-model head"):
        pt.load(saved(tmp_path, encoder, architectures=["ViTForImageClassification"]))


@pytest.mark.parametrize("architectures", [["T5ForConditionalGeneration"], None])
def test_a_sequence_to_sequence_model_is_refused_by_name(tmp_path, architectures):
    family = Family("T5", "t5", "translating")
    with pytest.raises(pt.PromptError, match=r"T5\w+ is a sequence-to-sequence model"):
        pt.load(saved(tmp_path, families.tiny(family), family, architectures=architectures))


def test_a_vocabulary_larger_than_the_embeddings_is_refused(tmp_path):
    size = families.tiny(CAUSAL).config.vocab_size
    model = families.tiny(Family("small", "gpt2", "causal", "", {"vocab_size": size - 3}))
    with pytest.raises(pt.PromptError, match=rf"token {size - 1}, and the model embeddings for {size - 3} tokens"):
        pt.load(saved(tmp_path, model, CAUSAL))


def test_a_tokenizer_that_does_not_fit_is_one_line(tmp_path):
    """`transformers` reads any vocabulary beside a Qwen2 as pieces of bytes, and this one then knows no word."""
    qwen = Family("Qwen2", "qwen2", "causal")
    with pytest.raises(pt.PromptError, match="makes no token of the text 'a'"):
        pt.load(saved(tmp_path, families.tiny(qwen), MASKED))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"num_attention_heads": 5}, "holds no checkpoint that can be read"),
        ({"hidden_size": "wide"}, "holds no checkpoint that can be read"),
        ({"hidden_act": "no such"}, "holds no checkpoint that can be read"),
        ({"model_type": "no such"}, "holds no checkpoint that can be read"),
        ({"hidden_size": 64}, "use a checkpoint whose files belong together"),
        ({"hidden_size": -32}, "holds no checkpoint that can be read"),
        ({"hidden_size": 32.5}, "holds no checkpoint that can be read"),
        ({"hidden_size": 10**9}, "needs .* bytes"),
        ({"hidden_size": float("nan")}, "holds no checkpoint that can be read"),
        ({"vocab_size": -3}, "holds no checkpoint that can be read"),
        ({"vocab_size": "many"}, "holds no checkpoint that can be read"),
        ({"vocab_size": 10**12}, "needs .* bytes"),
        ({"num_hidden_layers": 10**7}, "says num_hidden_layers 10,000,000, and no model has so many"),
        ({"num_hidden_layers": "2"}, "holds no checkpoint that can be read"),
        ({"num_hidden_layers": 0}, "no finite gradient reaches a prompt"),
        ({"num_attention_heads": 0}, "holds no checkpoint that can be read"),
        ({"max_position_embeddings": -5}, "holds no checkpoint that can be read"),
        ({"max_position_embeddings": 10**12}, "needs .* bytes"),
        ({"intermediate_size": 10**11}, "needs .* bytes"),
        ({"model_type": "gpt2"}, "has no language-model head"),
        ({"model_type": ["bert"]}, "holds no checkpoint that can be read"),
        ({"architectures": 7}, "architectures 7, which are no list of names"),
        ({"architectures": "BertForMaskedLM"}, "architectures BertForMaskedLM, which are no list of names"),
        ({"architectures": [["BertForMaskedLM"]]}, "which are no list of names"),
        ({"dtype": "no such"}, "holds no checkpoint that can be read"),
        ({"quantization_config": 7}, "holds no checkpoint that can be read"),
        ({"transformers_weights": "../../model.safetensors"}, "holds no checkpoint that can be read"),
    ],
)
def test_a_configuration_that_is_wrong_is_one_line_in_seconds(tmp_path, encoder, change, complaint):
    refused(saved(tmp_path, encoder, **change), complaint)


def refused(name, complaint):
    """Within 5 seconds, of this process alone."""
    since = time.process_time()
    with pytest.raises(pt.PromptError, match=complaint) as caught:
        pt.load(name)
    assert time.process_time() - since < 5
    assert "\n" not in str(caught.value)


NESTED = '{"a":' * 50_000 + "1" + "}" * 50_000


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json", "tokenizer.json"])
@pytest.mark.parametrize("content", [NESTED, "[]", "null", "7", "{", "", "\0" * 50], ids=lambda text: repr(text[:6]))
def test_a_file_that_is_no_description_is_one_line(tmp_path, encoder, file, content):
    folder = saved(tmp_path, encoder)
    (folder / file).write_text(content, encoding="utf-8")
    refused(folder, "holds no checkpoint that can be read")


def test_a_length_that_is_no_number_is_one_line(tmp_path, encoder):
    folder = saved(tmp_path, encoder)
    (folder / "tokenizer_config.json").write_text('{"model_max_length": "x", "mask_token": "<mask>"}', encoding="utf-8")
    refused(folder, "holds no checkpoint that can be read")


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_named_pipe_is_not_waited_for(tmp_path, encoder, file):
    folder = saved(tmp_path, encoder)
    (folder / file).unlink()
    os.mkfifo(folder / file)
    refused(folder, file if file != "tokenizer.json" else "it has no tokenizer")


@pytest.mark.parametrize("name", ["", " ", ".", "\n", "own/a\0b"])
def test_what_is_no_name_is_not_taken_for_the_current_folder(tmp_path, encoder, name, monkeypatch):
    monkeypatch.chdir(saved(tmp_path, encoder))
    refused(name, "names no model")


def test_a_very_long_name_is_one_line():
    refused("a" * 5_000, "no such folder")


def test_the_check_can_be_left_out(tmp_path):
    family = next(family for family in families.FAMILIES if family.name == "ConvBERT")
    folder = families.save(family, tmp_path)
    assert pt.load(folder, check=False).kind == "masked"
    with pytest.raises(pt.PromptError, match="ConvBertForMaskedLM cannot be used here"):
        pt.load(folder)


def broken(lm, change):
    """The model with its forward pass changed behind the library's back."""
    lm.model.register_forward_pre_hook(change, with_kwargs=True)
    return lm


def scaled_embeddings(_module, positional, named):
    if "inputs_embeds" in named:
        named["inputs_embeds"] = named["inputs_embeds"] * 2
    return positional, named


def deaf_to_the_mask(_module, positional, named):
    return positional, {name: value for name, value in named.items() if name != "attention_mask"}


def cut_off(_module, positional, named):
    if "inputs_embeds" in named:
        named["inputs_embeds"] = named["inputs_embeds"].detach()
    return positional, named


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (scaled_embeddings, "words as tokens: the logits differ from those of `transformers` by"),
        (deaf_to_the_mask, "a text padded beside a longer one: the logits differ"),
        (cut_off, "cannot be run|no finite gradient reaches a prompt in float32"),
    ],
)
def test_the_check_says_what_is_wrong(tmp_path, encoder, change, complaint):
    lm = broken(pt.load(saved(tmp_path, encoder)), change)
    with pytest.raises(pt.PromptError, match=complaint):
        self_check.require_agreement(lm)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("family", [CAUSAL, MASKED], ids=["causal", "masked"])
def test_the_check_lets_rounding_pass(tmp_path, family, dtype):
    assert pt.load(families.save(family, tmp_path), dtype=dtype).kind == family.kind


def test_the_shape_is_known_without_the_weights(tmp_path, encoder):
    folder = saved(tmp_path, encoder)
    (folder / "model.safetensors").unlink()
    assert shape_of(folder)[1] == encoder.num_parameters()


def test_a_tokenizer_that_is_written_in_python_is_refused(tmp_path):
    folder = saved(tmp_path / "model", families.tiny(CAUSAL), CAUSAL)
    for path in folder.glob("tokenizer*"):
        path.unlink()
    (folder / "vocab.json").write_text(json.dumps({"<unk>": 0, "a</w>": 1}), encoding="utf-8")
    (folder / "merges.txt").write_text("#version\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "CTRLTokenizer"}), encoding="utf-8")
    with pytest.raises(pt.PromptError, match="its tokenizer, a CTRLTokenizer, is none of the `tokenizers` library"):
        pt.load(folder)
