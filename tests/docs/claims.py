"""Every number that somebody could doubt has a row that says where it comes from.

    python tests/docs/claims.py                prints what is wrong, with a row to paste for each number without one
    python tests/docs/claims.py --json FILE    the same for one document, for programs

Exit status: 0 all is well, 1 findings, 2 wrong use.

Which numbers need a row is said in `quantities.py`. The rows are in `claims.yaml` and in `claims.d/*.yaml`, a mapping
of documents to lists of rows. `text` holds words of the document around the number; blanks, line ends, emphasis,
backticks and link targets do not count when it is looked up. A row covers all numbers in its words, wherever they occur
in the document. `kind` says what stands behind them:

- `computed`: `test` names a test function (`tests/…/test_x.py::test_name`) that computes them.
- `measured`: `command` names a command of the repository (a file of it, a target of its Makefile, or pluglint), or it
  is "blocks of this file" where a block of the document prints them.
- `cited`: `source` names author and year ("He et al. 2015, section 2.2"), or a page and the date it was read.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import json
import re
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Union

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[1] / "tools"))

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

import blocks
from documents import ROOT, line_of, read, shown, with_blocks, with_claims, written
from quantities import Quantity, find_in

BLOCKS = "blocks of this file"


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    text: Annotated[str, Field(min_length=1)]


class Computed(_Row):
    kind: Literal["computed"]
    test: str


class Measured(_Row):
    kind: Literal["measured"]
    command: str


class Cited(_Row):
    kind: Literal["cited"]
    source: str


Row = Annotated[Union[Computed, Measured, Cited], Field(discriminator="kind")]
_ROW: TypeAdapter[Any] = TypeAdapter(Row)


@dataclasses.dataclass(frozen=True)
class Finding:
    """What is wrong: `kind` is missing-row or bad-row; `row` is a row to paste for a number that has none."""

    kind: str
    where: str
    message: str
    row: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" + (f"\n\n{self.row}" if self.row else "")


# -- rows


class _Loader(yaml.SafeLoader):
    """Takes no key twice: the later one would silently replace the rows of the first."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [key.value for key, _ in node.value]
    for key, _ in node.value:
        if keys.count(key.value) > 1:
            raise yaml.MarkedYAMLError(problem=f"the key {key.value!r} stands twice", problem_mark=key.start_mark)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load(root: Path = ROOT) -> tuple[dict[str, list[tuple[str, Any]]], list[Finding]]:
    """All rows, as document -> [(where the row stands, row)], and what is wrong with their form."""
    rows: dict[str, list[tuple[str, Any]]] = {}
    findings = []
    folder = root / "tests/docs"
    for path in [folder / "claims.yaml", *sorted((folder / "claims.d").glob("*.yaml"))]:
        name = path.relative_to(root).as_posix()
        try:
            content = yaml.load(path.read_text(encoding="utf-8"), _Loader) or {}
        except (OSError, yaml.YAMLError) as error:
            findings.append(Finding("bad-row", name, f"cannot be read: {error}"))
            continue
        if not isinstance(content, dict):
            findings.append(Finding("bad-row", name, "must be a mapping of documents to lists of rows"))
            continue
        for document, entries in content.items():
            if not isinstance(entries, list):
                findings.append(Finding("bad-row", f"{name}: {document}", "must have a list of rows"))
                continue
            for number, entry in enumerate(entries, 1):
                where = f"{name}: {document}: row {number}"
                try:
                    rows.setdefault(document, []).append((where, _ROW.validate_python(entry)))
                except ValidationError as error:
                    first = error.errors()[0]
                    place = ".".join(str(part) for part in first["loc"])
                    findings.append(Finding("bad-row", where, f"{place}: {first['msg']}".removeprefix(": ")))
    return rows, findings


def evidence(row: Any, document: str, root: Path = ROOT) -> str | None:
    """What is wrong with what a row names as its origin, or None."""
    if isinstance(row, Computed):
        return _no_test(row.test, root)
    if isinstance(row, Measured):
        return _no_command(row.command, document, root)
    plain = re.sub(r"https?://\S+", "", row.source)
    if not re.search(r"\b[A-Z][\w'’-]+", plain) or not re.search(r"\b(?:1[89]|20)\d\d\b", plain):
        return f"the source {row.source!r} must name an author and a year, or a page and the date it was read"
    return None


def _no_test(test: str, root: Path) -> str | None:
    file, *names = test.split("::")
    if not names or not names[-1].startswith("test"):
        return f"{test!r} is no test: write tests/.../test_x.py::test_name"
    if not file.startswith("tests/") or not (root / file).is_file():
        return f"there is no file {file} below tests/"
    body: list[ast.stmt] = ast.parse((root / file).read_text(encoding="utf-8")).body
    for name in names:
        wanted = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        match = next((node for node in body if isinstance(node, wanted) and node.name == name.split("[")[0]), None)
        if match is None:
            return f"{file} has no {'::'.join(names)}"
        body = match.body
    return None


def _no_command(command: str, document: str, root: Path) -> str | None:
    if command == BLOCKS:
        path = root / document
        try:
            regions = blocks.parse(path).regions if document in with_blocks(root) else []
        except blocks.DocumentError as error:
            return str(error)
        run = [region.lexemes["block"] for _, region in regions]
        if any(one.kind in ("python", "shell") and not one.skip for one in run):
            return None
        return f"no block of {document} is run"
    try:
        words = shlex.split(command)
    except ValueError as error:
        return f"the command {command!r} cannot be read: {error}"
    words = [word for word in words if "=" not in word.split("/")[0]]  # VARIABLE=value before the command
    makefile = root / "Makefile"
    if words[:1] == ["make"] and makefile.is_file():
        targets = re.findall(r"^([\w-]+):", makefile.read_text(encoding="utf-8"), re.M)
        return None if words[1:2] and words[1] in targets else f"the Makefile has no target {' '.join(words[1:2])!r}"
    if words[:1] == ["pluglint"] or words[1:3] == ["-m", "pluglint"]:
        return None
    files = [word.removeprefix("${CLAUDE_PLUGIN_ROOT}/") for word in words if word.endswith((".py", ".sh"))]
    if not files:
        return f"the command {command!r} names no script, no target of the Makefile and not pluglint"
    missing = [file for file in files[:1] if not (root / file).is_file()]
    return f"there is no file {missing[0]}" if missing else None


