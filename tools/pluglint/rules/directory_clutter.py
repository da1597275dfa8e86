"""
What it checks: a package for the plugin directory holds no `.DS_Store`, `Thumbs.db` or `desktop.ini`, no symbolic link, no file above
5 MiB and at most 512 files.

Why it matters: the plugin directory refuses the submission.

How to fix: delete them, and add them to `.gitignore`; fetch large files when they are needed.
"""

from pluglint.rule import DIRECTORY, ERROR, HERE, PACKAGE, Example, Problem, Rule

RULE = Rule(
    title="files that the plugin directory refuses",
    severity=ERROR,
    on=(PACKAGE,),
    source="plugin directory checklist of 2026-10",
    profiles=(DIRECTORY,),
    options={"files": 512, "bytes": 5242880},
)

GOOD = (Example({"docs/a.md": "# A\n"}),)
BAD = (
    Example({"docs/.DS_Store": f"x{HERE}"}, message="the plugin directory refuses '.DS_Store'", also=("directory-page-missing",)),
    Example({"docs/a.md": "# A\n", "docs/b.md": f"-> a.md {HERE}"}, message="the plugin directory refuses symbolic links", also=("directory-page-missing",)),
    Example({"docs/a.bin": "0123456789" * 30 + HERE}, message="the file has 300 bytes; the plugin directory takes up to 250", options={"bytes": 250}, also=("directory-page-missing",)),
    Example({".claude-plugin/plugin.json": f'{{"name": "demo", "version": "1.0.0", "license": "MIT"}}{HERE}\n', "docs/a.md": "# A\n"}, message="the package has 2 files; the plugin directory takes up to 1", options={"files": 1}, also=("directory-page-missing",)),
)

_SYSTEM = frozenset((".ds_store", "thumbs.db", "desktop.ini"))


def check(package, options):
    if not package.is_plugin:
        return
    files = sum(not entry.folder for entry in package.entries.values())
    if files > options["files"]:
        place = package.place()
        yield Problem(place.source, place.span, f"the package has {files:,} files; the plugin directory takes up to {options['files']:,}", "Leave out what an installed plugin does not need.")
    for rel, entry in package.entries.items():
        if entry.name.lower() in _SYSTEM:
            message, hint = f"the plugin directory refuses '{entry.name}'", "Delete it, and add it to .gitignore."
        elif entry.link is not None:
            message, hint = "the plugin directory refuses symbolic links", "Put the file itself in the place of the link."
        elif entry.size > options["bytes"]:
            message, hint = f"the file has {entry.size:,} bytes; the plugin directory takes up to {options['bytes']:,}", "Fetch it when it is needed."
        else:
            continue
        place = package.place(rel)
        yield Problem(place.source, place.span, message, hint)
