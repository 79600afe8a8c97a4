"""Methods that a reader writes: no base class, no data class; refused in one line where they are none."""

from dataclasses import dataclass

import pytest
import torch

import ptlib as pt


class Plain:
    """The first of the shared words, for every vector."""

    label = "plain"

    def __init__(self, size=1.0):
        self.size = size

    def __call__(self, sources, target):
        word = pt.models.word_vectors(target, pt.shared_words(sources[0].lm, target)[:1])
        return self.size * word.expand(*sources[0].vectors.shape[:-1], target.dim)


class Slotted(Plain):
    __slots__ = ("more",)
    label = "slotted"

    def __init__(self):
        super().__init__()
        self.more = 3


@dataclass
class Changeable(Plain):
    label = "changeable"
    size: float = 1.0


class Named(Plain):
    @property
    def label(self):
        return f"of size {self.size}"


def by_function(sources, target):
    return Plain()(sources, target)


by_function.label = "a function"


class Approach(Plain):
    """Grows, and is largest at its last step."""

    label = "approach"

    def __call__(self, sources, target):
        *_, (_, last) = self.candidates(sources, target)
        return last

    def candidates(self, sources, target, *, every=50):
        for step in (every, 2 * every, 3 * every):
            yield step, Plain(float(step))(sources, target)


@pytest.fixture(scope="module")
def prompt(lms):
    return pt.random_prompt(lms["bert-small"], pt.relation("P36"))


@pytest.fixture
def carry(lms, prompt):
    def carried(method, **options):
        return pt.transfer(prompt, lms["bert-small"], lms["albert-small"], method=method, **options)

    return carried


@pytest.mark.parametrize(
    ("method", "label", "options"),
    [
        (Plain(2.0), "plain", "{'size': 2.0}"),
        (Slotted(), "slotted", "{'size': 1.0, 'more': 3}"),
        (Changeable(3.0), "changeable", "{'size': 3.0}"),
        (Named(4.0), "of size 4.0", "{'size': 4.0}"),
        (by_function, "a function", "{'label': 'a function'}"),
        (Approach(), "approach", "{'size': 1.0}"),
    ],
)
def test_anything_that_can_be_called_and_has_a_label_is_a_method(lms, prompt, carry, method, label, options):
    moved = carry(method)
    assert isinstance(method, pt.carrying.Method)
    assert moved.model == "pocket/albert-small"
    assert (moved.settings["method"], moved.settings["options"]) == (label, options)
    source, target = lms["bert-small"], lms["albert-small"]
    many = pt.transfer_many({("P36", 0): prompt}, source, target, method=method)
    assert torch.equal(many["P36", 0].vectors, moved.vectors)


def test_a_stepwise_method_is_known_by_its_candidates(lms, prompt, carry, capital):
    assert isinstance(Approach(), pt.carrying.Stepwise)
    assert isinstance(pt.GradientSearch(), pt.carrying.Stepwise)
    assert not isinstance(pt.ClosedForm(), pt.carrying.Stepwise)
    source, target = lms["bert-small"], lms["albert-small"]
    along = dict(pt.carrying.transfer_steps({("P36", 0): prompt}, source, target, method=Approach(), every=7))
    assert list(along) == [7, 14, 21]
    assert torch.equal(along[14]["P36", 0].vectors, carry(Plain(14.0)).vectors)
    best = carry(Approach(), dev=capital)
    scores = [pt.accuracy(target, capital, carry(Plain(float(step))), split="dev").value for step in (50, 100, 150)]
    assert pt.accuracy(target, capital, best, split="dev").value == max(scores)


class Wrong(Plain):
    """Gives what it is told to."""

    label = "wrong"

    def __call__(self, sources, target):
        return self.size

    def candidates(self, sources, target, *, every=50):
        yield every, self.size


@pytest.mark.parametrize(
    "given", [torch.zeros(5, 96), torch.zeros(1, 5, 128), torch.zeros(1, 4, 96), torch.zeros(2, 5, 96), None, [1.0]]
)
def test_vectors_of_another_shape_are_refused(lms, prompt, carry, capital, given):
    source, target = lms["bert-small"], lms["albert-small"]
    for wrong in (
        lambda: carry(Wrong(given)),
        lambda: carry(Wrong(given), dev=capital),
        lambda: pt.transfer_many({("P36", 0): prompt}, source, target, method=Wrong(given)),
        lambda: list(pt.carrying.transfer_steps({("P36", 0): prompt}, source, target, method=Wrong(given))),
    ):
        with pytest.raises(pt.PromptError, match=r"wrong: gave .* for pocket/albert-small; .* here \(1, 5, 96\)$"):
            wrong()


def test_numbers_that_are_none_are_refused(carry):
    with pytest.raises(pt.PromptError, match="480 of its numbers are NaN or infinite"):
        carry(Wrong(torch.full((1, 5, 96), float("nan"))))


def test_a_class_in_place_of_an_object_is_refused(carry, capital):
    with pytest.raises(pt.PromptError, match=r"method 'ClosedForm': .* such as ClosedForm\(\), with the brackets"):
        carry(pt.ClosedForm)
    with pytest.raises(pt.PromptError, match="has no steps to pick from"):
        carry(pt.GradientSearch, dev=capital)


def test_a_method_that_makes_no_step_is_refused(carry, capital):
    class Idle(Plain):
        label = "idle"

        def candidates(self, sources, target, *, every=50):
            return iter(())

    with pytest.raises(pt.PromptError, match="idle: made no step"):
        carry(Idle(), dev=capital)