# -- looking the words up


_MARKS = re.compile(
    r"\*+|`+|(?<!\w)_+|_+(?!\w)|^[ \t]*(?:>[ \t]*)+"  # emphasis, inline code, quoted lines
    r"|!?\[(?=[^\]\n]*\]\()|\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)",  # a link around its text
    re.M,
)


def folded(text: str) -> tuple[str, list[int]]:
    """A text as rows are compared with it, and the offset that each of its characters comes from.

    Case, runs of blanks, emphasis, backticks, quote marks of lines and link targets do not count.
    """
    dropped = set()
    for match in _MARKS.finditer(text):
        dropped.update(range(*match.span()))
    chars: list[str] = []
    offsets: list[int] = []
    for offset, char in enumerate(text):
        if offset in dropped:
            continue
        if char.isspace():
            if not chars or chars[-1] == " ":
                continue
            char = " "
        lower = char.lower()
        chars.append(lower if len(lower) == 1 else char)
        offsets.append(offset)
    return "".join(chars), offsets


def _covered(text: str, offsets: list[int], words: str) -> list[tuple[int, int]]:
    """Where in the document the words of a row stand, as (start, end)."""
    wanted = folded(words)[0].strip()
    result = []
    at = text.find(wanted) if wanted else -1
    while at >= 0:
        result.append((offsets[at], offsets[at + len(wanted) - 1] + 1))
        at = text.find(wanted, at + 1)
    return result


_END = re.compile(r"[.!?][\"')*]*\s|\n\s*\n|\n\s*(?:[-*+]|\d+[.)])\s|\n\s*[|#]")


def sentence(text: str, quantity: Quantity) -> str:
    """The words around a number: its sentence, item or table row, cut to what a row needs to be found."""
    start = 0
    for match in _END.finditer(text, max(0, quantity.start - 1500), quantity.start):
        start = match.start() + 1 if match.group()[-1] in "|#" else match.end()
    stop = _END.search(text, quantity.end)
    end = len(text) if stop is None else stop.start() + (stop.group()[0] in ".!?")
    before, after = text[start : quantity.start], text[quantity.start : end]
    if len(before) > 60:
        before = before[-60:].partition(" ")[2] or before[-60:]
    if len(after) > 60:
        after = after[:60].rpartition(" ")[0] or after[:60]
    return " ".join(re.sub(r"[*`]", "", before + after).split()).removeprefix("> ")


# -- the check


def check(root: Path = ROOT, documents: Iterable[str] | None = None) -> list[Finding]:
    """All that is wrong with the numbers and the rows of a repository.

    Args:
        root: its folder.
        documents: look only at these, as paths relative to it; None for all that are shipped.
    """
    rows, findings = load(root)
    shipped = with_claims(root)
    wanted = shipped if documents is None else list(documents)
    if documents is None:
        for document in rows.keys() - set(shipped):
            message = f"{document} is no document that is shipped"
            findings += [Finding("bad-row", where, message) for where, _ in rows[document]]
    for document in wanted:
        path = root / document
        text = path.read_text(encoding="utf-8")
        quantities = find_in(path)
        compared, offsets = folded(text)
        uncovered = set(quantities)
        for where, row in rows.get(document, []):
            spans = _covered(compared, offsets, row.text)
            inside = {one for one in quantities if any(start <= one.start and one.end <= end for start, end in spans)}
            uncovered -= inside
            if not spans:
                findings.append(Finding("bad-row", where, f"{row.text!r} does not occur in {document}"))
            elif not inside and not any(character.isdigit() for character in row.text):
                # a formula may be backed as well, though the finder does not demand it
                findings.append(Finding("bad-row", where, f"{row.text!r} holds no number"))
            problem = evidence(row, document, root)
            if problem:
                findings.append(Finding("bad-row", where, problem))
        if path.suffix == ".md":
            for part in written(read(path))[0]:
                problem = _no_command(part.command, document, root)
                if problem:
                    where = f"{document}:{line_of(text, part.start)}"
                    findings.append(Finding("bad-row", where, f"what stands here has no origin: {problem}"))
        findings += [_missing(document, text, one) for one in sorted(uncovered)]
    return findings


def _missing(document: str, text: str, quantity: Quantity) -> Finding:
    words = sentence(text, quantity)
    quoted = json.dumps(words, ensure_ascii=False)
    row = f"{document}:\n  - text: {quoted}\n    kind: computed\n    test: tests/...::test_...\n"
    message = f"'{quantity.text}' has no row ({quantity.kind}): {words}"
    return Finding("missing-row", f"{document}:{quantity.line}", message, row)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", nargs="*", metavar="FILE", help="only these documents")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    documents = [shown(Path(one).resolve()) for one in given.documents]
    for one in documents:
        if one not in with_claims():
            parser.error(f"{one} is no document that is shipped; there are {', '.join(with_claims())}")
    findings = check(documents=documents or None)
    if given.json:
        print(json.dumps({"findings": [dataclasses.asdict(one) for one in findings]}, indent=2, ensure_ascii=False))
    else:
        for one in findings:
            print(one)
        print(f"{len(findings)} findings" if findings else "every number has its row")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
