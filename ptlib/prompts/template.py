"""Templates: where the text, the prompt vectors and the slot stand in a cloze."""

import re
from dataclasses import dataclass

from ptlib.errors import PromptError

TEXT, VECTOR, SLOT = "[X]", "[V]", "[Y]"
PLACEHOLDER = re.compile(r"(\[[A-Z]\w*\])")


@dataclass(frozen=True)
class Template:
    """A template in parts: plain words, and the placeholders `[X]` (text), `[V]` (one prompt vector), `[Y]` (slot)."""

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
        required: the placeholders that must stand in it, each once.

    Raises:
        PromptError: an unknown placeholder, or a required one that does not stand there exactly once.
    """
    parts = tuple(part.strip() for part in PLACEHOLDER.split(text) if part.strip())
    unknown = [part for part in parts if PLACEHOLDER.fullmatch(part) and part not in (TEXT, VECTOR, SLOT)]
    if unknown:
        raise PromptError(f"template {text!r}: unknown placeholder {unknown[0]}; there are {TEXT}, {VECTOR}, {SLOT}")
    for placeholder in required:
        if parts.count(placeholder) != 1:
            raise PromptError(f"template {text!r}: needs exactly one {placeholder}, has {parts.count(placeholder)}")
    return Template(" ".join(parts), parts)


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
