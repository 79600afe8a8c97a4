import pytest
import torch
from safetensors.torch import save_file

import ptlib as pt
from ptlib.prompts.template import parse
from ptlib.tuning import engine
from ptlib.tuning.gradients import Gradients

SETTINGS = pt.WordSettings(steps=60)


@pytest.fixture(scope="module")
def written(lms):
    """Prompts in words for two relations, tuned on BERT with words that all four models know."""
    tasks = [pt.relation("P36"), pt.relation("P103")]
    return pt.tune_words(
        lms["bert-small"], tasks, words=pt.shared_words(*lms.values()), settings=SETTINGS, progress=False
    )


def test_shares_add_up_to_one(written):
    for prompt in written.values():
        torch.testing.assert_close(prompt.shares.sum(dim=1), torch.ones(5))
        assert (prompt.shares >= 0).all()


def test_on_a_model_each_vector_is_the_mixture_of_its_embeddings(written, lm):
    prompt = written["P36", 0]
    expected = sum(
        share * lm.embeddings[lm.words[word]] for word, share in zip(prompt.words, prompt.shares[2], strict=True)
    )
    torch.testing.assert_close(prompt.on(lm).vectors[2], expected, rtol=1e-3, atol=1e-4)
    assert prompt.on(lm).model == lm.name


def test_a_prompt_of_single_words_is_the_words(bert, gpt2):
    words = ("its", "capital", "is")
    prompt = pt.WordPrompt(torch.eye(3), words, ("pocket/bert-small",), "P36", "[X] [V] [V] [V] [Y] .", 0)
    assert str(prompt) == "its capital is"
    for lm in (bert, gpt2):
        assert torch.equal(prompt.on(lm).vectors, lm.embed("its capital is"))


def test_a_sparse_prompt_keeps_the_largest_shares():
    prompt = pt.WordPrompt(torch.tensor([[0.5, 0.1, 0.3, 0.1]]), ("a", "b", "c", "d"), (), "P36", "[X] [V] [Y]", 0)
    torch.testing.assert_close(prompt.sparse(2).shares, torch.tensor([[0.625, 0.0, 0.375, 0.0]]))
    assert torch.equal(prompt.sparse(9).shares, prompt.shares)


def test_a_prompt_of_no_words_is_none():
    prompt = pt.WordPrompt(torch.rand(2, 3), ("a", "b", "c"), ("m",), "t", "[X] [V] [V] [Y] .", 0)
    for count in (0, -1):
        for ask in (prompt.sparse, prompt.top):
            with pytest.raises(pt.PromptError, match=f"count {count}: there are 3"):
                ask(count)


def test_words_that_a_model_does_not_know_are_left_out(bert):
    prompt = pt.WordPrompt(torch.tensor([[0.5, 0.25, 0.25]]), ("Xyzzy", "capital", "city"), (), "P36", "[X] [V] [Y]", 0)
    expected = bert.embed("capital city").mean(dim=0)
    torch.testing.assert_close(prompt.on(bert).vectors[0], expected)
    nothing = pt.WordPrompt(torch.ones(1, 1), ("Xyzzy",), (), "P36", "[X] [V] [Y]", 0)
    with pytest.raises(pt.PromptError, match="pocket/bert-small knows none of the words"):
        nothing.on(bert)


def test_prompts_in_words_do_their_task_and_travel(written, lms):
    """At most 5 % below free prompts at home, and far above the random prompt elsewhere."""
    tasks = [pt.relation("P36"), pt.relation("P103")]
    free = pt.tune_many(lms["bert-small"], tasks, settings=pt.Settings(steps=60), progress=False)
    bert, roberta = lms["bert-small"], lms["roberta-small"]
    at_home = pt.scoring.accuracy_by_seed(bert, tasks, pt.words_on(written, bert)).mean()
    assert at_home > 0.95 * pt.scoring.accuracy_by_seed(bert, tasks, free).mean()
    random = {(task.name, 0): pt.random_prompt(roberta, task) for task in tasks}
    abroad = pt.scoring.accuracy_by_seed(roberta, tasks, pt.words_on(written, roberta)).mean()
    assert abroad > pt.scoring.accuracy_by_seed(roberta, tasks, random).mean() + 0.4


