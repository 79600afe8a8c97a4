"""Whatever is damaged in the build folder counts as never made, and the next run makes it anew."""

import json

import pytest

pytestmark = pytest.mark.usefixtures("no_kernel")


def files(book):
    folder = book.build / "executed" / "pocket" / "book"
    return folder / "01-one.ipynb", folder / "01-one.json", book.build / "results" / "pocket" / "01-one.json"


def cut(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def changed(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


DAMAGE = {
    "copy cut": lambda copy, note: cut(copy),
    "copy empty": lambda copy, note: copy.write_text(""),
    "copy is {}": lambda copy, note: copy.write_text("{}"),
    "copy missing": lambda copy, note: copy.unlink(),
    "copy of another run": lambda copy, note: copy.write_text(copy.read_text().replace("print(seed)", "print(0)")),
    "copy no UTF-8": lambda copy, note: copy.write_bytes(b"\xff"),
    "note cut": lambda copy, note: cut(note),
    "note empty": lambda copy, note: note.write_text(""),
    "note missing": lambda copy, note: note.unlink(),
    "note a list": lambda copy, note: note.write_text("[1]"),
    "note of the first version": lambda copy, note: note.write_text('{"key": "a", "verdict": {"page": "book/01-one"}}'),
    "note of a newer version": lambda copy, note: changed(note, format=3),
    "note with more in it": lambda copy, note: changed(note, colour="red"),
    "note with a word for a number": lambda copy, note: changed(note, seconds="long"),
    "note no UTF-8": lambda copy, note: note.write_bytes(b"\xff"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_copy_or_note_is_made_anew(book, what):
    assert book.run() == 0
    copy, note, _ = files(book)
    DAMAGE[what](copy, note)
    assert book.run() == 0
    assert book.outcomes() == {"01-one": "executed", "02-two": "unchanged"}
    assert book.run() == 0
    assert book.outcomes() == {"01-one": "unchanged", "02-two": "unchanged"}


@pytest.mark.parametrize("text", [None, "", '{"n": 1}'])
def test_results_are_those_of_the_copy(book, text):
    assert book.run() == 0
    results = files(book)[2]
    results.write_text(text) if text is not None else results.unlink()
    assert book.run() == 0
    assert book.outcomes()["01-one"] == "unchanged"
    assert json.loads(results.read_text(encoding="utf-8")) == {}


@pytest.mark.parametrize("last", ["results", "note"])
def test_a_kill_between_copy_and_note_costs_one_more_execution(book, monkeypatch, last):
    assert book.run() == 0
    book.write("01-one", "print(seed + 1)")
    place = files(book)[2 if last == "results" else 1]

    def killed(path, text):
        if path == place:
            raise SystemExit(9)  # nothing of the runner takes this for an error
        path.write_text(text, encoding="utf-8")

    with monkeypatch.context() as patch:
        patch.setattr("book.runner.kept.write_text", killed)
        with pytest.raises(SystemExit):
            book.run(only=["01-one"])
    assert book.executed("01-one").cells[-1].source == "print(seed + 1)"
    book.write("01-one")  # what the note that is left was made from
    assert book.run() == 0
    assert book.outcomes() == {"01-one": "executed", "02-two": "unchanged"}
    assert book.executed("01-one").cells[-1].source == "print(seed)"
