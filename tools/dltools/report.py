"""The report of a tool: a verdict and findings, as text for people and as one JSON object for machines."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

# Exit statuses, the same for every tool.
CLEAN = 0
FINDINGS = 1
USAGE = 2
UNDECIDED = 3
FAILED = 4

CANNOT_DECIDE = "cannot-decide"

EXIT_STATUSES = """\
Exit status: 0 nothing found, 1 findings, 2 wrong use or unusable input,
3 the evidence does not decide, 4 the tool itself failed."""


def help_text(doc: str | None) -> str:
    """The docstring of a tool as its `--help`: examples and lists keep their lines, the exit statuses follow.

    Without the mark \\b before it, click fills a paragraph like prose.
    """
    paragraphs = f"{(doc or '').strip()}\n\n{EXIT_STATUSES}".split("\n\n")
    laid_out = ("    ", "- ")
    return "\n\n".join("\b\n" + p if any(line.startswith(laid_out) for line in p.split("\n")) else p for p in paragraphs)


class UnusableInput(Exception):
    """The input cannot be used; the message says what is wrong, where, and what to do. Exit status 2."""


class CannotDecide(Exception):
    """The input is sound but holds too little evidence; the message names what is missing. Exit status 3."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Args:
        id: the fault in kebab-case, from the list in the tool's documentation.
        where: the module, tensor, file or steps it is about.
        message: one sentence that says what was seen.
        values: the numbers behind it, each under a name that says what it is.
        next_step: what to measure or change first.
        details: further keys that a tool promises, put beside the others in JSON.
    """

    id: str
    where: str
    message: str
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    next_step: str = ""
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The finding as it stands in JSON."""
        return {
            "id": self.id,
            "where": self.where,
            "message": self.message,
            "values": dict(self.values),
            "next_step": self.next_step,
            **self.details,
        }


@dataclasses.dataclass(frozen=True)
class Report:
    """What a tool has to say.

    Args:
        tool: the name of the tool.
        verdict: one word in kebab-case; `cannot-decide` where the evidence does not decide.
        findings: what is wrong, the most important first.
        measured: everything that was measured, also where nothing is wrong.
        notes: how the input was understood, and the limits of the answer.
    """

    tool: str
    verdict: str
    findings: Sequence[Finding] = ()
    measured: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    notes: Sequence[str] = ()

    @property
    def exit_status(self) -> int:
        """1 with findings, 3 where the verdict is `cannot-decide` without any, else 0."""
        if self.findings:
            return FINDINGS
        return UNDECIDED if self.verdict == CANNOT_DECIDE else CLEAN

    def as_json(self) -> str:
        """One JSON object on one line; numbers that are not finite become the words nan, inf and -inf."""
        return _dumps(
            {
                "tool": self.tool,
                "verdict": self.verdict,
                "findings": [finding.as_dict() for finding in self.findings],
                "measured": dict(self.measured),
                "notes": list(self.notes),
            }
        )

    def as_text(self) -> str:
        """The report for a person, plain text."""
        lines = [f"{self.tool}: {self.verdict}"]
        for finding in self.findings:
            lines.append(f"\n{finding.id}  {finding.where}")
            lines.append(f"  {finding.message}")
            lines += [f"    {name} = {_shown(value)}" for name, value in finding.values.items()]
            for name, value in finding.details.items():
                lines.append(f"  {name.replace('_', ' ')}: {_shown(value)}")
            if finding.next_step:
                lines.append(f"  next: {finding.next_step}")
        if self.notes:
            lines.append("")
            lines += [f"note: {note}" for note in self.notes]
        return "\n".join(lines)


@contextlib.contextmanager
def answering(tool: str, as_json: bool = False, debug: bool = False) -> Iterator[None]:
    """Turns the exceptions of a tool's body into one sentence and a documented exit status.

    Args:
        tool: the name of the tool, put before every message.
        as_json: write the error as a JSON object on standard output, so that one object is always there.
        debug: let unexpected exceptions through with their traceback.

    Raises:
        SystemExit: with the status of `UnusableInput` (2), `CannotDecide` (3) or any other exception (4).
    """
    global _stdout
    _stdout = sys.stdout
    try:
        # what a user's own code prints goes to standard error: the report stays alone on standard output
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except UnusableInput as error:
        _fail(tool, "unusable-input", str(error), USAGE, as_json)
    except CannotDecide as error:
        _fail(tool, CANNOT_DECIDE, str(error), UNDECIDED, as_json)
    except Exception as error:
        if debug:
            raise
        message = f"the tool failed: {type(error).__name__}: {error} (--debug shows where)"
        _fail(tool, "failed", message, FAILED, as_json)
    finally:
        _stdout = None


def finish(report: Report, as_json: bool = False) -> None:
    """Prints the report and ends the process with its exit status.

    Raises:
        SystemExit: always, with `report.exit_status`.
    """
    _print(report.as_json() if as_json else report.as_text())
    raise SystemExit(report.exit_status)


def write_atomic(path: Path, content: str | bytes) -> None:
    """Writes through a temporary file beside the target and a rename: the old file or the new one, never half of it.

    Raises:
        UnusableInput: the folder is missing or cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise UnusableInput(f"cannot write {path}: {error.strerror}; name a folder that exists and may be written") from None
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        # mkstemp makes the file private; give it what a plain open() would have given
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(name)
        if isinstance(error, OSError):
            raise UnusableInput(f"cannot write {path}: {error.strerror}") from None
        raise


# where reports go while standard output is turned away
_stdout: Any = None


def _print(text: str) -> None:
    stream = _stdout or sys.stdout
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:
        # the reader closed the pipe (`| head`): nothing more can be said, and the status still tells
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _fail(tool: str, verdict: str, message: str, status: int, as_json: bool) -> None:
    if as_json:
        _print(_dumps({"tool": tool, "verdict": verdict, "findings": [], "error": message}))
    else:
        print(f"{tool}: {message}", file=sys.stderr)
    raise SystemExit(status)


def _dumps(value: Any) -> str:
    return json.dumps(_plain(value), allow_nan=False, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """Arrays, numpy scalars and numbers that are not finite, as JSON can hold them."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, bool) or value is None or isinstance(value, (int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return str(value)


def _shown(value: Any) -> str:
    value = _plain(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(_shown(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(item)}" for key, item in value.items())
    return str(value)
