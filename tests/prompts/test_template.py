import pytest

from ptlib.errors import PromptError
from ptlib.prompts.template import SLOT, default_template, parse


@pytest.mark.parametrize("text", ["[X], whose capital is [Y].", " [X]\n\n[V]\t[Y] ", "un[X]'s [V], [Y]"])
def test_parts_are_the_template_as_it_is_written(text):
    assert "".join(parse(text).parts) == parse(text).text == text


def test_beside_vectors_spaces_are_only_layout():
    template = parse(" [V][V]  [X] lies in  [V] [Y]. [V]  ")
    assert template.text == "[V] [V] [X] lies in [V] [Y]. [V]"
    assert template.parts[:5] == ("[V]", " ", "[V]", " ", "[X]")
    assert template.length == 4


def test_the_default_puts_the_prompt_between_text_and_slot():
    assert parse(default_template(2)).text == "[X] [V] [V] [Y] ."


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[X] is in Paris .", r"needs exactly one \[Y\], has 0"),
        ("[X] [Y] [Y]", r"needs exactly one \[Y\], has 2"),
        ("The answer is [Y] .", r"needs exactly one \[X\], has 0"),
        ("[X] [MASK] [Y]", r"unknown placeholder \[MASK\]"),
        ("[X] [S] [V] [Y]", r"\[S\] is where the sentence starts; only \[V\] may come before"),
        ("So [S][X] [Y]", "only .* may come before"),
        ("[V] [S][S][X] [Y]", "only .* may come before"),
    ],
)
def test_what_does_not_fit_is_said(text, complaint):
    with pytest.raises(PromptError, match=complaint):
        parse(text)


def test_a_quiz_needs_no_text():
    assert parse("The capital of France is [Y] .", required=(SLOT,)).parts[1] == "[Y]"
    with pytest.raises(PromptError, match=r"holds \[X\], and there is nothing to put there"):
        parse("[X] is [Y] .", required=(SLOT,))


def test_a_prompt_without_vectors_is_refused():
    with pytest.raises(PromptError, match="at least one vector, not 0"):
        default_template(0)
