"""
What it checks: one version over plugin.json, the portable plugin.json at the root, the marketplace entry, the newest
release of CHANGELOG.md and what the README says (badge, "Version: 1.0.1", a title with a version). What the README says
of one component ("### data-cleaning (v1.0.1)", a column "Version") is compared with the header of that component, since
components may be versioned on their own; so is a "Version:" line in the body of an agent or skill.

Why it matters: the client takes the version of plugin.json and offers an update when it changes (`plugin validate
--strict` fails where the marketplace entry says another one). Every other number is what people believe they have.

How to fix: set all of them to the version that is released.
"""

import re

from pluglint.changelog import changelog_of, order
from pluglint.claims import badges, entry_packages, folded, is_version, known_names, plain_name, same_version
from pluglint.parse.node import STRING
from pluglint.rule import ERROR, HERE, PACKAGE, Edit, Example, Fix, Location, Problem, Rule, Span

RULE = Rule(
    title="two places of the package state different versions",
    severity=ERROR,
    on=(PACKAGE,),
    source="client 2.1.330, observed 2026-11-22: the manifest wins, a marketplace entry that differs fails --strict",
    fix="unsafe",
)

_MANIFEST = '{\n  "name": "demo",\n  "version": "1.4.0",\n  "description": "A demonstration.",\n  "author": {"name": "Example Author"},\n  "license": "MIT"\n}\n'
_AGENT = "---\nname: reader\nversion: 2.1.0\ndescription: Reads changes. Use when one is ready.\n---\n\n# Reader\n"

GOOD = (
    Example(
        {
            ".claude-plugin/plugin.json": _MANIFEST,
            "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n## [v1.4.0] - 2026-01-01\n",
            "README.md": "# Demo v1.4\n\n![version](https://img.shields.io/badge/version-1.4.0-blue) ![python](https://img.shields.io/badge/python-3.11-blue)\n\n**Version:** 1.4.0\n",
        }
    ),
    Example({".claude-plugin/plugin.json": _MANIFEST, "agents/reader.md": _AGENT, "README.md": "# Demo\n\n## Roadmap\n\n### reader (v3.0.0)\n\n## Agents\n\n### reader (v2.1.0)\n"}),
)
BAD = (
    Example({".claude-plugin/plugin.json": _MANIFEST, "CHANGELOG.md": f"# Changelog\n\n## [1.5.0] - 2026-10-01{HERE}\n\n## [1.4.0] - 2026-08-01\n"}, message="the newest release is 1.5.0, but plugin.json says 1.4.0"),
    Example(
        {
            ".claude-plugin/plugin.json": _MANIFEST,
            "README.md": f"# Demo\n\n![version](https://img.shields.io/badge/version-1.3.9-blue){HERE}\n\n**Version:** 1.3 | **License:** MIT{HERE}\n",
        },
        message="the badge says 1.3.9, but plugin.json says 1.4.0",
        fixed='![version](https://img.shields.io/badge/version-1.4.0-blue)\n**Version:** 1.4.0 | **License:** MIT',
    ),
    Example(
        {
            ".claude-plugin/plugin.json": _MANIFEST,
            "agents/reader.md": _AGENT + f"\n**Version:** 1.0.0{HERE}\n",
            "README.md": f"# Demo\n\n## Agents\n\n### reader (v1.4.0){HERE}\n\n| Agent | Version |\n| --- | --- |\n| reader | v1.4.0 |{HERE}\n",
        },
        message="says version 1.4.0 of 'reader', but its header says 2.1.0",
        fixed='### reader (v2.1.0)\n| reader | v2.1.0 |\n**Version:** 2.1.0',
    ),
    Example(
        {
            ".claude-plugin/marketplace.json": '{\n  "name": "shop",\n  "owner": {"name": "Example"},\n  "description": "Things.",\n  "plugins": [\n    {"name": "demo", "source": "./demo", "version": "1.3.0"}' + HERE + "\n  ]\n}\n",
            "demo/.claude-plugin/plugin.json": _MANIFEST,
        },
        message="the marketplace says 1.3.0, but plugin.json says 1.4.0",
        fixed='    {"name": "demo", "source": "./demo", "version": "1.4.0"}',
    ),
)


def check(package):
    manifest = package.manifest if package.manifest is not None and package.manifest.get("version") is not None else package.portable_manifest
    node = manifest.get("version") if manifest is not None else None
    if node is not None and node.kind == STRING and is_version(node.text):
        related = (manifest.at(node.span, "the version of the manifest"),)
        for source, span, what, said in stated(package, manifest):
            if not same_version(said, node.text):
                yield Problem(source, span, f"{what} {said}, but plugin.json says {node.text}", f"Write {node.text}, or release {said} in the manifest.", related, _written(source, span, said, node.text))
    for entry, target in entry_packages(package):
        said, real = entry.get("version"), target.manifest.get("version") if target.manifest is not None else None
        if said is not None and real is not None and said.kind == real.kind == STRING and not same_version(said.text, real.text):
            yield Problem(
                package.marketplace.source, said.span, f"the marketplace says {said.text}, but plugin.json says {real.text}",
                "The client takes the version of plugin.json: write the same here, or none.", (target.manifest.at(real.span, "the version of the manifest"),),
                _written(package.marketplace.source, said.span, said.text, real.text),
            )
    yield from _components(package)


