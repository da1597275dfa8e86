"""
What it checks: no two files or folders beside each other have names that differ by upper and lower case only, or by the way in which
an accent is encoded.

Why it matters: macOS and Windows hold them for one file, so a checkout or an installation there keeps one of the two.

How to fix: rename one of them.
"""

import unicodedata

from pluglint.finding import Location
from pluglint.rule import HERE, PACKAGE, WARNING, Example, Problem, Rule, Span

RULE = Rule(
    title="two names differ by case only",
    severity=WARNING,
    on=(PACKAGE,),
    source="file systems of macOS and Windows; not tried with the client",
)

GOOD = (Example({"docs/a.md": "# A\n", "docs/b.md": "# B\n"}),)
BAD = (Example({"docs/A.md": "# A\n", "docs/a.md": f"# A{HERE}\n"}, message="'a.md' and 'A.md' are one file on macOS and Windows"),)


def check(package):
    folded = {}
    for rel in package.entries:
        if not rel.isascii():
            parent, slash, name = rel.rpartition("/")
            key = parent + slash + unicodedata.normalize("NFC", name).casefold()
        elif rel.islower():
            key = rel
        else:
            parent, slash, name = rel.rpartition("/")
            key = parent + slash + name.lower()
        other = folded.setdefault(key, rel)
        if other is not rel:
            place, first = package.place(rel), package.place(other)
            names = [path.rpartition("/")[2] for path in (rel, other)]
            related = (Location(first.source, Span(0, 0), "the other one"),)
            yield Problem(place.source, place.span, f"'{names[0]}' and '{names[1]}' are one file on macOS and Windows", "Rename one of them.", related)
