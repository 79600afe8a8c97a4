import copy

import pytest
import torch
from torch import nn

import ptlib as pt
from ptlib.reading.descriptions import FEW_SHOT, FILLER
from ptlib.reading.patching import blocks, patched, run, states_in
from tests.models import families

TEXT, SAID = "The capital of [V] is", "The capital of France and Paris is"
LAST = 2  # blocks of the model
FAMILIES = (
    "GPT-2",
    "OpenAI GPT",
    "Mamba",
    "Gemma 2",
    "Falcon",
    "CTRL",
    "OPT with narrow embeddings",
    "BART, decoder alone",
    "RoBERTa as a decoder",
)


def made(lm, vectors):
    places = " ".join(["[V]"] * len(vectors))
    return pt.SoftPrompt(vectors, lm.name, "made", f"[X] {places} [Y] .", 0)


@pytest.fixture
def france(gpt2):
    """A prompt whose vectors are the embeddings of words."""
    return made(gpt2, gpt2.embed("France and Paris"))


def fillers(lm):
    """A prompt that is what stands in its place without it."""
    return made(lm, lm.embeddings[[lm.pieces(FILLER)[-1]] * 3])


@torch.no_grad()
def likeliest(lm, text, tokens):
    """The likeliest tokens behind a text one by one, and their mean log-probability, by `transformers` alone."""
    ids = lm.tokenizer(text, return_tensors="pt")["input_ids"]
    start = ids.shape[1]
    for _ in range(tokens):
        ids = torch.cat([ids, lm.model(input_ids=ids).logits[:, -1:].argmax(dim=-1)], dim=1)
    chances = lm.model(input_ids=ids).logits[0, start - 1 : -1].log_softmax(dim=-1)
    written = ids[0, start:]
    return written.tolist(), chances.gather(1, written[:, None]).mean().item()


def test_the_embeddings_of_words_are_answered_as_the_words_in_the_text(gpt2, france):
    (answer,) = pt.describe(gpt2, france, text=TEXT, count=1, tokens=6)
    ids = gpt2.tokenizer(SAID, return_tensors="pt")
    with torch.no_grad():
        written = gpt2.model.generate(**ids, do_sample=False, max_new_tokens=6, pad_token_id=0)[0, -6:].tolist()
    found, score = likeliest(gpt2, SAID, 6)
    assert found == written
    assert answer.text == gpt2.text_of(written)
    assert answer.score == pytest.approx(score, abs=1e-4)
    assert (answer.from_layer, answer.to_layer) == (0, 0)


@pytest.mark.parametrize("name", FAMILIES)
def test_whatever_a_family_keeps_of_earlier_tokens_and_calls_its_blocks(name, tmp_path):
    (family,) = (one for one in families.FAMILIES if one.name == name)
    lm = pt.load(families.save(family, tmp_path))
    answers = pt.describe(lm, made(lm, lm.embed("france old city")), text="the capital of [V] is", tokens=4, count=1)
    written, score = likeliest(lm, "the capital of france old city is", 4)
    assert answers[0].text == lm.text_of(written)
    assert answers[0].score == pytest.approx(score, abs=1e-3)
    plain = pt.describe(lm, fillers(lm), text="[V] is", tokens=4)
    for layer in range(1, len(blocks(lm)) + 1):
        there = pt.describe(lm, fillers(lm), text="[V] is", tokens=4, from_layer=layer, to_layer=layer)
        assert [answer.text for answer in there] == [answer.text for answer in plain]


@pytest.mark.parametrize("layer", range(LAST + 1))
def test_hidden_states_in_the_place_that_they_come_from_change_nothing(gpt2, layer):
    """Where nothing stands before the prompt, its run alone and its run in the text are the same."""
    plain = pt.describe(gpt2, fillers(gpt2), text="[V] is")
    same = pt.describe(gpt2, fillers(gpt2), text="[V] is", from_layer=layer, to_layer=layer)
    assert [answer.text for answer in same] == [answer.text for answer in plain]
    assert [answer.score for answer in same] == pytest.approx([answer.score for answer in plain], abs=1e-4)
    assert {(answer.from_layer, answer.to_layer) for answer in same} == {(layer, layer)}


@torch.no_grad()
@pytest.mark.parametrize("layer", range(1, LAST + 1))
def test_hidden_states_of_the_run_itself_change_nothing(gpt2, layer):
    embedded = gpt2.embed(SAID)[None]
    places = torch.tensor([3, 4, 5])
    own = states_in(gpt2, embedded, [layer])[layer][:, places]
    plain = gpt2.model(inputs_embeds=embedded).logits
    with patched(gpt2, layer, places, own):
        assert torch.equal(gpt2.model(inputs_embeds=embedded).logits, plain)
    with patched(gpt2, layer, places, own + 1):
        assert not torch.allclose(gpt2.model(inputs_embeds=embedded).logits, plain)


