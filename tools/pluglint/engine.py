"""Runs rules over packages and makes a `Report`.

Three passes. The document pass calls every rule that looks at one file; on a big tree it is shared
between processes (workers.py). Rules over a whole package run meanwhile; those over the delegation
graph run last, since they need the edges of every file.
"""

from __future__ import annotations

import os
from typing import Any, Callable, Iterable, Iterator, NamedTuple

from pluglint import workers
from pluglint.config import Config
from pluglint.discover import AGENTS_FOLDER, COMMANDS_FOLDER, SINGLE_FILE, SKILL_FOLDER, SKILLS_FOLDER, Discovery, NothingToCheck, Root, discover, excluded, real_path, shown_path
from pluglint.finding import ERROR, INFO, Finding, Place, PlainEdit, PlainFix, finding
from pluglint.graph import Edge
from pluglint.load import load_package
from pluglint.model import Document, MarkdownDocument, Package, Workspace
from pluglint.mentions import ANCHORS, namespace_words
from pluglint.needles import Needles
from pluglint.pack import load_rules
from pluglint.rule import AGENT, COMMAND, GRAPH, PACKAGE, REFERENCE, SKILL, WORKSPACE, Loaded, rule_ids

INTERNAL_ERROR = "internal-error"
FORK_ABOVE = 1_500_000  # characters of text below which a second process costs more than it saves
PROCESSES = 2
NEEDLES_ABOVE = 200_000  # characters of text below which looking for each word on its own is as fast


Result = tuple[list[Finding], list[tuple[str, Edge]]]  # of a document pass: findings, and (root, edge) of each delegation


class Report(NamedTuple):
    """Everything that reports print.

    files     path -> what it was taken for
    packages  (shown path, kind, name) of each root
    known     number of findings left out because they were there before (`--since`, `--baseline`)
    """

    findings: list[Finding]
    suppressed: int
    files: dict[str, str]
    packages: list[tuple[str, str, str]]
    rules: list[str]
    profile: str
    known: int = 0

    @property
    def crashed(self) -> bool:
        return any(one.rule == INTERNAL_ERROR for one in self.findings)

    def count(self, severity: str) -> int:
        return sum(1 for one in self.findings if one.severity == severity)

    def top(self) -> list[tuple[str, int]]:
        """(rule, number of findings), the most frequent first."""
        counts: dict[str, int] = {}
        for one in self.findings:
            counts[one.rule] = counts.get(one.rule, 0) + 1
        return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def choose(config: Config) -> list[Loaded]:
    """The rules that a configuration asks for, in order of id."""
    loaded = []
    for one in load_rules([rule_id for rule_id in rule_ids() if rule_id not in config.ignore]):
        rule_id = one.id
        if config.profile not in one.rule.profiles:
            continue
        if config.select:
            if rule_id in config.select or "all" in config.select:
                loaded.append(one)
        elif config.severity.get(rule_id, one.rule.severity) != INFO or rule_id in config.severity:
            loaded.append(one)
    return loaded


def check(targets: list[str], config: Config, discoveries: list[Discovery] | None = None, contents: dict[str, bytes] | None = None) -> Report:
    """Checks targets. Raises `discover.NothingToCheck`.

    `discoveries` and `contents` (path -> bytes) are what a caller has found and read already; `contents` is emptied.
    """
    packages: list[Package] = []
    only: set[str] = set()  # files that were named
    whole: set[str] = set()  # packages that were named
    seen: dict[str, Package] = {}
    for target, found in zip(targets, discoveries or discover_all(targets, config)):
        fresh = _packages(found, config, seen, contents or {})
        if found.only is None:
            whole.update(one.path for one in fresh)
            if fresh and all(one.excluded and not one.entries for one in fresh):
                raise NothingToCheck(f"{target}: everything here is left out by `exclude` in the configuration; `--config none` goes without it")
        else:
            only.add(real_path(found.only))
            if fresh[0].kind == SINGLE_FILE and not fresh[0].taken_for and not fresh[0].excluded:
                raise NothingToCheck(f"{target}: pluglint does not read such a file. Outside a package it reads Markdown, manifests, hooks.json, .mcp.json, .lsp.json and settings.json")
        if any(one.workspace is None for one in fresh):  # a part of what an earlier target held stays with that
            Workspace([*fresh])
        packages.extend(one for one in fresh if one not in packages)
    report = run(packages, config)
    return _narrowed(report, packages, only, whole) if only else report


