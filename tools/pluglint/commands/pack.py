"""`pluglint pack`: the zip that the client takes in place of a folder."""

from __future__ import annotations

import os

from pluglint import engine
from pluglint.archive import CannotPack, archive, files_of
from pluglint.commands.check import CLEAN, FINDINGS, UsageError, _write, settings
from pluglint.discover import PLUGIN, NothingToCheck, discover
from pluglint.finding import ERROR
from pluglint.git import CannotCompare
from pluglint.model import Workspace
from pluglint.transaction import Change, write_all
from pluglint.words import plural


def run(target: str, config_path: str | None, output: str | None, listing: bool, check: bool) -> int:
    config = settings([target], config_path)
    try:
        found = discover(target, config.exclude)
    except NothingToCheck as error:
        raise UsageError(str(error)) from None
    packages = engine._packages(found, config, {}, {})
    Workspace(packages)
    here = os.path.realpath(target)
    package = next((one for one in packages if one.kind == PLUGIN and one.path == here), None)
    if package is None:
        plugins = [one.shown or "." for one in packages if one.kind == PLUGIN]
        raise UsageError(
            f"{target}: no plugin to pack"
            + (f"; it holds {plural(len(plugins), 'plugin')}, name one: {plugins[0]}" if plugins else "")
        )
    version = package.version
    path = output or f"{package.name}{f'-{version}' if version else ''}.zip"
    if os.path.isdir(path):
        raise UsageError(f"--output {path}: a folder; name a file")
    try:
        shipped = files_of(package, config, path)
    except (CannotPack, CannotCompare) as error:
        raise UsageError(f"{target}: {str(error).removeprefix('--since: ')}") from None
    if check:
        report = engine.check([target], config)
        report = report._replace(findings=[one for one in report.findings if one.severity == ERROR])
        if report.findings:
            from pluglint.report import renderer

            _write(
                renderer("text").render(report)
                + "Nothing was packed: mend the errors, or pack all the same with --no-check.\n",
                None,
            )
            return FINDINGS
    sizes = {rel: os.stat(name).st_size for rel, name in shipped.files.items()}
    total = sum(sizes.values())
    if listing:
        width = len(f"{total:,}")
        lines = [f"{size:>{width},}  {rel}" for rel, size in sizes.items()]
        lines += [f"{'-':>{width}}  {rel}" for rel in shipped.left]
        _write(
            "\n".join(
                [*lines, f"{total:>{width},}  bytes in {plural(len(sizes), 'file')}; those marked - are left out"]
            )
            + "\n",
            None,
        )
        return CLEAN
    data = archive(shipped.files)
    path = os.path.abspath(path)
    write_all([Change(path, None, data)])
    _write(f"{os.path.relpath(path)}: {plural(len(sizes), 'file')}, {total:,} bytes, {len(data):,} packed\n", None)
    return CLEAN
