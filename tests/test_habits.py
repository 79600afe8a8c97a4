"""What the project promises about itself in several places is the same in all of them."""

import re
import runpy
import tomllib

import yaml

import ptlib
from book.runner.pages import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
JOBS = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8"))["jobs"]


def test_one_version():
    assert PROJECT["dynamic"] == ["version"]
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == ptlib.__version__
    assert f"## {ptlib.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_bound_is_a_lower_one_and_is_tried():
    lines = runpy.run_path(str(ROOT / ".ci" / "lowest.py"))["lowest"]()
    extras = PROJECT["optional-dependencies"].values()
    assert len(lines) == len(PROJECT["dependencies"]) + sum(map(len, extras))
    assert all(re.fullmatch(r"[\w-]+==\d+(\.\d+)*", line) for line in lines)
    assert any(".ci/lowest.py" in step.get("run", "") for step in JOBS["lowest"]["steps"])


def test_the_pythons_that_are_named_are_those_that_are_tried():
    named = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", line)]
    assert JOBS["pythons"]["strategy"]["matrix"]["python"] == named
    assert PROJECT["requires-python"] == f">={named[0]}"


def test_a_page_is_published_only_after_every_test():
    tests = set(JOBS) - {"book", "publish"}
    assert set(JOBS["book"]["needs"]) == tests
    assert JOBS["publish"]["needs"] == "book"


def test_linters_and_types_are_looked_at_before_a_commit_as_in_make_test():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8")
    for hook in hooks:
        assert hook["entry"].replace(".venv", "$(VENV)").replace(" --force-exclude", "") in recipe


def test_a_module_that_the_tests_hardly_run_is_named(tmp_path):
    import subprocess
    import sys

    (tmp_path / "seen.py").write_text("a = 1\n", encoding="utf-8")
    (tmp_path / "hardly.py").write_text("import seen\nif seen.a > 1:\n" + "    seen.a += 1\n" * 8, encoding="utf-8")
    run = {"cwd": tmp_path, "capture_output": True, "text": True, "check": False}
    subprocess.run([sys.executable, "-m", "coverage", "run", "hardly.py"], **run)
    done = subprocess.run([sys.executable, str(ROOT / ".ci" / "floor.py")], **run)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["hardly.py: the tests run 20 % of it; at least 90 % are wanted"]
