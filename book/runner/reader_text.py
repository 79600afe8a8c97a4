"""Text of the book in the Markdown that every notebook program knows: no roles, no directives, no relative links.

Directives become quotes, folds, formulas and images; roles become numbers, formulas and links into the published book.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path

from book.runner.blocks import Code, Directive, blocks
from book.runner.errors import BookError, first_line
from book.runner.references import References

RAW = re.compile(r"\{[a-zA-Z][\w:.+-]*\}`|^\s*(?:`{3,}|~{3,}|:{3,})\s*\{|^\s*:{3,}|^\([^()\s]+\)=\s*$", re.MULTILINE)
_NOT_SHOWN = re.compile(r"^(\([^()\s]+\)=|%.*|\+\+\+.*)\s*$")  # labels, comments, breaks between blocks
_CODE = (  # code in a line and formulas, which are left alone
    r"(?P<code>(?P<ticks>`+)(?!`)(?s:.+?)(?<!`)(?P=ticks)(?!`)|\$\$(?s:.+?)\$\$|\$(?!\s)[^$\n]+?(?<!\s)\$(?!\d))"
)
_ROLE = re.compile(r"\{(?P<role>[a-zA-Z][\w:.+-]*)\}(?P<edge>`+)(?P<text>(?s:.+?))(?<!`)(?P=edge)(?!`)|" + _CODE)
_LINK = re.compile(r"(?P<image>!?)\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<target>[^()\s]+)\)|" + _CODE)
_TITLED = re.compile(r"^(?P<text>.*?)\s*<(?P<target>[^<>]+)>$", re.DOTALL)
_SPECIAL = re.compile(r"[&<>*_`\[\]$|~\\]")
ADMONITIONS = ("note", "tip", "hint", "important", "warning", "caution", "attention", "danger", "error", "seealso")
DATA_URI = "data:{kind};base64,{data}"  # Colab shows these, and no file goes with a notebook


@dataclass(frozen=True)
class Reader:
    """Makes the text of one page readable everywhere.

    Attributes:
        page: its name, such as "book/01-prompt-tuning".
        values: what the page noted: content by kind (such as "text/plain"), by name.
        references: what texts may point to.
        folder: where images lie that the text names: the page's folder on the stage.
    """

    page: str
    values: Mapping[str, Mapping[str, str]]
    references: References
    folder: Path

    def text(self, source: str) -> str:
        """The text without roles, directives and relative links.

        Raises:
            BookError: a role, a directive or a target that is not known; names the page.
        """
        try:
            return "\n".join(self._block(block) for block in blocks(source))
        except BookError as error:
            raise error if str(error).startswith(self.page) else self._wrong(str(error)) from error

    def _block(self, block: str | Code | Directive) -> str:
        if isinstance(block, Code):
            return block.text
        if isinstance(block, Directive):
            return "\n".join((block.indent + line).rstrip() for line in self._directive(block).splitlines())
        return self._inline("\n".join(line for line in block.split("\n") if not _NOT_SHOWN.match(line)))

    def _inline(self, text: str) -> str:
        def role(found: re.Match) -> str:
            return found["code"] or self._role(found["role"], " ".join(found["text"].split()))

        def link(found: re.Match) -> str:
            return found["code"] or self._link(found)

        # By paragraphs, since a backtick that stands alone must not hide what is between it and another one.
        parts = re.split(r"(\n\s*\n)", text)
        return "".join(_LINK.sub(link, _ROLE.sub(role, part)) for part in parts)

    # Roles

    def _role(self, name: str, text: str) -> str:
        roles: dict[str, Callable[[str], str]] = {
            "glue": self._value,
            "glue:text": self._value,
            "math": lambda formula: f"${formula}$",
            "term": self._term,
            "cite": self._cited_in_brackets,
            "cite:p": self._cited_in_brackets,
            "cite:t": self._cited,
            "ref": self._label,
            "numref": self._label,
            "doc": self._document,
        }
        if name not in roles:
            raise self._wrong(f"has the role {{{name}}}, which has no form outside of the book")
        return roles[name](text)

    def _value(self, text: str) -> str:
        """A noted number, as MyST-NB shows it on the page, or a noted image."""
        from myst_nb.core.variables import format_plain_text

        name, _, form = text.rpartition(":") if ":" in text else (text, "", "s")
        if "image/png" in self.values.get(name, {}):
            return f"![{_literally(name)}]({self._noted_image(name)})"
        try:
            return _literally(format_plain_text(self._noted(name, "text/plain"), form))
        except (TypeError, ValueError) as error:
            raise self._wrong(f"cannot show {text!r} in its text: {first_line(str(error))}") from error

    def _noted(self, name: str, kind: str) -> str:
        if kind not in self.values.get(name, {}):
            raise self._wrong(f"shows {name!r} in its text, and notes no such {kind}")
        return self.values[name][kind]

    def _term(self, text: str) -> str:
        shown, term = _titled(text)
        if term.lower() not in self.references.terms:
            raise self._wrong(f"has the term {term!r}, which is not in the glossary")
        return self.references.link(shown, self.references.terms[term.lower()])

    def _cited(self, keys: str) -> str:
        """As the subject or object of a sentence: Wu et al. (2024)."""
        return ", ".join(_address(f"{work.authors} ({work.year})", work.address) for work in self._works(keys))

    def _cited_in_brackets(self, keys: str) -> str:
        """Beside a sentence: (Wu et al., 2024)."""
        works = [_address(f"{work.authors}, {work.year}", work.address) for work in self._works(keys)]
        return f"({'; '.join(works)})"

    def _works(self, keys: str) -> list:
        wanted = [key.strip() for key in keys.split(",")]
        if unknown := [key for key in wanted if key not in self.references.works]:
            raise self._wrong(f"cites {unknown[0]!r}, which is in no list of references")
        return [self.references.works[key] for key in wanted]

    def _label(self, text: str) -> str:
        shown, label = _titled(text)
        if label not in self.references.labels:
            raise self._wrong(f"points to the label {label!r}, which no page has")
        page, heading = self.references.labels[label]
        if shown == label:
            shown = heading or label.replace("-", " ")
        return self.references.link(shown, f"{page}.html#{re.sub('[^a-z0-9]+', '-', label.lower())}")

    def _document(self, text: str) -> str:
        shown, target = _titled(text)
        return self._page("" if shown == target else shown, target)

    # Links

    def _link(self, found: re.Match) -> str:
        text, target = found["text"], found["target"]
        if re.match(r"[a-z][a-z0-9+.-]*:", target, re.IGNORECASE):
            return found[0]
        if found["image"]:
            return f"![{text}]({self._file(target)})"
        if target.startswith("#"):
            return self._label(f"{text} <{target[1:]}>" if text else target[1:])
        return self._page(text, target)

    def _page(self, text: str, target: str) -> str:
        path, _, anchor = target.partition("#")
        if not (name := self.references.page(path, self.page)):
            raise self._wrong(f"has a link to {target!r}, which is no page of the book")
        place = f"{name}.html" + (f"#{anchor}" if anchor else "")
        return self.references.link(text or self.references.titles[name], place)

    def _file(self, name: str) -> str:
        """An image that lies beside the page."""
        path = self.folder / name.lstrip("/")
        if not path.is_file():
            raise self._wrong(f"shows the image {name!r}, which is not there")
        return DATA_URI.format(kind=guess_type(name)[0], data=b64encode(path.read_bytes()).decode())

    # Directives

    def _directive(self, it: Directive) -> str:
        if it.name in ADMONITIONS or it.name == "admonition":
            title, body = it.name.capitalize().replace("Seealso", "See also"), f"{it.argument}\n{it.body}".strip()
            if it.name == "admonition":
                title, body = it.argument, it.body
            return quoted(f"**{self._inline(title)}**\n\n{self.text(body)}")
        if it.name == "dropdown":
            summary = self._inline(it.argument)
            return f"<details><summary>{summary}</summary>\n\n{self.text(it.body)}\n\n</details>"
        if it.name == "math":
            return "\n".join(filter(None, ["$$", it.argument, it.body, "$$"]))
        if it.name in ("code", "code-block"):
            return f"```{it.argument}\n{it.body}\n```"
        if it.name in ("figure", "image"):
            return self._figure(self._file(it.argument), it)
        if it.name in ("glue", "glue:figure"):
            return self._figure(self._noted_image(it.argument), it)
        raise self._wrong(f"has the directive {{{it.name}}}, which has no form outside of the book")

    def _figure(self, image: str, it: Directive) -> str:
        alt = it.options.get("alt", it.argument)
        return f"![{_literally(alt)}]({image})\n\n{self.below_figure(it.body, it.options.get('alt', ''))}".rstrip()

    def _noted_image(self, name: str) -> str:
        return DATA_URI.format(kind="image/png", data=self._noted(name, "image/png"))

    def below_figure(self, caption: str, alt: str) -> str:
        """What stands below a figure: its caption, and in words what it shows."""
        parts = [
            f"**Figure.** {self.text(caption)}" if caption else "",
            f"*In words:* {_literally(alt)}" if alt else "",
        ]
        return quoted("\n\n".join(filter(None, parts)))

    def _wrong(self, what: str) -> BookError:
        return BookError(f"{self.page}: {what}")


def quoted(text: str) -> str:
    """A text as a quote."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _titled(text: str) -> tuple[str, str]:
    """The parts of "text <target>"; of a target alone, twice the same."""
    found = _TITLED.match(text)
    return (found["text"], found["target"]) if found else (text, text)


def _address(text: str, address: str) -> str:
    return f"[{text}]({address})" if address else text


def _literally(text: str) -> str:
    """A text that Markdown shows as it is; by entities, since a backslash before a bracket begins a formula."""
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", text)
