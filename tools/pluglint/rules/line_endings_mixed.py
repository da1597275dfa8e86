"""
What it checks: the files of a package end their lines in one way. A package whose files all use CR LF (a Windows checkout) is fine.

Why it matters: the client's `!` blocks of several lines failed on CR LF before 2.1.290, a shell stumbles over the CR of a command that is
copied out of such a file, and the next editor that converts it makes a diff of all its lines.

How to fix: convert the named files, and add a `.gitattributes` with `* text=auto eol=lf` so that it stays so.
"""

from pluglint.rule import HERE, PACKAGE, WARNING, Example, Problem, Rule
from pluglint.words import plural

RULE = Rule(
    title="a file ends its lines otherwise than the rest of the package",
    severity=WARNING,
    on=(PACKAGE,),
    source="client changelog, 2.1.290",
    options={"limit": 20},
)

_AGENT = "---\r\nname: a\r\ndescription: Reads logs. Use when a log must be searched.\r\n---\r\nYou read logs.\r\n"
_MANIFEST = '{\r\n  "name": "demo",\r\n  "version": "1.0.0",\r\n  "description": "A demonstration.",\r\n  "author": {"name": "Example Author"},\r\n  "license": "MIT"\r\n}\r\n'

GOOD = (Example({".claude-plugin/plugin.json": _MANIFEST, "agents/a.md": _AGENT}),)
BAD = (
    Example({"agents/a.md": _AGENT.replace("\r", HERE + "\r", 1)}, message="lines end in CR LF here, in LF in the other file"),
    Example({"agents/a.md": _AGENT.replace("---\r", f"---{HERE}", 1)}, message="some lines end in CR LF and some in LF"),
)

_NAMES = {"\n": "LF", "\r\n": "CR LF"}


def check(package, options):
    ends = {}
    mixed = []
    for document in package.documents.values():
        end = document.source.newline
        if end == "mixed":
            mixed.append(document)
        elif end == "\r\n" or end == "\n" and "\n" in document.text:
            ends.setdefault(end, []).append(document)
    usual = "\r\n" if len(ends.get("\r\n", ())) > len(ends.get("\n", ())) else "\n"
    other = "\n" if usual == "\r\n" else "\r\n"
    rest = len(ends.get(usual, ()))
    odd = sorted(mixed + (ends.get(other, []) if rest else []), key=lambda document: document.rel)
    for count, document in enumerate(odd[: options["limit"]], 1):
        if document.source.newline == "mixed":
            message = "some lines end in CR LF and some in LF" if "\r" not in document.text else "some lines end in a lone CR and some in LF"
        else:
            message = f"lines end in {_NAMES[other]} here, in {_NAMES[usual]} in {'the other file' if rest == 1 else plural(rest, 'other file')}"
        if count == options["limit"] < len(odd):
            message += f"; {len(odd) - count} more files are like this"
        yield Problem(document.source, document.first_line(), message, f"Convert the file to {_NAMES[usual]}.")
