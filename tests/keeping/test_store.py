"""Stores outlive what happens to files: each damaged one is put aside with one line, and made anew."""

import os
import platform
import re
import stat
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import ptlib as pt
from book.runner.pages import ROOT
from ptlib.carrying import table
from ptlib.keeping import files
from ptlib.keeping.resume import Journal
from ptlib.tuning.gradients import Gradients

SETTINGS, IN_WORDS, WORDS = pt.Settings(steps=3, rows=1), pt.WordSettings(steps=3, rows=1), ("the", "capital", "of")


def free(lm, task, cache):
    return pt.tune_many(lm, [task], length=2, settings=SETTINGS, cache=cache, progress=False)["P36", 0].vectors


def toward(lm, task, cache):
    (prompt,) = pt.tune_toward(
        lm, [task], ["the city"], gammas=(1,), settings=SETTINGS, cache=cache, progress=False
    ).values()
    return prompt.vectors


def in_words(lm, task, cache):
    options = {"length": 2, "words": WORDS, "settings": IN_WORDS, "cache": cache, "progress": False}
    return pt.tune_words(lm, task, **options)["P36", 0].shares


def scores(lm, task, cache):
    """Of the manual template, which needs no tuning; one process, this one."""
    options = {"seeds": (0,), "cache": cache, "engine": "sequential", "workers": 1, "progress": False}
    return torch.tensor(pt.transfer_table([lm], [task], {"manual": "manual"}, **options)["accuracy"].to_numpy())


@pytest.fixture
def short(capital):
    return replace(capital, train=capital.train[:6], test=capital.test[:6])


MAKERS = pytest.mark.parametrize("make", [free, toward, in_words, scores])


def about(file):
    tensors, said = files.load_tensors(file, kind=kind_of(file))
    return tensors, said


def kind_of(file):
    return re.search(rb'"ptlib ([a-z ]+) 1"', file.read_bytes())[1].decode()


def rewritten(file, tensors=None, said=None, kind=None):
    """The same file with something else in it."""
    kept, described = about(file)
    kind = kind or kind_of(file)
    file.unlink()
    files.save_tensors(file, kept if tensors is None else tensors(kept), described if said is None else said, kind=kind)


def other_tensor(file, change):
    rewritten(file, tensors=lambda kept: {name: change(tensor) for name, tensor in kept.items()})


def folder(file):
    file.unlink()
    (file / "inside").mkdir(parents=True)