def _written(source, span, said, version):
    """The fix that writes another version where one stands; none in a changelog, whose releases are history."""
    raw = source.slice(span)
    if source.rel.lower().startswith(("changelog", "history", "changes")) or raw.strip('"') not in (said, f"v{said}"):
        return None
    return Fix(f"write {version}", (Edit(source, span, raw.replace(said, version)),))


def stated(package, manifest):
    """(source, span, how it is said, version) of every statement about the plugin itself."""
    portable = package.portable_manifest
    other = portable.get("version") if portable is not None and portable is not manifest else None
    if other is not None and other.kind == STRING:
        yield portable.source, other.span, "the portable manifest says", other.text
    log = changelog_of(package)
    newest = log.newest if log is not None else None
    if newest is not None and order(newest.version) > order(manifest.get("version").text):
        yield log.document.source, newest.span, "the newest release is", newest.version
    readme = package.readme
    if readme is None:
        return
    for badge in badges(readme):
        label = badge.label.lower() or badge.alt.lower()
        if label in ("version", "release", "plugin", "plugin version", "latest", "latest release", "current version", package.name.lower()) and is_version(badge.value):
            raw = readme.source.slice(badge.span)
            at = badge.span.start + (1 if raw[:1] in "vV" else 0)
            yield readme.source, Span(at, badge.span.end), "the badge says", badge.value.lstrip("vV")
    markdown = readme.markdown
    first = next((heading for heading in markdown.headings if heading.level == 1), None)
    title = re.search(r"\(?\b[vV](\d+\.\d+(?:\.\d+)?(?:-[\w.]+)?)\)?\s*\Z", first.text) if first is not None else None
    if title is not None:
        yield readme.source, Span(first.span.start + title.start(1), first.span.start + title.end(1)), "the title says", title.group(1)
    second = next((heading.span.start for heading in markdown.headings if heading.level > 1), len(readme.text))
    for span in version_lines(markdown.prose, readme.frontmatter.body, second):
        yield readme.source, span, "the README says", readme.source.slice(span)


def version_lines(prose, begin, end):
    """Places of the versions in lines such as `**Version:** 1.0.1`, also after a bar."""
    if "ersion" not in prose:
        return
    pattern = r"(?:\n|\| ?|\A)[ >]{0,3}(?:[-*] )?[*_]{0,2}(?:Plugin |Current |Agent |Skill )?[Vv]ersion[*_]{0,2}:[*_]{0,2} {0,3}`?[vV]?(\d+\.\d+(?:\.\d+)?(?:-[0-9A-Za-z.]+)?)(?=[`*_\s|),]|\Z)"
    for match in re.compile(pattern).finditer(prose, max(begin - 1, 0), end):
        yield Span(*match.span(1))


def header_version(document):
    """The version in a component's header, under `version` or `metadata.version`."""
    for node in (document.field("version"), document.field("metadata")):
        if node is not None and node.pairs:
            node = node.get("version")
        if node is not None and is_version(node.text):
            return node
    return None


def _components(package):
    for document in [*package.agents, *package.skills, *package.commands]:
        if document.header is None or "version" not in document.source.slice(document.frontmatter.span):
            continue
        own = header_version(document)
        sections = document.markdown.headings if own is not None else ()
        end = sections[1].span.start if len(sections) > 1 else len(document.text)
        for span in version_lines(document.text, document.frontmatter.body, end) if own is not None else ():
            yield from _compare(document, span, document.name, document, own)
    if package.readme is not None:
        for span, target in readme_mentions(package.readme):
            own = header_version(target)
            if own is not None:
                yield from _compare(package.readme, span, target.name, target, own)


def _compare(document, span, name, target, own):
    said = document.source.slice(span)
    if not same_version(said, own.text):
        yield Problem(
            document.source, span, f"says version {said} of '{name}', but its header says {own.text}", f"Write {own.text}, or change the header.",
            (Location(target.source, own.span, "the version in the header"),),
            _written(document.source, span, said, own.text),
        )


def readme_mentions(readme):
    """(place of a version, component) for headings and tables that give a component's version."""
    markdown = readme.markdown
    known = known_names(readme.package)
    skipped = 7
    for heading in markdown.headings:
        if heading.level <= skipped:
            skipped = 7
        if re.search(r"(?i)road ?map|planned|upcoming|history|change ?log|future", heading.text):
            skipped = heading.level
        match = re.fullmatch(r"\W*([\w :-]+?)[`*]* *[(\[–—-]? *[vV](\d+\.\d+(?:\.\d+)?)[)\]]?\W*", heading.text)
        if match is not None and skipped == 7 and folded(match.group(1).strip()) in known:
            yield Span(heading.span.start + match.start(2), heading.span.start + match.end(2)), known[folded(match.group(1).strip())][1]
    for table in markdown.tables:
        header = [markdown.slice(cell).strip("*_` ").lower() for cell in markdown.cells(table.header)]
        if "version" not in header:
            continue
        column = header.index("version")
        for row in markdown.rows(table):
            named = plain_name(markdown.slice(row[0]), row[0].start)
            match = re.fullmatch(r"`?[vV]?(\d+\.\d+(?:\.\d+)?)`?", markdown.slice(row[column])) if column < len(row) else None
            if named is not None and match is not None and folded(named.name) in known:
                yield Span(row[column].start + match.start(1), row[column].start + match.end(1)), known[folded(named.name)][1]
