"""Whether the version of a plugin tells its users of what changed since the last release.

The client offers an update when the version changes, and only then. What changed is held against a reference of git:
a tag as it is, any other reference where it and the present commit parted.
"""

from __future__ import annotations

import copy
import os
import re
from contextlib import ExitStack
from typing import NamedTuple

from pluglint import engine
from pluglint.changelog import Changelog, changelog_of, order
from pluglint.claims import entry_packages, is_version, same_version
from pluglint.config import Config
from pluglint.differences import (
    ADDED,
    CHANGED,
    COMPONENTS,
    OFFERED,
    REMOVED,
    RENAMED,
    Change,
    State,
    components,
    differences,
    state_of,
)
from pluglint.discover import PLUGIN
from pluglint.finding import ERROR, Finding, Location, Problem, finding
from pluglint.git import Tag, head_of, inside, tags, top_of, tree_of
from pluglint.model import JsonDocument, MarkdownDocument, Package
from pluglint.parse.node import Node
from pluglint.references import (
    CannotRelease,
    around,
    old_package,
    open_packages,
    plugin_at,
    reference_of,
    stated_version,
    tagged_version,
    version_tags,
)
from pluglint.rules.version_mismatch import header_version
from pluglint.semver import MAJOR, MINOR, PARTS, PATCH, enough, following, needed, parse
from pluglint.shipped import shipped
from pluglint.text import Span, decode
from pluglint.words import listed, plural

LOCKSTEP = ("version-mismatch", "manifests-disagree")
RULES = {
    "version-not-raised": "shipped files changed and the version did not",
    "version-raised-too-little": "the version rose by a smaller part than the change asks for",
    "version-lowered": "the version is lower than the one that was released",
    "version-not-semver": "the version is none that can be compared",
    "version-missing": "a version was stated and is no more, or others of the kind state one",
    "version-already-tagged": "another commit has the tag of this version",
    "version-not-in-file": "a file of `release.also` does not state the version",
    "changelog-entry-missing": "the changelog says nothing of the version",
    "changelog-entry-empty": "the changelog has a heading for the version and no text",
}


class Reason(NamedTuple):
    """Why a version has to rise, and by which part."""

    part: str
    text: str
    path: str


class Part(NamedTuple):
    """An agent, skill or command that has a version of its own and changed."""

    document: MarkdownDocument
    name: str
    released: str
    node: Node
    needs: str


class Verdict(NamedTuple):
    """What there is to say of one plugin.

    reference  what it was compared with; `base` the commit
    released   the version then, "" when it had none; `version` the present one
    source     the file that states it, with its `node`; None where nothing does
    new        whether the plugin was not there
    needs      the part of the version that has to rise; "" when nothing shipped changed
    parts      components with versions of their own that changed
    """

    package: Package
    old: Package | None
    reference: str
    base: str
    released: str
    version: str
    source: JsonDocument | None
    node: Node | None
    new: bool
    needs: str
    changes: list[Change]
    reasons: list[Reason]
    parts: list[Part]
    findings: list[Finding]

    @property
    def raised(self) -> bool:
        return bool(self.version) and self.version != self.released

    @property
    def least(self) -> str:
        """The lowest version that tells of the changes; "" where there is nothing to count from."""
        old = parse(self.released)
        if old is None or not self.needs:
            return ""
        return str(following(old, needed(old, self.needs)))


class Release(NamedTuple):
    """All plugins of the target; `findings` of all of them, and of the places that must agree."""

    verdicts: list[Verdict]
    findings: list[Finding]
    packages: list[Package]


