"""What is printed is dark on white, whatever the theme on the screen."""

from book.runner.extension import STATIC
from tests.book.browser import needs_browser


@needs_browser
def test_a_page_is_printed_in_the_light_theme_and_goes_back_to_its_own(tmp_path):
    from tests.book.accessibility import chromium

    themes = "addEventListener('{}print', () => seen.push(document.documentElement.dataset.theme));"
    script = "window.seen = [];" + "".join(map(themes.format, ("before", "after")))
    body = f'<script src="{(STATIC / "print.js").as_uri()}"></script><script>{script}</script>'
    (tmp_path / "a.html").write_text(f'<html data-theme="dark"><body>{body}</body></html>', encoding="utf-8")
    with chromium() as window:
        page = window.new_page()
        page.goto((tmp_path / "a.html").as_uri())
        page.pdf(path=tmp_path / "a.pdf")
        assert page.evaluate("seen") == ["light", "dark"]
