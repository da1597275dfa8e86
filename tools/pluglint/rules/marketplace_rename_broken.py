"""
What it checks: every name under `renames` leads, in one or more steps, to an entry of the marketplace or to null (gone),
and no name is renamed while it is still listed.

Why it matters: the client refuses a marketplace whose chains of renames lead nowhere or in a circle.

How to fix: let the last step name an entry, or null.
"""

from pluglint.parse.node import MAP, NULL, STRING
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MARKETPLACE, Example, Problem, Rule
from pluglint.words import did_you_mean

RULE = Rule(
    title="a rename in a marketplace leads nowhere",
    severity=ERROR,
    on=(MARKETPLACE,),
    source="marketplace reference of October 2026",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_HEAD = '{\n  "name": "m",\n  "owner": {"name": "A"},\n  "description": "Ours.",\n  "plugins": [{"name": "x", "source": "./"}],\n'

GOOD = (Example(_HEAD + '  "renames": {"w": "v", "v": "x", "gone": null}\n}\n'),)
BAD = (
    Example(_HEAD + '  "renames": {"v": "z"}' + HERE + "\n}\n", message="the rename of 'v' ends at 'z', which no entry is called"),
    Example(_HEAD + '  "renames": {"v": "w", "w": "v"}' + HERE + "\n}\n", message="the rename of 'v' goes in a circle"),
)


def check(document):
    renames, plugins = document.get("renames"), document.get("plugins")
    if renames is None or renames.kind != MAP or plugins is None:
        return
    names = {entry.string("name") for entry in plugins.items if entry.kind == MAP}
    for old, new in renames.pairs:
        seen = {old.text}
        target = new
        while target is not None and target.kind == STRING and target.text not in names and target.text not in seen:
            seen.add(target.text)
            following = renames.get(target.text)
            if following is None:
                close = did_you_mean(target.text, names)
                yield Problem(document.source, new.span, f"the rename of '{old.text}' ends at '{target.text}', which no entry is called", f"Did you mean '{close}'?" if close else "Name an entry, or null when the plugin is gone.")
            target = following
        if target is not None and target.kind == STRING and target.text in seen:
            yield Problem(document.source, new.span, f"the rename of '{old.text}' goes in a circle", "Let the last step name an entry, or null.")
        elif target is not None and target.kind not in (STRING, NULL):
            yield Problem(document.source, target.span, f"the rename of '{old.text}' must be a name or null", "")
