"""Files that readers hand in: read in any of the usual forms, or refused in one line that names the file."""

import json
from pathlib import Path

import pytest

import ptlib as pt

FACTS = [(f"Åland {number}", f"city {number}") for number in range(40)]
ABOUT = (
    'label = "capital"\ntemplate = "[X], whose capital is [Y]."\n'
    'definition = "name the café"\nsentences = ["[X] [Y]"]\n'
)


def rows(key, value, values):
    return "".join(json.dumps({key: x, value: y}, ensure_ascii=False) + "\n" for x, y in values)


# For each kind of file: where it lies, a good content, and how it is read; the others lie beside it.
FILES = {
    "facts": ("P1.tsv", "".join(f"{x}\t{y}\n" for x, y in FACTS), lambda at: pt.relation("P1", folder=at)),
    "description": ("P1.toml", ABOUT, lambda at: pt.relation("P1", folder=str(at))),
    "lama": ("P2/test.jsonl", rows("sub_label", "obj_label", FACTS), lambda at: pt.read_lama(at)["P2"]),
    "lama's relations": (
        "relations.jsonl",
        json.dumps({"relation": "P2", "template": "[X]: é [Y]", "label": "capital"}) + "\n",
        lambda at: pt.load_lama(at)["P2"],
    ),
    "classification": (
        "train.jsonl",
        rows("text", "label", [(x, number % 2) for number, (x, _) in enumerate(FACTS)]),
        lambda at: pt.read_classification(at, "mine", words=["warm ", "cold"], template="[X] [Y]"),
    ),
}


@pytest.fixture
def folder(tmp_path):
    for name, content, _ in FILES.values():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


@pytest.fixture(params=FILES)
def kind(request):
    return FILES[request.param]


