"""What many tests share: the small pocket models of the four families, loaded once."""

import copy

import pytest

import ptlib as pt
from ptlib.tasks import Example, Task

FAMILIES = ("bert-small", "roberta-small", "albert-small", "gpt2-small")


@pytest.fixture(scope="session")
def lms() -> dict[str, pt.LanguageModel]:
    return {name: pt.load(f"pocket/{name}", device="cpu") for name in FAMILIES}


@pytest.fixture(params=FAMILIES)
def lm(request, lms) -> pt.LanguageModel:
    return lms[request.param]


@pytest.fixture(scope="session")
def bert(lms) -> pt.LanguageModel:
    return lms["bert-small"]


@pytest.fixture(scope="session")
def gpt2(lms) -> pt.LanguageModel:
    return lms["gpt2-small"]


def in_double(lm: pt.LanguageModel) -> pt.LanguageModel:
    """The same model in float64, where no more than rounding separates two ways to the same result."""
    return pt.LanguageModel(lm.name, lm.kind, copy.deepcopy(lm.model).double(), lm.tokenizer)


@pytest.fixture(scope="session")
def exact_bert(bert) -> pt.LanguageModel:
    return in_double(bert)


@pytest.fixture(scope="session")
def exact_gpt2(gpt2) -> pt.LanguageModel:
    return in_double(gpt2)


@pytest.fixture
def capital() -> Task:
    return pt.relation("P36")


@pytest.fixture
def make_task():
    """A task from (text, answer) pairs, the same in all splits."""

    def make(*pairs: tuple[str, str], name: str = "made", template: str = "The capital of [X] is [Y] .") -> Task:
        examples = tuple(Example(text, answer) for text, answer in pairs)
        return Task(name, name, template, examples, examples, examples)

    return make