@torch.no_grad()
@pytest.mark.parametrize("layer", range(1, LAST + 1))
def test_what_is_kept_of_the_first_pass_holds_the_patch(gpt2, france, layer):
    """Scores are those of one pass over the text and all that was written, with the patch in it."""
    (answer,) = pt.describe(gpt2, france, text=TEXT, from_layer=1, to_layer=layer, count=1, tokens=4)
    states = states_in(gpt2, france.on(gpt2)[None], [1])[1]
    before, filler, after = gpt2.pieces("The capital of", starts_text=True), gpt2.pieces(FILLER)[-1], gpt2.pieces("is")
    ids, places = torch.tensor([[*before, *[filler] * 3, *after]]), torch.arange(3) + len(before)
    start = ids.shape[1]
    with patched(gpt2, layer, places, states):
        for _ in range(4):
            logits = run(gpt2, gpt2.look_up(ids)).logits
            ids = torch.cat([ids, logits[:, -1:].argmax(dim=-1)], dim=1)
        chances = gpt2.model(input_ids=ids).logits[0, start - 1 : -1].log_softmax(dim=-1)
    assert answer.text == gpt2.text_of(ids[0, start:].tolist())
    assert answer.score == pytest.approx(chances.gather(1, ids[0, start:, None]).mean().item(), abs=1e-4)


def test_in_another_place_they_change_something_and_leave_the_model_as_it_was(gpt2, france):
    plain = pt.describe(gpt2, france, text="[V] is")
    moved = pt.describe(gpt2, france, text="[V] is", from_layer=2, to_layer=1)
    assert [answer.score for answer in moved] != pytest.approx([answer.score for answer in plain], abs=1e-3)
    assert pt.describe(gpt2, france, text="[V] is") == plain
    assert not any(block._forward_hooks for block in blocks(gpt2))


def test_a_longer_list_that_no_text_goes_through_is_not_the_blocks(gpt2):
    """As a part that looks at pictures is."""
    other = pt.load("pocket/gpt2-small")
    other.model.pictures = nn.ModuleList(nn.Linear(other.dim, other.dim) for _ in range(LAST + 5))
    assert len(blocks(other)) == LAST
    prompt = fillers(other)
    there = pt.describe(other, prompt, text="[V] is", from_layer=LAST, to_layer=LAST)
    assert there == pt.describe(gpt2, fillers(gpt2), text="[V] is", from_layer=LAST, to_layer=LAST)
    with pytest.raises(pt.PromptError, match=f"layer {LAST + 1}: .* has 0, its embeddings, to {LAST}"):
        pt.describe(other, prompt, text="[V] is", from_layer=LAST + 1)


def test_a_block_that_no_text_goes_through_is_not_counted(tmp_path):
    """As those are that a text meets only beside a picture, or that are for words further on."""
    (family,) = (one for one in families.FAMILIES if one.name == "Llama")
    lm = pt.load(families.save(family, tmp_path))
    first, second = lm.model.model.layers
    lm.model.model.layers.append(copy.deepcopy(second))
    assert blocks(lm) == (first, second)


def test_a_list_of_attentions_alone_is_not_the_blocks(tmp_path):
    """What the attention of a block says is not what the block hands on."""
    lm = pt.load(families.save(families.Family("XLM", "xlm", "causal", settings={"causal": True}), tmp_path))
    assert lm.kind == "causal"
    with pytest.raises(pt.PromptError, match="XLMWithLMHeadModel has no list of blocks; use a model of another family"):
        pt.describe(lm, fillers(lm), text="[V] is", from_layer=1)


def test_a_model_that_does_not_run_as_it_is_asked_is_refused_in_one_line(france, monkeypatch):
    def broken(**_given):
        raise ValueError("of another library\nand more")

    other = pt.load("pocket/gpt2-small")
    monkeypatch.setattr(other.model, "forward", broken)
    with pytest.raises(pt.PromptError, match=r"\Apocket/gpt2-small: GPT2LMHeadModel cannot be run [^\n]*\Z"):
        pt.describe(other, france, text=TEXT)


def test_after_an_error_too(gpt2):
    with pytest.raises(RuntimeError), patched(gpt2, 1, torch.tensor([0]), torch.zeros(1, 1, gpt2.dim)):
        gpt2.model(inputs_embeds=torch.zeros(1, 2, gpt2.dim + 1))
    with pytest.raises(RuntimeError):
        states_in(gpt2, torch.zeros(1, 2, gpt2.dim + 1), [1, 2])
    assert not any(block._forward_hooks for block in blocks(gpt2))


