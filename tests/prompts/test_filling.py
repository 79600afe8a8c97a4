"""What stands in a template reaches the tokenizer as it stands: ids are held against those of the literal sentence.

The tokenizers of real models are tried where `PTLIB_TOKENIZERS` names their folder, or `PTLIB_REAL_MODELS` that
of models.
"""

import functools
import os
from pathlib import Path

import pytest
from transformers import AutoTokenizer, BertConfig, BertForMaskedLM, GPT2Config, GPT2LMHeadModel

import ptlib as pt
from ptlib.prompts.cloze import encode, encode_texts
from ptlib.prompts.template import parse
from ptlib.tasks.task import Example
from tests.conftest import FAMILIES
from tests.shapes import SHAPES, real_tokenizer

TEXTS = ("France", "New Zealand", "Côte d'Ivoire", "日本", " spaced ", "a\tb\n c", "x [V] [Y] y")
TEMPLATES = (
    "[X], whose capital is [Y].",
    "[X]'s capital is [Y] .",
    'The "capital" of [X]: [Y]',
    "([X]) is in [Y]!",
    "Q: Where is [X]?\n\nA: [Y]\n",
    "un[X]able to find  [Y]",
    "[X]\tis\t\tin [Y]  ",
    " [X]\n [Y]",
    "naïve – [X]… «é» [Y]",
    "It isn't [X]; it's [Y]?!",
    "[X] was born in [Y] .",
)
# What stands before some words, the words, and what stands behind them.
WORDS_IN_SENTENCES = (
    ("[X] ", "has its capital in", " [Y]."),
    ("[X]: ", "the capital", ", [Y]!"),
    ("[X]\n", "The capital of it", "\nis [Y]."),
    ('"[X]" ', "capital", ": [Y] ."),
    ("", "The capital of", " [X], \n\nis [Y] ."),
    ("", "Paris", "\t[X] [Y]"),
)
REAL_MODELS = ("gemma-3-270m", "qwen2.5-coder-0.5b")
SMALL = {"num_hidden_layers": 1, "num_attention_heads": 1}


@functools.cache
def with_real_tokenizer(name):
    """A model that is as good as none, with a tokenizer that is real."""
    where = "PTLIB_TOKENIZERS" if name in SHAPES else "PTLIB_REAL_MODELS"
    if where not in os.environ:
        pytest.skip(f"{where} names no folder")
    if name in ("bert-base-cased", "roberta-base"):
        model = BertForMaskedLM(BertConfig(vocab_size=8, hidden_size=8, **SMALL))
        return pt.LanguageModel(name, "masked", model, real_tokenizer(name))
    model = GPT2LMHeadModel(GPT2Config(vocab_size=8, n_embd=8, n_layer=1, n_head=1, n_positions=512))
    found = real_tokenizer(name) if name in SHAPES else AutoTokenizer.from_pretrained(Path(os.environ[where]) / name)
    return pt.LanguageModel(name, "causal", model, found)


@pytest.fixture(params=[*FAMILIES, *SHAPES, *REAL_MODELS])
def lm(request, lms):
    return lms[request.param] if request.param in FAMILIES else with_real_tokenizer(request.param)


def ids_of(lm, template, text):
    cloze = encode_texts(lm, parse(template), [text])
    assert len(cloze.ids[0]) == cloze.lengths[0]
    return cloze.ids[0].tolist(), cloze


def literal(lm, sentence):
    """The ids of a sentence with `{Y}` for the slot, by the tokenizer alone, and the place that speaks about it."""
    if lm.kind == "masked":
        ids = lm.tokenizer(sentence.replace("{Y}", lm.tokenizer.mask_token))["input_ids"]
        return ids, ids.index(lm.tokenizer.mask_token_id)
    answered = lm.tokenizer(sentence[: sentence.index("{Y}")] + "Paris")["input_ids"]
    if answered[-1] == lm.word_id("Paris"):
        return answered[:-1], len(answered) - 2
    before = sentence[: sentence.index("{Y}")].removesuffix(" ")  # the word is not behind one space
    before = lm.tokenizer(before)["input_ids"]
    return before, len(before) - 1


@pytest.mark.parametrize("template", TEMPLATES)
def test_without_vectors_ids_are_those_of_the_sentence_in_full(lm, template):
    for text in TEXTS:
        ids, cloze = ids_of(lm, template, text)
        expected, slot = literal(lm, template.replace("[Y]", "{Y}").replace("[X]", text))
        assert ids == expected, text
        assert cloze.slot_at.item() == slot


@pytest.mark.parametrize(("before", "words", "behind"), WORDS_IN_SENTENCES)
def test_with_vectors_ids_are_those_of_the_sentence_with_words_in_their_places(lm, before, words, behind):
    pieces = inside(lm, words) if before.endswith(" ") else behind_a_line(lm, words) if before else start(lm, words)
    template = before + " ".join(["[V]"] * len(pieces)) + behind
    for text in ("France", "New Zealand"):
        ids, cloze = ids_of(lm, template, text)
        for place, token in zip(cloze.prompt_at[0].tolist(), pieces, strict=True):
            ids[place] = token
        assert ids == literal(lm, f"{before}{words}{behind}".replace("[X]", text).replace("[Y]", "{Y}"))[0]


