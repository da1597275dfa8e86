# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "scipy", "typer", "rich", "pyyaml", "jsonschema"]
# ///
"""Runs an ablation from a plan, can be stopped and resumed at any point, and says what each part contributes.

    run_ablation.py plan.yaml --jobs 2
    run_ablation.py plan.yaml --results results.jsonl --json

    design: leave-one-out            # or add-one-in, full, fractional
    factors:
      augmentation: {with: "--augment", without: ""}
      dropout: {with: 0.1, without: 0.0}
    seeds: [0, 1, 2, 3, 4]
    command: python train.py --seed {seed} --dropout {dropout} {augmentation}
    metric: accuracy                 # a key of the last JSON object that the command prints
    timeout: 600                     # seconds; also: higher_is_better (true), paired (false)

Every finished run is one line of the results file (plan.results.jsonl beside the plan), on disk before the next one
starts. The same command resumes: a run is known by its complete command line, so that seeds and factors may be added.
Failed runs are recorded and not repeated, except with --retry-failed. The command is started without a shell.

The effect of a factor is the mean with it minus the mean without it, with an interval and a p-value as in
compare_runs.py, corrected over all factors (Holm). In leave-one-out the other factors are present, in add-one-in they
are absent; full and fractional designs average over them, seed by seed. The fractional design is the half with an even
number of factors missing: each effect is mixed with the interaction of all other factors, and with no smaller one.

Verdict: effects-shown, no-effect-shown, or cannot-decide (fewer than two complete seeds). Findings: runs-failed,
harmful-factor (the metric is better without it).
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import hashlib
import itertools
import json
import math
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))

import typer
from dltools.checked_yaml import read_checked
from dltools.report import CANNOT_DECIDE, CannotDecide, Finding, Report, UnusableInput, answering, finish, help_text

TOOL = "run-ablation"
SCHEMA = Path(__file__).resolve().parents[1] / "assets/ablation-plan.schema.json"
OK = "ok"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@dataclasses.dataclass(frozen=True)
class Run:
    """One command to run: which factors are present, the seed, and the argument list."""

    present: frozenset[str]
    seed: int
    arguments: tuple[str, ...]

    @property
    def key(self) -> str:
        """Identifies the run by its complete command line."""
        return hashlib.sha256("\0".join(self.arguments).encode()).hexdigest()[:16]


def read_plan(path: Path) -> dict[str, Any]:
    """The plan, checked against the schema.

    Raises:
        UnusableInput: the file is missing, no YAML, or does not keep the schema; the message names the place.
    """
    plan = read_checked(path, "plan", SCHEMA)
    for name in ("seed", *plan["factors"]):
        if "{" + name + "}" not in plan["command"]:
            raise UnusableInput(f"{path.name}: the command does not hold {{{name}}}, so {name!r} would change nothing")
    for name, levels in plan["factors"].items():
        if levels["with"] == levels["without"]:
            raise UnusableInput(f"{path.name}: factors.{name}: `with` and `without` are the same")
    if plan["design"] == "fractional" and len(plan["factors"]) < 3:
        raise UnusableInput(f"{path.name}: a fractional design needs three factors at least; use full")
    return {"higher_is_better": True, "paired": False, "timeout": 3600, **plan}


def cells(plan: Mapping[str, Any]) -> list[frozenset[str]]:
    """The combinations of present factors that the design asks for."""
    names = list(plan["factors"])
    everything = frozenset(names)
    if plan["design"] == "leave-one-out":
        return [everything, *(everything - {name} for name in names)]
    if plan["design"] == "add-one-in":
        return [frozenset(), *(frozenset({name}) for name in names)]
    every = [
        frozenset(name for name, present in zip(names, choice, strict=True) if present)
        for choice in itertools.product((True, False), repeat=len(names))
    ]
    if plan["design"] == "full":
        return every
    return [cell for cell in every if (len(names) - len(cell)) % 2 == 0]


def runs_of(plan: Mapping[str, Any]) -> list[Run]:
    """Every run of the plan, seed by seed, so that a stopped ablation holds complete seeds."""
    runs = []
    for seed in plan["seeds"]:
        for cell in cells(plan):
            text = plan["command"].replace("{seed}", str(seed))
            for name, levels in plan["factors"].items():
                text = text.replace("{" + name + "}", str(levels["with" if name in cell else "without"]))
            runs.append(Run(cell, seed, tuple(shlex.split(text))))
    return runs


@contextlib.contextmanager
def results_file(path: Path) -> Iterator[tuple[dict[str, dict[str, Any]], Callable[[dict[str, Any]], None]]]:
    """Opens the results alone: what is recorded by key, and the function that records one more.

    A last line that a kill has cut short is removed; every other line is kept as it is.

    Raises:
        UnusableInput: another process has it open, it cannot be written, or a line is damaged.
    """
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError as error:
        raise UnusableInput(f"cannot open the results {path}: {error.strerror}") from None
    try:
        try:
            # the lock ends with this process, however it ends
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            message = f"{path} is in use by another run_ablation.py; wait for it, or name another --results"
            raise UnusableInput(message) from None
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.ftruncate(descriptor, whole)
        recorded = {}
        for number, line in enumerate(data[:whole].splitlines(), 1):
            try:
                entry = json.loads(line)
                recorded[entry["key"]] = entry
            except (ValueError, KeyError, TypeError):
                raise UnusableInput(f"{path}, line {number} is not a result of a run; remove the line") from None

        def record(entry: dict[str, Any]) -> None:
            os.write(descriptor, (json.dumps(entry) + "\n").encode())
            os.fsync(descriptor)
            recorded[entry["key"]] = entry

        yield recorded, record
    finally:
        os.close(descriptor)


def execute(
    runs: Sequence[Run],
    plan: Mapping[str, Any],
    record: Callable[[dict[str, Any]], None],
    *,
    jobs: int = 1,
    folder: Path = Path(),
    tick: Callable[[], None] = lambda: None,
) -> None:
    """Runs the commands, at most `jobs` at a time, and records each as it ends; leaving kills what still runs."""
    waiting, running = list(reversed(runs)), []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(_Process(waiting.pop(), plan, folder))
            for process in list(running):
                entry = process.poll()
                if entry is not None:
                    running.remove(process)
                    record(entry)
                    tick()
            time.sleep(0.005)
    finally:
        for process in running:
            process.kill()


def analyse(plan: Mapping[str, Any], recorded: Mapping[str, Mapping[str, Any]]) -> Report:
    """The effect of every factor from the recorded runs of the plan."""
    from dltools.statistics import compare, holm

    values: dict[frozenset[str], dict[int, float]] = {cell: {} for cell in cells(plan)}
    failed, missing = [], 0
    for run in runs_of(plan):
        entry = recorded.get(run.key)
        if entry is None:
            missing += 1
        elif entry["status"] == OK:
            values[run.present][run.seed] = entry["value"]
        else:
            failed.append((run, entry))
    findings = []
    if failed:
        statuses = [entry["status"] for _, entry in failed]
        kinds = ", ".join(f"{statuses.count(kind)} {kind}" for kind in sorted(set(statuses)))
        run, entry = failed[0]
        findings.append(
            Finding(
                "runs-failed", f"{_label(plan, run.present)}, seed {run.seed}",
                f"{len(failed)} of {len(runs_of(plan))} runs have no value ({kinds}); the first: {entry['reason']}",
                {"failed": len(failed), "status": entry["status"]},
                f"run it by hand: {shlex.join(run.arguments)}; then again with --retry-failed",
            )
        )  # fmt: skip
    effects: dict[str, dict[str, Any]] = {}
    for name in plan["factors"]:
        absent, present = _contrast(plan, values, name)
        paired = plan["paired"] or plan["design"] in ("full", "fractional")
        if paired:
            seeds = [seed for seed in present if seed in absent]
            absent, present = ({seed: side[seed] for seed in seeds} for side in (absent, present))
        effects[name] = {"n_without": len(absent), "n_with": len(present)}
        if min(len(absent), len(present)) >= 2:
            sides = list(absent.values()), list(present.values())
            result = compare(*sides, paired=paired, comparisons=len(plan["factors"]))
            effects[name] |= {
                "effect": result.difference, "interval": [result.low, result.high], "p": result.p,
                "p_method": result.p_method, "mean_without": result.mean_baseline, "mean_with": result.mean_candidate,
            }  # fmt: skip
    able = [entry for entry in effects.values() if "p" in entry]
    for entry, adjusted in zip(able, holm([entry["p"] for entry in able]) if able else [], strict=True):
        entry["p_holm"] = adjusted
        entry["shown"] = adjusted <= 0.05
    notes = [f"{missing} runs of the plan are not done yet"] if missing else []
    for name, entry in effects.items():
        if "p" not in entry:
            counts = f"{entry['n_with']} seeds with it and {entry['n_without']} without have a value"
            notes.append(f"{name}: cannot-decide; {counts}, two of each are needed")
            continue
        low, high = entry["interval"]
        notes.append(
            f"{name}: {'effect shown' if entry['shown'] else 'no effect shown'}; {entry['effect']:+.4g} (95% interval "
            f"{low:+.4g} to {high:+.4g}), p = {entry['p_holm']:.3g} after Holm's correction ({entry['p_method']})"
        )
        if entry["shown"] and (entry["effect"] > 0) != plan["higher_is_better"]:
            findings.append(
                Finding("harmful-factor", name, f"{plan['metric']} is better without it by {abs(entry['effect']):.4g}",
                        {"effect": entry["effect"], "low": low, "high": high}, "remove it, or tune it before removing")
            )  # fmt: skip
    if not able:
        verdict = CANNOT_DECIDE
    else:
        verdict = "effects-shown" if any(entry["shown"] for entry in able) else "no-effect-shown"
    table = {_label(plan, cell): {str(seed): value for seed, value in row.items()} for cell, row in values.items()}
    measured = {"metric": plan["metric"], "design": plan["design"], "runs": table, "effects": effects}
    measured["missing"] = missing
    return Report(TOOL, verdict, findings, measured, notes)


def _contrast(plan: Mapping[str, Any], values: Mapping[frozenset, Mapping[int, float]], name: str) -> tuple[dict, dict]:
    """Values without and with a factor, by seed."""
    if plan["design"] in ("leave-one-out", "add-one-in"):
        reference = frozenset(plan["factors"]) if plan["design"] == "leave-one-out" else frozenset()
        other = reference ^ {name}
        absent, present = (other, reference) if name in reference else (reference, other)
        return dict(values[absent]), dict(values[present])
    sides = []
    for wanted in (False, True):
        chosen = [row for cell, row in values.items() if (name in cell) == wanted]
        # a seed counts only where all its cells have a value: else the mean is over other combinations
        complete = [seed for seed in plan["seeds"] if all(seed in row for row in chosen)]
        sides.append({seed: sum(row[seed] for row in chosen) / len(chosen) for seed in complete})
    return sides[0], sides[1]


def _label(plan: Mapping[str, Any], cell: frozenset[str]) -> str:
    return "+".join(name for name in plan["factors"] if name in cell) or "none"


class _Process:
    """One running command; what it prints goes to a file, so that no pipe can fill up and block it."""

    def __init__(self, run: Run, plan: Mapping[str, Any], folder: Path) -> None:
        self.run, self.metric, self.timeout = run, plan["metric"], plan["timeout"]
        self.output, self.errors = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self.began, self.failure, self.process = time.monotonic(), "", None
        try:
            self.process = subprocess.Popen(
                run.arguments, stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.errors, cwd=folder,
                start_new_session=True, preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )  # fmt: skip
        except OSError as error:
            self.failure = f"{run.arguments[0]}: {error.strerror}"

    def poll(self) -> dict[str, Any] | None:
        """The entry for the results file once the command has ended or ran out of time."""
        if self.process is None:
            return self._entry("failed", self.failure)
        status = self.process.poll()
        if status is None:
            if time.monotonic() - self.began <= self.timeout:
                return None
            self.kill()
            return self._entry("timeout", f"killed after {self.timeout:g} s")
        if status != 0:
            return self._entry("failed", f"status {status}: {_last_line(self.errors) or 'nothing on standard error'}")
        value = _metric(self.output, self.metric)
        if value is None:
            return self._entry("no-metric", f"no JSON object with a number {self.metric!r} on standard output")
        if not math.isfinite(value):
            return self._entry("diverged", f"{self.metric} is {value}")
        return self._entry(OK, "", value)

    def kill(self) -> None:
        """Ends the command and all that it started."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _entry(self, status: str, reason: str, value: float | None = None) -> dict[str, Any]:
        entry = {
            "key": self.run.key, "present": sorted(self.run.present), "seed": self.run.seed, "status": status,
            "value": value, "reason": reason, "seconds": round(time.monotonic() - self.began, 3),
            "command": list(self.run.arguments),
        }  # fmt: skip
        self.output.close()
        self.errors.close()
        return entry


