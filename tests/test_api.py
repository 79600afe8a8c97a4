import re

import ptlib as pt
from book.runner.pages import ROOT


def test_the_reference_page_lists_all_that_is_public():
    page = (ROOT / "book" / "api.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\.\. auto\w+:: ptlib\.(\w+)$", page, flags=re.MULTILINE)) == set(pt.__all__)
