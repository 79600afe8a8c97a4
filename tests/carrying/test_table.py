import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

import numpy as np
import psutil
import pytest
from distributed import Client, LocalCluster

import ptlib as pt
from ptlib.carrying import table
from ptlib.carrying.workers import GIVE_WAY

MODELS = ("pocket/bert-small", "pocket/albert-small")
METHODS = {
    "closed form": pt.ClosedForm(),
    "copy": pt.Copy(),
    "words": pt.WordSettings(steps=5),
    "random": "random",
    "manual": "manual",
    "tuned": "tuned",
}


@pytest.fixture
def options(tmp_path):
    return {"seeds": (0, 1), "settings": pt.Settings(steps=5), "cache": tmp_path, "progress": False}


@pytest.fixture(scope="module")
def tasks():
    return [pt.relation("P36"), pt.relation("P103")]


def here(options):
    """All in this process."""
    return options | {"engine": "sequential", "workers": 1}


def test_the_table_holds_what_single_calls_give(lms, tasks, options):
    found = pt.transfer_table(MODELS, tasks, METHODS, **here(options))
    bert, albert = lms["bert-small"], lms["albert-small"]
    prompts = pt.tune_many(bert, tasks, seeds=(0, 1), settings=pt.Settings(steps=5), progress=False)
    expected = {
        ("pocket/bert-small", "closed form"): pt.transfer_many(prompts, bert, albert),
        ("pocket/albert-small", "random"): {
            (task.name, seed): pt.random_prompt(albert, task, seed=seed) for task in tasks for seed in (0, 1)
        },
    }
    rows = found[found.target == "pocket/albert-small"]
    for (source, method), moved in expected.items():
        part = rows[(rows.source == source) & (rows.method == method)]
        scores = part.pivot(index="seed", columns="task", values="accuracy")[[task.name for task in tasks]]
        assert np.array_equal(scores.to_numpy(), pt.scoring.accuracy_by_seed(albert, tasks, moved, quick=True))
    manual = rows[(rows.method == "manual") & (rows.seed == 0)].set_index("task").accuracy
    assert manual["P36"] == pt.accuracy(albert, tasks[0]).value
    pairs = found.groupby("method").apply(lambda part: len(part[["source", "target"]].drop_duplicates()))
    assert dict(pairs) == {"closed form": 4, "copy": 2, "words": 4, "random": 2, "manual": 2, "tuned": 2}


def test_models_that_are_there_are_not_loaded_again(lms, tasks, options, monkeypatch):
    monkeypatch.setattr(table, "_models", {})
    monkeypatch.setattr(table, "load", lambda name: pytest.fail(f"{name} was loaded"))
    found = pt.transfer_table([lms["bert-small"]], tasks, {"manual": "manual"}, **here(options))
    assert set(found.source) == {"pocket/bert-small"}


def test_nothing_is_computed_twice(tasks, options, monkeypatch):
    """After a kill midway: what was finished is taken as it is."""
    computed = []
    compute = table._compute

    def dying(cells, *others):
        if len(computed) >= 3:
            raise KeyboardInterrupt
        return noting(cells, *others)

    def noting(cells, *others):
        computed.extend(cells)
        return compute(cells, *others)

    methods = {"closed form": pt.ClosedForm(), "procrustes": pt.Procrustes()}
    monkeypatch.setattr(table, "_compute", dying)
    with pytest.raises(KeyboardInterrupt):
        pt.transfer_table(MODELS, tasks, methods, **here(options))
    assert len(computed) == 4
    monkeypatch.setattr(table, "_compute", noting)
    resumed = pt.transfer_table(MODELS, tasks, methods, **here(options))
    assert len(computed) == len(set(computed)) == 8
    assert len(resumed) == 8 * 2 * 2
    assert resumed.equals(pt.transfer_table(MODELS, tasks, methods, **here(options)))
    assert len(computed) == 8


@pytest.mark.parametrize("fewest", [1, 4, 30])
def test_pieces_hold_each_cell_once_and_one_pair_each(fewest):
    methods = {"closed form": pt.ClosedForm(), "procrustes": pt.Procrustes(), "random": "random"}
    cells = list(table._cells(MODELS, MODELS, methods))
    pieces = table._pieces(cells, fewest)
    assert sorted(repr(cell) for piece in pieces for cell in piece) == sorted(map(repr, cells))
    assert all(len({(cell.source, cell.target) for cell in piece}) == 1 for piece in pieces)
    assert len(pieces) >= min(fewest, len(cells))
    targets = [piece[0].target for piece in pieces]
    assert targets == sorted(targets)


