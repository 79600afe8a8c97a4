import pytest

from ptlib.errors import PromptError
from ptlib.prompts.template import SLOT, default_template, parse


def test_parts_come_in_order():
    template = parse("[V][V] [X] lies in [V] [Y] .")
    assert template.parts == ("[V]", "[V]", "[X]", "lies in", "[V]", "[Y]", ".")
    assert template.length == 3
    assert template.text == "[V] [V] [X] lies in [V] [Y] ."


def test_the_default_puts_the_prompt_between_text_and_slot():
    assert parse(default_template(2)).parts == ("[X]", "[V]", "[V]", "[Y]", ".")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[X] is in Paris .", r"needs exactly one \[Y\], has 0"),
        ("[X] [Y] [Y]", r"needs exactly one \[Y\], has 2"),
        ("The answer is [Y] .", r"needs exactly one \[X\], has 0"),
        ("[X] [MASK] [Y]", r"unknown placeholder \[MASK\]"),
    ],
)
def test_what_does_not_fit_is_said(text, complaint):
    with pytest.raises(PromptError, match=complaint):
        parse(text)


def test_a_quiz_needs_no_text():
    assert parse("The capital of France is [Y] .", required=(SLOT,)).parts[1] == "[Y]"


def test_a_prompt_without_vectors_is_refused():
    with pytest.raises(PromptError, match="at least one vector, not 0"):
        default_template(0)
