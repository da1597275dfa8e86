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


def run(targets: list[str], config: configuration.Config, output_format: str = "text", show_files: bool = False, output: str | None = None, use_cache: bool = True) -> int:
    """Checks and reports; returns the exit status."""
    try:
        report = (cache if use_cache else engine).check(targets, config)
    except discover.NothingToCheck as error:
        raise UsageError(str(error)) from None
    from pluglint.report import renderer

    module = renderer(output_format)
    if output is None and output_format == "text" and report.findings and sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        module.show(report, show_files)
    else:
        _write(module.render(report, show_files), output)
    if report.crashed:
        return INTERNAL
    limit = _RANK[config.fail_on]
    return FINDINGS if any(_RANK[one.severity] >= limit for one in report.findings) else CLEAN


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