def judge(target: str, config: Config, since: str | None, contents: dict[str, bytes] | None = None) -> Release:
    """Compares the plugins of a target with what was released.

    `contents` (path -> bytes) counts instead of what is on disk. Raises `CannotRelease` and `git.CannotCompare`.
    """
    contents = contents or {}
    packages, wanted = open_packages(target, config, contents)
    top = top_of([target])
    head = head_of(top)
    known = tags(top)
    alone = sum(one.kind == PLUGIN for one in packages) == 1
    verdicts = []
    with ExitStack() as stack:
        trees: dict[str, str] = {}  # whole ones, by commit
        for package in wanted:
            reference, commit = reference_of(top, since, package, known)
            tagged = [(version, tag) for version, own, tag in version_tags(known, package) if own or alone]
            rel = inside(package.path, top)
            with tree_of(top, commit, reference, rel) as tree:
                old = plugin_at(os.path.join(tree, rel), config)
                if old is None or old.name != package.name or stated_version(old, [])[1] is None:
                    # it was elsewhere, had another name, or its version in the marketplace: look at all that there was
                    if commit not in trees:
                        trees[commit] = stack.enter_context(tree_of(top, commit, reference))
                    tree = trees[commit]
                    old = old_package(tree, rel, package, wanted, config)
                verdicts.append(
                    _verdict(package, old, tree, reference, commit, packages, config, contents, tagged, head)
                )
    findings = [one for verdict in verdicts for one in verdict.findings]
    findings += _lockstep(packages, wanted, config)
    return Release(verdicts, sorted(findings, key=lambda one: one.sort_key), packages)


# -- the verdict


def _verdict(
    package: Package,
    old: Package | None,
    tree: str,
    reference: str,
    commit: str,
    packages: list[Package],
    config: Config,
    contents: dict[str, bytes],
    tagged: list[tuple[str, Tag]],
    head: str,
) -> Verdict:
    source, node = stated_version(package, packages)
    version = node.text if node is not None else ""
    changes: list[Change] = []
    released = ""
    if old is not None:
        _, old_node = stated_version(old, around(old))
        released = old_node.text if old_node is not None else ""
        broken = next(
            (
                document
                for document in (old.manifest, old.portable_manifest)
                if document is not None and document.error is not None
            ),
            None,
        )
        if not released and broken is not None:
            said = tagged_version(reference, package.name)
            if said is None:
                rel = (
                    os.path.relpath(broken.source.path, tree).replace(os.sep, "/")
                    if os.path.isabs(broken.source.path)
                    else broken.rel
                )
                raise CannotRelease(
                    f"{rel} in {reference} is no valid JSON, so nothing says what the version must rise from; "
                    "name another commit with --since"
                )
            released = said[0]
        changes = differences(
            _state(old, around(old), config, {}, False), _state(package, packages, config, contents, True)
        )
    reasons = [_reason(one, old, package) for one in changes]
    if old is not None and old.name != package.name:
        reasons.insert(
            0, Reason(MAJOR, f"the plugin is called {package.name} and was {old.name}", package.place().source.path)
        )
    reasons.sort(key=lambda one: -PARTS.index(one.part))
    needs = reasons[0].part if reasons else ""
    verdict = Verdict(
        package, old, reference, commit, released, version, source, node, old is None, needs, changes, reasons, [], []
    )
    verdict = verdict._replace(parts=_parts(verdict))
    problems = [
        *_of_version(verdict, tagged, head),
        *_of_components(verdict),
        *_of_changelog(verdict),
        *_of_files(verdict, config, contents),
    ]
    return verdict._replace(findings=[finding(rule, ERROR, problem) for rule, problem in problems])


def _state(
    package: Package, packages: list[Package], config: Config, contents: dict[str, bytes], ask_git: bool
) -> State:
    others = tuple(one.path for one in packages if one.path.startswith(package.path.rstrip(os.sep) + os.sep))
    files = shipped(package.path, config, ask_git, others).files
    files.update(
        {
            os.path.basename(path): path
            for path in contents
            if os.path.dirname(path) == package.path and not os.path.lexists(path)
        }
    )
    return state_of(package, files, contents)


def weight(change: Change) -> str:
    """The part of the version that a change asks for.

    What is called by its name and is gone breaks; what is new or described anew adds.
    """
    if change.kind in COMPONENTS or change.kind in OFFERED:
        if change.how in (REMOVED, RENAMED):
            return MAJOR
        return MINOR if change.how == ADDED or change.described else PATCH
    return PATCH


