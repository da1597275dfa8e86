# /// script
# requires-python = ">=3.11"
# dependencies = ["optuna>=5,<6", "scipy", "typer", "rich", "psycopg2-binary"]
# ///
"""Runs a sweep of exactly N trials with several workers, on one machine or many, that survives killed workers.

    sweep.py objective.py --trials 200 --workers 4
    sweep.py objective.py --trials 200 --workers 4 --storage postgresql://user:password@host/sweeps --name digits

OBJECTIVE is a Python file with the search space, the objective, and optionally the directions:

    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    space = {"rate": FloatDistribution(1e-4, 1.0, log=True), "width": IntDistribution(8, 128, log=True)}
    directions = ["maximize"]                  # minimize by default; several for several objectives

    def objective(trial):                      # trial.params holds one value for each key of the space
        ...
        return accuracy                        # or a tuple; trial.report() and optuna.TrialPruned work as in Optuna

The trials are Optuna's. --sampler sobol (the default) takes quasi-random points, fixed by --seed; --sampler tpe lets
Optuna's model choose from what is finished, also from trials that sobol made under the same name.

The same command on another machine with the same PostgreSQL URL and name joins the sweep, and after an interruption it
goes on. SQLite is for one machine. Every trial is a slot that one worker takes; a worker that dies loses its running
trial only, whose slot is taken again when its heartbeat is two intervals old. An objective that raises fills its slot
with a failure and is not repeated.

Verdict: complete, or cannot-decide (all workers ended before the slots were filled; finished trials are kept).
Findings: failed-trials, all-trials-failed. A note names parameters whose best value lies at the edge of its range:
widen it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import math
import os
import random
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))

import typer
from dltools.report import CANNOT_DECIDE, Finding, Report, UnusableInput, answering, finish, help_text

TOOL = "sweep"
# the outer twentieth of a range, on its own scale, is its edge
EDGE = 0.05

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


class Surplus(Exception):
    """A trial that no slot needs: two workers took trials for one slot, or the queue was empty."""


def load_objective(path: Path) -> tuple[Mapping[str, Any], Any, list[str]]:
    """The space, the function and the directions of an objective file.

    Raises:
        UnusableInput: the file is missing, fails on import, or does not define what it must.
    """
    from optuna.distributions import BaseDistribution

    if not path.is_file():
        raise UnusableInput(f"there is no objective file {path}")
    spec = importlib.util.spec_from_file_location("sweep_objective", path)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UnusableInput(f"{path} fails on import: {type(error).__name__}: {error}") from None
    space, objective = getattr(module, "space", None), getattr(module, "objective", None)
    if not isinstance(space, dict) or not space or not all(isinstance(d, BaseDistribution) for d in space.values()):
        raise UnusableInput(f"{path}: `space` must map names to optuna.distributions, such as FloatDistribution(0, 1)")
    if not callable(objective):
        raise UnusableInput(f"{path}: there is no function `objective(trial)`")
    directions = list(getattr(module, "directions", ["minimize"]))
    if not directions or not set(directions) <= {"minimize", "maximize"}:
        raise UnusableInput(f"{path}: `directions` must hold 'minimize' or 'maximize', it is {directions}")
    return space, objective, directions


def sobol_points(space: Mapping[str, Any], count: int, seed: int) -> list[dict[str, Any]]:
    """The first `count` points of a scrambled Sobol sequence (Sobol 1967, Owen 1998); a longer one begins with them."""
    from scipy.stats import qmc

    sequence = qmc.Sobol(len(space), rng=seed).random_base2(max(1, math.ceil(math.log2(count))))
    return [
        {name: _at(distribution, float(u)) for u, (name, distribution) in zip(row, space.items(), strict=True)}
        for row in sequence[:count]
    ]


def _at(distribution: Any, u: float) -> Any:
    """The value of a distribution at u in [0, 1)."""
    from optuna.distributions import CategoricalDistribution, IntDistribution

    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(u * len(distribution.choices))]
    low, high, whole = distribution.low, distribution.high, isinstance(distribution, IntDistribution)
    # every whole number or step gets the same share, also the first and the last
    half = (distribution.step or 0) / 2
    low, high = low - half, high + half
    value = low * (high / low) ** u if distribution.log else low + u * (high - low)
    if distribution.step:
        value = distribution.low + round((value - distribution.low) / distribution.step) * distribution.step
    value = min(max(value, distribution.low), distribution.high)
    return int(value) if whole else value


def open_storage(url: str, heartbeat: int) -> Any:
    """Optuna's storage with heartbeats.

    Raises:
        UnusableInput: the database cannot be reached.
    """
    import sqlalchemy
    from optuna.exceptions import ExperimentalWarning
    from optuna.storages import RDBStorage

    # SQLAlchemy 2.1 takes another driver (psycopg 3) for the plain address
    url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg2://", url)
    options: dict[str, Any] = {"pool_pre_ping": True}
    if url.startswith("sqlite"):
        options = {"connect_args": {"timeout": 120}}
    for attempt in range(5):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                storage = RDBStorage(url, options, heartbeat_interval=heartbeat, grace_period=2 * heartbeat)
            break
        except ImportError as error:
            raise UnusableInput(f"--storage {url.split('@')[-1]}: {error}") from None
        except (sqlalchemy.exc.ArgumentError, sqlalchemy.exc.NoSuchModuleError):
            raise UnusableInput(
                "--storage: write sqlite:///FILE.db or postgresql://USER:PASSWORD@HOST/DATABASE"
            ) from None
        except sqlalchemy.exc.SQLAlchemyError as error:
            # several commands that start together on an empty database create the tables at the same time
            if attempt == 4:
                reason = " ".join(str(getattr(error, "orig", error)).split())
                raise UnusableInput(f"the storage cannot be opened: {reason}") from None
            time.sleep(0.5)
    if storage.engine.name == "sqlite":
        _serialise(storage.engine)
    return storage


def _serialise(engine: Any) -> None:
    """Makes SQLite take its write lock at the start of a transaction.

    Python's driver begins one only before the first write; a worker that reads "waiting" and writes "running" would let
    another one read "waiting" in between, and both would take the same trial.
    """
    from sqlalchemy import event

    engine.dispose()

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def open_study(
    storage: Any, name: str, space: Mapping[str, Any], directions: list[str], seed: int | None
) -> Any:
    """The study of that name, made where it is not there yet.

    Raises:
        UnusableInput: it is there with another space or other directions.
    """
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        # draws only what the queue leaves open; running trials count as bad ones, so that workers spread out
        sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    study = optuna.create_study(
        study_name=name, storage=storage, directions=directions, sampler=sampler, load_if_exists=True
    )
    settings = {
        "space": {key: optuna.distributions.distribution_to_json(value) for key, value in space.items()},
        "directions": directions,
    }
    before = study.user_attrs.get("settings")
    if before is None:
        study.set_user_attr("settings", settings)
    elif before != settings:
        changed = next(key for key in settings if before[key] != settings[key])
        raise UnusableInput(
            f"the study {name!r} has other {changed}: {json.dumps(before[changed])}; choose another --name"
        )
    return study


def slots(study: Any) -> tuple[dict[int, Any], set[int], list[Any]]:
    """(slot -> its finished trial, slots that wait or run, running trials)."""
    from optuna.trial import TrialState

    finished, open_slots, running = {}, set(), []
    for trial in study.get_trials(deepcopy=False):
        slot = trial.user_attrs.get("slot")
        if slot is None:
            continue
        if trial.state in (TrialState.COMPLETE, TrialState.PRUNED) or "error" in trial.user_attrs:
            finished[slot] = trial
        elif trial.state in (TrialState.WAITING, TrialState.RUNNING):
            open_slots.add(slot)
            if trial.state == TrialState.RUNNING:
                running.append(trial)
    return finished, open_slots, running


def fill(study: Any, points: list[dict[str, Any]]) -> None:
    """Puts a waiting trial into the queue for each open slot, unless something waits or runs already."""
    finished, open_slots, _ = slots(study)
    if not open_slots:
        for slot in range(len(points)):
            if slot not in finished:
                study.enqueue_trial(points[slot], user_attrs={"slot": slot})


def work(study: Any, objective: Any, space: Mapping[str, Any], points: list[dict[str, Any]], heartbeat: int) -> None:
    """Runs trials until every slot is filled; one worker."""
    import optuna
    from optuna.trial import TrialState

    def run(trial: Any) -> Any:
        slot = trial.user_attrs.get("slot")
        states = (TrialState.RUNNING, TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
        # two commands that start together may both fill the queue. Whoever sees another holder of the slot gives way;
        # if both do, the slot is filled again
        if slot is None or any(
            other.user_attrs.get("slot") == slot and (other.state != TrialState.FAIL or "error" in other.user_attrs)
            for other in study.get_trials(deepcopy=False, states=states)
            if other.number != trial.number
        ):
            raise Surplus
        # Optuna writes the first heartbeat from a thread, at some time; without one a trial never counts as stale. From
        # here on there is one: see `_release`
        study._storage.record_heartbeat(trial._trial_id)
        trial.set_user_attr("started", True)
        for name, distribution in space.items():
            _suggest(trial, name, distribution)
        try:
            return _checked(objective(trial), len(study.directions))
        except optuna.TrialPruned:
            raise
        except Exception as error:
            trial.set_user_attr("error", f"{type(error).__name__}: {error}"[:500])
            raise

    while True:
        if study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            # A worker that was held up for longer than two heartbeats has lost its slot to another one; Optuna 5.0 then
            # raises the one or the other. Optimize also fails the trials whose heartbeat stopped
            with contextlib.suppress(optuna.exceptions.UpdateFinishedTrialError, AssertionError):
                study.optimize(run, n_trials=1, catch=(Exception,))
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            optuna.storages.fail_stale_trials(study)
        finished, open_slots, running = slots(study)
        if all(slot in finished for slot in range(len(points))):
            return
        _release(study, running, heartbeat)
        # at random, so that idle workers do not all fill the queue at once
        time.sleep(random.uniform(0.1, 1) * min(2, heartbeat / 2))
        if not open_slots:
            fill(study, points)


def _suggest(trial: Any, name: str, distribution: Any) -> None:
    from optuna.distributions import CategoricalDistribution, IntDistribution

    if isinstance(distribution, CategoricalDistribution):
        trial.suggest_categorical(name, distribution.choices)
    else:
        suggest = trial.suggest_int if isinstance(distribution, IntDistribution) else trial.suggest_float
        suggest(name, distribution.low, distribution.high, step=distribution.step, log=distribution.log)


def _checked(result: Any, count: int) -> tuple[float, ...]:
    """What an objective returned, as finite numbers: Optuna would fail the trial without a reason that is kept."""
    values = tuple(float(value) for value in (result if isinstance(result, (tuple, list)) else (result,)))
    if len(values) != count or not all(map(math.isfinite, values)):
        raise ValueError(f"the objective returned {result!r}; {count} finite numbers are needed")
    return values


def _release(study: Any, running: list[Any], heartbeat: int) -> None:
    """Fails trials whose worker died between taking them and its first heartbeat: Optuna would wait for ever."""
    from optuna.trial import TrialState

    for trial in running:
        late = datetime.now() - trial.datetime_start > timedelta(seconds=4 * heartbeat)
        if late and "started" not in trial.user_attrs:
            with contextlib.suppress(Exception):  # another worker did it in the meantime
                study.tell(trial.number, state=TrialState.FAIL)


def summary(study: Any, space: Mapping[str, Any], directions: list[str], trials: int) -> Report:
    """What the sweep found."""
    from optuna.trial import TrialState

    finished, open_slots, _ = slots(study)
    finished = {slot: trial for slot, trial in finished.items() if slot < trials}
    states = [trial.state for trial in finished.values()]
    failed = {slot: trial for slot, trial in finished.items() if trial.state == TrialState.FAIL}
    complete = [trial for trial in finished.values() if trial.state == TrialState.COMPLETE]
    measured: dict[str, Any] = {
        "study": study.study_name, "trials": trials, "finished": len(finished), "complete": len(complete),
        "pruned": states.count(TrialState.PRUNED), "failed": len(failed),
        "taken_again": sum(
            trial.state == TrialState.FAIL and "error" not in trial.user_attrs and "started" in trial.user_attrs
            for trial in study.get_trials(deepcopy=False)
        ),
    }  # fmt: skip
    notes = []
    if complete:
        best = study.best_trials
        measured["best"] = [{"trial": t.number, "values": t.values, "params": t.params} for t in best]
        if len(directions) == 1:
            edges = [name for name, value in best[0].params.items() if _at_edge(space[name], value)]
            notes.append(f"best value {best[0].value:.6g} at {best[0].params}")
            notes += [f"{name}: the best value lies at the edge of its range; widen it" for name in edges]
        else:
            notes.append(f"{len(best)} trials are not beaten in every objective by another one (Pareto front)")
    findings = []
    if failed:
        slot, trial = next(iter(failed.items()))
        findings.append(
            Finding(
                "failed-trials" if complete else "all-trials-failed",
                f"{len(failed)} of {trials} trials",
                f"the objective raised; trial {trial.number}: {trial.user_attrs['error']}",
                {"failed": len(failed)},
                "report the failures with the result: where they cluster, the space holds settings that cannot run",
            )
        )
    if len(finished) < trials:
        notes.append(f"{trials - len(finished)} slots are not filled; the same command goes on")
        return Report(TOOL, CANNOT_DECIDE, findings, measured, notes)
    return Report(TOOL, "complete", findings, measured, notes)


def _at_edge(distribution: Any, value: Any) -> bool:
    low, high = getattr(distribution, "low", None), getattr(distribution, "high", None)
    if low is None or low == high:
        return False
    scale = math.log if distribution.log else float
    share = (scale(value) - scale(low)) / (scale(high) - scale(low))
    return not EDGE < share < 1 - EDGE


def launch(arguments: list[str], storage: str, workers: int, study: Any, trials: int) -> None:
    """Starts workers as processes of this script, shows their progress, and returns when all have ended."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    environment = {**os.environ, "SWEEP_STORAGE": storage}
    command = [sys.executable, str(Path(__file__).resolve()), *arguments, "--as-worker"]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(workers):
            processes.append(subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr))
        columns = (*Progress.get_default_columns(), MofNCompleteColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("trials", total=trials)
            while any(process.poll() is None for process in processes):
                progress.update(bar, completed=len(slots(study)[0]))
                for _ in range(10):
                    time.sleep(0.1)
                    if all(process.poll() is not None for process in processes):
                        break
    finally:
        for process in processes:
            if process.poll() is None:
                process.terminate()
        for process in processes:
            process.wait()


@app.command(help=help_text(__doc__))
def main(
    objective: Annotated[Path, typer.Argument(help="Python file with space and objective")],
    trials: Annotated[int, typer.Option(help="exact number of trials", min=1)] = 50,
    workers: Annotated[int, typer.Option(help="processes on this machine", min=1)] = 1,
    storage: Annotated[
        str, typer.Option(envvar="SWEEP_STORAGE", help="sqlite:///FILE.db, or postgresql://… for several machines")
    ] = "sqlite:///sweep.db",
    name: Annotated[str, typer.Option(help="of the study in the storage")] = "sweep",
    sampler: Annotated[str, typer.Option(help="sobol or tpe")] = "sobol",
    heartbeat: Annotated[int, typer.Option(help="seconds; the slot of a dead worker is free after two", min=1)] = 60,
    as_worker: Annotated[bool, typer.Option("--as-worker", hidden=True)] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    seed: Annotated[int, typer.Option(help="of the Sobol points, or of tpe with one worker")] = 0,
    debug: Annotated[bool, typer.Option("--debug", help="show the traceback of an unexpected error")] = False,
) -> None:
    with answering(TOOL, as_json, debug):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        if sampler not in ("sobol", "tpe"):
            raise UnusableInput(f"--sampler {sampler}: choose sobol or tpe")
        space, function, directions = load_objective(objective)
        opened = open_storage(storage, heartbeat)
        study = open_study(opened, name, space, directions, seed if workers == 1 else None)
        points = sobol_points(space, trials, seed) if sampler == "sobol" else [{}] * trials
        if as_worker:
            work(study, function, space, points, heartbeat)
            raise SystemExit(0)
        fill(study, points)
        options = {"--trials": trials, "--name": name, "--sampler": sampler, "--heartbeat": heartbeat, "--seed": seed}
        given = [str(objective), *(str(part) for option in options.items() for part in option)]
        launch(given + (["--debug"] if debug else []), storage, workers, study, trials)
        finish(summary(study, space, directions, trials), as_json)


if __name__ == "__main__":
    app()
