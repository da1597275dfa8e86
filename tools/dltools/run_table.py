"""Reads the results of runs from a CSV file, and says how it understood it.

A row is one run (wide: a column for each metric), one run and metric (long: a metric column and a value column), or one
run and example. Nothing is dropped silently: what is left out stands in `RunTable.notes`.
"""

from __future__ import annotations

import csv
import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from dltools.report import UnusableInput

# Names of columns by what they hold, the most specific first.
ROLES = {
    "configuration": (
        "configuration", "config", "variant", "condition", "arm", "method", "model", "experiment", "name", "run",
    ),
    "seed": ("seed", "random_seed", "fold", "repeat"),
    "metric": ("metric", "metric_name"),
    "value": ("value", "metric_value", "score"),
    "example": ("example", "example_id", "sample_id"),
}
STEPS = ("step", "global_step", "epoch", "iteration")
NO_VALUE = ("", "nan", "none", "null", "na", "n/a", "inf", "-inf", "+inf", "diverged", "failed", "crashed")
_LOWER = re.compile(r"loss|error|err\b|perplexity|ppl|rmse|mse|mae|nll|bpb|fid|wer|cer|latency|time|seconds|brier|ece")
_HIGHER = re.compile(r"acc|f1|auc|auroc|precision|recall|bleu|rouge|iou|dice|map|r2|reward|return|throughput|score")
_FRACTION = re.compile(r"acc|f1|auc|precision|recall|iou|dice")


@dataclasses.dataclass
class RunTable:
    """Values of one metric by configuration and seed.

    Args:
        metric: its name.
        runs: configuration -> seed -> value; NaN where the run has no finite value. In the order of the file.
        has_seeds: seeds come from a column; else they are line numbers.
        examples: configuration -> seed -> example -> score, where the file has single examples.
        notes: how the file was understood.
    """

    metric: str
    runs: dict[str, dict[str, float]]
    has_seeds: bool
    examples: dict[str, dict[str, dict[str, float]]]
    notes: list[str]

    def finite(self, configuration: str) -> dict[str, float]:
        """The runs of a configuration that have a finite value."""
        return {seed: value for seed, value in self.runs[configuration].items() if math.isfinite(value)}

    def diverged(self, configuration: str) -> list[str]:
        """The seeds of the runs without a finite value."""
        return [seed for seed, value in self.runs[configuration].items() if not math.isfinite(value)]


def higher_is_better(metric: str) -> bool | None:
    """What the name of a metric says: True, False, or None where it says nothing."""
    name = metric.lower()
    return False if _LOWER.search(name) else True if _HIGHER.search(name) else None


