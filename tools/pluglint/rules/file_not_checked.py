"""
What it checks: every file that a rule would look at was read. Files above `max-file-size` (1 MiB unless configured) are not opened, nor
are folders that cannot be listed or lie deeper than 40 levels.

Why it matters: this program says nothing about what it did not read, and silence should mean that all is well.

How to fix: make the file smaller (a prompt of a megabyte fills the model's context), or raise `max-file-size` in the configuration.
"""

from pluglint.rule import HERE, PACKAGE, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a file or folder was not checked",
    severity=WARNING,
    on=(PACKAGE,),
    source="limits of pluglint",
)
CONFIG = {"max_file_size": 200}

GOOD = (Example({"README.md": "# Demo\n"}),)
BAD = (Example({"README.md": f"# Demo{HERE}\n" + "A line.\n" * 30}, message="the file has 247 bytes and was not read; the limit is 200"),)


def check(package):
    from pluglint.facts import FACTS

    for unread in package.unread:
        size = unread.entry.size
        if unread.reason != "too-large" or unread.kind == "agent" and size > FACTS["agents"]["max_file_bytes"]:
            continue
        message = f"the file has {size:,} bytes and was not read; the limit is {int(unread.detail):,}"
        yield Problem(unread.source, _START, message, "Make the file smaller, or raise `max-file-size`.")
    for trouble in package.problems:
        place = package.place(trouble.rel)
        yield Problem(place.source, _START, trouble.message, "Nothing is known about what lies there.")


_START = (0, 0)
