import re
from types import ModuleType

import ptlib as pt
from book.runner.pages import ROOT


def test_the_reference_page_lists_all_that_is_public():
    page = (ROOT / "book" / "api.md").read_text(encoding="utf-8")
    shown = re.findall(r"\.\. auto\w+:: ptlib\.([\w.]+)$", page, flags=re.MULTILINE)
    rooms = [
        name for name in vars(pt) if isinstance(getattr(pt, name), ModuleType) and hasattr(getattr(pt, name), "__all__")
    ]
    more = {
        f"{room}.{name}" for room in [*rooms, "book"] for name in getattr(pt, room).__all__ if name not in pt.__all__
    }
    assert sorted(name for name in shown if not name.startswith("pocket.")) == sorted({*pt.__all__, *more})
