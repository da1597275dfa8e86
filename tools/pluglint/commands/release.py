"""`pluglint release`: check, bump and notes."""

from __future__ import annotations

import os
import sys
from datetime import date
from difflib import unified_diff
from typing import Callable, TypeVar

from pluglint import engine
from pluglint.commands.check import CLEAN, FINDINGS, UsageError, _write, settings
from pluglint.config import Config
from pluglint.git import CannotCompare
from pluglint.release import LOCKSTEP, RULES, CannotRelease, Release, judge
from pluglint.text import decode
from pluglint.transaction import Change, write_all

_Result = TypeVar("_Result")


def _or_sentence(work: Callable[[], _Result], since: str | None) -> _Result:
    """A result; what stands in its way becomes wrong use, with a sentence."""
    try:
        return work()
    except (CannotRelease, CannotCompare) as error:
        raise UsageError(str(error) if since is not None else str(error).removeprefix("--since: ")) from None


def check(target: str, since: str | None, output_format: str, output: str | None, config_path: str | None) -> int:
    config = settings([target], config_path)
    release = _or_sentence(lambda: judge(target, config, since), since)
    _write(_rendered(release, config, output_format), output)
    return FINDINGS if release.findings else CLEAN


def _report(release: Release, config: Config) -> engine.Report:
    packages = [one.package for one in release.verdicts]
    files = {document.source.path: document.kind for package in packages for document in package.documents.values()}
    return engine.Report(
        release.findings,
        0,
        files,
        [engine.root_of(one) for one in packages],
        sorted([*RULES, *LOCKSTEP]),
        config.profile,
    )


def _rendered(release: Release, config: Config, output_format: str) -> str:
    from pluglint.report import from_repository, release as own, renderer

    report = _report(release, config)
    if output_format == "json":
        return own.as_json(release, report)
    if output_format == "github":
        return renderer("github").render(from_repository(report))
    return own.as_text(release) + renderer("text").render(report)


def notes(target: str, since: str | None, output: str | None, config_path: str | None) -> int:
    from pluglint.notes import section

    config = settings([target], config_path)
    release = _or_sentence(lambda: judge(target, config, since), since)
    several = len(release.verdicts) > 1
    parts = []
    for one in release.verdicts:
        text = section(one)
        if text:
            parts.append(f"## {one.package.name}\n\n{text}" if several else f"## [Unreleased]\n\n{text}")
    _write("\n".join(parts), output)
    if parts:
        print(
            "pluglint: a draft: it says what changed; write what that means to users, "
            "and what was fixed or is deprecated",
            file=sys.stderr,
        )
    else:
        print(f"pluglint: nothing shipped changed since {release.verdicts[0].reference}", file=sys.stderr)
    return CLEAN


def bump(target: str, since: str | None, part: str, to: str | None, dry_run: bool, config_path: str | None) -> int:
    from pluglint.bump import plan
    from pluglint.words import plural

    config = settings([target], config_path)
    planned = _or_sentence(lambda: plan(target, config, since, part, to, date.today()), since)
    if not planned.changes:
        print("Nothing to do: nothing shipped changed, or the versions tell of it already.")
        return CLEAN
    if dry_run:
        _write("".join(_diff(one) for one in planned.changes), None)
    if planned.after is not None and planned.after.findings:
        _write(
            _rendered(planned.after, config, "text") + "Nothing was written: this would still be wrong afterwards.\n",
            None,
        )
        return FINDINGS
    if not dry_run:
        write_all(planned.changes)
        again = _or_sentence(lambda: judge(target, config, since), since)
        if again.findings:  # somebody else wrote as well
            write_all([Change(one.path, one.after, one.before) for one in planned.changes if one.before is not None])
            for one in planned.changes:
                if one.before is None:
                    os.unlink(one.path)
            _write(_rendered(again, config, "text") + "All files were put back: the package changed meanwhile.\n", None)
            return FINDINGS
        for one in planned.changes:
            print(os.path.relpath(one.path))
    for step in planned.steps:
        drafted = "; its changelog entry is a draft, edit it" if step.drafted else ""
        print(f"{step.name} {step.old or 'unreleased'} -> {step.new}{drafted}")
    print(f"{plural(len(planned.changes), 'file')} {'would be written' if dry_run else 'written'}")
    return CLEAN


def _diff(change: Change) -> str:
    name = os.path.relpath(change.path).replace(os.sep, "/")
    before = decode(change.before, "", "").text if change.before is not None else ""
    after = decode(change.after, "", "").text
    lines = unified_diff(
        before.splitlines(True),
        after.splitlines(True),
        f"a/{name}" if change.before is not None else "/dev/null",
        f"b/{name}",
    )
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)
