"""A result's key changes with everything that the result depends on, and with nothing else."""

import importlib
import sys
import textwrap
from dataclasses import dataclass

import numpy as np
import pytest
import torch

import ptlib as pt
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
REACHED = {"house.top", "house.middle", "house.rooms.low", "house.rooms.lowest", "house.late"}


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A package whose modules a test may change; the function gives the key of its top module as it is now."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "house" / "rooms").mkdir(parents=True)

    def write(**changed):
        for name, source in (FILES | changed).items():
            (tmp_path / "house" / f"{name}.py").write_text(source, encoding="utf-8")
        for cached in (keys.code_of, keys.reach, keys._tree, keys._source_file):
            cached.cache_clear()
        importlib.invalidate_caches()
        return keys.code_of("house.top")

    yield write
    for name in [name for name in sys.modules if name.partition(".")[0] == "house"]:
        del sys.modules[name]


def test_all_modules_that_are_reached_count(house):
    house()
    assert set(keys.reach("house.top")) == REACHED


@pytest.mark.parametrize("name", sorted(set(FILES) - {"__init__", "rooms/__init__", "other"}))
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
    with pytest.raises(pt.PromptError, match="a object cannot be part of"):
        keys.key_of(object(), code=table.__name__)


TYPED = """
    FACTOR = 2.0

    def helper(x):
        return x + 1

    class Base:
        def offset(self):
            return 0

    class Mine(Base):
        label = "mine"

        def __init__(self, ridge=0.1):
            self.ridge = ridge

        def __call__(self, sources, target):
            # a comment
            return [helper(FACTOR) for _ in sources] + [pt.shared_words]
"""


def typed(source, **options):
    """An object of a class that was typed in, as in a notebook."""
    scope = {"__name__": "__main__", "pt": pt}
    exec(textwrap.dedent(source), scope)
    return keys.settings_of(scope["Mine"](**options))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x + 1", "x + 2"),
        ("FACTOR = 2.0", "FACTOR = 3.0"),
        ("in sources]", "in sources[1:]]"),
        ("return 0", "return 1"),
    ],
)
def test_a_method_typed_into_a_notebook_enters_by_its_source(old, new):
    assert typed(TYPED) != typed(TYPED.replace(old, new))


def test_fields_count_and_comments_do_not():
    assert typed(TYPED) != typed(TYPED, ridge=0.2)
    assert typed(TYPED) == typed(TYPED.replace("# a comment", "# another\n            # and one more"))


def test_a_data_class_of_a_reader_s_own_file_enters_by_its_file(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_method.py").write_text(
        "from dataclasses import dataclass\n\n@dataclass\nclass Own:\n    ridge: float = 0.5\n", encoding="utf-8"
    )
    own = importlib.import_module("own_method")
    assert keys.settings_of(own.Own())[:3] == ["own_method", "Own", {"ridge": 0.5}]


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
