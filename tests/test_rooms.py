"""The house: rooms in an order, things in rooms, and few names at the door."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ptlib as pt
from book.runner.pages import ROOT

LIBRARY = ROOT / "ptlib"
ORDER = ("keeping", "models", "tasks", "prompts", "scoring", "tuning", "carrying", "reading", "book", "pocket")
BASE = ("errors",)  # beside the rooms, below all of them
SLOW = ("matplotlib", "IPython", "pandas", "scipy", "joblib", "datasets")


def modules():
    return sorted(path for path in LIBRARY.rglob("*.py") if path.parent != LIBRARY)


def imported(path):
    """What a file imports from the library, by full name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("ptlib"))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ptlib"):
            yield node.module if node.module != "ptlib" else f"ptlib.{node.names[0].name}"


def test_the_rooms_are_those_that_are_named():
    assert {path.name for path in LIBRARY.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(ORDER)
    assert {path.stem for path in LIBRARY.glob("*.py")} == {"__init__", *BASE}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(LIBRARY)))
def test_no_room_imports_from_one_above_it(path):
    here = ORDER.index(path.relative_to(LIBRARY).parts[0])
    for name in imported(path):
        room = name.split(".")[1]
        assert room in BASE or ORDER.index(room) <= here, f"{name} stands above"


def test_no_circle():
    """Within rooms too: every module can come after all that it imports."""
    below = {
        f"ptlib.{'.'.join(path.relative_to(LIBRARY).with_suffix('').parts)}": set(imported(path)) for path in modules()
    }
    below = {name: found & below.keys() for name, found in below.items() if not name.endswith("__init__")}
    while free := {name for name, found in below.items() if not found & below.keys()}:
        below = {name: found for name, found in below.items() if name not in free}
    assert not below


def test_the_door_of_a_room_holds_imports_alone():
    """So a change there cannot change a result, and need not count for what a result depends on."""
    for path in LIBRARY.glob("*/__init__.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body[1:]
        assert all(isinstance(node, ast.ImportFrom | ast.Assign) for node in body), path


def test_nothing_bears_the_name_of_a_public_function():
    functions = {name for room in ORDER[:-1] for name in getattr(pt, room).__all__ if name.islower()}
    places = {path.stem for path in LIBRARY.rglob("*.py")} | set(ORDER)
    assert not functions & places


def test_about_45_names_and_each_in_one_room():
    assert 40 <= len(pt.__all__) <= 50
    homes = {name: [room for room in ORDER[:-1] if name in getattr(pt, room).__all__] for name in pt.__all__}
    assert [name for name, rooms in homes.items() if len(rooms) != 1] == ["PromptError"]


def test_importing_the_library_imports_nothing_slow_beside_torch_and_transformers():
    before = (
        "import torch, sys; from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel"
    )
    script = f"{before}; seen = set(sys.modules); import ptlib; print(*set(sys.modules) - seen)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not {name.partition(".")[0] for name in done.stdout.split()} & set(SLOW)


def test_the_readme_says_truly_what_is_where():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `((?:ptlib|book|tests)/[^`]*)` \|", readme, re.MULTILINE)
    assert table
    assert [place for place in table if not Path(ROOT / place).exists()] == []
    assert {f"ptlib/{room}/" for room in ORDER} <= set(table)
