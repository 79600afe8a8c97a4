"""Templates: where the text, the prompt vectors and the slot stand in a cloze."""

import re
from dataclasses import dataclass

from ptlib.errors import PromptError

TEXT, VECTOR, SLOT, START = "[X]", "[V]", "[Y]", "[S]"
PLACEHOLDERS = (TEXT, VECTOR, SLOT, START)
PLACEHOLDER = re.compile(r"(\[[A-Z]\w*\])")
OUTER_SPACES = re.compile(r"^ +(?=\[V\])|(?<=\[V\]) +$")
MANY_SPACES = re.compile(r" +(?=\[V\])|(?<=\[V\]) +|(?<=\[V\])(?=\[V\])")


@dataclass(frozen=True)
class Template:
    """A template in parts: plain words, exactly as they are written, and placeholders.

    Only beside a vector, which is no text, several spaces are one, and none at the ends or between two vectors too.

    The placeholders are `[X]` (the text), `[V]` (one prompt vector), `[Y]` (the slot), and `[S]` (where the sentence
    starts and the tokenizer writes its marks, such as `<s>`). Without `[S]` the sentence starts where the template
    does; with it, vectors may stand before the marks, as PEFT puts them: `"[V] [V] [S][X] [Y]"`.
    """

    text: str
    parts: tuple[str, ...]

    @property
    def length(self) -> int:
        """How many prompt vectors it holds."""
        return self.parts.count(VECTOR)


def parse(text: str, *, required: tuple[str, ...] = (TEXT, SLOT)) -> Template:
    """Read a template such as `"[X] [V] [V] [Y] ."`.

    Args:
        text: the template.
        required: the placeholders that must stand in it, each once; of `[X]` and `[Y]` no others may.

    Raises:
        PromptError: an unknown placeholder, a required one that does not stand there exactly once, one that nothing
            is there to stand for, or an `[S]` behind anything but vectors.
    """
    text = MANY_SPACES.sub(" ", OUTER_SPACES.sub("", text))
    parts = tuple(part for part in PLACEHOLDER.split(text) if part)
    unknown = [part for part in parts if PLACEHOLDER.fullmatch(part) and part not in PLACEHOLDERS]
    if unknown:
        raise PromptError(f"template {text!r}: unknown placeholder {unknown[0]}; there are {', '.join(PLACEHOLDERS)}")
    for placeholder in required:
        if parts.count(placeholder) != 1:
            raise PromptError(f"template {text!r}: needs exactly one {placeholder}, has {parts.count(placeholder)}")
    for placeholder in {TEXT, SLOT} - set(required):
        if placeholder in parts:
            raise PromptError(f"template {text!r}: holds {placeholder}, and there is nothing to put there")
    if START in parts:
        first = parts.index(START)
        if parts.count(START) > 1 or not all(part == VECTOR or part.isspace() for part in parts[:first]):
            raise PromptError(f"template {text!r}: {START} is where the sentence starts; only {VECTOR} may come before")
    return Template(text, parts)


def place_for(length: int, template: str | None = None) -> Template:
    """A given template that holds prompt vectors, or by default the papers' with so many: `[X] [V] ... [V] [Y] .`."""
    parsed = parse(template or default_template(length))
    if not parsed.length:
        raise PromptError(f"template {template!r}: has no {VECTOR}; put one for each vector of the prompt")
    return parsed


def default_template(length: int) -> str:
    """The papers' template: the text, then the prompt, then the slot."""
    if length < 1:
        raise PromptError(f"a prompt needs at least one vector, not {length}")
    return " ".join([TEXT, *[VECTOR] * length, SLOT, "."])
