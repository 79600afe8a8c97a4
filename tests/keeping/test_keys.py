"""A result's key changes with everything that the result depends on, and with nothing else."""

import importlib
import os
import subprocess
import sys
import threading
from dataclasses import dataclass

import numpy as np
import pytest
import torch

import ptlib as pt
from book.runner.pages import ROOT
from ptlib.carrying import table
from ptlib.keeping import keys

FILES = {
    "__init__": "",
    "top": '"""Doc."""\nfrom house import middle\n\ndef make():\n    "Doc."\n    return middle.half()  # a comment\n',
    "middle": "from house.rooms.low import ONE\n\ndef half():\n    return ONE / 2\n",
    "rooms/__init__": "",
    "rooms/low": "from . import lowest\n\nONE = lowest.one()\n",
    "rooms/lowest": "def one():\n    from house import late\n    return late.ONE\n",
    "late": "ONE = 1\n",
    "other": "from house import top\n",
}
REACHED = {f"house{name}" for name in ("", ".top", ".middle", ".rooms", ".rooms.low", ".rooms.lowest", ".late")}


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A package whose modules a test may change; the function gives the key of its top module as it is now."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(**changed):
        write_package(tmp_path / "house", FILES | changed)
        return keys.code_of("house.top")

    yield write
    forget("house")


def test_all_modules_that_are_reached_count(house):
    house()
    assert set(keys.reach("house.top")) == REACHED


@pytest.mark.parametrize("name", sorted(set(FILES) - {"other"}))
def test_a_change_in_any_module_that_is_reached_changes_the_key(house, name):
    assert house() != house(**{name: FILES[name] + "\nNEW = 1\n"})


def test_a_change_elsewhere_does_not(house):
    assert house() == house(other="NEW = 1\n")


def test_comments_and_docstrings_do_not_count(house):
    changed = FILES["top"].replace("Doc.", "Other words.").replace("# a comment", "# another, and longer")
    assert house() == house(top="# first\n" + changed)
    assert house() != house(top=FILES["top"].replace("middle.half()", "middle.half() + 1"))


def test_every_kind_of_result_reaches_the_code_that_makes_it():
    """What no list has to name any more."""
    tuned = set(keys.reach(pt.tune_many.__module__))
    assert {
        pt.LanguageModel.__module__,
        "ptlib.tuning.gradients",
        "ptlib.prompts.cloze",
        "ptlib.models.logits",
        "ptlib.models.quick",
    } <= tuned
    cells = set(keys.reach(table.__name__))
    assert {
        pt.random_prompt.__module__,
        pt.ClosedForm.__module__,
        pt.accuracy.__module__,
        "ptlib.carrying.search",
    } <= cells
    assert cells.isdisjoint({"ptlib", "ptlib.book.plots", "ptlib.book.profiles", "ptlib.reading.wayward"})


@pytest.mark.parametrize("library", keys.LIBRARIES)
def test_another_version_of_what_computes_changes_the_key(library, monkeypatch):
    before = keys.key_of(1, code=table.__name__)
    keys._versions.cache_clear()
    monkeypatch.setattr(keys, "version", lambda name: "0.0" if name == library else "1.0")
    after = keys.key_of(1, code=table.__name__)
    monkeypatch.setattr(keys, "version", lambda name: "1.0")
    keys._versions.cache_clear()
    assert len({before, after, keys.key_of(1, code=table.__name__)}) == 3
    keys._versions.cache_clear()


def test_values_of_all_kinds_are_told_apart():
    parts = [1, 1.5, "1", (1, 2), [1, [2]], range(3), {"a": 1}, pt.Settings(), pt.Settings(steps=1), None]
    parts += [torch.ones(2), torch.ones(2, dtype=torch.float64), torch.ones(1, 2), np.ones(2, dtype=np.int8)]
    parts += [torch.ones(2, dtype=torch.bfloat16), pt.ClosedForm(), pt.ClosedForm(ridge=1.0), pt.LinearMap()]
    assert len({keys.key_of(part, code=table.__name__) for part in parts}) == len(parts)
    assert keys.key_of(torch.ones(2), code=table.__name__) == keys.key_of(torch.ones(2), code=table.__name__)


