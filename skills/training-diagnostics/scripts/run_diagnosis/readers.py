"""Reads logs into named series of numbers, whatever tool wrote them. Nothing is interpreted here."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from dltools.report import UnusableInput

# a word in one of these spellings is a logged value that is not finite; an empty cell is a value that was not logged
_NOT_LOGGED = ["", "None", "null", "NULL", "NA", "N/A", "<NA>", "-"]
# bytes of a file above which reading takes so long that a progress bar is shown
_LONG = 60_000_000
_SUFFIXES = {".csv", ".tsv", ".txt", ".log", ".jsonl", ".ndjson", ".json"}


@dataclasses.dataclass
class Column:
    """One named series.

    Args:
        values: float64 [n], in the order of the file; NaN and infinities were logged as such.
        rows: int64 [n], the row of the file (or the position in the series) of each value.
        steps: float64 [n] where the format gives every series steps of its own, else None.
    """

    values: np.ndarray
    rows: np.ndarray
    steps: np.ndarray | None = None


@dataclasses.dataclass
class RawLog:
    """What a file or folder holds.

    Args:
        format: the kind of log, in words.
        columns: every column with numbers, by its name.
        ignored: names of columns without numbers.
        notes: what was passed over while reading.
    """

    format: str
    columns: dict[str, Column]
    ignored: list[str] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)


def read_log(path: Path) -> RawLog:
    """Reads a file or folder.

    Args:
        path: a CSV, JSON or JSON Lines file; a folder of TensorBoard events; an MLflow `mlruns`, run or `metrics`
            folder or one of its metric files; or a folder that holds exactly one such file.

    Raises:
        UnusableInput: nothing there, not text, no numbers, or more than one run.
    """
    if not path.exists():
        raise UnusableInput(f"{path} does not exist; name a log file or a folder with one")
    if path.is_dir():
        log = _read_folder(path)
    else:
        log = _read_file(path)
    if not log.columns:
        raise UnusableInput(f"{path} holds no column of numbers; name the file with the logged losses")
    return log


def _read_folder(path: Path) -> RawLog:
    events = sorted(path.rglob("*tfevents*"))
    if events:
        return _read_events(path, events)
    metrics = sorted(
        {folder for folder in (path, *path.rglob("metrics")) if folder.name == "metrics" and folder.is_dir()}
    )
    if len(metrics) > 1:
        names = ", ".join(str(folder.parent.relative_to(path)) for folder in metrics[:5])
        raise UnusableInput(f"{path} holds {len(metrics)} MLflow runs ({names}); name the folder of one")
    if metrics:
        return _read_mlflow(metrics[0])
    states = sorted(path.rglob("trainer_state.json"), key=lambda file: (file.stat().st_mtime, str(file)))
    if states:
        log = _read_file(states[-1])
        log.notes.append(f"read {states[-1]}")
        return log
    files = sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES and file.is_file())
    if len(files) == 1:
        return _read_file(files[0])
    if files:
        raise UnusableInput(f"{path} holds {len(files)} log files ({', '.join(f.name for f in files[:5])}); name one")
    raise UnusableInput(
        f"{path} holds no TensorBoard events, no MLflow metrics, no CSV and no JSON; name the log itself"
    )


def _read_file(path: Path) -> RawLog:
    with path.open("rb") as stream:
        head = stream.read(1 << 16)
    if not head.strip():
        raise UnusableInput(f"{path} is empty; the run wrote nothing, or the path is not the log")
    if "tfevents" in path.name:
        return _read_events(path.parent, [path])
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    if b"\0" in head and encoding != "utf-16":
        raise UnusableInput(f"{path} is not text; name a CSV, JSON or JSON Lines file or a TensorBoard folder")
    text = head.decode(encoding, errors="replace")
    first = text.lstrip()[:1]
    if first in ("{", "["):
        return _read_json(path, encoding)
    lines = text.splitlines()
    if "," not in lines[0] and path.suffix == "" and _is_mlflow(lines[0]):
        return RawLog("MLflow metric", {path.name: _read_metric(path)})
    return _read_table(path, encoding, lines)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _is_mlflow(line: str) -> bool:
    words = line.split()
    return len(words) in (2, 3) and words[0].isdigit() and len(words[0]) >= 12 and all(map(_is_number, words))


def _read_table(path: Path, encoding: str, lines: list[str]) -> RawLog:
    # a million rows of five columns took its C parser 0.2 s of processor time, numpy.genfromtxt over ten times that
    import pandas

    separator = max(",;\t|", key=lines[0].count)
    if not lines[0].count(separator):
        separator = r"\s+"
    words = next(csv.reader(lines[:1], delimiter=separator)) if separator != r"\s+" else lines[0].split()
    notes = []
    if len(lines[0]) > 60_000:
        raise UnusableInput(f"{path}: the first line has more than 60,000 characters; a log starts with column names")
    headless = all(_is_number(word) for word in words if word.strip())
    names = [f"column{index}" for index in range(1, len(words) + 1)] if headless else None
    if headless:
        notes.append("the file has no column names; they are called column1, column2, … (--map train-loss=column2)")
    with warnings.catch_warnings(record=True) as caught, _opened(path) as handle:
        warnings.simplefilter("always")
        try:
            frame = pandas.read_csv(
                handle,
                sep=separator,
                encoding=encoding,
                encoding_errors="replace",
                names=names,
                keep_default_na=False,
                na_values=_NOT_LOGGED,
                on_bad_lines="warn",
                low_memory=False,
                skipinitialspace=True,
                index_col=False,
                decimal="," if separator == ";" and _decimal_comma(lines) else ".",
            )
        except (pandas.errors.ParserError, pandas.errors.EmptyDataError, UnicodeError, ValueError) as error:
            raise UnusableInput(f"{path} cannot be read as a table: {str(error).strip()}") from None
    skipped = sum(str(warning.message).count("Skipping line") for warning in caught)
    if skipped:
        notes.append(f"{skipped} lines with more cells than the header were passed over")
    if not len(frame):
        raise UnusableInput(f"{path} has column names and no rows; the run logged nothing yet")
    log = RawLog("table", {}, notes=notes)
    for name in frame.columns:
        series = frame[name]
        logged = series.notna().to_numpy()
        if series.dtype.kind not in "fiu":
            # words among the numbers, such as nan, or a column of text
            numbers = pandas.to_numeric(series, errors="coerce").to_numpy(float)
            words = series.astype("string").str.strip().str.lower()
            spelled = words.isin(["nan", "-nan", "+nan", "nan(ind)", "-nan(ind)"]).to_numpy(bool)
            logged = logged & (np.isfinite(numbers) | np.isinf(numbers) | spelled)
            values = numbers[logged]
        else:
            values = series.to_numpy(float)[logged]
        if not len(values):
            log.ignored.append(str(name))
            continue
        log.columns[str(name)] = Column(values, np.flatnonzero(logged))
    return log


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file for reading, with a progress bar on standard error where it takes long."""
    import rich.progress
    from rich.console import Console

    quiet = path.stat().st_size < _LONG
    with rich.progress.open(
        path, "rb", description=f"reading {path.name}", console=Console(stderr=True), disable=quiet, transient=True
    ) as handle:
        yield handle


