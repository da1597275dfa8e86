"""Which findings a change brought: the working tree against the commit where it left another branch.

The same rules run on both trees. A finding belongs to the change when the old tree did not have it (wherever it
stands: a deleted agent breaks a link in a file that nobody touched), or when its lines are part of the change.
The old tree is written into a temporary folder through an index of its own: nothing in the repository is touched.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import contextmanager
from typing import Iterator

from pluglint import engine, fingerprint
from pluglint.config import Config
from pluglint.discover import NothingToCheck, discover
from pluglint.finding import Finding
from pluglint.words import did_you_mean

# Git sets these for its hooks; they would lead every call below to another index or repository.
_HOOK_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")


class CannotCompare(Exception):
    """There is nothing to compare with; the message says why, and what to do."""


def changed(findings: list[Finding], targets: list[str], config: Config, ref: str) -> list[bool]:
    """For each finding of a run on the working tree, whether it belongs to what changed since `ref`.

    Raises `CannotCompare`.
    """
    top = _top(targets)
    base = _base(top, ref)
    if not findings:
        return []
    renamed = _renames(top, base)
    with tempfile.TemporaryDirectory(prefix="pluglint-since-") as folder:
        old_top = os.path.join(
            os.path.realpath(folder), os.path.basename(top) or "tree"
        )  # some names mean something: agents, skills
        _write_tree(top, base, ref, _wanted(top, targets), old_top, os.path.join(folder, "index"))
        old = _old_findings(top, old_top, targets, config)

        def new_path(path: str) -> str:
            path = _inside(path, old_top, top)
            return renamed.get(path, path)

        known = set(fingerprint.keys(old, new_path))
        old_path = {new: path for path, new in renamed.items()}
        lines: dict[str, list[tuple[int, int]]] = {}
        result = []
        for one, key in zip(findings, fingerprint.keys(findings, lambda path: _inside(path, top, top))):
            path = key[1]
            if key in known and path not in lines:
                lines[path] = _changed_lines(os.path.join(old_top, old_path.get(path, path)), os.path.join(top, path))
            place = one.place
            result.append(
                key not in known or any(first <= place.end_line and place.line <= last for first, last in lines[path])
            )
        return result


def _old_findings(top: str, old_top: str, targets: list[str], config: Config) -> list[Finding]:
    """What the rules find in the old tree, with the targets as far as they were there."""
    here = os.path.realpath(os.getcwd())
    below = here == top or here.startswith(top + os.sep)
    moved = [
        target if below and not os.path.isabs(target) else os.path.join(old_top, _inside(target, top, top))
        for target in targets
    ]
    with _working_folder(os.path.join(old_top, os.path.relpath(here, top)) if below else here):
        there = [target for target in moved if _was_there(target, config)]
        try:
            return engine.check(there, config).findings if there else []
        except NothingToCheck:  # the configuration leaves everything out that was there
            return []


def _was_there(target: str, config: Config) -> bool:
    try:
        return bool(discover(target, config.exclude).roots)
    except NothingToCheck:
        return False


@contextmanager
def _working_folder(folder: str) -> Iterator[None]:
    """Relative targets, `exclude` and `[[suppress]]` mean the same in both trees only from the same folder of each."""
    before = os.getcwd()
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _inside(path: str, *roots: str) -> str:
    """A path as it is written below the first of some folders that holds it; else made absolute."""
    real = engine._real(path)
    for root in roots:
        if real == root or real.startswith(root.rstrip(os.sep) + os.sep):
            return os.path.relpath(real, root).replace(os.sep, "/")
    return real


# -- git


def _git(
    folder: str, *arguments: str, stdin: bytes = b"", index: str | None = None, good: tuple[int, ...] = (0,)
) -> bytes:
    """Standard output of git. Raises `CannotCompare`, with what git says, for any other status than those in `good`."""
    environment = {name: value for name, value in os.environ.items() if name not in _HOOK_VARIABLES}
    environment.update(LC_ALL="C", GIT_LITERAL_PATHSPECS="1", GIT_OPTIONAL_LOCKS="0", GIT_TERMINAL_PROMPT="0")
    if index is not None:
        environment["GIT_INDEX_FILE"] = index
    try:
        done = subprocess.run(["git", "-C", folder, *arguments], input=stdin, capture_output=True, env=environment)
    except FileNotFoundError:
        raise CannotCompare("--since needs git, and there is no `git` on PATH") from None
    if done.returncode not in good:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise CannotCompare(
            f"--since: git {arguments[0]} failed: {lines[0] if lines else f'exit status {done.returncode}'}"
        )
    return done.stdout


def _line(output: bytes) -> str:
    return os.fsdecode(output.rstrip(b"\r\n"))


def _top(targets: list[str]) -> str:
    """The top folder of the one repository that holds every target."""
    found: dict[str, str] = {}
    for target in targets:
        folder = target if os.path.isdir(target) else os.path.dirname(target) or "."
        try:
            found.setdefault(os.path.realpath(_line(_git(folder, "rev-parse", "--show-toplevel"))), target)
        except CannotCompare as error:
            if "not a git repository" not in str(error):
                raise
            raise CannotCompare(f"--since: {target} is in no git repository, so nothing says what changed") from None
    if len(found) > 1:
        (one, first), (other, second) = list(found.items())[:2]
        raise CannotCompare(
            f"--since: {first} and {second} are in different repositories ({one}, {other}); check each in its own run"
        )
    return next(iter(found))


def _base(top: str, ref: str) -> str:
    """The commit where the present one and `ref` parted."""
    if not _git(top, "rev-parse", "--verify", "--quiet", "HEAD^{commit}", good=(0, 1)):
        raise CannotCompare("--since: the repository has no commits yet, so there is nothing to compare with")
    shallow = _line(_git(top, "rev-parse", "--is-shallow-repository")) == "true"
    # git would take a leading hyphen for an option of its own
    commit = (
        b""
        if ref.startswith("-") or "\0" in ref
        else _git(top, "rev-parse", "--verify", "--quiet", ref + "^{commit}", good=(0, 1, 128))
    )
    if not commit:
        raise CannotCompare(_unknown(top, ref, shallow))
    base = _git(top, "merge-base", _line(commit), "HEAD", good=(0, 1))
    if base:
        return _line(base)
    if shallow:
        raise CannotCompare(
            f"--since: this clone is shallow and does not reach back to where '{ref}' and the present commit parted; "
            "fetch the rest with `git fetch --unshallow` (with actions/checkout: `fetch-depth: 0`)"
        )
    raise CannotCompare(f"--since: '{ref}' and the present commit have no common history")


def _unknown(top: str, ref: str, shallow: bool) -> str:
    message = f"--since: no commit, branch or tag is called '{ref}'"
    names = _line(_git(top, "for-each-ref", "--format=%(refname:short)")).split("\n")
    elsewhere = next((name for name in names if name.endswith("/" + ref)), None)
    close = elsewhere or did_you_mean(ref, names)
    if close:
        return f"{message}; did you mean '{close}'?"
    if shallow:
        return (
            f"{message}, and this clone is shallow; fetch the rest with `git fetch --unshallow --tags` "
            "(with actions/checkout: `fetch-depth: 0`)"
        )
    if not _git(top, "for-each-ref", "--count=1", "refs/tags"):
        return f"{message}, and the repository has no tags; `git fetch --tags` brings those of the remote"
    return message


def _renames(top: str, base: str) -> dict[str, str]:
    """Old path -> new path of files that only moved, or nearly."""
    fields = os.fsdecode(_git(top, "diff", "--name-status", "-z", "-M", "--diff-filter=R", base)).split("\0")
    return {fields[at + 1]: fields[at + 2] for at in range(0, len(fields) - 2, 3)}


def _wanted(top: str, targets: list[str]) -> list[str]:
    """What of the old tree is needed: the targets, or all of it for a lone file, whose package may lie further up."""
    if all(os.path.isdir(target) for target in targets):
        return [_inside(os.path.realpath(target), top) for target in targets]
    return ["."]


def _write_tree(top: str, commit: str, ref: str, paths: list[str], into: str, index: str) -> None:
    """Writes the files of a commit into a folder, as a checkout would have them, and those of its submodules."""
    os.makedirs(into)
    _git(top, "-c", "core.sparseCheckout=false", "read-tree", commit, index=index)
    files, submodules = [], []
    for entry in _git(top, "ls-files", "--stage", "-z", "--", *paths, index=index).split(b"\0")[:-1]:
        described, path = entry.split(b"\t", 1)
        mode, sha, _ = described.split(b" ")
        if mode == b"160000":
            submodules.append((os.fsdecode(path), _line(sha)))
        else:
            files.append(path)
    _git(
        top,
        "checkout-index",
        "-q",
        "-z",
        "--stdin",
        f"--prefix={into}{os.sep}",
        stdin=b"\0".join([*files, b""]),
        index=index,
    )
    for number, (path, sha) in enumerate(submodules):
        folder = os.path.join(top, path)
        if not os.path.lexists(os.path.join(folder, ".git")):
            continue  # not checked out here, so the new tree has nothing of it either
        try:
            _git(folder, "cat-file", "-e", sha + "^{commit}")
        except CannotCompare:
            raise CannotCompare(
                f"--since: the submodule {path} stood at {sha[:10]} in '{ref}', and this clone does not have that commit; "
                f"`git -C {path} fetch` brings it"
            ) from None
        old = os.path.join(into, path)
        if os.path.isdir(old):
            os.rmdir(old)
        _write_tree(folder, sha, ref, ["."], old, f"{index}-{number}")


def _changed_lines(old: str, new: str) -> list[tuple[int, int]]:
    """First and last line of each piece of a file that differs from its older self, counted from 1 in the new one."""
    if not os.path.isfile(old) or not os.path.isfile(new):
        return []
    output = _git(
        os.path.dirname(new),
        "diff",
        "--no-index",
        "--no-ext-diff",
        "--no-textconv",
        "--no-color",
        "--text",
        "-U0",
        "--",
        old,
        new,
        good=(0, 1),
    )
    pieces = []
    for line in output.split(b"\n"):
        if line.startswith(b"@@ "):
            first, _, count = line.split(b" ")[2][1:].partition(b",")
            if count != b"0":
                pieces.append((int(first), int(first) + int(count or 1) - 1))
    return pieces
