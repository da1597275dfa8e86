"""
What it checks: every file that the client loads can be opened and is a regular file: no folder called `plugin.json`, no pipe, socket or
device, no file without read permission.

Why it matters: what cannot be read cannot be loaded, and an installation cannot copy it.

How to fix: replace it by a regular file that everybody may read.
"""

from pluglint.rule import ERROR, HERE, PACKAGE, Example, Problem, Rule, Span

RULE = Rule(
    title="a file cannot be read",
    severity=ERROR,
    on=(PACKAGE,),
    source="the kind of the file; not tried with the client",
)

_AGENT = "---\nname: a\ndescription: Reads logs. Use when a log must be searched.\n---\nYou read logs.\n"

GOOD = (Example({"agents/a.md": _AGENT}),)
BAD = (Example({".claude-plugin/plugin.json/": HERE, "agents/a.md": _AGENT}, message="this is a folder, where the client reads a file"),)

_FILES = (".claude-plugin/plugin.json", ".claude-plugin/marketplace.json", "hooks/hooks.json", ".mcp.json", ".lsp.json", "README.md")


def check(package):
    for unread in package.unread:
        if unread.reason == "not-a-file":
            yield Problem(unread.source, Span(0, 0), "this is no regular file", "Replace it by one.")
        elif unread.reason == "unreadable":
            yield Problem(unread.source, Span(0, 0), f"the file cannot be read ({unread.detail})", "Give it read permission.")
    for rel in _FILES:
        entry = package.entries.get(rel)
        if entry is not None and entry.folder and entry.link is None:
            place = package.place(rel)
            yield Problem(place.source, place.span, "this is a folder, where the client reads a file", "Replace it by a file.")
    for rel, entry in package.entries.items():
        if entry.folder and entry.link is None and rel[-3:] == ".md" and rel.rpartition("/")[0] in ("agents", "commands"):
            place = package.place(rel)
            yield Problem(place.source, place.span, "this is a folder, where the client reads a file", "Replace it by a file, or drop the ending from its name.")
