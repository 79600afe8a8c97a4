import pytest
import torch

import ptlib as pt
from ptlib.models import number_formats as dtypes
from ptlib.models import quick as precision
from ptlib.models.slot import attends_quickly
from ptlib.prompts.cloze import encode, slot_logits
from ptlib.prompts.template import parse
from ptlib.tuning import gradients
from ptlib.tuning.gradients import Gradients

HALVES = [torch.bfloat16, torch.float16]
TEMPLATE = parse("[X] [V] [V] [V] [Y] .")


@pytest.fixture
def with_bfloat16(monkeypatch):
    monkeypatch.setattr(dtypes, "_has_bfloat16", lambda device: True)


def computing_in(monkeypatch, dtype):
    """A machine whose short format is this one."""
    monkeypatch.setattr(precision, "quick_dtype", lambda device: dtype)


@pytest.mark.parametrize(
    ("device", "has_bfloat16", "dtype"),
    [
        ("cuda", True, torch.bfloat16),
        ("cuda", False, torch.float16),  # such as a T4
        ("cpu", True, torch.bfloat16),
        ("cpu", False, None),
        ("mps", False, None),
    ],
)
def test_each_machine_computes_in_the_short_format_that_it_has(monkeypatch, device, has_bfloat16, dtype):
    monkeypatch.setattr(dtypes, "_has_bfloat16", lambda device: has_bfloat16)
    assert dtypes.quick_dtype(torch.device(device)) == dtype


def test_the_model_itself_keeps_its_precision(bert, with_bfloat16):
    copied = precision.quick_copy(bert)
    assert copied.dtype == torch.bfloat16
    assert bert.dtype == torch.float32
    assert bert.model.config._attn_implementation == "sdpa"


def test_a_machine_without_bfloat16_computes_on_the_same_weights_and_says_the_same(lm, make_task, monkeypatch):
    """No number is there twice, and what the copy leaves out changes nothing but the rounding."""
    monkeypatch.setattr(dtypes, "_has_bfloat16", lambda device: False)
    copied = precision.quick_copy(lm)
    assert copied.dtype == torch.float32
    assert attends_quickly(copied.model)
    assert not attends_quickly(lm.model)
    places = {weight.data_ptr() for weight in lm.model.parameters()}
    assert {weight.data_ptr() for weight in copied.model.parameters()} == places
    cloze = encode(lm, TEMPLATE, make_task(("France", "Paris"), ("New Zealand", "Wellington")).train)
    vectors = pt.random_prompt(lm, pt.relation("P36"), length=3).vectors.expand(len(cloze), -1, -1)
    found, expected = (slot_logits(one, cloze, vectors) for one in (copied, lm))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_a_model_in_double_precision_stays_so(exact_bert, with_bfloat16):
    assert precision.quick_copy(exact_bert) is exact_bert


@pytest.mark.parametrize("dtype", HALVES)
def test_gradients_with_fewer_digits_point_the_same_way(lm, monkeypatch, dtype):
    tasks = [pt.relation("P36"), pt.relation("P103")]
    vectors = torch.stack([pt.random_prompt(lm, task, length=3).vectors for task in tasks])

    def gradient(short):
        computing_in(monkeypatch, short)
        gradients = Gradients(lm, [(task, 0) for task in tasks], TEMPLATE, steps=1, rows=8)
        assert gradients.lm.dtype == (short or torch.float32)
        return gradients.at(0, vectors).flatten(start_dim=1)

    assert torch.cosine_similarity(gradient(dtype), gradient(None), dim=1).min() > 0.99


def test_small_gradients_survive_float16_through_the_scale_of_the_loss(lm, make_task, monkeypatch):
    """Of a prompt that has learnt its one example, each of many rows has a gradient near the smallest float16."""
    task = make_task(("France", "Paris"))
    settings = pt.Settings(steps=200, rows=1, learning_rate=0.1, unit="absolute")
    computing_in(monkeypatch, None)
    vectors = pt.tune(lm, task, length=3, settings=settings).vectors[None]

    def gradient(scale):
        monkeypatch.setattr(gradients, "LOSS_SCALE", scale)
        return Gradients(lm, [(task, 0)], TEMPLATE, steps=1, rows=64).at(0, vectors).flatten()

    scale, exact = gradients.LOSS_SCALE, gradient(1.0)
    computing_in(monkeypatch, torch.float16)
    scaled, plain = ((gradient(by) - exact).norm() / exact.norm() for by in (scale, 1.0))
    assert scaled < 0.03
    assert plain > 0.1


