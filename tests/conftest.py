"""What many tests share: the small pocket models of the four families, loaded once."""

import copy
import os
import socket
import tempfile

import pytest

HOME = tempfile.TemporaryDirectory()  # gone with the process


def free_port() -> int:
    """A port on loopback where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# Read when the libraries are imported, so this comes first: no test ever reaches the real hub, or a cache of the user.
os.environ |= {
    "HF_ENDPOINT": f"http://127.0.0.1:{free_port()}",
    "HF_HOME": HOME.name,
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "NO_PROXY": "127.0.0.1",
    "PTLIB_PACKS": "",  # what is tuned in tests is tuned there
}
for name in ("HF_HUB_OFFLINE", "HF_HUB_CACHE", "HF_DATASETS_CACHE", "HF_TOKEN"):
    os.environ.pop(name, None)

import ptlib as pt
from ptlib.tasks.task import Example, Task

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