def test_whatever_a_cell_depends_on_changes_its_key(tasks):
    plan = table.Plan(tuple(tasks), (0, 1), 5, pt.Settings(), (), "folder")
    cell = table.Cell(*MODELS, "name", pt.ClosedForm())
    others = [
        (table.Cell(MODELS[1], MODELS[0], "name", pt.ClosedForm()), plan),
        (table.Cell(*MODELS, "name", pt.ClosedForm(ridge=0.1)), plan),
        (table.Cell(*MODELS, "name", pt.Procrustes()), plan),
        (cell, table.Plan(tuple(tasks[:1]), (0, 1), 5, pt.Settings(), (), "folder")),
        (cell, table.Plan(tuple(tasks), (0,), 5, pt.Settings(), (), "folder")),
        (cell, table.Plan(tuple(tasks), (0, 1), 5, pt.Settings(steps=7), (), "folder")),
    ]
    assert len({table._key(*parts) for parts in [(cell, plan), *others]}) == 7
    renamed = table.Cell(*MODELS, "other name", pt.ClosedForm())
    assert table._key(renamed, plan) == table._key(cell, plan)


@pytest.mark.filterwarnings("ignore")  # what a cluster says when a worker dies
def test_a_cluster_survives_the_death_of_a_worker(tasks, options):
    methods = {"closed form": pt.ClosedForm(), "procrustes": pt.Procrustes(), "linear map": pt.LinearMap()}
    cells = 3 * 4
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        victims = client.run(os.getpid)

        def kill_one():
            while len(list(options["cache"].glob("*.safetensors"))) < 2 * 2 * len(MODELS) + 2:
                time.sleep(0.02)
            os.kill(next(iter(victims.values())), signal.SIGKILL)

        killer = threading.Thread(target=kill_one)
        killer.start()
        on_cluster = pt.transfer_table(MODELS, tasks, methods, **options, engine="dask")
        killer.join()
    assert len(on_cluster) == cells * 2 * 2
    again = pt.transfer_table(MODELS, tasks, methods, **here(options | {"cache": options["cache"] / "other"}))
    merged = on_cluster.merge(again, on=["source", "target", "method", "task", "seed"])
    assert len(merged) == len(again)
    assert (merged.accuracy_x - merged.accuracy_y).abs().max() < 0.05


LONG = """
import sys
import ptlib as pt
settings = pt.Settings(steps=100_000)
options = {"seeds": (0,), "settings": settings, "cache": sys.argv[1], "workers": 2, "progress": False}
pt.transfer_table(["pocket/bert-small", "pocket/gpt2-small"], [pt.relation("P36")], {"copy": pt.Copy()}, **options)
"""


def test_workers_give_way_and_end_when_the_process_that_they_work_for_is_killed(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", LONG, tmp_path], env=os.environ | {"PYTHONPATH": os.getcwd()})
    try:
        give_up = time.monotonic() + 120
        while not list(tmp_path.glob("*.part.safetensors")) and time.monotonic() < give_up:
            time.sleep(0.1)
        workers = [
            child for child in psutil.Process(process.pid).children(recursive=True) if "Loky" in str(child.cmdline())
        ]
        nicest = max(worker.nice() for worker in workers)
        usual = psutil.Process(process.pid).nice()
    finally:
        process.kill()
        process.wait()
    assert workers
    assert nicest == min(usual + GIVE_WAY, 19)
    _, left = psutil.wait_procs(workers, timeout=60)
    for worker in left:
        worker.kill()
    assert not left


class Halved:
    """A reader's own method: no data class, and equal to nothing but itself."""

    label = "halved"

    def __init__(self, by):
        self.by = by

    def __call__(self, sources, target):
        return pt.LinearMap()(sources, target) / self.by


@dataclass
class Mutable:
    """One that cannot be hashed."""

    label = "mutable"
    by: float = 2.0

    def __call__(self, sources, target):
        return Halved(self.by)(sources, target)

    def fits(self, source, target):
        return source is not target


@pytest.mark.parametrize("engine", ["sequential", "loky"])
def test_a_method_of_a_reader_s_own(tasks, options, engine):
    methods = {"halved": Halved(2.0), "mutable": Mutable(), "map": pt.LinearMap()}
    workers = {"engine": engine, "workers": 1 if engine == "sequential" else 2}
    found = pt.transfer_table(MODELS, tasks[:1], methods, **options | {"seeds": (0,)} | workers)
    assert found.method.value_counts().to_dict() == {"halved": 4, "map": 4, "mutable": 2}
    assert found.equals(pt.transfer_table(MODELS, tasks[:1], methods, **here(options | {"seeds": (0,)})))
    apart = found[found.source != found.target].pivot(index="source", columns="method", values="accuracy")
    assert (apart["halved"] == apart["mutable"]).all()


def test_unknown_methods_are_named(tasks, options):
    with pytest.raises(pt.PromptError, match="unknown method 'magic'; in words there are manual, random, tuned"):
        pt.transfer_table(MODELS, tasks, {"magic": "magic"}, **here(options))
