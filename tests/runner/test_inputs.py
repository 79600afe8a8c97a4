"""What makes a chapter run again."""

import os

import pytest

from book.runner.inputs import DATA, inputs_key
from book.runner.pages import pages


@pytest.fixture
def key(book, monkeypatch):
    """The first chapter's key, as it is when called."""
    for variable in DATA:
        monkeypatch.delenv(variable, raising=False)
    return lambda: inputs_key(pages(book.root)[1], {"profile": "pocket"}, book.root)


@pytest.mark.parametrize("variable", ["PTLIB_LAMA", "PTLIB_CLASSIFICATION", "PTLIB_TOKENIZERS", "PTLIB_REAL_MODELS"])
def test_the_data_that_a_variable_names_are_inputs(key, tmp_path, monkeypatch, variable):
    folder = tmp_path / "data"
    keys = [key()]
    monkeypatch.setenv(variable, str(folder))
    keys.append(key())
    (folder / "below").mkdir(parents=True)
    keys.append(key())
    file = folder / "below" / "facts.jsonl"
    file.write_text("one", encoding="utf-8")
    os.utime(file, ns=(0, 1))
    keys.append(key())
    file.write_text("two, longer", encoding="utf-8")
    os.utime(file, ns=(0, 1))
    keys.append(key())
    os.utime(file, ns=(0, 2))
    keys.append(key())
    file.rename(folder / "facts.jsonl")
    keys.append(key())
    assert len(set(keys)) == len(keys)
    assert key() == keys[-1]


def test_the_same_data_elsewhere_are_the_same(key, tmp_path, monkeypatch):
    file = tmp_path / "here" / "facts"
    file.parent.mkdir()
    file.write_text("one", encoding="utf-8")
    monkeypatch.setenv("PTLIB_LAMA", str(file.parent))
    before = key()
    monkeypatch.setenv("PTLIB_LAMA", str(file.parent.rename(tmp_path / "there")))
    assert key() == before


@pytest.mark.parametrize("named", ["data", "./data/../data", "~/data"])
def test_chapters_find_data_that_is_named_from_where_the_runner_is_started(book, tmp_path, monkeypatch, named):
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PTLIB_REAL_MODELS", named)
    monkeypatch.setenv("PTLIB_LAMA", "")
    book.write(book.names[0], "import os\nprint(os.environ['PTLIB_REAL_MODELS'], repr(os.environ['PTLIB_LAMA']))")
    assert book.run("--only", book.names[0]) == 0, book.output
    assert book.executed(book.names[0]).cells[-1].outputs[0].text == f"{tmp_path / 'data'} ''\n"


def test_data_in_the_home_folder_and_behind_links_are_inputs(key, tmp_path, monkeypatch):
    (tmp_path / "elsewhere" / "below").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "gpt2").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PTLIB_REAL_MODELS", "~/data")
    before = key()
    (tmp_path / "elsewhere" / "below" / "weights").write_text("one", encoding="utf-8")
    assert key() != before


def test_data_may_be_one_file(key, tmp_path, monkeypatch):
    file = tmp_path / "facts"
    file.write_text("one", encoding="utf-8")
    monkeypatch.setenv("PTLIB_LAMA", str(file))
    before = key()
    file.write_text("three", encoding="utf-8")
    assert key() != before


def test_a_library_file_is_read_again_only_when_it_has_changed(key, book, monkeypatch):
    read = []
    monkeypatch.setattr("book.runner.inputs.sha256", lambda path: read.append(path) or str(len(read)))
    assert key() == key()
    assert len(read) == 1
    (book.root / "ptlib" / "a.py").write_text("a = 22\n", encoding="utf-8")
    key()
    assert len(read) == 2
