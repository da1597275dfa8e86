"""Writes the next version into every place that states it: all of them, or none."""

from __future__ import annotations

import os
import re
from datetime import date
from typing import NamedTuple

from pluglint.changelog import Changelog, changelog_of, order
from pluglint.claims import badges, entry_packages, same_version
from pluglint.config import Config
from pluglint.differences import components
from pluglint.model import Document, Package
from pluglint.notes import section
from pluglint.parse.node import STRING, Node
from pluglint.release import CannotRelease, Release, Verdict, also_of, changelog_for, has_text, judge, version_places
from pluglint.rules.version_mismatch import header_version, readme_mentions, stated, version_lines
from pluglint.semver import enough, following, needed, parse
from pluglint.text import Source, Span, decode, edited
from pluglint.transaction import Change

AUTO = "auto"
_HEAD = """\
# Changelog

The format is that of [Keep a Changelog](https://keepachangelog.com/en/1.1.0/), versions follow
[Semantic Versioning](https://semver.org/spec/v2.0.0.html).
"""


class Step(NamedTuple):
    """A plugin that gets another version. `drafted`: the changelog's entry was drafted, for people to look at."""

    name: str
    old: str
    new: str
    drafted: bool


class Plan(NamedTuple):
    """What would be written; `after` is the judgement on it."""

    steps: list[Step]
    changes: list[Change]
    after: Release | None


class _Edits:
    """Edits of texts by place, collected file by file."""

    def __init__(self) -> None:
        self.sources: dict[str, tuple[Source, dict[Span, str]]] = {}
        self.whole: dict[str, str] = {}  # files that are not there yet

    def replace(self, path: str, source: Source, span: Span, text: str) -> None:
        if source.slice(span) != text:
            self.sources.setdefault(path, (source, {}))[1][span] = text

    def document(self, document: Document, span: Span, text: str) -> None:
        self.replace(document.package.entries[document.rel].path, document.source, span, text)

    def changes(self) -> list[Change]:
        found = []
        for path, (source, edits) in self.sources.items():
            with open(path, "rb") as file:
                before = file.read()
            if decode(before, "", "").text != source.text:
                raise CannotRelease(f"{source.path} was changed while it was read; run the command again")
            if source.bad_utf8 is not None:
                line, column = source.position(source.bad_utf8)
                raise CannotRelease(f"{source.path}:{line}:{column}: not UTF-8; mend it first")
            found.append(Change(path, before, edited(before, [(span.start, span.end, text) for span, text in edits.items()])))
        found += [Change(path, None, text.encode()) for path, text in self.whole.items()]
        return sorted(found)


def plan(target: str, config: Config, since: str | None, part: str, to: str | None, today: date) -> Plan:
    """The edits of a release, and what `release check` will say of the result. Nothing is written.

    Raises `CannotRelease` and `git.CannotCompare`.
    """
    now = judge(target, config, since)
    if to is not None:
        if parse(to) is None:
            raise CannotRelease(
                f"--to {to}: write three numbers, as in 1.2.3, perhaps with a pre-release as in 1.2.3-rc.1"
            )
        if len(now.verdicts) > 1:
            raise CannotRelease(
                f"--to {to}: there are {len(now.verdicts)} plugins here; name one of them as the target"
            )
    edits = _Edits()
    steps = []
    for verdict in now.verdicts:
        if not verdict.needs and (to is None and part == AUTO or len(now.verdicts) > 1) and not verdict.findings:
            continue
        version = _next(verdict, part, to)
        drafted = _write(edits, verdict, version, now.packages, config, today)
        steps.append(Step(verdict.package.name, verdict.released, version, drafted))
    changes = edits.changes()
    after = judge(target, config, since, {change.path: change.after for change in changes}) if changes else None
    return Plan(steps, changes, after)


