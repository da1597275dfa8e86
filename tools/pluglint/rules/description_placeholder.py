'''
What it checks: the description of an agent, a skill or a command is not what a template left there ("TODO: ...",
"A skill that...", "Your description here", "[Describe the skill]").

Why it matters: the description is all that the model goes by when it chooses; one that says nothing is never chosen.

How to fix: say what the component does and when to use it.
'''

import re

from pluglint.rule import AGENT, COMMAND, HERE, SKILL, WARNING, Example, Problem, Rule

RULE = Rule(
    title="a description is a placeholder",
    severity=WARNING,
    on=(AGENT, SKILL, COMMAND),
    source="templates of public skill generators, 2026",
)

_FORMS = (
    r"\W*(?:TODO|FIXME|TBD|XXX)\W*$",
    r"\W*(?:TODO|FIXME|TBD)\s?:|\W*(?:TODO|FIXME|TBD) [-–—] |\[TODO\b",
    r"(?i)(?:an?|this|the|my|your) (?:new |custom |sample |example )?(?:skill|agent|sub-?agent|command|description)(?: (?:that|which|for|to|does|description|goes|here))*\s*(?:\.\.\.|…|\.|$)\s*$",
    r"(?i)(?:(?:an?|the|your|my|add|insert|enter|write|put|short|brief|one-line|clear|concise|skill|agent|command) )*description(?: (?:here|goes here|of (?:the|this|your|what the) (?:skill|agent|command)\b.{0,80}))?\W*$",
    r"(?i)(?:replace (?:this|me)?\s?(?:text )?with (?:an? |the |your )?(?:\w+ )?description|lorem ipsum|insert (?:an? |the |your )?(?:\w+ )?description)\b",
    r"(?:\{\{[^{}]*\}\}|<[^<>]+>|\[[^\[\]]+\]|\.{2,}|…)\W*$",
)

GOOD = (
    Example("---\nname: example\ndescription: Finds TODO comments and turns them into issues. Use when a release is planned.\n---\nYou read.\n"),
    Example("---\nname: example\ndescription: A skill that reads logs... and more. Use when a build failed.\n---\nYou read.\n"),
)
BAD = (
    Example({"skills/example/SKILL.md": f'---\nname: example\ndescription: "[TODO: Complete this: what the skill does and when to use it]"{HERE}\n---\nRead.\n'}, message="the description is a placeholder: '[TODO: Complete this: what the skill does and…'"),
    Example(f"---\nname: example\ndescription: An agent that...{HERE}\n---\nYou read.\n", message="the description is a placeholder: 'An agent that...'"),
    Example(f"---\nname: example\ndescription: Your description here{HERE}\n---\nYou read.\n", message="the description is a placeholder: 'Your description here'"),
    Example(f"---\nname: example\ndescription: Replace with description of the skill and when to use it.{HERE}\n---\nYou read.\n", message="the description is a placeholder: 'Replace with description of the skill and whe…'"),
)


def check(document):
    text = document.description
    if len(text) > 40 and text[0] not in "[<{." and not any(word in text for word in ("TODO", "FIXME", "TBD", "escription", "orem ipsum")):
        return
    if text and any(re.match(form, text) for form in _FORMS):
        shown = text if len(text) <= 48 else text[:45].rstrip() + "…"
        yield Problem(document.source, document.field("description").span, f"the description is a placeholder: '{shown}'", f"Say what the {document.kind} does and when to use it.")
