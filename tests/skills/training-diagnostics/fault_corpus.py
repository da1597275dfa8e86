"""The labelled logs: small real trainings with planted faults, healthy controls and runs that nobody can judge.

    python tests/skills/training-diagnostics/fault_corpus.py            # generate into .corpus/, say what is there
    python tests/skills/training-diagnostics/fault_corpus.py --table    # the confusion table of diagnose_run.py

The two halves share no data set, no network and no seed:

    tuning  synthetic, cancer, iris, friedman*, intervals; linear, relu*, sigmoid-deep, conv1d, jax-relu*; seeds 100-999
    test    digits, wine, diabetes, rings; gelu*, tanh*, softsign-deep, cnn, conv2d, jax-silu*; seeds 9000-9999

Thresholds of the tool were chosen on the tuning half. A label says what was planted. `corpus_plan.EFFECTS` holds, for
every fault, when it counts as present in the training: a comparison with the twin (the same seed without the fault),
with a third split that no log contains, or with the planted steps. A planted fault without that effect is labelled
`no-effect` and scored nowhere.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "tools")]
sys.path.insert(0, str(HERE.parents[2] / "skills" / "training-diagnostics" / "scripts"))

import corpus_logs  # noqa: E402
import corpus_plan  # noqa: E402
import corpus_trainings  # noqa: E402
from corpus_plan import EFFECTS, FAULTS, HEALTHY, NO_EFFECT, UNDECIDABLE, Planted, also_true, plan  # noqa: E402

_BUILDING = "building-"


def _generate(planted: Planted, folder: str) -> dict[str, Any]:
    """Trains, judges the effect, writes the log; the row of the index."""
    with np.errstate(all="ignore"):
        trace = corpus_trainings.run(planted.recipe)
        twin = corpus_trainings.run(planted.twin) if planted.twin else None
        present = bool(EFFECTS[planted.fault](planted, trace, twin))
    path = corpus_logs.write(trace, planted.recipe, planted.writing, Path(folder) / planted.name)
    return {
        "name": planted.name,
        "half": planted.half,
        "planted": planted.fault,
        "kind": planted.kind,
        "label": planted.fault if present else NO_EFFECT,
        "also": also_true(planted, trace),
        "classes": planted.classes,
        "path": str(path.relative_to(folder)),
        "style": planted.writing.style,
        "framework": planted.recipe.framework,
    }


def corpus() -> tuple[Path, list[dict[str, Any]]]:
    """The folder of the corpus and its index; generated if this source has not been run before."""
    digest = hashlib.sha256()
    for module in (corpus_plan, corpus_logs, corpus_trainings):
        digest.update(Path(module.__file__).read_bytes())
    folder = HERE / ".corpus" / digest.hexdigest()[:16]
    index = folder / "index.json"
    if not index.exists():
        folder.parent.mkdir(exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=folder.parent))
        try:
            everything = plan("tuning") + plan("test")
            # fresh interpreters: a forked one inherits the threads of torch and JAX
            context = multiprocessing.get_context("spawn")
            with concurrent.futures.ProcessPoolExecutor(min(2, os.cpu_count() or 1), context) as pool:
                rows = list(pool.map(_generate, everything, [str(building)] * len(everything), chunksize=4))
            (building / "index.json").write_text(json.dumps(rows, indent=1))
            if not folder.exists():
                building.rename(folder)
            for other in folder.parent.iterdir():
                # of an older source
                if other != folder and not other.name.startswith(_BUILDING):
                    shutil.rmtree(other, ignore_errors=True)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return folder, json.loads(index.read_text())


def judged(half: str) -> list[dict[str, Any]]:
    """The index rows of one half with what the tool said: `verdict` and `found`, a list of ids."""
    from run_diagnosis import diagnose

    folder, rows = corpus()
    rows = [row for row in rows if row["half"] == half]
    for row in rows:
        report = diagnose(folder / row["path"], num_classes=row["classes"])
        row["verdict"] = report.verdict
        row["found"] = [finding.id for finding in report.findings]
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Recall per fault, false alarms, abstention; every answer that was wrong."""
    lines = ["planted                 decidable  found  also said"]
    recalled = decidable = 0
    for fault in FAULTS:
        mine = [row for row in rows if row["label"] == fault]
        hits = sum(fault in row["found"] for row in mine)
        others: dict[str, int] = {}
        for row in mine:
            for other in row["found"] or [row["verdict"]]:
                if other != fault:
                    name = f"({other})" if other in row["also"] else other
                    others[name] = others.get(name, 0) + 1
        said = ", ".join(f"{name} {count}" for name, count in sorted(others.items()))
        lines.append(f"{fault:<24}{len(mine):>9}{hits:>7}  {said}".rstrip())
        decidable += len(mine)
        recalled += hits
    lines.append(f"{'all':<24}{decidable:>9}{recalled:>7}")
    healthy = [row for row in rows if row["label"] == HEALTHY]
    unknown = [row for row in rows if row["label"] == UNDECIDABLE]
    lines.append("")
    lines.append(
        f"healthy runs {len(healthy)}: called healthy {sum(row['verdict'] == HEALTHY for row in healthy)}, "
        f"false alarms {sum(bool(row['found']) for row in healthy)}, "
        f"cannot-decide {sum(row['verdict'] == UNDECIDABLE for row in healthy)}"
    )
    lines.append(f"undecidable runs {len(unknown)}: abstained {sum(row['verdict'] == UNDECIDABLE for row in unknown)}")
    lines.append(f"planted without effect, not scored: {sum(row['label'] == NO_EFFECT for row in rows)}")
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="The labelled logs of diagnose_run.py.")
    parser.add_argument("--table", action="store_true", help="print the confusion table of the test half")
    parser.add_argument("--half", choices=("tuning", "test"), default="test")
    parser.add_argument("--wrong", action="store_true", help="list the runs that were answered wrongly")
    options = parser.parse_args()
    if not (options.table or options.wrong):
        folder, rows = corpus()
        for half in ("tuning", "test"):
            labels = [row["label"] for row in rows if row["half"] == half]
            counts = ", ".join(f"{label} {labels.count(label)}" for label in dict.fromkeys(labels))
            print(f"{half}: {len(labels)} runs: {counts}")
        print(folder)
        return
    rows = judged(options.half)
    if options.table:
        print(table(rows))
    if options.wrong:
        for row in rows:
            expected = row["label"]
            right = row["verdict"] == expected if expected in (HEALTHY, UNDECIDABLE) else expected in row["found"]
            extra = set(row["found"]) - {expected} - set(row["also"])
            if expected != NO_EFFECT and (not right or extra):
                print(f"{row['name']:<45}{row['path']:<80} {row['verdict']} {row['found']}")


if __name__ == "__main__":
    main()
