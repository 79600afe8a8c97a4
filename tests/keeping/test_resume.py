"""A sweep that is killed goes on where it was, and ends with exactly the results of an undisturbed one."""

import os
import signal
import subprocess
import sys
import time
from itertools import count

import pytest
import torch
from safetensors.torch import load_file

import ptlib as pt
from ptlib.keeping.resume import Journal
from ptlib.keeping.store import Store
from ptlib.tuning.descent import Descent
from ptlib.tuning.gradients import Gradients

SETTINGS = pt.Settings(steps=12, rows=4)
NAMES = ("P36", "P19", "P1303")
SEEDS = (0, 1)
TEXT = "name the language that the person spoke first as a child"


class KilledError(BaseException):
    """Nothing in the library catches it, as nothing catches a kill."""


def after(calls, function):
    """A function that is killed when it is called for the last of so many times."""
    made = count(1)

    def call(*arguments, **options):
        if next(made) == calls:
            raise KilledError
        return function(*arguments, **options)

    return call


def free(lm, tasks, cache):
    return pt.tune_many(lm, tasks, seeds=SEEDS, settings=SETTINGS, cache=cache, progress=False)


def toward(lm, tasks, cache):
    return pt.tune_toward(lm, tasks, [TEXT, "banana"], gammas=(0, 1), settings=SETTINGS, cache=cache, progress=False)


def in_words(lm, tasks, cache):
    words = pt.shared_words(lm)[::20]
    found = pt.tune_words(lm, tasks, words=words, settings=pt.WordSettings(steps=12), cache=cache, progress=False)
    return {name: prompt.on(lm) for name, prompt in found.items()}


@pytest.fixture(scope="module")
def tasks():
    return [pt.relation(name) for name in NAMES]


@pytest.fixture(autouse=True)
def every_step(monkeypatch):
    """A state after each step, not each minute."""
    monkeypatch.setattr(Journal, "seconds", 0.0)


def assert_equal(found, wanted):
    assert found.keys() == wanted.keys()
    for name, prompt in wanted.items():
        assert torch.equal(found[name].vectors, prompt.vectors), name


@pytest.mark.parametrize("sweep", [free, toward, in_words])
@pytest.mark.parametrize(("place", "calls"), [("steps", 1), ("steps", 8), ("put", 1), ("put", 3)])
def test_a_sweep_that_is_killed_ends_as_an_undisturbed_one(sweep, place, calls, bert, tasks, tmp_path, monkeypatch):
    undisturbed = sweep(bert, tasks, tmp_path / "undisturbed")
    cache = tmp_path / "killed"
    with monkeypatch.context() as kill:
        if place == "steps":
            kill.setattr(Gradients, "at", after(calls, Gradients.at))
        else:
            kill.setattr(Store, "put", after(calls, Store.put))
        with pytest.raises(KilledError):
            sweep(bert, tasks, cache)
    assert list(cache.glob("*.part.safetensors"))
    assert_equal(sweep(bert, tasks, cache), undisturbed)
    assert not list(cache.glob("*.part.safetensors"))


def test_only_the_steps_that_are_left_are_made(bert, tasks, tmp_path, monkeypatch):
    made, step = [], Descent.step
    monkeypatch.setattr(Descent, "step", lambda run, number: (made.append(number), step(run, number)))
    with monkeypatch.context() as kill:
        kill.setattr(Descent, "step", after(8, Descent.step))
        with pytest.raises(KilledError):
            free(bert, tasks, tmp_path)
    free(bert, tasks, tmp_path)
    assert made == list(range(12))


def test_what_others_kept_meanwhile_does_not_change_what_is_made_together(bert, tasks, tmp_path, monkeypatch):
    undisturbed = free(bert, tasks, tmp_path / "undisturbed")
    with monkeypatch.context() as kill:
        kill.setattr(Descent, "step", after(5, Descent.step))
        with pytest.raises(KilledError):
            free(bert, tasks, tmp_path / "killed")
    free(bert, tasks[:1], tmp_path / "killed")
    assert_equal(free(bert, tasks, tmp_path / "killed"), undisturbed)


SCRIPT = """
import sys
import ptlib as pt
from ptlib.keeping.resume import Journal
Journal.seconds = 0.0
lm, tasks = pt.load("pocket/bert-small", device="cpu"), [pt.relation(name) for name in ("P36", "P19", "P1303")]
settings, words = pt.Settings(steps=30), pt.shared_words(lm)[::20]
options = {"cache": sys.argv[1], "progress": False}
print("begun", flush=True)
pt.tune_many(lm, tasks, seeds=range(2), settings=settings, **options)
pt.tune_toward(lm, tasks, ["name the city", "banana"], gammas=(0, 1), settings=settings, **options)
pt.tune_words(lm, tasks, words=words, settings=pt.WordSettings(steps=30), **options)
print("done", flush=True)
"""


def test_a_process_that_is_killed_loses_nothing(tmp_path):
    """SIGKILL, which leaves a process no time to tidy up, at whatever it is doing then; each kind of sweep in turn."""
    caches = [tmp_path / name for name in ("undisturbed", "killed")]
    subprocess.run([sys.executable, "-c", SCRIPT, caches[0]], check=True, capture_output=True)
    for patience in (0.5, 1.0, 1.5):  # seconds; each goes on where the one before it was killed
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, caches[1]], stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "begun\n"
        time.sleep(patience)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    subprocess.run([sys.executable, "-c", SCRIPT, caches[1]], check=True, capture_output=True)
    kept = [{path.name: load_file(path)["tensor"] for path in cache.glob("*.safetensors")} for cache in caches]
    assert len(kept[0]) == 2 * 3 + 3 * 2 * 2 + 3
    assert kept[1].keys() == kept[0].keys()
    assert all(torch.equal(kept[1][name], tensor) for name, tensor in kept[0].items())


def test_nothing_is_kept_without_a_folder(bert, tasks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    free(bert, tasks[:1], None)
    assert not list(tmp_path.iterdir())
