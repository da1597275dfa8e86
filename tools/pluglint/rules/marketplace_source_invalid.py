"""
What it checks: the form of each entry's `source`: a path that starts with `./` and stays inside the marketplace, or an
object of a known type (github, url, git-subdir, npm, archive, command) with its required keys, a `sha` of 40 and a
`sha256` of 64 lower-case hexadecimal digits.

Why it matters: the client refuses the marketplace, or cannot fetch the plugin. A `repo` that is no `owner/name` passes
validation and fails when somebody installs it.

How to fix: as the message says.
"""

import re

from pluglint.edits import revalued
from pluglint.manifest_fields import UNKNOWN_KEY, faults, opening, shapes
from pluglint.parse.node import MAP, STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MARKETPLACE, Example, Fix, Problem, Rule
from pluglint.words import did_you_mean, listed

RULE = Rule(
    title="the source of an entry has a form that the client refuses",
    severity=ERROR,
    on=(MARKETPLACE,),
    source="mutations of marketplace.json validated by client 2.1.330, 2026-11-22; marketplace reference of October 2026",
    profiles=(CLAUDE_CODE, DIRECTORY),
    fix="safe",
)

_HEAD = '{\n  "name": "m",\n  "owner": {"name": "A"},\n  "description": "Ours.",\n  "plugins": [\n    {"name": "x", "source": '

GOOD = (
    Example(_HEAD + '"./"}\n  ]\n}\n'),
    Example(_HEAD + '{"source": "github", "repo": "owner/name", "sha": "0123456789abcdef0123456789abcdef01234567"}}\n  ]\n}\n'),
    Example({".claude-plugin/marketplace.json": '{"name": "m", "owner": {"name": "A"}, "metadata": {"description": "Ours.", "pluginRoot": "./plugins"}, "plugins": [{"name": "x", "source": "x"}]}\n', "plugins/x/agents/a.md": "---\nname: a\ndescription: Reads.\n---\nRead.\n"}),
)
BAD = (
    Example(_HEAD + '"plugins/x"}' + HERE + "\n  ]\n}\n", message="the source 'plugins/x' does not start with './'", fixed='    {"name": "x", "source": "./plugins/x"}'),
    Example(_HEAD + '"./../x"}' + HERE + "\n  ]\n}\n", message="the source './../x' leaves the marketplace"),
    Example(_HEAD + '{"source": "pip", "package": "x"}}' + HERE + "\n  ]\n}\n", message="unknown type of source 'pip'"),
    Example(_HEAD + '{"source": "git-subdir", "url": "https://example.com/x.git"}}' + HERE + "\n  ]\n}\n", message="the git-subdir source has no `path`"),
    Example(_HEAD + '{"source": "github", "repo": "owner/name", "sha": "0123ABC"}}' + HERE + "\n  ]\n}\n", message="`sha` '0123ABC' is not 40 lower-case hexadecimal digits"),
    Example(_HEAD + '{"source": "github", "repo": "https://github.com/owner/name"}}' + HERE + "\n  ]\n}\n", message="`repo` 'https://github.com/owner/name' is not of the form owner/name"),
)


def check(document):
    plugins = document.get("plugins")
    rooted = document.get("metadata", "pluginRoot") is not None
    for entry in plugins.items if plugins is not None else ():
        source = entry.get("source") if entry.kind == MAP else None
        if source is None:
            continue
        found = _path(source, rooted) if source.kind == STRING else _typed(source) if source.kind == MAP else ()
        for span, message, hint in found:
            edit = revalued(document, source, f"./{source.text}") if "does not start" in message else None
            yield Problem(document.source, span, message, hint, (), Fix(f"write './{source.text}'", (edit,), safe=True) if edit else None)


def _path(source, rooted):
    text = source.text
    if "://" in text or text.startswith("git@"):
        yield source.span, f"the source '{text}' is a URL in a place for paths", 'Write {"source": "url", "url": "…"}.'
    elif text.startswith(("/", "~")) or text[1:2] == ":":
        yield source.span, f"the source '{text}' is absolute", "Write it from the marketplace's root, starting with './'."
    elif ".." in text.replace("\\", "/").split("/"):
        yield source.span, f"the source '{text}' leaves the marketplace", "Move the plugin below the marketplace, or name its repository."
    elif text and text != "." and not text.startswith("./") and not (rooted and "/" not in text.strip("/")):
        yield source.span, f"the source '{text}' does not start with './'", f"Write './{text}'."


def _typed(source):
    kinds = {key: value for key, value in shapes()["sources"].items() if key != "source"}
    kind = source.get("source")
    if kind is None or kind.text not in kinds:
        if kind is None:
            yield opening(source), "the source has no `source` that names its type", f"One of {listed(kinds)}."
        else:
            close = did_you_mean(kind.text, kinds)
            yield kind.span, f"unknown type of source '{kind.text}'", f"Did you mean '{close}'?" if close else f"One of {listed(kinds)}."
        return
    for fault in faults(source, kinds[kind.text], f"the {kind.text} source"):
        if fault.what != UNKNOWN_KEY:
            yield fault.span, fault.message, fault.hint
    for key, pattern, words in (
        ("sha", r"[0-9a-f]{40}", "40 lower-case hexadecimal digits"),
        ("sha256", r"[0-9a-f]{64}", "64 lower-case hexadecimal digits"),
        ("repo", r"[\w.-]+/[\w.-]+", "of the form owner/name"),
    ):
        node = source.get(key)
        if node is not None and node.kind == STRING and node.text and not re.fullmatch(pattern, node.text):
            yield node.span, f"`{key}` '{node.text}' is not {words}", ""
    url = source.get("url")
    if kind.text == "archive" and url is not None and url.kind == STRING and url.text and not url.text.startswith("https://"):
        yield url.span, f"the archive's URL '{url.text}' is not https", "Serve it over https."
    package = source.get("package")
    if package is not None and package.kind == STRING and ".." in package.text:
        yield package.span, f"the package name '{package.text}' holds '..'", ""