def discover_all(targets: list[str], config: Config) -> list[Discovery]:
    """What each target holds, every file but once: a part of a package that is named as well adds nothing, and lone files of one folder are one package."""
    found = [discover(target, config.exclude) for target in targets]
    if len(found) < 2:
        return found
    named = [root for one in found if one.only is None for root in one.roots]
    found = [one if one.only is not None else one._replace(roots=[root for root in one.roots if not _covered(root, named)]) for one in found]
    lone: dict[str, dict] = {}
    for one in found:
        for root in one.roots:
            if root.kind == SINGLE_FILE:
                lone.setdefault(root.path, root.entries).update(root.entries)
    return found


def _covered(root: Root, named: list[Root]) -> bool:
    """Whether a folder without a manifest lies in a package that is named."""
    if root.kind not in (AGENTS_FOLDER, SKILLS_FOLDER, COMMANDS_FOLDER, SKILL_FOLDER):
        return False
    return any(root.path.startswith(one.path.rstrip(os.sep) + os.sep) and os.path.relpath(root.path, one.path).replace(os.sep, "/") in one.entries for one in named)


def _narrowed(report: Report, packages: list[Package], only: set[str], whole: set[str]) -> Report:
    """The report on files that were named and on packages that were; the rest of a file's package was read for its sake."""
    wanted: dict[str, bool] = {}

    def shown(path: str) -> bool:
        if path not in wanted:
            real = real_path(path)
            roots = [one.path for one in packages if real == one.path or real.startswith(one.path.rstrip(os.sep) + os.sep)]
            wanted[path] = real in only or max(roots, key=len, default="") in whole
        return wanted[path]

    return report._replace(
        findings=[one for one in report.findings if shown(one.place.path) or one.rule == INTERNAL_ERROR],
        files={path: kind for path, kind in report.files.items() if shown(path)},
    )


def root_of(package: Package) -> tuple[str, str, str]:
    """How reports name a package: shown path, kind, name. A file on its own is its own package."""
    if package.kind == SINGLE_FILE and len(package.entries) == 1:
        (rel,) = package.entries
        return shown_path(package.shown, rel), package.kind, rel.rpartition("/")[2]
    return shown_path(package.shown, "") or ".", package.kind, package.name


def _packages(found: Discovery, config: Config, seen: dict[str, Package], contents: dict[str, bytes] | None = None) -> list[Package]:
    fresh = []
    for root in found.roots:
        if root.path not in seen:
            if config.exclude:
                out = excluded(root.entries, root.shown, config.exclude)
                root = root._replace(entries={rel: e for rel, e in root.entries.items() if rel not in out}, excluded=out)
            seen[root.path] = load_package(root, config, contents)
        fresh.append(seen[root.path])
    return fresh


def run(packages: list[Package], config: Config) -> Report:
    rules = choose(config)
    documents = [document for package in packages for document in package.documents.values()]
    workspaces = list({id(package.workspace): package.workspace for package in packages}.values())
    findings: list[Finding] = []

    def wide_pass(*subjects: str) -> None:
        for loaded in rules:
            for subject in subjects:
                if subject in loaded.rule.on:
                    for target in workspaces if subject == WORKSPACE else packages:
                        _call(loaded, target, config, findings)

    rest = _document_pass(documents, rules, config)
    wide_pass(PACKAGE, WORKSPACE)  # while the helpers work
    found, edges = rest()
    findings += found
    paths = {package.path: package for package in packages}
    for root, edge in sorted(edges, key=lambda item: (item[0], item[1].source, item[1].start)):
        paths[root].edges.append(edge)
    wide_pass(GRAPH)
    findings = sorted(set(findings), key=lambda one: one.sort_key)
    ran = {loaded.id for loaded in rules}
    silenced = 0
    if config.suppress or config.inline and any("pluglint:" in document.text for document in documents):
        from pluglint import suppress  # most packages silence nothing: they need not pay for the import

        findings, silenced, about = suppress.apply(findings, packages, config, rule_ids(), ran)
        about = [one._replace(severity=config.severity.get(one.rule, one.severity)) for one in about]
        findings = sorted([*findings, *about], key=lambda one: one.sort_key)
    files = {}
    for package in packages:
        for rel, kind in package.taken_for.items():
            files[shown_path(package.shown, rel)] = kind
    return Report(
        findings,
        silenced,
        dict(sorted(files.items())),
        [root_of(package) for package in packages],
        [loaded.id for loaded in rules],
        config.profile,
    )


