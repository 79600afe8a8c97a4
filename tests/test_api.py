import functools
import inspect
import pydoc
import re
from types import ModuleType

import pytest

import ptlib as pt
from book.runner.pages import ROOT


def test_the_reference_page_lists_all_that_is_public():
    page = (ROOT / "book" / "api.md").read_text(encoding="utf-8")
    shown = re.findall(r"\.\. (?:auto\w+|py:data):: ptlib\.([\w.]+)$", page, flags=re.MULTILINE)
    rooms = [
        name for name in vars(pt) if isinstance(getattr(pt, name), ModuleType) and hasattr(getattr(pt, name), "__all__")
    ]
    more = {
        f"{room}.{name}" for room in [*rooms, "book"] for name in getattr(pt, room).__all__ if name not in pt.__all__
    }
    assert sorted(name for name in shown if not name.startswith("pocket.")) == sorted({*pt.__all__, *more})


def documented():
    """What the reference shows: a name, whether it is a class, a property or else, and its docstring."""
    page = (ROOT / "book" / "api.md").read_text(encoding="utf-8")
    for kind, name in re.findall(r"\.\. auto(class|function):: (ptlib\.[\w.]+)$", page, flags=re.MULTILINE):
        about = pydoc.locate(name)
        yield name, kind, inspect.getdoc(about)
        for member, value in vars(about).items() if kind == "class" else ():
            if not member.startswith("_") and inspect.getdoc(value):
                attribute = isinstance(value, property | functools.cached_property)
                yield f"{name}.{member}", "property" if attribute else "method", inspect.getdoc(value)


def test_no_docstring_is_taken_apart_at_a_colon():
    """Sphinx takes what stands before a colon for a type, in a property's first line and in what is returned."""
    napoleon = pytest.importorskip("sphinx.ext.napoleon")
    shown = list(documented())
    assert len(shown) > 100
    for name, kind, text in shown:
        assert text, f"{name} has no docstring"
        made = str(napoleon.GoogleDocstring(text, napoleon.Config(), what=kind, name=name))
        assert ":rtype:" not in made, f"{name}: a colon in what it returns"
        assert kind == "class" or ":type:" not in made, f"{name}: a colon in its first line"
        assert re.findall(r":Warns: (?!\*\*UserWarning\*\* --)", made) == [], f"{name}: warns without a category"
        for line in re.findall(r"^>>> .*|^\.\.\. .*", text, flags=re.MULTILINE):
            assert len(line) <= 80, f"{name}: an example is too wide for its page"