def sentence(change: Change) -> str:
    """`agent reader was removed`"""
    name = change.name
    if change.kind == "file":
        return f"{name} {'was ' if change.how != CHANGED else ''}{change.how}"
    if change.kind == "script":
        return f"script {name} of {change.owner[0]} {change.owner[1]} was {change.how}"
    if change.how == RENAMED:
        return f"{change.kind} {change.was} was renamed to {name}"
    if change.how != CHANGED:
        return f"{change.kind} {name} was {change.how}"
    return f"the description of {change.kind} {name} changed" if change.described else f"{change.kind} {name} changed"


def _reason(change: Change, old: Package | None, package: Package) -> Reason:
    path = change.files[0] if change.files else change.document.rel if change.document is not None else ""
    shown = f"{package.shown}/{path}" if package.shown else path
    return Reason(weight(change), sentence(change), shown)


def _hint(verdict: Verdict) -> str:
    """The weightiest reasons, one sentence."""
    texts = [one.text for one in verdict.reasons if one.part == verdict.needs]
    more = len(verdict.reasons) - len(texts)
    beside = f", beside {plural(more, 'smaller change')}" if more else ""
    return f"{_capital(listed(texts, 4))}{beside}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _at(verdict: Verdict, message: str, hint: str, places: tuple[Location, ...] = ()) -> Problem:
    if verdict.source is not None and verdict.node is not None:
        return Problem(verdict.source.source, verdict.node.span, message, hint, places)
    place = verdict.package.place()
    return Problem(place.source, place.span, message, hint, places)


def _places(verdict: Verdict) -> tuple[Location, ...]:
    """Files that changed, of the weightiest changes."""
    found = {}
    for change in verdict.changes:
        if change.document is not None and weight(change) == verdict.needs:
            found.setdefault(change.document.rel, change.document.at(change.document.first_line(), sentence(change)))
    return tuple(found.values())[:5]


def _of_version(verdict: Verdict, tagged: list[tuple[str, Tag]], head: str) -> list[tuple[str, Problem]]:
    name, version, released = verdict.package.name, verdict.version, verdict.released
    if not version:
        if released:
            return [
                (
                    "version-missing",
                    _at(
                        verdict,
                        f"no version is stated, but {verdict.reference} had {released}",
                        "Without one the client offers an update with every commit. State the next version.",
                    ),
                )
            ]
        return []
    new, old = parse(version), parse(released)
    if new is None and (verdict.raised or verdict.needs):
        return [
            (
                "version-not-semver",
                _at(
                    verdict,
                    f"'{version}' is no version that can be compared",
                    "Write three numbers, as in 1.2.3, perhaps with a pre-release as in 1.2.3-rc.1.",
                ),
            )
        ]
    if new is None:
        return []
    if released and old is None:  # what was released cannot be compared; any other version tells of a change
        if verdict.needs and version == released:
            return [
                (
                    "version-not-raised",
                    _at(
                        verdict,
                        f"{name} is still {version}, as in {verdict.reference}",
                        _hint(verdict),
                        _places(verdict),
                    ),
                )
            ]
        return []
    if old is not None and order(version) < order(released):
        return [
            (
                "version-lowered",
                _at(
                    verdict,
                    f"{version} is lower than {released}, which {verdict.reference} has",
                    f"Write {verdict.least or released}: nobody who has {released} is offered a lower one.",
                ),
            )
        ]
    if old is not None and verdict.needs:
        want = needed(old, verdict.needs)
        if order(version) == order(released):
            return [
                (
                    "version-not-raised",
                    _at(
                        verdict,
                        f"{name} is still {version}, as in {verdict.reference}, but {_count(verdict)}; "
                        f"it must be {verdict.least} or higher",
                        _hint(verdict),
                        _places(verdict),
                    ),
                )
            ]
        if not enough(old, new, verdict.needs):
            return [
                (
                    "version-raised-too-little",
                    _at(
                        verdict,
                        f"{version} after {released} does not tell of a {_SAID[want]}; "
                        f"it must be {verdict.least} or higher",
                        _hint(verdict),
                        _places(verdict),
                    ),
                )
            ]
    if verdict.raised:
        taken = next(
            (tag for said, tag in tagged if same_version(said, version) and tag.commit not in (head, verdict.base)),
            None,
        )
        if taken is not None:
            return [
                (
                    "version-already-tagged",
                    _at(
                        verdict,
                        f"{version} was released: {taken.name} is at {taken.commit[:10]}",
                        "Write a version that no tag has; who has this one is offered no update.",
                    ),
                )
            ]
    return []


