"""What the commands ask of git: which commit a change is held against, and its files in a folder of their own.

Nothing in the repository is touched: an old tree is written through an index of its own.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import contextmanager
from typing import Iterator, NamedTuple

from pluglint.discover import real_path
from pluglint.words import did_you_mean

# Git sets these for its hooks; they would lead every call below to another index or repository.
_HOOK_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")


class CannotCompare(Exception):
    """There is nothing to compare with; the message says why, and what to do."""


class OldTree(NamedTuple):
    """A commit's files in a temporary folder.

    top      the repository's top folder
    folder   the same folder in the old tree
    base     the commit
    targets  the targets as they are named from `working_folder`
    working_folder  the place of the present working folder in the old tree; enter it with `entered`
    """

    top: str
    folder: str
    base: str
    targets: list[str]
    working_folder: str


@contextmanager
def old_tree(targets: list[str], ref: str) -> Iterator[OldTree]:
    """The tree where the present commit and `ref` parted, as far as the targets need it.

    Raises `CannotCompare`.
    """
    top = top_of(targets)
    base = base_of(top, ref)
    with tempfile.TemporaryDirectory(prefix="pluglint-since-") as temporary:
        # some names mean something: agents, skills
        folder = os.path.join(os.path.realpath(temporary), os.path.basename(top) or "tree")
        write_tree(top, base, ref, _wanted(top, targets), folder, os.path.join(temporary, "index"))
        here = os.path.realpath(os.getcwd())
        below = here == top or here.startswith(top + os.sep)
        moved = [target if below and not os.path.isabs(target) else os.path.join(folder, inside(target, top)) for target in targets]
        yield OldTree(top, folder, base, moved, os.path.join(folder, os.path.relpath(here, top)) if below else here)


@contextmanager
def tree_of(top: str, commit: str, ref: str, path: str = ".") -> Iterator[str]:
    """The files of a commit, or those below a path, in a temporary folder with the name of the repository's. Raises `CannotCompare`."""
    with tempfile.TemporaryDirectory(prefix="pluglint-since-") as temporary:
        folder = os.path.join(os.path.realpath(temporary), os.path.basename(top) or "tree")
        write_tree(top, commit, ref, [path], folder, os.path.join(temporary, "index"))
        yield folder


@contextmanager
def entered(folder: str) -> Iterator[None]:
    """Makes a folder the working folder for a while. Relative targets, `exclude` and `[[suppress]]` mean the same in both trees only from the same folder of each."""
    before = os.getcwd()
    os.makedirs(folder, exist_ok=True)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def inside(path: str, *roots: str) -> str:
    """A path as it is written below the first of some folders that holds it; else made absolute."""
    real = real_path(path)
    for root in roots:
        if real == root or real.startswith(root.rstrip(os.sep) + os.sep):
            return os.path.relpath(real, root).replace(os.sep, "/")
    return real


def git(folder: str, *arguments: str, stdin: bytes = b"", index: str | None = None, good: tuple[int, ...] = (0,)) -> bytes:
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
        raise CannotCompare(f"--since: git {arguments[0]} failed: {lines[0] if lines else f'exit status {done.returncode}'}")
    return done.stdout


def one_line(output: bytes) -> str:
    return os.fsdecode(output.rstrip(b"\r\n"))


def top_of(targets: list[str]) -> str:
    """The top folder of the one repository that holds every target."""
    found: dict[str, str] = {}
    for target in targets:
        folder = target if os.path.isdir(target) else os.path.dirname(target) or "."
        try:
            found.setdefault(os.path.realpath(one_line(git(folder, "rev-parse", "--show-toplevel"))), target)
        except CannotCompare as error:
            if "not a git repository" not in str(error):
                raise
            raise CannotCompare(f"--since: {target} is in no git repository, so nothing says what changed") from None
    if len(found) > 1:
        (one, first), (other, second) = list(found.items())[:2]
        raise CannotCompare(f"--since: {first} and {second} are in different repositories ({one}, {other}); check each in its own run")
    return next(iter(found))


class Tag(NamedTuple):
    """A tag with its commit; `behind`: whether the present commit comes after it, or is it."""

    name: str
    commit: str
    behind: bool


def head_of(top: str) -> str:
    """The present commit."""
    head = git(top, "rev-parse", "--verify", "--quiet", "HEAD^{commit}", good=(0, 1))
    if not head:
        raise CannotCompare("--since: the repository has no commits yet, so there is nothing to compare with")
    return one_line(head)


def is_shallow(top: str) -> bool:
    return one_line(git(top, "rev-parse", "--is-shallow-repository")) == "true"