def _decimal_comma(lines: list[str]) -> bool:
    cells = [cell.strip() for line in lines[1:20] for cell in line.split(";")]
    return any(cell.count(",") == 1 and _is_number(cell.replace(",", ".")) for cell in cells)


def _read_json(path: Path, encoding: str) -> RawLog:
    notes: list[str] = []
    kind = "JSON Lines"
    text = path.read_text(encoding, errors="replace")
    rows: list[Any]
    try:
        whole = json.loads(text)
    except ValueError:
        from rich.console import Console
        from rich.progress import track

        rows, broken = [], 0
        quiet = len(text) < _LONG
        for line in track(text.splitlines(), "reading", console=Console(stderr=True), disable=quiet, transient=True):
            if not line.strip():
                continue
            try:
                rows.append(json.loads(line))
            except ValueError:
                broken += 1
        if not rows:
            raise UnusableInput(f"{path} starts like JSON and cannot be read as JSON or JSON Lines") from None
        if broken:
            notes.append(f"{broken} lines that are not JSON were passed over")
    else:
        kind = "JSON"
        if isinstance(whole, dict) and isinstance(whole.get("log_history"), list):
            kind, rows = "Hugging Face trainer_state.json", whole["log_history"]
        elif isinstance(whole, dict) and any(isinstance(value, list) for value in whole.values()):
            return _from_lists(whole)
        else:
            rows = whole if isinstance(whole, list) else [whole]
    found: dict[str, tuple[list[int], list[float]]] = {}
    ignored: dict[str, None] = {}
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            continue
        for name, value in _flat(row):
            number = _number(value)
            if number is None:
                if value is not None:
                    ignored[name] = None
                continue
            cells = found.setdefault(name, ([], []))
            cells[0].append(index)
            cells[1].append(number)
    columns = {name: Column(np.array(values, float), np.array(at)) for name, (at, values) in found.items()}
    return RawLog(kind, columns, [name for name in ignored if name not in columns], notes)


