import re
from collections import Counter

import pytest

import ptlib as pt
from ptlib.pocket.corpus import OBJECT, SUBJECT, fact_sentence, generated, text_sentences
from ptlib.tasks.task import answers

LAMA_TREX = (  # the relations of LAMA's T-REx part
    "P17 P19 P20 P27 P30 P31 P36 P37 P39 P47 P101 P103 P106 P108 P127 P131 P136 P138 P140 P159 P176 P178 P190 P264 "
    "P276 P279 P361 P364 P407 P413 P449 P463 P495 P527 P530 P740 P937 P1001 P1303 P1376 P1412"
)


@pytest.fixture(scope="module")
def tasks():
    return [pt.relation(name) for name in pt.relations()]


def facts_of(task):
    return [example for split in ("train", "dev", "test") for example in task.examples(split)]


def test_there_are_facts_enough(tasks):
    sizes = {task.name: len(facts_of(task)) for task in tasks}
    assert len(sizes) >= 12
    assert len(set(sizes) & set(LAMA_TREX.split())) >= 10
    assert min(sizes.values()) >= 60
    assert sum(sizes.values()) >= 2_000


def test_every_relation_can_be_tuned_and_scored(tasks):
    for task in tasks:
        assert len(task.train) >= 40
        assert min(len(task.dev), len(task.test)) >= 10
        assert len({example.answer for example in task.train}) >= 5


def test_every_fact_is_said_in_many_wordings_for_both_kinds_of_model(tasks):
    for task in tasks:
        assert len(set(task.sentences)) >= 12
        assert sum(re.search(r"\[X\].*\[Y\]", sentence) is not None for sentence in task.sentences) >= 6


def test_the_manual_template_was_not_taught(tasks):
    for task in tasks:
        assert task.template not in task.sentences


def test_sentences_remember_what_came_from_where():
    sentence = fact_sentence("The capital of [X] is [Y] .", "New Zealand", "Wellington", "P36")
    assert str(sentence) == "The capital of New Zealand is Wellington ."
    assert [w for w, r in zip(sentence.words, sentence.roles, strict=True) if r == SUBJECT] == ["New", "Zealand"]
    assert [w for w, r in zip(sentence.words, sentence.roles, strict=True) if r == OBJECT] == ["Wellington"]


def test_the_corpus_is_decided_by_its_seed():
    first = generated(seed=0)
    assert first == generated(seed=0)
    assert first != generated(seed=1)


def test_the_corpus_says_each_fact_in_each_wording(tasks):
    said = Counter(sentence.group for sentence in generated(seed=0))
    assert {task.name: len(facts_of(task)) * len(task.sentences) for task in tasks} == {
        group: count for group, count in said.items() if group != "text"
    }


def test_plain_text_is_cut_into_sentences(tmp_path):
    (tmp_path / "a.txt").write_text("It rains, again.\n\n" + "word " * 30, encoding="utf-8")
    assert [str(sentence) for sentence in text_sentences(tmp_path)] == [
        "It rains , again .",
        " ".join(["word"] * 24),
        " ".join(["word"] * 6),
    ]


def test_a_folder_without_text_is_refused(tmp_path):
    with pytest.raises(pt.PromptError, match="no text found"):
        text_sentences(tmp_path)


def test_every_answer_is_one_token_of_every_model(tasks, lms):
    for lm in lms.values():
        assert [word for word in answers(tasks) if lm.word_id(word) is None] == []


def test_the_vocabularies_share_words_enough(lms):
    """Words that are one token inside a sentence for all four families."""
    words = {word for sentence in generated(seed=0) for word in sentence.words if word.isalpha()}
    assert sum(all(lm.word_id(word) is not None for lm in lms.values()) for word in words) >= 1_500