DAMAGES = {
    "empty": lambda file: file.write_bytes(b""),
    **{
        f"cut at {n} %": lambda file, n=n: file.write_bytes(file.read_bytes()[: os.path.getsize(file) * n // 100])
        for n in (1, 5, 20, 50, 90, 99)
    },
    "one byte short": lambda file: file.write_bytes(file.read_bytes()[:-1]),
    "random bytes": lambda file: file.write_bytes(torch.arange(3000).mul(7919).byte().numpy().tobytes()),
    "no safetensors": lambda file: file.write_text("{}"),
    "of another program": lambda file: save_file({"tensor": torch.ones(2, 2)}, file),
    "of another kind": lambda file: rewritten(file, kind="bag of words"),
    "no description": lambda file: rewritten(file, said={}),
    "one dimension": lambda file: other_tensor(file, lambda tensor: torch.ones(3)),
    "three dimensions": lambda file: other_tensor(file, lambda tensor: tensor[None]),
    "another shape": lambda file: other_tensor(file, lambda tensor: torch.ones(7, 3)),
    "other names": lambda file: rewritten(file, tensors=lambda kept: {f"{name}s": one for name, one in kept.items()}),
    "a folder": folder,
}


def damaged(made, cache):
    """What is made from a cache with a damaged file, which must give a warning of one line."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = made()
    (line,) = [str(warning.message) for warning in said]
    assert "\n" not in line
    assert "made anew" in line
    assert len(list(cache.glob("*.damaged"))) == 1
    return found


@MAKERS
def test_what_was_kept_and_is_damaged_is_made_anew(make, bert, short, tmp_path):
    whole = make(bert, short, tmp_path)
    (file,) = tmp_path.glob("*.safetensors")
    for name, damage in DAMAGES.items():
        if name == "no description" and make is scores:
            continue  # there is nothing to describe
        damage(file)
        assert torch.equal(damaged(lambda: make(bert, short, tmp_path), tmp_path), whole), name
        assert file.is_file(), name
        for aside in tmp_path.glob("*.damaged"):
            aside.rename(tmp_path.parent / f"{make.__name__} {name}")
    assert torch.equal(make(bert, short, tmp_path), whole)


class KilledError(BaseException):
    """Nothing in the library catches it, as nothing catches a kill."""


def killed(make, lm, task, cache, monkeypatch):
    """The journal of a run that was killed in its third step."""

    def at(gradients, step, vectors, original=Gradients.at):
        if step == 2:
            raise KilledError
        return original(gradients, step, vectors)

    with monkeypatch.context() as patch:
        patch.setattr(Gradients, "at", at)
        with pytest.raises(KilledError):
            make(lm, task, cache)
    (file,) = cache.glob("*.part.safetensors")
    return file


JOURNALS = {
    **{name: DAMAGES[name] for name in DAMAGES if name != "no description"},
    "steps that are none": lambda file: rewritten(file, said={"work": about(file)[1]["work"], "steps": "many"}),
    "steps beyond the last": lambda file: rewritten(file, said={"work": about(file)[1]["work"], "steps": 4}),
    "steps below none": lambda file: rewritten(file, said={"work": about(file)[1]["work"], "steps": -1}),
    "work that is none": lambda file: rewritten(file, said={"work": 3, "steps": 2}),
    "no work": lambda file: rewritten(file, said={"steps": 2}),
}


@pytest.mark.parametrize("make", [free, toward, in_words])
def test_a_journal_that_is_damaged_is_begun_anew(make, bert, short, tmp_path, monkeypatch):
    monkeypatch.setattr(Journal, "seconds", 0.0)
    whole = make(bert, short, None)
    for place, (name, damage) in enumerate(JOURNALS.items()):
        cache = tmp_path / str(place)
        damage(killed(make, bert, short, cache, monkeypatch))
        assert torch.equal(damaged(lambda cache=cache: make(bert, short, cache), cache), whole), name
        assert not list(cache.glob("*.part.safetensors")), name


def test_a_journal_of_other_work_is_not_gone_by(bert, short, tmp_path, monkeypatch):
    monkeypatch.setattr(Journal, "seconds", 0.0)
    whole = free(bert, short, None)
    file = killed(free, bert, short, tmp_path, monkeypatch)
    rewritten(file, said={"work": ["other"], "steps": 2})
    assert torch.equal(free(bert, short, tmp_path), whole)


@MAKERS
def test_a_disk_that_is_full_or_cannot_be_written_to_is_one_line(make, bert, short, tmp_path, monkeypatch):
    place = tmp_path / "a file"
    place.write_text("where the cache should be")
    with pytest.raises(pt.PromptError, match=r"cannot be written \(.*\); make room, or name another") as caught:
        make(bert, short, place)
    assert "\n" not in str(caught.value)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(pt.PromptError, match="No space left on device"):
        make(bert, short, tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == []


def test_a_real_full_device_is_one_line(bert, short):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(pt.PromptError, match="cannot be written"):
        files.write_atomically(Path("/dev/full/x"), lambda path: path.write_text("x"))


def test_a_damaged_file_that_cannot_be_moved_is_one_line(bert, short, tmp_path, monkeypatch):
    free(bert, short, tmp_path)
    (file,) = tmp_path.glob("*.safetensors")
    file.write_bytes(b"")
    monkeypatch.setattr(files.os, "replace", lambda *_: (_ for _ in ()).throw(OSError(30, "Read-only file system")))
    with pytest.raises(pt.PromptError, match=r"cannot be moved away .*Read-only file system.*: remove it"):
        free(bert, short, tmp_path)


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_files_have_the_permissions_that_the_umask_gives(mask, mode, bert, short, tmp_path):
    before = os.umask(mask)
    try:
        prompt = pt.random_prompt(bert, short, template="[V] [S][X] [Y]")
        prompt.save(tmp_path / "prompt.safetensors")
        pt.save_adapter(prompt, bert, tmp_path / "adapter")
        table.Scores(torch.ones(1, 1).numpy()).save(tmp_path / "scores.safetensors")
    finally:
        os.umask(before)
    made = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(made) == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {mode}


def test_a_tilde_is_the_home_folder(bert, short, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PTLIB_CACHE", "~/kept")
    assert pt.keeping.default_cache() == tmp_path / "kept"
    prompt = pt.random_prompt(bert, short, template="[V] [S][X] [Y]")
    prompt.save("~/made/prompt.safetensors")
    assert torch.equal(pt.load_prompt("~/made/prompt.safetensors").vectors, prompt.vectors)
    pt.save_adapter(prompt, bert, "~/adapter")
    pt.save_adapter(prompt, bert, "~/adapter")
    assert torch.equal(pt.load_adapter("~/adapter", bert).vectors, prompt.vectors)
    for make in (free, in_words, scores):
        make(bert, short, "~/cache")
    pt.transfer_table([bert], [short], {"manual": "manual"}, engine="sequential", workers=1, progress=False)
    assert {path.name for path in tmp_path.iterdir()} == {"made", "adapter", "cache", "kept"}


@pytest.mark.parametrize("path", ["~nobody-of-this-name/x", "a\0b"])
def test_what_no_path_can_be_is_one_line(path, bert, short):
    prompt = pt.random_prompt(bert, short, template="[V] [S][X] [Y]")
    for use in (
        prompt.save,
        pt.load_prompt,
        lambda path: free(bert, short, path),
        lambda path: pt.save_adapter(prompt, bert, path),
        lambda path: pt.load_adapter(path, bert),
        pt.read_lama,
        lambda path: pt.read_classification(path, "sst2"),
        lambda path: pt.relation("P36", folder=path),
    ):
        with pytest.raises(pt.PromptError, match=r"\A[^\n\0]*(home directory|null character)[^\n\0]*\Z"):
            use(path)


def test_a_cache_without_a_name_is_no_folder(bert, short):
    with pytest.raises(pt.PromptError, match="a cache without a name; give a folder, or None"):
        pt.tune_many(bert, [short], settings=pt.Settings(steps=1), cache="", progress=False)


def test_a_name_that_is_too_long_or_none_is_one_line(bert, short, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pt.PromptError, match="File name too long"):
        free(bert, short, tmp_path / ("x" * 300))
    for nothing in ("", ".", "/"):
        with pytest.raises(pt.PromptError, match="a folder, and no name of a file in it; give one"):
            pt.random_prompt(bert, short).save(nothing)
    assert not list(tmp_path.iterdir())


def test_what_killed_writes_left_is_cleared(bert, short, tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    here, there = platform.node(), "another-machine"
    left = {
        f".a.{gone.pid}-01234567-{here}.tmp": False,
        f".b.{os.getpid()}-01234567-{here}.tmp": True,  # is being written
        f".c.{gone.pid}-01234567-{there}.tmp": True,  # who knows
        f".d.{gone.pid}-01234567-{there}.tmp": False,  # too old to be
        f".e.{os.getpid()}-01234567-{here}.tmp": False,  # likewise: another process has the number now
        ".f.tmp": True,  # somebody else's
    }
    for name in left:
        (tmp_path / name).write_bytes(b"half")
        if name[1] in "de":
            long_ago = time.time() - files.LONGEST_WRITE - 60
            os.utime(tmp_path / name, (long_ago, long_ago))
    free(bert, short, tmp_path)
    assert {path.name for path in tmp_path.glob(".*")} == {name for name, stays in left.items() if stays}


WRITING = """
import itertools, sys, torch
from pathlib import Path
from ptlib.keeping.files import save_tensors
for steps in itertools.cycle((9, 10)):
    save_tensors(Path(sys.argv[1]), {"leaf": torch.full((50,), float(steps))}, {"steps": steps}, kind="journal")
"""


def test_what_is_replaced_while_it_is_read_is_read_from_one_state(tmp_path):
    """As the journal of a descent that another process makes too: its head and its numbers belong together."""
    path, seen = tmp_path / "a.part.safetensors", set()
    run = [sys.executable, "-c", WRITING, path]
    with subprocess.Popen(run, env=os.environ | {"PYTHONPATH": str(ROOT)}) as writer:
        try:
            while not path.exists():
                assert writer.poll() is None
            for _ in range(2_000):
                tensors, about = files.load_tensors(path, kind="journal")
                assert (tensors["leaf"] == about["steps"]).all()
                seen.add(about["steps"])
        finally:
            writer.kill()
    assert seen == {9, 10}


TWICE = """
import sys
import ptlib as pt
from ptlib.keeping.resume import Journal
Journal.seconds = 0.0
lm, tasks = pt.load("pocket/bert-small", device="cpu"), [pt.relation("P36")]
print("begun", flush=True)
sys.stdin.readline()
pt.tune_many(lm, tasks, length=2, settings=pt.Settings(steps=20), cache=sys.argv[1], progress=False)
"""


def test_two_processes_may_make_the_same_at_once(bert, capital, tmp_path):
    """One prompt, since of several a process may find some made, and a smaller batch rounds otherwise."""
    run, environment = [sys.executable, "-W", "error", "-c", TWICE, tmp_path], os.environ | {"PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    both = [subprocess.Popen(run, **pipes) for _ in range(2)]
    assert [process.stdout.readline() for process in both] == ["begun\n"] * 2
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        process.communicate()
    assert [process.returncode for process in both] == [0, 0]
    options = {"length": 2, "settings": pt.Settings(steps=20)}
    alone = pt.tune(bert, capital, **options)
    kept = pt.tune(bert, capital, cache=tmp_path, **options)
    # Last digits may differ from process to process; a state that is not one of the descent's is farther off.
    torch.testing.assert_close(kept.vectors, alone.vectors, rtol=0, atol=0.005)
    assert len(list(tmp_path.iterdir())) == 1