def start(lm, words):
    return lm.tokenizer(words, add_special_tokens=False)["input_ids"]


def inside(lm, words):
    return start(lm, f"of {words}")[len(start(lm, "of")) :]


def behind_a_line(lm, words):
    return start(lm, f"of\n{words}")[len(start(lm, "of\n")) :]


@pytest.mark.parametrize("many", ["[V]  [V]   [X]  [V] [Y] .", "[V][V] [X] [V] [Y] .", " [V] [V] [X] [V]  [Y] ."])
def test_beside_vectors_spaces_are_only_layout(lms, many):
    for lm in lms.values():
        assert ids_of(lm, many, "France")[0] == ids_of(lm, "[V] [V] [X] [V] [Y] .", "France")[0]
    assert (
        ids_of(lms["roberta-small"], "[X] [Y] [V] ", "France")[0]
        == ids_of(lms["roberta-small"], "[X] [Y] [V]", "France")[0]
    )


def test_the_slot_is_found_beside_masks_in_the_text(bert):
    ids, cloze = ids_of(bert, "[X], whose capital is [Y].", "The [MASK] of [MASK]")
    masks = [place for place, token in enumerate(ids) if token == bert.tokenizer.mask_token_id]
    assert len(masks) == 3
    assert cloze.slot_at.item() == masks[2]


def test_before_the_sentence_vectors_stand_before_the_marks(lms):
    roberta, gpt2 = lms["roberta-small"], lms["gpt2-small"]
    start, _ = roberta.marks
    ids, cloze = ids_of(roberta, "[V] [V] [S][X] is in [Y].", "France")
    assert ids == [0, 0, *roberta.tokenizer("France is in<mask>.")["input_ids"]]
    assert (start, cloze.prompt_at[0].tolist()) == ([ids[2]], [0, 1])
    assert ids_of(gpt2, "[V] [S][X] [Y]", "France")[0] == [0, *gpt2.tokenizer("France")["input_ids"]]
    assert ids_of(roberta, "[S][X] [Y]", "France")[0] == ids_of(roberta, "[X] [Y]", "France")[0]


def test_texts_that_cannot_be_are_named_by_their_row(lm):
    template = parse("[X] is in [Y] .")
    for text, complaint in (
        ("", r"P1: the text of row 3 \(''\) is empty"),
        (" \n\t", "P1: the text of row 3 .* is empty"),
        ("half \ud83d of one", "P1: the text of row 3 .* holds half a character"),
        ("very " * 600, r"P1: an example takes \d+ tokens, .* at most \d+: row 3 \('very very .*\.\.\.'\); shorten it"),
    ):
        with pytest.raises(pt.PromptError, match=complaint):
            encode_texts(lm, template, ["France", "Peru", text], task="P1")
    with pytest.raises(pt.PromptError, match="P1: has no texts"):
        encode_texts(lm, template, [], task="P1")


@pytest.mark.filterwarnings("ignore:P1")
def test_rows_keep_their_numbers_where_others_are_skipped(bert):
    examples = [Example("France", "Kierkegaardian"), Example("far " * 70, "Paris")]
    with pytest.raises(pt.PromptError, match=r"row 2 \('far far"):
        encode(bert, parse("[X] [Y]"), examples, task="P1")


def test_an_answer_that_would_be_glued_to_a_causal_model_s_text_is_refused(bert, gpt2):
    examples = [Example("France", "Paris")]
    for template in ("[X] ([Y])", "[X]\n[Y]", "[X][Y]", "[V] [X]:[Y]"):
        with pytest.raises(pt.PromptError, match=r"in row 1 \('France'\) the slot is not behind one space"):
            encode(gpt2, parse(template), examples)
        encode(bert, parse(template), examples)
    for template in ("[X] ( [Y])", "[X] [V][Y]", "[X]\n [Y]", "[V] [S][X] [Y]"):
        encode(gpt2, parse(template), examples)
    encode(gpt2, parse("[X][Y]"), [Example("France is in ", "Paris")])


def test_an_answer_is_one_token_of_the_sentence_in_full(lm):
    """Two spaces before a word are one token with some tokenizers, and the word is then another."""
    template, examples = parse("[X] is in  [Y]"), [Example("France", "Paris")]
    in_full = lm.tokenizer("France is in  Paris")["input_ids"]
    if lm.kind == "causal" and in_full[-1] != lm.word_id("Paris"):
        with pytest.raises(pt.PromptError, match="put one before"):
            encode(lm, template, examples)
    else:
        encode(lm, template, examples)


@pytest.mark.parametrize("template", ["[Y] of [X]", "[S] [Y] [X]", "  [Y] [X]"])
def test_a_causal_model_needs_something_before_the_slot(gpt2, template):
    with pytest.raises(pt.PromptError, match=r"is causal, so the text must stand before \[Y\]"):
        encode_texts(gpt2, parse(template), ["France"])


@pytest.mark.parametrize("text", ["[X] is [Y] .", "Paris .", "France [V] [Y] ."])
def test_a_quiz_holds_a_slot_and_nothing_else_to_fill(bert, gpt2, text):
    for lm in (bert, gpt2):
        with pytest.raises(pt.PromptError, match=r"template '.*': (holds|needs)"):
            pt.fill(lm, text)
