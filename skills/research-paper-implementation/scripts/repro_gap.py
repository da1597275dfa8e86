# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "scipy", "pyyaml", "typer"]
# ///
"""Says whether our runs differ from a paper's number by more than seeds explain, and what to check then.

    repro_gap.py runs.csv --reported 27.3
    repro_gap.py runs.csv --metric bleu --reported 27.3 --sd 0.2 --runs 5 --margin 0.3
    repro_gap.py runs.csv --paper spec.yaml --metric bleu=bleu_en_de --metric accuracy --json

RUNS is a CSV file with a row for each run: seed, and a column for each metric; other names are given by --map. With a
configuration column that holds several, choose one by --configuration. --paper is a paper specification (the entries of
`reported`, each with `value` and optionally `sd` and `runs`), a YAML mapping of that form, or a CSV file with the
columns metric, value, sd, runs. --metric COLUMN=ID names the column of ours and the entry of the paper.

The gap is the mean of our runs minus the reported value. Its interval depends on what the paper tells:
- a value alone: it is taken as one further run of the same method, with our spread between seeds. The interval is then
  the prediction interval of one more run (Hahn and Meeker 1991); --runs 5 without --sd says that it is a mean of five.
- --sd and --runs: standard deviation between the paper's runs, and their number: Welch's interval, which lets both
  sides scatter differently. Papers also print standard errors (multiply by the root of the number of runs) and 95 %
  intervals: find out which. With fewer than five runs on a side it covers the truth in 92 to 97 % of cases.
The printed digits are rounded; that error enters too. All intervals suppose that runs scatter normally and that the
paper's runs are independent. A value picked as the best of several runs breaks that; so say what is known and compare
with the best of as many of ours by hand. `interval_if_exact` treats the printed value as free of noise.

--margin M is the largest gap that would not matter. Then two one-sided tests decide (Schuirmann 1987): within-margin
if the interval of confidence 1 - 2 alpha lies between -M and M.

Verdict: inside-seed-noise (no gap is shown; the half-width says how large a hidden one may be), within-margin, gap, or
cannot-decide (fewer than three runs without a shown gap, equal values, or a margin that is neither shown nor excluded);
the notes then say how many seeds would decide. Findings: worse-than-reported, better-than-reported,
differs-from-reported (direction of the metric not known), diverged-runs. A gap comes with what to check, the cheapest
first, for its direction and size; `measured.checks` has it in JSON.
"""

from __future__ import annotations

import csv
import dataclasses
import math
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))

import typer
from dltools.report import CANNOT_DECIDE, Finding, Report, UnusableInput, answering, finish, help_text
from dltools.run_table import higher_is_better, read_runs

TOOL = "repro-gap"
NOISE, WITHIN, GAP = "inside-seed-noise", "within-margin", "gap"
CHECKS = Path(__file__).resolve().parents[1] / "assets/gap-checks.yaml"
# With two runs Student's factor is 12.7: an interval that holds zero then says nothing.
FEWEST = 3
# From this many standard deviations between seeds on, causes that only shift a run within the noise are left out.
LARGE = 10
MOST_SEEDS = 1000

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@dataclasses.dataclass(frozen=True)
class Reported:
    """A number of a paper.

    Args:
        value: the number.
        rounding: the unit of its last printed digit.
        sd: standard deviation between the paper's runs; None if it is not told.
        runs: of how many runs the value is the mean.
        note: what the file says about it.
    """

    value: float
    rounding: float
    sd: float | None = None
    runs: int = 1
    note: str = ""


