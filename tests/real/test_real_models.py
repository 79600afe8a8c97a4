"""Real pretrained models, in the folder that `PTLIB_REAL_MODELS` names, on real facts, from the folder `PTLIB_LAMA`."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import ptlib as pt
from ptlib.book.real import measured_again
from ptlib.prompts.cloze import encode_texts, slot_logits
from ptlib.prompts.template import parse
from ptlib.tasks.lama import split_by_subject

WHERE = ("PTLIB_REAL_MODELS", "PTLIB_LAMA")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(set(WHERE) - set(os.environ)), reason=f"needs folders, named by {' and '.join(WHERE)}"),
]
FOLDERS = sorted(path for path in Path(os.environ.get(WHERE[0], os.devnull)).glob("*") if path.is_dir())
RELATIONS = ("P17", "P19", "P27", "P30", "P36", "P37", "P103", "P106", "P127", "P140", "P495", "P1412")
WON = 8  # of them, at least
FACTS = 100
SUBJECTS, WORDS = ("France", "The University of California, Berkeley"), " has its capital in"


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda path: path.name)
def lm(request):
    return pt.load(str(request.param), device="cpu")


@pytest.fixture(scope="module")
def tasks(lm):
    lama = pt.read_lama(os.environ["PTLIB_LAMA"])
    known, _ = pt.in_vocabulary([lama[name] for name in RELATIONS], [lm])
    tasks = [split_by_subject(task) for task in known]
    return [replace(task, test=task.test[:FACTS]) for task in tasks]


@torch.no_grad()
def in_transformers(lm, text):
    """What the model says behind a text, without anything of the library."""
    return lm.model(**lm.tokenizer(text, return_tensors="pt")).logits[0, -1]


@torch.no_grad()
def in_ptlib(lm, template, vectors):
    """The same behind each of the subjects in one padded batch."""
    cloze = encode_texts(lm, parse(template), SUBJECTS)
    return slot_logits(lm, cloze, vectors.expand(len(cloze), -1, -1))


@pytest.mark.parametrize("way", ["in words", "as a prompt"])
def test_logits_are_those_of_transformers(lm, way):
    if lm.kind == "masked":
        pytest.skip("continues no text")
    vectors = lm.embeddings[lm.tokenizer(WORDS, add_special_tokens=False)["input_ids"]]
    if way == "in words":
        found = in_ptlib(lm, f"[X]{WORDS} [Y] .", vectors[:0])
    else:
        found = in_ptlib(lm, f"[X] {'[V] ' * len(vectors)}[Y] .", vectors)
    expected = torch.stack([in_transformers(lm, subject + WORDS) for subject in SUBJECTS])
    assert (found - expected).abs().max() < 1e-4 * expected.std()


def test_tuned_prompts_beat_the_manual_template_on_most_relations(lm, tasks):
    """With the settings that are the default."""
    prompts = pt.tune_many(lm, tasks, progress=False)
    tuned = np.array(pt.accuracy_many(lm, tasks, prompts, quick=True))
    manual = np.array([pt.accuracy(lm, task).value for task in tasks])
    print(lm.name, *(f"{t.name} {m:.2f} {s:.2f}" for t, m, s in zip(tasks, manual, tuned, strict=True)), sep="\n")
    assert (tuned > manual).sum() >= WON
    assert tuned.mean() > manual.mean() + 0.1


def test_what_the_book_keeps_comes_out_again():
    found = measured_again()
    assert not FOLDERS or found
    for row in found:
        assert row["now"] == pytest.approx(row["kept"], abs=0.04), row


@torch.no_grad()
def test_a_prompt_of_word_embeddings_is_described_as_the_words_are(lm):
    if lm.kind == "masked":
        pytest.skip("writes nothing on")
    ids = lm.tokenizer(f"The University of California, Berkeley{WORDS} the", return_tensors="pt")
    vectors = lm.embeddings[lm.tokenizer(WORDS, add_special_tokens=False)["input_ids"]]
    places = " ".join(["[V]"] * len(vectors))
    prompt = pt.SoftPrompt(vectors, lm.name, "made", f"[X] {places} [Y] .", 0)
    text = "The University of California, Berkeley [V] the"
    (answer,) = pt.describe(lm, prompt, text=text, count=1, tokens=5)
    written = lm.model.generate(**ids, do_sample=False, max_new_tokens=5)[0, ids["input_ids"].shape[1] :].tolist()
    print(lm.name, answer)
    assert answer.text == lm.text_of(written)
