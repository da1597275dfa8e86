"""`pluglint check`: run the rules and report."""

from __future__ import annotations

import os
import sys

from pluglint import config as configuration
from pluglint import cache, discover, engine
from pluglint.commands import UsageError
from pluglint.finding import ERROR, INFO, WARNING
from pluglint.rule import rule_ids

CLEAN, FINDINGS, USAGE, INTERNAL = 0, 1, 2, 3
_RANK = {INFO: 0, WARNING: 1, ERROR: 2, "never": 9}


def settings(targets: list[str], config_path: str | None, profile: str | None = None, select: list[str] | None = None, ignore: list[str] | None = None, fail_on: str | None = None, inline: bool = True) -> configuration.Config:
    """The configuration of a run: the nearest file, then the command line over it."""
    if config_path == "none":
        path = None
    elif config_path is not None:
        path = config_path
        if not os.path.isfile(path):
            raise UsageError(f"--config {path}: no such file")
    else:
        path = configuration.find(targets[0]) if targets else None
    ids = rule_ids()
    config = configuration.load(path, ids)
    for option, names in (("--select", select), ("--ignore", ignore)):
        for name in names or ():
            if name not in ids and not (name == "all" and option == "--select"):
                from pluglint.words import did_you_mean

                close = did_you_mean(name, ids)
                raise UsageError(f"{option}: no rule is called '{name}'" + (f"; did you mean '{close}'?" if close else "; `pluglint rules` lists them"))
    if profile:
        config.profile = profile
    if select:
        config.select = tuple(select)
    if ignore:
        config.ignore = (*config.ignore, *ignore)
    if fail_on:
        config.fail_on = fail_on
    config.inline = inline
    return config


def run(
    targets: list[str],
    config: configuration.Config,
    output_format: str = "text",
    show_files: bool = False,
    output: str | None = None,
    use_cache: bool = True,
    statistics: bool = False,
    since: str | None = None,
    baseline: str | None = None,
    write_baseline: str | None = None,
    mend: bool = False,
    unsafe: bool = False,
    show_diff: bool = False,
) -> int:
    """Checks and reports, after mending where that is asked for; returns the exit status."""
    try:
        if show_diff:
            return _diff(targets, config, unsafe, output)
        report = _mended(targets, config, unsafe) if mend else (cache if use_cache else engine).check(targets, config)
    except discover.NothingToCheck as error:
        raise UsageError(str(error)) from None
    if write_baseline is not None:
        return _record(report, write_baseline, targets)
    if since is not None or baseline is not None:
        report = _fresh(report, targets, config, since, baseline)
    from pluglint.report import FROM_REPOSITORY, from_repository, renderer

    module = renderer(output_format)
    if output_format in FROM_REPOSITORY:
        report = from_repository(report)
    if output_format != "text":
        _write(module.render(report), output)
    elif output is None and report.findings and sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        module.show(report, show_files, statistics)
    else:
        _write(module.render(report, show_files, statistics), output)
    summary = os.environ.get("GITHUB_STEP_SUMMARY") if output_format == "github" else None
    if summary:
        with open(summary, "a", encoding="utf-8") as page:  # it belongs to the whole job: added to, never replaced
            page.write(renderer("markdown").render(report))
    if report.crashed:
        return INTERNAL
    limit = _RANK[config.fail_on]
    return FINDINGS if any(_RANK[one.severity] >= limit for one in report.findings) else CLEAN


def _diff(targets: list[str], config: configuration.Config, unsafe: bool, output: str | None) -> int:
    from pluglint import fix

    changes = fix.fix(targets, config, unsafe).changes
    _write(fix.diff(changes), output)
    return FINDINGS if changes else CLEAN


def _mended(targets: list[str], config: configuration.Config, unsafe: bool) -> engine.Report:
    """The report on what is left, after the files are written."""
    from pluglint import fix
    from pluglint.report import printable

    outcome = fix.fix(targets, config, unsafe)
    try:
        fix.write(outcome.changes)
    except fix.CannotFix as error:
        raise UsageError(f"--fix: {error}") from None
    for one in outcome.applied:
        print(f"mended {printable(one.place.path)}:{one.place.line}: {printable(one.fix.title if one.fix else '')} [{one.rule}]", file=sys.stderr)
    return outcome.report


def _fresh(
    report: engine.Report, targets: list[str], config: configuration.Config, since: str | None, baseline: str | None
) -> engine.Report:
    """The report on what is new: since a commit, beside what a baseline knows, or both."""
    keep = [True] * len(report.findings)
    if since is not None:
        from pluglint.git import CannotCompare
        from pluglint.since import changed

        try:
            keep = changed(report.findings, targets, config, since)
        except CannotCompare as error:
            raise UsageError(str(error)) from None
    if baseline is not None:
        keep = [new and wanted for new, wanted in zip(_beside(report, targets, baseline), keep)]
    # A crash of pluglint is never old news.
    findings = [one for one, wanted in zip(report.findings, keep) if wanted or one.rule == engine.INTERNAL_ERROR]
    return report._replace(findings=findings, known=len(report.findings) - len(findings))


def _beside(report: engine.Report, targets: list[str], path: str) -> list[bool]:
    """Which findings a baseline does not know. What it knows and is gone leaves the file, and that is said."""
    from pluglint import baseline
    from pluglint.words import plural

    try:
        outcome = baseline.compare(report, path, baseline.read(path), targets)
    except baseline.BaselineError as error:
        raise UsageError(f"--baseline {error}") from None
    if outcome.gone:
        say = f"pluglint: {path}: {plural(len(outcome.gone), 'finding')} of the baseline no longer found"
        try:
            if os.environ.get("CI"):
                raise OSError(None, "nobody would commit the file of a CI run")
            baseline.write(path, outcome.others)
            print(f"{say} and taken out", file=sys.stderr)
        except OSError as error:
            print(f"{say}, but still in the file ({error.strerror}); run this where you commit", file=sys.stderr)
    return outcome.fresh


def _record(report: engine.Report, path: str, targets: list[str]) -> int:
    from pluglint import baseline
    from pluglint.words import plural

    if report.crashed:
        raise UsageError(f"--write-baseline {path}: not written, because a rule crashed; `pluglint check` says which")
    try:
        total, added, removed = baseline.record(report, path, targets)
    except baseline.BaselineError as error:
        raise UsageError(f"--write-baseline {error}") from None
    print(f"{path}: {plural(total, 'finding')} ({added} new, {removed} gone)")
    return CLEAN


def _write(text: str, output: str | None) -> None:
    if output is None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except UnicodeEncodeError:
            sys.stdout.buffer.write(text.encode("utf-8", "replace"))
            sys.stdout.buffer.flush()
        return
    from pluglint.files import write_atomic

    write_atomic(output, text)
