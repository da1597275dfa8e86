# /// script
# requires-python = ">=3.11"
# dependencies = ["typer", "rich"]
# ///
"""Runs a command twice and says whether it gives the same results, and what in its code can make it differ.

    repro_check.py --output model.safetensors --metric accuracy -- python train.py --seed 0
    repro_check.py --environment environment.json -- python train.py

Compared are the files named by --output (byte for byte; JSON files and the last JSON object printed value by value) and
the metrics named by --metric, which must be in that object. Without either, all that is printed is compared. At the
end the files are those of the first run; where it fails, those that were there before.

Sources of nondeterminism are looked for in the Python file of the command: calls of random generators without a seed,
settings of PyTorch, and environment variables. That is a list of what can be seen in one file, not a proof.

Verdict: same, or different. Findings: output-differs, metric-differs, print-differs, each with the first values that
differ; their next step names the sources that were seen. The environment (versions, Git state, threads) is in
`measured`, and goes to --environment as JSON; keep it with the results.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))

import typer
from dltools.report import Finding, Report, UnusableInput, answering, finish, help_text, write_atomic

TOOL = "repro-check"
PACKAGES = ("torch", "jax", "jaxlib", "flax", "equinox", "optax", "numpy", "scipy", "scikit-learn", "pandas", "keras")
VARIABLES = (
    "PYTHONHASHSEED", "CUBLAS_WORKSPACE_CONFIG", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
    "XLA_FLAGS", "JAX_PLATFORMS", "JAX_ENABLE_X64", "NVIDIA_TF32_OVERRIDE",
)  # fmt: skip
# what draws from a global generator, and what seeds it
DRAWS = {
    "random": ({"random", "shuffle", "choice", "choices", "sample", "randint", "uniform", "gauss"}, "random.seed"),
    "np.random": (
        {"rand", "randn", "shuffle", "permutation", "choice", "normal", "uniform", "randint"}, "np.random.seed",
    ),
    "torch": ({"rand", "randn", "randperm", "randint", "bernoulli", "normal"}, "torch.manual_seed"),
    "torch.nn": ({"Linear", "Conv2d", "Conv1d", "Embedding", "Dropout", "LSTM", "GRU"}, "torch.manual_seed"),
}  # fmt: skip
SHORT = {"numpy": "np", "torch.nn": "nn"}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def sources(path: Path, environment: dict[str, str] | None = None) -> list[str]:
    """What can make a Python program differ from run to run, as far as its one file shows.

    Args:
        path: a Python file.
        environment: variables that the command sees; those of this process by default.

    Returns:
        One sentence for each source, with its first line.
    """
    environment = dict(os.environ) if environment is None else environment
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return []
    calls: dict[str, int] = {}
    bare = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).replace("numpy.", "np.")
            name = "torch." + name if name.startswith("nn.") else name
            calls.setdefault(name, node.lineno)
            if not node.args and not node.keywords:
                bare.add(name)
    found = []
    for module, (names, seeding) in DRAWS.items():
        drawn = [(line, f"{module}.{name}") for name in names if (line := calls.get(f"{module}.{name}"))]
        if drawn and seeding not in calls:
            line, name = min(drawn)
            found.append(f"line {line}: {name} draws from a global generator, and {seeding} is never called")
    for name in ("np.random.default_rng", "torch.Generator"):
        if name in bare and not (name == "torch.Generator" and any("manual_seed" in call for call in calls)):
            found.append(f"line {calls[name]}: {name}() without a seed")
    for call, line in sorted(calls.items(), key=lambda item: item[1]):
        if call == "set" or (call == "hash" and "PYTHONHASHSEED" not in environment):
            if environment.get("PYTHONHASHSEED", "random") == "random":
                what = "the order of a set of texts" if call == "set" else "the hash of a text"
                found.append(f"line {line}: {what} changes from process to process; set PYTHONHASHSEED, or sort")
        if call in ("time.time", "datetime.now", "uuid.uuid4", "os.urandom", "datetime.datetime.now"):
            found.append(f"line {line}: {call} differs in every run")
        if call in ("os.listdir", "glob.glob") or call.endswith((".iterdir", ".glob")):
            found.append(f"line {line}: {call} gives files in no fixed order; sort them")
    text = ast.unparse(tree)
    if ".cuda(" in text or "'cuda" in text:
        if "use_deterministic_algorithms" not in text:
            found.append("CUDA is used without torch.use_deterministic_algorithms(True): some kernels add in any order")
        elif "CUBLAS_WORKSPACE_CONFIG" not in environment and "CUBLAS_WORKSPACE_CONFIG" not in text:
            found.append("CUBLAS_WORKSPACE_CONFIG is not set; deterministic CUDA needs :4096:8")
    return found


def capture_environment() -> dict[str, Any]:
    """Versions, Git state, threads and variables on which a result can depend."""

    def git(*arguments: str) -> str | None:
        try:
            result = subprocess.run(["git", *arguments], capture_output=True, text=True)
        except OSError:
            return None
        return result.stdout.strip() if result.returncode == 0 else None

    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    changes = git("status", "--porcelain")
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "packages": packages,
        "variables": {name: os.environ.get(name) for name in VARIABLES},
        "git": {"commit": git("rev-parse", "HEAD"), "uncommitted_changes": None if changes is None else bool(changes)},
    }


def run_twice(
    command: Sequence[str], outputs: Sequence[Path], metrics: Sequence[str], timeout: float = 3600.0
) -> tuple[list[Finding], dict[str, Any]]:
    """Runs a command twice and compares its results.

    Args:
        command: the argument list; it is started without a shell.
        outputs: files that it writes.
        metrics: keys of the last JSON object that it prints.
        timeout: seconds for one run.

    Returns:
        The differences, and what was compared.

    Raises:
        UnusableInput: the command fails or hangs, does not write an output, or does not print a metric.
    """
    kept = {path: path.read_bytes() for path in outputs if path.is_file()}
    try:
        first = _run(command, outputs, timeout)
        kept = dict(zip(outputs, first["files"], strict=True))
        second = _run(command, outputs, timeout)
    finally:
        for path, content in kept.items():
            write_atomic(path, content)
    findings = []
    hashes = {}
    for path, one, two in zip(outputs, first["files"], second["files"], strict=True):
        hashes[str(path)] = [hashlib.sha256(content).hexdigest() for content in (one, two)]
        if one != two:
            values = {"bytes": [len(one), len(two)]} | _first_difference(_as_json(one), _as_json(two))
            message = f"the two runs wrote different files ({len(one)} and {len(two)} bytes)"
            findings.append(Finding("output-differs", str(path), message, values))
    values = {}
    for name in metrics:
        pair = [_metric(run["printed"], name) for run in (first, second)]
        values[name] = pair
        if pair[0] != pair[1]:
            findings.append(Finding("metric-differs", name, f"{pair[0]!r} and {pair[1]!r}", {"runs": pair}))
    if not outputs and not metrics and first["printed"] != second["printed"]:
        lines = zip(first["printed"].splitlines(), second["printed"].splitlines(), strict=False)
        number, (one, two) = next(
            ((n, pair) for n, pair in enumerate(lines, 1) if pair[0] != pair[1]), (0, ("one run printed", "more lines"))
        )
        findings.append(Finding("print-differs", f"line {number}", f"{one[:200]!r} and {two[:200]!r}"))
    return findings, {"sha256": hashes, "metrics": values}


def _run(command: Sequence[str], outputs: Sequence[Path], timeout: float) -> dict[str, Any]:
    for path in outputs:
        # a file of an earlier run must not pass for one of this run
        path.unlink(missing_ok=True)
    try:
        result = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=timeout)
    except OSError as error:
        raise UnusableInput(f"cannot run {command[0]}: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise UnusableInput(f"the command did not end within {timeout:g} s; raise --timeout, or shorten it") from None
    if result.returncode != 0:
        last = (result.stderr.strip().splitlines() or ["nothing on standard error"])[-1]
        raise UnusableInput(f"the command ended with status {result.returncode}: {last[:300]}")
    missing = [str(path) for path in outputs if not path.is_file()]
    if missing:
        raise UnusableInput(f"--output: the command did not write {missing[0]}")
    return {"printed": result.stdout, "files": [path.read_bytes() for path in outputs]}


def _metric(printed: str, name: str) -> Any:
    for line in reversed(printed.splitlines()):
        entry = _as_json(line)
        if isinstance(entry, dict):
            if name not in entry:
                break
            return entry[name]
    raise UnusableInput(f"--metric {name}: the command printed no JSON object, or its last one has no such key")


def _as_json(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _first_difference(one: Any, two: Any, where: str = "") -> dict[str, Any]:
    """The first place where two JSON values differ, as `{"at": path, "runs": [one, two]}`, else {}."""
    if isinstance(one, dict) and isinstance(two, dict) and one.keys() == two.keys():
        pairs = [(f"{where}.{key}".lstrip("."), one[key], two[key]) for key in one]
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        pairs = [(f"{where}[{i}]", a, b) for i, (a, b) in enumerate(zip(one, two, strict=True))]
    else:
        return {"at": where or "the whole", "runs": [one, two]} if one != two else {}
    return next((found for place, a, b in pairs if (found := _first_difference(a, b, place))), {})


@app.command(help=help_text(__doc__), context_settings={"allow_interspersed_args": False})
def main(
    command: Annotated[list[str], typer.Argument(help="the command, after --")],
    output: Annotated[list[Path] | None, typer.Option(help="a file that the command writes; repeatable")] = None,
    metric: Annotated[list[str] | None, typer.Option(help="a key of the last JSON object printed; repeatable")] = None,
    environment: Annotated[Path | None, typer.Option(help="JSON file for the environment")] = None,
    timeout: Annotated[float, typer.Option(help="seconds for one run")] = 3600.0,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="show the traceback of an unexpected error")] = False,
) -> None:
    with answering(TOOL, as_json, debug):
        findings, compared = run_twice(command, output or [], metric or [], timeout)
        script = next((Path(part) for part in command if part.endswith(".py") and Path(part).is_file()), None)
        seen = sources(script) if script else []
        if seen:
            step = f"look at {script.name}, {seen[0]}"
        else:
            step = "bisect: compare a hash of the data order, then of the initial weights, then of the first gradients"
        findings = [Finding(f.id, f.where, f.message, f.values, step) for f in findings]
        captured = capture_environment()
        if environment is not None:
            write_atomic(environment, json.dumps(captured, indent=2) + "\n")
        notes = [f"source of nondeterminism: {source}" for source in seen]
        if not findings:
            notes.append("two runs on this machine were equal; another device, thread count or version may differ")
        measured = {**compared, "sources": seen, "environment": captured}
        finish(Report(TOOL, "different" if findings else "same", findings, measured, notes), as_json)


if __name__ == "__main__":
    app()