def error_of_gap(n: Any, sd: Any, reported: Reported) -> tuple[Any, Any]:
    """Standard error of (mean of our n runs minus the reported value), and its degrees of freedom.

    Without a spread of the paper, its runs scatter as ours: sd^2 (1/n + 1/k), n - 1 degrees. With one, the degrees are
    those of Welch (1947). With n = 1 the paper's spread stands for ours. The rounding of the printed value adds a
    variance of unit^2 / 12, that of a uniform error.

    Args:
        n: number of our runs, or an array of numbers.
        sd: their standard deviation, in the unit of the metric, or an array; not used where n is 1.
        reported: the paper's number.
    """
    import numpy as np

    n, sd = np.asarray(n, float), np.asarray(sd, float)
    rounding = reported.rounding**2 / 12
    if reported.sd is None:
        noise, freedom = sd**2 * (1 / n + 1 / reported.runs), n - 1
    else:
        theirs, degrees = reported.sd**2 / reported.runs, reported.runs - 1
        ours = np.where(n > 1, sd**2 / n, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            welch = (ours + theirs) ** 2 / (ours**2 / (n - 1) + theirs**2 / degrees)
        noise = np.where(n > 1, ours + theirs, theirs + reported.sd**2)
        freedom = np.where(n > 1, welch, degrees)
    total = noise + rounding
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.where(noise > 0, freedom * (total / noise) ** 2, np.inf)
    return np.sqrt(total), freedom


def gap_interval(mean: Any, error: Any, freedom: Any, reported: Reported, alpha: float = 0.05) -> tuple[Any, Any, Any]:
    """The gap with its interval of confidence 1 - alpha: (gap, low, high), in the unit of the metric; takes arrays."""
    from scipy import stats

    gap = mean - reported.value
    half = error * stats.t.ppf(1 - alpha / 2, freedom)
    return gap, gap - half, gap + half


def seeds_that_decide(
    gap: float, sd: float, reported: Reported, *, margin: float | None = None, alpha: float = 0.05, power: float = 0.8
) -> int | None:
    """The number of our seeds with which the question is decided with the given power.

    Args:
        gap: the true gap, for a decision without a margin: the number with which it is shown (noncentral t).
        sd: standard deviation between our seeds.
        margin: with one: the number with which a true gap of 0 is shown to lie within it (Julious 2004, section 5).

    Returns:
        The number, from 3 on; None if no number up to `MOST_SEEDS` does, as the noise of the paper's own value remains.
    """
    import numpy as np
    from scipy import stats

    n = np.arange(FEWEST, MOST_SEEDS + 1)
    error, freedom = error_of_gap(n, np.full(len(n), sd), reported)
    if margin is not None:
        enough = error * (stats.t.ppf(1 - alpha, freedom) + stats.t.ppf((1 + power) / 2, freedom)) <= margin
    elif gap == 0:
        return None
    else:
        shift, critical = np.minimum(abs(gap) / error, 30), stats.t.ppf(1 - alpha / 2, freedom)
        # beyond 30 the noncentral t of scipy loses its digits, and the power is 1
        enough = (shift >= 30) | (stats.nct.sf(critical, freedom, shift) >= power)
    return int(n[np.argmax(enough)]) if enough.any() else None


def judge(
    values: Sequence[float], reported: Reported, *, margin: float | None = None, alpha: float = 0.05
) -> dict[str, Any]:
    """One metric: the gap, its interval, and what remains possible; without the conclusion, which needs all metrics.

    Args:
        values: finite results of our runs, at least one.
        reported: the paper's number.
        margin: the largest gap that would not matter.
        alpha: level.
    """
    import numpy as np
    from scipy import stats

    n, mean = len(values), float(np.mean(values))
    sd = float(np.std(values, ddof=1)) if n > 1 else math.nan
    entry: dict[str, Any] = {
        "n": n, "mean": mean, "sd": sd, "reported": reported.value, "reported_sd": reported.sd,
        "reported_runs": reported.runs, "gap": mean - reported.value,
    }  # fmt: skip
    if n == 1 and reported.sd is None:
        entry["reason"] = "one run, and no spread in the paper: nothing says how far seeds lie apart. Run at least 3"
        return entry
    if n > 1 and sd <= 1e-12 * abs(mean):
        entry["reason"] = f"all {n} runs give {mean:g}: the seed changes nothing, or one run was copied; find out which"
        return entry
    error, freedom = error_of_gap(n, sd, reported)
    gap, low, high = gap_interval(mean, error, freedom, reported, alpha)
    spread = sd if n > 1 else reported.sd
    entry |= {
        "interval": [float(low), float(high)], "half_width": float(high - gap), "freedom": float(freedom),
        "p": float(2 * stats.t.sf(abs(gap) / error, freedom)), "gap_in_sd": abs(gap) / spread,
        "interval_if_exact": [gap - half for half in _student(n, sd, alpha)],
        "seeds_that_decide": seeds_that_decide(gap, spread, reported, margin=margin, alpha=alpha),
    }  # fmt: skip
    if margin is not None:
        _, low, high = gap_interval(mean, error, freedom, reported, 2 * alpha)
        entry |= {"margin": margin, "within_margin": bool(-margin < low and high < margin)}
    return entry


def analyse(
    runs: Mapping[str, Mapping[str, float]],
    paper: Mapping[str, Reported],
    *,
    better: Mapping[str, bool | None],
    margin: float | None = None,
    alpha: float = 0.05,
    notes: Sequence[str] = (),
) -> Report:
    """Compares our runs with a paper.

    Args:
        runs: metric -> seed -> value; NaN where a run has no finite value.
        paper: metric -> the paper's number.
        better: metric -> True where higher values are better, False where lower ones are, None where nobody knows.
        margin: the largest gap that would not matter, in the unit of every metric.
        alpha: level of all metrics together (Holm 1979).
        notes: how the files were understood.

    Raises:
        UnusableInput: no finite value, or the two sides are in different units.
    """
    from dltools.statistics import holm

    notes, findings, metrics = list(notes), [], {}
    for metric, by_seed in runs.items():
        finite = [value for value in by_seed.values() if math.isfinite(value)]
        if not finite:
            raise UnusableInput(f"{metric}: no run has a finite value")
        _check_unit(metric, finite, paper[metric].value)
        metrics[metric] = judge(finite, paper[metric], margin=margin, alpha=alpha)
        if len(finite) < len(by_seed):
            findings.append(_diverged(metric, by_seed))
        if paper[metric].note:
            notes.append(f"{metric}: the paper's entry says: {paper[metric].note}")
    judged = [entry for entry in metrics.values() if "p" in entry]
    for entry, adjusted in zip(judged, holm([entry["p"] for entry in judged]) if judged else [], strict=True):
        entry["p_holm"] = adjusted
    for metric, entry in metrics.items():
        entry["conclusion"] = _conclusion(entry, alpha)
        notes.append(_sentence(metric, entry, paper[metric], alpha, len(judged)))
        if entry["conclusion"] == GAP:
            findings.insert(0, _gap(metric, entry, better[metric]))
    conclusions = [entry["conclusion"] for entry in metrics.values()]
    verdict = next(c for c in (GAP, CANNOT_DECIDE, NOISE, WITHIN) if c in conclusions)
    return Report(TOOL, verdict, findings, {"metrics": metrics, "checks": _checks_of(metrics, better, notes)}, notes)


def read_paper(path: Path) -> dict[str, Reported]:
    """The reported numbers of a file, by id: a paper specification, a YAML mapping, or a CSV file.

    Raises:
        UnusableInput: the file cannot be read, or an entry is unusable; the message names it.
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInput(f"cannot read {path}: {getattr(error, 'strerror', 'it is not UTF-8')}") from None
    if path.suffix.lower() == ".csv":
        rows = list(csv.DictReader(text.splitlines()))
        if not rows or not {"metric", "value"} <= set(rows[0]):
            raise UnusableInput(f"{path.name}: needs a header with metric, value, and optionally sd, runs")
        entries: Any = {row["metric"]: row for row in rows}
    else:
        try:
            # the base loader keeps numbers as they are written: 27.30 has one digit more than 27.3
            entries = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - it builds texts only
        except yaml.YAMLError as error:
            raise UnusableInput(f"{path.name} is not YAML: {' '.join(str(error).split())}") from None
        if isinstance(entries, dict) and "reported" in entries:
            entries = entries["reported"]
    if not isinstance(entries, dict) or not entries:
        raise UnusableInput(f"{path.name}: holds no reported numbers; write `reported: {{accuracy: {{value: 0.97}}}}`")
    return {str(name): _entry(path, str(name), entry) for name, entry in entries.items()}


def reported_number(
    value: str, sd: str | float | None = None, runs: str | int | None = None, note: str = ""
) -> Reported:
    """A reported number from its printed form, whose last digit tells the rounding.

    Raises:
        UnusableInput: it is no finite number, or `sd` and `runs` do not fit.
    """
    try:
        number = Decimal(str(value).strip().replace(",", ""))
        deviation = None if sd in (None, "", "null") else float(sd)
        count = None if runs in (None, "", "null") else int(runs)
    except (InvalidOperation, ValueError):
        raise UnusableInput(f"value {value!r}, sd {sd!r}, runs {runs!r}: not all of them are numbers") from None
    if not number.is_finite():
        raise UnusableInput(f"the reported value {value!r} is not finite")
    if count is not None and count < 1:
        raise UnusableInput(f"runs is {count}; give the number of the paper's runs, 1 or more")
    if deviation is not None and not (math.isfinite(deviation) and deviation > 0):
        raise UnusableInput(f"sd is {deviation:g}; give a number above 0, or leave it out")
    if deviation is not None and (count is None or count < 2):
        raise UnusableInput("a standard deviation needs the number of the paper's runs, at least 2; else leave sd out")
    unit = Decimal(1).scaleb(int(number.as_tuple().exponent))
    return Reported(float(number), float(unit), deviation, count or 1, note)


def _entry(path: Path, name: str, entry: Any) -> Reported:
    fields = entry if isinstance(entry, dict) else {"value": entry}
    if not isinstance(fields.get("value"), str):
        raise UnusableInput(f"{path.name}: {name}: has no value")
    note = f"conflict; {fields.get('note', '')}" if fields.get("status") == "conflict" else ""
    try:
        return reported_number(fields["value"], fields.get("sd"), fields.get("runs"), note)
    except UnusableInput as error:
        raise UnusableInput(f"{path.name}: {name}: {error}") from None


def _student(n: int, sd: float, alpha: float) -> tuple[float, float]:
    from scipy import stats

    half = float(stats.t.ppf(1 - alpha / 2, n - 1)) * sd / math.sqrt(n) if n > 1 else math.nan
    return half, -half


def _check_unit(metric: str, values: Sequence[float], reported: float) -> None:
    """0.97 beside 97: a fraction and per cent."""
    mean = sum(values) / len(values)
    small, large = sorted((mean, reported))
    if 0 < small <= 1 < large <= 100 and 50 < large / small < 200:
        raise UnusableInput(
            f"{metric}: the paper says {reported:g}, the mean of our runs is {mean:g}: one is a fraction, the other in "
            "per cent; bring them to one unit"
        )


def _conclusion(entry: Mapping[str, Any], alpha: float) -> str:
    if "p" not in entry:
        return CANNOT_DECIDE
    if entry.get("within_margin"):
        return WITHIN
    if entry["p_holm"] <= alpha:
        return GAP
    return CANNOT_DECIDE if "margin" in entry or entry["n"] < FEWEST else NOISE


def _sentence(metric: str, entry: Mapping[str, Any], reported: Reported, alpha: float, judged: int) -> str:
    if "p" not in entry:
        return f"{metric}: {CANNOT_DECIDE}; {entry['reason']}"
    low, high = entry["interval"]
    text = (
        f"{metric}: {entry['conclusion']}; gap of {entry['gap']:+.4g} ± {entry['half_width']:.4g} ({1 - alpha:.0%} "
        f"interval {low:+.4g} to {high:+.4g}; {entry['gap_in_sd']:.2g} standard deviations between seeds), "
    )
    text += f"p = {entry['p']:.3g}" + (f", {entry['p_holm']:.3g} after Holm's correction" if judged > 1 else "")
    if reported.sd is not None:
        text += f"; Welch's interval of our {entry['n']} runs and the paper's {reported.runs}"
    else:
        other = f"the mean of {reported.runs} further runs" if reported.runs > 1 else "one further run"
        text += f"; our {entry['n']} runs against {other} of the same spread"
    if entry["n"] == 1:
        text += " (our one run is supposed to have the paper's spread)"
    if entry["conclusion"] in (GAP, WITHIN):
        return text
    what = f"a gap within ±{entry['margin']:g}, were there none," if "margin" in entry else "a true gap of that size"
    if entry["seeds_that_decide"] is None:
        return f"{text}. No number of our seeds would show {what}: the noise of the paper's own number remains"
    return f"{text}. To show {what} takes about {entry['seeds_that_decide']} seeds"


def _gap(metric: str, entry: Mapping[str, Any], better: bool | None) -> Finding:
    above = entry["gap"] > 0
    side = "differs-from" if better is None else "better-than" if above == better else "worse-than"
    low, high = entry["interval"]
    return Finding(
        f"{side}-reported",
        metric,
        f"our mean of {entry['mean']:.4g} is {abs(entry['gap']):.3g} ± {entry['half_width']:.2g} "
        f"{'above' if above else 'below'} the reported {entry['reported']:g}, more than seeds explain",
        {"gap": entry["gap"], "low": low, "high": high, "gap_in_sd": entry["gap_in_sd"], "p_holm": entry["p_holm"]},
        "work through the checks, cheapest first; change one thing at a time",
    )


def _diverged(metric: str, by_seed: Mapping[str, float]) -> Finding:
    seeds = [str(seed) for seed, value in by_seed.items() if not math.isfinite(value)]
    return Finding(
        "diverged-runs",
        metric,
        f"{len(seeds)} of {len(by_seed)} runs have no finite value: {', '.join(seeds)}. The gap is that of the others",
        {"diverged": len(seeds), "runs": len(by_seed)},
        "find out why they fail first: what makes them fail may also cost the others their accuracy",
    )


def _checks_of(
    metrics: Mapping[str, Mapping[str, Any]], better: Mapping[str, bool | None], notes: list[str]
) -> list[dict[str, str]]:
    """What to check for the gaps there are, the cheapest first."""
    import yaml

    wanted, largest = set(), 0.0
    for metric, entry in metrics.items():
        if entry["conclusion"] == GAP:
            side = better[metric]
            wanted |= {"worse", "better"} if side is None else {"better" if (entry["gap"] > 0) == side else "worse"}
            largest = max(largest, entry["gap_in_sd"])
    if not wanted:
        return []
    checks = [check for check in yaml.safe_load(CHECKS.read_text(encoding="utf-8")) if wanted & set(check["explains"])]
    small = [check["id"] for check in checks if check["size"] == "small"]
    if largest > LARGE and small:
        notes.append(f"left out, as they shift a run within the noise of seeds at most: {', '.join(small)}")
        checks = [check for check in checks if check["size"] != "small"]
    return [{key: check[key] for key in ("id", "cost", "check", "how")} for check in checks]


def _with_checks(report: Report) -> Report:
    """For a person: the checks as further notes."""
    lines = [f"check, {c['cost']}: {c['check']}: {c['how']}" for c in report.measured["checks"]]
    return dataclasses.replace(report, notes=[*report.notes, *lines])


def _pairs(metrics: Sequence[str], paper: Mapping[str, Reported], path: Path) -> dict[str, str]:
    """Column of ours -> id in the paper."""
    pairs = {}
    for metric in metrics:
        column, _, name = metric.partition("=")
        if (name or column) not in paper:
            raise UnusableInput(
                f"--metric {metric}: {path.name} reports no {name or column!r}; it has {', '.join(paper)}"
            )
        pairs[column] = name or column
    if not pairs:
        raise UnusableInput(
            f"say by --metric COLUMN or COLUMN=ID what to compare; {path.name} reports {', '.join(paper)}"
        )
    return pairs


@app.command(help=help_text(__doc__))
def main(
    runs: Annotated[Path, typer.Argument(help="CSV file of our runs")],
    metric: Annotated[list[str] | None, typer.Option(help="COLUMN, or COLUMN=ID with --paper; repeatable")] = None,
    reported: Annotated[str | None, typer.Option(help="the paper's number, with the digits that it prints")] = None,
    sd: Annotated[float | None, typer.Option(help="standard deviation between the paper's runs")] = None,
    paper_runs: Annotated[int | None, typer.Option("--runs", help="of how many runs its number is the mean")] = None,
    paper: Annotated[Path | None, typer.Option(help="file with reported numbers")] = None,
    configuration: Annotated[str | None, typer.Option(help="which of our configurations")] = None,
    margin: Annotated[float | None, typer.Option(help="largest gap that would not matter")] = None,
    higher: Annotated[
        bool | None, typer.Option("--higher-is-better/--lower-is-better", help="by the name of the metric")
    ] = None,
    mapping: Annotated[str | None, typer.Option("--map", help="role=column,… as in compare_runs.py")] = None,
    alpha: Annotated[float, typer.Option(help="level of all metrics together")] = 0.05,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="show the traceback of an unexpected error")] = False,
) -> None:
    with answering(TOOL, as_json, debug):
        if not 0 < alpha < 0.5:
            raise UnusableInput(f"--alpha is {alpha:g}; give a number between 0 and 0.5")
        if margin is not None and not (math.isfinite(margin) and margin > 0):
            raise UnusableInput(f"--margin is {margin:g}; give a number above 0, in the unit of the metric")
        if (reported is None) == (paper is None):
            raise UnusableInput("give the paper's number either by --reported NUMBER or by --paper FILE")
        if paper is not None and (sd is not None or paper_runs is not None):
            raise UnusableInput("--sd and --runs belong to --reported; in a file they stand beside the value")
        numbers: dict[str, Reported] = {}
        if paper is not None:
            entries = read_paper(paper)
            columns: Sequence[str | None] = list(pairs := _pairs(metric or [], entries, paper))
            numbers = {column: entries[name] for column, name in pairs.items()}
        else:
            columns = metric or [None]
            if len(columns) > 1:
                raise UnusableInput("--reported is one number; several metrics need --paper FILE")
        tables = []
        for column in columns:
            table = read_runs(runs, metric=column, mapping=dict(p.split("=", 1) for p in _split(mapping)), only="ours")
            chosen = configuration or next(iter(table.runs))
            if chosen not in table.runs or (configuration is None and len(table.runs) > 1):
                raise UnusableInput(
                    f"choose one of {', '.join(table.runs)} by --configuration; if these are names of runs, say "
                    "--map seed=COLUMN"
                )
            tables.append((table, table.runs[chosen]))
            if reported is not None:
                numbers[table.metric] = reported_number(reported, sd, paper_runs)
        report = analyse(
            {table.metric: by_seed for table, by_seed in tables}, numbers,
            better={t.metric: higher_is_better(t.metric) if higher is None else higher for t, _ in tables},
            margin=margin, alpha=alpha, notes=tables[0][0].notes,
        )  # fmt: skip
        finish(report if as_json else _with_checks(report), as_json)


def _split(mapping: str | None) -> list[str]:
    parts = [part.strip() for part in (mapping or "").split(",") if part.strip()]
    if bad := [part for part in parts if "=" not in part]:
        raise UnusableInput(f"--map {bad[0]!r}: write role=column, such as seed=trial")
    return parts


if __name__ == "__main__":
    app()