def read_runs(
    path: Path,
    *,
    metric: str | None = None,
    mapping: Mapping[str, str] | None = None,
    diverged_as: float | None = None,
    only: str | None = None,
) -> RunTable:
    """Reads a CSV file of runs.

    Args:
        path: comma- or semicolon- or tab-separated text with a header.
        metric: the metric; needed where there are several.
        mapping: role -> column, for columns that are not named as in `ROLES`.
        diverged_as: the value that a run without a finite value counts with; None keeps it as NaN.
        only: the configuration of all rows where no column names one; None demands such a column.

    Raises:
        UnusableInput: the file, a column or a value cannot be used; the message names column and line.
    """
    header, rows = _read(path)
    roles = _roles(path, header, mapping or {}, only)
    notes = []
    if "metric" in roles:
        metric, rows = _one_metric(path, rows, roles, metric)
        column = roles["value"]
        form = f"one row for each run and metric; metric {metric!r}"
    else:
        column = metric = _metric_column(path, header, rows, roles, metric)
        form = f"one row for each {'run and example' if 'example' in roles else 'run'}; metric {metric!r}"
    notes.append(
        f"{path.name}: {form}; " + ", ".join(f"{role} from column {roles[role]!r}" for role in roles if role != "value")
    )
    runs: dict[str, dict[str, float]] = {}
    examples: dict[str, dict[str, dict[str, float]]] = {}
    seen: dict[tuple[str, ...], tuple[int, float]] = {}
    repeated = []
    for line, row in rows:
        configuration = row[roles["configuration"]].strip() if "configuration" in roles else only
        if not configuration:
            raise UnusableInput(f"{path.name}, line {line}: no configuration in column {roles['configuration']!r}")
        seed = row[roles["seed"]].strip() if "seed" in roles else f"line {line}"
        if not seed:
            raise UnusableInput(
                f"{path.name}, line {line}: no seed in column {roles['seed']!r}; fill it in, or remove the column if "
                "the seeds are not known"
            )
        value = _value(path, line, column, row[column])
        key = (configuration, seed, row[roles["example"]].strip()) if "example" in roles else (configuration, seed)
        if key in seen:
            first, before = seen[key]
            if before != value and not (math.isnan(before) and math.isnan(value)):
                raise UnusableInput(_duplicate(path, header, key, first, line, metric))
            repeated.append(line)
            continue
        seen[key] = (line, value)
        if "example" in roles:
            if math.isnan(value):
                raise UnusableInput(
                    f"{path.name}, line {line}: example {key[2]!r} has no score; a mean over fewer examples is not "
                    "comparable, so score it (0 if the model gave no answer)"
                )
            examples.setdefault(configuration, {}).setdefault(seed, {})[key[2]] = value
        else:
            runs.setdefault(configuration, {})[seed] = value
    if repeated:
        notes.append(
            f"{len(repeated)} rows repeat an earlier one exactly and count once, as the same run written twice: "
            f"lines {_listed(repeated)}"
        )
    for configuration, by_seed in examples.items():
        runs[configuration] = {seed: sum(scores.values()) / len(scores) for seed, scores in by_seed.items()}
    _check_scales(path, metric, runs)
    if diverged_as is not None:
        count = sum(math.isnan(value) for by_seed in runs.values() for value in by_seed.values())
        runs = {c: {s: diverged_as if math.isnan(v) else v for s, v in by_seed.items()} for c, by_seed in runs.items()}
        notes.append(f"{count} runs without a finite value count as {diverged_as:g}")
    return RunTable(metric, runs, "seed" in roles, examples, notes)