_SAID = {MAJOR: "break (major step)", MINOR: "change of this weight (minor step)", PATCH: "change (patch step)"}


def _count(verdict: Verdict) -> str:
    files = {rel for change in verdict.changes for rel in change.files}
    count = max(len(files), 1)
    return f"{plural(count, 'shipped file')} changed"


# -- components with versions of their own


def _parts(verdict: Verdict) -> list[Part]:
    if verdict.old is None:
        return []
    before = components(verdict.old)
    found = []
    for key, document in components(verdict.package).items():
        node = header_version(document)
        was = header_version(before[key]) if key in before else None
        own = [one for one in verdict.changes if (one.kind, one.name) == key or one.owner == key]
        if node is None or was is None or not own:
            continue
        found.append(Part(document, key[1], was.text, node, max((weight(one) for one in own), key=PARTS.index)))
    return found


def _of_components(verdict: Verdict) -> list[tuple[str, Problem]]:
    found: list[tuple[str, Problem]] = []
    for part in verdict.parts:
        old, new = parse(part.released), parse(part.node.text)
        what = f"{part.document.kind} {part.name}"
        if new is None:
            if part.node.text != part.released:
                found.append(
                    (
                        "version-not-semver",
                        Problem(
                            part.document.source,
                            part.node.span,
                            f"'{part.node.text}' is no version that can be compared",
                            "Write three numbers, as in 1.2.3.",
                        ),
                    )
                )
            continue
        if old is None:
            continue
        least = following(old, needed(old, part.needs))
        why = [
            sentence(one)
            for one in verdict.changes
            if (one.kind, one.name) == (part.document.kind, part.name) or one.owner == (part.document.kind, part.name)
        ]
        hint = f"{_capital(listed(why, 4))}."
        if order(part.node.text) < order(part.released):
            rule, message = (
                "version-lowered",
                f"{what} is {part.node.text}, lower than {part.released} in {verdict.reference}",
            )
        elif order(part.node.text) == order(part.released):
            rule, message = (
                "version-not-raised",
                f"{what} is still {part.node.text}, as in {verdict.reference}; it must be {least} or higher",
            )
        elif not enough(old, new, part.needs):
            rule, message = (
                "version-raised-too-little",
                f"{what}: {part.node.text} after {part.released} is too small a step; it must be {least} or higher",
            )
        else:
            continue
        found.append((rule, Problem(part.document.source, part.node.span, message, hint)))
    return found + _unversioned(verdict)


def _unversioned(verdict: Verdict) -> list[tuple[str, Problem]]:
    """Components that lost their version, and new ones without where all others of the kind have one."""
    before = components(verdict.old) if verdict.old is not None else {}
    now = components(verdict.package)
    found = []
    for key, document in now.items():
        if document.header is None or header_version(document) is not None:
            continue
        was = header_version(before[key]) if key in before else None
        others = [one for other, one in now.items() if other[0] == key[0] and other in before and other != key]
        if was is not None:
            message = f"{key[0]} {key[1]} states no version, but {verdict.reference} had {was.text}"
        elif (
            verdict.old is not None
            and key not in before
            and others
            and all(header_version(one) is not None for one in others)
        ):
            message = f"{key[0]} {key[1]} is new and states no version, as every other {key[0]} here does"
        else:
            continue
        found.append(
            (
                "version-missing",
                Problem(document.source, document.first_line(), message, "Add `version` to its header."),
            )
        )
    return found


# -- other places


def changelog_for(package: Package) -> tuple[Package | None, bool]:
    """The package whose changelog speaks of a plugin, its own or its marketplace's; and whether it has others in it."""
    if package.changelog is not None:
        shared = package.marketplace is not None and len(entry_packages(package)) > 1
        return package, shared
    for shop in around(package):
        targets = [target for _, target in entry_packages(shop)]
        if shop.changelog is not None and package in targets:
            return shop, len(targets) > 1
    return None, False


