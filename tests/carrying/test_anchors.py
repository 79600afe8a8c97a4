import pytest
import torch

import ptlib as pt


def test_shared_words_are_one_token_inside_a_sentence_in_every_model(lms):
    words = pt.shared_words(*lms.values())
    assert len(words) > 1_500
    for lm in lms.values():
        for word in words[::50]:
            inside = lm.tokenizer(f"a {word} a", add_special_tokens=False)["input_ids"]
            assert inside[1:-1] == [lm.words[word]]


def test_pieces_of_words_are_no_words(lms):
    """A piece such as "##ing" of one tokenizer, or "ing" without a space in another, is not the word "ing"."""
    for lm in lms.values():
        pieces = lm.tokenizer(" Kierkegaard", add_special_tokens=False)["input_ids"]
        assert not set(pieces[1:]) & set(lm.words.values())


def test_the_order_of_models_does_not_matter(lms):
    models = list(lms.values())
    for choice in (pt.Anchors(), pt.Anchors("random", 100, seed=3), pt.Anchors("frequent", 100)):
        assert choice.words(models) == choice.words(models[::-1])


def test_random_anchors_are_decided_by_their_seed(lms):
    models = list(lms.values())
    first, again, other = (pt.Anchors("random", 100, seed=seed).words(models) for seed in (0, 0, 1))
    assert first == again != other
    assert len(set(first)) == 100


def test_frequent_anchors_are_everyday_words(lms):
    frequent = pt.Anchors("frequent", 200).words(list(lms.values()))
    assert {"the", "of", "in"} <= set(frequent)


def test_nearest_anchors_are_those_with_the_largest_cosine():
    cosines = torch.tensor([[0.1, -0.9, 0.5, 0.3], [0.8, 0.7, -0.75, 0.0]])
    assert pt.Anchors("nearest", 2).mask(cosines).tolist() == [[False, False, True, True], [True, True, False, False]]
    absolute = pt.Anchors("nearest absolute", 2).mask(cosines)
    assert absolute.tolist() == [[False, True, True, False], [True, False, True, False]]
    assert pt.Anchors("nearest", 4).mask(cosines) is None


@pytest.mark.parametrize("options", [("nearest", None), ("all", 5), ("random", 0)])
def test_a_choice_that_makes_no_sense_is_refused(options):
    with pytest.raises(pt.PromptError, match="all of them take no count, others a count"):
        pt.Anchors(*options)


def test_models_without_a_common_word_are_named(bert, gpt2):
    nothing = pt.LanguageModel("mute", "causal", gpt2.model, gpt2.tokenizer)
    nothing.__dict__["words"] = {}
    with pytest.raises(pt.PromptError, match="pocket/bert-small, mute: no word is one token in all of them"):
        pt.shared_words(bert, nothing)