def _read(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UnusableInput(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UnusableInput(f"{path} is not a UTF-8 text; save it as CSV in UTF-8") from None
    lines = text.splitlines()
    if not lines:
        raise UnusableInput(f"{path} is empty; it needs a header such as configuration,seed,accuracy")
    delimiter = max(",;\t", key=lines[0].count)
    reader = csv.reader(lines, delimiter=delimiter)
    header = [name.strip() for name in next(reader)]
    if len(set(header)) < len(header):
        raise UnusableInput(f"{path.name}: the header names {next(n for n in header if header.count(n) > 1)!r} twice")
    rows = []
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise UnusableInput(f"{path.name}, line {reader.line_num}: {len(row)} cells, the header has {len(header)}")
        rows.append((reader.line_num, dict(zip(header, row, strict=True))))
    if not rows:
        raise UnusableInput(f"{path.name} has a header and no rows")
    return header, rows


def _roles(path: Path, header: Sequence[str], mapping: Mapping[str, str], only: str | None) -> dict[str, str]:
    for role, column in mapping.items():
        if role not in ROLES:
            raise UnusableInput(f"--map {role}={column}: {role!r} is not one of {', '.join(ROLES)}")
        if column not in header:
            raise UnusableInput(f"--map {role}={column}: no column {column!r}; there are {', '.join(header)}")
    roles = dict(mapping)
    lower = {name.lower(): name for name in reversed(header)}
    for role, aliases in ROLES.items():
        if role == "value" and "metric" not in roles:
            continue
        found = next((lower[alias] for alias in aliases if alias in lower and lower[alias] not in roles.values()), None)
        if role not in roles and found:
            roles[role] = found
    if "configuration" not in roles and only is None:
        raise UnusableInput(
            f"{path.name}: no column says the configuration of a run; the columns are {', '.join(header)}. Name it "
            "with --map configuration=COLUMN"
        )
    if "metric" in roles and "value" not in roles:
        raise UnusableInput(
            f"{path.name}: there is a metric column {roles['metric']!r} but no value column; name it with "
            "--map value=COLUMN"
        )
    return roles


def _one_metric(path: Path, rows: list, roles: Mapping[str, str], metric: str | None) -> tuple[str, list]:
    names = list(dict.fromkeys(row[roles["metric"]].strip() for _, row in rows))
    if metric is None and len(names) > 1:
        raise UnusableInput(f"{path.name} holds several metrics ({', '.join(names)}); choose one with --metric")
    metric = metric or names[0]
    if metric not in names:
        raise UnusableInput(f"{path.name} has no metric {metric!r}; it has {', '.join(names)}")
    return metric, [(line, row) for line, row in rows if row[roles["metric"]].strip() == metric]


def _metric_column(
    path: Path, header: Sequence[str], rows: list, roles: Mapping[str, str], metric: str | None
) -> str:
    if metric is not None:
        if metric not in header:
            raise UnusableInput(f"{path.name} has no column {metric!r} for --metric; it has {', '.join(header)}")
        return metric
    others = [name for name in header if name not in roles.values() and name.lower() not in STEPS]
    # most cells, not all: a word among numbers is named with its line later
    numeric = [name for name in others if sum(_is_number(row[name]) for _, row in rows) * 2 > len(rows)]
    if not numeric:
        raise UnusableInput(
            f"{path.name}: no column of numbers besides {', '.join(roles.values())}; name it with --metric"
        )
    if len(numeric) > 1:
        raise UnusableInput(
            f"{path.name} has several columns of numbers ({', '.join(numeric)}); choose one with --metric"
        )
    return numeric[0]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell.strip().lower() in NO_VALUE
    return True


def _value(path: Path, line: int, column: str, cell: str) -> float:
    if cell.strip().lower() in NO_VALUE:
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        raise UnusableInput(f"{path.name}, line {line}: {cell!r} in column {column!r} is not a number") from None
    return value if math.isfinite(value) else math.nan


def _duplicate(path: Path, header: Sequence[str], key: tuple[str, ...], first: int, line: int, metric: str) -> str:
    what = f"{path.name}: lines {first} and {line} give different values of {metric!r} for {key[0]!r}, seed {key[1]}"
    steps = [name for name in header if name.lower() in STEPS]
    if steps:
        return (
            f"{what}; column {steps[0]!r} looks like a curve: keep one row for each run, such as its last or its best "
            "by validation"
        )
    return f"{what}; one of them is wrong, or another column is the configuration (--map configuration=COLUMN)"


def _check_scales(path: Path, metric: str, runs: Mapping[str, Mapping[str, float]]) -> None:
    """0.97 beside 97: the same metric as a fraction and in per cent."""
    if not _FRACTION.search(metric.lower()):
        return
    values = [(v, c, s) for c, by_seed in runs.items() for s, v in by_seed.items() if not math.isnan(v)]
    fractions, percents = [v for v in values if 0 < v[0] <= 1], [v for v in values if 1 < v[0] <= 100]
    if fractions and percents and min(percents)[0] > 20 * max(fractions)[0]:
        (low, c1, s1), (high, c2, s2) = max(fractions), min(percents)
        raise UnusableInput(
            f"{path.name}: {metric!r} is a fraction in some rows and per cent in others ({low:g} for {c1!r}, seed "
            f"{s1}; {high:g} for {c2!r}, seed {s2}); bring them to one unit"
        )


def _listed(items: Sequence[object], most: int = 8) -> str:
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(str(item) for item in items[:most]) + more