_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def _die_with_parent() -> None:
    # PR_SET_PDEATHSIG: without it a killed ablation leaves its commands running beside those of the resumed one
    _prctl(1, signal.SIGKILL)


def _last_line(stream: Any) -> str:
    stream.seek(0)
    lines = stream.read()[-4000:].decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else ""


def _metric(stream: Any, name: str) -> float | None:
    stream.seek(0)
    for line in reversed(stream.read().decode(errors="replace").splitlines()):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            value = entry.get(name)
            return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    return None


def _show(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for column in ("factor", "without", "with", "effect", "95 % interval", "p (Holm)"):
        table.add_column(column, justify="left" if column == "factor" else "right")
    for name, entry in report.measured["effects"].items():
        if "p" in entry:
            low, high = entry["interval"]
            shown = [f"{entry[key]:.4g}" for key in ("mean_without", "mean_with", "effect")]
            table.add_row(name, *shown, f"{low:.4g} to {high:.4g}", f"{entry['p_holm']:.3g}")
        else:
            table.add_row(name, *["-"] * 5)
    Console().print(table)


@app.command(help=help_text(__doc__))
def main(
    plan: Annotated[Path, typer.Argument(help="YAML file")],
    results: Annotated[Path | None, typer.Option(help="JSON lines; beside the plan by default")] = None,
    jobs: Annotated[int, typer.Option(help="commands at a time")] = 1,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="run again what failed before")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="show the traceback of an unexpected error")] = False,
) -> None:
    with answering(TOOL, as_json, debug):
        if jobs < 1:
            raise UnusableInput(f"--jobs is {jobs}; give 1 or more")
        from rich.console import Console
        from rich.progress import Progress

        described = read_plan(plan)
        path = results or plan.with_suffix(".results.jsonl")
        with results_file(path) as (recorded, record):
            everything = runs_of(described)
            again = ("failed", "timeout", "no-metric", "diverged") if retry_failed else ()
            todo = [run for run in everything if run.key not in recorded or recorded[run.key]["status"] in again]
            # drawn only when a run ends: a thread of its own would make starting commands unsafe
            progress = Progress(console=Console(stderr=True), auto_refresh=False, disable=not sys.stderr.isatty())
            with progress:
                bar = progress.add_task("runs", total=len(everything), completed=len(everything) - len(todo))

                def tick() -> None:
                    progress.advance(bar)
                    progress.refresh()

                try:
                    execute(todo, described, record, jobs=jobs, folder=plan.resolve().parent, tick=tick)
                except KeyboardInterrupt:
                    message = f"stopped; {len(recorded)} runs are kept in {path}, the same command goes on"
                    raise CannotDecide(message) from None
            report = analyse(described, recorded)
        if not as_json:
            _show(report)
        finish(report, as_json)


if __name__ == "__main__":
    app()
