"""Every family of models gives the numbers of `transformers` itself, in all that the library does, or is refused."""

import re

import pytest
import torch
from transformers import AutoTokenizer

import ptlib as pt
from book.runner.pages import ROOT
from ptlib.prompts.cloze import encode, encode_texts, slot_logits
from ptlib.prompts.template import parse
from ptlib.tasks.task import Example
from tests.models import families
from tests.models.families import CAPITALS, FAMILIES

RIGHT = [family for family in FAMILIES if not family.refused]
SETTINGS = pt.Settings(steps=12, rows=4)
EXAMPLES = tuple(Example(country, city) for country, city in CAPITALS.items())
TASK = pt.Task("capital", "capital", "the capital of [X] is [Y]", EXAMPLES, EXAMPLES, EXAMPLES)
TEXTS = ("france", "old old old old italy")  # of different lengths, so that one is padded


@pytest.fixture(scope="module")
def anchor(tmp_path_factory) -> pt.LanguageModel:
    """The model that prompts are carried to."""
    return pt.load(families.save(families.Family("Llama", "llama", "causal"), tmp_path_factory.mktemp("llama")))


def on_the_page(family):
    """The line of the API page about a family."""
    if family.refused:
        return f"| {family.name} | | {families.REASONS[family.refused]} |"
    return f"| {family.name} | {family.kind} | right |"


def by_transformers(lm, sentence):
    """Logits at the slot of a sentence, from token ids alone."""
    ids = lm.tokenizer(sentence.replace("[Y]", lm.tokenizer.mask_token or "").strip(), return_tensors="pt").input_ids
    at = (ids[0] == lm.tokenizer.mask_token_id).nonzero().item() if lm.kind == "masked" else -1
    with torch.no_grad():
        return lm.model(input_ids=ids).logits[0, at]


def assert_same(found, expected):
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < 1e-4 * expected.std()


def mean_loss(lm, prompt):
    cloze = encode(lm, parse(prompt.template), EXAMPLES)
    with torch.no_grad():
        logits = slot_logits(lm, cloze, prompt.on(lm).expand(len(cloze), -1, -1))
    return torch.nn.functional.cross_entropy(logits, cloze.answers).item()


def test_there_are_many_families():
    assert len({family.type for family in RIGHT}) >= 50
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


def test_the_page_says_what_is_tried_here_and_with_what_result():
    page = (ROOT / "book" / "api.md").read_text(encoding="utf-8")
    table = page.split("## Which models", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in table.splitlines() if line.startswith("|")][2:]
    assert lines == [on_the_page(family) for family in FAMILIES]


@pytest.mark.parametrize("family", RIGHT, ids=lambda family: family.name)
def test_a_family_is_right(family, tmp_path, anchor):
    lm = pt.load(families.save(family, tmp_path))
    assert lm.kind == family.kind
    in_words(lm)
    as_a_prompt(lm)
    to_the_longest(lm)
    tuned(lm, anchor)


def in_words(lm):
    """Texts beside one another, the shorter one padded, and `fill`."""
    template = "the capital of [X] is [Y]"
    found = slot_logits(lm, encode_texts(lm, parse(template), TEXTS), lm.no_vectors().expand(2, 0, -1))
    expected = torch.stack([by_transformers(lm, template.replace("[X]", text)) for text in TEXTS])
    assert_same(found, expected)
    best = lm.tokenizer.decode([expected[0].argmax().item()]).strip()
    assert pt.fill(lm, "the capital of france is [Y]")[0][0] == best


def as_a_prompt(lm):
    """Words and the vectors that they stand for, before and behind the text."""
    words = ["capital", "city", "of"]
    vectors = pt.models.word_vectors(lm, words)
    for template in ("the [V] [V] [V] [X] is [Y]", "[X] [V] [V] [V] [Y]"):
        written = template.replace("[V] [V] [V]", " ".join(words))
        found = slot_logits(lm, encode_texts(lm, parse(template), TEXTS), vectors.expand(2, -1, -1))
        assert_same(found, torch.stack([by_transformers(lm, written.replace("[X]", text)) for text in TEXTS]))
    spoken = pt.SoftPrompt(vectors, lm.name, TASK.name, "[X] [V] [V] [V] [Y]", 0)
    assert [row[0] for row in pt.project(lm, spoken).words] == words


def to_the_longest(lm):
    """A text that takes all of a model's positions is answered, and rightly; a longer one refused."""
    if lm.longest > 1_000:
        return
    room = lm.longest - sum(map(len, lm.marks)) - (lm.kind == "masked")
    sentence = "old" + " old" * (room - len(lm.pieces("old", starts_text=True)))
    found = slot_logits(lm, encode_texts(lm, parse("[X] [Y]"), [sentence]), lm.no_vectors().expand(1, 0, -1))
    assert_same(found[0], by_transformers(lm, f"{sentence} [Y]"))
    with pytest.raises(pt.PromptError, match=f"at most {lm.longest}"):
        pt.fill(lm, f"{sentence} old [Y]")


def tuned(lm, anchor):
    """A prompt gets better, is carried home and to another model and back, and can be read and scored there."""
    start = pt.random_prompt(lm, TASK, length=3)
    prompt = pt.tune(lm, TASK, length=3, settings=SETTINGS)
    assert mean_loss(lm, prompt) < mean_loss(lm, start)
    home = pt.transfer(prompt, lm, lm)
    assert torch.cosine_similarity(home.vectors, prompt.vectors, dim=1).min() > 0.99
    moved = pt.transfer(prompt, lm, anchor)
    for model, one in ((anchor, moved), (lm, pt.transfer(moved, anchor, lm))):
        assert len(pt.accuracy(model, TASK, one).hits) == len(EXAMPLES)
        assert len(pt.project(model, one).words) == 3


@pytest.mark.parametrize("family", [family for family in FAMILIES if family.refused], ids=lambda family: family.name)
def test_a_family_that_would_not_be_right_is_refused_by_name(family, tmp_path):
    with pytest.raises(pt.PromptError, match=re.escape(family.refused)) as caught:
        pt.load(families.save(family, tmp_path))
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_the_tokenizer_of_these_tests_survives_its_folder(tmp_path):
    masked = families.Family("BERT", "bert", "masked")
    families.tokenizer(masked).save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    assert again("paris is old").input_ids == [0, *again.convert_tokens_to_ids(["paris", "is", "old"]), 2]