def refusal(read, folder):
    with pytest.raises(pt.PromptError) as caught:
        read(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_endings_and_byte_order_marks_make_no_difference(folder, kind, ending, mark):
    name, content, read = kind
    expected = read(folder)
    (folder / name).write_bytes((mark + content.replace("\n", ending)).encode())
    assert read(folder) == expected
    (folder / name).write_bytes((mark + content.rstrip("\n").replace("\n", ending)).encode())
    assert read(folder) == expected


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_refused_by_the_name_of_the_file(folder, kind, encoding):
    name, content, read = kind
    (folder / name).write_bytes((content + "# é\n").encode(encoding))
    message = refusal(read, folder)
    assert message.startswith(str(folder / name))
    assert "save" in message


def test_folders_and_what_cannot_be_opened_are_refused(folder, kind):
    name, _, read = kind
    (folder / name).unlink()
    (folder / name).mkdir()
    assert refusal(read, folder).startswith(f"{folder / name}: cannot be read (")


@pytest.mark.parametrize("content", ["", "\n", "\ufeff"])
def test_files_without_content_are_refused(folder, kind, content):
    name, _, read = kind
    (folder / name).write_text(content, encoding="utf-8")
    if name == "relations.jsonl":  # a relation needs no description
        assert read(folder).template == "[X] [Y] ."
    elif name == "P2/test.jsonl":
        assert "P2: its files hold no rows" in refusal(read, folder)
    else:
        assert str(folder) in refusal(read, folder)


def test_one_rule_for_spaces_and_for_rows_that_stand_twice(folder):
    """The same facts by every path: spaces around texts and answers go, and so do exact repetitions."""
    messy = [("  Åland 1 ", " city 1"), ("Åland 1", "city 1"), ("Åland 2", "city  2 "), ("Åland 1", "city 1")]
    clean = [("Åland 1", "city 1"), ("Åland 2", "city  2")]
    (folder / "P2" / "test.jsonl").write_text(rows("sub_label", "obj_label", messy), encoding="utf-8")
    (folder / "train.jsonl").write_text(rows("text", "label", [(x, 0) for x, _ in messy]), encoding="utf-8")
    (folder / "P1.tsv").write_text("".join(f"{x}\t{y}\n" for x, y in [*messy, *FACTS[3:]]), encoding="utf-8")
    found = {name: FILES[name][2](folder) for name in ("facts", "lama", "classification")}
    assert [(e.text, e.answer) for e in found["lama"].test] == clean
    assert [(e.text, e.answer) for e in found["classification"].train] == [(x, "warm") for x, _ in clean]
    facts = {(e.text, e.answer) for split in ("train", "dev", "test") for e in found["facts"].examples(split)}
    assert facts == {*clean, *FACTS[3:]}
    for name in ("lama", "classification"):
        assert found[name].source.endswith("; 2 rows that repeat another one exactly are left out")


def test_one_text_with_two_answers_is_kept_where_that_can_be(folder):
    both = [("Bolivia", "Sucre"), ("Bolivia", "La Paz")]
    (folder / "P2" / "test.jsonl").write_text(rows("sub_label", "obj_label", both), encoding="utf-8")
    assert len(FILES["lama"][2](folder).test) == 2
    (folder / "P1.tsv").write_text("".join(f"{x}\t{y}\n" for x, y in both), encoding="utf-8")
    assert "line 2: 'Bolivia' already stands on line 1" in refusal(FILES["facts"][2], folder)


@pytest.mark.parametrize(
    ("name", "line", "complaint"),
    [
        ("classification", '{"text": "x", "label": true}', "line 2: expected text (str), label (int)"),
        ("classification", '{"text": "x", "label": 1.0}', "line 2: expected text (str), label (int)"),
        ("classification", '{"text": null, "label": 1}', "line 2: expected text (str), label (int)"),
        ("classification", '{"text": ["x"], "label": 1}', "line 2: expected text (str), label (int)"),
        ("classification", '{"text": " ", "label": 1}', "line 2: text is '', which is no text"),
        ("classification", '{"text": "x", "label": -1}', "label -1, and words for 0 to 1"),
        ("classification", '{"text": "half \\ud83d", "label": 1}', "line 2: text is 'half"),
        ("classification", "[" * 100_000, "line 2: no JSON"),
        ("classification", '"text"', "line 2: expected text (str), label (int)"),
        ("lama", '{"sub_label": "x", "obj_label": "  "}', "line 2: obj_label is ''"),
        ("lama", '{"sub_label": {"x": 1}, "obj_label": "y"}', "line 2: expected sub_label (str)"),
        ("lama's relations", '{"relation": "P2", "template": "[X] [Y]", "label": "other"}', "describes P2 twice"),
        ("facts", "a\tb\tc", "line 2: expected 'subject<TAB>object'"),
    ],
)
def test_a_row_of_another_kind_is_named(folder, name, line, complaint):
    file, content, read = FILES[name]
    first = content.split("\n")[0]
    (folder / file).write_text(f"{first}\n{line}\n{first}\n", encoding="utf-8")
    message = refusal(read, folder)
    assert message.startswith(str(folder / file))
    assert complaint in message
    assert len(message) < 400


@pytest.mark.parametrize(
    "change",
    [
        ('label = "capital"', "label = 3"),
        ('sentences = ["[X] [Y]"]', 'sentences = "[X] [Y]"'),
        ('sentences = ["[X] [Y]"]', "sentences = [1]"),
        ('definition = "name the café"', ""),
        ('template = "[X], whose capital is [Y]."', 'template = ["[X] [Y]"]'),
    ],
)
def test_a_description_of_other_kinds_is_named(folder, change):
    (folder / "P1.toml").write_text(ABOUT.replace(*change), encoding="utf-8")
    message = refusal(FILES["description"][2], folder)
    assert message.startswith(f"{folder / 'P1.toml'}: cannot be read as the description of a relation")


def test_a_file_that_has_changed_is_read_anew(folder):
    assert pt.relation("P1", folder=folder).label == "capital"
    (folder / "P1.toml").write_text(ABOUT.replace('"capital"', '"seat"'), encoding="utf-8")
    assert pt.relation("P1", folder=folder).label == "seat"


def test_what_may_not_be_looked_at_is_said(folder, kind, monkeypatch):
    name, _, read = kind

    def stat(path, **how):
        if path == folder / name:
            raise PermissionError(13, "Permission denied")
        return plain(path, **how)

    plain = Path.stat
    monkeypatch.setattr(Path, "stat", stat)
    whole = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: stat(path) and whole(path))
    message = refusal(read, folder)
    assert message == f"{folder / name}: cannot be read (Permission denied)" or "holds no relations" in message


def test_a_folder_that_is_none_is_said(tmp_path):
    for read in (lambda at: pt.relation("P1", folder=at), pt.read_lama, lambda at: pt.read_classification(at, "sst2")):
        assert str(tmp_path / "nowhere") in refusal(read, tmp_path / "nowhere")


def test_separators_of_unicode_end_no_line(folder):
    """A text may hold them, and `str.splitlines` would cut there."""
    odd = [("Å\u2028land \x85 \x1c one", "city")]
    (folder / "P2" / "test.jsonl").write_text(rows("sub_label", "obj_label", odd), encoding="utf-8")
    assert FILES["lama"][2](folder).test[0].text == odd[0][0]
    (folder / "P1.tsv").write_text("".join(f"{x}\t{y}\n" for x, y in [*odd, *FACTS]), encoding="utf-8")
    task = FILES["facts"][2](folder)
    assert odd[0][0] in {e.text for split in ("train", "dev", "test") for e in task.examples(split)}