def tags(top: str) -> list[Tag]:
    """All tags of commits, the newest first."""
    behind = set(one_line(git(top, "for-each-ref", "--merged=HEAD", "--format=%(refname)", "refs/tags")).split("\n"))
    listed = one_line(git(top, "for-each-ref", "--sort=-creatordate", "--format=%(refname) %(objecttype) %(objectname) %(*objecttype) %(*objectname)", "refs/tags"))
    found = []
    for line in listed.splitlines():
        name, kind, commit, *peeled = line.split(" ")
        if kind == "tag":
            kind, commit = peeled
        if kind == "commit":
            found.append(Tag(name.removeprefix("refs/tags/"), commit, name in behind))
    return found


def base_of(top: str, ref: str) -> str:
    """The commit where the present one and `ref` parted."""
    head_of(top)
    shallow = is_shallow(top)
    # git would take a leading hyphen for an option of its own
    commit = b"" if ref.startswith("-") or "\0" in ref else git(top, "rev-parse", "--verify", "--quiet", ref + "^{commit}", good=(0, 1, 128))
    if not commit:
        raise CannotCompare(_unknown(top, ref, shallow))
    base = git(top, "merge-base", one_line(commit), "HEAD", good=(0, 1))
    if base:
        return one_line(base)
    if shallow:
        raise CannotCompare(
            f"--since: this clone is shallow and does not reach back to where '{ref}' and the present commit parted; "
            "fetch the rest with `git fetch --unshallow` (with actions/checkout: `fetch-depth: 0`)"
        )
    raise CannotCompare(f"--since: '{ref}' and the present commit have no common history")


def _unknown(top: str, ref: str, shallow: bool) -> str:
    message = f"--since: no commit, branch or tag is called '{ref}'"
    names = one_line(git(top, "for-each-ref", "--format=%(refname:short)")).split("\n")
    elsewhere = next((name for name in names if name.endswith("/" + ref)), None)
    close = elsewhere or did_you_mean(ref, names)
    if close:
        return f"{message}; did you mean '{close}'?"
    if shallow:
        return f"{message}, and this clone is shallow; fetch the rest with `git fetch --unshallow --tags` (with actions/checkout: `fetch-depth: 0`)"
    if not git(top, "for-each-ref", "--count=1", "refs/tags"):
        return f"{message}, and the repository has no tags; `git fetch --tags` brings those of the remote"
    return message


def renames(top: str, base: str) -> dict[str, str]:
    """Old path -> new path of files that only moved, or nearly."""
    fields = os.fsdecode(git(top, "diff", "--name-status", "-z", "-M", "--diff-filter=R", base)).split("\0")
    return {fields[at + 1]: fields[at + 2] for at in range(0, len(fields) - 2, 3)}


def _wanted(top: str, targets: list[str]) -> list[str]:
    """What of the old tree is needed: the targets, or all of it for a lone file, whose package may lie further up."""
    if all(os.path.isdir(target) for target in targets):
        return [inside(os.path.realpath(target), top) for target in targets]
    return ["."]


def write_tree(top: str, commit: str, ref: str, paths: list[str], into: str, index: str) -> None:
    """Writes the files of a commit into a folder, as a checkout would have them, and those of its submodules."""
    os.makedirs(into)
    git(top, "-c", "core.sparseCheckout=false", "read-tree", commit, index=index)
    files, submodules = [], []
    for entry in git(top, "ls-files", "--stage", "-z", "--", *paths, index=index).split(b"\0")[:-1]:
        described, path = entry.split(b"\t", 1)
        mode, sha, _ = described.split(b" ")
        if mode == b"160000":
            submodules.append((os.fsdecode(path), one_line(sha)))
        else:
            files.append(path)
    git(top, "checkout-index", "-q", "-z", "--stdin", f"--prefix={into}{os.sep}", stdin=b"\0".join([*files, b""]), index=index)
    for number, (path, sha) in enumerate(submodules):
        folder = os.path.join(top, path)
        if not os.path.lexists(os.path.join(folder, ".git")):
            continue  # not checked out here, so the new tree has nothing of it either
        try:
            git(folder, "cat-file", "-e", sha + "^{commit}")
        except CannotCompare:
            raise CannotCompare(
                f"--since: the submodule {path} stood at {sha[:10]} in '{ref}', and this clone does not have that commit; `git -C {path} fetch` brings it"
            ) from None
        old = os.path.join(into, path)
        if os.path.isdir(old):
            os.rmdir(old)
        write_tree(folder, sha, ref, ["."], old, f"{index}-{number}")