def _next(verdict: Verdict, part: str, to: str | None) -> str:
    """The version that a plugin gets. The released one counts; a present one that is high enough already stays."""
    name, version, released = verdict.package.name, verdict.version, verdict.released
    if not version or verdict.node is None:
        raise CannotRelease(
            f"{verdict.package.place().source.path}: {name} states no version; write the first one yourself"
        )
    if to is not None:
        if released and parse(released) is not None and order(to) <= order(released):
            raise CannotRelease(f"--to {to}: {verdict.reference} has {released} already; it must be higher")
        return to
    old, present = parse(released or version), parse(version)
    if old is None or present is None:
        raise CannotRelease(
            f"{name} is {version if present is None else released}, which cannot be counted on; "
            "say the next version with --to"
        )
    high_enough = not released or order(version) > order(released)
    if part == AUTO:
        if (
            high_enough
            and (not verdict.needs or enough(old, present, verdict.needs))
            or not verdict.needs
            and version == released
        ):
            return version
        return str(following(old, needed(old, verdict.needs)))
    wanted = following(old, part)
    if released and order(version) > order(str(wanted)):
        raise CannotRelease(f"{name} is {version} already, above {wanted}; use --to for a lower version than that")
    return str(wanted)


def _write(edits: _Edits, verdict: Verdict, version: str, packages: list[Package], config: Config, today: date) -> bool:
    """Collects the edits for one plugin; returns whether its changelog entry is a draft."""
    package = verdict.package
    for document in (package.manifest, package.portable_manifest):
        node = document.get("version") if document is not None else None
        if document is not None and node is not None and node.kind == STRING:
            edits.document(document, node.span, f'"{version}"')
    for shop in packages:
        for entry, plugin in entry_packages(shop):
            node = entry.get("version")
            if plugin is package and node is not None and node.kind == STRING and shop.marketplace is not None:
                edits.document(shop.marketplace, node.span, f'"{version}"')
    readme = package.readme
    stating = next(
        (
            one
            for one in (package.manifest, package.portable_manifest)
            if one is not None and one.get("version") is not None
        ),
        None,
    )
    if readme is not None and stating is not None:
        shown = {badge.span.end: badge for badge in badges(readme)}
        for source, span, _, said in stated(package, stating):
            if source is readme.source:
                badge = shown.get(span.end)
                edits.document(readme, span, version if badge is None else version.replace("-", "--"))
                if badge is not None and said in badge.alt:
                    at = badge.alt_start + badge.alt.index(said)
                    edits.document(readme, Span(at, at + len(said)), version)
    _write_components(edits, verdict)
    for path in also_of(package, config):
        with open(path, "rb") as file:
            source = decode(file.read(), os.path.relpath(path), "")
        places = version_places(source.text, verdict.version)
        if not places:
            raise CannotRelease(
                f"{source.path}: {verdict.version} does not stand in this file of `release.also`; "
                "correct the file or the list"
            )
        for at in places:
            edits.replace(path, source, Span(at, at + len(verdict.version)), version)
    return _write_changelog(edits, verdict, version, today) if version != verdict.released else False


def _write_components(edits: _Edits, verdict: Verdict) -> None:
    """Versions in headers, and what repeats them: lines in the body, the README."""
    versions: dict[str, str] = {}
    for document in components(verdict.package).values():
        node = header_version(document)
        if node is not None:
            versions[document.rel] = node.text
    for part in verdict.parts:
        old, present = parse(part.released), parse(part.node.text)
        if old is not None and (
            present is None or order(part.node.text) <= order(part.released) or not enough(old, present, part.needs)
        ):
            versions[part.document.rel] = str(following(old, needed(old, part.needs)))
    for document in components(verdict.package).values():
        node = header_version(document)
        if node is None:
            continue
        version = versions[document.rel]
        edits.document(document, _inner(document.source, node), version)
        sections = document.markdown.headings
        for span in version_lines(
            document.text,
            document.frontmatter.body,
            sections[1].span.start if len(sections) > 1 else len(document.text),
        ):
            if not same_version(document.source.slice(span), version):
                edits.document(document, span, version)
    readme = verdict.package.readme
    for span, target in readme_mentions(readme) if readme is not None else ():
        if (
            readme is not None
            and target.rel in versions
            and not same_version(readme.source.slice(span), versions[target.rel])
        ):
            edits.document(readme, span, versions[target.rel])