TYPED = """
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
import torch
import own
import own.deep
IMPORT
from own import taken

FACTOR, TABLE, UNUSED, lengths = 2.0, {"a": [torch.ones(2000)], "b": {"x", "y", "z"}}, 1, 1

def helper(x):
    return x + 1

@cache
def kept(x):
    return x - 1

class Scale:
    def __init__(self, by):
        self.by = by

    def give(self):
        return self.by

SCALE = Scale(4)

def closed_over(times):
    def inside(x):
        return x * times
    return inside

times_five = closed_over(5)

class Base:
    __slots__ = ()

    def offset(self):
        return 0

HEAD
    "Doc."
    BODY

    @property
    def half(self):
        return self.ridge / 2

    @staticmethod
    def third():
        return 3

    @cached_property
    def fourth(self):
        return 4

    def __call__(self, sources, target):
        "Doc."
        # a comment
        from own.late import late
        looked = [helper(FACTOR) for _ in sources if _ in {"p", "q", "r"}] + [pt.shared_words, own.deep.deep(1)]
        return looked, kept(1), SCALE.give(), times_five(1), taken(0), partial(helper, 7), TABLE, target.lengths
"""
INIT = "def __init__(self, ridge=0.1):\n        self.ridge = ridge"
FIELDS = "ridge: float = 0.1\n    more: list = field(default_factory=list)"
KINDS = {
    "plain": ("class Mine(Base):", INIT),
    "slots": ("class Mine(Base):", f"__slots__ = ('ridge',)\n    {INIT}"),
    "data class": ("@dataclass(frozen=True)\nclass Mine(Base):", FIELDS),
    "data class with slots": ("@dataclass(frozen=True, slots=True)\nclass Mine(Base):", FIELDS),
    "of the library's": ("@dataclass(frozen=True)\nclass Mine(pt.LinearMap, Base):", FIELDS),
}
OWN = {
    "__init__": "from own.taken import taken\nSIZE = 1\n",
    "taken": "def taken(x):\n    return x * 11\n",
    "deep": "from own import deeper\n\ndef deep(x):\n    return deeper.ONE\n",
    "deeper": "ONE = 111\n",
    "late": "import ptlib.carrying.search\n\ndef late(x):\n    return x * 1111\n",
}


def forget(package):
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]
    for cached in (keys.code_of, keys.reach, keys._tree, keys._source_file, keys._spec):
        cached.cache_clear()
    importlib.invalidate_caches()


def write_package(folder, files, change=("\0", "")):
    for name, source in files.items():
        file = folder / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source.replace(*change), encoding="utf-8")
    for compiled in folder.rglob("*.pyc"):
        compiled.unlink()
    forget(folder.name)


@pytest.fixture
def typed(tmp_path, monkeypatch):
    """What is known of an object of a class that was typed in, as in a notebook beside a package of the reader's."""
    monkeypatch.syspath_prepend(tmp_path)

    def settings(kind="plain", change=("\0", ""), **options):
        write_package(tmp_path / "own", OWN, change)
        head, body = KINDS[kind]
        scope = {"__name__": "__main__", "pt": pt}
        exec(TYPED.replace("HEAD", head).replace("BODY", body).replace("IMPORT\n", "").replace(*change), scope)
        return keys.settings_of(scope["Mine"](**options))

    yield settings
    forget("own")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x + 1", "x + 2"),  # of a function that is named, in a comprehension and in a partial
        ("x - 1", "x - 2"),  # behind a decorator
        ("self.by\n", "self.by + 1\n"),  # of a class of an object
        ("Scale(4)", "Scale(5)"),
        ("x * times", "x + times"),
        ("closed_over(5)", "closed_over(6)"),
        ("FACTOR, TABLE, UNUSED, lengths = 2.0", "FACTOR, TABLE, UNUSED, lengths = 3.0"),
        ("torch.ones(2000)", "torch.ones(2000).index_fill(0, torch.tensor(1000), 2)"),
        ('"z"', '"w"'),
        ('"r"}', '"s"}'),
        ("in sources if", "in sources[1:] if"),
        ("partial(helper, 7)", "partial(helper, 8)"),
        ("return 0", "return 1"),
        ("self.ridge / 2", "self.ridge / 3"),
        ("return 3", "return 33"),
        ("return 4", "return 44"),
        ("x * 11\n", "x * 12\n"),  # of the reader's package, taken from it by name
        ("ONE = 111\n", "ONE = 112\n"),  # which another module of it imports
        ("x * 1111", "x * 1112"),  # which is imported only when it is needed
        ("SIZE = 1", "SIZE = 2"),
        ("pt.shared_words", "pt.project"),
    ],
)
def test_a_method_typed_into_a_notebook_enters_by_its_source(old, new, typed):
    assert any(old in source for source in [TYPED, *OWN.values()])
    assert typed() != typed(change=(old, new))


