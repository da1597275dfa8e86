# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "scipy", "typer", "rich", "matplotlib"]
# ///
"""Says whether configurations differ, from the results of several seeds of each.

    compare_runs.py runs.csv --metric accuracy --baseline base
    compare_runs.py runs.csv --metric loss --paired-by seed --difference 0.01 --json
    compare_runs.py runs.csv --map configuration=model_name,seed=trial --plot runs.png

The CSV file has a row for each run (configuration, seed, a column for each metric), for each run and metric
(configuration, seed, metric, value), or for each run and example (configuration, seed, example, score). Columns with
other names are given by --map. The first note says how the file was understood.

Every configuration is compared with the baseline: difference of the means, 95 % interval (Welch's; Student's of the
differences with --paired-by), a permutation test of the difference, Holm's correction over all comparisons. Three runs
against three, or five pairs, cannot reach p = 0.05 by permutation, and several comparisons need more runs still; where
the level is out of reach, the t test decides, and the report says so.
Pair by seed only if equal seeds share something, such as the split, the initialisation or the order of the data. With
scores of single examples a bootstrap over examples is added: it says what another test set would change, not what
another seed would.

Verdict: difference-shown (in at least one comparison), equivalent (with --difference: every difference is smaller),
difference-not-shown, or cannot-decide (one run on a side, fewer than two pairs; with --difference: neither shown nor
excluded). Findings: worse-than-baseline, diverged-runs, single-run (some configurations only).
"""

from __future__ import annotations

import math
import statistics as plain_statistics
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))

import typer
from dltools.pictures import check_picture, write_picture
from dltools.report import CANNOT_DECIDE, Finding, Report, UnusableInput, answering, finish, help_text
from dltools.run_table import RunTable, higher_is_better, read_runs

TOOL = "compare-runs"
SHOWN, NOT_SHOWN, EQUIVALENT = "difference-shown", "difference-not-shown", "equivalent"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def analyse(
    table: RunTable,
    *,
    baseline: str | None = None,
    paired: bool = False,
    better: bool | None = None,
    difference: float | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
    seed: int = 0,
) -> Report:
    """Compares every configuration of a table with the baseline.

    Args:
        table: the runs.
        baseline: the configuration to compare with; the first one by default.
        paired: runs with equal seeds belong together.
        better: True where higher values are better, False where lower ones are, None where that is not known.
        difference: the smallest difference that matters, in the unit of the metric.
        alpha: level of all comparisons together.
        power: with which `runs_needed` is computed.
        seed: of sampled permutations and bootstraps.

    Raises:
        UnusableInput: one configuration only, an unknown baseline, or pairing without seeds.
    """
    from dltools.statistics import compare, holm

    names = list(table.runs)
    baseline = baseline or names[0]
    notes = list(table.notes)
    if baseline not in table.runs:
        raise UnusableInput(f"--baseline: there is no configuration {baseline!r}; the file has {', '.join(names)}")
    if len(names) < 2:
        raise UnusableInput(f"the file holds one configuration only ({names[0]!r}); a comparison needs two")
    if paired and not table.has_seeds:
        raise UnusableInput("--paired-by needs a column that says which runs belong together; there is no seed column")
    notes.append(f"differences are configuration minus {baseline!r}")
    if better is not None:
        notes.append(f"{'higher' if better else 'lower'} values of {table.metric!r} are better")

    findings = [_diverged(table, name) for name in names if table.diverged(name)]
    comparisons: dict[str, dict[str, Any]] = {}
    for name in names:
        if name == baseline:
            continue
        a, b, left_out = _sides(table, baseline, name, paired)
        entry: dict[str, Any] = {"n_baseline": len(a), "n": len(b), "paired": paired}
        if left_out:
            notes.append(f"{name}: left out, as the other side has no finite run with that seed: {left_out}")
        if min(len(a), len(b)) < 2:
            what = f"{len(a)} pairs" if paired else f"{len(a)} and {len(b)} runs"
            entry |= {"conclusion": CANNOT_DECIDE, "reason": (
                f"{name} against {baseline}: {what} with a finite value; the spread between seeds is not known, so no "
                "difference can be told from chance. Run at least 3, better 5 seeds of each"
            )}  # fmt: skip
        else:
            result = compare(a, b, paired=paired, alpha=alpha, comparisons=len(names) - 1, seed=seed)
            entry |= {
                "mean_baseline": result.mean_baseline, "mean": result.mean_candidate, "difference": result.difference,
                "interval": [result.low, result.high], "effect_size": result.effect_size, "p": result.p,
                "p_method": result.p_method, "p_permutation": result.p_permutation, "p_t": result.p_t,
                "smallest_permutation_p": result.smallest_p, "permutations_exact": result.exact,
                **_power(a, b, paired, difference, alpha, power),
            }  # fmt: skip
        comparisons[name] = entry
    able = [entry for entry in comparisons.values() if "p" in entry]
    for entry, adjusted in zip(able, holm([entry["p"] for entry in able]) if able else [], strict=True):
        entry["p_holm"] = adjusted
        entry["conclusion"] = _conclusion(entry, difference, alpha)
    for name, entry in comparisons.items():
        if table.examples:
            entry["over_examples"] = _over_examples(table, baseline, name, alpha, seed)
        notes.append(entry.get("reason") or _sentence(name, entry, difference, alpha, len(able)))
        if "over_examples" in entry:
            notes.append(_examples_sentence(name, entry["over_examples"], alpha))
        if entry["conclusion"] == SHOWN and better is not None and (entry["difference"] > 0) != better:
            findings.append(_worse(name, baseline, table.metric, entry))
        if entry["conclusion"] == CANNOT_DECIDE and "p" not in entry and able:
            findings.append(Finding("single-run", name, entry["reason"], {"runs": entry["n"]}, "run more seeds of it"))
    conclusions = [entry["conclusion"] for entry in comparisons.values()]
    verdict = next((c for c in (SHOWN, NOT_SHOWN, CANNOT_DECIDE) if c in conclusions), EQUIVALENT)
    if not able and len(names) > 3 and all(len(runs) == 1 for runs in table.runs.values()):
        notes.append(
            "every row is a configuration of its own: if that column is only the name of a run, name another one by "
            "--map configuration=COLUMN"
        )
    if any(entry.get("p_method") == "t" for entry in able):
        lowest = min(entry["smallest_permutation_p"] for entry in able if entry["p_method"] == "t")
        notes.append(
            f"with so few runs a permutation test cannot give less than p = {lowest:.3g}, before correction; the t "
            "test decides, which supposes roughly normal values"
        )
    runs = {name: {"values": table.runs[name], **_spread(table, name)} for name in names}
    measured = {"metric": table.metric, "baseline": baseline, "paired": paired, "runs": runs}
    measured["comparisons"] = comparisons
    return Report(TOOL, verdict, findings, measured, notes)