def _from_lists(whole: dict[str, Any]) -> RawLog:
    """Keras `History.history` and its like: one list a quantity."""
    columns = {}
    for name, values in _flat(whole):
        if isinstance(values, list):
            numbers = [(index, _number(value)) for index, value in enumerate(values)]
            kept = [(index, number) for index, number in numbers if number is not None]
            if kept:
                columns[name] = Column(
                    np.array([number for _, number in kept], float), np.array([at for at, _ in kept])
                )
    return RawLog("JSON with a list for each quantity", columns)


def _flat(row: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}/")
        else:
            yield prefix + str(name), value


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        return float(value) if _is_number(value) else None
    return float(value) if isinstance(value, (int, float)) else None


def _read_metric(path: Path) -> Column:
    try:
        rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
        table = np.array([[float(word) for word in (*row, index)[:3]] for index, row in enumerate(rows)])
    except (ValueError, UnicodeDecodeError):
        raise UnusableInput(f"{path} is not an MLflow metric file (lines of time, value, step)") from None
    if table.ndim != 2 or table.shape[1] != 3:
        return Column(np.zeros(0), np.zeros(0, int))
    return Column(table[:, 1], np.arange(len(table)), table[:, 2])


def _read_mlflow(folder: Path) -> RawLog:
    columns = {
        str(file.relative_to(folder)): _read_metric(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.startswith(".")
    }
    return RawLog("MLflow metrics", {name: column for name, column in columns.items() if len(column.values)})


def _read_events(folder: Path, files: list[Path]) -> RawLog:
    from rich.console import Console
    from rich.progress import track
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
    from tensorboard.util import tensor_util

    gathered: dict[str, tuple[list[float], list[float]]] = {}
    size = sum(file.stat().st_size for file in files)
    for file in track(files, "reading events", console=Console(stderr=True), disable=size < _LONG, transient=True):
        under = file.parent.relative_to(folder) if file.parent != folder else Path()
        prefix = "" if under == Path() else f"{under}/"
        for event in LegacyEventFileLoader(str(file)).Load():
            if not event.HasField("summary"):
                continue
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    number = value.simple_value
                elif (
                    value.HasField("tensor")
                    and not value.tensor.tensor_shape.dim
                    and value.tensor.dtype in (1, 2, 3, 9)
                ):
                    number = float(tensor_util.make_ndarray(value.tensor))
                else:
                    continue
                steps, numbers = gathered.setdefault(prefix + value.tag, ([], []))
                steps.append(event.step)
                numbers.append(number)
    if not gathered:
        raise UnusableInput(f"{folder}: the event files hold no scalar; log the loss with add_scalar")
    columns = {
        name: Column(np.array(values, float), np.arange(len(values)), np.array(steps, float))
        for name, (steps, values) in gathered.items()
    }
    return RawLog("TensorBoard events", columns)
