"""
What it checks: `license` in a manifest is an SPDX identifier where it plainly means one: `Apache 2.0` and
`MIT License` are not.

Why it matters: the client takes any text. Tools that collect licences know SPDX identifiers only.

How to fix: write the identifier: `Apache-2.0`, `MIT`, `GPL-3.0-or-later`.
"""

from pluglint.manifest_fields import shapes
from pluglint.parse.node import STRING
from pluglint.rule import HERE, INFO, MANIFEST, PORTABLE_MANIFEST, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="the licence is no SPDX identifier",
    severity=INFO,
    on=(MANIFEST, PORTABLE_MANIFEST),
    source="manifest reference of 2026-10-03; SPDX licence list",
)

_HEAD = '{\n  "name": "demo",\n  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "A"},\n'

GOOD = (Example(_HEAD + '  "license": "MIT OR Apache-2.0"\n}\n'), Example(_HEAD + '  "license": "LicenseRef-Ours"\n}\n'))
BAD = (
    Example(_HEAD + '  "license": "Apache 2.0"' + HERE + "\n}\n", message="'Apache 2.0' is no SPDX identifier"),
    Example(_HEAD + '  "license": "mit"' + HERE + "\n}\n", message="'mit' is no SPDX identifier"),
)


def check(document):
    node = document.get("license")
    if node is None or node.kind != STRING:
        return
    table = shapes()["licenses"]
    if node.text in table["common"]:
        return
    better = {key.lower(): value for key, value in table["often_written"].items()}.get(node.text.strip().lower())
    if better is None and len(node.text) > 2 and " " not in node.text:
        # Only a difference of case or hyphens is sure: many valid identifiers are one edit away from each other.
        close = did_you_mean(node.text, table["common"])
        better = close if close and close.replace("-", "").lower() == node.text.replace("-", "").replace("_", "").lower() else None
    if better is not None:
        yield Problem(document.source, node.span, f"'{node.text}' is no SPDX identifier", f"Did you mean '{better}'?")
