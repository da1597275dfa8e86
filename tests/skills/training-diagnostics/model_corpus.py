"""What probe_model and sanity_suite say about the corpus of healthy models and planted faults.

python model_corpus.py --table      the test half: each fault, each right twin, each healthy model
python model_corpus.py --tuning     the tuning half: the numbers between which the thresholds lie
"""

import argparse
import functools
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SCRIPTS = ROOT / "skills/training-diagnostics/scripts"
sys.path[:0] = [str(HERE), str(ROOT / "tools"), str(SCRIPTS)]

import corpus_healthy
import corpus_planted
import probe_model
import sanity_suite
import torch
from probe_recording import BOUNDED, RECTIFIERS

from dltools import target

torch.set_num_threads(1)


def load(name):
    """A model of the corpus, through the same door as a user's."""
    healthy = name in corpus_healthy.TEST + corpus_healthy.TUNING
    return target.load(f"{HERE / ('corpus_healthy.py' if healthy else 'corpus_planted.py')}:{name}")


@functools.cache
def run(tool, name):
    """The report of a tool on a model of the corpus, whose state is proven to be as before."""
    loaded = load(name)
    before = loaded.fingerprint()
    report = probe_model.probe(loaded) if tool == "probe_model" else sanity_suite.run_suite(loaded)
    assert loaded.fingerprint() == before
    return report


def numbers(report):
    """What the thresholds of the probe are compared with."""
    measured = report.measured
    sizes = [
        layer["gradient_rms"]
        for layer in measured["layers"]
        if len(layer["shape"]) > 1 and "bias" not in layer["parameter"]
    ]
    sizes = [size for size in sizes if size]

    def worst(kinds, of):
        return max(
            (of(entry) for entry in measured["activations"] if entry["where"].rpartition("(")[2][:-1] in kinds),
            default=0.0,
        )

    return {
        "loss over expected": measured["loss"] / measured["expected"]["untrained"],
        "smallest over largest gradient": min(sizes) / max(sizes) if sizes else float("nan"),
        "growth of activations": measured["growth"],
        "dead share": worst(RECTIFIERS, lambda entry: entry["dead"] / entry["units"]),
        "saturated share": worst(BOUNDED, lambda entry: entry["saturated_share"]),
    }


def tuning():
    """The numbers of the healthy models and of the faulty ones of the tuning half, by name."""
    healthy = {name: numbers(run("probe_model", name)) for name in corpus_healthy.TUNING}
    faulty = {name: numbers(run("probe_model", name)) for name in corpus_planted.TUNING_FAULTS}
    return healthy, faulty


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--tuning", action="store_true")
    parser.add_argument("--only", default="", help="names that contain this")
    arguments = parser.parse_args()
    if arguments.tuning:
        for title, group in zip(("healthy", "faulty"), tuning(), strict=True):
            for name, row in group.items():
                print(f"{title:8} {name:32} " + "  ".join(f"{key} {value:.3g}" for key, value in row.items()))
        return
    found = alarms = 0
    faults = {name: both for name, both in corpus_planted.FAULTS.items() if arguments.only in name}
    for name, (tool, wanted) in faults.items():
        ids = [finding.id for finding in run(tool, name).findings]
        twin = [finding.id for finding in run(tool, f"{name}_right").findings]
        found += wanted in ids
        alarms += bool(twin)
        print(
            f"{tool:13} {name:36} {wanted:25} {'found' if wanted in ids else 'MISSED'}: {', '.join(ids)}  twin: "
            f"{', '.join(twin) or 'nothing'}",
            flush=True,
        )
    healthy = [name for name in corpus_healthy.TEST if arguments.only in name]
    healthy_alarms = 0
    for name in healthy:
        reports = {tool: run(tool, name) for tool in ("probe_model", "sanity_suite")}
        healthy_alarms += any(report.findings for report in reports.values())
        print(
            f"healthy       {name:36} "
            + "  ".join(f"{tool}: {r.verdict} {[f.id for f in r.findings]}" for tool, r in reports.items()),
            flush=True,
        )
    print(
        f"planted faults found: {found} of {len(faults)}; alarms on their right twins: {alarms}; healthy models "
        f"with an alarm: {healthy_alarms} of {len(healthy)}"
    )


if __name__ == "__main__":
    main()