def _call(loaded: Loaded, subject: Any, config: Config, findings: list[Finding]) -> None:
    """Runs one rule on one subject. A rule that crashes is reported, and the others still run."""
    rule = loaded.rule
    severity = config.severity.get(loaded.id, rule.severity)
    try:
        if rule.options:
            found = loaded.check(subject, {**rule.options, **config.rules.get(loaded.id, {})})
        else:
            found = loaded.check(subject)
        for problem in found or ():
            findings.append(finding(loaded.id, severity, problem))
    except Exception as error:  # noqa: BLE001 - whatever a rule raises must not stop the rest
        findings.append(_crash(loaded.id, subject, error))


def _crash(rule_id: str, subject: Any, error: Exception) -> Finding:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace is not None else "?"
    path = subject.source.path if isinstance(subject, Document) else getattr(subject, "shown", "") or "."
    message = f"the rule {rule_id} crashed: {type(error).__name__}: {str(error)[:200]} ({where})"
    return Finding(INTERNAL_ERROR, ERROR, Place(path, 1, 1, 1, 1), message, "This is a fault in pluglint: please report it with the file.", (), "")


def _document_pass(documents: list[Document], rules: list[Loaded], config: Config) -> Callable[[], Result]:
    """Starts the helpers, where there is enough to do; the function returned does this process's part and gives the whole result."""
    size = sum(len(document.text) for document in documents)
    if size > NEEDLES_ABOVE:
        packages = {id(document.package): document.package for document in documents}.values()
        words = {word for loaded in rules for word in loaded.rule.needles}.union(ANCHORS, *(namespace_words(package) for package in packages))
        needles = Needles(words)
        for package in packages:
            package.needles = needles
    if size < FORK_ABOVE or not workers.can_share():
        return lambda: _share(documents, rules, config)

    def work(pieces: Iterator[int]) -> tuple:
        findings, edges = _share((document for piece in pieces for document in documents[piece :: workers.PIECES]), rules, config)
        return [flat(one) for one in findings], [(root, tuple(edge)) for root, edge in edges]

    finish = workers.share(work, PROCESSES)

    def rest() -> Result:
        findings: list[Finding] = []
        edges: list[tuple[str, Edge]] = []
        for flat, flat_edges in finish():
            findings += [unflat(one) for one in flat]
            edges += [(root, Edge(*edge)) for root, edge in flat_edges]
        return findings, edges

    return rest


def flat(one: Finding) -> tuple:
    """A finding as plain data, for marshal."""
    fix = (one.fix.title, tuple(tuple(edit) for edit in one.fix.edits), one.fix.safe) if one.fix else None
    return (one.rule, one.severity, tuple(one.place), one.message, one.hint, tuple(tuple(place) for place in one.related), one.snippet, fix)


def unflat(flat: tuple) -> Finding:
    """The finding that `flat` made plain."""
    rule, severity, place, message, hint, related, snippet, fix = flat
    plain = PlainFix(fix[0], tuple(PlainEdit(*edit) for edit in fix[1]), fix[2]) if fix else None
    return Finding(rule, severity, Place(*place), message, hint, tuple(Place(*p) for p in related), snippet, plain)


def _share(documents: Iterable[Document], rules: list[Loaded], config: Config) -> Result:
    """All document rules over some documents, and the edges that these state."""
    findings: list[Finding] = []
    edges: list[tuple[str, Edge]] = []
    by_kind: dict[str, list[tuple]] = {}
    for loaded in rules:
        needles = loaded.rule.needles
        for kind in loaded.rule.on:
            options = {**loaded.rule.options, **config.rules.get(loaded.id, {})} if loaded.rule.options else None
            by_kind.setdefault(kind, []).append((loaded, loaded.check, options, config.severity.get(loaded.id, loaded.rule.severity), needles))
    for document in documents:
        holds = document.holds
        if isinstance(document, MarkdownDocument) and document.kind in (AGENT, SKILL, COMMAND, REFERENCE):
            try:
                for edge in document.edges:
                    edges.append((document.package.path, edge))
            except Exception as error:  # noqa: BLE001
                findings.append(_crash("graph", document, error))
        for loaded, rule_check, options, severity, needles in by_kind.get(document.kind, ()):
            if needles and not holds(needles):
                continue
            try:
                found = rule_check(document) if options is None else rule_check(document, options)
                if found is not None:
                    for problem in found:
                        findings.append(finding(loaded.id, severity, problem))
            except Exception as error:  # noqa: BLE001
                findings.append(_crash(loaded.id, document, error))
        document.release()
    return findings, edges

