import pytest
import torch
from transformers import MistralConfig, MistralForCausalLM

import ptlib as pt
from ptlib.models import beginnings
from ptlib.models.beginnings import begun, goes_on
from ptlib.models.quick import quick_copy
from ptlib.prompts import passes as module
from ptlib.prompts.cloze import concatenate, encode, slot_logits
from ptlib.prompts.passes import passes
from ptlib.prompts.template import parse
from tests.conftest import in_double

TEMPLATES = ["[X] [V] [V] [V] [Y] .", "The [V] city of [X] [V] [V] [Y]", "[V] [V] [V] [X] is [Y]"]
PROMPTS = 3


@pytest.fixture
def quick(lm):
    return quick_copy(lm)


def rows_of(lm, task, template):
    """The same facts behind several prompts, and each row's vectors."""
    cloze = encode(lm, parse(template), task.test[:12])
    vectors = lm.embeddings[torch.randint(len(lm.embeddings), (PROMPTS, 3), generator=torch.Generator().manual_seed(0))]
    return concatenate([cloze] * PROMPTS), vectors.repeat_interleave(len(cloze), dim=0)


@pytest.mark.parametrize("template", TEMPLATES)
def test_passes_say_what_whole_rows_say(quick, capital, template):
    table, vectors = rows_of(quick, capital, template)
    found, told = torch.empty(len(table), quick.vocabulary), 0
    with torch.no_grad():
        for rows, seen in passes(quick, table):
            found[rows] = slot_logits(quick, table[rows], vectors[rows], seen).float()
            told += seen.places
        whole = slot_logits(quick, table, vectors).float()
    assert (told > 0) == (quick.kind == "causal" and not template.startswith("[V]"))
    assert (found - whole).abs().max() < 0.1 * whole.std()
    assert (found - whole).std() < 0.02 * whole.std()


def test_each_row_is_in_one_pass(quick, capital):
    table, _ = rows_of(quick, capital, TEMPLATES[0])
    listed = torch.cat([rows for rows, _ in passes(quick, table)])
    assert listed.sort().values.tolist() == list(range(len(table)))


def test_a_beginning_changes_nothing_in_double_precision(lms, capital):
    """Against the same model without: equal up to the rounding of float64, whatever the rows begin with."""
    lm = in_double(lms["gpt2-small"])
    table, vectors = rows_of(lm, capital, "The [V] city of [X] [V] [V] [Y]")
    vectors = vectors.double()
    seen = begun(lm.model, lm.look_up(table.ids[:, :1]))
    with torch.no_grad():
        torch.testing.assert_close(
            slot_logits(lm, table, vectors, seen), slot_logits(lm, table, vectors), rtol=1e-8, atol=1e-8
        )


def test_a_text_is_read_once_for_all_prompts(lms, capital, monkeypatch):
    lm = quick_copy(lms["gpt2-small"])
    assert goes_on(lm.model)
    read = []
    monkeypatch.setattr(
        module, "begun", lambda model, embedded: (read.append(len(embedded)), begun(model, embedded))[1]
    )
    table, _ = rows_of(lm, capital, TEMPLATES[0])
    list(passes(lm, table))
    assert sum(read) == len(table) // PROMPTS
    read.clear()
    list(passes(lm, encode(lm, parse(TEMPLATES[0]), capital.test[:12])))  # no text twice
    assert not read


def test_what_reads_from_both_sides_or_forgets_its_beginning_reads_rows_whole(lms, bert, monkeypatch):
    assert not goes_on(quick_copy(bert).model)
    assert not goes_on(bert.model)
    lm = quick_copy(pt.LanguageModel("fresh", "causal", lms["gpt2-small"].model, lms["gpt2-small"].tokenizer))
    forgetful = lambda model, embedded: begun(model, embedded * 0)  # noqa: E731
    monkeypatch.setattr(beginnings, "begun", forgetful)
    assert not goes_on(lm.model)


@pytest.mark.parametrize("window", [3, 5, 64])
def test_layers_that_look_back_at_a_few_places_say_the_same(lms, make_task, window):
    """A small Mistral without training, whose layers forget, and texts that are shorter and longer than they see."""
    config = MistralConfig(
        vocab_size=lms["gpt2-small"].vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        sliding_window=window,
        initializer_range=0.2,
    )
    torch.manual_seed(0)
    model = MistralForCausalLM(config).eval().requires_grad_(False)
    lm = quick_copy(pt.LanguageModel("mistral", "causal", model, lms["gpt2-small"].tokenizer))
    facts = [("France", "Paris"), ("the country of France in Europe", "Paris"), ("one two three", "Rome")]
    table, vectors = rows_of(lm, make_task(*facts), TEMPLATES[0])
    found, told = torch.empty(len(table), lm.vocabulary), 0
    with torch.no_grad():
        for rows, seen in passes(lm, table):
            found[rows] = slot_logits(lm, table[rows], vectors[rows], seen).float()
            told += seen.places
        whole = slot_logits(lm, table, vectors).float()
    assert told or not goes_on(lm.model)
    assert (found - whole).abs().max() < 0.1 * whole.std()
