"""Runs the code blocks of a document, as a reader would: top to bottom, in one fresh process and one empty folder.

    python tests/docs/blocks.py skills/training-diagnostics/SKILL.md

prints every block with its line, what became of it and what it printed, and exits with 1 when one of them fails.

What becomes of a block is decided by its language:

- `python` is executed. All blocks of a document share one namespace; a warning that the code is deprecated is an error.
- `bash`, `sh` and `shell` are executed with `bash -euo pipefail` when they name a tool of this repository (`OURS`).
  Such a block calls nothing that installs or downloads (`FOREIGN`). All other shell blocks are only parsed.
- `json`, `toml` and `yaml` are parsed.
- The languages in `PLAIN` are left alone. Any other language, or none, is an error: a misspelt one would never run.

A comment directly before a block changes that; any other comment in a document is an error, except those around parts
that a command writes (`documents.written`) and those that speak to pluglint:

- `<!-- exits: 1 -->`: the shell block must end with this status.
- `<!-- output -->`: the block holds what the last executed one printed on standard output (where it printed nothing
  there: on standard error). Words must be equal, numbers within 1 %; `rel=0.1` after a colon makes that 10 %, `rel=0`
  exact. Runs of blanks and empty lines do not count; a line `...` stands for any lines.
- `<!-- skip: next "reason" -->`: the block is not run.

The fences are those that pluglint finds; Sybil keeps them as the examples of a document and evaluates them.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import traceback
import types
import unittest
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[2] / "tools"))

import yaml
from sybil import Document, Example, Lexeme, Region
from sybil.evaluators.python import PythonEvaluator
from sybil.example import SybilFailure
from sybil.parsers.abstract.lexers import strip_prefix

from documents import ROOT, line_of, read, shown, written
from pluglint.parse.markdown import Fence

SHELL = ("bash", "sh", "shell")
DATA = {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.safe_load}
PLAIN = ("text", "markdown", "csv", "diff", "dockerfile", "dot", "html", "ini", "latex", "mermaid")

# What makes a shell block ours: a script of a skill or of tests/docs, or the linter as a command.
OURS = re.compile(
    r"""(?:^|[\s"'/])(?:scripts|tests/docs)/[\w-]+\.py\b
    | (?:^|[;&|(])[ \t]*(?:pluglint|python3?[ ]-m[ ]pluglint)\b""",
    re.M | re.X,
)
FOREIGN = re.compile(r"(?:^|[;&|(])[ \t]*((?:python3? -m )?pip3?|make|claude|npm|npx|conda|uv|curl|wget)\b", re.M)

_COMMENT = {
    "exits": re.compile(r"<!-- exits: (\d+) -->"),
    "output": re.compile(r"<!-- output(?:: rel=(\d+(?:\.\d+)?(?:e-?\d+)?))? -->"),
    "skip": re.compile(r'<!-- skip: next "([^"]*\w[^"]*)" -->'),
    "other": re.compile(
        r"<!-- (?:generated: [\w-]+|[\w-]+: written by `[^`\n]+`|end(?: of [\w-]+)?|pluglint: [^\n]*) -->"
    ),
}
_FORMS = '"<!-- exits: N -->", "<!-- output -->", "<!-- output: rel=X -->" and "<!-- skip: next "reason" -->"'
_SECONDS = 600  # for one document; a loop that never ends must not hang the tests


class DocumentError(ValueError):
    """A document whose blocks cannot be told apart; the message has one line for each fault, with file and line."""


@dataclasses.dataclass(frozen=True)
class Block:
    """A block that is run, parsed, compared or skipped.

    Args:
        kind: python, shell, syntax (a shell block that is only parsed), data or output.
        lang: the language as written.
        exits: the status that a shell block must end with.
        rel: the relative tolerance of an output.
        skip: the reason why the block is not run, or "".
    """

    kind: str
    lang: str
    exits: int = 0
    rel: float = 0.01
    skip: str = ""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of one block: `state` is ran, failed or skipped; `message` says why it failed or was skipped."""

    line: int
    kind: str
    state: str
    message: str = ""
    printed: str = ""
    seconds: float = 0.0


# -- reading


class Blocks:
    """The parser that Sybil asks for the examples of a document, and the evaluator of each."""

    def __init__(self) -> None:
        self.printed: str | None = None
        self._python = PythonEvaluator()

    def __call__(self, document: Document) -> Iterator[Region]:
        """Yields the regions of all blocks in order.

        Raises:
            DocumentError: for a comment of unknown form or without its block, and a language that is not known.
        """
        markdown = read(Path(document.path))
        text, faults = document.text, []
        taken: set[int] = set()
        before = "none"  # what the last executed block was: none, ran, skipped or compared

        def fault(offset: int, message: str) -> None:
            faults.append(f"{shown(document.path)}:{line_of(text, offset)}: {message}")

        forms: dict[int, tuple[str, re.Match[str]]] = {}
        for span in markdown.comments:
            comment = text[span.start : span.end]
            found = [(name, match) for name, form in _COMMENT.items() if (match := form.fullmatch(comment))]
            if found:
                forms[span.start] = found[0]
            else:
                fault(span.start, f"unknown comment {comment!r}; there are {_FORMS}, each directly before a block")
        regions = []
        for fence in sorted(markdown.fences, key=lambda one: one.span.start):
            given: dict[str, re.Match[str]] = {}
            at = fence.span.start
            for span in reversed([one for one in markdown.comments if one.end <= at]):
                if text[span.end : at].strip(" \t\n>") or forms.get(span.start, ("other",))[0] == "other":
                    break
                name, match = forms[span.start]
                given[name] = match
                taken.add(span.start)
                at = span.start
            source = _source(text, fence)
            try:
                block = _block(fence, source, given)
            except DocumentError as error:
                fault(fence.span.start, str(error))
                continue
            if block is None:
                continue
            if block.kind == "output":
                if before != "ran":
                    fault(fence.span.start, _NO_OUTPUT[before])
                before = "compared"
            elif block.kind in ("python", "shell"):
                before = "skipped" if block.skip else "ran"
            regions.append(Region(fence.span.start, fence.span.end, source, self.evaluate, {"block": block}))
        for start, (name, _) in forms.items():
            if name != "other" and start not in taken:
                fault(start, f"no block follows the comment '{name}'")
        for start in written(markdown)[1]:
            fault(start, "this comment of a part that a command writes has no partner")
        if faults:
            raise DocumentError("\n".join(faults))
        yield from regions

    def evaluate(self, example: Example) -> str | None:
        """Runs one block. Returns what is wrong, or None.

        Raises:
            unittest.SkipTest: for a block that is not run.
            Exception: whatever a Python block raises.
        """
        block: Block = example.region.lexemes["block"]
        if block.skip:
            raise unittest.SkipTest(block.skip)
        return getattr(self, f"_run_{block.kind}")(example, block)

    def _run_python(self, example: Example, block: Block) -> None:
        self.printed = ""
        with _captured() as printed:
            try:
                self._python(example)
            finally:
                self.printed = printed()

    def _run_shell(self, example: Example, block: Block) -> str | None:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", example.parsed],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
        self.printed = done.stdout if done.stdout.strip() else done.stderr
        if done.returncode != block.exits:
            said = f"{done.stdout}{done.stderr}".strip()
            head = f"ended with status {done.returncode}, not {block.exits}\n{example.parsed.strip()}"
            return f"{head}\n-- it said:\n{said}"
        return None

    def _run_syntax(self, example: Example, block: Block) -> str | None:
        done = subprocess.run(["bash", "-n", "-c", example.parsed], capture_output=True, text=True)
        return f"bash cannot parse it: {done.stderr.strip()}" if done.returncode else None

    def _run_data(self, example: Example, block: Block) -> str | None:
        try:
            DATA[block.lang](example.parsed)
        except (ValueError, yaml.YAMLError) as error:
            return f"is no {block.lang.upper()}: {error}"
        return None

    def _run_output(self, example: Example, block: Block) -> str | None:
        return difference(example.parsed, self.printed or "", block.rel)


_NO_OUTPUT = {
    "none": "there is no executed block before this output",
    "skipped": "the block before this output is skipped, so nothing can be compared: remove the comment 'output'",
    "compared": "what the last block printed was compared already: put one output after each block",
}


def _source(text: str, fence: Fence) -> Lexeme:
    """The content of a fence without the indentation or quote marks that its list or quote puts before each line."""
    prefix = text[text.rfind("\n", 0, fence.span.start) + 1 : fence.span.start]
    content = text[fence.content.start : fence.content.end]
    return Lexeme(strip_prefix(content, prefix) if prefix else content, fence.content.start - fence.span.start, 0)


def _block(fence: Fence, source: str, given: dict[str, re.Match[str]]) -> Block | None:
    """What becomes of a fence under the comments before it; None when it is left alone."""
    if not fence.closed:
        raise DocumentError("this block is never closed")
    skip = given["skip"].group(1) if "skip" in given else ""
    lang = fence.lang
    if "output" in given:
        if len(given) > 1:
            raise DocumentError("an output takes no other comment")
        return Block("output", lang, rel=float(given["output"].group(1) or 0.01))
    commands = re.sub(r"^[ \t]*#.*$|[ \t]#.*$", "", source, flags=re.M)
    ours = lang in SHELL and OURS.search(commands) is not None
    if "exits" in given and not ours:
        raise DocumentError("'exits' is for a shell block that names one of our tools; this one is not run")
    if skip and not ours and lang != "python":
        raise DocumentError("this block is not run anyway: remove 'skip'")
    if lang == "python":
        return Block("python", lang, skip=skip)
    if ours:
        foreign = FOREIGN.search(commands)
        if foreign and not skip:
            word = foreign.group(1)
            raise DocumentError(f"the block runs our tools and '{word}': put the latter into a block of its own")
        return Block("shell", lang, exits=int(given["exits"].group(1)) if "exits" in given else 0, skip=skip)
    if lang in SHELL:
        return Block("syntax", lang)
    if lang in DATA:
        return Block("data", lang)
    if lang in PLAIN:
        return None
    known = ", ".join(["python", *SHELL, *DATA, *PLAIN])
    raise DocumentError(f"a block in {lang!r}: name its language, one of {known}")


def parse(path: Path) -> Document:
    """The document with a region for each block that is run, parsed, compared or skipped.

    Raises:
        DocumentError: see `Blocks`.
    """
    return Document.parse(str(path), Blocks())


# -- comparing

_NUMBER = re.compile(
    r"(?:(?<![\w.)\]])[-+])?(?<![\w.])(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
)


def difference(expected: str, printed: str, rel: float = 0.01) -> str | None:
    """What is wrong with `printed`, or None where it is as expected.

    Args:
        expected: the text of the document; a line `...` stands for any number of lines.
        printed: what a block printed.
        rel: how far a number may be off, relative to the expected one.
    """
    wanted = [line.strip() for line in expected.splitlines() if line.strip()]
    got = [line.strip() for line in printed.splitlines() if line.strip()]
    parts: list[list[str]] = [[]]
    for line in wanted:
        if line == "...":
            parts.append([])
        else:
            parts[-1].append(line)
    first_open, last_open = parts[0], parts[-1]
    if len(parts) == 1:
        same = _equal(wanted, got, rel)
    else:
        same = len(got) >= len(first_open) + len(last_open)
        same = same and _equal(first_open, got[: len(first_open)], rel)
        same = same and _equal(last_open, got[len(got) - len(last_open) :], rel)
        at, end = len(first_open), len(got) - len(last_open)
        for part in parts[1:-1]:
            while same and not _equal(part, got[at : at + len(part)], rel):
                at += 1
                same = at + len(part) <= end
            at += len(part)
            same = same and at <= end
    if same:
        return None
    return "\n".join(["the output differs", "-- the document says:", *wanted, "-- the block printed:", *got])


def _equal(wanted: list[str], got: list[str], rel: float) -> bool:
    return len(wanted) == len(got) and all(_same_line(one, other, rel) for one, other in zip(wanted, got))


def _same_line(wanted: str, got: str, rel: float) -> bool:
    if [_words(one) for one in _NUMBER.split(wanted)] != [_words(one) for one in _NUMBER.split(got)]:
        return False
    pairs = zip(_NUMBER.findall(wanted), _NUMBER.findall(got))
    values = ((float(one.replace(",", "")), float(other.replace(",", ""))) for one, other in pairs)
    return all(abs(one - other) <= rel * abs(one) for one, other in values)


def _words(text: str) -> list[str]:
    return text.split()


# -- running


def run(path: Path) -> list[Outcome]:
    """Runs the blocks of a document in a process and an empty folder of their own.

    README.md and CONTRIBUTING.md speak to somebody who stands in a clone, so their folder is a copy of the repository.

    Raises:
        DocumentError: the document cannot be parsed, see `Blocks`.
    """
    parse(path)
    with tempfile.TemporaryDirectory(prefix="blocks-") as name:
        work, programs, journal = (Path(name) / part for part in ("work", "bin", "journal"))
        work.mkdir()
        programs.mkdir()
        if path.resolve().parent == ROOT:
            shutil.copytree(ROOT, work, ignore=_leave_out, dirs_exist_ok=True)
        for command, words in (("python", ""), ("python3", ""), ("pluglint", " -m pluglint")):
            script = programs / command
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}"{words} "$@"\n', encoding="utf-8")
            script.chmod(0o755)
        env = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "CLAUDE_PLUGIN_ROOT": str(ROOT),
            "PYTHONPATH": str(ROOT / "tools"),
            "PYTHONHASHSEED": "0",
            "PYTHONUTF8": "1",
            "MPLBACKEND": "Agg",
            "CUDA_VISIBLE_DEVICES": "",
            "JAX_PLATFORMS": "cpu",
            # sums are added up in another order by more threads, and long runs drift apart
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "TERM": "dumb",
        }
        with tempfile.TemporaryFile() as said:
            words = [sys.executable, str(HERE), "--journal", str(journal), str(path.resolve())]
            child = subprocess.Popen(
                words, cwd=work, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
            )
            try:
                end = f"the process ended with status {child.wait(_SECONDS)} in this block"
            except subprocess.TimeoutExpired:
                end = f"not done after {_SECONDS} s"
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()
            said.seek(0)
            tail = said.read().decode(errors="replace")[-2000:].strip()
        outcomes = []
        for line in journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []:
            outcome = Outcome(**json.loads(line))
            if outcomes and outcomes[-1].state == "started":
                outcomes.pop()
            outcomes.append(outcome)
        if not outcomes and child.returncode:
            outcomes.append(Outcome(1, "document", "failed", f"{end}\n{tail}"))
        elif outcomes and outcomes[-1].state == "started":
            outcomes[-1] = dataclasses.replace(outcomes[-1], state="failed", message=f"{end}\n{tail}")
        return outcomes


def _leave_out(folder: str, names: list[str]) -> set[str]:
    """What a fresh clone does not hold either: caches, builds, and hidden entries except the manifests."""
    hidden = {name for name in names if name.startswith(".") and name != ".claude-plugin"}
    return hidden | set(shutil.ignore_patterns("__pycache__", "*.egg-info", "build", "dist")(folder, names))


def failures(path: Path) -> list[str]:
    """One message for each block of a document that fails, beginning with file and line."""
    try:
        outcomes = run(path)
    except DocumentError as error:
        return str(error).splitlines()
    return [f"{shown(path)}:{one.line}: {one.kind} block: {one.message}" for one in outcomes if one.state == "failed"]


def _child(path: str, journal: str) -> None:
    """Runs the blocks of a document in this process and notes what happens, each block before and after."""
    blocks = Blocks()
    document = Document.parse(path, blocks)
    # a reader's script: dataclasses, pickle and warnings look for the module that a class or call belongs to
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    document.namespace = module.__dict__
    sys.path[0] = ""
    for category in (DeprecationWarning, FutureWarning):
        warnings.filterwarnings("error", category=category, module="__main__")
    warnings.filterwarnings("error", category=SyntaxWarning)
    with open(journal, "a", encoding="utf-8") as notes:

        def note(**values: Any) -> None:
            notes.write(json.dumps(values) + "\n")
            notes.flush()

        for example in document:
            block: Block = example.region.lexemes["block"]
            head: dict[str, Any] = {"line": example.line, "kind": block.kind}
            note(**head, state="started")
            began = time.perf_counter()
            state, message = "ran", ""
            try:
                example.evaluate()
            except unittest.SkipTest as reason:
                state, message = "skipped", str(reason)
            except SybilFailure as failure:
                state, message = "failed", failure.result
            except BaseException as error:
                state, message = "failed", _trace(error, path)
                if blocks.printed:
                    message += f"\n-- it printed:\n{blocks.printed.rstrip()}"
            printed = (blocks.printed or "") if state == "ran" and block.kind in ("python", "shell") else ""
            note(**head, state=state, message=message, printed=printed, seconds=round(time.perf_counter() - began, 2))
            if state == "failed" and block.kind in ("python", "shell"):
                break  # what follows builds on it


def _trace(error: BaseException, path: str) -> str:
    """The traceback from the first frame of the document on."""
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename != path:
        frame = frame.tb_next
    return "".join(traceback.format_exception(type(error), error, frame)).rstrip()


@contextlib.contextmanager
def _captured() -> Iterator[Any]:
    """Takes what is written to file descriptor 1, also by subprocesses; yields a function that returns it."""
    with tempfile.TemporaryFile() as file:
        sys.stdout.flush()
        kept = os.dup(1)
        os.dup2(file.fileno(), 1)

        def printed() -> str:
            sys.stdout.flush()
            file.seek(0)
            return file.read().decode(errors="replace")

        try:
            yield printed
        finally:
            sys.stdout.flush()
            os.dup2(kept, 1)
            os.close(kept)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", nargs="+", type=Path, metavar="DOCUMENT")
    parser.add_argument("--journal", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.journal:
        _child(str(given.documents[0]), given.journal)
        return 0
    failed = False
    for path in given.documents:
        if not path.is_file():
            parser.error(f"{path} is no file")
        try:
            outcomes = run(path)
        except DocumentError as error:
            print(error)
            failed = True
            continue
        for one in outcomes:
            where = f"{shown(path.resolve())}:{one.line}"
            print(f"{where}: {one.kind} {one.state} ({one.seconds} s) {one.message}".rstrip())
            print("".join(f"    {line}\n" for line in one.printed.splitlines()), end="")
            failed = failed or one.state == "failed"
        if not outcomes:
            print(f"{shown(path.resolve())}: no blocks to run")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
