"""
What it checks: in the README and in skills, a length in lines, such as "(1,675 lines)" or "450+ lines", that stands behind a link to a file of the
package or behind its name, against the length of that file. One line or one per cent more or less is fine; "450+"
means at least; "about", "under" and the like are left alone.

Why it matters: the length tells a reader whether the whole file arrived. One that is far off describes another
version of the file.

How to fix: write the length that the file has, or take it out.
"""

import re

from pluglint.rule import ERROR, HERE, README, REFERENCE, SKILL, Example, Location, Problem, Rule, Span
from pluglint.words import plural

RULE = Rule(
    title="a stated length in lines is wrong",
    severity=ERROR,
    on=(README, SKILL, REFERENCE),
    source="counted in the file",
    needles=(" lines",),
)

_HEADER = "---\nname: example\ndescription: Reads changes. Use when one is ready.\n---\n"

GOOD = (
    Example({"README.md": "# Demo\n\n- **[example](./agents/example.md)** - the reader (6 lines)\n- `agents/example.md`: 5+ lines, at most 3 lines a paragraph\n- [example](agents/example.md) keeps functions under 50 lines\n", "agents/example.md": _HEADER + "One.\nTwo.\n"}),
    Example({"README.md": "# Demo\n\n- [gone](./agents/gone.md) (12 lines)\n- about 50 lines (50 lines)\n", "agents/example.md": _HEADER}),
)
BAD = (
    Example({"README.md": f"# Demo\n\n- **[example](./agents/example.md)** - complete (1,675 lines){HERE}\n- `agents/example.md`: 450+ lines{HERE}\n", "agents/example.md": _HEADER + "One.\nTwo.\n"}, message="says 1,675 lines, but agents/example.md has 6 lines"),
)


def check(document):
    text = document.text
    at = text.find(" lines", document.frontmatter.body)
    while at >= 0:
        line = max(text.rfind("\n", max(0, at - 400), at) + 1, at - 400, 0)
        match = re.search(r"(?:^|[\s(*_`|,:–—-])(\d{1,3}(?:,\d{3})+|\d{1,6})(\+?)\Z", text[max(line, at - 12) : at])
        if match is not None:
            begin = max(line, at - 12) + match.start(1)
            yield from _compare(document, line, begin, at, match)
        at = text.find(" lines", at + 6)


def _compare(document, line, begin, end, match):
    text = document.text
    stop = text.find("\n", end, end + 200)
    after = text[end + 6 : stop if stop >= 0 else end + 200]
    if not (match.group(2) or re.match(r"\s*(?:\)|\Z|[,;.|]|total\b|of (?:markdown|text|prompt|guidance)\b)", after)):
        return
    if re.search(r"(?:~|≈|about|under|over|than|up to|most|least|around|nearly|max\w*|limit|first|last|roughly|to|[-–<>≤≥])\s*[*_(]*\Z", text[line:begin], re.I):
        return
    before = text[line:begin]
    named = re.findall(r"\]\((?:\./)?([^\s()#]+?)\)|`(?:\./)?([\w./-]+\.\w+)`", before)
    if len(named) != 1:  # a length must belong to one file
        return
    path = named[0][0] or named[0][1]
    target = _file(document, path)
    if target is None:
        return
    count = target.text.count("\n") + (0 if target.text.endswith("\n") or not target.text else 1)
    stated = int(match.group(1).replace(",", ""))
    if count >= stated if match.group(2) else abs(count - stated) <= max(1, stated // 100):
        return
    said = match.group(1) + match.group(2)
    yield Problem(
        document.source, Span(begin, begin + len(said)), f"says {said} lines, but {target.rel} has {plural(count, 'line')}", f"Write {count:,}, or take the length out.",
        (Location(target.source, target.source.line_span(len(target.text)), "the last line"),),
    )


def _file(document, path):
    """The document of the package at a path that is relative to this one, or to the root."""
    parts = document.folder.split("/") if document.folder else []
    for part in path.split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in ("", ".", ".."):
            parts.append(part)
    documents = document.package.documents
    return documents.get("/".join(parts)) or documents.get(path)
