"""Built pages are put right: figures in both themes, and nothing that a screen reader is told wrongly."""

import io
import itertools

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from bs4 import BeautifulSoup
from matplotlib.colors import to_rgb

from book.runner.finish import COLOURS, DARK, INK, finish, in_light_ink
from ptlib.book.plots import ON_BRIGHT, ON_DARK, STYLE, heat_map, use_style


@pytest.fixture
def drawing():
    """A figure as SVG: with a legend in black, a grid, and ink inside of coloured fields."""
    matplotlib.use("agg")
    with plt.style.context("default"):
        use_style()
        figure = heat_map(np.array([[0.1, 0.9]]), ["a"], ["b", "c"], label="share", numbers=True)
        figure.axes[0].plot([0, 1], [0, 1], color="black")
        figure.axes[0].grid(True)
        text = io.StringIO()
        figure.savefig(text, format="svg")
        plt.close(figure)
    return text.getvalue()


def finished(folder, body):
    (folder / "book").mkdir(exist_ok=True)
    page = folder / "book" / "one.html"
    page.write_text(f"<html><body><article>{body}</article></body></html>", encoding="utf-8")
    finish(folder)
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def test_a_drawing_of_matplotlib_is_there_for_both_themes(tmp_path, drawing):
    (tmp_path / "a b.svg").write_text(drawing, encoding="utf-8")
    soup = finished(tmp_path, '<figure><img alt="Of a &gt; b" class="wide" src="../a%20b.svg"/></figure>')
    light, dark = soup.find_all("img")
    assert light["class"] == ["wide", "for-light"]
    assert dark["class"] == ["wide", "for-dark"]
    assert light["alt"] == dark["alt"] == "Of a > b"
    assert (light["src"], dark["src"]) == ("../a%20b.svg", f"../a%20b{DARK}")
    assert (tmp_path / f"a b{DARK}").read_text(encoding="utf-8") == in_light_ink(drawing)
    finish(tmp_path)
    assert (tmp_path / "a b.svg").read_text(encoding="utf-8") == drawing


def test_dark_ink_becomes_light_and_the_ground_nothing_but_what_stands_in_a_field_stays(drawing):
    light = in_light_ink(drawing)
    assert "fill: #ffffff" in drawing
    assert "fill: #ffffff" not in light
    assert "#000000" not in light
    assert light.count("<svg ") == light.count(f'<svg fill="{INK}" ') == 1
    for ink in (ON_DARK, ON_BRIGHT):
        assert drawing.count(ink) == light.count(ink) > 0


def in_oklab(colour):
    """Björn Ottosson's OKLab, in which distances are those that are seen."""
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    cones = [[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]]
    mixed = [[0.21045, 0.79362, -0.00407], [1.97800, -2.42859, 0.45059], [0.02590, 0.78277, -0.80868]]
    return np.array(mixed) @ np.cbrt(np.array(cones) @ linear)


def test_colours_of_lines_are_told_apart_in_both_themes():
    with plt.style.context(STYLE):
        colours = plt.rcParams["axes.prop_cycle"].by_key()["color"]
    light = [colour.lower() for colour in colours]
    for palette in (light, [COLOURS.get(colour, colour) for colour in light]):
        seen = [in_oklab(colour) for colour in palette]
        assert min(np.linalg.norm(one - other) for one, other in itertools.combinations(seen, 2)) > 0.1


def test_other_images_stay_as_they_are(tmp_path):
    (tmp_path / "own.svg").write_text('<svg fill="#000000"/>', encoding="utf-8")
    soup = finished(
        tmp_path, '<img alt="a" src="../own.svg"/><img alt="b" src="../lost.svg"/><img alt="c" src="x.png"/>'
    )
    assert [image.get("class") for image in soup.find_all("img")] == [None] * 3
    assert [path.name for path in tmp_path.glob("*.svg")] == ["own.svg"]


def test_what_a_screen_reader_is_told_is_put_right(tmp_path):
    soup = finished(
        tmp_path,
        '<table><tr><th class="head"><p> </p></th><th>a</th></tr></table>'
        '<button aria-label="Search" class="search-button__button" title="Search">Search <kbd>K</kbd></button>'
        '<details><summary aria-label="Toggle">Show</summary></details>'
        '<button aria-label="Color mode" class="other"><i title="Light"></i></button>'
        '<div id="pst-primary-sidebar"><a>Home</a></div><div role="doc-biblioentry">A work</div>',
    )
    assert [(cell.name, cell.get_text(strip=True)) for cell in soup.tr.find_all(True, recursive=False)] == [
        ("td", ""),
        ("th", "a"),
    ]
    assert soup.button.attrs.keys() == {"class", "title"}
    assert not soup.summary.attrs
    assert soup.select_one("button.other")["aria-label"] == "Color mode"
    assert not soup.i.attrs
    assert soup.find(id="pst-primary-sidebar")["role"] == "region"
    assert soup.find(string="A work").parent["role"] == "listitem"


def test_the_reference_has_no_marks_of_what_made_it(tmp_path):
    parameter = '<em class="sig-param">{}</em>'
    soup = finished(
        tmp_path,
        '<p>~a.b</p><dl class="py"><dt>A<span class="sig-paren">(</span>'
        + ", ".join(map(parameter.format, ("*args", "**kwargs")))
        + '<span class="sig-paren">)</span></dt><dd>one of ~ptlib.a.B</dd></dl><dl class="py"><dt>C'
        + parameter.format("*args")
        + ", "
        + parameter.format("settings=&lt;factory&gt;")
        + "</dt></dl>",
    )
    assert [part.get_text() for part in soup.select("p, dt, dd")] == [
        "~a.b",
        "A",
        "one of B",
        "C*args, settings=...",
    ]


def test_thebe_is_not_loaded_and_other_scripts_are(tmp_path):
    soup = finished(
        tmp_path,
        '<script>const THEBE_JS_URL = "x"</script><script src="_static/sphinx-thebe.js"></script>'
        '<script type="text/x-thebe-config">{}</script><script>let a = 1 < 2 && "b";</script>',
    )
    (script,) = soup.find_all("script")
    assert script.text == 'let a = 1 < 2 && "b";'