@pytest.mark.parametrize("kind", KINDS)
def test_of_any_kind_fields_and_code_count_and_comments_do_not(kind, typed):
    known = typed(kind)
    assert known != typed(kind, ridge=0.2)
    assert known != typed(kind, ("return 0", "return 1"))
    assert known == typed(kind)
    for same in [
        ("# a comment", "# a\n        # b"),
        ('"Doc."', '"Other."'),
        ('    "Doc."\n', ""),
        ("1, 1\n", "2, 2\n"),
    ]:
        assert known == typed(kind, same), same


def test_kinds_are_told_apart(typed):
    assert len({str(typed(kind)) for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("kind", ["plain", "of the library's"])
def test_a_reader_s_own_file_enters_with_what_it_imports(kind, tmp_path, monkeypatch):
    """From its own package, from files beside it, and from this library."""
    monkeypatch.syspath_prepend(tmp_path)
    head, body = KINDS[kind]
    files = OWN | {
        "methods/mine": TYPED.replace("HEAD", head).replace("BODY", body).replace("IMPORT", "import ptlib as pt"),
        "methods/__init__": "NEAR = 1\n",
    }

    def settings(old="\0", new="", **options):
        write_package(tmp_path / "own", files, (old, new))
        own = importlib.import_module("own.methods.mine")
        return keys.settings_of(own.Mine(**options))

    known = settings()
    assert known == settings('"Doc."', '"Other words."')
    for change in [("x + 1", "x + 2"), ("ONE = 111", "ONE = 112"), ("NEAR = 1", "NEAR = 2"), ("x * 1111", "x * 1112")]:
        assert known != settings(*change), change
    assert known != settings(ridge=0.2)
    assert {"ptlib", "ptlib.carrying.search", "ptlib.keeping.files"} <= set(keys.reach("own.methods.mine"))
    assert not {"torch", "dataclasses"} & set(keys.reach("own.methods.mine"))
    forget("own")


def test_a_file_that_is_changed_and_read_again_counts_as_it_is_now(tmp_path, monkeypatch):
    """As while one works in a notebook: what is in memory decides."""
    monkeypatch.syspath_prepend(tmp_path)
    write_package(tmp_path / "own", OWN)
    taken = importlib.import_module("own.taken")
    before = keys.settings_of(taken.taken)
    (tmp_path / "own" / "taken.py").write_text("def taken(x):\n    return x * 222\n", encoding="utf-8")
    assert keys.settings_of(importlib.reload(taken).taken) != before
    forget("own")


def test_a_key_is_the_same_in_every_process(tmp_path):
    """Addresses, and the order of sets, are not."""
    write_package(tmp_path / "own", OWN)
    head, body = KINDS["data class"]
    source = TYPED.replace("HEAD", head).replace("BODY", body).replace("IMPORT", "import ptlib as pt")
    script = tmp_path / "script.py"
    script.write_text(f"{source}\nfrom ptlib.keeping import keys\nprint(keys.key_of(Mine(), code='ptlib.errors'))\n")
    run = [sys.executable, str(script)]
    seeds = ({"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)} for seed in ("1", "2"))
    found = {subprocess.run(run, env=os.environ | seed, capture_output=True, check=True).stdout for seed in seeds}
    assert len(found) == 1


@pytest.mark.parametrize("thing", [(one for one in ()), threading.Lock(), [[]]])
def test_what_cannot_be_written_down_is_refused(thing):
    if isinstance(thing, list):
        thing.append(thing)
    with pytest.raises(pt.PromptError, match="cannot be part of what a result is kept under"):
        keys.key_of(thing, code=table.__name__)


@dataclass(frozen=True)
class Doubled:
    """A method whose code a table must know."""

    label = "doubled"
    times: float = 2.0

    def __call__(self, sources, target):
        return sum(source.weight * source.vectors for source in sources) * self.times


def test_a_table_knows_a_method_by_its_code_and_fields():
    plan = table.Plan((pt.relation("P36"),), (0,), 5, pt.Settings(), (), "folder")
    cells = [table.Cell(*["pocket/bert-small"] * 2, "name", entry) for entry in (Doubled(), Doubled(3.0), pt.Copy())]
    assert len({table._key(cell, plan) for cell in cells}) == 3