def plot(report: Report, path: Path) -> None:
    """Draws every run, the means with intervals, and the differences with intervals."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from dltools.statistics import mean_interval

    runs, comparisons = report.measured["runs"], report.measured["comparisons"]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 1.8 + 0.5 * len(runs)), layout="constrained")
    for row, (name, entry) in enumerate(runs.items()):
        values = [value for value in entry["values"].values() if math.isfinite(value)]
        left.plot(values, [row] * len(values), "o", alpha=0.5, color="tab:blue")
        if len(values) > 1:
            mean, low, high = mean_interval(values)
            left.errorbar(mean, row + 0.2, xerr=[[mean - low], [high - mean]], fmt="ks", markersize=4, capsize=3)
    left.set_yticks(range(len(runs)), list(runs))
    left.set_xlabel(f"{report.measured['metric']}: runs, mean and 95 % interval")
    for row, (name, entry) in enumerate(comparisons.items()):
        if "p" in entry:
            low, high = (abs(bound - entry["difference"]) for bound in entry["interval"])
            right.errorbar(entry["difference"], row, xerr=[[low], [high]], fmt="ks", markersize=4, capsize=3)
    right.axvline(0, color="grey", linewidth=1)
    right.set_yticks(range(len(comparisons)), list(comparisons))
    right.set_xlabel(f"difference from {report.measured['baseline']}")
    write_picture(path, figure)


def _sides(table: RunTable, baseline: str, name: str, paired: bool) -> tuple[list[float], list[float], str]:
    a, b = table.finite(baseline), table.finite(name)
    if not paired:
        return list(a.values()), list(b.values()), ""
    shared = [seed for seed in a if seed in b]
    alone = [f"{seed} ({baseline})" for seed in a if seed not in b]
    alone += [f"{seed} ({name})" for seed in b if seed not in a]
    return [a[seed] for seed in shared], [b[seed] for seed in shared], ", ".join(alone)


def _power(
    a: list[float], b: list[float], paired: bool, difference: float | None, alpha: float, power: float
) -> dict[str, Any]:
    """Runs needed for the difference that matters, else for the one that was seen."""
    from dltools.statistics import runs_needed

    if paired:
        deviation = plain_statistics.stdev(y - x for x, y in zip(a, b, strict=True))
    else:
        deviation = math.sqrt((plain_statistics.variance(a) + plain_statistics.variance(b)) / 2)
    wanted = abs(difference if difference is not None else plain_statistics.mean(b) - plain_statistics.mean(a))
    needed = None if wanted == 0 else runs_needed(wanted, deviation, paired=paired, alpha=alpha, power=power)
    return {"deviation": deviation, "runs_needed": needed, "runs_needed_for": wanted}


def _conclusion(entry: Mapping[str, Any], difference: float | None, alpha: float) -> str:
    if entry["p_holm"] <= alpha:
        return SHOWN
    if difference is None:
        return NOT_SHOWN
    low, high = entry["interval"]
    return EQUIVALENT if -difference < low and high < difference else CANNOT_DECIDE


def _sentence(name: str, entry: Mapping[str, Any], difference: float | None, alpha: float, comparisons: int) -> str:
    low, high = entry["interval"]
    interval = f"{1 - alpha:.0%} interval {low:+.4g} to {high:+.4g}"
    if math.isnan(low):
        interval = "no interval, as no value varies"
    runs = f"{entry['n']} pairs" if entry["paired"] else f"{entry['n_baseline']} and {entry['n']} runs"
    text = f"{name}: {entry['conclusion']}; {entry['difference']:+.4g} ({interval}), "
    text += f"p = {entry['p']:.3g} ({entry['p_method']})"
    if comparisons > 1:
        text += f", {entry['p_holm']:.3g} after Holm's correction over {comparisons} comparisons"
    text += f", {runs}"
    if entry["conclusion"] == SHOWN or entry["conclusion"] == EQUIVALENT:
        return text
    if entry["runs_needed"] is None:
        return text
    which = "such a difference" if difference is None else f"a difference of {difference:g}"
    return f"{text}; to show {which}, were it true, takes about {entry['runs_needed']} runs of each"


def _over_examples(table: RunTable, baseline: str, name: str, alpha: float, seed: int) -> dict[str, Any]:
    """The difference over the examples that both have, each averaged over the seeds, with a bootstrap interval."""
    from dltools.statistics import bootstrap_mean

    means = []
    for configuration in (baseline, name):
        collected: dict[str, list[float]] = {}
        for scores in table.examples[configuration].values():
            for example, score in scores.items():
                collected.setdefault(example, []).append(score)
        means.append({example: sum(scores) / len(scores) for example, scores in collected.items()})
    shared = [example for example in means[0] if example in means[1]]
    differences = [means[1][example] - means[0][example] for example in shared]
    result: dict[str, Any] = {"examples": len(shared), "left_out": len(means[0]) + len(means[1]) - 2 * len(shared)}
    if len(shared) >= 100:
        interval = bootstrap_mean(differences, alpha=alpha, seed=seed)
        result |= {"difference": sum(differences) / len(differences), "interval": list(interval)}
    return result


def _examples_sentence(name: str, entry: Mapping[str, Any], alpha: float) -> str:
    left_out = f"; {entry['left_out']} examples that one side lacks are left out" if entry["left_out"] else ""
    if "interval" not in entry:
        return f"{name}: {entry['examples']} common examples are too few for a bootstrap (100 are needed){left_out}"
    low, high = entry["interval"]
    return (
        f"{name}: over {entry['examples']} common examples {entry['difference']:+.4g} ({1 - alpha:.0%} bootstrap "
        f"interval {low:+.4g} to {high:+.4g}){left_out}; "
        "that is the uncertainty of the test set, with these trained models"
    )


def _diverged(table: RunTable, name: str) -> Finding:
    seeds, total = table.diverged(name), len(table.runs[name])
    return Finding(
        "diverged-runs",
        name,
        f"{len(seeds)} of {total} runs have no finite {table.metric!r}: {', '.join(seeds)}. The comparison is of the "
        "others, and so makes this configuration look better than it is",
        {"diverged": len(seeds), "runs": total},
        "report the share of failed runs with the result; find the cause (training-diagnostics); or count them with a "
        "stated value by --diverged-as, such as that of guessing",
    )


def _worse(name: str, baseline: str, metric: str, entry: Mapping[str, Any]) -> Finding:
    low, high = entry["interval"]
    message = f"{metric!r} is worse than in {baseline!r} by {abs(entry['difference']):.4g}, more than seeds explain"
    values = {"difference": entry["difference"], "low": low, "high": high, "p_holm": entry["p_holm"]}
    return Finding("worse-than-baseline", name, message, values, "keep the baseline, or find what the change broke")


def _spread(table: RunTable, name: str) -> dict[str, Any]:
    values = list(table.finite(name).values())
    return {
        "n": len(values),
        "mean": plain_statistics.mean(values) if values else None,
        "deviation": plain_statistics.stdev(values) if len(values) > 1 else None,
    }


def _show(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for column in ("configuration", "runs", "mean", "sd", "difference", "p (Holm)", "conclusion"):
        table.add_column(column, justify="left" if column in ("configuration", "conclusion") else "right")
    for name, entry in report.measured["runs"].items():
        other = report.measured["comparisons"].get(name, {})
        numbers = (entry["mean"], entry["deviation"], other.get("difference"), other.get("p_holm"))
        shown = ["-" if value is None else f"{value:.4g}" for value in numbers]
        table.add_row(name, str(entry["n"]), *shown, other.get("conclusion", "baseline"))
    Console().print(table)


def _mapping(text: str | None) -> dict[str, str]:
    pairs = [part.partition("=") for part in (text or "").split(",") if part]
    for role, equals, column in pairs:
        if not equals or not column:
            raise UnusableInput(f"--map {text!r}: write role=column, such as configuration=model,seed=trial")
    return {role.strip(): column.strip() for role, _, column in pairs}


@app.command(help=help_text(__doc__))
def main(
    runs: Annotated[Path, typer.Argument(help="CSV file")],
    metric: Annotated[str | None, typer.Option(help="the metric to compare, where there are several")] = None,
    baseline: Annotated[str | None, typer.Option(help="the configuration to compare with (first of the file)")] = None,
    paired_by: Annotated[str | None, typer.Option(help="column that says which runs belong together: seed")] = None,
    higher: Annotated[
        bool | None, typer.Option("--higher-is-better/--lower-is-better", help="by the name of the metric")
    ] = None,
    difference: Annotated[float | None, typer.Option(help="smallest difference that matters")] = None,
    mapping: Annotated[
        str | None, typer.Option("--map", help="role=column,… for configuration, seed, metric, value, example")
    ] = None,
    diverged_as: Annotated[float | None, typer.Option(help="what a run without a finite value counts as")] = None,
    alpha: Annotated[float, typer.Option(help="level of all comparisons together")] = 0.05,
    power: Annotated[float, typer.Option(help="for the number of runs needed")] = 0.8,
    plot_to: Annotated[Path | None, typer.Option("--plot", help="picture (.png, .svg, .pdf)")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    seed: Annotated[int, typer.Option(help="of drawn permutations and bootstraps")] = 0,
    debug: Annotated[bool, typer.Option("--debug", help="show the traceback of an unexpected error")] = False,
) -> None:
    with answering(TOOL, as_json, debug):
        if not 0 < alpha < 0.5 or not 0 < power < 1:
            raise UnusableInput("--alpha must be between 0 and 0.5, and --power between 0 and 1")
        if difference is not None and not (math.isfinite(difference) and difference > 0):
            raise UnusableInput(f"--difference is {difference:g}; give a number above 0")
        check_picture(plot_to)
        roles = _mapping(mapping)
        if paired_by is not None:
            roles.setdefault("seed", paired_by)
        table = read_runs(runs, metric=metric, mapping=roles, diverged_as=diverged_as)
        better = higher_is_better(table.metric) if higher is None else higher
        report = analyse(
            table, baseline=baseline, paired=paired_by is not None, better=better, difference=difference, alpha=alpha,
            power=power, seed=seed,
        )  # fmt: skip
        if plot_to is not None:
            plot(report, plot_to)
        if not as_json:
            _show(report)
        finish(report, as_json)


if __name__ == "__main__":
    app()