def test_there_are_several_answers_best_first(gpt2, france):
    answers = pt.describe(gpt2, france, text=TEXT, count=4, tokens=1)
    chances = [answer.score for answer in answers]
    assert chances == sorted(chances, reverse=True)
    assert len({str(answer) for answer in answers}) == 4
    quiz = dict(pt.fill(gpt2, "The capital of France and Paris is [Y] .", count=4))
    assert {answer.text: answer.score for answer in answers} == pytest.approx(
        {word: torch.tensor(chance).log().item() for word, chance in quiz.items()}, abs=1e-4
    )


def test_of_several_layers_each_pair_is_tried(gpt2, france):
    answers = pt.describe(gpt2, france, text=TEXT, from_layer=(0, 2), to_layer=range(2), count=2, tokens=3)
    assert [answer.score for answer in answers] == sorted((answer.score for answer in answers), reverse=True)
    for taken, put in ((0, 0), (0, 1), (2, 0), (2, 1)):
        alone = pt.describe(gpt2, france, text=TEXT, from_layer=taken, to_layer=put, count=2, tokens=3)
        those = [answer for answer in answers if (answer.from_layer, answer.to_layer) == (taken, put)]
        assert [answer.text for answer in those] == [answer.text for answer in alone]
        assert [answer.score for answer in those] == pytest.approx([answer.score for answer in alone], abs=1e-4)


def test_an_answer_ends_with_its_line(gpt2, france, monkeypatch):
    written, _ = likeliest(gpt2, SAID, 4)
    decode = gpt2.tokenizer.decode
    ended = lambda ids, **options: "\n" if ids == written[2:3] else decode(ids, **options)  # noqa: E731
    monkeypatch.setattr(gpt2.tokenizer, "decode", ended)
    (answer,) = pt.describe(gpt2, france, text=TEXT, count=1, tokens=4)
    assert answer.text == decode(written[:2]).strip()
    assert answer.score == pytest.approx(likeliest(gpt2, SAID, 2)[1], abs=1e-4)


def test_the_text_that_is_the_default_fits_a_prompt_of_usual_length(gpt2, capital):
    (answer,) = pt.describe(gpt2, pt.random_prompt(gpt2, capital), count=1)
    assert answer.text
    assert FEW_SHOT.endswith("[V]:")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text": "What is it?"}, r"has 0 \[V\]; give one"),
        ({"text": "[V] is [V]"}, r"has 2 \[V\]; give one"),
        ({"text": "[V] is" + " Paris" * 55}, "pocket/gpt2-small takes 64 tokens; shorten it"),
        ({"to_layer": 3}, "layer 3: pocket/gpt2-small has 0, its embeddings, to 2"),
        ({"from_layer": (0, -1)}, "layer -1: pocket/gpt2-small has 0"),
        ({"from_layer": ()}, "from_layer: 0 of them say nothing; give at least one"),
        ({"count": 0}, "count: 0 of them say nothing"),
        ({"tokens": 0}, "tokens: 0 of them say nothing"),
    ],
)
def test_what_is_not_there_is_refused(gpt2, france, options, message):
    with pytest.raises(pt.PromptError, match=message):
        pt.describe(gpt2, france, **options)


def test_a_masked_model_is_refused(bert, capital):
    with pytest.raises(pt.PromptError, match="only a causal model can go on writing: pocket/bert-small is masked"):
        pt.describe(bert, pt.random_prompt(bert, capital))


def test_a_prompt_of_another_width_is_refused(gpt2):
    with pytest.raises(pt.PromptError, match=r"a prompt of width 7 .* does not fit pocket/gpt2-small"):
        pt.describe(gpt2, made(gpt2, torch.zeros(3, 7)), text=TEXT)


def test_layers_of_another_width_than_the_embeddings_are_not_mixed_with_these(tmp_path):
    (family,) = (one for one in families.FAMILIES if one.name == "OPT with narrow embeddings")
    lm = pt.load(families.save(family, tmp_path))
    with pytest.raises(pt.PromptError, match=r"layer 0 of .* is 16 wide, the others 32; take 0 alone, or only others"):
        pt.describe(lm, made(lm, lm.embed("france")), text="[V] is", from_layer=0, to_layer=1)


def test_a_model_without_blocks_is_refused(france, monkeypatch):
    other = pt.load("pocket/gpt2-small")
    monkeypatch.setattr(type(other.model), "modules", lambda self: iter(()))
    with pytest.raises(pt.PromptError, match="GPT2LMHeadModel has no list of blocks; use a model of another family"):
        pt.describe(other, france, text=TEXT)