def test_many_at_once_is_each_alone(exact_bert, exact_gpt2):
    """On two models together, in double precision."""
    tasks, few = [pt.relation("P36"), pt.relation("P19")], pt.WordSettings(steps=6)
    models = [exact_bert, exact_gpt2]
    together = pt.tune_words(models, tasks, seeds=(0, 1), settings=few, progress=False)
    alone = pt.tune_words(models, tasks[1], seeds=(1,), settings=few, progress=False)
    torch.testing.assert_close(together["P19", 1].shares, alone["P19", 1].shares, rtol=1e-6, atol=1e-9)


def test_the_slope_is_that_of_the_mean_loss_over_the_models(exact_bert, exact_gpt2, capital):
    """One step with plain gradient descent in mind: against autograd through the mixture of both models."""
    vocabulary = pt.shared_words(exact_bert, exact_gpt2)
    seen = {}

    class Noting(torch.optim.Adam):
        def step(self, closure=None):
            seen["slope"] = self.param_groups[0]["params"][0].grad.clone()
            seen["z"] = self.param_groups[0]["params"][0].detach().clone()
            super().step(closure)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim, "Adam", Noting)
        pt.tune_words([exact_bert, exact_gpt2], capital, settings=pt.WordSettings(steps=1), progress=False)
    z = seen["z"].requires_grad_()
    template = parse("[X] [V] [V] [V] [V] [V] [Y] .")
    for lm in (exact_bert, exact_gpt2):
        side = Gradients(lm, [(capital, 0)], template, steps=1, rows=4)
        vectors = torch.softmax(z, dim=-1) @ pt.models.word_vectors(lm, vocabulary)
        rows = side.table[side.orders[0].flatten()]
        (side._loss(rows, vectors, torch.zeros(4, dtype=torch.long)) / 2).backward()
    torch.testing.assert_close(seen["slope"], z.grad, rtol=1e-6, atol=1e-12)


def test_finished_prompts_are_kept(bert, capital, tmp_path, monkeypatch):
    first = pt.tune_words(bert, capital, settings=SETTINGS, cache=tmp_path, progress=False)
    monkeypatch.setattr(engine, "Descent", None)
    again = pt.tune_words(bert, capital, settings=SETTINGS, cache=tmp_path, progress=False)
    assert torch.equal(first["P36", 0].shares, again["P36", 0].shares)
    assert again["P36", 0].words == first["P36", 0].words
    assert again["P36", 0].models == ("pocket/bert-small",)


def test_damaged_files_are_named(written, tmp_path):
    file = tmp_path / "a.safetensors"
    written["P36", 0].save(file)
    with pytest.raises(pt.PromptError, match="not a soft prompt of ptlib"):
        pt.load_prompt(file)
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(pt.PromptError, match="cut short"):
        pt.load_word_prompt(file)
    save_file({"tensor": torch.ones(1, 1)}, file, metadata={"format": "ptlib word prompt 1", "about": '{"words": []}'})
    with pytest.raises(pt.PromptError, match="description is damaged"):
        pt.load_word_prompt(file)


def test_a_text_is_no_list_of_words_or_texts(bert, capital):
    assert set("city") <= bert.words.keys()
    with pytest.raises(pt.PromptError, match=r"words 'city': a text where a list is wanted; give \['city'\]"):
        pt.tune_words(bert, capital, words="city", settings=SETTINGS, progress=False)
    for texts in ("city", {"P36": "city"}):
        with pytest.raises(pt.PromptError, match="texts 'city': a text where a list is wanted"):
            pt.tune_toward(bert, [capital], texts, gammas=(0,), progress=False)


def test_unknown_words_are_counted(bert, capital):
    with pytest.raises(pt.PromptError, match="2 words are not one token of pocket/bert-small, such as 'Xyzzy'"):
        pt.tune_words(bert, capital, words=("the", "Xyzzy", "Plugh"))