def has_text(log: Changelog, at: int) -> bool:
    """Whether something but headings stands between a release heading, which ends at `at`, and the next."""
    level = log.releases[0].level
    end = next(
        (one.span.start for one in log.document.markdown.headings if one.level <= level and one.span.start > at),
        len(log.document.text),
    )
    return any(
        row.strip() and not row.lstrip().startswith(("#", "<!--", "["))
        for row in log.document.text[at:end].splitlines()
    )


def _of_changelog(verdict: Verdict) -> list[tuple[str, Problem]]:
    if not is_version(verdict.version) or not verdict.raised:
        return []
    holder, shared = changelog_for(verdict.package)
    if holder is None:
        if verdict.new:
            return []
        return [
            (
                "changelog-entry-missing",
                _at(
                    verdict,
                    f"there is no CHANGELOG.md to say what {verdict.version} changes",
                    "`pluglint release bump` begins one.",
                ),
            )
        ]
    log = changelog_of(holder)
    assert log is not None
    for release in log.versions:
        line = log.document.source.line_span(release.span.start)
        if (
            not same_version(release.version, verdict.version)
            or shared
            and verdict.package.name not in log.document.source.slice(line)
        ):
            continue
        if has_text(log, line.end):
            return []
        return [
            (
                "changelog-entry-empty",
                Problem(
                    log.document.source,
                    line,
                    f"the entry for {verdict.version} says nothing",
                    "`pluglint release notes` drafts a text from what changed.",
                ),
            )
        ]
    of = f" of {verdict.package.name}" if shared else ""
    message = f"version {verdict.version}{of} has no entry in {log.document.rel}"
    hint = "Say there what changed, under a heading with this version" + (
        " and the name of the plugin." if shared else "; `pluglint release bump` turns the Unreleased section into it."
    )
    return [("changelog-entry-missing", _at(verdict, message, hint))]


def also_of(package: Package, config: Config) -> list[str]:
    """Paths of `release.also` that lie in a plugin, and in none further in."""
    others = [one.path for one in around(package) if one.path.startswith(package.path.rstrip(os.sep) + os.sep)]
    return [
        real
        for real in map(os.path.realpath, config.release_also)
        if real.startswith(package.path.rstrip(os.sep) + os.sep)
        and not any(real.startswith(other + os.sep) for other in others)
    ]


def version_places(text: str, version: str) -> list[int]:
    """Where a version stands in a text, not as a piece of a longer one."""
    return [match.start() for match in re.finditer(rf"(?<![\w.+-]){re.escape(version)}(?![\w+-]|\.\d)", text)]


def _of_files(verdict: Verdict, config: Config, contents: dict[str, bytes]) -> list[tuple[str, Problem]]:
    found = []
    for path in also_of(verdict.package, config) if verdict.version else ():
        data = contents.get(path)
        if data is None:
            with open(path, "rb") as file:
                data = file.read()
        rel = inside(path, verdict.package.path)
        source = decode(data, f"{verdict.package.shown}/{rel}" if verdict.package.shown else rel, rel)
        if not version_places(source.text, verdict.version):
            found.append(
                (
                    "version-not-in-file",
                    Problem(
                        source,
                        Span(0, 0),
                        f"{verdict.version} does not stand in this file of `release.also`",
                        "Write it there, or take the file off the list.",
                    ),
                )
            )
    return found


def _lockstep(packages: list[Package], wanted: list[Package], config: Config) -> list[Finding]:
    """What the rules about agreeing manifests, entries and badges find in these plugins."""
    settings = copy.copy(config)
    settings.select = tuple(rule for rule in LOCKSTEP if rule not in config.ignore)
    if not settings.select:
        return []
    paths = {document.source.path for package in wanted for document in package.documents.values()}
    return [
        one
        for one in engine.run(packages, settings).findings
        if one.rule in LOCKSTEP and (one.place.path in paths or any(place.path in paths for place in one.related))
    ]
