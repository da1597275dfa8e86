"""
What it checks: a package for the plugin directory has a README.md of at least 40 words, and a LICENSE file or a `license` in its manifest.

Why it matters: the plugin directory refuses the submission (README_MISSING, README_TRIVIAL, LICENSE_MISSING).

How to fix: write what the plugin does, how it is installed and how it is used; add the licence's text as LICENSE.
"""

import re

from pluglint.rule import DIRECTORY, ERROR, HERE, PACKAGE, Example, Problem, Rule

RULE = Rule(
    title="a README or licence that the plugin directory demands is missing",
    severity=ERROR,
    on=(PACKAGE,),
    source="validate --profile directory of client 2.1.330, 2026-11-22",
    profiles=(DIRECTORY,),
)

_MANIFEST = '{"name": "demo", "version": "1.0.0"}'
_README = "# Demo\n\n" + "A plugin that reads logs and counts what it finds in them.\n" * 5

GOOD = (Example({"README.md": _README}), Example({".claude-plugin/plugin.json": _MANIFEST + "\n", "README.md": _README, "LICENSE": "MIT License\n"}))
BAD = (
    Example({".claude-plugin/plugin.json": _MANIFEST.replace("}", ', "license": "MIT"}') + f"{HERE}\n"}, message="the package has no README.md"),
    Example({"README.md": f"# Demo{HERE}\n\nReads logs.\n"}, message="the README has 3 words; the plugin directory asks for 40"),
    Example({".claude-plugin/plugin.json": _MANIFEST + f"{HERE}\n", "README.md": _README}, message="the package has neither a LICENSE file nor a `license` in its manifest"),
)


def check(package):
    if package.kind != "plugin":
        return
    place = package.manifest.at(package.manifest.first_line()) if package.manifest is not None else package.place()
    readme = package.readme
    if readme is None:
        if not any(rel.lower() in ("readme.md", "readme.markdown") for rel in package.entries):
            yield Problem(place.source, place.span, "the package has no README.md", "Write what it does, how it is installed and how it is used.")
    else:
        words = sum(1 for word in readme.body.split() if re.search(r"\w", word))
        if words < 40:
            yield Problem(readme.source, readme.first_line(), f"the README has {words} words; the plugin directory asks for 40", "Write what it does, how it is installed and how it is used.")
    root = package.manifest.root if package.manifest is not None else None
    named = root is not None and root.string("license")
    if not named and not any("/" not in rel and rel.lower().startswith(("license", "licence", "copying")) for rel in package.entries):
        yield Problem(place.source, place.span, "the package has neither a LICENSE file nor a `license` in its manifest", "Add the licence's text as LICENSE.")
