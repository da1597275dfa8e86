"""
What it checks: the name of a plugin does not pass as one of Anthropic's own: it does not start with `claude-`,
`anthropic-`, `anthropics-` or `cc-plugin-`, is none of the reserved names, and does not call itself official.

Why it matters: the client's validation refuses the name, and so does a marketplace that lists it. With a local folder
it loads, so the author is the last to notice.

How to fix: choose another first word; `for-claude` at the end is a common way out.
"""

import re

from pluglint.facts import FACTS
from pluglint.parse.node import MAP
from pluglint.rule import CLAUDE_CODE, DIRECTORY, ERROR, HERE, MANIFEST, Example, Problem, Rule

RULE = Rule(
    title="the plugin's name is reserved",
    severity=ERROR,
    on=(MANIFEST,),
    source="mutations of plugin.json validated by client 2.1.330, 2026-11-22; manifest reference of 2026-10-03",
    profiles=(CLAUDE_CODE, DIRECTORY),
)

_TAIL = '  "version": "1.0.0",\n  "description": "A demonstration.",\n  "author": {"name": "A"}\n}\n'

GOOD = (Example('{\n  "name": "notes-for-claude",\n' + _TAIL), Example('{\n  "name": "claudette",\n' + _TAIL))
BAD = (
    Example('{\n  "name": "claude-notes",' + HERE + "\n" + _TAIL, message="the name 'claude-notes' is reserved: names that start with 'claude-' are Anthropic's own"),
    Example('{\n  "name": "anthropics",' + HERE + "\n" + _TAIL, message="the name 'anthropics' is reserved: it is one of Anthropic's own"),
    Example('{\n  "name": "official-claude-notes",' + HERE + "\n" + _TAIL, message="the name 'official-claude-notes' is reserved: it calls itself official"),
)


def check(document):
    name = document.get("name")
    if name is None or not name.text or _anthropics(document.get("author")):
        return
    folded = re.sub(r"[-_.\s]+", "-", name.text.lower())
    facts = FACTS["manifest"]
    prefix = next((prefix for prefix in facts["reserved_prefixes"] if folded.startswith(prefix)), None)
    if folded in facts["reserved_names"]:
        why = "it is one of Anthropic's own"
    elif prefix is not None:
        why = f"names that start with '{prefix}' are Anthropic's own"
    elif re.search(r"\bofficial-(?:claude|anthropics?)\b|\b(?:claude|anthropics?)-official\b", folded):
        why = "it calls itself official"
    else:
        return
    yield Problem(document.source, name.span, f"the name '{name.text}' is reserved: {why}", "Choose another name: validation and marketplaces refuse this one.")


def _anthropics(person):
    """Whether the people whose names these are publish it."""
    return person is not None and person.kind == MAP and (person.string("name") == "Anthropic" or person.string("email").endswith("@anthropic.com"))
