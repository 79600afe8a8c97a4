"""The blocks that a text in MyST Markdown consists of: prose, code and directives."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from book.runner.errors import BookError

_FENCE = re.compile(r"^(?P<indent>[ >]*)(?P<fence>`{3,}|~{3,}|:{3,})[ ]*(?:\{(?P<name>[^}`]*)\})?[ ]*(?P<rest>.*)$")
_OPTION = re.compile(r"^:([\w-]+):[ ]*(.*)$")


@dataclass(frozen=True)
class Directive:
    """A directive as it was written: what follows its name, its options, what it encloses, what stands before it."""

    name: str
    argument: str
    options: Mapping[str, str]
    body: str
    indent: str = ""


@dataclass(frozen=True)
class Code:
    """A block of code, with its fences."""

    text: str


def blocks(text: str) -> Iterator[str | Code | Directive]:
    """The blocks of a text, in order; prose as it is.

    Raises:
        BookError: a fence that is not closed, or of colons and without a name.
    """
    lines, prose = text.splitlines(), []
    while lines:
        line = lines.pop(0)
        opened = _FENCE.match(line)
        if not opened or (opened["fence"][0] == "`" and "`" in opened["rest"]):  # the latter is code in a line
            prose.append(line)
            continue
        if prose:
            yield "\n".join(prose)
            prose = []
        yield _block(opened, lines)
    if prose:
        yield "\n".join(prose)


def _block(opened: re.Match, lines: list[str]) -> Code | Directive:
    """The block that a fence opens; its lines are taken away."""
    end = re.compile(rf"^[ >]*{opened['fence'][0]}{{{len(opened['fence'])},}}\s*$")
    count = next((count for count, line in enumerate(lines) if end.match(line)), None)
    if count is None:
        raise BookError(f"does not close {opened[0].strip()!r}")
    inside, closing = lines[:count], lines[count]
    del lines[: count + 1]
    if opened["name"] is None and opened["fence"][0] == ":":
        raise BookError(f"opens {opened[0].strip()!r} without a name")
    if opened["name"] is None:
        return Code("\n".join([opened[0], *inside, closing]))
    body, options = [line[len(opened["indent"]) :] for line in inside], {}
    while body and (found := _OPTION.match(body[0])):
        options[found[1]] = found[2]
        body = body[1:]
    return Directive(opened["name"], opened["rest"].strip(), options, "\n".join(body).strip("\n"), opened["indent"])