def _inner(source: Source, node: Node) -> Span:
    """The place of a scalar without its quotes."""
    at = source.text.find(node.text, node.span.start, node.span.end)
    return Span(at, at + len(node.text)) if at >= 0 else node.span


# -- the changelog


def _write_changelog(edits: _Edits, verdict: Verdict, version: str, today: date) -> bool:
    holder, shared = changelog_for(verdict.package)
    draft = section(verdict) or "### Changed\n\n- Nothing that is shipped.\n"
    if holder is None:
        edits.whole[os.path.join(verdict.package.path, "CHANGELOG.md")] = (
            f"{_HEAD}\n## [{version}] - {today.isoformat()}\n\n{draft}"
        )
        return True
    log = changelog_of(holder)
    assert log is not None
    document = log.document
    heading = _heading(log, f"{verdict.package.name} {version}" if shared else version, shared, today)
    for release in log.versions:
        line = document.source.line_span(release.span.start)
        if same_version(release.version, version) and (
            not shared or verdict.package.name in document.source.slice(line)
        ):
            if has_text(log, line.end):
                return False
            edits.document(document, Span(line.end, line.end), f"\n\n{draft.rstrip()}")
            return True
    open_section = next((one for one in log.releases if not one.version), None)
    if open_section is not None and not shared:
        line = document.source.line_span(open_section.span.start)
        drafted = not has_text(log, line.end)
        edits.document(document, line, heading + (f"\n\n{draft.rstrip()}" if drafted else ""))
        _write_links(edits, log, version)
        return drafted
    newest = log.newest
    if newest is None or log.versions[0] is not newest:  # oldest first: at the end
        end = len(document.text.rstrip())
        edits.document(document, Span(end, end), f"\n\n{heading}\n\n{draft.rstrip()}")
    else:
        at = document.source.line_span(newest.span.start).start
        edits.document(document, Span(at, at), f"{heading}\n\n{draft}\n")
    return True


def _heading(log: Changelog, version: str, shared: bool, today: date) -> str:
    """A release heading in the manner of the newest one, where that is a plain one."""
    newest = log.newest
    marks = "#" * (log.releases[0].level if log.releases else 2)
    if newest is not None and not shared:
        line = log.document.source.slice(log.document.source.line_span(newest.span.start))
        match = re.fullmatch(
            rf"(#+ +\[?[vV]?){re.escape(newest.version)}(\]?)"
            rf"(?:( [-–—] | \(|: | ){re.escape(newest.date)}(\)?))? *",
            line,
        )
        if match is not None and newest.day is not None:
            return f"{match[1]}{version}{match[2]}{match[3]}{today.isoformat()}{match[4]}"
        if match is not None:
            return f"{match[1]}{version}{match[2]} - {today.isoformat()}"
    return f"{marks} {version} - {today.isoformat()}" if shared else f"{marks} [{version}] - {today.isoformat()}"


def _write_links(edits: _Edits, log: Changelog, version: str) -> None:
    """`[Unreleased]: .../compare/v1.0.0...HEAD` becomes the link of the release, below one from it on."""
    match = re.search(r"(?im)^\[unreleased\]: *(\S*/compare/)(\S*?)\.\.\.(\S+?) *$", log.document.text)
    newest = log.newest
    if match is None or newest is None or newest.version not in match[2]:
        return
    tag = match[2].replace(newest.version, version)
    edits.document(
        log.document,
        Span(*match.span()),
        f"[Unreleased]: {match[1]}{tag}...{match[3]}\n[{version}]: {match[1]}{match[2]}...{tag}",
    )