def test_the_scale_of_the_loss_leaves_room_for_large_gradients(lm, make_task, monkeypatch):
    """A random prompt and one example at a time have the largest that occur; ten times as large is still a number."""
    task = make_task(("France", "Paris"))
    computing_in(monkeypatch, torch.float16)
    monkeypatch.setattr(gradients, "LOSS_SCALE", 10 * gradients.LOSS_SCALE)
    prompt = pt.random_prompt(lm, task, length=3)
    found = Gradients(lm, [(task, 0)], TEMPLATE, steps=1, rows=1).at(0, prompt.vectors[None])
    assert found.count_nonzero() > 0.99 * found.numel()  # none has overflown, which would leave 0


def test_an_overflow_costs_a_step_and_not_the_prompt(bert, make_task, monkeypatch):
    computing_in(monkeypatch, torch.float16)
    monkeypatch.setattr(gradients, "LOSS_SCALE", 2.0**30)
    prompt = pt.tune(bert, make_task(("France", "Paris")), settings=pt.Settings(steps=2, rows=1))
    assert prompt.vectors.isfinite().all()


@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_prompts_tuned_in_float16_are_as_good(lms, family, monkeypatch):
    lm = lms[f"{family}-small"]
    tasks = [pt.relation("P36"), pt.relation("P103")]
    scores = {}
    for dtype in (None, torch.float16):
        computing_in(monkeypatch, dtype)
        prompts = pt.tune_many(lm, tasks, settings=pt.Settings(steps=30), progress=False)
        scores[dtype] = pt.scoring.accuracy_by_seed(lm, tasks, prompts).mean()
    assert abs(scores[torch.float16] - scores[None]) < 0.1


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_all_is_done_on_a_model_held_in_few_digits_as_well(lms, family, dtype, make_task):
    """Prompts, and all that is reckoned in their space, stay in float32."""
    whole = lms[f"{family}-small"]
    lm = pt.load(f"pocket/{family}-small", device="cpu", dtype=dtype)
    task = make_task(("France", "Paris"), ("Italy", "Rome"))
    settings = pt.Settings(steps=60)
    prompt = pt.tune(lm, task, settings=settings)
    assert prompt.vectors.dtype == torch.float32
    assert pt.accuracy(lm, task, prompt).value == pt.accuracy(whole, task, prompt).value == 1
    again = pt.tune(lm, task, start=prompt, settings=pt.Settings(steps=2))
    toward = pt.tune(lm, task, toward="the capital city", gamma=0.1, settings=settings)
    carried = pt.transfer(prompt, lm, whole, method=pt.ClosedForm())
    in_words = pt.words_on(pt.tune_words([lm, whole], task, settings=pt.WordSettings(steps=5), progress=False), lm)
    for one in (again, toward, carried, *in_words.values()):
        assert one.vectors.dtype == torch.float32
        assert len(pt.accuracy(lm, task, one).hits) == 2
    assert len(pt.project(lm, prompt).words) == 5
    assert pt.models.rotated(lm, torch.eye(lm.dim)).dtype == pt.models.untrained(lm).dtype == dtype


def test_a_turned_model_has_a_quick_copy_too(bert, capital, with_bfloat16):
    rotation = torch.linalg.qr(torch.randn(bert.dim, bert.dim, generator=torch.Generator().manual_seed(0)))[0]
    turned = pt.models.rotated(bert, rotation)
    prompt = pt.random_prompt(turned, capital)
    assert len(pt.tune(turned, capital, start=prompt, settings=pt.Settings(steps=2)).vectors) == 5


def test_quick_scores_are_nearly_those_of_the_model(lm, with_bfloat16):
    tasks = [pt.relation("P36"), pt.relation("P103")]
    prompts = pt.tune_many(lm, tasks, settings=pt.Settings(steps=20), progress=False)
    exact, quick = (pt.scoring.accuracy_by_seed(lm, tasks, prompts, quick=quick) for quick in (False, True))
    assert abs(exact - quick).max() < 0.05


def test_a_copy_on_a_cpu_computes_gelu_itself_and_the_model_does_not(lms, with_bfloat16):
    lm = lms["gpt2-small"]
    copied = precision.quick_copy(pt.LanguageModel(lm.name, lm.kind, lm.model, lm.tokenizer))
    counts = [
        sum(isinstance(part, kind) for part in one.model.modules())
        for one in (lm, copied)
        for kind in (precision.APPROXIMATE, torch.nn.GELU)
    ]
    assert counts == [counts[0], 0, 0, counts[0]]
    assert counts[0] > 0
